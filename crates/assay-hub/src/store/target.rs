//! How people and configurations write where something is published, and the store behind such an address.
//!
//! | written | store |
//! |---|---|
//! | `hf://namespace/name@revision` | the Hugging Face hub |
//! | `s3://bucket/prefix/namespace/name@revision` | a bucket |
//! | `https://host/prefix/namespace/name@revision` | any web server, read only |
//! | `folder/namespace/name@revision` | a directory |

use std::path::PathBuf;

use assay_types::{RepoName, Revision};
use serde::{Deserialize, Serialize};

use super::{HuggingFaceStore, LocalStore, ObjectStore, Store, StoreError};
use crate::source::public_url;
use crate::{OpenOptions, Secret};

/// Address of the Hub as a store.
const HUB: &str = "hf://";

/// What stores need beside their address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreOptions {
    /// Requests, S3 keys, proxy.
    pub open: OpenOptions,
    /// Token of the Hub; absent: public repositories are read.
    pub hf_token: Option<Secret>,
    /// A Hub other than Hugging Face's own.
    pub hf_endpoint: Option<String>,
}

/// The store at an address: `hf://`, `s3://bucket/prefix`, `https://host/prefix`, or a folder.
///
/// # Errors
/// [`StoreError::BadStore`] if address or options cannot be used. No request is made.
pub fn open_store(address: &str, options: &StoreOptions) -> Result<Box<dyn Store>, StoreError> {
    let bad = |reason: &str| StoreError::BadStore {
        store: public_url(address),
        reason: reason.to_owned(),
    };
    match address.split_once("://") {
        Some(("hf", "")) => {
            let (endpoint, token) = (options.hf_endpoint.as_deref(), options.hf_token.clone());
            Ok(Box::new(HuggingFaceStore::new(endpoint, token, &options.open)?))
        }
        Some(("hf", _)) => Err(bad("the hub has no folders: its store is `hf://`")),
        Some(("s3" | "http" | "https", _)) => Ok(Box::new(ObjectStore::new(address, &options.open)?)),
        Some(("file", path)) => Ok(Box::new(LocalStore::new(path))),
        Some(_) => Err(bad("its scheme is not known")),
        None if address.is_empty() => Err(bad("it is empty")),
        None => Ok(Box::new(LocalStore::new(address))),
    }
}

/// Where a dataset is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A dataset's folder on this machine, in no store.
    Folder(PathBuf),
    /// A repository of a store, and its revision if one was named.
    Published {
        /// Address for [`open_store`].
        store: String,
        /// The repository.
        repo: RepoName,
        /// The revision.
        revision: Option<Revision>,
    },
}

impl Target {
    /// The place that `text` names. What has neither a scheme nor a revision is a folder.
    ///
    /// # Errors
    /// [`StoreError::BadStore`] if there is no `namespace/name` where one must be.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let bad = |reason: &str| StoreError::BadStore {
            store: public_url(text),
            reason: reason.to_owned(),
        };
        let named = text
            .rsplit_once('@')
            .and_then(|(place, id)| Some((place, id.parse().ok()?)));
        let (place, revision) = match named {
            Some((place, revision)) => (place, Some(revision)),
            None if !text.contains("://") => return Ok(Self::Folder(text.into())),
            None => (text, None),
        };
        let no_repo =
            || bad("it does not end in `namespace/name`, or `namespace/name@revision` of 40 hex digits");
        let (rest, name) = place.rsplit_once('/').ok_or_else(no_repo)?;
        let (store, space) = rest.rsplit_once('/').unwrap_or((".", rest));
        let repo = RepoName::parse(&format!("{space}/{name}")).map_err(|_| no_repo())?;
        let store = match store {
            "" => "/".to_owned(),
            "hf:/" => HUB.to_owned(),
            store if store.ends_with(":/") => return Err(no_repo()),
            store => store.to_owned(),
        };
        Ok(Self::Published {
            store,
            repo,
            revision,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_name_store_repository_and_revision() {
        let id = "ab".repeat(20);
        for (text, store, named) in [
            (format!("hf://acme/r1@{id}"), "hf://", true),
            ("hf://acme/r1".to_owned(), "hf://", false),
            (format!("s3://bk/p/q/acme/r1@{id}"), "s3://bk/p/q", true),
            (format!("https://h/x/acme/r1@{id}"), "https://h/x", true),
            (format!("/srv/store/acme/r1@{id}"), "/srv/store", true),
            (format!("/acme/r1@{id}"), "/", true),
            (format!("acme/r1@{id}"), ".", true),
        ] {
            let Target::Published {
                store: found,
                repo,
                revision,
            } = Target::parse(&text).unwrap()
            else {
                panic!("{text}")
            };
            assert_eq!((found.as_str(), repo.as_str()), (store, "acme/r1"), "{text}");
            assert_eq!(revision.map(|id| id.to_string()), named.then(|| id.clone()));
            assert!(open_store(&found, &StoreOptions::default()).is_ok(), "{text}");
        }
        for folder in ["out", "/srv/out", "a@b", "acme/r1"] {
            assert_eq!(Target::parse(folder).unwrap(), Target::Folder(folder.into()));
        }
        for bad in [
            "hf://",
            "hf://r1",
            "s3://acme/r1",
            "https://h/..",
            &format!("r1@{id}"),
        ] {
            assert!(Target::parse(bad).is_err(), "{bad}");
        }
        for bad in ["", "ftp://x", "hf://acme/r1"] {
            assert!(open_store(bad, &StoreOptions::default()).is_err(), "{bad}");
        }
    }
}

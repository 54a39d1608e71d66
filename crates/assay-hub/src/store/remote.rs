//! Files of a revision behind HTTP: ranges through the crate's one reader, its failures told apart by side.
//!
//! Used by the object store, the HTTPS store and the Hub. Lengths and tags bind each request before it is made, so that
//! a file replaced behind an open view is refused by the server or noticed here.

use std::fmt;

use async_trait::async_trait;
use reqwest::Client;

use assay_types::Revision;

use super::error::StoreError;
use super::index::Entry;
use super::view::Fetch;
use crate::remote::{Address, Connection};
use crate::source::public_url;
use crate::{HubError, OpenOptions, Secret};

/// What requests for one store have in common.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) client: Client,
    pub(super) options: OpenOptions,
    /// Any object of the store: others are addressed from it.
    pub(super) address: std::sync::Arc<Address>,
    pub(super) bearer: Option<Secret>,
}

impl Site {
    /// A connection to the object at a URL.
    fn connection(&self, url: &str) -> Result<Connection, HubError> {
        let address = self.address.of_sibling(url, &self.options.s3)?;
        let connection = Connection::shared(self.client.clone(), address, &public_url(url), &self.options);
        Ok(connection.with_bearer(self.bearer.clone()))
    }

    /// A small object whole, or `None` if it is not there or not for this reader.
    ///
    /// # Errors
    /// Failures of reading. More than `bytes_max` bytes are `None`, too: no such object of ours is longer.
    pub(super) async fn small(&self, url: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, HubError> {
        let read = self.connection(url)?.read(0, bytes_max + 1).await;
        match read {
            Ok(bytes) => Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= bytes_max)),
            Err(error) if self.is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the store says that the object is not there or not for this reader; wrong credentials say neither.
    fn is_absent(&self, error: &HubError) -> bool {
        match error {
            HubError::Status {
                status: 404 | 410, ..
            } => true,
            HubError::Status {
                status: 403, code, ..
            } => code
                .as_deref()
                .is_none_or(|code| matches!(code, "AccessDenied" | "GatedRepo")),
            HubError::Status { status: 401, .. } => self.bearer.is_none(),
            _ => false,
        }
    }
}

/// The files of one revision, each at `<base>/<path>`.
pub(super) struct RemoteFiles {
    pub(super) site: Site,
    /// URL of the revision without a slash at its end.
    pub(super) base: String,
    pub(super) revision: Revision,
}

impl fmt::Debug for RemoteFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RemoteFiles")
            .field(&public_url(&self.base))
            .finish()
    }
}

impl RemoteFiles {
    fn error(&self, entry: &Entry, error: HubError) -> StoreError {
        if self.site.is_absent(&error) {
            return StoreError::Gone {
                revision: self.revision,
                path: entry.path.clone(),
                what: error.to_string(),
            };
        }
        match error {
            HubError::Changed { .. } => StoreError::Differs {
                revision: self.revision,
                path: entry.path.clone(),
                expected: format!("{} bytes as published", entry.bytes),
                found: "another version of the file".to_owned(),
            },
            other => StoreError::Read(other),
        }
    }
}

#[async_trait]
impl Fetch for RemoteFiles {
    async fn range(&self, entry: &Entry, offset: u64, len: u64) -> Result<Vec<u8>, StoreError> {
        let url = format!("{}/{}", self.base, entry.path);
        let connection = self.site.connection(&url)?;
        let mut connection = connection.bound_to(entry.bytes, entry.etag.as_deref());
        let bytes = connection
            .read(offset, len)
            .await
            .map_err(|error| self.error(entry, error))?;
        if bytes.len() as u64 != len {
            return Err(self.error(
                entry,
                HubError::Changed {
                    url: public_url(&url),
                    offset,
                },
            ));
        }
        Ok(bytes)
    }
}

//! Stores of objects: a bucket of S3 or an S3-compatible server, read and written; and any HTTPS server, read only.
//!
//! ```text
//! <prefix>/<namespace>/<name>/<revision>/<path>                the files
//!                            /<revision>/.index.json           written by reveal: what makes the revision public
//!                            /.sealed/<revision>/.index.json   written by publish, last
//! ```
//!
//! The layout is that of the local store, so a directory copied into a bucket or behind a web server is a store. An index
//! is one small object, so it appears whole. Before it is public nothing leads to a revision's files: its name is a
//! digest that the chain keeps sealed (mechanism §6.1), so the bucket must not let strangers list it.

mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use assay_types::{RepoName, Revision};
use async_trait::async_trait;
use tokio::task::JoinSet;

use super::error::StoreError;
use super::index::{Entry, INDEX_BYTES_MAX, INDEX_FILE, Index};
use super::path::ObjectPath;
use super::publication::Publication;
use super::remote::{RemoteFiles, Site};
use super::view::{READS_MAX, View};
use super::{Store, Visibility};
use crate::OpenOptions;
use crate::remote::{Address, client};
use crate::source::public_url;
use write::Bucket;

/// Files on the way at once; each may have several parts on the way.
const UPLOADS_AT_ONCE: usize = 4;

/// Folder of what is whole but not public.
const SEALED: &str = ".sealed";

/// A bucket, or a prefix of one, at `s3://bucket/prefix`; or `http(s)://host/prefix`, which is only read.
#[derive(Clone)]
pub struct ObjectStore {
    /// URL without a slash at its end; may hold credentials.
    base: String,
    site: Site,
    bucket: Option<Bucket>,
}

impl fmt::Debug for ObjectStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectStore")
            .field("base", &public_url(&self.base))
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}

impl ObjectStore {
    /// The store at an address. Writing needs `s3://` and keys in the options.
    ///
    /// # Errors
    /// [`StoreError::BadStore`] if address or options cannot be used.
    pub fn new(address: &str, options: &OpenOptions) -> Result<Self, StoreError> {
        let base = address.trim_end_matches('/').to_owned();
        let bad = |error: crate::HubError| StoreError::BadStore {
            store: public_url(address),
            reason: error.to_string(),
        };
        let scheme = base.split_once("://").map(|(scheme, _)| scheme);
        if !matches!(scheme, Some("s3" | "http" | "https")) {
            return Err(bad(crate::HubError::UnsupportedScheme {
                scheme: scheme.unwrap_or_default().to_owned(),
            }));
        }
        let client_error = |error: crate::HubError| StoreError::Read(error);
        let any = Address::new(&format!("{base}/{INDEX_FILE}"), &options.s3).map_err(bad)?;
        let bucket = match base.strip_prefix("s3://") {
            Some(rest) if options.s3.access_key_id.is_some() => Some(Bucket::new(rest, options)?),
            _ => None,
        };
        Ok(Self {
            site: Site {
                client: client(options).map_err(client_error)?,
                options: options.clone(),
                address: Arc::new(any),
                bearer: None,
            },
            base,
            bucket,
        })
    }

    fn writable(&self) -> Result<&Bucket, StoreError> {
        self.bucket.as_ref().ok_or_else(|| StoreError::Unsupported {
            store: self.address(),
            what: "be written to without s3:// and keys",
        })
    }

    /// URL of a revision's files.
    fn public(&self, repo: &RepoName, revision: &Revision) -> String {
        format!("{}/{}/{revision}", self.base, repo.as_str())
    }

    async fn index(&self, folder: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let url = format!("{folder}/{INDEX_FILE}");
        Ok(self.site.small(&url, INDEX_BYTES_MAX).await?)
    }
}

/// Uploads files, a few at once; gives them with their entity tags. Dropping it stops them all.
async fn upload_all(
    bucket: &Bucket,
    folder: &str,
    publication: &Publication,
    mut entries: Vec<Entry>,
) -> Result<Vec<Entry>, StoreError> {
    let mut uploads = JoinSet::new();
    let mut tags = BTreeMap::new();
    for entry in &entries {
        if uploads.len() >= UPLOADS_AT_ONCE {
            take_one(&mut uploads, &mut tags).await?;
        }
        let Some(body) = publication.files.get(&entry.path).cloned() else {
            continue;
        };
        let (bucket, entry) = (bucket.clone(), entry.clone());
        let key = format!("{folder}/{}", entry.path);
        uploads.spawn(async move {
            let tag = bucket.upload(&key, &entry, &body).await?;
            Ok((entry.path, tag))
        });
    }
    while !uploads.is_empty() {
        take_one(&mut uploads, &mut tags).await?;
    }
    for entry in &mut entries {
        entry.etag = tags.remove(&entry.path).flatten();
    }
    Ok(entries)
}

/// A file that was uploaded, and its tag.
type Uploaded = Result<(ObjectPath, Option<String>), StoreError>;

async fn take_one(
    uploads: &mut JoinSet<Uploaded>,
    tags: &mut BTreeMap<ObjectPath, Option<String>>,
) -> Result<(), StoreError> {
    match uploads.join_next().await {
        Some(Ok(uploaded)) => {
            let (path, tag) = uploaded?;
            tags.insert(path, tag);
            Ok(())
        }
        Some(Err(_)) => Err(StoreError::Read(crate::HubError::Client {
            reason: "an upload ended".to_owned(),
        })),
        None => Ok(()),
    }
}

/// Key of a revision's index below the store's prefix.
fn index_key(repo: &RepoName, revision: &Revision, visibility: Visibility) -> String {
    let folder = match visibility {
        Visibility::Public => String::new(),
        Visibility::Sealed | Visibility::Absent => format!("{SEALED}/"),
    };
    format!("{}/{folder}{revision}/{INDEX_FILE}", repo.as_str())
}

#[async_trait]
impl Store for ObjectStore {
    fn address(&self) -> String {
        public_url(&self.base)
    }

    async fn publish(&self, publication: &Publication) -> Result<Revision, StoreError> {
        let bucket = self.writable()?;
        let copy = publication.clone();
        let prepared = super::view::on_disk(move || copy.prepare()).await?;
        let (repo, revision) = (&publication.repo, prepared.revision);
        if self.visibility(repo, &revision).await? != Visibility::Absent {
            return Ok(revision);
        }
        let folder = format!("{}/{revision}", repo.as_str());
        let entries = upload_all(bucket, &folder, publication, prepared.entries).await?;
        let index = Index::new(publication.anchor.clone(), entries).to_bytes()?;
        let key = index_key(repo, &revision, Visibility::Sealed);
        bucket.put(&key, index.into()).await?;
        Ok(revision)
    }

    async fn reveal(&self, repo: &RepoName, revision: &Revision) -> Result<(), StoreError> {
        let bucket = self.writable()?;
        let public = index_key(repo, revision, Visibility::Public);
        if bucket.has(&public).await? {
            return Ok(());
        }
        let sealed = index_key(repo, revision, Visibility::Sealed);
        let Some(index) = bucket.get(&sealed, INDEX_BYTES_MAX).await? else {
            return Err(not_published(repo, revision));
        };
        bucket.put(&public, index).await
    }

    async fn visibility(&self, repo: &RepoName, revision: &Revision) -> Result<Visibility, StoreError> {
        let Some(bucket) = &self.bucket else {
            let there = self.index(&self.public(repo, revision)).await?.is_some();
            return Ok(if there {
                Visibility::Public
            } else {
                Visibility::Absent
            });
        };
        for visibility in [Visibility::Public, Visibility::Sealed] {
            if bucket.has(&index_key(repo, revision, visibility)).await? {
                return Ok(visibility);
            }
        }
        Ok(Visibility::Absent)
    }

    async fn revisions(&self, repo: &RepoName) -> Result<Vec<Revision>, StoreError> {
        let bucket = self.bucket.as_ref().ok_or_else(|| StoreError::Unsupported {
            store: self.address(),
            what: "be listed",
        })?;
        let mut found = Vec::new();
        for name in bucket.folders(repo.as_str()).await? {
            if let Ok(revision) = name.parse()
                && bucket
                    .has(&index_key(repo, &revision, Visibility::Public))
                    .await?
            {
                found.push(revision);
            }
        }
        Ok(found)
    }

    async fn open(&self, repo: &RepoName, revision: &Revision) -> Result<View, StoreError> {
        let mut reads = 1;
        loop {
            match self.open_once(repo, revision).await {
                // What came may have been spoiled on its way: only what comes again is the publisher's.
                Err(StoreError::BadIndex { .. } | StoreError::Differs { .. }) if reads < READS_MAX => {
                    reads += 1;
                }
                opened => return opened,
            }
        }
    }
}

impl ObjectStore {
    async fn open_once(&self, repo: &RepoName, revision: &Revision) -> Result<View, StoreError> {
        let base = self.public(repo, revision);
        let Some(bytes) = self.index(&base).await? else {
            return Err(not_published(repo, revision));
        };
        let index = Index::parse(&bytes, revision)?;
        let files = RemoteFiles {
            site: self.site.clone(),
            base,
            revision: *revision,
        };
        View::new(repo, revision, index.files, Box::new(files))
            .check_anchor(&index.anchor)
            .await
    }
}

fn not_published(repo: &RepoName, revision: &Revision) -> StoreError {
    StoreError::NotPublished {
        repo: repo.clone(),
        revision: *revision,
    }
}

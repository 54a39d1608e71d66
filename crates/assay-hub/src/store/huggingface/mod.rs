//! The Hugging Face hub as a store of dataset repositories: a revision is a git commit.
//!
//! ```text
//! create (private) ─► preupload ─► LFS: large files ─► one commit on its parent ─► settings: public
//! ```
//!
//! Over the documented endpoints, not over a client library: the crate `hf-hub` 1.0.0 uploads large files through Xet
//! alone and puts every other file into memory as base64 without a bound (its `repository/upload.rs`). Here large files
//! go through Git LFS, streamed; Xet is not spoken. Until the commit nothing of a publish is visible; a repeated publish
//! uploads what the Hub does not have and commits only if the newest commit holds other files.
//!
//! A repository is sealed or public as a whole: a miner uses one a round. Revisions are commits of the branch `main`.

mod answers;
mod api;
mod commit;
mod lfs;

use std::sync::Arc;

use assay_types::{RepoName, Revision};
use async_trait::async_trait;

use super::error::StoreError;
use super::publication::Publication;
use super::remote::{RemoteFiles, Site};
use super::view::{View, on_disk};
use super::{Store, Visibility};
use crate::remote::Address;
use crate::{OpenOptions, Secret};
use api::Api;

/// The Hub itself.
pub const HUGGING_FACE_ENDPOINT: &str = "https://huggingface.co";

/// Dataset repositories of a Hub.
#[derive(Debug, Clone)]
pub struct HuggingFaceStore {
    api: Api,
    site: Site,
}

impl HuggingFaceStore {
    /// The Hub at `endpoint`, or Hugging Face's own. Writing needs a token, and so does reading what is private.
    ///
    /// # Errors
    /// [`StoreError::BadStore`] if the endpoint is no URL.
    pub fn new(
        endpoint: Option<&str>,
        token: Option<Secret>,
        options: &OpenOptions,
    ) -> Result<Self, StoreError> {
        let endpoint = endpoint.unwrap_or(HUGGING_FACE_ENDPOINT).trim_end_matches('/');
        let bad = |reason: String| StoreError::BadStore {
            store: crate::source::public_url(endpoint),
            reason,
        };
        if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
            return Err(bad(
                "the hub's endpoint is no http:// or https:// address".to_owned()
            ));
        }
        let address = Address::new(endpoint, &options.s3).map_err(|error| bad(error.to_string()))?;
        let api = Api::new(endpoint, token.clone(), options)?;
        let site = Site {
            client: api.client().clone(),
            options: options.clone(),
            address: Arc::new(address),
            bearer: token,
        };
        Ok(Self { api, site })
    }
}

#[async_trait]
impl Store for HuggingFaceStore {
    fn address(&self) -> String {
        self.api.address()
    }

    async fn publish(&self, publication: &Publication) -> Result<Revision, StoreError> {
        self.api.need_token("publishing")?;
        let copy = publication.clone();
        let prepared = on_disk(move || copy.prepare()).await?;
        self.api.create(&publication.repo).await?;
        let upload = commit::Upload::new(&self.api, publication, prepared.entries);
        upload.run().await
    }

    async fn reveal(&self, repo: &RepoName, revision: &Revision) -> Result<(), StoreError> {
        self.api.need_token("opening a repository")?;
        match self.api.info(repo, &revision.to_string()).await? {
            None => Err(not_published(repo, revision)),
            Some(info) if info.private => self.api.make_public(repo).await,
            Some(_) => Ok(()),
        }
    }

    async fn visibility(&self, repo: &RepoName, revision: &Revision) -> Result<Visibility, StoreError> {
        Ok(match self.api.info(repo, &revision.to_string()).await? {
            None => Visibility::Absent,
            Some(info) if info.private => Visibility::Sealed,
            Some(_) => Visibility::Public,
        })
    }

    async fn revisions(&self, repo: &RepoName) -> Result<Vec<Revision>, StoreError> {
        match self.api.info(repo, "main").await? {
            Some(info) if !info.private => self.api.commits(repo).await,
            _ => Ok(Vec::new()),
        }
    }

    /// Opens a public revision, or a private one that the token may read.
    async fn open(&self, repo: &RepoName, revision: &Revision) -> Result<View, StoreError> {
        let Some(files) = self.api.tree(repo, &revision.to_string()).await? else {
            return Err(not_published(repo, revision));
        };
        let entries = files.iter().filter_map(answers::TreeItem::entry).collect();
        let source = RemoteFiles {
            site: self.site.clone(),
            base: self.api.resolve_url(repo, revision),
            revision: *revision,
        };
        Ok(View::new(repo, revision, entries, Box::new(source)))
    }
}

fn not_published(repo: &RepoName, revision: &Revision) -> StoreError {
    StoreError::NotPublished {
        repo: repo.clone(),
        revision: *revision,
    }
}

//! A store that fails on purpose.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use assay_hub::store::{Publication, Store, StoreError, View, Visibility};
use assay_types::{RepoName, Revision};

/// A store in which one repository cannot be reached.
#[derive(Debug)]
pub(crate) struct Unreachable {
    inner: Arc<dyn Store>,
    repo: RepoName,
    /// Whether it cannot be reached now.
    pub(crate) now: AtomicBool,
}

impl Unreachable {
    pub(crate) fn new(inner: &Arc<dyn Store>, repo: RepoName, now: bool) -> Self {
        Self {
            inner: Arc::clone(inner),
            repo,
            now: AtomicBool::new(now),
        }
    }
}

#[async_trait::async_trait]
impl Store for Unreachable {
    fn address(&self) -> String {
        self.inner.address()
    }

    async fn publish(&self, publication: &Publication) -> Result<Revision, StoreError> {
        self.inner.publish(publication).await
    }

    async fn reveal(&self, repo: &RepoName, revision: &Revision) -> Result<(), StoreError> {
        self.inner.reveal(repo, revision).await
    }

    async fn visibility(&self, repo: &RepoName, revision: &Revision) -> Result<Visibility, StoreError> {
        self.inner.visibility(repo, revision).await
    }

    async fn revisions(&self, repo: &RepoName) -> Result<Vec<Revision>, StoreError> {
        self.inner.revisions(repo).await
    }

    async fn open(&self, repo: &RepoName, revision: &Revision) -> Result<View, StoreError> {
        if *repo == self.repo && self.now.load(Ordering::Relaxed) {
            return Err(StoreError::Busy { repo: repo.clone() });
        }
        self.inner.open(repo, revision).await
    }
}

/// A store that is written at one place and read at another.
#[derive(Debug)]
pub(crate) struct Divided {
    pub(crate) written: Arc<dyn Store>,
    pub(crate) read: Arc<dyn Store>,
}

#[async_trait::async_trait]
impl Store for Divided {
    fn address(&self) -> String {
        self.read.address()
    }

    async fn publish(&self, publication: &Publication) -> Result<Revision, StoreError> {
        self.written.publish(publication).await
    }

    async fn reveal(&self, repo: &RepoName, revision: &Revision) -> Result<(), StoreError> {
        self.written.reveal(repo, revision).await
    }

    async fn visibility(&self, repo: &RepoName, revision: &Revision) -> Result<Visibility, StoreError> {
        self.written.visibility(repo, revision).await
    }

    async fn revisions(&self, repo: &RepoName) -> Result<Vec<Revision>, StoreError> {
        self.written.revisions(repo).await
    }

    async fn open(&self, repo: &RepoName, revision: &Revision) -> Result<View, StoreError> {
        self.read.open(repo, revision).await
    }
}

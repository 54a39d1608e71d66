//! Where datasets and recipes are published and read: one trait, one file or folder a store.
//!
//! ```text
//! Publication ─publish─► sealed revision ─reveal─► public revision ─open─► View ─► ranges, files
//! ```
//!
//! * A revision appears whole or not at all: its index is written last, or it is one commit. A killed publish leaves
//!   nothing that a reader sees, and the same call again finishes it or finds it finished.
//! * A revision never changes. A store that cannot promise that (somebody may overwrite a file behind it) turns changed
//!   bytes into an error: lengths, SHA-256 and the stores' own tags are checked on the way to the reader.
//! * Publishing and revealing are apart because a miner uploads before the deadline and opens after it (mechanism §4).
//! * Failures of reading say whose side they were: [`StoreError::side`].

mod card;
mod error;
mod huggingface;
mod index;
mod local;
mod objects;
mod path;
mod publication;
mod remote;
mod target;
mod view;

use std::fmt;

use assay_types::{RepoName, Revision};
use async_trait::async_trait;

pub use card::dataset_card;
pub use error::{Side, StoreError};
pub use huggingface::{HUGGING_FACE_ENDPOINT, HuggingFaceStore};
pub use index::Entry;
pub use local::LocalStore;
pub use objects::ObjectStore;
pub use path::{OBJECT_PART_BYTES_MAX, OBJECT_PARTS_MAX, OBJECT_PATH_BYTES_MAX, ObjectPath, PathError};
pub use publication::{Body, FILES_MAX, Publication};
pub use target::{StoreOptions, Target, open_store};
pub use view::{PIECE_BYTES_MAX, READS_MAX, View};

/// How far a revision is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Visibility {
    /// Not there, or not whole.
    Absent,
    /// Whole, readable by nobody but its publisher.
    Sealed,
    /// Readable by everybody who knows it.
    Public,
}

/// A place for immutable revisions of repositories. Every call may be repeated.
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug {
    /// The store's address for people and logs, without credentials.
    fn address(&self) -> String;

    /// Uploads a publication as one sealed revision. Where the revision exists already, nothing is changed: files that
    /// the anchor does not bind (a signature, a card) keep their first form.
    ///
    /// # Errors
    /// [`StoreError`]; nothing of the revision is visible then.
    async fn publish(&self, publication: &Publication) -> Result<Revision, StoreError>;

    /// Makes a revision public; for the Hub the whole repository with all its revisions.
    ///
    /// # Errors
    /// [`StoreError::NotPublished`] if there is no such revision.
    async fn reveal(&self, repo: &RepoName, revision: &Revision) -> Result<(), StoreError>;

    /// How far a revision is published, as its publisher sees it.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be asked.
    async fn visibility(&self, repo: &RepoName, revision: &Revision) -> Result<Visibility, StoreError>;

    /// The public revisions of a repository, in no particular order; none for a repository that does not exist.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] where a store cannot be listed.
    async fn revisions(&self, repo: &RepoName) -> Result<Vec<Revision>, StoreError>;

    /// Opens a public revision.
    ///
    /// # Errors
    /// [`StoreError::NotPublished`] before it is revealed, [`StoreError::BadIndex`] and [`StoreError::Differs`] if what is
    /// there is not what was published.
    async fn open(&self, repo: &RepoName, revision: &Revision) -> Result<View, StoreError>;
}

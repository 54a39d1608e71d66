//! A published revision as its readers see it: a fixed list of files whose bytes are these or an error.
//!
//! Made by `Store::open`; used by validators (ranges and small files) and consumers (downloads). Each store gives only
//! ranges; lengths, digests, bounds, re-reading and resumption are here, once.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use assay_types::{RepoName, Revision, Sha256Digest};
use async_trait::async_trait;
use fs_err as fs;
use sha2::{Digest as _, Sha256};

use super::error::StoreError;
use super::index::Entry;
use super::path::ObjectPath;
use super::publication::{read_pieces, revision_of};

/// Bytes of one piece of a download; what is in memory per file.
pub const PIECE_BYTES_MAX: u64 = 8 << 20;

/// Longest anchor that is read when a revision is opened: a manifest of a local run.
const ANCHOR_BYTES_MAX: u64 = assay_types::LOCAL_MANIFEST_BYTES_MAX as u64;

/// How often a file whose digest is wrong is read before it counts as another file.
pub const READS_MAX: u32 = 3;

/// Ending of a download that is not finished.
const PARTIAL_ENDING: &str = ".partial";

/// What a store gives to a view: ranges of its files.
#[async_trait]
pub(super) trait Fetch: Send + Sync + fmt::Debug {
    /// The `len` bytes at `offset`, all inside the file; never fewer, never those of another version of the file.
    async fn range(&self, entry: &Entry, offset: u64, len: u64) -> Result<Vec<u8>, StoreError>;
}

/// One revision of a repository, open for reading.
#[derive(Debug)]
pub struct View {
    repo: RepoName,
    revision: Revision,
    entries: BTreeMap<ObjectPath, Entry>,
    source: Box<dyn Fetch>,
}

impl View {
    pub(super) fn new(
        repo: &RepoName,
        revision: &Revision,
        entries: Vec<Entry>,
        source: Box<dyn Fetch>,
    ) -> Self {
        let entries = entries
            .into_iter()
            .map(|entry| (entry.path.clone(), entry))
            .collect();
        Self {
            repo: repo.clone(),
            revision: *revision,
            entries,
            source,
        }
    }

    /// The repository.
    #[must_use]
    pub fn repo(&self) -> &RepoName {
        &self.repo
    }

    /// The revision.
    #[must_use]
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    /// The files whose paths begin with `prefix`, ascending; `""` for all.
    pub fn list<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.entries
            .values()
            .filter(move |entry| entry.path.as_str().starts_with(prefix))
    }

    /// Length and, where known, digest of a file.
    ///
    /// # Errors
    /// [`StoreError::NoFile`].
    pub fn head(&self, path: &ObjectPath) -> Result<&Entry, StoreError> {
        self.entries.get(path).ok_or_else(|| StoreError::NoFile {
            revision: self.revision,
            path: path.clone(),
        })
    }

    /// A whole file, checked against its digest where the store knows one.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] above `bytes_max` before anything is read; [`StoreError::Differs`] if [`READS_MAX`]
    /// readings gave other bytes; what reading says.
    pub async fn get(&self, path: &ObjectPath, bytes_max: u64) -> Result<Vec<u8>, StoreError> {
        let entry = self.head(path)?;
        if entry.bytes > bytes_max {
            return Err(StoreError::TooLarge {
                path: path.clone(),
                bytes: entry.bytes,
                limit: bytes_max,
            });
        }
        let mut reads = 0;
        loop {
            let bytes = self.source.range(entry, 0, entry.bytes).await?;
            reads += 1;
            match self.difference(entry, || Sha256::digest(&bytes).into()) {
                None => return Ok(bytes),
                Some(error) if reads >= READS_MAX => return Err(error),
                Some(_) => {}
            }
        }
    }

    /// The `len` bytes of a file at `offset`. Nothing but the file's length vouches for them: check what they mean.
    ///
    /// # Errors
    /// [`StoreError::OutOfRange`], [`StoreError::TooLarge`] above [`crate::RANGE_READ_BYTES_MAX`]; what reading says.
    pub async fn get_range(&self, path: &ObjectPath, offset: u64, len: u64) -> Result<Vec<u8>, StoreError> {
        let entry = self.head(path)?;
        if offset.checked_add(len).is_none_or(|end| end > entry.bytes) {
            return Err(StoreError::OutOfRange {
                path: path.clone(),
                offset,
                len,
                bytes: entry.bytes,
            });
        }
        if len > crate::RANGE_READ_BYTES_MAX {
            return Err(StoreError::TooLarge {
                path: path.clone(),
                bytes: len,
                limit: crate::RANGE_READ_BYTES_MAX,
            });
        }
        self.source.range(entry, offset, len).await
    }

    /// Writes a file to `to`, piece by piece; it appears there whole and checked, or not at all. An unfinished download
    /// beside it is taken up where it ended. A file already there is taken as it is if its digest is the right one.
    /// Gives the bytes that were transferred.
    ///
    /// # Errors
    /// [`StoreError::File`] for the disk; [`StoreError::Differs`] if [`READS_MAX`] downloads gave other bytes; what
    /// reading says.
    pub async fn download(&self, path: &ObjectPath, to: &Path) -> Result<u64, StoreError> {
        let entry = self.head(path)?;
        let (sha256, target) = (entry.sha256, to.to_owned());
        if on_disk(move || is_there(&target, sha256)).await? {
            return Ok(0);
        }
        let mut transferred = 0;
        let mut reads = 0;
        loop {
            let target = to.to_owned();
            // What no digest will vouch for is not taken up.
            let bytes_max = if sha256.is_some() { entry.bytes } else { 0 };
            let mut partial = on_disk(move || Partial::open(&target, bytes_max)).await?;
            while partial.bytes < entry.bytes {
                let len = (entry.bytes - partial.bytes).min(PIECE_BYTES_MAX);
                let piece = self.source.range(entry, partial.bytes, len).await?;
                transferred += piece.len() as u64;
                partial = on_disk(move || partial.add(&piece)).await?;
            }
            reads += 1;
            let found = partial.digest();
            match self.difference(entry, || found) {
                None => return on_disk(move || partial.finish()).await.map(|()| transferred),
                Some(error) => {
                    on_disk(move || partial.discard()).await?;
                    if reads >= READS_MAX {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Reads the anchor and holds its digest against the revision, for stores whose revisions are digests.
    pub(super) async fn check_anchor(self, anchor: &ObjectPath) -> Result<Self, StoreError> {
        let entry = self.head(anchor)?;
        if entry.bytes > ANCHOR_BYTES_MAX {
            return Err(StoreError::TooLarge {
                path: anchor.clone(),
                bytes: entry.bytes,
                limit: ANCHOR_BYTES_MAX,
            });
        }
        let mut hasher = blake3::Hasher::new();
        let mut at = 0;
        while at < entry.bytes {
            let len = (entry.bytes - at).min(PIECE_BYTES_MAX);
            hasher.update(&self.source.range(entry, at, len).await?);
            at += len;
        }
        let found = revision_of(&assay_types::Digest(*hasher.finalize().as_bytes()));
        if found != self.revision {
            return Err(StoreError::Differs {
                revision: self.revision,
                path: anchor.clone(),
                expected: "the revision's digest".to_owned(),
                found: found.to_string(),
            });
        }
        Ok(self)
    }

    fn difference(&self, entry: &Entry, found: impl FnOnce() -> [u8; 32]) -> Option<StoreError> {
        let expected = entry.sha256?;
        let found = Sha256Digest(found());
        (found != expected).then(|| StoreError::Differs {
            revision: self.revision,
            path: entry.path.clone(),
            expected: format!("sha256 {expected}"),
            found: format!("sha256 {found}"),
        })
    }
}

/// Runs disk work where it does not hold up other tasks.
pub(super) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(StoreError::Read(crate::HubError::Client {
            reason: "the thread for disk work ended".to_owned(),
        })),
    }
}

fn is_there(file: &Path, sha256: Option<Sha256Digest>) -> Result<bool, StoreError> {
    let Some(expected) = sha256.filter(|_| file.is_file()) else {
        return Ok(false);
    };
    let mut hasher = Sha256::new();
    read_pieces(file, |piece| hasher.update(piece))?;
    Ok(Sha256Digest(hasher.finalize().into()) == expected)
}

/// A download that is not finished: a file beside its target.
struct Partial {
    target: PathBuf,
    path: PathBuf,
    file: fs::File,
    bytes: u64,
    hasher: Sha256,
}

impl Partial {
    /// Takes up what an earlier call left, unless it is longer than the file can be.
    fn open(target: &Path, bytes_max: u64) -> Result<Self, StoreError> {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(PARTIAL_ENDING);
        let path = target.with_file_name(name);
        let failed = |source| StoreError::File {
            path: path.clone(),
            source,
        };
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(failed)?;
        let mut bytes = file.metadata().map_err(failed)?.len();
        if bytes > bytes_max {
            file.set_len(0).map_err(failed)?;
            file = fs::OpenOptions::new().append(true).open(&path).map_err(failed)?;
            bytes = 0;
        }
        let mut hasher = Sha256::new();
        read_pieces(&path, |piece| hasher.update(piece))?;
        Ok(Self {
            target: target.to_owned(),
            path,
            file,
            bytes,
            hasher,
        })
    }

    fn add(mut self, piece: &[u8]) -> Result<Self, StoreError> {
        use std::io::Write as _;
        self.file.write_all(piece).map_err(|source| self.failed(source))?;
        self.hasher.update(piece);
        self.bytes += piece.len() as u64;
        Ok(self)
    }

    fn digest(&self) -> [u8; 32] {
        self.hasher.clone().finalize().into()
    }

    fn finish(self) -> Result<(), StoreError> {
        self.file.sync_all().map_err(|source| self.failed(source))?;
        fs::rename(&self.path, &self.target).map_err(|source| self.failed(source))
    }

    fn discard(self) -> Result<(), StoreError> {
        fs::remove_file(&self.path).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: std::io::Error) -> StoreError {
        StoreError::File {
            path: self.path.clone(),
            source,
        }
    }
}

//! What is to be published: a repository, named files, and the one file whose digest names the revision.
//!
//! Made by miners and releases from a folder or from bytes; every store prepares it the same way: each source is read
//! once for its length and digests, so that a revision is known before the first byte leaves the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use assay_types::{
    Digest, LOCAL_MANIFEST_BYTES_MAX, MANIFEST_FILE, Manifest, RepoName, Revision, Sha256Digest,
};
use bytes::Bytes;
use fs_err as fs;
use sha2::{Digest as _, Sha256};

use super::error::StoreError;
use super::index::Entry;
use super::path::ObjectPath;

/// Files of one revision: a round's manifest of 4 MiB names about 15,000.
pub const FILES_MAX: usize = 100_000;

/// Directories inside directories of a folder that is published.
const FOLDER_DEPTH_MAX: usize = super::path::OBJECT_PARTS_MAX;

/// Files beside a manifest that belong to a dataset where they exist (mechanism §6.2; `README.md` is its card).
const BESIDE_MANIFEST: [&str; 2] = ["OWNER.sig", "README.md"];

/// Bytes read at once while hashing.
const PIECE_BYTES: usize = 1 << 18;

/// The bytes of a file to publish.
#[derive(Debug, Clone)]
pub enum Body {
    /// A file, streamed.
    File(PathBuf),
    /// Small bytes in memory.
    Bytes(Bytes),
}

/// A set of files that becomes one revision of a repository.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The repository.
    pub repo: RepoName,
    /// The file whose BLAKE3 names the revision: the manifest, or a recipe's text.
    pub anchor: ObjectPath,
    /// The files.
    pub files: BTreeMap<ObjectPath, Body>,
}

impl Publication {
    /// Files that are added one by one; `anchor` must be among them.
    #[must_use]
    pub fn new(repo: RepoName, anchor: ObjectPath) -> Self {
        Self {
            repo,
            anchor,
            files: BTreeMap::new(),
        }
    }

    /// Adds a file, or replaces the one of this path.
    #[must_use]
    pub fn with(mut self, path: ObjectPath, body: Body) -> Self {
        self.files.insert(path, body);
        self
    }

    /// A dataset: its manifest, the files that the manifest names, and owner's signature and card if they are there.
    /// What else lies in the folder (completion markers, feature columns) stays at home.
    ///
    /// # Errors
    /// [`StoreError`] if there is no valid manifest or it names illegal paths. Whether the files are there is seen when
    /// they are published.
    pub fn dataset(repo: RepoName, folder: &Path) -> Result<Self, StoreError> {
        let anchor = ObjectPath::parse(MANIFEST_FILE)?;
        let file = folder.join(MANIFEST_FILE);
        let bytes = fs::read(&file).map_err(|source| StoreError::File {
            path: file.clone(),
            source,
        })?;
        let manifest = Manifest::parse_within(&bytes, LOCAL_MANIFEST_BYTES_MAX).map_err(|error| {
            StoreError::Unpublishable {
                what: format!("`{}`: {}", file.display(), causes(&error)),
            }
        })?;
        let mut publication = Self::new(repo, anchor.clone()).with(anchor, Body::Bytes(bytes.into()));
        for unit in &manifest.units {
            let tables = [&unit.ledger.path, &unit.bands.path];
            for path in tables.into_iter().chain(unit.docs.iter().map(|docs| &docs.path)) {
                publication = publication.with(ObjectPath::parse(path)?, Body::File(folder.join(path)));
            }
        }
        for name in BESIDE_MANIFEST {
            if folder.join(name).is_file() {
                publication = publication.with(ObjectPath::parse(name)?, Body::File(folder.join(name)));
            }
        }
        Ok(publication)
    }

    /// Every regular file below `folder` that is not hidden; links are left out.
    ///
    /// # Errors
    /// [`StoreError`] if the folder cannot be read or a name is no [`ObjectPath`].
    pub fn folder(repo: RepoName, folder: &Path, anchor: ObjectPath) -> Result<Self, StoreError> {
        let mut publication = Self::new(repo, anchor);
        publication.walk(folder, "", 0)?;
        Ok(publication)
    }

    fn walk(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), StoreError> {
        let unreadable = |source| StoreError::File {
            path: folder.to_owned(),
            source,
        };
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let kind = entry.file_type().map_err(unreadable)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') {
                continue;
            }
            let path = format!("{prefix}{name}");
            if kind.is_dir() && depth < FOLDER_DEPTH_MAX {
                self.walk(&entry.path(), &format!("{path}/"), depth + 1)?;
            } else if kind.is_file() {
                self.files
                    .insert(ObjectPath::parse(&path)?, Body::File(entry.path()));
            }
            if self.files.len() > FILES_MAX {
                break;
            }
        }
        Ok(())
    }

    /// Reads every source once: lengths, digests, revision. Blocking; bounded memory.
    pub(super) fn prepare(&self) -> Result<Prepared, StoreError> {
        self.check()?;
        let mut entries = Vec::with_capacity(self.files.len());
        let mut anchor = None;
        for (path, body) in &self.files {
            let (entry, digest) = measure(path, body)?;
            if *path == self.anchor {
                anchor = Some(digest);
            }
            entries.push(entry);
        }
        let anchor = anchor.ok_or_else(|| self.no_anchor())?;
        Ok(Prepared {
            revision: revision_of(&anchor),
            entries,
        })
    }

    fn no_anchor(&self) -> StoreError {
        StoreError::Unpublishable {
            what: format!("`{}` is not among the files", self.anchor),
        }
    }

    /// What every store refuses: too much, no anchor, and names of which one is another's folder or that differ only in case.
    fn check(&self) -> Result<(), StoreError> {
        let refuse = |what: String| Err(StoreError::Unpublishable { what });
        if self.files.len() > FILES_MAX {
            return refuse(format!("more than {FILES_MAX} files"));
        }
        if !self.files.contains_key(&self.anchor) {
            return Err(self.no_anchor());
        }
        let mut names = BTreeSet::new();
        for path in self.files.keys() {
            if !names.insert(path.as_str().to_ascii_lowercase()) {
                return refuse(format!("`{path}` and another name differ only in case"));
            }
        }
        for path in &names {
            let folders = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
            if let Some(folder) = folders.into_iter().find(|folder| names.contains(*folder)) {
                return refuse(format!("`{folder}` is both a file and a folder"));
            }
        }
        Ok(())
    }
}

/// A publication whose digests are known.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    /// First 20 bytes of BLAKE3(anchor); stores with revisions of their own name it otherwise.
    pub(super) revision: Revision,
    /// The files by ascending path.
    pub(super) entries: Vec<Entry>,
}

/// The revision that a store without revisions of its own gives to an anchor (mechanism §6.1).
pub(super) fn revision_of(anchor: &Digest) -> Revision {
    let mut revision = Revision::default();
    for (to, from) in revision.0.iter_mut().zip(anchor.0) {
        *to = from;
    }
    revision
}

fn measure(path: &ObjectPath, body: &Body) -> Result<(Entry, Digest), StoreError> {
    let mut sha256 = Sha256::new();
    let mut blake3 = blake3::Hasher::new();
    let mut bytes = 0;
    let mut feed = |piece: &[u8]| {
        sha256.update(piece);
        blake3.update(piece);
        bytes += piece.len() as u64;
    };
    match body {
        Body::Bytes(all) => feed(all),
        Body::File(file) => read_pieces(file, feed)?,
    }
    let entry = Entry {
        path: path.clone(),
        bytes,
        sha256: Some(Sha256Digest(sha256.finalize().into())),
        etag: None,
    };
    Ok((entry, Digest(*blake3.finalize().as_bytes())))
}

/// Gives a file's bytes to `feed`, piece by piece.
pub(super) fn read_pieces(file: &Path, mut feed: impl FnMut(&[u8])) -> Result<(), StoreError> {
    use std::io::Read as _;
    let failed = |source| StoreError::File {
        path: file.to_owned(),
        source,
    };
    let mut reader = fs::File::open(file).map_err(failed)?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(n) => feed(piece.get(..n).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

/// An error and its causes in one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        line = format!("{line}: {cause}");
        next = cause.source();
    }
    line
}

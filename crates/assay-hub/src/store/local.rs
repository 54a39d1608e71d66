//! A store in a directory of this machine: for `localnet`, tests, and miners that share a file system.
//!
//! ```text
//! <root>/<namespace>/<name>/.lock                one publisher at a time
//!                          /.partial/            being written; removed by the next publish
//!                          /.sealed/<revision>/  whole, for its publisher only (mode 0700)
//!                          /<revision>/          public: .index.json and the files, read-only
//! ```
//!
//! A revision moves by one `rename`, so readers see all of it or nothing. A view remembers length, time and inode of every
//! file, so that a file replaced behind an open view is an error and not another content. Links are not followed.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use assay_types::{RepoName, Revision, Sha256Digest};
use async_trait::async_trait;
use fs_err as fs;
use sha2::{Digest as _, Sha256};

use super::error::StoreError;
use super::index::{Entry, INDEX_BYTES_MAX, INDEX_FILE, Index};
use super::path::ObjectPath;
use super::publication::{Body, Prepared, Publication};
use super::view::{Fetch, View, on_disk};
use super::{Store, Visibility};

const LOCK: &str = ".lock";
const PARTIAL: &str = ".partial";
const SEALED: &str = ".sealed";

/// Revisions of one repository that are listed.
const REVISIONS_MAX: usize = 100_000;

/// Bytes copied at once.
const COPY_BYTES: usize = 1 << 18;

/// A directory that holds repositories.
#[derive(Debug, Clone)]
pub struct LocalStore {
    root: PathBuf,
}

impl LocalStore {
    /// The store in `root`, which is made when something is published.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn repo(&self, repo: &RepoName) -> PathBuf {
        self.root.join(repo.as_str())
    }

    fn sealed(&self, repo: &RepoName, revision: &Revision) -> PathBuf {
        self.repo(repo).join(SEALED).join(revision.to_string())
    }

    fn public(&self, repo: &RepoName, revision: &Revision) -> PathBuf {
        self.repo(repo).join(revision.to_string())
    }

    fn visibility_now(&self, repo: &RepoName, revision: &Revision) -> Visibility {
        if is_folder(&self.public(repo, revision)) {
            Visibility::Public
        } else if is_folder(&self.sealed(repo, revision)) {
            Visibility::Sealed
        } else {
            Visibility::Absent
        }
    }

    fn publish_now(&self, publication: &Publication) -> Result<Revision, StoreError> {
        let Prepared { revision, entries } = publication.prepare()?;
        let folder = self.repo(&publication.repo);
        let failed = folder_error(&folder);
        fs::create_dir_all(folder.join(SEALED)).map_err(&failed)?;
        restrict(&folder.join(SEALED)).map_err(&failed)?;
        let lock = fs::File::create(folder.join(LOCK)).map_err(&failed)?;
        if lock.file().try_lock().is_err() {
            return Err(StoreError::Busy {
                repo: publication.repo.clone(),
            });
        }
        if self.visibility_now(&publication.repo, &revision) != Visibility::Absent {
            return Ok(revision);
        }
        let partial = folder.join(PARTIAL);
        if is_folder(&partial) {
            fs::remove_dir_all(&partial).map_err(&failed)?;
        }
        fs::create_dir(&partial).map_err(&failed)?;
        for entry in &entries {
            let body = publication.files.get(&entry.path);
            write_file(&partial, entry, body)?;
        }
        let index = Index::new(publication.anchor.clone(), entries).to_bytes()?;
        write_read_only(&partial.join(INDEX_FILE), &mut index.as_slice()).map_err(&failed)?;
        let sealed = self.sealed(&publication.repo, &revision);
        sync_folders(&partial)
            .and_then(|()| fs::rename(&partial, &sealed))
            .and_then(|()| sync_folder(&folder.join(SEALED)))
            .map_err(&failed)?;
        Ok(revision)
    }

    fn reveal_now(&self, repo: &RepoName, revision: &Revision) -> Result<(), StoreError> {
        match self.visibility_now(repo, revision) {
            Visibility::Public => Ok(()),
            Visibility::Absent => Err(not_published(repo, revision)),
            Visibility::Sealed => {
                let folder = self.repo(repo);
                fs::rename(self.sealed(repo, revision), self.public(repo, revision))
                    .and_then(|()| sync_folder(&folder))
                    .map_err(folder_error(&folder))
            }
        }
    }

    fn revisions_now(&self, repo: &RepoName) -> Result<Vec<Revision>, StoreError> {
        let folder = self.repo(repo);
        if !is_folder(&folder) {
            return Ok(Vec::new());
        }
        let failed = folder_error(&folder);
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder).map_err(&failed)?.take(REVISIONS_MAX) {
            let entry = entry.map_err(&failed)?;
            if let Ok(revision) = entry.file_name().to_string_lossy().parse()
                && is_folder(&entry.path())
            {
                found.push(revision);
            }
        }
        Ok(found)
    }

    /// Tells a store in which somebody lacks something from a folder that is not mounted, or not the right one: the latter holds
    /// nothing of anybody, and says nothing about a publisher.
    fn check_reach(&self) -> Result<(), StoreError> {
        let holds_something = std::fs::read_dir(&self.root).is_ok_and(|mut entries| entries.next().is_some());
        if holds_something {
            return Ok(());
        }
        Err(StoreError::OutOfReach {
            path: self.root.clone(),
        })
    }

    /// Reads the index and remembers what every file is like now.
    fn open_now(
        &self,
        repo: &RepoName,
        revision: &Revision,
    ) -> Result<(Index, BTreeMap<ObjectPath, Seen>), StoreError> {
        let folder = self.public(repo, revision);
        if !is_folder(&folder) {
            self.check_reach()?;
            return Err(not_published(repo, revision));
        }
        let index = read_index(&folder, revision)?;
        let mut seen = BTreeMap::new();
        for entry in &index.files {
            let now =
                Seen::of(&folder, &entry.path).map_err(|error| gone(&self.root, (revision, entry), error))?;
            if now.bytes != entry.bytes {
                return Err(StoreError::Differs {
                    revision: *revision,
                    path: entry.path.clone(),
                    expected: format!("{} bytes", entry.bytes),
                    found: format!("{} bytes", now.bytes),
                });
            }
            seen.insert(entry.path.clone(), now);
        }
        Ok((index, seen))
    }
}

#[async_trait]
impl Store for LocalStore {
    fn address(&self) -> String {
        self.root.display().to_string()
    }

    async fn publish(&self, publication: &Publication) -> Result<Revision, StoreError> {
        let (store, publication) = (self.clone(), publication.clone());
        on_disk(move || store.publish_now(&publication)).await
    }

    async fn reveal(&self, repo: &RepoName, revision: &Revision) -> Result<(), StoreError> {
        let (store, repo, revision) = (self.clone(), repo.clone(), *revision);
        on_disk(move || store.reveal_now(&repo, &revision)).await
    }

    async fn visibility(&self, repo: &RepoName, revision: &Revision) -> Result<Visibility, StoreError> {
        let (store, repo, revision) = (self.clone(), repo.clone(), *revision);
        on_disk(move || Ok(store.visibility_now(&repo, &revision))).await
    }

    async fn revisions(&self, repo: &RepoName) -> Result<Vec<Revision>, StoreError> {
        let (store, repo) = (self.clone(), repo.clone());
        on_disk(move || store.revisions_now(&repo)).await
    }

    async fn open(&self, repo: &RepoName, revision: &Revision) -> Result<View, StoreError> {
        let (store, name, wanted) = (self.clone(), repo.clone(), *revision);
        let (index, seen) = on_disk(move || store.open_now(&name, &wanted)).await?;
        let source = Folder(Arc::new(FolderFiles {
            root: self.root.clone(),
            path: self.public(repo, revision),
            revision: *revision,
            seen,
        }));
        View::new(repo, revision, index.files, Box::new(source))
            .check_anchor(&index.anchor)
            .await
    }
}

/// What tells a file from another of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    bytes: u64,
    modified: Option<std::time::SystemTime>,
    inode: u64,
}

impl Seen {
    /// Looks at a regular file below `folder`, following no link on the way.
    fn of(folder: &Path, path: &ObjectPath) -> io::Result<Self> {
        let mut at = folder.to_owned();
        for part in path.parts() {
            at.push(part);
            if fs::symlink_metadata(&at)?.is_symlink() {
                return Err(io::Error::other("it is a link"));
            }
        }
        let metadata = fs::symlink_metadata(&at)?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        Ok(Self::from(&metadata))
    }
}

impl From<&std::fs::Metadata> for Seen {
    fn from(metadata: &std::fs::Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Self {
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
            inode,
        }
    }
}

/// The files of an open revision.
#[derive(Debug)]
struct FolderFiles {
    root: PathBuf,
    path: PathBuf,
    revision: Revision,
    seen: BTreeMap<ObjectPath, Seen>,
}

impl FolderFiles {
    fn read(&self, entry: &Entry, offset: u64, len: u64) -> Result<Vec<u8>, StoreError> {
        let gone = |error: io::Error| gone(&self.root, (&self.revision, entry), error);
        // Looked at by name first: opening a pipe that took the file's place would wait for ever.
        let now = Seen::of(&self.path, &entry.path).map_err(gone)?;
        let mut file = fs::File::open(self.path.join(entry.path.as_str())).map_err(gone)?;
        let opened = Seen::from(&file.metadata().map_err(gone)?);
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(offset))
            .and_then(|_| (&mut file).take(len).read_to_end(&mut bytes))
            .map_err(gone)?;
        let after = Seen::from(&file.metadata().map_err(gone)?);
        let first = self.seen.get(&entry.path);
        if [&now, &opened, &after].iter().any(|seen| Some(*seen) != first) || bytes.len() as u64 != len {
            return Err(StoreError::Differs {
                revision: self.revision,
                path: entry.path.clone(),
                expected: "the file as it was when the revision was opened".to_owned(),
                found: "a file that was replaced or written to".to_owned(),
            });
        }
        Ok(bytes)
    }
}

#[derive(Debug)]
struct Folder(Arc<FolderFiles>);

#[async_trait]
impl Fetch for Folder {
    async fn range(&self, entry: &Entry, offset: u64, len: u64) -> Result<Vec<u8>, StoreError> {
        let (files, entry) = (Arc::clone(&self.0), entry.clone());
        on_disk(move || files.read(&entry, offset, len)).await
    }
}

fn read_index(folder: &Path, revision: &Revision) -> Result<Index, StoreError> {
    let bad = |error: io::Error| StoreError::BadIndex {
        revision: *revision,
        what: error.to_string(),
    };
    let path = folder.join(INDEX_FILE);
    if !fs::symlink_metadata(&path).map_err(bad)?.is_file() {
        return Err(bad(io::Error::other("it is no regular file")));
    }
    let mut bytes = Vec::new();
    fs::File::open(&path)
        .and_then(|file| file.take(INDEX_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(bad)?;
    if bytes.len() as u64 > INDEX_BYTES_MAX {
        return Err(bad(io::Error::other(format!(
            "more than {INDEX_BYTES_MAX} bytes"
        ))));
    }
    Index::parse(&bytes, revision)
}

fn write_file(folder: &Path, entry: &Entry, body: Option<&Body>) -> Result<(), StoreError> {
    let target = folder.join(entry.path.as_str());
    let failed = folder_error(&target);
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(&failed)?;
    }
    let written = match body {
        Some(Body::File(path)) => {
            let mut source = fs::File::open(path).map_err(|source| StoreError::File {
                path: path.clone(),
                source,
            })?;
            write_read_only(&target, &mut source)
        }
        Some(Body::Bytes(bytes)) => write_read_only(&target, &mut bytes.as_ref()),
        None => return Ok(()),
    };
    if Some(written.map_err(failed)?) != entry.sha256 {
        return Err(StoreError::Unpublishable {
            what: format!("`{}` changed while it was published", entry.path),
        });
    }
    Ok(())
}

/// Writes a file that nobody is to change, and gives the digest of what was written.
fn write_read_only(target: &Path, source: &mut dyn io::Read) -> io::Result<Sha256Digest> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(target)?;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; COPY_BYTES];
    loop {
        match source.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => {
                let piece = piece.get(..n).unwrap_or_default();
                file.write_all(piece)?;
                hasher.update(piece);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut permissions = file.metadata()?.permissions();
    permissions.set_readonly(true);
    file.set_permissions(permissions)?;
    file.sync_all()?;
    Ok(Sha256Digest(hasher.finalize().into()))
}

/// Leaves a folder to its owner alone.
fn restrict(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Puts the names below a folder on disk, innermost first.
fn sync_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    sync_folder(folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

fn folder_error(path: &Path) -> impl Fn(io::Error) -> StoreError + use<'_> {
    move |source| StoreError::Folder {
        path: path.to_owned(),
        source,
    }
}

/// A file that cannot be read: its publisher's doing, unless the system itself fails or the whole store is away.
fn gone(root: &Path, (revision, entry): (&Revision, &Entry), error: io::Error) -> StoreError {
    use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    let is_publishers =
        matches!(error.kind(), NotFound | NotADirectory | PermissionDenied) || error.raw_os_error().is_none();
    if !is_publishers {
        return StoreError::Folder {
            path: root.join(entry.path.as_str()),
            source: error,
        };
    }
    if let Err(away) = LocalStore::new(root).check_reach() {
        return away;
    }
    StoreError::Gone {
        revision: *revision,
        path: entry.path.clone(),
        what: error.kind().to_string(),
    }
}

fn not_published(repo: &RepoName, revision: &Revision) -> StoreError {
    StoreError::NotPublished {
        repo: repo.clone(),
        revision: *revision,
    }
}

//! Files with secrets on disk: read with a bound, written whole or not at all, mode 0600 in folders of mode 0700.

use std::fs::{OpenOptions, Permissions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{KEY_FILE_BYTES_MAX, WalletError};

/// Mode of key files.
const FILE_MODE: u32 = 0o600;
/// Mode of wallet folders.
const FOLDER_MODE: u32 = 0o700;
/// Mode bits that let others than the owner in.
const OTHERS: u32 = 0o077;

/// Whether a key that is there may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// Never.
    No,
    /// Yes: the old key is lost.
    Yes,
}

/// The bytes of a key file.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, WalletError> {
    let file = std::fs::File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => WalletError::Missing(path.to_owned()),
        _ => WalletError::from(error).of_file(path),
    })?;
    // One allocation: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_FILE_BYTES_MAX + 2));
    file.take(KEY_FILE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| WalletError::from(error).of_file(path))?;
    if bytes.len() > KEY_FILE_BYTES_MAX {
        return Err(WalletError::TooLong.of_file(path));
    }
    Ok(bytes)
}

/// Whether others than the owner can read the file.
pub(super) fn is_open_to_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & OTHERS != 0)
}

/// Writes `bytes` to `path`: a temporary file beside it, synced, then moved into place.
///
/// # Errors
/// [`WalletError::Exists`] if the file is there and may not be replaced; it is untouched then.
pub(super) fn write(path: &Path, bytes: &[u8], overwrite: Overwrite) -> Result<(), WalletError> {
    stage(path, bytes, overwrite)?.place(overwrite)
}

/// Bytes that are on disk beside the file they are for; gone when dropped.
pub(super) struct Staged {
    path: PathBuf,
    temporary: Temporary,
}

/// Does everything of [`write`] that can fail for want of room, but the move.
///
/// # Errors
/// As [`write`].
pub(super) fn stage(path: &Path, bytes: &[u8], overwrite: Overwrite) -> Result<Staged, WalletError> {
    let failed = |error: std::io::Error| WalletError::from(error).of_file(path);
    let folder = folder_of(path).ok_or_else(|| WalletError::Missing(path.to_owned()))?;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(folder)
        .map_err(failed)?;
    if overwrite == Overwrite::No && path.symlink_metadata().is_ok() {
        return Err(WalletError::Exists(path.to_owned()));
    }
    let temporary = Temporary::create(path)?;
    temporary.fill(bytes).map_err(failed)?;
    Ok(Staged {
        path: path.to_owned(),
        temporary,
    })
}

impl Staged {
    /// Moves the file into place.
    ///
    /// # Errors
    /// As [`write`].
    pub(super) fn place(self, overwrite: Overwrite) -> Result<(), WalletError> {
        let Self { path, temporary } = self;
        let failed = |error: std::io::Error| WalletError::from(error).of_file(&path);
        let folder = folder_of(&path).ok_or_else(|| WalletError::Missing(path.clone()))?;
        match overwrite {
            Overwrite::Yes => std::fs::rename(&temporary.0, &path).map_err(failed)?,
            // A link, unlike a move, fails if somebody has made the file meanwhile.
            Overwrite::No => std::fs::hard_link(&temporary.0, &path).map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => WalletError::Exists(path.clone()),
                _ => failed(error),
            })?,
        }
        drop(temporary);
        std::fs::File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed)
    }
}

/// The folder of a file; that of a bare name is the current one.
fn folder_of(path: &Path) -> Option<&Path> {
    let folder = path.parent()?;
    Some(if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    })
}

/// Removes a file that may be there.
pub(super) fn remove(path: &Path) -> Result<(), WalletError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(WalletError::from(error).of_file(path)),
        _ => Ok(()),
    }
}

/// A file that is gone when dropped, whatever happened.
struct Temporary(PathBuf);

impl Temporary {
    fn create(target: &Path) -> Result<Self, WalletError> {
        let mut random = [0_u8; 8];
        getrandom::fill(&mut random).map_err(|error| WalletError::Entropy(error.to_string()))?;
        let mut name = target.as_os_str().to_owned();
        name.push(format!(".{}.tmp", assay_types::hex::encode(&random)));
        let path = PathBuf::from(name);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(FILE_MODE)
            .open(&path)
            .map_err(|error| WalletError::from(error).of_file(target))?;
        Ok(Self(path))
    }

    fn fill(&self, bytes: &[u8]) -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(&self.0)?;
        // The mode at creation is cut by the umask only, never widened; said again for odd file systems.
        file.set_permissions(Permissions::from_mode(FILE_MODE))?;
        file.write_all(bytes)?;
        file.sync_all()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a move there is nothing to remove, and nobody to tell of anything else.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_are_whole_private_and_not_replaced_by_accident() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("wallets/a/hotkeys/b");
        write(&path, b"one", Overwrite::No).unwrap();
        assert_eq!(read(&path).unwrap().as_slice(), b"one");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert!(!is_open_to_others(&path));

        let error = write(&path, b"two", Overwrite::No).unwrap_err();
        assert!(matches!(error, WalletError::Exists(_)), "{error}");
        assert_eq!(read(&path).unwrap().as_slice(), b"one");
        write(&path, b"two", Overwrite::Yes).unwrap();
        assert_eq!(read(&path).unwrap().as_slice(), b"two");
        let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 1, "temporary files are left: {left:?}");
    }

    #[test]
    fn a_dangling_link_is_not_written_through() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("key");
        std::os::unix::fs::symlink(root.path().join("elsewhere"), &path).unwrap();
        assert!(matches!(
            write(&path, b"x", Overwrite::No),
            Err(WalletError::Exists(_))
        ));
        write(&path, b"x", Overwrite::Yes).unwrap();
        assert!(!root.path().join("elsewhere").exists());
        assert_eq!(read(&path).unwrap().as_slice(), b"x");
    }

    #[test]
    fn a_bare_name_lies_in_the_current_folder() {
        assert_eq!(folder_of(Path::new("phrase.txt")), Some(Path::new(".")));
        assert_eq!(folder_of(Path::new("a/phrase.txt")), Some(Path::new("a")));
        assert_eq!(folder_of(Path::new("/")), None);
    }

    #[test]
    fn large_and_missing_files_are_named() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("key");
        assert!(matches!(read(&path), Err(WalletError::Missing(_))));
        std::fs::write(&path, vec![b'x'; KEY_FILE_BYTES_MAX + 1]).unwrap();
        let error = read(&path).unwrap_err();
        assert!(error.to_string().contains("key"), "{error}");
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(is_open_to_others(&path));
    }
}

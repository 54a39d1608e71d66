//! Files of an input folder, in an order that does not depend on the file system.
//!
//! Hidden files are passed over; links to folders are not followed.

use std::path::{Path, PathBuf};

use fs_err as fs;

use super::EvaluateError;
use crate::local::LocalError;

/// Most files of an input.
const FILES_MAX: usize = 1_000_000;

/// Deepest nesting of folders.
const DEPTH_MAX: usize = 64;

/// The file itself, or all files below a folder, sorted by path.
pub(super) fn files_below(path: &Path) -> Result<Vec<PathBuf>, LocalError> {
    if !fs::metadata(path).map_err(LocalError::io(path))?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![(path.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(LocalError::io(&folder))? {
            let entry = entry.map_err(LocalError::io(&folder))?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            let kind = entry.file_type().map_err(LocalError::io(entry.path()))?;
            if kind.is_dir() && depth < DEPTH_MAX {
                folders.push((entry.path(), depth + 1));
            } else if kind.is_file() || (kind.is_symlink() && entry.path().is_file()) {
                found.push(entry.path());
            }
            if found.len() + folders.len() > FILES_MAX {
                return Err(EvaluateError::ManyFiles {
                    path: path.to_owned(),
                    files_max: FILES_MAX,
                }
                .into());
            }
        }
    }
    found.sort();
    Ok(found)
}

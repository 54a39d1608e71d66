//! Files of an input folder, in an order that does not depend on the file system nor on how its path is spelled.
//!
//! Only files of texts, told by their endings: a README, a script or a hidden file is none. Links to folders are not followed.

use std::path::{Path, PathBuf};

use fs_err as fs;

use super::{EvaluateError, Input};
use crate::local::LocalError;

/// Most files of an input.
const FILES_MAX: usize = 1_000_000;

/// Deepest nesting of folders.
const DEPTH_MAX: usize = 64;

/// Endings of files that hold texts, before `.gz` and `.zst`.
pub(super) const ENDINGS: [&str; 5] = [".parquet", ".jsonl", ".ndjson", ".json", ".txt"];

/// Endings of compressed files.
const PACKED: [&str; 2] = [".gz", ".zst"];

/// Files that describe a dataset and are no text of it.
const DESCRIPTIONS: [&str; 3] = ["dataset_info.json", "dataset_infos.json", "requirements.txt"];

/// A file of an input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct InputFile {
    /// Its path below the input, `/` between parts; empty if it is the input itself.
    pub(super) place: String,
    /// Where it lies.
    pub(super) path: PathBuf,
}

/// Whether the file at a path below a folder holds texts: by its ending, unless a part is hidden.
pub(crate) fn is_text(place: &str) -> bool {
    let place = place.to_ascii_lowercase();
    let name = place.rsplit('/').next().unwrap_or(&place);
    let bare = bare(name);
    let is_hidden = place.split('/').any(|part| part.starts_with('.'));
    !is_hidden && !DESCRIPTIONS.contains(&bare) && ENDINGS.iter().any(|ending| bare.ends_with(ending))
}

/// A lower-cased name without the ending of a compressed file.
pub(super) fn bare(name: &str) -> &str {
    let packed = PACKED.iter().find_map(|ending| name.strip_suffix(ending));
    packed.unwrap_or(name)
}

/// The file itself, the chosen files of a folder, or all files of texts below it, sorted by their paths below it.
pub(super) fn files_of(input: &Input) -> Result<Vec<InputFile>, LocalError> {
    let path = &input.path;
    if !fs::metadata(path).map_err(LocalError::io(path))?.is_dir() {
        return Ok(vec![InputFile {
            place: String::new(),
            path: path.clone(),
        }]);
    }
    let found = match &input.files {
        Some(files) => files.iter().map(|file| path.join(file)).collect(),
        None => files_below(path)?,
    };
    let of = |file: PathBuf| {
        let below = file.strip_prefix(path).unwrap_or(&file);
        let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
        InputFile {
            place: parts.join("/"),
            path: file.clone(),
        }
    };
    let mut found: Vec<InputFile> = found.into_iter().map(of).collect();
    found.retain(|file| is_text(&file.place));
    found.sort();
    Ok(found)
}

/// All files below a folder but hidden ones.
fn files_below(path: &Path) -> Result<Vec<PathBuf>, LocalError> {
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
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_by_their_endings() {
        for path in [
            "data/train-0.parquet",
            "a.jsonl.gz",
            "B.JSON.zst",
            "notes/x.txt",
            "x.ndjson",
        ] {
            assert!(is_text(path), "{path}");
        }
        for path in [
            "README.md",
            ".gitattributes",
            ".cache/a.jsonl",
            "dataset_infos.json",
            "load.py",
            "model.pkl",
            "a.parquet.tmp",
            "images.tar.gz",
        ] {
            assert!(!is_text(path), "{path}");
        }
    }

    #[test]
    fn a_folder_gives_its_texts_by_place_or_those_that_were_chosen() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "b.jsonl",
            "a/z.txt",
            "README.md",
            "load.py",
            ".hidden.txt",
            "old.jsonl",
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let places = |input: &Input| -> Vec<String> {
            let files = files_of(input).unwrap();
            assert!(files.iter().all(|file| file.path.exists()));
            files.into_iter().map(|file| file.place).collect()
        };
        let all = Input::from(folder.path().to_owned());
        assert_eq!(places(&all), ["a/z.txt", "b.jsonl", "old.jsonl"]);
        let roundabout = Input::from(folder.path().join("a/.."));
        assert_eq!(places(&roundabout), places(&all));
        let chosen = Input {
            files: Some(vec![PathBuf::from("b.jsonl"), PathBuf::from("a/z.txt")]),
            ..all
        };
        assert_eq!(
            places(&chosen),
            ["a/z.txt", "b.jsonl"],
            "what lies beside is no part of it"
        );
        let file = Input::from(folder.path().join("load.py"));
        assert_eq!(
            places(&file),
            [""],
            "a file that is named is read whatever its ending"
        );
    }
}

//! Arguments of a command to the archives they mean.
//!
//! Takes files, directories, patterns, lists, URLs and `-`; gives [`Source`]s in the order of the arguments, those of
//! one directory or pattern sorted by path. Reads directories and lists only: no archive is opened, no request made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::{HubError, Source, list};

/// Endings of archives that are looked for in directories and patterns, in any case: WARC and WET, plain, gzip, zstd.
pub const ARCHIVE_ENDINGS: &[&str] = &[
    ".warc",
    ".warc.gz",
    ".warc.zst",
    ".warc.zstd",
    ".wet",
    ".wet.gz",
    ".wet.zst",
    ".wet.zstd",
];

/// Inputs of one call, and entries visited in directories and patterns of one argument.
pub const INPUTS_MAX: usize = 1_000_000;

/// Directories inside directories that are followed.
const DIRECTORY_DEPTH_MAX: usize = 64;

/// The archives that `args` mean.
///
/// An argument is, tried in this order: `-` (standard input), `@LIST` (a file of inputs, one a line), an address with
/// a scheme, an existing file (whatever its ending), an existing directory (all archives below it; hidden entries and
/// links to directories are left out), a pattern.
///
/// # Errors
/// [`HubError`] for an argument that leads nowhere, for no argument, and for two inputs of one name
/// (the name identifies the unit: `mechanism.md` §6.3).
pub fn resolve(args: &[String]) -> Result<Vec<Source>, HubError> {
    let mut sources = Vec::new();
    for arg in args {
        match arg.strip_prefix('@') {
            Some(path) if !Path::new(arg).exists() => {
                for line in list::read(path)? {
                    resolve_one(&line, &mut sources)?;
                }
            }
            _ => resolve_one(arg, &mut sources)?,
        }
        if sources.len() > INPUTS_MAX {
            return Err(HubError::TooManyInputs {
                path: arg.clone(),
                limit: INPUTS_MAX,
            });
        }
    }
    if sources.is_empty() {
        return Err(HubError::NoInput);
    }
    reject_duplicates(&sources)?;
    Ok(sources)
}

fn resolve_one(arg: &str, sources: &mut Vec<Source>) -> Result<(), HubError> {
    if arg == "-" {
        sources.push(Source::stdin());
        return Ok(());
    }
    if let Some((scheme, rest)) = arg.split_once("://") {
        return match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" | "s3" => {
                sources.push(Source::url(arg)?);
                Ok(())
            }
            "file" => resolve_path(rest.strip_prefix("localhost").unwrap_or(rest), sources),
            other
                if other
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) =>
            {
                Err(HubError::UnsupportedScheme {
                    scheme: scheme.to_owned(),
                })
            }
            _ => resolve_path(arg, sources),
        };
    }
    resolve_path(arg, sources)
}

fn resolve_path(arg: &str, sources: &mut Vec<Source>) -> Result<(), HubError> {
    let path = Path::new(arg);
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let before = sources.len();
            let mut walk = Walk {
                argument: arg,
                entries: 0,
                sources,
            };
            walk.directory(path, 0)?;
            if sources.len() == before {
                return Err(HubError::NoArchive { path: arg.to_owned() });
            }
            Ok(())
        }
        Ok(metadata) => {
            sources.push(Source::file(
                path.to_owned(),
                metadata.is_file().then_some(metadata.len()),
            )?);
            Ok(())
        }
        Err(_) if arg.contains(['*', '?', '[']) => resolve_glob(arg, sources),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(HubError::NoSuchFile { path: arg.to_owned() })
        }
        Err(source) => Err(HubError::Unreadable {
            path: arg.to_owned(),
            source,
        }),
    }
}

fn resolve_glob(pattern: &str, sources: &mut Vec<Source>) -> Result<(), HubError> {
    // As in a shell: `*` does not reach into directories nor find hidden files.
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let paths = glob::glob_with(pattern, options).map_err(|error| HubError::BadGlob {
        pattern: pattern.to_owned(),
        reason: error.msg,
        at: error.pos,
    })?;
    let mut found = Vec::new();
    for path in paths {
        let path = path.map_err(|error| HubError::Unreadable {
            path: error.path().to_string_lossy().into_owned(),
            source: error.into(),
        })?;
        found.push(path);
        if found.len() > INPUTS_MAX {
            return Err(HubError::TooManyInputs {
                path: pattern.to_owned(),
                limit: INPUTS_MAX,
            });
        }
    }
    found.sort();
    let before = sources.len();
    let mut others = 0;
    let mut walk = Walk {
        argument: pattern,
        entries: 0,
        sources,
    };
    for path in found {
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => walk.directory(&path, 0)?,
            Ok(metadata) if is_archive(&path) => walk.sources.push(Source::file(path, Some(metadata.len()))?),
            _ => others += 1,
        }
    }
    if sources.len() == before {
        return Err(HubError::EmptyGlob {
            pattern: pattern.to_owned(),
            others,
        });
    }
    Ok(())
}

/// One argument's way through directories.
struct Walk<'a> {
    argument: &'a str,
    entries: usize,
    sources: &'a mut Vec<Source>,
}

impl Walk<'_> {
    /// Adds the archives below `directory`, files and directories together in the order of their names.
    fn directory(&mut self, directory: &Path, depth: usize) -> Result<(), HubError> {
        let unreadable = |source| HubError::Unreadable {
            path: directory.to_string_lossy().into_owned(),
            source,
        };
        let mut entries: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(directory).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            self.entries += 1;
            if self.entries > INPUTS_MAX || depth > DIRECTORY_DEPTH_MAX {
                return Err(HubError::TooManyInputs {
                    path: self.argument.to_owned(),
                    limit: INPUTS_MAX,
                });
            }
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                entries.push(entry.path());
            }
        }
        entries.sort();
        for path in entries {
            let Ok(link) = std::fs::symlink_metadata(&path) else {
                continue;
            };
            if link.is_dir() {
                self.directory(&path, depth + 1)?;
            } else if is_archive(&path)
                && let Ok(metadata) = std::fs::metadata(&path)
                && metadata.is_file()
            {
                self.sources.push(Source::file(path, Some(metadata.len()))?);
            }
        }
        Ok(())
    }
}

/// Whether the file's ending is an archive's.
fn is_archive(path: &Path) -> bool {
    let Some(name) = path.file_name() else {
        return false;
    };
    let name = name.to_string_lossy().to_ascii_lowercase();
    ARCHIVE_ENDINGS
        .iter()
        .any(|ending| name.len() > ending.len() && name.ends_with(ending))
}

fn reject_duplicates(sources: &[Source]) -> Result<(), HubError> {
    let mut seen: BTreeMap<&str, &Source> = BTreeMap::new();
    for source in sources {
        if let Some(first) = seen.insert(&source.name, source) {
            return Err(HubError::DuplicateName {
                name: source.name.clone(),
                first: first.shown(),
                second: source.shown(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for path in [
            "b.warc.gz",
            "a/z.warc",
            "a/y.WET.GZ",
            "a/.hidden.warc",
            "note.txt",
            "empty/x.txt",
            ".warc",
        ] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"x").unwrap();
        }
        dir
    }

    fn names(dir: &Path, args: &[&str]) -> Result<Vec<String>, String> {
        let args: Vec<String> = args
            .iter()
            .map(|arg| match arg.strip_prefix("./") {
                Some(rest) => format!("{}/{rest}", dir.display()),
                None => (*arg).to_owned(),
            })
            .collect();
        let sources =
            resolve(&args).map_err(|error| error.to_string().replace(&dir.display().to_string(), "."))?;
        Ok(sources.into_iter().map(|source| source.name).collect())
    }

    #[test]
    fn directories_are_walked_in_order_and_files_are_taken_as_named() {
        let dir = tree();
        let all = vec![
            "file:y.WET.GZ".to_owned(),
            "file:z.warc".to_owned(),
            "file:b.warc.gz".to_owned(),
        ];
        assert_eq!(names(dir.path(), &["./"]).unwrap(), all);
        assert_eq!(
            names(dir.path(), &["./note.txt", "-"]).unwrap(),
            ["file:note.txt", "file:-"]
        );
        assert_eq!(
            names(dir.path(), &["./*.gz", "./a/*"]).unwrap(),
            ["file:b.warc.gz", "file:y.WET.GZ", "file:z.warc"]
        );
        assert_eq!(names(dir.path(), &["./**/*.warc"]).unwrap(), ["file:z.warc"]);
        let file = format!("file://{}/b.warc.gz", dir.path().display());
        assert_eq!(names(dir.path(), &[&file]).unwrap(), ["file:b.warc.gz"]);
    }

    #[test]
    fn urls_are_taken_without_a_request() {
        let urls = [
            "https://h.invalid/x.warc.gz",
            "s3://commoncrawl/crawl-data/x.warc.gz",
            "HTTP://h.invalid/y",
        ];
        let got = names(Path::new("."), &urls).unwrap();
        assert_eq!(
            got,
            [
                "https://h.invalid/x.warc.gz",
                "s3://commoncrawl/crawl-data/x.warc.gz",
                "http://h.invalid/y"
            ]
        );
    }

    #[test]
    fn what_leads_nowhere_is_an_error_that_names_it() {
        let dir = tree();
        for (args, message) in [
            (vec!["./nothing"], "no such file or directory: `./nothing`"),
            (vec!["./empty"], "no archive in directory `./empty`"),
            (
                vec!["./*.txt"],
                "pattern `./*.txt` fits no archive (1 other files)",
            ),
            (vec!["./a***b"], "pattern `./a***b` is not valid"),
            (vec!["gs://b/x"], "cannot read `gs://` addresses"),
            (
                vec!["./b.warc.gz", "./*.gz"],
                "two inputs are named `file:b.warc.gz`: `./b.warc.gz` and `./b.warc.gz`",
            ),
            (vec!["-", "-"], "two inputs are named `file:-`: `-` and `-`"),
            (vec![], "no input was given"),
        ] {
            let error = names(dir.path(), &args).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
    }
}

//! What can go wrong in a local run, and how to cure it.
//!
//! Every error names the thing that failed; [`LocalError::help`] says what to do, [`LocalError::kind`] which exit
//! code fits.

use std::io;
use std::path::{Path, PathBuf};

use assay_hub::HubError;
use assay_refine::engine::EngineError;
use assay_refine::output::TableError;
use assay_refine::unit::UnitError;
use assay_refine::warc::{WarcError, WriteError};
use assay_types::{ManifestError, RecipeId};

use super::evaluate::EvaluateError;

/// Why a local run stopped.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// An input could not be opened or read.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// An input is no archive.
    #[error("`{input}`: {source}")]
    Archive {
        /// The input's name.
        input: String,
        /// What is wrong with it.
        #[source]
        source: WarcError,
    },
    /// An input broke while it was read.
    #[error("read `{input}`: {source}")]
    Input {
        /// The input's name.
        input: String,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A place of an archive was not the same bytes each time it was read.
    #[error("`{input}` is not the same each time it is read, at byte {offset}")]
    Unsteady {
        /// The input's name.
        input: String,
        /// Where.
        offset: u64,
    },
    /// The recipe cannot be run by this engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A file or folder of the output could not be made, written or read.
    #[error("`{path}`: {source}")]
    Io {
        /// The path.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A given file or folder could not be read.
    #[error("`{path}`: {source}")]
    Read {
        /// The path.
        path: PathBuf,
        /// The system's error, or what is wrong with the content.
        #[source]
        source: io::Error,
    },
    /// A unit could not be written.
    #[error("unit in `{path}`: {source}")]
    Unit {
        /// The unit's folder.
        path: PathBuf,
        /// What failed.
        #[source]
        source: UnitError,
    },
    /// A table of a dataset could not be read.
    #[error("`{path}`: {source}")]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: TableError,
    },
    /// A Parquet file of somebody else's could not be read.
    #[error("`{path}`: {source}")]
    Texts {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: TableError,
    },
    /// The inputs of an evaluation cannot be measured.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// The manifest of a dataset is broken.
    #[error("`{path}`: {source}")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: ManifestError,
    },
    /// A dataset holds nothing.
    #[error("the dataset in `{path}` has no units")]
    NoUnits {
        /// The folder.
        path: PathBuf,
    },
    /// A folder is no dataset.
    #[error("no dataset in `{path}`: `manifest.json` is missing")]
    NoDataset {
        /// The folder.
        path: PathBuf,
    },
    /// The output folder holds a dataset of another recipe.
    #[error("`{path}` holds a dataset made with recipe {found}, not {wanted}")]
    OtherRecipe {
        /// The output folder.
        path: PathBuf,
        /// Recipe of what is there.
        found: RecipeId,
        /// Recipe of this run.
        wanted: RecipeId,
    },
    /// A finished unit was written with other settings.
    #[error("unit `{path}` was written with another {setting}")]
    OtherSettings {
        /// The unit's folder.
        path: PathBuf,
        /// What differs: `--limit`, `--format`, `--features`, the input's length or content.
        setting: &'static str,
    },
    /// A finished unit or manifest is damaged.
    #[error("existing output `{path}` is damaged: {what}")]
    Damaged {
        /// File or folder.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The archive of a unit was not given.
    #[error("archive `{path}` of the dataset was not given")]
    NoArchive {
        /// Its path in the manifest.
        path: String,
    },
    /// An archive could not be packed.
    #[error("pack `{path}`: {source}")]
    Pack {
        /// The archive.
        path: PathBuf,
        /// What failed.
        #[source]
        source: WriteError,
    },
    /// Two pages to pack would have one address.
    #[error("`{first}` and `{second}` would both be packed as `{name}`")]
    SameAddress {
        /// The part of the address that they share.
        name: String,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A folder holds more HTML files than are packed at once.
    #[error("more than {files_max} HTML files in `{path}`")]
    TooManyPages {
        /// The folder.
        path: PathBuf,
        /// Most files packed at once.
        files_max: usize,
    },
    /// A folder holds no HTML file.
    #[error("no HTML file in `{path}`")]
    NoPages {
        /// The folder.
        path: PathBuf,
    },
    /// No HTML documentation was found for `--sample`.
    #[error("no HTML documentation found on this machine")]
    NoSample,
    /// A crawl whose archives cannot be named.
    #[error("crawl `{crawl}`: {reason}")]
    Crawl {
        /// Its name.
        crawl: String,
        /// Why.
        reason: String,
    },
    /// `--explain` names nothing in the archives.
    #[error("no record `{needle}` in the archives")]
    NoRecord {
        /// What was asked for.
        needle: String,
    },
    /// Another process writes to the same folder.
    #[error("another process is writing to `{path}`")]
    Locked {
        /// The output folder.
        path: PathBuf,
    },
    /// Some inputs failed; everything else is written.
    #[error("{} of {total} inputs failed, first {first}", failed)]
    Inputs {
        /// How many failed.
        failed: usize,
        /// How many there were.
        total: usize,
        /// The first failure.
        first: Box<LocalError>,
    },
}

/// Which exit code an error deserves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Something failed for good.
    Failure,
    /// The command was called wrongly: other input or settings are needed.
    Usage,
    /// Trying again may help.
    Transient,
}

impl LocalError {
    /// An I/O error on `path`.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io { path, source }
    }

    /// A given file or folder that could not be read.
    pub fn read(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Read { path, source }
    }

    /// Stable code of the error, `area/what`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Hub(_) | Self::Input { .. } | Self::Texts { .. } | Self::Unsteady { .. } => {
                "input/unreadable"
            }
            Self::Archive { .. } => "input/not-an-archive",
            Self::NoPages { .. } | Self::NoSample | Self::Crawl { .. } => "input/nothing-found",
            Self::SameAddress { .. } | Self::TooManyPages { .. } => "usage/invalid",
            Self::NoArchive { .. } => "input/archive-missing",
            Self::NoRecord { .. } => "input/no-such-record",
            Self::Evaluate(error) => error.code(),
            Self::Engine(_) => "recipe/not-runnable",
            Self::Io { .. } | Self::Read { .. } => "file/unusable",
            Self::NoDataset { .. } | Self::NoUnits { .. } => "dataset/missing",
            Self::Unit { .. } | Self::Pack { .. } => "output/not-written",
            Self::Table { .. } | Self::Manifest { .. } | Self::Damaged { .. } => "dataset/damaged",
            Self::OtherRecipe { .. } => "output/other-recipe",
            Self::OtherSettings { .. } => "output/other-settings",
            Self::Locked { .. } => "output/locked",
            Self::Inputs { first, .. } => first.code(),
        }
    }

    /// Which exit code fits.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Hub(error) if error.retryable() => ErrorKind::Transient,
            Self::Locked { .. } | Self::Unsteady { .. } => ErrorKind::Transient,
            Self::OtherRecipe { .. }
            | Self::OtherSettings { .. }
            | Self::Engine(_)
            | Self::NoArchive { .. }
            | Self::NoPages { .. }
            | Self::SameAddress { .. }
            | Self::TooManyPages { .. }
            | Self::NoSample
            | Self::Crawl { .. }
            | Self::Evaluate(_)
            | Self::NoRecord { .. } => ErrorKind::Usage,
            Self::Inputs { first, .. } => first.kind(),
            _ => ErrorKind::Failure,
        }
    }

    /// What to do about it, if we know.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Hub(error) => error.help(),
            Self::Archive { source: WarcError::Empty, .. } => Some("the file has no bytes: fetch it again".to_owned()),
            Self::Archive { source: WarcError::NotWarc { .. }, .. } => {
                Some("give a WARC or WET file; `assay pack` makes one from HTML files".to_owned())
            }
            Self::Io { path, source } => write_help(path, source.kind()),
            Self::Read { path, source } => read_help(path, source.kind()),
            Self::Input { input, source } => read_help(Path::new(input), source.kind()),
            Self::Unit { path, source } => match source {
                UnitError::Io { source, .. } => write_help(path, source.kind()),
                UnitError::Table(table) => table.io_kind().and_then(|kind| write_help(path, kind)),
            },
            Self::Pack { source: WriteError::Io(error), path } => write_help(path, error.kind()),
            Self::SameAddress { .. } => Some(
                "rename one, pack the folder that holds both, or pack them one by one with another `--base-url` each"
                    .to_owned(),
            ),
            Self::TooManyPages { .. } => Some("pack its folders one by one".to_owned()),
            Self::NoUnits { .. } => {
                Some("every input may have failed: run `assay refine … --out` with this folder again".to_owned())
            }
            Self::OtherRecipe { .. } => {
                Some("choose another `--out`, or remove the folder to refine everything again".to_owned())
            }
            Self::OtherSettings { path, .. } => {
                Some(format!("choose another `--out`, or remove `{}` to refine this unit again", path.display()))
            }
            Self::NoDataset { .. } => Some("give the folder that `assay refine … --out` wrote".to_owned()),
            Self::Manifest { .. } => {
                Some("run `assay refine` with the same `--out` again: it writes the manifest of the finished units anew".to_owned())
            }
            Self::Table { path, .. } => Some(format!(
                "`assay verify` names what differs; remove `{}` and run `assay refine` again to mend it",
                path.parent().unwrap_or(path).display()
            )),
            Self::Texts { .. } => {
                Some("give a whole Parquet file with a string column `text`, not compressed or with Snappy or zstd".to_owned())
            }
            Self::Evaluate(error) => Some(error.help()),
            Self::Damaged { path, .. } => {
                Some(format!("remove `{}` and run again: only what is missing is refined", path.display()))
            }
            Self::NoArchive { path } => Some(format!("add `--warc` with the file or address that ends in `{path}`")),
            Self::Crawl { .. } => Some("https://index.commoncrawl.org lists the crawls; give one such as CC-MAIN-2024-42".to_owned()),
            Self::NoPages { .. } => Some("give .html, .htm or .xhtml files, plain or .gz".to_owned()),
            Self::Unsteady { .. } => {
                Some("the network, a proxy or the server gives other bytes than it should: try again, or another way there".to_owned())
            }
            Self::NoSample => Some(
                "`rustup component add rust-docs` installs some; or give archives: `assay refine FILE.warc.gz --out DIR`"
                    .to_owned(),
            ),
            Self::NoRecord { .. } => {
                Some("give an address as it stands in the archive, a WARC-Record-ID, or a record number".to_owned())
            }
            Self::Locked { .. } => Some("wait for it to end, or choose another `--out`".to_owned()),
            Self::Inputs { first, .. } => first.help(),
            Self::Engine(error) => Some(engine_help(error)),
            Self::Archive { .. } | Self::Pack { .. } => None,
        }
    }
}

/// What makes a recipe run, or another one that does.
fn engine_help(error: &EngineError) -> String {
    match error {
        EngineError::Version { wanted, .. } => {
            format!(
                "run it with the release of assay that has engine {wanted}, or make it anew with `assay recipe new`"
            )
        }
        EngineError::Unsupported { .. } => {
            "write this as `assay recipe show fineweb-en-v1` does; `assay recipe check FILE` looks at a file"
                .to_owned()
        }
        EngineError::MissingArtifact { .. } => {
            "give `--url-lists` the datatrove wheel, or the folder that `assay recipe lists` wrote".to_owned()
        }
        EngineError::OtherArtifact { .. } => {
            "give `--url-lists` the very lists that the recipe was made with: it names them by digest"
                .to_owned()
        }
        EngineError::Lists(_) => {
            "give `--url-lists` other lists, or write them anew with `assay recipe lists`".to_owned()
        }
    }
}

/// What helps where a file or folder cannot be written.
fn write_help(path: &Path, kind: io::ErrorKind) -> Option<String> {
    let shown = path.display();
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(format!(
            "free some space on the disk of `{shown}` and run again: finished units are kept"
        )),
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            Some(format!("`{shown}` cannot be written: choose another `--out`"))
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists | io::ErrorKind::IsADirectory => {
            Some(format!("`{shown}` is in the way: choose another `--out`"))
        }
        _ => read_help(path, kind),
    }
}

/// What helps where a file or folder cannot be read.
fn read_help(path: &Path, kind: io::ErrorKind) -> Option<String> {
    let shown = path.display();
    match kind {
        io::ErrorKind::NotFound => Some(format!("there is no `{shown}`")),
        io::ErrorKind::PermissionDenied => Some(format!(
            "`{shown}` may not be read: change its permissions, or give another file"
        )),
        io::ErrorKind::IsADirectory => Some(format!("`{shown}` is a folder: name a file in it")),
        io::ErrorKind::NotADirectory => Some(format!(
            "a part of the path of `{shown}` is a file: check the spelling"
        )),
        io::ErrorKind::UnexpectedEof => Some(format!(
            "`{shown}` was cut short: fetch it again, or compress it again"
        )),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Some(format!(
            "`{shown}` is damaged or of another format: fetch it again, or name another file"
        )),
        io::ErrorKind::FileTooLarge => Some(format!(
            "nothing this long is read: cut `{shown}`, or leave it out"
        )),
        _ => None,
    }
}

//! What can be wrong with the inputs of an evaluation, and how to cure it.
//!
//! Unreadable files are [`super::super::LocalError`]s; here are files that can be read and hold nothing that can be measured.

use std::path::PathBuf;

use assay_eval::contamination::IndexError;
use assay_eval::duel::StatisticsError;
use assay_eval::held_out::HeldOutError;
use assay_eval::pack::PackError;
use assay_eval::transformer::TrainError;
use assay_eval::transformer::checkpoint::CheckpointError;
use assay_eval::transformer::gpu::machine::MachineError;

use assay_types::Digest;

use super::seal::SealError;

/// Why nothing could be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// No text in it.
    #[error("`{path}` holds no document with text ({unreadable} lines without a text)")]
    Empty {
        /// The input.
        path: PathBuf,
        /// Lines and rows that hold no text.
        unreadable: u64,
    },
    /// More documents than are measured at once.
    #[error("`{path}` holds more than {} documents", assay_eval::arm::DOCUMENTS_MAX)]
    TooLarge {
        /// The input.
        path: PathBuf,
    },
    /// A text file that is not UTF-8.
    #[error("`{path}` is no UTF-8 text: byte {at}")]
    NotText {
        /// The file.
        path: PathBuf,
        /// First byte that is wrong.
        at: usize,
    },
    /// A text file that is too long for one document.
    #[error("`{path}` is one document of more than {bytes_max} bytes")]
    LongText {
        /// The file.
        path: PathBuf,
        /// The limit.
        bytes_max: u64,
    },
    /// A folder with more files than are read.
    #[error("`{path}` holds more than {files_max} files")]
    ManyFiles {
        /// The folder.
        path: PathBuf,
        /// The limit.
        files_max: usize,
    },
    /// Two evaluation domains of one name.
    #[error("`{first}` and `{second}` are both domain `{name}`")]
    SameDomain {
        /// The name.
        name: String,
        /// The first of them.
        first: PathBuf,
        /// The second.
        second: PathBuf,
    },
    /// A language that is not told apart.
    #[error("`{code}` is no language that can be told from others")]
    Language {
        /// What was given.
        code: String,
    },
    /// Archives without a page.
    #[error("no HTML page was found in `{archives}`")]
    NoPages {
        /// Their names.
        archives: String,
    },
    /// A kind of address that is not read.
    #[error("`{address}` is an address, not a file or folder")]
    Address {
        /// What was given.
        address: String,
    },
    /// Evaluation text that cannot be used.
    #[error(transparent)]
    HeldOut(#[from] HeldOutError),
    /// Public text of other domains than are held out: gains on them do not compare.
    #[error("public text has domains `{found}`, the evaluation text `{expected}`")]
    PublicDomains {
        /// Those of the public text.
        found: String,
        /// Those of the evaluation text.
        expected: String,
    },
    /// An evaluation pack that cannot be made or read.
    #[error("`{path}`: {source}")]
    Pack {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: PackError,
    },
    /// A pack that nobody can read yet.
    #[error("`{path}` is sealed until round {round} of drand quicknet")]
    StillSealed {
        /// The file.
        path: PathBuf,
        /// The round.
        round: u64,
    },
    /// A sealed pack that cannot be made or opened.
    #[error("`{path}`: {source}")]
    Sealed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: SealError,
    },
    /// An index that cannot be read.
    #[error("`{path}`: {source}")]
    Index {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: IndexError,
    },
    /// A file or folder without an item that can be answered.
    #[error("`{path}` holds no benchmark item: {why}")]
    NoItems {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with its first line.
        why: String,
    },
    /// A file of items that is too long.
    #[error("`{path}` has more than {bytes_max} bytes of benchmark items")]
    LongSet {
        /// The file.
        path: PathBuf,
        /// The limit.
        bytes_max: u64,
    },
    /// Two files of one name.
    #[error("two benchmarks are named `{name}`")]
    SameBenchmark {
        /// Their name.
        name: String,
    },
    /// More sets than are answered.
    #[error("there are more than {} benchmarks", assay_eval::benchmark::SETS_MAX)]
    ManyBenchmarks,
    /// Benchmarks without models.
    #[error("benchmarks are answered by trained models, and none are trained")]
    Untrained,
    /// Benchmarks, and nothing that models could be trained and scored on.
    #[error("benchmarks are answered by trained models, and without evaluation text none are trained")]
    Unscored,
    /// Vector instructions that this machine does not have.
    #[error("this machine has no `{name}` instructions, it has {has}")]
    Instructions {
        /// What was asked for.
        name: String,
        /// What there is.
        has: String,
    },
    /// A graphics processor that cannot be used.
    #[error(transparent)]
    Device(MachineError),
    /// A model could not be trained.
    #[error("model of seed `{seed}` of dataset `{arm}`: {source}")]
    Train {
        /// Place of the dataset, from 0.
        arm: usize,
        /// Its seed.
        seed: u32,
        /// Why.
        #[source]
        source: TrainError,
    },
    /// A half-trained model could not be written.
    #[error("half-trained model: {0}")]
    Snapshot(#[source] CheckpointError),
    /// An arm of a duel is too small.
    #[error("champion, challenger, ore or pure text hold fewer than `{tokens}` tokens: too few to train on")]
    Small {
        /// Tokens that are needed.
        tokens: u64,
    },
    /// Another pack than the subnet's.
    #[error("evaluation pack `{}` has digest `{found}`, the subnet's is `{expected}`", path.display())]
    OtherPack {
        /// The file.
        path: PathBuf,
        /// The subnet's.
        expected: Digest,
        /// The file's.
        found: Digest,
    },
    /// A duel that cannot be decided.
    #[error("no decision: {0}")]
    Duel(#[source] StatisticsError),
    /// No model was planned.
    #[error("no model was trained")]
    NothingTrained,
}

impl EvaluateError {
    /// Stable code of the error.
    pub(in super::super) fn code(&self) -> &'static str {
        match self {
            Self::Empty { .. } | Self::Small { .. } | Self::NoPages { .. } => "input/nothing-found",
            Self::Language { .. }
            | Self::Untrained
            | Self::Unscored
            | Self::ManyBenchmarks
            | Self::SameBenchmark { .. } => "usage/invalid",
            Self::HeldOut(_)
            | Self::PublicDomains { .. }
            | Self::SameDomain { .. }
            | Self::StillSealed { .. }
            | Self::Sealed { .. }
            | Self::OtherPack { .. }
            | Self::Pack { .. } => "evaluate/no-evaluation-text",
            Self::Index { .. } => "evaluate/no-index",
            Self::Instructions { .. } => "evaluate/no-instructions",
            Self::Device(_) => "evaluate/no-device",
            Self::Train { .. } | Self::Snapshot(_) | Self::NothingTrained | Self::Duel(_) => {
                "evaluate/not-trained"
            }
            _ => "input/unreadable",
        }
    }

    /// What to do about it.
    pub(in super::super) fn help(&self) -> String {
        let help = match self {
            Self::Empty { .. } => {
                "JSON Lines need a string `text` in each object, Parquet a string column `text`; of a folder, files \
                 that end in .parquet, .jsonl, .ndjson, .json or .txt (plain, .gz, .zst) are read"
            }
            Self::TooLarge { .. } => "give some of its files: folds use at most 2,097,152 tokens each",
            Self::NotText { .. } => "convert it to UTF-8, or take it out of the folder",
            Self::LongText { .. } => "split it into documents: one file each, or JSON Lines with a `text`",
            Self::ManyFiles { .. } => "put the documents into JSON Lines or Parquet files",
            Self::Address { .. } => {
                "an address is hf://namespace/name@REVISION or another of `assay dataset show --help`"
            }
            Self::HeldOut(_) => {
                "give texts of more works or sites: ids before `#`, or `url`s, tell them apart"
            }
            Self::SameDomain { .. } => {
                "rename one of them: a domain is named by the last part of its path; text of one domain goes into one folder"
            }
            Self::NoItems { .. } => {
                "give JSON Lines, an item a line, as docs/evaluation.md shows under `Benchmarks`"
            }
            Self::SameBenchmark { .. } => "rename one of the files: a benchmark is named by its file",
            Self::ManyBenchmarks => "give some of them",
            Self::LongSet { .. } => "give some of its lines: 256 are answered",
            Self::Unscored => "give some with `--eval` or `--pack`",
            Self::Untrained => "add `--budget standard` or `--budget full`",
            Self::Language { .. } => "give an ISO 639-1 code in small letters: en, de, zh, …",
            Self::NoPages { .. } => "give WARC files with HTML responses of status 200",
            Self::PublicDomains { .. } => {
                "give one file or folder a domain to `--public`, named as in `--eval` or the pack"
            }
            Self::StillSealed { .. } => {
                "after that round: `assay evaluate open FILE --pulse SIGNATURE --out PACK`"
            }
            Self::Sealed { .. } => {
                "give the file that `assay evaluate pack --seal` wrote, and the signature of its round's pulse"
            }
            Self::Pack { .. } => "`assay evaluate pack DIR… --out FILE` makes a pack, one domain a folder",
            Self::Index { .. } => "`assay evaluate index TEXT… --out FILE` makes an index",
            Self::Instructions { .. } => "leave `--instructions` out: the best are found",
            Self::Device(_) => "leave `--device` out: models are trained on this machine's processor",
            Self::Train { .. } | Self::NothingTrained => {
                "`--budget quick` measures without training; another `--seed` draws other text"
            }
            Self::Small { .. } => "name more archives, and make the evaluation pack of more text",
            Self::OtherPack { .. } => "get the pack that the subnet's owner names for these rounds",
            Self::Duel(_) => "pure text must be of the kind that is held out, and much better than ore",
            Self::Snapshot(_) => "give another `--resume` folder",
        };
        help.to_owned()
    }
}

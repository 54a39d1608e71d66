//! Arguments of `assay evaluate` and `assay duel`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Examples:
  assay evaluate mine/ --against theirs.parquet --eval wiki.jsonl books/
  assay evaluate mine/ --against hf://namespace/name@REVISION --pack eval.jsonl
  assay evaluate pack wiki.jsonl books/ --out eval.jsonl
  assay evaluate index benchmarks/ --out bench.index
  assay evaluate mine/ --ore crawl/*.warc.gz --pack eval.jsonl --index bench.index --json"
)]
pub(crate) struct EvaluateArgs {
    #[command(subcommand)]
    pub(crate) command: Option<EvaluateCommand>,
    /// Datasets: folders of `assay refine`, Parquet, JSON Lines (plain, gzip, zstd), text files, folders, hf:// and other stores
    #[arg(required = true, value_name = "DATASET")]
    pub(crate) datasets: Vec<PathBuf>,
    /// Say whether the first dataset is better than this one
    #[arg(long, value_name = "DATASET")]
    pub(crate) against: Option<PathBuf>,
    /// Evaluation text, one domain a file or folder
    #[arg(long, value_name = "TEXT", num_args = 1.., conflicts_with = "pack")]
    pub(crate) eval: Vec<PathBuf>,
    /// Pack of `assay evaluate pack` [default: $ASSAY_EVALUATE__PACK]
    #[arg(long, value_name = "FILE")]
    pub(crate) pack: Option<PathBuf>,
    /// Text of the same domains, public before the datasets were made: raises the leak flag
    #[arg(long, value_name = "TEXT", num_args = 1..)]
    pub(crate) public: Vec<PathBuf>,
    /// The same archives, or all visible text of their pages: fineness 0
    #[arg(long, value_name = "FILES", num_args = 1..)]
    pub(crate) ore: Vec<PathBuf>,
    /// The same archives: recompute some rows (gate `provenance`)
    #[arg(long, value_name = "FILES", num_args = 1..)]
    pub(crate) warc: Vec<String>,
    /// Index of public benchmarks, made by `assay evaluate index`
    #[arg(long, value_name = "FILE")]
    pub(crate) index: Option<PathBuf>,
    /// Questions for trained models, one set a file; reported, not scored
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) benchmark: Vec<PathBuf>,
    /// How much to compute
    #[arg(long, value_enum, default_value_t = BudgetArg::Quick)]
    pub(crate) budget: BudgetArg,
    /// Models trained of each dataset at most; 6 and 8 are looked at after 4 already [default: 4, `full` 8]
    #[arg(long, value_name = "N", value_parser = ["4", "6", "8"])]
    pub(crate) seeds: Option<String>,
    /// Keep results and half-trained models: the command goes on here
    #[arg(long, value_name = "DIR")]
    pub(crate) resume: Option<PathBuf>,
    /// Write the report as one HTML page without scripts
    #[arg(long, value_name = "REPORT")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) training: TrainingArgs,
    /// Declared language, ISO 639-1
    #[arg(long, value_name = "CODE", default_value = "en")]
    pub(crate) language: String,
    /// Where fetched datasets are kept
    #[arg(long, value_name = "DIR", default_value = "assay-downloads")]
    pub(crate) downloads: PathBuf,
    /// Seed of the samples
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay duel --champion fineweb-en-v1 --challenger mine.toml --warc crawl/*.warc.gz --pack eval.pack --out duel/")]
pub(crate) struct DuelArgs {
    /// The recipe that reigns: a name (`assay recipe list`), an id, or a TOML file
    #[arg(long, value_name = "RECIPE")]
    pub(crate) champion: String,
    /// The recipe that wants to
    #[arg(long, value_name = "RECIPE")]
    pub(crate) challenger: String,
    /// The archives both refine: files, directories, globs, http(s):// or s3:// addresses
    #[arg(long, required = true, num_args = 1.., value_name = "FILES")]
    pub(crate) warc: Vec<String>,
    /// Pack of `assay evaluate pack` [default: $ASSAY_EVALUATE__PACK]
    #[arg(long, value_name = "FILE")]
    pub(crate) pack: Option<PathBuf>,
    /// Folder of both datasets and all models: the same command goes on where it was killed
    #[arg(long, short, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Where `fineweb-en-v1-lists` takes its lists from: the datatrove wheel, or a folder of list files
    #[arg(long, value_name = "FILE|DIR|WHEEL")]
    pub(crate) url_lists: Option<PathBuf>,
    /// Rounds since the champion's activation: the lead asked for falls from 12 points to 4 in 300
    #[arg(long, value_name = "ROUNDS", default_value_t = 0)]
    pub(crate) age: u32,
    #[command(flatten)]
    pub(crate) training: TrainingArgs,
    /// Declared language, ISO 639-1
    #[arg(long, value_name = "CODE", default_value = "en")]
    pub(crate) language: String,
    /// Seed of samples and models
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

/// What is trained, and on what.
#[derive(Debug, Args)]
pub(crate) struct TrainingArgs {
    /// What is trained
    #[arg(long, value_enum, default_value_t = TrainingArg::CpuV1, value_name = "NAME")]
    pub(crate) profile: TrainingArg,
    /// Vector instructions: avx512, avx2, plain [default: the best there are]
    #[arg(long, value_name = "NAME")]
    pub(crate) instructions: Option<String>,
    /// Where models are trained: cpu, cuda or cuda:NUMBER
    #[arg(
        long,
        value_name = "DEVICE",
        default_value = "cpu",
        conflicts_with = "instructions"
    )]
    pub(crate) device: DeviceArg,
}

/// Where models are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeviceArg {
    /// The number of a graphics processor; none is this machine's own.
    pub(crate) cuda: Option<u16>,
}

impl FromStr for DeviceArg {
    type Err = UnknownDevice;

    fn from_str(name: &str) -> Result<Self, UnknownDevice> {
        let cuda = match name.split_once(':') {
            None if name == "cpu" => None,
            None if name == "cuda" => Some(0),
            Some(("cuda", number)) => Some(number.parse().map_err(|_| UnknownDevice)?),
            _ => return Err(UnknownDevice),
        };
        Ok(Self { cuda })
    }
}

/// A device of another name.
#[derive(Debug, thiserror::Error)]
#[error("devices are `cpu`, `cuda` and `cuda:NUMBER`")]
pub(crate) struct UnknownDevice;

/// What stage 2 trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TrainingArg {
    /// The profile of evaluations and duels
    CpuV1,
    /// A second a model: shows whether everything runs, decides nothing
    Smoke,
}

/// How much an evaluation computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BudgetArg {
    /// Gates and n-gram bits per byte
    Quick,
    /// And training of small transformers, 4 seeds
    Standard,
    /// 8 seeds
    Full,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EvaluateCommand {
    /// Make an evaluation pack: held-out and pure text of domains, no work on both sides
    Pack {
        /// Texts, one domain a file or folder
        #[arg(required = true, value_name = "DIR")]
        input: Vec<PathBuf>,
        /// The pack to write
        #[arg(long, short)]
        out: PathBuf,
        /// Write it sealed: nobody can read it before this round of drand quicknet
        #[arg(long, value_name = "ROUND", value_parser = clap::value_parser!(u64).range(1..))]
        seal: Option<u64>,
    },
    /// Open a sealed evaluation pack after its round
    Open {
        /// The sealed pack
        #[arg(value_name = "FILE")]
        input: PathBuf,
        /// Signature of the round's pulse, hexadecimal digits
        #[arg(long, value_name = "SIGNATURE")]
        pulse: String,
        /// The pack to write
        #[arg(long, short)]
        out: PathBuf,
    },
    /// Make an index of 13-grams of benchmarks, for the contamination gate
    Index {
        /// Benchmark items (JSON Lines) and texts
        #[arg(required = true, value_name = "TEXT")]
        input: Vec<PathBuf>,
        /// The index to write
        #[arg(long, short)]
        out: PathBuf,
    },
}

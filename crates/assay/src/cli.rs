//! The command tree: what a person can type, parsed by clap into one [`Cli`] value.
//!
//! Each variant of [`Command`] is run by the file of its name in `command/`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod agents;
mod chain;
mod config;
mod dataset;
mod doctor;
mod evaluate;
mod extract;
mod owner;
mod recipe;
mod serve;
mod simulate;
mod top;
mod wallet;

pub(crate) use agents::{
    AgentArgs, AssignArg, ConductArg, LocalnetArgs, MinerCommand, MinerUpArgs, ValidatorCommand,
    ValidatorUpArgs, WorkerCommand,
};
pub(crate) use chain::{
    CallArgs, ChainCommand, ChainRunArgs, CommitArgs, EMBEDDED_ADDRESS, NetworkArgs, RegisterArgs, SendArgs,
    SetWeightsArgs, SigningArgs, SubnetArgs,
};
pub(crate) use config::{ConfigCommand, ConfigShowArgs};
pub(crate) use dataset::{DatasetCommand, DatasetPullArgs, DatasetVerifyArgs, PublishedArgs};
pub(crate) use doctor::{DoctorArgs, Role};
pub(crate) use evaluate::{BudgetArg, DuelArgs, EvaluateArgs, EvaluateCommand, TrainingArg, TrainingArgs};
pub(crate) use extract::{ExtractArgs, ExtractBenchArgs, ExtractCommand, ProfileArg};
pub(crate) use owner::{IdentityArgs, OwnerCommand, StakeArgs};
pub(crate) use recipe::{RecipeCommand, RecipeNewArgs, RecipeSubmitArgs};
pub(crate) use serve::{AdminArgs, AdminCommand, AssignmentsArgs, ServeArgs, ServeCommand, ServeRunArgs};
pub(crate) use simulate::SimulateArgs;
pub(crate) use top::TopArgs;
pub(crate) use wallet::{
    HotkeyArgs, KeyArgs, SchemeArg, WalletCommand, WalletImportArgs, WalletNewArgs, WalletSignArgs,
    WalletVerifyArgs, WritingArgs,
};

/// What `assay` alone prints before the list of commands.
const EXAMPLES: &str = "\
Examples:
  assay refine --sample --out demo            refine the documentation on this machine
  assay refine crawl.warc.gz --out data       a WARC file into a FineWeb-style dataset
  assay verify data --warc crawl.warc.gz      recompute its rows from the archive
  assay extract page.html                     the main text of one page";

/// Raw web crawls into LLM pre-training datasets that anybody can verify.
#[derive(Debug, Parser)]
#[command(name = "assay", version, after_help = EXAMPLES, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Print one JSON document on stdout, no progress, no colour
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print less on stderr
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// When to colour
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto)]
    pub(crate) color: ColorChoice,
}

/// When to colour the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Refine archives into a dataset: ledger, bands, documents, manifest, funnel
    Refine(RefineArgs),
    /// Extract the main text of HTML pages
    Extract(ExtractArgs),
    /// Apply a recipe's steps to given texts, with every feature value
    Filter(FilterArgs),
    /// Find near-duplicates among given texts with MinHash
    Dedup(DedupArgs),
    /// Recompute a dataset's rows from its archives; exit status 4 on any difference
    Verify(VerifyArgs),
    /// Measure what datasets are worth: gates, bits per byte, fineness; exit status 4 if a gate fails
    Evaluate(EvaluateArgs),
    /// Train models on what two recipes keep of the same archives and say which recipe wins
    Duel(DuelArgs),
    /// Pack HTML files into a WARC file
    Pack(PackArgs),
    /// Show and check recipes
    #[command(subcommand)]
    Recipe(RecipeCommand),
    /// Describe, fetch and verify datasets
    #[command(subcommand)]
    Dataset(DatasetCommand),
    /// Play the network with honest and hostile miners; exit status 4 if a property fails
    Simulate(SimulateArgs),
    /// Keys in Bittensor key files: make, import, list, sign; never prints a secret
    #[command(subcommand)]
    Wallet(WalletCommand),
    /// Read and write a chain: neurons, commitments, weights, parameters, live events
    #[command(subcommand)]
    Chain(ChainCommand),
    /// Run a whole subnet on this machine: chain, miners, validators
    Localnet(LocalnetArgs),
    /// Mine: refine the units assigned, round after round
    #[command(subcommand)]
    Miner(MinerCommand),
    /// Validate: audit, report, set weights
    #[command(subcommand)]
    Validator(ValidatorCommand),
    /// Run a limited process for a service
    #[command(subcommand, hide = true)]
    Worker(WorkerCommand),
    /// Serve the Task API: assignments, leases, reports, history; administer it
    Serve(Box<ServeArgs>),
    /// Watch a running subnet: round, leaderboard, faults, weights
    Top(TopArgs),
    /// Check this machine, keys, chain and store, each with its cure; exit status 4 on a failure
    Doctor(Box<DoctorArgs>),
    /// Show what this program is told by variables and files
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a shell's completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages of all commands
    Man {
        /// Folder to write them into; made if it is missing
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
    },
    /// Print a page of the documentation that is made of the program, as Markdown
    #[command(hide = true)]
    Reference {
        /// The page
        page: ReferencePage,
    },
}

/// A page made of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReferencePage {
    /// Every command and argument
    Cli,
    /// Every variable and key
    Configuration,
}

/// Which recipe, and where its artifacts are.
#[derive(Debug, Args)]
pub(crate) struct RecipeArgs {
    /// Recipe: a name (`assay recipe list`), an id, or a TOML file
    #[arg(long, default_value = "fineweb-en-v1")]
    pub(crate) recipe: String,
    /// Where `fineweb-en-v1-lists` takes its lists from: the datatrove wheel, or a folder of list files
    #[arg(long, value_name = "FILE|DIR|WHEEL")]
    pub(crate) url_lists: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay refine --sample --out demo
  assay refine crawl.warc.gz more/ --out data --threads 8
  assay refine s3://commoncrawl/crawl-data/CC-MAIN-2024-22/.../x.warc.gz --out data --limit 1000
  assay refine crawl.warc.gz --explain https://example.org/page")]
pub(crate) struct RefineArgs {
    /// WARC or WET archives: files, directories, globs, `-`, http(s):// or s3:// addresses
    #[arg(required_unless_present = "sample")]
    pub(crate) input: Vec<String>,
    /// Folder to write the dataset to; an interrupted run goes on where it stopped
    #[arg(long, short, required_unless_present = "explain")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) recipe: RecipeArgs,
    /// Worker threads [default: number of cores]
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// Read at most this many records of each archive
    #[arg(long)]
    pub(crate) limit: Option<u64>,
    /// Format of the documents
    #[arg(long, value_enum, default_value_t = FormatArg::Parquet)]
    pub(crate) format: FormatArg,
    /// Also write every filter's feature values (`features.parquet`)
    #[arg(long)]
    pub(crate) features: bool,
    /// Show one record's way through the recipe: its address, record id or number
    #[arg(long, value_name = "URL|RECORD", conflicts_with_all = ["sample", "features"])]
    pub(crate) explain: Option<String>,
    /// Refine HTML documentation that is already on this machine
    #[arg(long, conflicts_with = "input")]
    pub(crate) sample: bool,
}

/// Format of a dataset's documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    Parquet,
    Jsonl,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay filter texts.jsonl
  zcat texts.jsonl.gz | assay filter --recipe fineweb-en-v1 --steps")]
pub(crate) struct FilterArgs {
    /// JSON Lines with `id`, `text`, `url`; plain or gzip; stdin if none
    pub(crate) texts: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) recipe: RecipeArgs,
    /// Each filter alone on the given text, with words, sentences, tokens and signature
    #[arg(long)]
    pub(crate) steps: bool,
    /// Worker threads [default: number of cores]
    #[arg(long)]
    pub(crate) threads: Option<usize>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay dedup texts.jsonl --json
  assay dedup a.jsonl b.jsonl --order datatrove --json")]
pub(crate) struct DedupArgs {
    /// JSON Lines files with `id` and `text`, plain or gzip, read one after the other
    #[arg(required = true)]
    pub(crate) texts: Vec<PathBuf>,
    /// Which document of a cluster stays
    #[arg(long, value_enum, default_value_t = OrderArg::Canonical)]
    pub(crate) order: OrderArg,
}

/// Which document of a cluster stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OrderArg {
    /// As datatrove's four stages do
    Datatrove,
    /// The one with the smallest id, whatever the order of input
    Canonical,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay verify data --warc crawl.warc.gz
  assay verify data --warc crawl.warc.gz --sample 500 --seed 7 --json")]
pub(crate) struct VerifyArgs {
    /// The dataset's folder
    pub(crate) dataset: PathBuf,
    /// The archives it was made from: files, directories, globs or addresses
    #[arg(long, required = true, num_args = 1..)]
    pub(crate) warc: Vec<String>,
    /// How many records of each unit to recompute, or `all`
    #[arg(long, default_value = "all")]
    pub(crate) sample: String,
    /// Seed of the sample
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Where to write fraud proofs, if there are any
    #[arg(long, value_name = "FILE", default_value = "fraud-proofs.json")]
    pub(crate) proof: PathBuf,
    /// Accept a unit that ends before its archive does (made with `--limit`)
    #[arg(long)]
    pub(crate) prefix: bool,
    /// Recipe file, if the dataset's recipe is not built in
    #[arg(long)]
    pub(crate) recipe: Option<String>,
    /// Where `fineweb-en-v1-lists` takes its lists from
    #[arg(long, value_name = "FILE|DIR|WHEEL")]
    pub(crate) url_lists: Option<PathBuf>,
    /// Worker threads [default: number of cores]
    #[arg(long)]
    pub(crate) threads: Option<usize>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay pack site/ -o site.warc.gz --base-url https://example.org/")]
pub(crate) struct PackArgs {
    /// HTML files, or folders that are searched for them
    #[arg(required = true)]
    pub(crate) input: Vec<PathBuf>,
    /// The WARC file to write
    #[arg(long, short)]
    pub(crate) out: PathBuf,
    /// Address of a packed folder; file paths are appended
    #[arg(long, default_value = "http://localhost/")]
    pub(crate) base_url: String,
    /// WARC-Date of every record
    #[arg(long, default_value = "2000-01-01T00:00:00Z")]
    pub(crate) date: String,
}

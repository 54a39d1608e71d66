//! The arguments of `assay dataset`: datasets in folders and in stores, and what of the chain to hold them against.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::NetworkArgs;

/// How targets are written, for the help of each command.
const TARGETS: &str = "\
Targets:
  out                                      a folder that `assay refine` wrote
  hf://namespace/name@REVISION             the Hugging Face hub
  s3://bucket/prefix/namespace/name@REV    a bucket
  https://host/prefix/namespace/name@REV   a web server
  store/namespace/name@REVISION            a directory that is a store
The revision may be left out where `--pointer` or `--from-hotkey` names it, or where there is only one.";

#[derive(Debug, Subcommand)]
pub(crate) enum DatasetCommand {
    /// Lengths, tokens, languages, sites and drop reasons
    Stats {
        /// The dataset's folder
        dataset: PathBuf,
        /// Also write an HTML report with plots
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
    /// Units of a published dataset, and whether it is the one the chain names
    #[command(after_help = TARGETS)]
    Show(PublishedArgs),
    /// Fetch a published dataset, each file checked against manifest and Merkle root; resumable
    #[command(after_help = TARGETS)]
    Pull(DatasetPullArgs),
    /// Recompute a published dataset's rows from the archives they name; exit status 4 on any difference
    #[command(after_help = TARGETS)]
    Verify(DatasetVerifyArgs),
}

/// A published dataset, and what binds it.
#[derive(Debug, Args)]
pub(crate) struct PublishedArgs {
    /// Where the dataset is
    #[arg(value_name = "TARGET")]
    pub(crate) target: String,
    /// Pointer that a miner committed on the chain, 248 hex digits
    #[arg(long, value_name = "HEX", conflicts_with = "from_hotkey")]
    pub(crate) pointer: Option<String>,
    /// Take the pointer from the newest that the chain has opened for this hotkey (SS58)
    #[arg(long, value_name = "HOTKEY", requires = "netuid")]
    pub(crate) from_hotkey: Option<String>,
    /// Subnet of the hotkey
    #[arg(long, requires = "from_hotkey")]
    pub(crate) netuid: Option<u16>,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DatasetPullArgs {
    #[command(flatten)]
    pub(crate) published: PublishedArgs,
    /// Folder to fill
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Most tokens (GPT-2) to fetch, in whole units: 500k, 20M, 10B [default: all]
    #[arg(long, value_name = "COUNT", value_parser = token_count)]
    pub(crate) tokens: Option<u64>,
    /// Seed of the choice of units
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct DatasetVerifyArgs {
    #[command(flatten)]
    pub(crate) published: PublishedArgs,
    /// Archives that the dataset names by file name only: files, directories, globs or addresses
    #[arg(long, num_args = 1..)]
    pub(crate) warc: Vec<String>,
    /// How many records of each unit to recompute, or `all`
    #[arg(long, default_value = "all")]
    pub(crate) sample: String,
    /// Most tokens (GPT-2) to fetch and verify, in whole units: 500k, 20M, 10B [default: all]
    #[arg(long, value_name = "COUNT", value_parser = token_count)]
    pub(crate) tokens: Option<u64>,
    /// Seed of both choices
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Keep what is fetched in this folder [default: a temporary one]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Where to write fraud proofs, if there are any
    #[arg(long, value_name = "FILE", default_value = "fraud-proofs.json")]
    pub(crate) proof: PathBuf,
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

/// A text that is no count.
#[derive(Debug, thiserror::Error)]
#[error("not a count such as 500k, 20M, 10B or 1T")]
struct CountError;

/// A count with an optional letter: thousand, million, billion, trillion.
fn token_count(text: &str) -> Result<u64, CountError> {
    let scales = [
        (['k', 'K'], 1_000),
        (['m', 'M'], 1_000_000),
        (['b', 'B'], 1_000_000_000),
        (['t', 'T'], 1_000_000_000_000),
    ];
    let scaled = scales
        .into_iter()
        .find_map(|(letters, scale)| Some((text.strip_suffix(letters)?, scale)));
    let (digits, scale) = scaled.unwrap_or((text, 1));
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let count: u64 = digits.parse().ok().filter(|_| is_number).ok_or(CountError)?;
    count.checked_mul(scale).ok_or(CountError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_letters() {
        for (text, count) in [
            ("0", 0),
            ("17", 17),
            ("500k", 500_000),
            ("10B", 10_000_000_000),
            ("1T", 1_000_000_000_000),
        ] {
            assert_eq!(token_count(text).unwrap(), count, "{text}");
        }
        for bad in ["", "B", "-1", "+1", "1.5B", "10 B", "99999999999T", "1e9"] {
            assert!(token_count(bad).is_err(), "{bad}");
        }
    }
}

//! The arguments of `assay top`.

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay top
  assay top --connect https://assay.example.org --every 12
  assay top --json --looks 10 --every 12")]
pub(crate) struct TopArgs {
    /// Task API to look at, `http://…` or `https://…`
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8470")]
    pub(crate) connect: String,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub(crate) every: u32,
    /// Looks to print where this is no terminal, or with `--json`, one document a line
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) looks: u32,
}

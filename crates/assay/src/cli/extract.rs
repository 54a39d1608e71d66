//! Arguments of `assay extract`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay extract page.html
  assay extract page.html --markdown
  assay extract pages/*.html.gz --jsonl > texts.jsonl
  assay extract page.html --explain > report.html
  assay extract bench data/extraction --json")]
#[command(subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent flags of a command line"
)]
pub(crate) struct ExtractArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ExtractCommand>,
    /// HTML files, plain or gzip; `-` for stdin
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Markdown: headings, lists, quotes, code, tables, formulas
    #[arg(long)]
    pub(crate) markdown: bool,
    /// Markdown with the targets of links
    #[arg(long)]
    pub(crate) links: bool,
    /// An HTML report of one page: every block with its score and the reason why it is kept or cut
    #[arg(long, conflicts_with_all = ["jsonl", "markdown", "links"])]
    pub(crate) explain: bool,
    /// One JSON object a line: file, title, text, language
    #[arg(long)]
    pub(crate) jsonl: bool,
    /// Which blocks to take
    #[arg(long, value_enum, default_value_t = ProfileArg::Balanced)]
    pub(crate) profile: ProfileArg,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExtractCommand {
    /// Judge the extraction on annotated pages: the measures of three benchmarks, by page type, with speed
    Bench(ExtractBenchArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ExtractBenchArgs {
    /// Folder with `pages.jsonl.gz` and `html/`
    pub(crate) data: PathBuf,
    /// Judge only this profile; all of them if none
    #[arg(long, value_enum)]
    pub(crate) profile: Option<ProfileArg>,
}

/// Extraction profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileArg {
    /// Fewer blocks, all of them certain (what recipes use)
    Precision,
    /// As much main text as possible without boilerplate
    Balanced,
    /// More of the main text, and some words around it
    Recall,
    /// Every block that may be main text
    Union,
}

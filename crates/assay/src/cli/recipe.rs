//! The arguments of `assay recipe`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::CallArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum RecipeCommand {
    /// The built-in recipes
    List,
    /// A recipe's canonical form and id
    Show {
        /// Name, id or TOML file
        recipe: String,
        #[arg(long, value_name = "FILE|DIR|WHEEL")]
        url_lists: Option<PathBuf>,
    },
    /// Whether a file is a valid recipe, canonical, and one this engine can run
    Check {
        /// TOML file
        file: PathBuf,
    },
    /// A recipe made of another one
    New(RecipeNewArgs),
    /// Offer a recipe to a subnet, sealed until the chain opens it
    Submit(Box<RecipeSubmitArgs>),
    /// What differs between two recipes
    Diff {
        /// Name, id or TOML file
        from: String,
        /// Name, id or TOML file
        to: String,
        #[arg(long, value_name = "FILE|DIR|WHEEL")]
        url_lists: Option<PathBuf>,
    },
    /// Take the URL lists out of a datatrove wheel, as artifacts for `fineweb-en-v1-lists`
    Lists {
        /// The wheel: `pip download --no-deps datatrove==0.10.1`
        wheel: PathBuf,
        /// Folder to write the artifacts and the recipe to
        #[arg(long, short)]
        out: PathBuf,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay recipe new stricter --set step.gopher_quality.words_min=100
  assay recipe new with-code --from fineweb-en-v1 --without c4 --set extract.profile=balanced")]
pub(crate) struct RecipeNewArgs {
    /// Its name
    pub(crate) name: String,
    /// Recipe it is made of: name, id or TOML file
    #[arg(long, value_name = "RECIPE", default_value = "fineweb-en-v1")]
    pub(crate) from: String,
    #[arg(long, value_name = "FILE|DIR|WHEEL")]
    pub(crate) url_lists: Option<PathBuf>,
    /// Take a step out, by its kind; repeatable
    #[arg(long, value_name = "KIND")]
    pub(crate) without: Vec<String>,
    /// Set a key, named as `assay recipe diff` names it; repeatable
    #[arg(long, value_name = "PATH=VALUE")]
    pub(crate) set: Vec<String>,
    /// File to write [default: NAME.toml]
    #[arg(long, short)]
    pub(crate) out: Option<PathBuf>,
    /// Overwrite it
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay recipe submit stricter.toml --store hf:// --repo acme/stricter --netuid 7 --dry-run")]
pub(crate) struct RecipeSubmitArgs {
    /// Name, id or TOML file
    pub(crate) recipe: String,
    /// Store to publish it in: hf://, s3://bucket/prefix, or a folder
    #[arg(long)]
    pub(crate) store: String,
    /// Repository in that store, namespace/name
    #[arg(long)]
    pub(crate) repo: String,
    #[command(flatten)]
    pub(crate) call: CallArgs,
    /// Subnet
    #[arg(long)]
    pub(crate) netuid: u16,
}

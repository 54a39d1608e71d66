//! What the environment may set, read in one place: hub options, wallets and their passwords, network, database, log.
//!
//! [`VARIABLES`] lists them; `docs/configuration.md` is made of that list.

use std::path::{Path, PathBuf};

use assay_chain::wallet::{Password, WalletError, password_from};
use assay_hub::store::StoreOptions;
use assay_hub::{OpenOptions, Secret};
use assay_server::arenas::POOLS_VARIABLE;

/// A variable that this program reads.
#[derive(Debug)]
pub(crate) struct Variable {
    /// Its name; one that ends with `…` stands for all that begin so.
    pub(crate) name: &'static str,
    /// What holds where it is not set.
    pub(crate) default: &'static str,
    /// What it says.
    pub(crate) about: &'static str,
    /// Whether its value is or may hold a secret, so that it is never shown.
    pub(crate) is_secret: bool,
}

const fn of(name: &'static str, default: &'static str, about: &'static str) -> Variable {
    Variable {
        name,
        default,
        about,
        is_secret: false,
    }
}

/// As [`of`], for what is never shown.
const fn secret(name: &'static str, default: &'static str, about: &'static str) -> Variable {
    Variable {
        is_secret: true,
        ..of(name, default, about)
    }
}

/// Every variable, by name.
pub(crate) const VARIABLES: [Variable; 18] = [
    of(
        "ASSAY_EVALUATE__PACK",
        "none",
        "evaluation pack that `assay evaluate` and `assay duel` use without `--pack` and `--eval`",
    ),
    secret(
        "ASSAY_HUB__PROXY",
        "none",
        "address of an HTTP proxy; a password in it is never shown",
    ),
    of(
        "ASSAY_HUB__S3__ENDPOINT",
        "AWS",
        "address of an S3-compatible server instead of AWS",
    ),
    of("ASSAY_HUB__S3__REGION", "us-east-1", "region of the bucket"),
    of(
        "ASSAY_LOG",
        "info,sqlx=warn",
        "what services log, such as `info` or `assay_server=debug`; agents `warn` where nothing is set",
    ),
    of(
        "ASSAY_NETWORK",
        "finney",
        "chain to use where `--network` is not given",
    ),
    secret(
        "ASSAY_SERVE__DATABASE",
        "assay.sqlite",
        "database of `assay serve` where `--database` is not given; keeps a password off the command line",
    ),
    of(
        "ASSAY_WALLET__PATH",
        "~/.bittensor/wallets",
        "folder of the wallets",
    ),
    secret(
        "AWS_ACCESS_KEY_ID",
        "none: buckets are read anonymously",
        "name of the key of S3 stores",
    ),
    secret("AWS_SECRET_ACCESS_KEY", "none", "secret of that key"),
    secret("AWS_SESSION_TOKEN", "none", "token of a temporary key"),
    secret(
        "BT_PW_…",
        "none",
        "password of the key file whose path the rest of the name spells, as other wallets keep it",
    ),
    secret(
        "BT_WALLET_PASSWORD",
        "none: asked for on a terminal",
        "password of every encrypted key file",
    ),
    of("HF_ENDPOINT", "https://huggingface.co", "address of another hub"),
    secret(
        "HF_TOKEN",
        "none",
        "token of the Hugging Face hub, for writing and for what is private",
    ),
    of("HOME", "none", "the user's folder, where wallets are looked for"),
    secret(
        "HTTPS_PROXY",
        "none",
        "proxy where `ASSAY_HUB__PROXY` is not set; `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` hold as elsewhere",
    ),
    of(
        POOLS_VARIABLE,
        "2 for `assay serve`",
        "pools of memory of glibc, which `assay serve` limits by beginning once more (docs/performance.md, \"Pages\")",
    ),
];

/// The names of variables that are set, for who helps; their values are never shown.
pub(crate) fn names_set() -> Vec<&'static str> {
    let names = VARIABLES.iter().map(|known| known.name);
    names
        .filter(|name| *name != "HOME" && variable(name).is_some())
        .collect()
}

/// What a variable that is set says, for who asks what holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// Its value.
    Value(String),
    /// A secret, or an address that may hold one, which is not shown.
    Secret,
}

/// Whether a value is an address with more than a host, in which services take keys and passwords.
fn may_hold_key(value: &str) -> bool {
    let address = value
        .split_once("://")
        .map(|(_, rest)| rest.trim_end_matches('/'));
    address.is_some_and(|address| address.contains(['@', '/', '?', '#']))
}

/// What the environment says for a variable; `None` where it is not set. A name that ends with `…` is set if any is that begins so.
pub(crate) fn told(known: &Variable) -> Option<Told> {
    let value = match known.name.strip_suffix('…') {
        Some(beginning) => std::env::vars_os()
            .find(|(name, value)| name.to_string_lossy().starts_with(beginning) && !value.is_empty())
            .map(|_| String::new()),
        None => variable(known.name),
    };
    let told = |value: String| {
        if known.is_secret || may_hold_key(&value) {
            Told::Secret
        } else {
            Told::Value(value)
        }
    };
    value.map(told)
}

/// The user's folder.
pub(crate) fn home() -> Option<String> {
    variable("HOME")
}

/// The options for opening inputs, environment over defaults.
pub(crate) fn open_options() -> OpenOptions {
    let mut options = OpenOptions::default();
    options.s3.endpoint = variable("ASSAY_HUB__S3__ENDPOINT").or(options.s3.endpoint);
    if let Some(region) = variable("ASSAY_HUB__S3__REGION") {
        options.s3.region = region;
    }
    options.s3.access_key_id = variable("AWS_ACCESS_KEY_ID").map(Secret::new);
    options.s3.secret_access_key = variable("AWS_SECRET_ACCESS_KEY").map(Secret::new);
    options.s3.session_token = variable("AWS_SESSION_TOKEN").map(Secret::new);
    options.proxy = variable("ASSAY_HUB__PROXY").map(Secret::new);
    options
}

/// The options of stores, environment over defaults.
pub(crate) fn store_options() -> StoreOptions {
    StoreOptions {
        open: open_options(),
        hf_token: variable("HF_TOKEN").map(Secret::new),
        hf_endpoint: variable("HF_ENDPOINT"),
    }
}

/// The folder of the wallets; `None` without a home.
pub(crate) fn wallets_root() -> Option<PathBuf> {
    variable("ASSAY_WALLET__PATH")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".bittensor/wallets")))
}

/// The password of a key file, where a variable holds it.
pub(crate) fn wallet_password(path: &Path) -> Result<Option<Password>, WalletError> {
    password_from(&path.to_string_lossy(), variable)
}

/// The chain to use where `--network` is not given.
pub(crate) fn network() -> Option<String> {
    variable("ASSAY_NETWORK")
}

/// The database of `assay serve`.
pub(crate) fn serve_database() -> Option<String> {
    variable("ASSAY_SERVE__DATABASE")
}

/// Starts the log on stderr: one line an event, as JSON if results are.
pub(crate) fn start_log(is_json: bool, level: &str) {
    let filter = variable("ASSAY_LOG").unwrap_or_else(|| level.to_owned());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(false);
    if is_json {
        builder.json().init();
    } else {
        builder.init();
    }
}

/// Whether glibc's pools of memory are limited.
pub(crate) fn pools_are_limited() -> bool {
    variable(POOLS_VARIABLE).is_some()
}

/// The evaluation pack to use if none is given.
pub(crate) fn evaluation_pack() -> Option<std::path::PathBuf> {
    variable("ASSAY_EVALUATE__PACK").map(std::path::PathBuf::from)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_that_is_read_is_listed() {
        let names: Vec<&str> = VARIABLES.iter().map(|known| known.name).collect();
        assert!(names.is_sorted(), "{names:?}");
        let source = include_str!("config.rs").split("mod tests").next().unwrap();
        let mut read = 0;
        for part in source.split("variable(\"").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(names.contains(&name), "`{name}` is not in VARIABLES");
            read += 1;
        }
        assert!(read > 10, "only {read} variables are read");
    }
}

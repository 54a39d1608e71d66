//! What the environment may set, read in one place: hub options, wallets and their passwords, network, database, log.
//!
//! | variable | what |
//! |---|---|
//! | `ASSAY_HUB__S3__ENDPOINT` | address of an S3-compatible server instead of AWS |
//! | `ASSAY_HUB__S3__REGION` | region of the bucket |
//! | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | keys; without them buckets are read anonymously |
//! | `ASSAY_HUB__PROXY` | address of an HTTP proxy |
//! | `HF_TOKEN` | token of the Hugging Face hub, for writing and for what is private |
//! | `HF_ENDPOINT` | address of a hub other than Hugging Face's own |
//! | `ASSAY_WALLET__PATH` | folder of the wallets instead of `~/.bittensor/wallets` |
//! | `BT_WALLET_PASSWORD`, `BT_PW_…` | password of encrypted keys, as the other wallets keep it (docs/wallets.md) |
//! | `ASSAY_NETWORK` | chain to use where `--network` is not given |
//! | `ASSAY_SERVE__DATABASE` | database of `assay serve` where `--database` is not given; keeps a password off the command line |
//! | `ASSAY_LOG` | what `assay serve` logs, such as `info` or `assay_server=debug` |
//! | `ASSAY_EVALUATE__PACK` | evaluation pack that `assay evaluate` uses without `--pack` and `--eval` |

use std::path::{Path, PathBuf};

use assay_chain::wallet::{Password, WalletError, password_from};
use assay_hub::store::StoreOptions;
use assay_hub::{OpenOptions, Secret};

/// Variables whose presence explains much; their values are never shown.
const TOLD: [&str; 12] = [
    "ASSAY_HUB__PROXY",
    "ASSAY_HUB__S3__ENDPOINT",
    "ASSAY_HUB__S3__REGION",
    "ASSAY_LOG",
    "ASSAY_NETWORK",
    "ASSAY_SERVE__DATABASE",
    "ASSAY_WALLET__PATH",
    "AWS_ACCESS_KEY_ID",
    "BT_WALLET_PASSWORD",
    "HF_ENDPOINT",
    "HF_TOKEN",
    "HTTPS_PROXY",
];

/// The names of variables that are set, for who helps.
pub(crate) fn names_set() -> Vec<&'static str> {
    TOLD.into_iter().filter(|name| variable(name).is_some()).collect()
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
pub(crate) fn start_log(is_json: bool) {
    let filter = variable("ASSAY_LOG").unwrap_or_else(|| "info,sqlx=warn".to_owned());
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

/// The evaluation pack to use if none is given.
pub(crate) fn evaluation_pack() -> Option<std::path::PathBuf> {
    variable("ASSAY_EVALUATE__PACK").map(std::path::PathBuf::from)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

//! What miner and validator commands share: the subnet's file, the chain, the key, and the walk from block to block.

use std::time::Duration;

use anyhow::Context as _;
use assay_agents::api::{ClientOptions, TaskApi};
use assay_agents::subnet::{AgentError, Courier, Setup};
use assay_chain::wallet::KeyPair;
use assay_chain::{At, Chain};
use assay_types::{BlockNumber, Hotkey, Round};
use subxt_signer::sr25519::Keypair;

use crate::cli::AgentArgs;
use crate::command::chain::open::{Opened, network_of, open};
use crate::command::operate::unit_file;
use crate::command::wallet;
use crate::config;
use crate::console::Console;
use crate::exit::UsageError;

/// How often the chain is asked for its newest block.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Longest wait for an answer of the Task API: less than a block, as a step waits for it.
const API_TIME_MAX: Duration = Duration::from_secs(4);

/// A service that is ready to work.
pub(super) struct Service {
    pub(super) setup: Setup,
    pub(super) opened: Opened,
    pub(super) signer: Keypair,
    /// The line to a Task API, if one was named.
    pub(super) courier: Option<Courier>,
    /// Held as long as the service runs: two on one folder would commit twice.
    _lock: fs_err::File,
}

/// Opens everything a service needs; each failure says its cure.
pub(super) async fn service(args: &AgentArgs, console: &Console) -> anyhow::Result<Service> {
    // What happens is told by the command itself; the log says what went wrong beside it.
    config::start_log(console.is_json(), "warn");
    let setup = Setup::load(&args.subnet, &config::store_options())?;
    let key = wallet::key_pair(&args.key.key(), console)?;
    let signer = key.signer()?;
    let courier = courier(args, key)?;
    fs_err::create_dir_all(&args.dir)?;
    let lock = fs_err::File::create(args.dir.join(".lock"))?;
    lock.file()
        .try_lock()
        .with_context(|| format!("another process works in `{}`", args.dir.display()))?;
    let opened = open(network_of(&args.network)?).await?;
    Ok(Service {
        setup,
        opened,
        signer,
        courier,
        _lock: lock,
    })
}

/// Prints a unit file that runs this very command.
pub(super) fn print_unit(kind: &str, console: &Console) -> anyhow::Result<()> {
    let program = std::env::current_exe().context("find this program")?;
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .filter(|argument| argument != "--print-unit")
        .collect();
    let folder = std::env::current_dir().context("find this folder")?;
    let unit = unit_file(kind, &program, &arguments, &folder);
    console.result("assay.unit-file/1", &unit, &[], || unit.clone())
}

/// The line to the Task API of `--api`.
fn courier(args: &AgentArgs, key: KeyPair) -> anyhow::Result<Option<Courier>> {
    let (Some(url), Some(address)) = (&args.api, &args.api_hotkey) else {
        return Ok(None);
    };
    let api = task_api(url, ("--api-hotkey", address), key, API_TIME_MAX)?;
    Ok(Some(Courier::new(api, &args.dir)))
}

/// A client of the Task API at `url` whose hotkey a flag gave as an address.
pub(super) fn task_api(
    url: &str,
    (flag, address): (&str, &str),
    key: KeyPair,
    time_max: Duration,
) -> anyhow::Result<TaskApi> {
    let server = Hotkey::from_ss58(address).map_err(|error| {
        UsageError::new(
            format!("{flag}: {error}"),
            "give the address that `assay serve` prints",
        )
    })?;
    let options = ClientOptions {
        url: url.to_owned(),
        server,
        time_max,
    };
    Ok(TaskApi::new(&options, key)?)
}

/// The newest block after `last`, or none if nothing new came for a while.
pub(super) async fn next_block(
    chain: &dyn Chain,
    last: Option<BlockNumber>,
    console: &Console,
) -> Option<BlockNumber> {
    match chain.head(At::Head).await {
        Ok(head) if last != Some(head.number) => Some(head.number),
        Ok(_) => {
            tokio::time::sleep(LOOK_EVERY).await;
            None
        }
        Err(error) => {
            console.note(&format!("chain: {error}"));
            tokio::time::sleep(LOOK_EVERY * 5).await;
            None
        }
    }
}

/// What to do about a step that failed: go on if the next block may do better.
pub(super) fn judge(error: AgentError, console: &Console) -> anyhow::Result<()> {
    if error.retry_is_safe() {
        console.note(&format!("to be tried again: {error}"));
        return Ok(());
    }
    Err(error.into())
}

/// Whether a service has done what it was asked for.
pub(super) fn is_done(setup: &Setup, until: Option<u32>, block: BlockNumber) -> bool {
    until.is_some_and(|round| block > setup.clock.effective_block(Round(round)))
}

/// A runtime for one service.
pub(super) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the runtime")?
        .block_on(work)
}

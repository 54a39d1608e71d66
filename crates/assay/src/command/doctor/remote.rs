//! What others must answer: the subnet's archives and store, the chain, the wallet's place on it, the Task API.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use assay_agents::subnet::{Setup, batch_repo};
use assay_chain::{At, Metagraph, Network};
use assay_hub::{Exchange, ExchangeRequest, open_range};
use assay_mechanism::clock::Clock;
use assay_refine::report;
use assay_types::{BlockNumber, Hotkey, Round};

use super::{Check, Job, State};
use crate::cli::{DoctorArgs, NetworkArgs, Role};
use crate::command::chain::open::{Opened, network_of, open};
use crate::command::chain::status::{age_seconds, clock};
use crate::command::services::block_on;
use crate::command::wallet;
use crate::config;
use crate::console::Console;

/// Bytes of an archive that are fetched to see how fast it comes.
const RANGE_BYTES: u64 = 1 << 20;
/// Seconds of a block of the real chain (docs/chain.md).
const BLOCK_SECONDS: u32 = 12;
/// Longest answer of the Task API's health.
const HEALTH_BYTES_MAX: usize = 64 << 10;

/// The subnet's file, if one was given and can be read.
pub(super) type Subnet = Option<Arc<Setup>>;

/// Reads the subnet's file, and says what became of that.
pub(super) fn load(path: Option<&Path>) -> (Subnet, Check) {
    const NAME: &str = "subnet";
    let Some(path) = path else {
        let found = "no file given; `--subnet FILE` also tries its archives and store";
        return (None, Check::skip(NAME, found));
    };
    match Setup::load(path, &config::store_options()) {
        Err(error) => {
            let cure = "give the subnet's file with `--subnet`";
            (None, Check::bad(NAME, State::Fail, error.to_string(), cure))
        }
        Ok(setup) => {
            let found = format!(
                "subnet {}, {}, {}",
                setup.netuid.0,
                report::counted(setup.corpus.len() as u64, "unit"),
                report::counted(setup.recipes().count() as u64, "recipe")
            );
            (Some(Arc::new(setup)), Check::ok(NAME, found))
        }
    }
}

/// Mean bytes of a unit's archive.
pub(super) fn unit_bytes(setup: &Setup) -> Option<u64> {
    let sum: u64 = setup
        .corpus
        .iter()
        .fold(0, |sum, unit| unit.bytes.0.saturating_add(sum));
    sum.checked_div(setup.corpus.len() as u64)
}

pub(super) fn jobs(args: DoctorArgs, setup: Subnet, time_max: Duration) -> Vec<Job> {
    let mut jobs = Vec::new();
    if let Some(setup) = &setup {
        let (archives, store) = (Arc::clone(setup), Arc::clone(setup));
        jobs.push(Job::new("archives", time_max, move || {
            vec![of_archives(&archives)]
        }));
        jobs.push(Job::new("store", time_max, move || vec![of_store(&store)]));
    }
    if let Some(url) = args.api.clone() {
        jobs.push(Job::new("server", time_max, move || {
            vec![of_server(&url, time_max)]
        }));
    }
    let (found, hotkey) = (args.clone(), args.clone());
    jobs.push(Job::new("wallet", time_max, move || vec![of_wallet(&found).1]));
    jobs.push(Job::new("chain", time_max, move || {
        let hotkey = of_wallet(&hotkey).0;
        let found = block_on(async { Ok(of_chain(&args, setup.as_deref(), hotkey).await) });
        found.unwrap_or_else(|error| {
            vec![Check::bad(
                "chain",
                State::Fail,
                format!("{error:#}"),
                "try again",
            )]
        })
    }));
    jobs
}

/// Fetches the beginning of the first unit's archive, as a validator does.
fn of_archives(setup: &Setup) -> Check {
    const NAME: &str = "archives";
    const CURE: &str = "look at `archives` in the subnet's file, and at the network";
    let Some(unit) = setup.corpus.first() else {
        return Check::bad(NAME, State::Warn, "the subnet has no work", "ask its owner");
    };
    let source = match setup.source(unit) {
        Ok(source) => source,
        Err(error) => return Check::bad(NAME, State::Fail, error.to_string(), CURE),
    };
    let begun = Instant::now();
    let length = RANGE_BYTES.min(unit.bytes.0);
    match open_range(&source, setup.open(), 0, length) {
        Ok(bytes) => {
            let seconds = begun.elapsed().as_secs_f64().max(1e-6);
            let speed = (bytes.len() as f64 / seconds) as u64;
            Check::ok(NAME, format!("read at {} a second", report::bytes(speed)))
        }
        Err(error) => Check::bad(NAME, State::Fail, error.to_string(), CURE),
    }
}

/// Asks the store for the revisions of a repository.
fn of_store(setup: &Setup) -> Check {
    const NAME: &str = "store";
    let asked = block_on(async {
        let repo = batch_repo(&Hotkey([0; 32]))?;
        Ok(setup.store.revisions(&repo).await)
    });
    match asked {
        // Nobody published there: the store has answered.
        Ok(Ok(_)) => Check::ok(NAME, format!("`{}` answers", setup.store.address())),
        Ok(Err(error)) if !error.retry_is_safe() => {
            Check::ok(NAME, format!("`{}` answers", setup.store.address()))
        }
        Ok(Err(error)) => Check::bad(
            NAME,
            State::Fail,
            error.to_string(),
            "look at the network and at HF_ENDPOINT",
        ),
        Err(error) => Check::bad(NAME, State::Fail, format!("{error:#}"), "try again"),
    }
}

fn of_server(url: &str, time_max: Duration) -> Check {
    const NAME: &str = "server";
    let asked = block_on(async {
        let request = ExchangeRequest {
            method: "GET",
            target: "/v1/health",
            headers: Vec::new(),
            body: Vec::new(),
            bytes_max: HEALTH_BYTES_MAX,
        };
        Ok(Exchange::new(url, time_max)?.send(request).await?)
    });
    match asked {
        Ok(answer) if answer.status == 200 => Check::ok(NAME, "the Task API is well"),
        Ok(answer) => Check::bad(
            NAME,
            State::Warn,
            format!("the Task API answers with status {}", answer.status),
            "nothing depends on it: work goes on from the chain",
        ),
        Err(error) => Check::bad(
            NAME,
            State::Fail,
            format!("{error:#}"),
            "look at `--api`, or leave it out",
        ),
    }
}

/// The chain, this machine's clock against it, the key's place on it, and when scores can come.
async fn of_chain(args: &DoctorArgs, setup: Option<&Setup>, hotkey: Option<Hotkey>) -> Vec<Check> {
    let mut checks = Vec::new();
    let is_asked = args.network.network.is_some() || config::network().is_some() || setup.is_some();
    if !is_asked {
        checks.push(Check::skip("chain", "not asked; name it with `--network`"));
        return checks;
    }
    let (opened, has_real_time) = match connect(&args.network).await {
        Ok(found) => found,
        Err(error) => {
            let cure = "look at `--network` and at the network; `assay chain status` says more";
            checks.push(Check::bad("chain", State::Fail, format!("{error:#}"), cure));
            return checks;
        }
    };
    match looked_at(&opened, has_real_time, args.role, setup, hotkey).await {
        Ok(found) => checks.extend(found),
        Err(error) => checks.push(Check::bad(
            "chain",
            State::Fail,
            format!("{error:#}"),
            "try again",
        )),
    }
    checks
}

async fn connect(args: &NetworkArgs) -> anyhow::Result<(Opened, bool)> {
    let network = network_of(args)?;
    // The embedded chain keeps a time of its own.
    let has_real_time = !matches!(network, Network::Embedded(_));
    Ok((open(network).await?, has_real_time))
}

async fn looked_at(
    opened: &Opened,
    has_real_time: bool,
    role: Option<Role>,
    setup: Option<&Setup>,
    hotkey: Option<Hotkey>,
) -> anyhow::Result<Vec<Check>> {
    let head = opened.chain.head(At::Head).await?;
    let runtime = opened
        .spec_version
        .map_or_else(String::new, |version| format!(", runtime {version}"));
    let found = format!("`{}`, block {}{runtime}", opened.chain.network(), head.number);
    let mut checks = vec![if opened.lacks.is_empty() {
        Check::ok("chain", found)
    } else {
        let lacks = opened.lacks.join(", ");
        Check::bad(
            "chain",
            State::Warn,
            format!("{found}, without {lacks}"),
            "update assay: the runtime is newer",
        )
    }];
    if has_real_time {
        checks.push(match clock(age_seconds(head.time_ms)) {
            None => Check::ok(
                "clock",
                format!("the head is {} s old", age_seconds(head.time_ms)),
            ),
            Some(odd) => Check::bad(
                "clock",
                State::Fail,
                odd,
                "set the clock by NTP (`timedatectl set-ntp true`)",
            ),
        });
    }
    if let Some(setup) = setup {
        let metagraph = opened.chain.metagraph(setup.netuid, At::Head).await?;
        checks.extend(hotkey.map(|hotkey| of_place(&metagraph, &hotkey, setup.netuid.0, role)));
        checks.push(first_score(&setup.clock, head.number));
    }
    Ok(checks)
}

/// The public half of the hotkey, and whether it is there.
fn of_wallet(args: &DoctorArgs) -> (Option<Hotkey>, Check) {
    // Without a terminal: nobody is asked for a password.
    match wallet::public(&args.key.key(), &Console::json()) {
        Ok(public) => {
            let hotkey = Hotkey(public);
            (Some(hotkey), Check::ok("wallet", format!("hotkey {hotkey}")))
        }
        Err(error) => {
            let needs_key = matches!(args.role, Some(Role::Miner | Role::Validator));
            let state = if needs_key { State::Fail } else { State::Skip };
            let cure = format!(
                "`assay wallet new {} --hotkey {}`",
                args.key.wallet, args.key.hotkey
            );
            (None, Check::bad("wallet", state, format!("{error:#}"), cure))
        }
    }
}

fn of_place(metagraph: &Metagraph, hotkey: &Hotkey, netuid: u16, role: Option<Role>) -> Check {
    const NAME: &str = "place";
    let Some(neuron) = metagraph.neuron(hotkey) else {
        let found = format!("the hotkey is not registered on subnet {netuid}");
        let cure = format!("`assay chain register --netuid {netuid}`; it costs TAO");
        return Check::bad(NAME, State::Fail, found, cure);
    };
    let found = format!("uid {}, stake {}", neuron.uid, neuron.stake);
    if role == Some(Role::Validator) && !neuron.permit {
        let cure =
            format!("`assay chain stake --netuid {netuid}`: the validators with most stake have a permit");
        return Check::bad(
            NAME,
            State::Warn,
            format!("{found}, without a permit to validate"),
            cure,
        );
    }
    Check::ok(NAME, found)
}

/// When the next round that can still be joined pays.
fn first_score(clock: &Clock, head: BlockNumber) -> Check {
    let next = (0..)
        .map(|ahead| {
            Round(
                clock
                    .round_of(head)
                    .map_or(0, |round| round.0)
                    .saturating_add(ahead),
            )
        })
        .take(4)
        .find(|round| clock.assignment_block(*round) > head);
    let Some(round) = next else {
        return Check::skip("score", "no round is near");
    };
    let minutes = |block: BlockNumber| block.0.saturating_sub(head.0).saturating_mul(BLOCK_SECONDS) / 60;
    Check::ok(
        "score",
        format!(
            "round {round} is given out in {} min, its scores count in {} min, at {BLOCK_SECONDS} s a block",
            minutes(clock.assignment_block(round)),
            minutes(clock.effective_block(round))
        ),
    )
}

//! The suite on a node that is not ours: `ASSAY_TEST_SUBTENSOR=ws://…` (docs/chain.md, "The suite on a node").
//!
//! Nobody here is root there, makes blocks or money, and a subnet costs a lock. So all cases share one subnet, of
//! `ASSAY_TEST_NETUID` or made once, with keys of their own; `//Alice` is rich and pays for all of it, one transaction at a time.
//! What a runtime, its limits or the time do not allow ends a case as skipped, with the reason.

use std::process::Command;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use assay_chain::embedded::Remote;
use assay_chain::reveal::{BlockClock, reveal_of};
use assay_chain::sealed::{Seal, sealed_weights};
use assay_chain::subtensor::{Committed, Subtensor, await_reveal};
use assay_chain::timelock::Entropy;
use assay_chain::{At, Call, Chain, ChainError, ChainErrorKind, CommitmentField};
use assay_types::{MechId, NetUid, Weight};
use subxt_signer::sr25519::Keypair;
use tokio::sync::{Mutex, OnceCell};

use super::world::{Control, Skip, World, hotkey, key, register};

/// Cases that hold on a subnet that others use, too, and that need neither root nor new money.
pub(super) const CASES: &[&str] = &[
    "registering_twice_is_refused",
    "registering_where_no_subnet_is_is_refused",
    "registering_on_the_root_is_refused",
    "registering_without_money_is_refused",
    "registering_above_the_limit_price_is_refused",
    "one_coldkey_may_own_several_hotkeys",
    "a_commitment_is_read_back_with_its_block",
    "a_new_commitment_replaces_the_old",
    "three_fields_fit_and_four_do_not",
    "a_hash_is_read_back",
    "only_registered_hotkeys_commit",
    "a_field_that_is_too_long_is_not_sent",
    "commitments_of_no_subnet_are_not_found",
    "the_owner_sets_a_hyperparameter",
    "the_owner_may_not_set_what_is_roots",
    "a_receipt_names_block_and_events",
    "heads_come_in_order_without_gaps",
    "a_block_that_is_not_there_is_not_found",
];

/// Blocks a case may wait for, unless `ASSAY_TEST_BLOCKS_MAX` says another number.
const BLOCKS_MAX: u32 = 60;

tokio::task_local! {
    /// What is put behind the names of keys, so that no case and no run meets the keys of another.
    pub(super) static SUFFIX: String;
}

/// Ends the case as skipped, without the words of a panic.
pub(super) fn skip(why: impl Into<String>) -> ! {
    std::panic::resume_unwind(Box::new(Skip(why.into())))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Most blocks that are waited for.
pub(super) fn blocks_max() -> u32 {
    variable("ASSAY_TEST_BLOCKS_MAX").map_or(BLOCKS_MAX, |blocks| blocks.parse().unwrap())
}

/// The suffix of a case's keys: seconds tell runs apart.
pub(super) fn suffix(case: &str) -> String {
    format!("-{case}-{}", run())
}

fn run() -> u64 {
    static RUN: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    *RUN.get_or_init(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
}

/// The chain of `ASSAY_TEST_SUBTENSOR`: a subtensor node, or an embedded chain in a process of its own.
pub(super) async fn of_environment() -> Option<World> {
    let Some(url) = variable("ASSAY_TEST_SUBTENSOR") else {
        println!("skipped: ASSAY_TEST_SUBTENSOR names no node");
        return None;
    };
    if let Ok(remote) = Remote::connect(&url, None).await {
        return Some(World::over(Arc::new(remote.chain()), Control::Node(None)));
    }
    let node = Arc::new(Subtensor::connect(url.parse().unwrap()).await.unwrap());
    let chain: Arc<dyn Chain> = node.clone();
    Some(World::over(chain, Control::Node(Some(node))))
}

/// One of the rich key's transactions after the other: cases run at once, each with a connection of its own.
static OWNER: Mutex<()> = Mutex::const_new(());

/// Submits; a call that only has to wait some blocks is sent again once, and what cannot be done there skips the case.
pub(super) async fn submit(
    world: &World,
    call: &Call,
    signer: &Keypair,
) -> Result<assay_chain::Receipt, ChainError> {
    let is_owner = signer.public_key().0 == key("owner").public_key().0;
    let mut waited = false;
    loop {
        let turn = if is_owner { Some(OWNER.lock().await) } else { None };
        let result = world.chain.submit(call, signer).await;
        drop(turn);
        match result {
            Err(error) if matches!(error.kind, ChainErrorKind::Unsupported { .. }) => skip(error.to_string()),
            Err(error) => match &error.kind {
                ChainErrorKind::Preflight {
                    wait_blocks: Some(blocks),
                    ..
                } if !waited && *blocks < blocks_max() => {
                    waited = true;
                    world.advance(*blocks + 1).await;
                }
                _ => return Err(error),
            },
            receipt => return receipt,
        }
    }
}

/// Ends the case as skipped if an error is one of limits, of money or of time, which no case is about.
pub(super) fn skip_limits(error: &ChainError) {
    const LIMITS: &[&str] = &[
        "AdminActionProhibitedDuringWeightsWindow",
        "CannotAffordLockCost",
        "NetworkTxRateLimitExceeded",
        "RateLimitExceeded",
        "SubNetRegistrationDisabled",
        "SubnetLimitReached",
        "TooManyRegistrationsThisBlock",
        "TooManyRegistrationsThisInterval",
        "TxRateLimitExceeded",
    ];
    let is_limit = error.name().is_some_and(|name| LIMITS.contains(&name));
    let waits = matches!(
        error.kind,
        ChainErrorKind::Preflight {
            wait_blocks: Some(_),
            ..
        }
    );
    if is_limit || waits {
        skip(error.to_string());
    }
}

/// Whether an error is the one named `Pallet.Name`: the client may have found it before sending, where it has no pallet and
/// a missing subnet has no name, and the pool numbers some errors otherwise than the pallet names them.
pub(super) fn is_named(error: &ChainError, expected: &str) -> bool {
    let wanted = expected.rsplit(['.', ' ']).next().unwrap_or(expected);
    if matches!(error.kind, ChainErrorKind::NotFound { .. }) {
        return matches!(wanted, "SubnetNotExists" | "SubnetDoesNotExist");
    }
    let found = error.name().unwrap_or_default();
    let same: &[&[&str]] = &[
        &["BalanceTooLow", "NotEnoughBalanceToStake", "CannotAffordLockCost"],
        &[
            "UidNotFound",
            "HotKeyNotRegisteredInSubNet",
            "HotKeyNotRegisteredInNetwork",
        ],
        &["SubnetNotExists", "SubnetDoesNotExist"],
        &[
            "RateLimitExceeded",
            "SettingWeightsTooFast",
            "CommittingWeightsTooFast",
        ],
    ];
    found == wanted
        || same
            .iter()
            .any(|names| names.contains(&found) && names.contains(&wanted))
}

/// The subnet all cases share.
pub(super) async fn shared_subnet(world: &World) -> NetUid {
    static SHARED: OnceCell<Option<NetUid>> = OnceCell::const_new();
    let found = SHARED.get_or_init(|| async {
        if let Some(netuid) = variable("ASSAY_TEST_NETUID") {
            return Some(NetUid(netuid.parse().unwrap()));
        }
        made(world).await
    });
    match *found.await {
        Some(netuid) => netuid,
        None => skip("no subnet can be made there now; name one in ASSAY_TEST_NETUID"),
    }
}

/// A new subnet of the rich key, started; none if the chain takes none now.
async fn made(world: &World) -> Option<NetUid> {
    let name = format!("owner-hot-{}", run());
    let own = SUFFIX.scope(String::new(), async { hotkey(&name) }).await;
    let create = Call::RegisterNetwork {
        hotkey: own,
        identity: None,
    };
    let owner = key("owner");
    if let Err(error) = world.chain.submit(&create, &owner).await {
        println!("no subnet: {error}");
        return None;
    }
    for netuid in (1..=128).map(NetUid) {
        let metagraph = world.chain.metagraph(netuid, At::Head).await;
        if metagraph.is_ok_and(|metagraph| metagraph.owner_hotkey == Some(own)) {
            // Some runtimes want a subnet to be some blocks old; without a start no case here fails.
            if let Err(error) = world.chain.submit(&Call::StartCall { netuid }, &owner).await {
                println!("not started: {error}");
            }
            return Some(netuid);
        }
    }
    panic!("the new subnet is not there");
}

/// Makes tests of cases of a node alone; without one they are skipped.
macro_rules! alone {
    ($($case:ident: $run:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                let name = stringify!($case);
                let case = async {
                    if let Some(world) = of_environment().await {
                        $run(&world).await;
                    }
                };
                let case = tokio::spawn(SUFFIX.scope(suffix(name), case));
                super::end_of(name, case.await);
            }
        )+
    };
}

alone! {
    heads_are_followed_through_a_restart_of_the_node: restarted,
    an_upgrade_of_the_node_is_met: upgraded,
    weights_are_sealed_and_revealed_by_the_defaults_of_the_node: sealed_by_defaults,
}

/// Runs the shell command of a variable; without one the case is skipped.
async fn ordered(name: &str) {
    let Some(command) = variable(name) else {
        skip(format!("{name} names no command"));
    };
    let run = move || Command::new("sh").args(["-c", &command]).status().unwrap();
    let status = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(status.success(), "{name}: {status}");
}

async fn restarted(world: &World) {
    let mut heads = world.chain.heads().await.unwrap();
    let first = heads.next().await.unwrap().unwrap().number.0;
    ordered("ASSAY_TEST_SUBTENSOR_RESTART").await;
    let (mut next, mut losses) = (first + 1, 0);
    while next <= first + 10 {
        match heads.next().await.unwrap() {
            Ok(head) => {
                assert_eq!(head.number.0, next, "each number once, in order");
                next += 1;
            }
            Err(error) => {
                assert!(error.retry_is_safe(), "{error}");
                losses += 1;
            }
        }
    }
    println!("{losses} losses were told");
    assert!(world.head().await >= first + 10, "reads work again");
}

async fn upgraded(world: &World) {
    let before = world.spec_version().await;
    let netuid = shared_subnet(world).await;
    let parameters = world.chain.hyperparameters(netuid, At::Head).await.unwrap();
    ordered("ASSAY_TEST_SUBTENSOR_UPGRADE").await;
    let mut waited = 0;
    while world.spec_version().await == before {
        assert!(waited < blocks_max(), "still {before} after {waited} blocks");
        world.advance(1).await;
        waited += 1;
    }
    println!(
        "{before}, then {} after {waited} blocks",
        world.spec_version().await
    );
    let after = world.chain.hyperparameters(netuid, At::Head).await.unwrap();
    assert_eq!(after.tempo, parameters.tempo);
    world.ok(register(netuid, "m"), "m-cold").await;
    let fields = vec![CommitmentField::Plain(b"after".to_vec())];
    world.ok(Call::SetCommitment { netuid, fields }, "m").await;
}

/// A miner's weight on itself, which needs no permit, sealed by what the chain says of its epochs.
async fn sealed_by_defaults(world: &World) {
    let netuid = shared_subnet(world).await;
    let parameters = world.chain.hyperparameters(netuid, At::Head).await.unwrap();
    if !parameters.commit_reveal {
        skip("commit-reveal is off there");
    }
    let rate = u32::try_from(parameters.weights_rate_limit).unwrap_or(u32::MAX);
    if rate >= blocks_max() {
        skip(format!(
            "a new neuron waits {rate} blocks: raise ASSAY_TEST_BLOCKS_MAX"
        ));
    }
    let uid = world.register(netuid, "v").await;
    world.advance(rate + 1).await;
    let head = world.chain.head(At::Head).await.unwrap();
    let state = world.epoch_state(netuid).await;
    let clock = BlockClock {
        now_ms: head.time_ms,
        block_ms: world.chain.block_time_ms().await.unwrap(),
    };
    let reveal = reveal_of(&state, netuid, clock).unwrap();
    let beacon = world.chain.beacon(At::Head).await.unwrap();
    let seal = Seal {
        beacon: &beacon,
        round: reveal.round,
    };
    let row = [(uid, Weight(65_535))];
    let call = sealed_weights(
        (netuid, MechId(0)),
        (&hotkey("v"), parameters.version_key),
        &row,
        seal,
        &Entropy::random().unwrap(),
    )
    .unwrap();
    let receipt = world.ok(call.clone(), "v").await;
    let Call::CommitTimelockedWeights { commit, .. } = &call else {
        panic!("{call:?}");
    };
    let committed = Committed::new(
        (netuid, MechId(0)),
        hotkey("v"),
        commit,
        (receipt.block, reveal.round),
        &row,
    );
    let open = world
        .chain
        .pending_commits(netuid, MechId(0), At::Head)
        .await
        .unwrap();
    assert!(
        open.iter().any(|found| found.commit == committed.commit),
        "{open:?}"
    );
    let wait = reveal.block.0.saturating_sub(receipt.block.0);
    if wait >= blocks_max() {
        skip(format!("committed and open; its reveal is {wait} blocks away"));
    }
    let block = await_reveal(&*world.chain, &committed).await.unwrap();
    println!("committed in block {}, revealed in block {block}", receipt.block);
    assert_eq!(world.row(netuid, 0, uid).await, [(uid.0, 65_535)]);
}

#[test]
fn errors_found_before_sending_are_those_of_the_chain() {
    let refused = |name: &str| {
        ChainError::new(
            "x",
            ChainErrorKind::Preflight {
                name: name.to_owned(),
                reason: String::new(),
                wait_blocks: None,
            },
        )
    };
    let twice = refused("HotKeyAlreadyRegisteredInSubNet");
    assert!(is_named(
        &twice,
        "SubtensorModule.HotKeyAlreadyRegisteredInSubNet"
    ));
    assert!(!is_named(&twice, "SubtensorModule.SubnetNotExists"));
    let what = "subnet 4000".to_owned();
    let nowhere = ChainError::new("x", ChainErrorKind::NotFound { what });
    assert!(is_named(&nowhere, "SubtensorModule.SubnetNotExists"));
    assert!(!is_named(&nowhere, "Commitments.AccountNotAllowedCommit"));
    let pool = ChainErrorKind::Pool {
        code: 1010,
        custom: Some(2),
        message: String::new(),
    };
    assert!(is_named(
        &ChainError::new("x", pool),
        "SubtensorModule.NotEnoughBalanceToStake"
    ));
    assert!(is_named(
        &refused("SpaceLimitExceeded"),
        "not sent: SpaceLimitExceeded"
    ));
}

#[test]
fn every_case_of_a_node_is_one_of_the_suite() {
    for case in CASES {
        assert!(super::CASES.contains(case), "{case}");
    }
}

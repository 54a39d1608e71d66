//! Reads what the rules of [`crate::preflight`] look at, before anything is signed.
//!
//! A rule whose storage a runtime lacks is left to the chain. Space of commitments: opentensor/subtensor 14bc6f9,
//! `pallets/commitments/src/lib.rs`.

use assay_types::{BlockNumber, Hotkey, MechId, NetUid, Rao, Uid};
use subxt::ext::scale_value::Value;

use crate::preflight::{Registration, Weigher, WeightsCall, refused, unregistered};
use crate::subtensor::client::Client;
use crate::subtensor::decode::epoch;
use crate::subtensor::decode::metagraph::require_subnet;
use crate::subtensor::decode::weights::{pending, storage_index};
use crate::subtensor::encode::{COMMITMENTS, SUBTENSOR};
use crate::subtensor::hyperparameters;
use crate::subtensor::node::Node;
use crate::subtensor::view::View;
use crate::{At, Call, ChainError, ChainErrorKind, CommitmentField, EpochState};

/// Least bytes a commitment counts as.
const COMMITMENT_BYTES_MIN: u64 = 100;

/// Checks `call` of `account` against the newest block.
///
/// # Errors
/// [`ChainErrorKind::Preflight`] with the chain's name of the error, or what reading failed with.
pub(crate) async fn check(client: &Client, call: &Call, account: [u8; 32]) -> Result<(), ChainError> {
    let view = client.view(call.name(), At::Head).await?;
    match call {
        Call::SetCommitment { netuid, fields } => commitment(&view, *netuid, fields, account).await,
        Call::SetWeights { .. } | Call::CommitTimelockedWeights { .. } => weights(&view, call, account).await,
        Call::Register { .. } => register(&view, call, account).await,
        Call::StartCall { netuid } | Call::SetSubnetIdentity { netuid, .. } => {
            require_subnet(&view, *netuid).await
        }
        _ => Ok(()),
    }
}

/// The uid of a hotkey, if it has one.
async fn uid_of(view: &View<'_>, netuid: NetUid, hotkey: [u8; 32]) -> Result<Option<Uid>, ChainError> {
    require_subnet(view, netuid).await?;
    let keys = [Value::from(netuid.0), Value::from_bytes(hotkey)];
    let uid = view.value(SUBTENSOR, "Uids", &keys).await?;
    Ok(uid
        .as_ref()
        .and_then(Node::optional)
        .and_then(Node::number)
        .map(Uid))
}

async fn commitment(
    view: &View<'_>,
    netuid: NetUid,
    fields: &[CommitmentField],
    account: [u8; 32],
) -> Result<(), ChainError> {
    if uid_of(view, netuid, account).await?.is_none() {
        let kind = unregistered("AccountNotAllowedCommit", &Hotkey(account), netuid);
        return Err(view.error(kind));
    }
    let keys = vec![Value::from(netuid.0), Value::from_bytes(account)];
    let values = view
        .values(&[
            (COMMITMENTS, "UsedSpaceOf", keys),
            (COMMITMENTS, "MaxSpace", Vec::new()),
        ])
        .await?;
    let [Some(used), Some(most)] = values.as_slice() else {
        return Ok(());
    };
    let (Some(most), Some(last_epoch)) = (most.number::<u64>(), used.field("last_epoch")) else {
        return Ok(());
    };
    let epoch = epoch::state(view, netuid).await?;
    let used: u64 = if last_epoch.number() == Some(epoch.epoch_index) {
        used.field("used_space")
            .and_then(Node::number)
            .unwrap_or_default()
    } else {
        0
    };
    let bytes: usize = fields.iter().map(field_bytes).sum();
    let cost = COMMITMENT_BYTES_MIN.max(bytes as u64);
    if used.saturating_add(cost) <= most {
        return Ok(());
    }
    let reason = format!("{used} of {most} bytes of this epoch are used, this commitment takes {cost}");
    Err(view.error(ChainErrorKind::Preflight {
        name: "SpaceLimitExceeded".to_owned(),
        reason,
        wait_blocks: Some(epoch_wait(&epoch)),
    }))
}

fn field_bytes(field: &CommitmentField) -> usize {
    match field {
        CommitmentField::Plain(bytes) => bytes.len(),
        CommitmentField::Blake2(_) => 32,
        CommitmentField::Timelocked { ciphertext, .. } => ciphertext.len(),
    }
}

/// What [`weights`] looks up once.
struct Found {
    uid: Option<Uid>,
    last_update: u64,
    may_weigh: bool,
    last_round: u64,
    neurons: usize,
}

async fn weights(view: &View<'_>, call: &Call, account: [u8; 32]) -> Result<(), ChainError> {
    let (Call::SetWeights { netuid, mecid, .. } | Call::CommitTimelockedWeights { netuid, mecid, .. }) = call
    else {
        return Ok(());
    };
    let hotkey = Hotkey(account);
    let found = find(view, (*netuid, *mecid), account).await?;
    let hyperparameters = hyperparameters::read(view, *netuid).await?;
    let weigher = Weigher {
        netuid: *netuid,
        hotkey: &hotkey,
        uid: found.uid,
        may_weigh: found.may_weigh,
        last_update: Some(BlockNumber(u32::try_from(found.last_update).unwrap_or(u32::MAX))),
        neurons: found.neurons,
        block: view.head.number,
        hyperparameters: &hyperparameters,
    };
    match call {
        Call::SetWeights {
            weights, version_key, ..
        } => weigher.check_set(&WeightsCall {
            mecid: *mecid,
            weights,
            version_key: *version_key,
        }),
        Call::CommitTimelockedWeights { reveal_round, .. } => {
            weigher.check_commit(*mecid, *reveal_round, found.last_round)
        }
        _ => Ok(()),
    }
    .map_err(|kind| view.error(kind))?;
    if matches!(call, Call::CommitTimelockedWeights { .. })
        && view.runtime.has_storage(SUBTENSOR, "TimelockedWeightCommits")
    {
        let state = epoch::state(view, *netuid).await?;
        let open = pending(view, *netuid, *mecid).await?;
        let own =
            |commit: &&crate::PendingCommit| commit.hotkey.0 == account && commit.epoch == state.epoch_index;
        let open = open.iter().filter(own).count();
        Weigher::check_open_commits(open, epoch_wait(&state)).map_err(|kind| view.error(kind))?;
    }
    Ok(())
}

/// Blocks until the next epoch.
fn epoch_wait(state: &EpochState) -> u32 {
    let wait = u64::from(state.tempo).saturating_sub(state.blocks_since_last_step) + 1;
    u32::try_from(wait).unwrap_or(u32::MAX)
}

async fn find(
    view: &View<'_>,
    (netuid, mecid): (NetUid, MechId),
    account: [u8; 32],
) -> Result<Found, ChainError> {
    let uid = uid_of(view, netuid, account).await?;
    let index = storage_index(netuid, mecid);
    let values = view
        .values(&[
            (SUBTENSOR, "LastUpdate", vec![Value::from(index)]),
            (SUBTENSOR, "ValidatorPermit", vec![Value::from(netuid.0)]),
            (SUBTENSOR, "SubnetOwnerHotkey", vec![Value::from(netuid.0)]),
            ("Drand", "LastStoredRound", Vec::new()),
            (SUBTENSOR, "SubnetworkN", vec![Value::from(netuid.0)]),
        ])
        .await?;
    let value = |at: usize| values.get(at).and_then(Option::as_ref);
    let updates: Vec<u64> = value(0).and_then(Node::numbers).unwrap_or_default();
    let permits = value(1).and_then(Node::list).unwrap_or_default();
    let is_owner = value(2).and_then(Node::bytes32) == Some(account);
    let place = uid.map(|uid| usize::from(uid.0));
    let permit = place.and_then(|at| permits.get(at)).and_then(Node::truth);
    Ok(Found {
        uid,
        last_update: place.and_then(|at| updates.get(at)).copied().unwrap_or_default(),
        may_weigh: permit.unwrap_or_default() || is_owner,
        last_round: value(3).and_then(Node::number).unwrap_or_default(),
        // A runtime that does not say leaves the rules of the count to itself.
        neurons: value(4).and_then(Node::number).unwrap_or(usize::MAX),
    })
}

async fn register(view: &View<'_>, call: &Call, coldkey: [u8; 32]) -> Result<(), ChainError> {
    let Call::Register {
        netuid,
        hotkey,
        limit_price,
    } = call
    else {
        return Ok(());
    };
    if *netuid == NetUid(0) {
        let reason = "subnet 0 is the network's root".to_owned();
        return Err(view.error(refused("RegistrationNotPermittedOnRootSubnet", reason)));
    }
    require_subnet(view, *netuid).await?;
    let subnet = Value::from(netuid.0);
    let values = view
        .values(&[
            (SUBTENSOR, "NetworkRegistrationAllowed", vec![subnet.clone()]),
            (
                SUBTENSOR,
                "Uids",
                vec![subnet.clone(), Value::from_bytes(hotkey.0)],
            ),
            (SUBTENSOR, "Burn", vec![subnet]),
            ("System", "Account", vec![Value::from_bytes(coldkey)]),
        ])
        .await?;
    let value = |at: usize| values.get(at).and_then(Option::as_ref);
    let uid = value(1).and_then(Node::optional).and_then(Node::number);
    let free = value(3).and_then(|account| account.field("data")?.field("free")?.number());
    let registration = Registration {
        allowed: value(0).and_then(Node::truth).unwrap_or(true),
        uid: uid.map(Uid),
        burn: Rao(value(2).and_then(Node::number).unwrap_or_default()),
        limit: *limit_price,
        balance: Rao(free.unwrap_or_default()),
    };
    registration.check().map_err(|kind| view.error(kind))
}

//! What the chain would refuse, found before anything is signed, with the values and the blocks to wait.
//!
//! Rules and their order: opentensor/subtensor 14bc6f9, `pallets/subtensor/src/subnets/weights.rs`, `registration.rs`
//! and `pallets/commitments/src/lib.rs`. A rule whose storage a runtime lacks is left to the chain.

use assay_types::{BlockNumber, NetUid, Uid, Weight};
use subxt::ext::scale_value::Value;

use crate::preflight::OPEN_COMMITS_MAX;
use crate::subtensor::client::Client;
use crate::subtensor::decode::epoch;
use crate::subtensor::decode::metagraph::require_subnet;
use crate::subtensor::decode::weights::{pending, storage_index};
use crate::subtensor::encode::{COMMITMENTS, SUBTENSOR};
use crate::subtensor::hyperparameters;
use crate::subtensor::node::Node;
use crate::subtensor::view::View;
use crate::{At, Call, ChainError, ChainErrorKind, CommitmentField, Hyperparameters};

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

/// The refusal `name`, for `reason`.
fn refusal(view: &View<'_>, name: &str, reason: String, wait_blocks: Option<u64>) -> ChainError {
    view.error(ChainErrorKind::Preflight {
        name: name.to_owned(),
        reason,
        wait_blocks: wait_blocks.map(|blocks| u32::try_from(blocks).unwrap_or(u32::MAX)),
    })
}

/// The uid of a hotkey; the error of the call if it has none.
async fn uid_of(view: &View<'_>, netuid: NetUid, hotkey: [u8; 32], name: &str) -> Result<Uid, ChainError> {
    require_subnet(view, netuid).await?;
    let keys = [Value::from(netuid.0), Value::from_bytes(hotkey)];
    let uid = view.value(SUBTENSOR, "Uids", &keys).await?;
    if let Some(uid) = uid.as_ref().and_then(Node::optional).and_then(Node::number) {
        return Ok(Uid(uid));
    }
    let hotkey = assay_types::ss58::encode(&hotkey);
    let reason = format!("hotkey {hotkey} is not registered on subnet {netuid}");
    Err(refusal(view, name, reason, None))
}

async fn commitment(
    view: &View<'_>,
    netuid: NetUid,
    fields: &[CommitmentField],
    account: [u8; 32],
) -> Result<(), ChainError> {
    uid_of(view, netuid, account, "AccountNotAllowedCommit").await?;
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
    let wait = u64::from(epoch.tempo).saturating_sub(epoch.blocks_since_last_step) + 1;
    Err(refusal(view, "SpaceLimitExceeded", reason, Some(wait)))
}

fn field_bytes(field: &CommitmentField) -> usize {
    match field {
        CommitmentField::Plain(bytes) => bytes.len(),
        CommitmentField::Blake2(_) => 32,
        CommitmentField::Timelocked { ciphertext, .. } => ciphertext.len(),
    }
}

async fn weights(view: &View<'_>, call: &Call, account: [u8; 32]) -> Result<(), ChainError> {
    let (Call::SetWeights { netuid, mecid, .. } | Call::CommitTimelockedWeights { netuid, mecid, .. }) = call
    else {
        return Ok(());
    };
    let uid = uid_of(view, *netuid, account, "HotKeyNotRegisteredInSubNet").await?;
    let parameters = hyperparameters::read(view, *netuid).await?;
    let index = storage_index(*netuid, *mecid);
    let values = view
        .values(&[
            (SUBTENSOR, "LastUpdate", vec![Value::from(index)]),
            (SUBTENSOR, "ValidatorPermit", vec![Value::from(netuid.0)]),
            (SUBTENSOR, "SubnetOwnerHotkey", vec![Value::from(netuid.0)]),
            ("Drand", "LastStoredRound", Vec::new()),
        ])
        .await?;
    let value = |at: usize| values.get(at).and_then(Option::as_ref);
    let place = usize::from(uid.0);
    let updates: Vec<u64> = value(0).and_then(Node::numbers).unwrap_or_default();
    let permits = value(1).and_then(Node::list).unwrap_or_default();
    let is_owner = value(2).and_then(Node::bytes32) == Some(account);
    let limits = Limits {
        last_update: updates.get(place).copied().unwrap_or_default(),
        permit: permits.get(place).and_then(Node::truth).unwrap_or_default() || is_owner,
        last_round: value(3).and_then(Node::number).unwrap_or_default(),
        now: view.head.number,
        neurons: updates.len(),
        parameters,
    };
    if let Some((name, reason, wait)) = limits.refuses(call, uid) {
        return Err(refusal(view, name, reason, wait));
    }
    if matches!(call, Call::CommitTimelockedWeights { .. })
        && view.runtime.has_storage(SUBTENSOR, "TimelockedWeightCommits")
    {
        let state = epoch::state(view, *netuid).await?;
        let open = pending(view, *netuid, *mecid).await?;
        let own =
            |commit: &&crate::PendingCommit| commit.hotkey.0 == account && commit.epoch == state.epoch_index;
        let open = open.iter().filter(own).count();
        if open >= OPEN_COMMITS_MAX {
            let reason = format!("{open} commits of this epoch wait to be revealed");
            let wait = u64::from(state.tempo).saturating_sub(state.blocks_since_last_step) + 1;
            return Err(refusal(view, "TooManyUnrevealedCommits", reason, Some(wait)));
        }
    }
    Ok(())
}

/// What decides whether weights are taken.
#[derive(Debug)]
struct Limits {
    last_update: u64,
    permit: bool,
    last_round: u64,
    now: BlockNumber,
    neurons: usize,
    parameters: Hyperparameters,
}

type Refusal = (&'static str, String, Option<u64>);

impl Limits {
    /// The first rule that `call` of `uid` breaks.
    fn refuses(&self, call: &Call, uid: Uid) -> Option<Refusal> {
        // The call runs in the next block at the earliest.
        let since = (u64::from(self.now.0) + 1).saturating_sub(self.last_update);
        let wait = self.parameters.weights_rate_limit.saturating_sub(since);
        let soon = (self.last_update > 0 && wait > 0)
            .then(|| format!("{since} blocks since the last weights, {wait} to wait"));
        match call {
            Call::CommitTimelockedWeights { reveal_round, .. } => {
                if *reveal_round < self.last_round {
                    let reason = format!("round {reveal_round} is older than {}", self.last_round);
                    return Some(("InvalidRevealRound", reason, None));
                }
                if !self.parameters.commit_reveal {
                    let reason = "commit-reveal is off; set weights in the clear".to_owned();
                    return Some(("CommitRevealDisabled", reason, None));
                }
                soon.map(|reason| ("CommittingWeightsTooFast", reason, Some(wait)))
            }
            Call::SetWeights {
                weights, version_key, ..
            } => self.refuses_plain(weights, *version_key, uid, soon.map(|reason| (reason, wait))),
            _ => None,
        }
    }

    fn refuses_plain(
        &self,
        weights: &[(Uid, Weight)],
        version_key: u64,
        uid: Uid,
        soon: Option<(String, u64)>,
    ) -> Option<Refusal> {
        let wanted = &self.parameters;
        let on_itself = matches!(weights, [(only, _)] if *only == uid);
        if wanted.commit_reveal {
            let reason = "commit-reveal is on; commit timelocked weights".to_owned();
            return Some(("CommitRevealEnabled", reason, None));
        }
        if version_key < wanted.version_key {
            let reason = format!(
                "version key {version_key} is below {}; update",
                wanted.version_key
            );
            return Some(("IncorrectWeightVersionKey", reason, None));
        }
        if let Some((reason, wait)) = soon {
            return Some(("SettingWeightsTooFast", reason, Some(wait)));
        }
        if !self.permit && !on_itself {
            let reason = format!("uid {uid} has no validator permit");
            return Some(("NeuronNoValidatorPermit", reason, None));
        }
        let mut uids: Vec<Uid> = weights.iter().map(|(uid, _)| *uid).collect();
        uids.sort_unstable();
        if uids.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Some(("DuplicateUids", "a uid stands twice".to_owned(), None));
        }
        let least = usize::from(wanted.weights_min).min(self.neurons);
        if weights.len() < least && !on_itself {
            let reason = format!("{} weights are fewer than {least}", weights.len());
            return Some(("WeightVecLengthIsLow", reason, None));
        }
        None
    }
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
    if value(0).and_then(Node::truth) == Some(false) {
        let reason = format!("registration on subnet {netuid} is switched off");
        return Err(refusal(view, "SubNetRegistrationDisabled", reason, None));
    }
    if let Some(uid) = value(1).and_then(Node::optional).and_then(Node::number::<u16>) {
        let reason = format!("hotkey {} has uid {uid} on subnet {netuid}", hotkey.to_ss58());
        return Err(refusal(view, "HotKeyAlreadyRegisteredInSubNet", reason, None));
    }
    let burn: u64 = value(2).and_then(Node::number).unwrap_or_default();
    if burn > limit_price.0 {
        let reason = format!("registration costs {burn} rao, the limit is {limit_price}");
        return Err(refusal(view, "RegistrationPriceLimitExceeded", reason, None));
    }
    let free: u64 = value(3)
        .and_then(|account| account.field("data")?.field("free")?.number())
        .unwrap_or_default();
    if free < burn {
        let reason = format!("registration costs {burn} rao, the coldkey has {free}");
        return Err(refusal(view, "NotEnoughBalanceToStake", reason, None));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::MechId;

    fn limits(commit_reveal: bool) -> Limits {
        Limits {
            last_update: 950,
            permit: true,
            last_round: 70,
            now: BlockNumber(1_000),
            neurons: 256,
            parameters: Hyperparameters {
                commit_reveal,
                version_key: 3,
                weights_min: 2,
                ..Hyperparameters::default()
            },
        }
    }

    fn plain(weights: &[(u16, u16)], version_key: u64) -> Call {
        Call::SetWeights {
            netuid: NetUid(7),
            mecid: MechId(0),
            weights: weights
                .iter()
                .map(|(uid, weight)| (Uid(*uid), Weight(*weight)))
                .collect(),
            version_key,
        }
    }

    fn check(limits: &Limits, call: &Call) -> Option<(&'static str, Option<u64>)> {
        limits.refuses(call, Uid(0)).map(|(name, _, wait)| (name, wait))
    }

    #[test]
    fn each_rule_has_the_chains_name_and_the_wait() {
        let two = [(1, 9), (2, 9)];
        let mut limits = limits(true);
        assert_eq!(
            check(&limits, &plain(&two, 3)),
            Some(("CommitRevealEnabled", None))
        );
        limits.parameters.commit_reveal = false;
        assert_eq!(
            check(&limits, &plain(&two, 2)),
            Some(("IncorrectWeightVersionKey", None))
        );
        assert_eq!(
            check(&limits, &plain(&two, 3)),
            Some(("SettingWeightsTooFast", Some(49)))
        );
        limits.last_update = 900;
        assert_eq!(check(&limits, &plain(&two, 3)), None);
        assert_eq!(
            check(&limits, &plain(&[(1, 9), (1, 9)], 3)),
            Some(("DuplicateUids", None))
        );
        assert_eq!(
            check(&limits, &plain(&[(1, 9)], 3)),
            Some(("WeightVecLengthIsLow", None))
        );
        limits.neurons = 1;
        assert_eq!(check(&limits, &plain(&[(1, 9)], 3)), None, "of one neuron");
        limits.neurons = 256;
        limits.permit = false;
        assert_eq!(
            check(&limits, &plain(&two, 3)),
            Some(("NeuronNoValidatorPermit", None))
        );
        assert_eq!(check(&limits, &plain(&[(0, 9)], 3)), None);
    }

    #[test]
    fn commits_meet_the_rules_of_commits() {
        let commit = |reveal_round| Call::CommitTimelockedWeights {
            netuid: NetUid(7),
            mecid: MechId(0),
            commit: vec![1],
            reveal_round,
            version: 4,
        };
        assert_eq!(
            check(&limits(true), &commit(69)),
            Some(("InvalidRevealRound", None))
        );
        assert_eq!(
            check(&limits(false), &commit(70)),
            Some(("CommitRevealDisabled", None))
        );
        assert_eq!(
            check(&limits(true), &commit(70)),
            Some(("CommittingWeightsTooFast", Some(49)))
        );
    }
}

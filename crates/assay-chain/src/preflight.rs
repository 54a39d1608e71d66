//! What the chain would refuse or drop in silence, found before anything is signed.
//!
//! Timelocked weights are checked by the chain only at their reveal, where a failure leaves no event (opentensor/subtensor
//! 14bc6f9, `pallets/subtensor/src/subnets/weights.rs`). Each check here has the name and the place of the chain's.
//! Pure: the caller reads the chain at one block and passes the values.

use std::collections::BTreeSet;

use assay_mechanism::yuma::exceeds_max_weight;
use assay_types::{BlockNumber, Hotkey, MechId, NetUid, Rao, Uid, Weight};

use crate::{
    BIG_RAW_BYTES_MAX, ChainError, ChainErrorKind, CommitmentField, FIELDS_MAX, Hyperparameters, Metagraph,
    TIMELOCKED_BYTES_MAX,
};

/// Most weight commits of one hotkey that may be open in an epoch.
pub const OPEN_COMMITS_MAX: usize = 10;

/// The subnet as it was when the call was made, and who calls.
#[derive(Debug, Clone, Copy)]
pub struct Preflight<'a> {
    /// Neurons.
    pub metagraph: &'a Metagraph,
    /// Hyper-parameters of the same block.
    pub hyperparameters: &'a Hyperparameters,
    /// Who signs.
    pub hotkey: &'a Hotkey,
}

/// What a weights call sends.
#[derive(Debug, Clone, Copy)]
pub struct WeightsCall<'a> {
    /// Mechanism.
    pub mecid: MechId,
    /// Targets and weights.
    pub weights: &'a [(Uid, Weight)],
    /// The validator's version.
    pub version_key: u64,
}

/// What a timelocked commit needs to know besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitState {
    /// Round the weights are sealed to.
    pub reveal_round: u64,
    /// `Drand.LastStoredRound`.
    pub last_stored_round: u64,
    /// Commits of the hotkey that are open in this epoch.
    pub open_commits: usize,
}

impl Preflight<'_> {
    /// Weights in the clear, in the next block.
    ///
    /// # Errors
    /// [`ChainErrorKind::Preflight`] with the chain's error name.
    pub fn set_weights(&self, call: &WeightsCall<'_>) -> Result<(), ChainError> {
        let weigher = self.weigher(call.mecid);
        weigher.check_set(call).map_err(|kind| at("set weights", kind))
    }

    /// Weights sealed until a round, in the next block; checks also what the chain checks at the reveal.
    ///
    /// # Errors
    /// [`ChainErrorKind::Preflight`] with the chain's error name.
    pub fn commit_weights(&self, call: &WeightsCall<'_>, commit: CommitState) -> Result<(), ChainError> {
        let weigher = self.weigher(call.mecid);
        let tempo = u32::from(self.hyperparameters.tempo);
        weigher
            .check_commit(call.mecid, commit.reveal_round, commit.last_stored_round)
            .and_then(|()| Weigher::check_open_commits(commit.open_commits, tempo))
            .and_then(|()| weigher.check_weights(call, None))
            .map_err(|kind| at("commit weights", kind))
    }

    /// A commitment of `fields`, in the next block.
    ///
    /// # Errors
    /// [`ChainErrorKind::Preflight`] with the chain's error name.
    pub fn set_commitment(&self, fields: &[CommitmentField]) -> Result<(), ChainError> {
        let named = |kind| at("set commitment", kind);
        if self.metagraph.neuron(self.hotkey).is_none() {
            return Err(named(unregistered(
                "AccountNotAllowedCommit",
                self.hotkey,
                self.metagraph.netuid,
            )));
        }
        if fields.len() > FIELDS_MAX {
            let reason = format!("{} fields are more than {FIELDS_MAX}", fields.len());
            return Err(named(refused("TooManyFieldsInCommitmentInfo", reason)));
        }
        for field in fields {
            let (bytes, max) = match field {
                CommitmentField::Plain(bytes) => (bytes.len(), BIG_RAW_BYTES_MAX),
                CommitmentField::Blake2(_) => continue,
                CommitmentField::Timelocked { ciphertext, .. } => (ciphertext.len(), TIMELOCKED_BYTES_MAX),
            };
            if bytes > max {
                let reason = format!("a field of {bytes} bytes is larger than {max}");
                return Err(named(refused("SpaceLimitExceeded", reason)));
            }
        }
        Ok(())
    }

    /// A registration of the hotkey that may cost `limit_price` of `balance`.
    ///
    /// # Errors
    /// [`ChainErrorKind::Preflight`] with the chain's error name.
    pub fn register(&self, burn: Rao, limit_price: Rao, balance: Rao) -> Result<(), ChainError> {
        let registration = Registration {
            allowed: self.hyperparameters.registration_allowed,
            uid: self.metagraph.neuron(self.hotkey).map(|neuron| neuron.uid),
            burn,
            limit: limit_price,
            balance,
        };
        registration.check().map_err(|kind| at("register", kind))
    }

    /// The neuron that weighs, as the metagraph shows it: the last update of mechanism 0 only, others are left to the chain.
    fn weigher(&self, mecid: MechId) -> Weigher<'_> {
        let neuron = self.metagraph.neuron(self.hotkey);
        let is_owner = self.metagraph.owner_hotkey.as_ref() == Some(self.hotkey);
        Weigher {
            netuid: self.metagraph.netuid,
            hotkey: self.hotkey,
            uid: neuron.map(|neuron| neuron.uid),
            may_weigh: is_owner || neuron.is_some_and(|neuron| neuron.permit),
            last_update: neuron
                .filter(|_| mecid == MechId(0))
                .map(|neuron| neuron.last_update),
            neurons: self.metagraph.neurons.len(),
            block: self.metagraph.block,
            hyperparameters: self.hyperparameters,
        }
    }
}

/// A registration, and what decides whether it is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Registration {
    /// `NetworkRegistrationAllowed`.
    pub(crate) allowed: bool,
    /// Uid the hotkey has already.
    pub(crate) uid: Option<Uid>,
    /// Price now.
    pub(crate) burn: Rao,
    /// The most the caller pays.
    pub(crate) limit: Rao,
    /// What the caller has.
    pub(crate) balance: Rao,
}

impl Registration {
    /// The first rule it breaks.
    pub(crate) fn check(&self) -> Result<(), ChainErrorKind> {
        if !self.allowed {
            let reason = "the subnet takes no registrations".to_owned();
            return Err(refused("SubNetRegistrationDisabled", reason));
        }
        if let Some(uid) = self.uid {
            let reason = format!("the hotkey is registered already, as uid {uid}");
            return Err(refused("HotKeyAlreadyRegisteredInSubNet", reason));
        }
        let (burn, limit, balance) = (self.burn, self.limit, self.balance);
        if burn > limit {
            let reason = format!("it costs {burn} rao, more than the limit of {limit}");
            return Err(refused("RegistrationPriceLimitExceeded", reason));
        }
        if burn > balance {
            let reason = format!("it costs {burn} rao and the account holds {balance}");
            return Err(refused("NotEnoughBalanceToStake", reason));
        }
        Ok(())
    }
}

/// Who weighs whom, at one block: what the rules of weights look at, wherever it was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weigher<'a> {
    /// Subnet.
    pub(crate) netuid: NetUid,
    /// Who signs.
    pub(crate) hotkey: &'a Hotkey,
    /// Its uid, if it has one.
    pub(crate) uid: Option<Uid>,
    /// It has a permit, or is the owner's.
    pub(crate) may_weigh: bool,
    /// Its last weights or commit; 0 = never, none = not known here.
    pub(crate) last_update: Option<BlockNumber>,
    /// Neurons of the subnet.
    pub(crate) neurons: usize,
    /// The block all of this was read at.
    pub(crate) block: BlockNumber,
    /// Hyper-parameters at that block.
    pub(crate) hyperparameters: &'a Hyperparameters,
}

impl Weigher<'_> {
    /// The rules of a commit in their order, without those of the weights inside; the caller counts open commits only if the
    /// rest passes.
    pub(crate) fn check_commit(
        &self,
        mecid: MechId,
        reveal_round: u64,
        last_stored_round: u64,
    ) -> Result<(), ChainErrorKind> {
        if reveal_round < last_stored_round {
            let reason = format!(
                "round {reveal_round} is past, the chain has stored {last_stored_round}: anyone could open the weights"
            );
            return Err(refused("InvalidRevealRound", reason));
        }
        self.mechanism(mecid)?;
        if !self.hyperparameters.commit_reveal {
            let reason = "commit-reveal is off: set weights in the clear".to_owned();
            return Err(refused("CommitRevealDisabled", reason));
        }
        self.uid()?;
        self.rate_limit("CommittingWeightsTooFast")
    }

    /// That so many open commits leave room for another; the next epoch begins in `wait_blocks`.
    pub(crate) fn check_open_commits(open: usize, wait_blocks: u32) -> Result<(), ChainErrorKind> {
        if open < OPEN_COMMITS_MAX {
            return Ok(());
        }
        Err(ChainErrorKind::Preflight {
            name: "TooManyUnrevealedCommits".to_owned(),
            reason: format!("{open} commits of this epoch are not revealed yet"),
            wait_blocks: Some(wait_blocks),
        })
    }

    /// The rules of weights in the clear, in their order.
    pub(crate) fn check_set(&self, call: &WeightsCall<'_>) -> Result<(), ChainErrorKind> {
        if self.hyperparameters.commit_reveal {
            let reason = "commit-reveal is on: weights have to be sealed".to_owned();
            return Err(refused("CommitRevealEnabled", reason));
        }
        self.check_weights(call, Some("SettingWeightsTooFast"))
    }

    /// The rules of a set or, without the name of the rate limit's error, of a reveal.
    pub(crate) fn check_weights(
        &self,
        call: &WeightsCall<'_>,
        too_fast: Option<&str>,
    ) -> Result<(), ChainErrorKind> {
        self.mechanism(call.mecid)?;
        let count = call.weights.len();
        if count > self.neurons {
            let reason = format!("{count} uids, the subnet has {}", self.neurons);
            return Err(refused("UidsLengthExceedUidsInSubNet", reason));
        }
        let own = self.uid()?;
        let needed = self.hyperparameters.version_key;
        if call.version_key < needed {
            let reason = format!(
                "version key {} is below the subnet's {needed}: update",
                call.version_key
            );
            return Err(refused("IncorrectWeightVersionKey", reason));
        }
        if let Some(name) = too_fast {
            self.rate_limit(name)?;
        }
        let is_self = matches!(call.weights, [(uid, _)] if *uid == own);
        if !self.may_weigh && !is_self {
            let reason = format!("uid {own} has no validator permit: it needs more stake");
            return Err(refused("NeuronNoValidatorPermit", reason));
        }
        self.check_targets(call.weights, is_self)
    }

    /// The rules of the targets and values.
    fn check_targets(&self, weights: &[(Uid, Weight)], is_self: bool) -> Result<(), ChainErrorKind> {
        let mut seen = BTreeSet::new();
        if let Some((uid, _)) = weights.iter().find(|(uid, _)| !seen.insert(*uid)) {
            return Err(refused("DuplicateUids", format!("uid {uid} is there twice")));
        }
        let known = |uid: Uid| usize::from(uid.0) < self.neurons;
        if let Some((uid, _)) = weights.iter().find(|(uid, _)| !known(*uid)) {
            let reason = format!("uid {uid} is not one of the subnet's {}", self.neurons);
            return Err(refused("UidVecContainInvalidOne", reason));
        }
        let (count, least) = (weights.len(), usize::from(self.hyperparameters.weights_min));
        let least = least.min(self.neurons);
        if count < least && !is_self {
            let reason = format!("{count} weights, the subnet wants at least {least}");
            return Err(refused("WeightVecLengthIsLow", reason));
        }
        let values: Vec<u16> = weights.iter().map(|(_, weight)| weight.0).collect();
        let limit = self.hyperparameters.weight_max;
        if limit != u16::MAX && !is_self && exceeds_max_weight(&values, limit) {
            let reason = format!("a weight is more than {limit}/65535 of the sum");
            return Err(refused("MaxWeightExceeded", reason));
        }
        Ok(())
    }

    fn uid(&self) -> Result<Uid, ChainErrorKind> {
        self.uid
            .ok_or_else(|| unregistered("HotKeyNotRegisteredInSubNet", self.hotkey, self.netuid))
    }

    fn mechanism(&self, mecid: MechId) -> Result<(), ChainErrorKind> {
        let count = self.hyperparameters.mechanisms;
        if mecid.0 < count {
            return Ok(());
        }
        let reason = format!("mechanism {mecid} is not one of the subnet's {count}");
        Err(refused("MechanismDoesNotExist", reason))
    }

    /// Weights and commits count from the last of either; registration counts too, 0 does not.
    fn rate_limit(&self, name: &str) -> Result<(), ChainErrorKind> {
        let Some(BlockNumber(last @ 1..)) = self.last_update else {
            return Ok(());
        };
        // The call runs in the next block at the earliest.
        let next = u64::from(self.block.0) + 1;
        let free = u64::from(last).saturating_add(self.hyperparameters.weights_rate_limit);
        if next >= free {
            return Ok(());
        }
        Err(ChainErrorKind::Preflight {
            name: name.to_owned(),
            reason: format!("the last weights were set at block {last}, the next may be at block {free}"),
            wait_blocks: Some(u32::try_from(free - next).unwrap_or(u32::MAX)),
        })
    }
}

/// That a hotkey has no uid, under the call's name of it.
pub(crate) fn unregistered(name: &str, hotkey: &Hotkey, netuid: NetUid) -> ChainErrorKind {
    let hotkey = hotkey.to_ss58();
    refused(
        name,
        format!("hotkey `{hotkey}` is not registered on netuid {netuid}"),
    )
}

pub(crate) fn refused(name: &str, reason: String) -> ChainErrorKind {
    ChainErrorKind::Preflight {
        name: name.to_owned(),
        reason,
        wait_blocks: None,
    }
}

fn at(operation: &str, kind: ChainErrorKind) -> ChainError {
    ChainError::new(operation, kind)
}

#[cfg(test)]
#[path = "preflight_tests.rs"]
mod tests;

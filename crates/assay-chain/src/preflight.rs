//! What the chain would refuse or drop in silence, found before anything is signed.
//!
//! Timelocked weights are checked by the chain only at their reveal, where a failure leaves no event (opentensor/subtensor
//! 14bc6f9, `pallets/subtensor/src/subnets/weights.rs`). Each check here has the name and the place of the chain's.
//! Pure: the caller reads the chain at one block and passes the values.

use std::collections::BTreeSet;

use assay_mechanism::yuma::exceeds_max_weight;
use assay_types::{BlockNumber, Hotkey, MechId, Rao, Uid, Weight};

use crate::{
    BIG_RAW_BYTES_MAX, ChainError, ChainErrorKind, CommitmentField, FIELDS_MAX, Hyperparameters, Metagraph,
    Neuron, TIMELOCKED_BYTES_MAX,
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
        self.weights(call).map_err(|kind| at("set weights", kind))
    }

    /// Weights sealed until a round, in the next block; checks also what the chain checks at the reveal.
    ///
    /// # Errors
    /// [`ChainErrorKind::Preflight`] with the chain's error name.
    pub fn commit_weights(&self, call: &WeightsCall<'_>, commit: CommitState) -> Result<(), ChainError> {
        self.commit(call, commit)
            .map_err(|kind| at("commit weights", kind))
    }

    /// A commitment of `fields`, in the next block.
    ///
    /// # Errors
    /// [`ChainErrorKind::Preflight`] with the chain's error name.
    pub fn set_commitment(&self, fields: &[CommitmentField]) -> Result<(), ChainError> {
        let named = |kind| at("set commitment", kind);
        self.neuron("AccountNotAllowedCommit").map_err(named)?;
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
        let named = |kind| Err(at("register", kind));
        if !self.hyperparameters.registration_allowed {
            let reason = "the subnet takes no registrations".to_owned();
            return named(refused("SubNetRegistrationDisabled", reason));
        }
        if let Some(neuron) = self.metagraph.neuron(self.hotkey) {
            let reason = format!("the hotkey is registered already, as uid {}", neuron.uid);
            return named(refused("HotKeyAlreadyRegisteredInSubNet", reason));
        }
        if burn > limit_price {
            let reason = format!("it costs {burn} rao, more than the limit of {limit_price}");
            return named(refused("RegistrationPriceLimitExceeded", reason));
        }
        if burn > balance {
            let reason = format!("it costs {burn} rao and the account holds {balance}");
            return named(refused("NotEnoughBalanceToStake", reason));
        }
        Ok(())
    }

    fn commit(&self, call: &WeightsCall<'_>, commit: CommitState) -> Result<(), ChainErrorKind> {
        if commit.reveal_round < commit.last_stored_round {
            let reason = format!(
                "round {} is past, the chain has stored {}: anyone could open the weights",
                commit.reveal_round, commit.last_stored_round
            );
            return Err(refused("InvalidRevealRound", reason));
        }
        self.mechanism(call.mecid)?;
        if !self.hyperparameters.commit_reveal {
            let reason = "commit-reveal is off: set weights in the clear".to_owned();
            return Err(refused("CommitRevealDisabled", reason));
        }
        let neuron = self.neuron("HotKeyNotRegisteredInSubNet")?;
        self.rate_limit(neuron, call.mecid, "CommittingWeightsTooFast")?;
        if commit.open_commits >= OPEN_COMMITS_MAX {
            let reason = format!(
                "{} commits of this epoch are not revealed yet",
                commit.open_commits
            );
            return Err(ChainErrorKind::Preflight {
                name: "TooManyUnrevealedCommits".to_owned(),
                reason,
                wait_blocks: Some(u32::from(self.hyperparameters.tempo)),
            });
        }
        self.weights_of(neuron, call)
    }

    fn weights(&self, call: &WeightsCall<'_>) -> Result<(), ChainErrorKind> {
        if self.hyperparameters.commit_reveal {
            let reason = "commit-reveal is on: weights have to be sealed".to_owned();
            return Err(refused("CommitRevealEnabled", reason));
        }
        self.mechanism(call.mecid)?;
        let neuron = self.neuron("HotKeyNotRegisteredInSubNet")?;
        self.rate_limit(neuron, call.mecid, "SettingWeightsTooFast")?;
        self.weights_of(neuron, call)
    }

    /// The checks of the set and of the reveal, in the chain's order.
    fn weights_of(&self, neuron: &Neuron, call: &WeightsCall<'_>) -> Result<(), ChainErrorKind> {
        let neurons = self.metagraph.neurons.len();
        let count = call.weights.len();
        if count > neurons {
            let reason = format!("{count} uids, the subnet has {neurons}");
            return Err(refused("UidsLengthExceedUidsInSubNet", reason));
        }
        let needed = self.hyperparameters.version_key;
        if needed > 0 && call.version_key < needed {
            let reason = format!(
                "version key {} is below the subnet's {needed}: update",
                call.version_key
            );
            return Err(refused("IncorrectWeightVersionKey", reason));
        }
        let is_owner = self.metagraph.owner_hotkey.as_ref() == Some(self.hotkey);
        let is_self = matches!(call.weights, [(uid, _)] if *uid == neuron.uid);
        if !neuron.permit && !is_owner && !is_self {
            let reason = format!("uid {} has no validator permit: it needs more stake", neuron.uid);
            return Err(refused("NeuronNoValidatorPermit", reason));
        }
        let mut seen = BTreeSet::new();
        if let Some((uid, _)) = call.weights.iter().find(|(uid, _)| !seen.insert(*uid)) {
            return Err(refused("DuplicateUids", format!("uid {uid} is there twice")));
        }
        if let Some((uid, _)) = call.weights.iter().find(|(uid, _)| usize::from(uid.0) >= neurons) {
            let reason = format!("uid {uid} is not one of the subnet's {neurons}");
            return Err(refused("UidVecContainInvalidOne", reason));
        }
        let least = usize::from(self.hyperparameters.weights_min).min(neurons);
        if count < least && !is_self {
            let reason = format!("{count} weights, the subnet wants at least {least}");
            return Err(refused("WeightVecLengthIsLow", reason));
        }
        let values: Vec<u16> = call.weights.iter().map(|(_, weight)| weight.0).collect();
        let limit = self.hyperparameters.weight_max;
        if limit != u16::MAX && !is_self && exceeds_max_weight(&values, limit) {
            let reason = format!("a weight is more than {limit}/65535 of the sum");
            return Err(refused("MaxWeightExceeded", reason));
        }
        Ok(())
    }

    fn neuron(&self, name: &str) -> Result<&Neuron, ChainErrorKind> {
        self.metagraph.neuron(self.hotkey).ok_or_else(|| {
            let hotkey = self.hotkey.to_ss58();
            let netuid = self.metagraph.netuid;
            refused(
                name,
                format!("hotkey `{hotkey}` is not registered on netuid {netuid}"),
            )
        })
    }

    fn mechanism(&self, mecid: MechId) -> Result<(), ChainErrorKind> {
        let count = self.hyperparameters.mechanisms;
        if mecid.0 < count {
            return Ok(());
        }
        let reason = format!("mechanism {mecid} is not one of the subnet's {count}");
        Err(refused("MechanismDoesNotExist", reason))
    }

    /// Weights and commits count from the last of either; registration counts too, 0 does not. The metagraph has the last
    /// update of mechanism 0 only; the others are left to the chain.
    fn rate_limit(&self, neuron: &Neuron, mecid: MechId, name: &str) -> Result<(), ChainErrorKind> {
        let BlockNumber(last) = neuron.last_update;
        let next = u64::from(self.metagraph.block.0) + 1;
        let free = u64::from(last).saturating_add(self.hyperparameters.weights_rate_limit);
        if mecid != MechId(0) || last == 0 || next >= free {
            return Ok(());
        }
        Err(ChainErrorKind::Preflight {
            name: name.to_owned(),
            reason: format!("the last weights were set at block {last}, the next may be at block {free}"),
            wait_blocks: Some(u32::try_from(free - next).unwrap_or(u32::MAX)),
        })
    }
}

fn refused(name: &str, reason: String) -> ChainErrorKind {
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

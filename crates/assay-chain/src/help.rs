//! What helps against each error of a chain: one line, for people.
//!
//! Every [`ChainErrorKind`] has a line; errors the chain names have their own by name (docs/chain.md, "Errors").

use crate::subtensor::custom_name;
use crate::{ChainError, ChainErrorKind};

/// Cures by the chain's name of the error.
const BY_NAME: &[(&str, &str)] = &[
    ("AccountNotAllowedCommit", REGISTER),
    (
        "AdminActionProhibitedDuringWeightsWindow",
        "wait for the next epoch: owner calls are refused in the ten blocks before one",
    ),
    ("AmountTooLow", "stake more: the chain takes no amount that small"),
    (
        "BadOrigin",
        "sign with the key this is for: owner's calls with the owner's coldkey, some settings are the network root's only",
    ),
    (
        "BadRequest",
        "use a newer release of assay: the runtime does not take the call as this one makes it",
    ),
    ("BalanceTooLow", FUND),
    (
        "CallTooLong",
        "send less: the chain cannot encode a call that long",
    ),
    ("CanNotSetRootNetworkWeights", NETUID),
    (
        "CannotAffordLockCost",
        "fund the coldkey with the lock cost (`assay chain status` shows it), or wait: it falls over 14 days",
    ),
    (
        "ColdkeySwapAnnounced",
        "the coldkey is being swapped; cancel the swap or use the new coldkey",
    ),
    (
        "ColdkeySwapDisputed",
        "the swap of the coldkey is disputed; nothing can be sent until that is settled",
    ),
    (
        "CommitBlockNotInRevealRange",
        "wait for the reveal epoch of the commit",
    ),
    (
        "CommitNotFound",
        "commit weights again: the chain holds no such commit",
    ),
    (
        "CommitRevealDisabled",
        "set weights in the clear: commit-reveal is off on this subnet",
    ),
    (
        "CommitRevealEnabled",
        "commit timelocked weights: commit-reveal is on on this subnet",
    ),
    (
        "CommitmentSetRateLimitExceeded",
        "wait: a hotkey may commit once in the rate limit's blocks",
    ),
    ("CommittingWeightsTooFast", WEIGHTS_LIMIT),
    ("DelegateTakeTooHigh", "give a lower take"),
    ("DelegateTakeTooLow", "give a higher take"),
    ("DuplicateUids", "give each uid one weight"),
    (
        "EvmKeyAssociateRateLimitExceeded",
        "wait: an EVM key may be associated once in a while only",
    ),
    ("FailedShieldedTxParsing", "send it unshielded, as assay does"),
    (
        "FirstEmissionBlockNumberAlreadySet",
        "nothing to do: the subnet is started already",
    ),
    ("HotKeyAccountNotExists", REGISTER),
    (
        "HotKeyAlreadyRegisteredInSubNet",
        "nothing to do: `assay chain metagraph` shows its uid",
    ),
    ("HotKeyNotRegisteredInNetwork", REGISTER),
    ("HotKeyNotRegisteredInSubNet", REGISTER),
    (
        "IncorrectCommitRevealVersion",
        "update assay: the chain wants another version of commit-reveal",
    ),
    (
        "IncorrectWeightVersionKey",
        "update the validator: the owner has raised the version key",
    ),
    ("InputLengthsUnequal", "give as many weights as uids"),
    (
        "InsufficientLiquidity",
        "stake less at once: the pool of the subnet does not hold as much",
    ),
    (
        "InvalidIdentity",
        "shorten the identity: 256 bytes for name and discord, 1,024 for each other field",
    ),
    (
        "InvalidIpAddress",
        "announce an address that others can reach: no loopback, no unspecified one",
    ),
    ("InvalidPort", "announce a port other than 0"),
    (
        "InvalidRealAccount",
        "sign with the account itself, not through a proxy",
    ),
    (
        "InvalidRevealRound",
        "compute the round anew: the pulse it names is already there",
    ),
    ("InvalidShieldedTxPubKeyHash", "send it unshielded, as assay does"),
    (
        "MaxAllowedUIdsLessThanCurrentUIds",
        "give at least as many as there are neurons: `assay chain metagraph` counts them",
    ),
    (
        "MaxWeightExceeded",
        "spread the weights: `weight_max` of `assay chain params` is the most for one uid",
    ),
    (
        "MechanismDoesNotExist",
        "check --netuid and --mechanism: `mechanisms` of `assay chain params` counts them from 0",
    ),
    (
        "NeedWaitingMoreBlocksToStarCall",
        "wait: a new subnet may be started only some blocks after its registration",
    ),
    (
        "NetworkTxRateLimitExceeded",
        "wait: a new subnet may be registered once in 7,200 blocks",
    ),
    (
        "NeuronNoValidatorPermit",
        "stake more on the hotkey: only the highest stakes hold a validator permit",
    ),
    (
        "NoNeuronIdAvailable",
        "wait until some neuron is no longer immune: the subnet is full",
    ),
    (
        "NonAssociatedColdKey",
        "sign with the coldkey that owns the hotkey",
    ),
    ("NotEnoughBalanceToStake", FUND),
    (
        "NotEnoughStakeToSetWeights",
        "stake more on the hotkey: it is below the stake threshold",
    ),
    ("NotEnoughStakeToWithdraw", "withdraw less: the stake is smaller"),
    ("NotPermittedOnRootSubnet", NETUID),
    (
        "NotSubnetOwner",
        "sign with the coldkey that owns the subnet: `assay chain metagraph` shows the owner",
    ),
    ("RateLimitExceeded", WEIGHTS_LIMIT),
    ("RegistrationNotPermittedOnRootSubnet", NETUID),
    (
        "RegistrationPriceLimitExceeded",
        "raise --limit-price, or wait: the price halves about every 72 minutes",
    ),
    (
        "ServingRateLimitExceeded",
        "wait: an address may be announced once in 50 blocks",
    ),
    ("SettingWeightsTooFast", WEIGHTS_LIMIT),
    ("SlippageTooHigh", "stake less at once, or accept a worse price"),
    (
        "SpaceLimitExceeded",
        "commit less: a field holds 512 bytes, sealed 1,024, and a hotkey may commit 3,100 in an epoch",
    ),
    ("StakeAmountTooLow", "stake more"),
    (
        "SubNetRegistrationDisabled",
        "ask the subnet's owner: registration is switched off",
    ),
    ("SubnetDoesNotExist", NETUID),
    (
        "SubnetLimitReached",
        "wait until a subnet is dissolved: the network is full and the others are immune",
    ),
    ("SubnetNotExists", NETUID),
    (
        "SubtokenDisabled",
        "wait until the owner starts the subnet: `assay chain owner start`",
    ),
    ("TooManyFieldsInCommitmentInfo", "commit at most three fields"),
    (
        "TooManyUIDsPerMechanism",
        "lower `uids_max` or `mechanisms`: their product may not pass 256",
    ),
    (
        "TooManyUnrevealedCommits",
        "wait for the next epoch: ten commits may be open in one",
    ),
    (
        "TransferDisallowed",
        "ask the subnet's owner: transfers of its stake are switched off",
    ),
    (
        "TxRateLimitExceeded",
        "wait: the owner may change each value once in two tempos",
    ),
    ("UidNotFound", REGISTER),
    (
        "UidVecContainInvalidOne",
        "weigh uids that `assay chain metagraph` shows only",
    ),
    (
        "UidsLengthExceedUidsInSubNet",
        "give at most one weight for each neuron of `assay chain metagraph`",
    ),
    ("UnknownHyperparameter", "`assay chain params` lists the names"),
    (
        "ValueNotInBounds",
        "give a value within the bounds of docs/chain.md, \"Launching a subnet\"",
    ),
    (
        "WeightVecLengthIsLow",
        "give more weights: `weights_min` of `assay chain params`",
    ),
    ("WeightVecNotEqualSize", "give as many weights as uids"),
    ("ZeroMaxAmount", "give an amount above 0"),
];

const REGISTER: &str = "register the hotkey: `assay chain register --netuid N`";
const FUND: &str = "fund the coldkey: it holds less than this costs";
const WEIGHTS_LIMIT: &str =
    "wait: `weights_rate_limit` of `assay chain params` blocks must lie between two weights";
const NETUID: &str = "check --netuid and --network";

impl ChainError {
    /// The chain's name of the error, where it has one: of a failed dispatch, of a local check, of the pool.
    pub fn name(&self) -> Option<&str> {
        match &self.kind {
            ChainErrorKind::Dispatch { name, .. } | ChainErrorKind::Preflight { name, .. } => Some(name),
            ChainErrorKind::Pool { custom, .. } => custom.and_then(custom_name),
            _ => None,
        }
    }

    /// Stable code of the error for programs, `chain/what`.
    pub const fn code(&self) -> &'static str {
        match &self.kind {
            ChainErrorKind::Pool { .. } => "chain/pool",
            ChainErrorKind::Dispatch { .. } => "chain/failed",
            ChainErrorKind::Ineffective { .. } => "chain/ineffective",
            ChainErrorKind::Missed { .. } => "chain/missed",
            ChainErrorKind::Expired { .. } => "chain/expired",
            ChainErrorKind::Unresolved { .. } => "chain/unresolved",
            ChainErrorKind::Preflight { .. } => "chain/refused",
            ChainErrorKind::NotRevealed { .. } => "chain/not-revealed",
            ChainErrorKind::Transport { .. } => "chain/unreachable",
            ChainErrorKind::Unsupported { .. } => "chain/unsupported",
            ChainErrorKind::WrongGenesis { .. } => "chain/wrong-genesis",
            ChainErrorKind::Answer { .. } => "chain/answer",
            ChainErrorKind::NotFound { .. } => "chain/not-found",
            ChainErrorKind::State { .. } => "chain/state",
        }
    }

    /// What helps.
    pub fn help(&self) -> String {
        if let ChainErrorKind::Preflight {
            wait_blocks: Some(blocks),
            ..
        } = &self.kind
        {
            return match blocks {
                1 => "try again in the next block".to_owned(),
                blocks => format!("try again in {blocks} blocks"),
            };
        }
        if let Some(cure) = self.name().and_then(by_name) {
            return cure.to_owned();
        }
        self.by_kind().to_owned()
    }

    fn by_kind(&self) -> &'static str {
        match &self.kind {
            ChainErrorKind::Pool { code, message, .. } => by_pool(*code, message),
            ChainErrorKind::Dispatch { .. } | ChainErrorKind::Preflight { .. } => {
                "see the error's name in docs/chain.md, \"Errors\""
            }
            ChainErrorKind::Ineffective { .. } => {
                "use a newer release of assay: this runtime sets the value by another call"
            }
            ChainErrorKind::Missed { .. } => {
                "nothing to do: new blocks follow; an archive node knows what was in those between"
            }
            ChainErrorKind::Expired { .. } => {
                "send it again: it is in no block and can no longer get into one"
            }
            ChainErrorKind::Unresolved { repeatable: true, .. } => {
                "send it again when the node has new blocks; twice does no harm"
            }
            ChainErrorKind::Unresolved { .. } => {
                "look at the chain before sending it again, and not before the era has ended"
            }
            ChainErrorKind::NotRevealed { .. } => {
                "check permit, version key and the clock (`assay chain status`), then commit weights again"
            }
            ChainErrorKind::Transport { .. } => {
                "check the address and the network; several endpoints may be given, separated by commas"
            }
            ChainErrorKind::Unsupported { .. } => {
                "use a newer release of assay, or a node with a newer runtime (docs/chain.md, \"Older runtimes\")"
            }
            ChainErrorKind::WrongGenesis { .. } => {
                "the endpoint is of another chain: check --network, or use another endpoint"
            }
            ChainErrorKind::Answer { .. } => {
                "use another endpoint; for old blocks an archive node, wss://archive.chain.opentensor.ai:443"
            }
            ChainErrorKind::NotFound { .. } => NETUID,
            ChainErrorKind::State { .. } => {
                "stop other writers of the state file, check the disk, or start with a new state file"
            }
        }
    }
}

fn by_name(name: &str) -> Option<&'static str> {
    BY_NAME
        .iter()
        .find(|(found, _)| *found == name)
        .map(|(_, cure)| *cure)
}

fn by_pool(code: i32, message: &str) -> &'static str {
    let message = message.to_ascii_lowercase();
    let is = |word: &str| message.contains(word);
    match code {
        1012 => "wait some minutes: the pool has banned this very transaction for a while",
        1013 => "nothing to do: the pool has it already",
        1014 => "wait for the pending transaction of this key; never run two processes on one key",
        _ if is("outdated") || is("ancient") || is("future") => {
            "try again; never run two processes on one key, since they use up each other's nonces"
        }
        _ if is("pay") => "fund the account: it cannot pay the fee",
        _ if is("exhaust") => "try again: the block was full",
        _ if is("proof") || is("signature") => {
            "use a newer release of assay: the runtime signs over something else than this one knows"
        }
        _ => "see the number in docs/chain.md, \"Errors\"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_end_without_a_full_stop() {
        assert!(BY_NAME.is_sorted_by(|a, b| a.0 < b.0));
        for (name, cure) in BY_NAME {
            assert!(!cure.ends_with('.') && cure.is_ascii(), "{name}");
        }
    }

    #[test]
    fn errors_of_the_chain_have_cures_by_name() {
        let dispatch = ChainErrorKind::Dispatch {
            pallet: "SubtensorModule".to_owned(),
            name: "IncorrectWeightVersionKey".to_owned(),
        };
        assert!(ChainError::new("x", dispatch).help().contains("version key"));
        let pool = ChainErrorKind::Pool {
            code: 1010,
            custom: Some(19),
            message: String::new(),
        };
        let error = ChainError::new("x", pool);
        assert_eq!(error.name(), Some("UidNotFound"));
        assert_eq!(error.help(), REGISTER);
        let soon = ChainErrorKind::Preflight {
            name: "SettingWeightsTooFast".to_owned(),
            reason: String::new(),
            wait_blocks: Some(51),
        };
        assert_eq!(ChainError::new("x", soon).help(), "try again in 51 blocks");
    }

    #[test]
    fn every_name_of_the_embedded_chain_of_the_pool_and_of_local_checks_has_a_cure() {
        let sources = [
            include_str!("embedded/state/account.rs"),
            include_str!("embedded/state/admin.rs"),
            include_str!("embedded/state/commitments.rs"),
            include_str!("embedded/state/mod.rs"),
            include_str!("embedded/state/network.rs"),
            include_str!("embedded/state/registration.rs"),
            include_str!("embedded/state/serving.rs"),
            include_str!("embedded/state/subnet.rs"),
            include_str!("embedded/state/weights.rs"),
            include_str!("embedded/client.rs"),
            include_str!("preflight.rs"),
            include_str!("subtensor/encode.rs"),
            include_str!("subtensor/preflight.rs"),
        ];
        let makers = [
            "DispatchError::subtensor(\"",
            "DispatchError::commitments(\"",
            "DispatchError::admin(\"",
            "fail(\"",
            "refused(\"",
            "unregistered(\"",
            "name: \"",
        ];
        let mut names: Vec<&str> = (0..=u8::MAX).filter_map(custom_name).collect();
        for source in sources {
            for maker in makers {
                let behind = source.split(maker).skip(1);
                names.extend(behind.filter_map(|rest| rest.split('"').next()));
            }
        }
        names.retain(|name| name.chars().next().is_some_and(char::is_uppercase));
        names.push("BadOrigin");
        assert!(names.len() > 90, "{} names", names.len());
        let without: Vec<&&str> = names.iter().filter(|name| by_name(name).is_none()).collect();
        assert_eq!(without, Vec::<&&str>::new());
    }

    #[test]
    fn waiting_is_told_in_blocks() {
        let help = |blocks| {
            let kind = ChainErrorKind::Preflight {
                name: "SettingWeightsTooFast".to_owned(),
                reason: String::new(),
                wait_blocks: Some(blocks),
            };
            ChainError::new("x", kind).help()
        };
        assert_eq!(help(1), "try again in the next block");
        assert_eq!(help(7_200), "try again in 7200 blocks");
    }

    #[test]
    fn an_unknown_fate_is_safe_to_retry_only_for_what_may_happen_twice() {
        for repeatable in [true, false] {
            let kind = ChainErrorKind::Unresolved {
                era_end: 9,
                repeatable,
            };
            let error = ChainError::new("x", kind);
            assert_eq!(error.retry_is_safe(), repeatable);
            assert_eq!(error.help().starts_with("send it again"), repeatable);
        }
    }
}

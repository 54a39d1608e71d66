//! The self-check: which calls, storage entries, runtime APIs, events and fields of ours a runtime lacks.
//!
//! It runs at the start and whenever `spec_version` changes. Nothing works without the required names; each optional one
//! has a fallback, or costs the one feature that stands beside it. Calls are those that [`candidates`] makes, with their
//! arguments; lists of entries are those that the reads go by, so that a name cannot be used and not be looked for.

use std::collections::BTreeSet;

use assay_types::{Hotkey, MechId, NetUid, Rao};

use crate::subtensor::decode::{epoch, events, identity, metagraph};
use crate::subtensor::encode::{COMMITMENTS, Candidate, SUBTENSOR, candidates, encode};
use crate::subtensor::hyperparameters::{CUTOFF_FACTOR, CUTOFF_FACTOR_NAME, SETTERS};
use crate::subtensor::runtime::Runtime;
use crate::{Call, ChainErrorKind, SubnetIdentity};
use subxt::ext::scale_value::Composite;

/// What a runtime lacks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Check {
    /// `spec_version`; 0 = no runtime was seen yet.
    pub spec_version: u32,
    /// Names nothing works without, `Pallet.name`.
    pub required: Vec<String>,
    /// Names whose feature is missing or replaced, `Pallet.name (what that means)`.
    pub optional: Vec<String>,
}

/// One name that is looked for.
#[derive(Debug, Clone, Copy)]
enum Name {
    /// With the fields read of its value.
    Storage(&'static str, &'static str, &'static [&'static str]),
    Constant(&'static str, &'static str),
    /// With the fields read of its answer.
    Api(&'static str, &'static str, &'static [&'static str]),
    Event(&'static str, &'static str),
    /// A kind of commitment field.
    Data(&'static str),
}

use Name::{Api, Constant, Data, Event, Storage};

const S: &str = SUBTENSOR;

/// Without these there is no subnet to speak of.
const REQUIRED: &[Name] = &[
    Storage("System", "Account", &["data", "free"]),
    Storage("System", "Events", &["phase", "event"]),
    Storage("Timestamp", "Now", &[]),
    Storage(S, "NetworksAdded", &[]),
    Storage(S, "Keys", &[]),
    Storage(S, "Uids", &[]),
    Storage(S, "SubnetworkN", &[]),
    Storage(S, "Owner", &[]),
    Storage(S, "Tempo", &[]),
    Storage(S, "LastUpdate", &[]),
    Storage(S, "ValidatorPermit", &[]),
    Storage(S, "Weights", &[]),
    Storage(COMMITMENTS, "CommitmentOf", &["block", "info", "fields"]),
    Event("System", "ExtrinsicSuccess"),
    Event("System", "ExtrinsicFailed"),
    Data("Raw124"),
];

/// The call nothing works without.
const REQUIRED_CALL: &str = "set_commitment";

/// What is done without each call.
const CALLS: &[(&str, &str)] = &[
    ("set_mechanism_weights", "weights of mechanism 0 only"),
    ("set_weights", "no older call for weights"),
    (
        "commit_timelocked_mechanism_weights",
        "timelocked weights of mechanism 0 only",
    ),
    (
        "commit_timelocked_weights",
        "no older call for timelocked weights",
    ),
    (
        "register_limit",
        "registration goes by burned_register, its price checked before",
    ),
    ("burned_register", "no older registration"),
    ("serve_axon", "no address of a neuron"),
    ("register_network_with_identity", "no new subnet with an identity"),
    (
        "register_network",
        "a new subnet goes by the call with an identity",
    ),
    ("start_call", "no start of emission"),
    ("set_subnet_identity", "no subnet identity"),
    ("add_stake", "no staking"),
];

/// What is done without each of these.
const OPTIONAL: &[(Name, &str)] = &[
    (
        Api(metagraph::API.0, metagraph::API.1, metagraph::FIELDS),
        "the metagraph is read from storage",
    ),
    (
        Api(
            "SubnetRegistrationRuntimeApi",
            "get_network_registration_cost",
            &[],
        ),
        "no price of a new subnet",
    ),
    (Storage(S, "Bonds", &[]), "no bonds"),
    (Storage(S, "Burn", &[]), "no price of a registration"),
    (
        Storage(S, "SubnetOwnerHotkey", &[]),
        "storage does not say whose hotkey the owner's is",
    ),
    (
        Storage(S, "SubnetOwner", &[]),
        "storage does not say whose the subnet is",
    ),
    (
        Storage(S, "TaoWeight", &[]),
        "root stake counts nothing where the metagraph is read from storage",
    ),
    (Storage(S, "Axons", &["ip", "port", "ip_type"]), "no addresses"),
    (
        Storage(S, "TimelockedWeightCommits", &[]),
        "open weight commits are not seen",
    ),
    (
        Storage(COMMITMENTS, "RevealedCommitments", &[]),
        "no timelocked commitments",
    ),
    (
        Storage(COMMITMENTS, "UsedSpaceOf", &["last_epoch", "used_space"]),
        "no check of the byte budget before sending",
    ),
    (
        Storage(COMMITMENTS, "MaxSpace", &[]),
        "no check of the byte budget before sending",
    ),
    (
        Storage("Drand", "Pulses", &["round", "randomness", "signature"]),
        "no beacon",
    ),
    (Storage("Drand", "LastStoredRound", &[]), "no beacon"),
    (
        Event(S, events::REVEALED),
        "reveals are seen by the stored row only",
    ),
    (Constant("Aura", "SlotDuration"), "a block counts as 12 s"),
    (Data("TimelockEncrypted"), "no timelocked commitments"),
    (Data("BigRaw"), "plain commitments of at most 128 bytes"),
    (Data("BlakeTwo256"), "no hashed commitments"),
];

/// What is read without each entry of [`epoch::ENTRIES`].
fn without_epoch(entry: &str) -> &'static str {
    match entry {
        "LastEpochBlock" => "epochs run by (block + netuid + 1) mod (tempo + 1)",
        "PendingEpochAt" => "epochs are never put off",
        "SubnetEpochIndex" => "epochs are numbered from the block",
        "RevealPeriodEpochs" => "a reveal is one epoch away",
        _ => "reads 0",
    }
}

/// One call of each kind, whose candidates are all there are.
fn samples() -> Vec<Call> {
    let (netuid, hotkey, mecid) = (NetUid(1), Hotkey([0; 32]), MechId(0));
    let identity = SubnetIdentity::default();
    vec![
        Call::SetCommitment {
            netuid,
            fields: Vec::new(),
        },
        Call::SetWeights {
            netuid,
            mecid,
            weights: Vec::new(),
            version_key: 0,
        },
        Call::CommitTimelockedWeights {
            netuid,
            mecid,
            commit: Vec::new(),
            reveal_round: 0,
            version: 0,
        },
        Call::Register {
            netuid,
            hotkey,
            limit_price: Rao(0),
        },
        Call::ServeAxon {
            netuid,
            address: std::net::SocketAddr::from(([0, 0, 0, 0], 0)),
        },
        Call::RegisterNetwork {
            hotkey,
            identity: None,
        },
        Call::StartCall { netuid },
        Call::SetSubnetIdentity { netuid, identity },
        Call::AddStake {
            hotkey,
            netuid,
            amount: Rao(0),
        },
    ]
}

/// All ways to make the calls of [`samples`].
fn calls() -> Vec<Candidate> {
    // None of these is refused before it is encoded.
    let all = samples().into_iter().filter_map(|call| candidates(&call).ok());
    all.flatten().collect()
}

impl Check {
    /// Looks every name up.
    pub fn of(runtime: &Runtime) -> Self {
        let mut required: Vec<String> = REQUIRED.iter().flat_map(|name| lacking(runtime, *name)).collect();
        let mut optional: Vec<(String, String)> = Vec::new();
        let mut note = |names: Vec<String>, means: &str| {
            optional.extend(names.into_iter().map(|name| (name, means.to_owned())));
        };
        for candidate in calls() {
            let missing = lacking_call(runtime, &candidate);
            match CALLS.iter().find(|(name, _)| *name == candidate.name) {
                Some((_, means)) => note(missing, means),
                None => required.extend(missing),
            }
        }
        for (name, means) in OPTIONAL {
            note(lacking(runtime, *name), means);
        }
        for entry in epoch::ENTRIES {
            note(lacking(runtime, Storage(S, entry, &[])), without_epoch(entry));
        }
        for entry in metagraph::LISTS.into_iter().chain(metagraph::PER_NEURON) {
            let means = format!("{entry} of the metagraph reads 0");
            note(lacking(runtime, Storage(S, entry, &[])), &means);
        }
        note(lacking_identity(runtime), "no subnet identity");
        note_hyperparameters(runtime, &mut note);
        let mut seen: BTreeSet<String> = required.iter().cloned().collect();
        optional.retain(|(name, _)| seen.insert(name.clone()));
        Self {
            spec_version: runtime.spec_version(),
            required,
            optional: optional
                .into_iter()
                .map(|(name, means)| format!("{name} ({means})"))
                .collect(),
        }
    }

    /// Whether an optional name is there.
    pub fn has(&self, name: &str) -> bool {
        !self
            .optional
            .iter()
            .chain(&self.required)
            .any(|missing| missing.split(' ').next() == Some(name))
    }
}

/// Entries of hyper-parameters, and the calls that set them.
fn note_hyperparameters(runtime: &Runtime, note: &mut impl FnMut(Vec<String>, &str)) {
    for setter in SETTERS {
        let means = format!("`{}` reads as that of a new subnet", setter.name);
        note(lacking(runtime, Storage(S, setter.storage, &[])), &means);
    }
    let means = "the activity cutoff is read in blocks";
    note(lacking(runtime, Storage(S, CUTOFF_FACTOR, &[])), means);
    let names = SETTERS.iter().map(|setter| setter.name);
    for name in names.chain([CUTOFF_FACTOR_NAME]) {
        let call = Call::SetHyperparameter {
            netuid: NetUid(1),
            name: name.to_owned(),
            value: 0,
        };
        if let Err(ChainErrorKind::Unsupported { missing, .. }) = encode(&call, runtime) {
            note(missing, &format!("`{name}` cannot be set"));
        }
    }
}

/// The newest entry of identities if the runtime has none of them, or the fields that are missing of the one it has.
fn lacking_identity(runtime: &Runtime) -> Vec<String> {
    let [newest, ..] = identity::ENTRIES;
    let entry = identity::ENTRIES
        .into_iter()
        .find(|entry| runtime.has_storage(S, entry))
        .unwrap_or(newest);
    lacking(runtime, Storage(S, entry, identity::FIELDS))
}

/// The call, or those of its arguments, that the runtime lacks.
fn lacking_call(runtime: &Runtime, candidate: &Candidate) -> Vec<String> {
    let Candidate { pallet, name, .. } = candidate;
    let arguments: Vec<&str> = match &candidate.arguments {
        Composite::Named(named) => named.iter().map(|(name, _)| name.as_str()).collect(),
        Composite::Unnamed(_) => Vec::new(),
    };
    lacking_parts(runtime.call_fields(pallet, name), (pallet, name), &arguments)
}

/// The name of what is not there, or of those parts of it that are not.
fn lacking_parts(found: Option<Vec<String>>, (pallet, name): (&str, &str), wanted: &[&str]) -> Vec<String> {
    let Some(found) = found else {
        return vec![format!("{pallet}.{name}")];
    };
    wanted
        .iter()
        .filter(|wanted| !found.iter().any(|found| found == *wanted))
        .map(|wanted| format!("{pallet}.{name}.{wanted}"))
        .collect()
}

/// The name, or those of its parts, that the runtime lacks.
fn lacking(runtime: &Runtime, name: Name) -> Vec<String> {
    let one = |is_there: bool, pallet: &str, name: &str| {
        if is_there {
            Vec::new()
        } else {
            vec![format!("{pallet}.{name}")]
        }
    };
    match name {
        Storage(pallet, entry, fields) => {
            lacking_parts(runtime.storage_fields(pallet, entry), (pallet, entry), fields)
        }
        Constant(pallet, name) => one(runtime.constant_u64(pallet, name).is_some(), pallet, name),
        Event(pallet, event) => one(runtime.has_event(pallet, event), pallet, event),
        Api(api, method, fields) => lacking_parts(runtime.api_fields(api, method), (api, method), fields),
        Data(variant) => one(
            runtime.has_call_variant(COMMITMENTS, REQUIRED_CALL, variant),
            "Commitments.Data",
            variant,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_but_the_required_one_says_what_its_lack_means() {
        let made: BTreeSet<String> = calls().into_iter().map(|candidate| candidate.name).collect();
        let mut known: BTreeSet<String> = CALLS.iter().map(|(name, _)| (*name).to_owned()).collect();
        known.insert(REQUIRED_CALL.to_owned());
        assert_eq!(made, known);
    }
}

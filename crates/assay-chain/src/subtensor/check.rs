//! The self-check: which calls, storage entries, runtime APIs, events and fields of ours a runtime lacks.
//!
//! It runs at the start and whenever `spec_version` changes. Nothing works without the required names; each optional one
//! has a fallback, or costs the one feature that [`OPTIONAL`] names.

use crate::subtensor::runtime::Runtime;

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
    Storage(&'static str, &'static str),
    /// With the arguments used.
    Call(&'static str, &'static str, &'static [&'static str]),
    /// With the fields read.
    Api(&'static str, &'static str, &'static [&'static str]),
    Event(&'static str, &'static str),
    /// A kind of commitment field.
    Data(&'static str),
}

use Name::{Api, Call, Data, Event, Storage};

const S: &str = "SubtensorModule";

/// Without these there is no subnet to speak of.
const REQUIRED: &[Name] = &[
    Storage("System", "Account"),
    Storage("System", "Events"),
    Storage("Timestamp", "Now"),
    Storage(S, "NetworksAdded"),
    Storage(S, "Keys"),
    Storage(S, "Uids"),
    Storage(S, "SubnetworkN"),
    Storage(S, "Owner"),
    Storage(S, "Tempo"),
    Storage(S, "LastUpdate"),
    Storage(S, "ValidatorPermit"),
    Storage(S, "Weights"),
    Storage("Commitments", "CommitmentOf"),
    Call("Commitments", "set_commitment", &["netuid", "info"]),
    Event("System", "ExtrinsicSuccess"),
    Event("System", "ExtrinsicFailed"),
    Data("Raw124"),
];

/// Fields of `get_metagraph` that make a neuron.
const METAGRAPH_FIELDS: &[&str] = &[
    "hotkeys",
    "coldkeys",
    "active",
    "validator_permit",
    "last_update",
    "emission",
    "dividends",
    "incentives",
    "consensus",
    "block_at_registration",
    "total_stake",
    "axons",
    "owner_hotkey",
    "owner_coldkey",
];

/// What is done without each of these.
const OPTIONAL: &[(Name, &str)] = &[
    (
        Call(S, "register_limit", &["netuid", "hotkey", "limit_price"]),
        "registration goes by burned_register, its price checked before",
    ),
    (
        Call(S, "burned_register", &["netuid", "hotkey"]),
        "no older registration",
    ),
    (
        Call(
            S,
            "set_mechanism_weights",
            &["netuid", "mecid", "dests", "weights", "version_key"],
        ),
        "weights of mechanism 0 only",
    ),
    (
        Call(S, "set_weights", &["netuid", "dests", "weights", "version_key"]),
        "no older call for weights",
    ),
    (
        Call(
            S,
            "commit_timelocked_mechanism_weights",
            &[
                "netuid",
                "mecid",
                "commit",
                "reveal_round",
                "commit_reveal_version",
            ],
        ),
        "timelocked weights of mechanism 0 only",
    ),
    (
        Call(
            S,
            "commit_timelocked_weights",
            &["netuid", "commit", "reveal_round", "commit_reveal_version"],
        ),
        "no older call for timelocked weights",
    ),
    (
        Call(S, "set_subnet_identity", &["netuid", "subnet_name"]),
        "no subnet identity",
    ),
    (Call(S, "start_call", &["netuid"]), "no start of emission"),
    (
        Call(S, "register_network_with_identity", &["hotkey", "identity"]),
        "no new subnet with an identity",
    ),
    (
        Call(S, "add_stake", &["hotkey", "netuid", "amount_staked"]),
        "no staking",
    ),
    (
        Call(S, "serve_axon", &["netuid", "ip", "port"]),
        "no address of a neuron",
    ),
    (
        Api("SubnetInfoRuntimeApi", "get_metagraph", METAGRAPH_FIELDS),
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
    (Storage(S, "ValidatorTrust"), "vtrust reads 0"),
    (Storage(S, "Bonds"), "no bonds"),
    (Storage(S, "Burn"), "no price of a registration"),
    (Storage(S, "SubnetIdentitiesV3"), "no subnet identity"),
    (
        Storage(S, "LastEpochBlock"),
        "epochs run by (block + netuid + 1) mod (tempo + 1)",
    ),
    (Storage(S, "PendingEpochAt"), "epochs are never put off"),
    (
        Storage(S, "SubnetEpochIndex"),
        "epochs are numbered from the block",
    ),
    (
        Storage(S, "TimelockedWeightCommits"),
        "open weight commits are not seen",
    ),
    (
        Storage("Commitments", "RevealedCommitments"),
        "no timelocked commitments",
    ),
    (
        Storage("Commitments", "UsedSpaceOf"),
        "no check of the byte budget before sending",
    ),
    (Storage("Drand", "Pulses"), "no beacon"),
    (Storage("Drand", "LastStoredRound"), "no beacon"),
    (
        Event(S, "TimelockedWeightsRevealed"),
        "reveals are seen in storage only",
    ),
    (Data("TimelockEncrypted"), "no timelocked commitments"),
    (Data("BigRaw"), "plain commitments of at most 128 bytes"),
    (Data("BlakeTwo256"), "no hashed commitments"),
];

impl Check {
    /// Looks every name up.
    pub fn of(runtime: &Runtime) -> Self {
        let required = REQUIRED.iter().flat_map(|name| lacking(runtime, *name)).collect();
        let optional = OPTIONAL
            .iter()
            .flat_map(|(name, means)| {
                lacking(runtime, *name)
                    .into_iter()
                    .map(move |name| format!("{name} ({means})"))
            })
            .collect();
        Self {
            spec_version: runtime.spec_version(),
            required,
            optional,
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

/// The name, or those of its parts, that the runtime lacks.
fn lacking(runtime: &Runtime, name: Name) -> Vec<String> {
    let one = |is_there: bool, pallet: &str, name: &str| {
        if is_there {
            Vec::new()
        } else {
            vec![format!("{pallet}.{name}")]
        }
    };
    let parts = |found: Option<Vec<String>>, pallet: &str, name: &str, wanted: &[&str]| match found {
        None => vec![format!("{pallet}.{name}")],
        Some(found) => wanted
            .iter()
            .filter(|wanted| !found.iter().any(|found| found == *wanted))
            .map(|wanted| format!("{pallet}.{name}.{wanted}"))
            .collect(),
    };
    match name {
        Storage(pallet, entry) => one(runtime.has_storage(pallet, entry), pallet, entry),
        Event(pallet, event) => one(runtime.has_event(pallet, event), pallet, event),
        Call(pallet, call, arguments) => parts(runtime.call_fields(pallet, call), pallet, call, arguments),
        Api(api, method, fields) => parts(runtime.api_fields(api, method), api, method, fields),
        Data(variant) => one(
            runtime.has_call_variant("Commitments", "set_commitment", variant),
            "Commitments.Data",
            variant,
        ),
    }
}

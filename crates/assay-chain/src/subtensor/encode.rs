//! A [`Call`] as the transaction of a live runtime: names tried in order, arguments by name, never an index.
//!
//! Where a runtime lacks a call, the next [`Candidate`] that does the same is taken (docs/chain.md, "Older runtimes").

use assay_types::{Digest, MechId};
use std::net::SocketAddr;
use subxt::ext::frame_decode::extrinsics::encode_call_data;
use subxt::ext::scale_value::{Composite, Value};

use crate::subtensor::hyperparameters::{CUTOFF_FACTOR_NAME, setter};
use crate::subtensor::runtime::{Runtime, answer};
use crate::{
    BIG_RAW_BYTES_MAX, Call, ChainErrorKind, CommitmentField, FIELDS_MAX, RAW_BYTES_MAX, SubnetIdentity,
    TIMELOCKED_BYTES_MAX,
};

/// Pallet of most calls.
pub(crate) const SUBTENSOR: &str = "SubtensorModule";
/// Pallet of commitments.
pub(crate) const COMMITMENTS: &str = "Commitments";
/// Pallet of the subnet owner's settings.
pub(crate) const ADMIN: &str = "AdminUtils";

/// One way to make a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Pallet.
    pub pallet: &'static str,
    /// Function.
    pub name: String,
    /// Arguments, by name.
    pub arguments: Composite<()>,
}

impl Candidate {
    fn new<const N: usize>(pallet: &'static str, name: &str, arguments: [(&str, Value); N]) -> Self {
        Self {
            pallet,
            name: name.to_owned(),
            arguments: Composite::named(arguments),
        }
    }

    /// Pallet index, call index and SCALE arguments: what is signed.
    ///
    /// # Errors
    /// [`ChainErrorKind::Answer`] where the runtime's arguments are others.
    pub fn call_data(&self, runtime: &Runtime) -> Result<Vec<u8>, ChainErrorKind> {
        let metadata = runtime.metadata();
        encode_call_data(
            self.pallet,
            &self.name,
            &self.arguments,
            &**metadata,
            metadata.types(),
        )
        .map_err(|error| answer(format!("arguments of {}.{}: {error}", self.pallet, self.name)))
    }
}

/// All ways to make `call`, best first.
///
/// # Errors
/// [`ChainErrorKind::Preflight`] for a commitment or parameter that no runtime takes.
pub fn candidates(call: &Call) -> Result<Vec<Candidate>, ChainErrorKind> {
    Ok(match call {
        Call::SetCommitment { netuid, fields } => vec![Candidate::new(
            COMMITMENTS,
            "set_commitment",
            [("netuid", Value::from(netuid.0)), ("info", commitment(fields)?)],
        )],
        Call::SetWeights { .. } => set_weights(call),
        Call::CommitTimelockedWeights { .. } => commit_weights(call),
        Call::Register { .. } => register(call),
        Call::ServeAxon { netuid, address } => vec![serve_axon(netuid.0, *address)],
        Call::RegisterNetwork { hotkey, identity } => register_network(hotkey.0, identity.as_ref()),
        Call::StartCall { netuid } => vec![Candidate::new(
            SUBTENSOR,
            "start_call",
            [("netuid", Value::from(netuid.0))],
        )],
        Call::SetSubnetIdentity { netuid, identity } => {
            let mut fields = identity_fields(identity);
            fields.insert(0, ("netuid", Value::from(netuid.0)));
            vec![Candidate {
                pallet: SUBTENSOR,
                name: "set_subnet_identity".to_owned(),
                arguments: Composite::named(fields),
            }]
        }
        Call::AddStake {
            hotkey,
            netuid,
            amount,
        } => vec![Candidate::new(
            SUBTENSOR,
            "add_stake",
            [
                ("hotkey", Value::from_bytes(hotkey.0)),
                ("netuid", Value::from(netuid.0)),
                ("amount_staked", Value::from(amount.0)),
            ],
        )],
        Call::SetHyperparameter { netuid, name, value } => set_hyperparameter(netuid.0, name, *value)?,
    })
}

/// A registration at a limit price, or without one where the runtime knows none.
fn register(call: &Call) -> Vec<Candidate> {
    let Call::Register {
        netuid,
        hotkey,
        limit_price,
    } = call
    else {
        return Vec::new();
    };
    let plain = [
        ("netuid", Value::from(netuid.0)),
        ("hotkey", Value::from_bytes(hotkey.0)),
    ];
    let [netuid, hotkey] = plain.clone();
    let limited = [netuid, hotkey, ("limit_price", Value::from(limit_price.0))];
    vec![
        Candidate::new(SUBTENSOR, "register_limit", limited),
        Candidate::new(SUBTENSOR, "burned_register", plain),
    ]
}

/// The owner's calls of `SubtensorModule` that set a hyper-parameter without `AdminUtils`.
pub(crate) const OWNER_SETTERS: [&str; 2] = ["set_tempo", "set_activity_cutoff_factor"];
/// The call of `AdminUtils` whose presence says that [`OWNER_SETTERS`] charge a fee, succeed, and change nothing.
pub(crate) const CUTOFF_FACTOR_CALL: &str = "sudo_set_activity_cutoff_factor";

/// Whether a call would be included, succeed and do nothing: runtimes that let the owner set tempo and cutoff by `AdminUtils`
/// keep the older calls as empty shells (docs/chain.md, "Older runtimes").
fn is_hollow(candidate: &Candidate, runtime: &Runtime) -> bool {
    candidate.pallet == SUBTENSOR
        && OWNER_SETTERS.contains(&candidate.name.as_str())
        && runtime.has_call(ADMIN, CUTOFF_FACTOR_CALL)
}

/// `sudo_set_…` of the hyper-parameter `name`; for the two that some runtimes let the owner set without `AdminUtils`, that
/// call first.
fn set_hyperparameter(netuid: u16, name: &str, value: u64) -> Result<Vec<Candidate>, ChainErrorKind> {
    let [set_tempo, set_cutoff_factor] = OWNER_SETTERS;
    let numbers = |pallet: &'static str, call: &str| Candidate {
        pallet,
        name: call.to_owned(),
        arguments: Composite::unnamed([Value::from(netuid), Value::from(value)]),
    };
    if name == CUTOFF_FACTOR_NAME {
        return Ok(vec![
            numbers(SUBTENSOR, set_cutoff_factor),
            numbers(ADMIN, CUTOFF_FACTOR_CALL),
        ]);
    }
    let setter = setter(name).ok_or_else(|| ChainErrorKind::Preflight {
        name: "UnknownHyperparameter".to_owned(),
        reason: format!("no hyper-parameter `{name}`"),
        wait_blocks: None,
    })?;
    // The name of the second argument differs from call to call, so both go by place.
    let admin = Candidate {
        pallet: ADMIN,
        name: setter.call.to_owned(),
        arguments: Composite::unnamed([Value::from(netuid), setter.form.argument(value)]),
    };
    Ok(match name {
        "tempo" => vec![numbers(SUBTENSOR, set_tempo), admin],
        _ => vec![admin],
    })
}

/// The first way to make `call` that the runtime has.
///
/// # Errors
/// [`ChainErrorKind::Unsupported`] naming every way, if it has none; [`ChainErrorKind::Preflight`] as [`candidates`].
pub fn encode(call: &Call, runtime: &Runtime) -> Result<Candidate, ChainErrorKind> {
    let mut missing = Vec::new();
    for candidate in candidates(call)? {
        if !runtime.has_call(candidate.pallet, &candidate.name) || is_hollow(&candidate, runtime) {
            missing.push(format!("{}.{}", candidate.pallet, candidate.name));
        } else if candidate.name == "set_commitment" {
            return with_variants(call, candidate, runtime);
        } else if mechanism_of(call).0 != 0 && !candidate.name.contains("mechanism") {
            missing.push("mechanisms".to_owned());
        } else {
            return Ok(candidate);
        }
    }
    Err(ChainErrorKind::Unsupported {
        spec_version: runtime.spec_version(),
        missing,
    })
}

/// Mechanism that a call needs; calls without one need none.
const fn mechanism_of(call: &Call) -> MechId {
    match call {
        Call::SetWeights { mecid, .. } | Call::CommitTimelockedWeights { mecid, .. } => *mecid,
        _ => MechId(0),
    }
}

/// Checks that the runtime knows every kind of field of a commitment.
fn with_variants(call: &Call, candidate: Candidate, runtime: &Runtime) -> Result<Candidate, ChainErrorKind> {
    let Call::SetCommitment { fields, .. } = call else {
        return Ok(candidate);
    };
    let missing: Vec<String> = fields
        .iter()
        .map(variant_of)
        .filter(|variant| !runtime.has_call_variant(COMMITMENTS, "set_commitment", variant))
        .map(|variant| format!("{COMMITMENTS}.Data.{variant}"))
        .collect();
    if missing.is_empty() {
        return Ok(candidate);
    }
    Err(ChainErrorKind::Unsupported {
        spec_version: runtime.spec_version(),
        missing,
    })
}

/// The variant of the pallet's `Data` that holds a field.
fn variant_of(field: &CommitmentField) -> String {
    match field {
        CommitmentField::Plain(bytes) if bytes.len() <= RAW_BYTES_MAX => format!("Raw{}", bytes.len()),
        CommitmentField::Plain(_) => "BigRaw".to_owned(),
        CommitmentField::Blake2(_) => "BlakeTwo256".to_owned(),
        CommitmentField::Timelocked { .. } => "TimelockEncrypted".to_owned(),
    }
}

fn commitment(fields: &[CommitmentField]) -> Result<Value, ChainErrorKind> {
    let refused = |name: &str, reason: String| ChainErrorKind::Preflight {
        name: name.to_owned(),
        reason,
        wait_blocks: None,
    };
    if fields.len() > FIELDS_MAX {
        return Err(refused(
            "TooManyFieldsInCommitmentInfo",
            format!("{} fields are more than {FIELDS_MAX}", fields.len()),
        ));
    }
    let mut values = Vec::new();
    for field in fields {
        let (bytes, most) = match field {
            CommitmentField::Plain(bytes) => (bytes.len(), BIG_RAW_BYTES_MAX),
            CommitmentField::Blake2(_) => (0, 0),
            CommitmentField::Timelocked { ciphertext, .. } => (ciphertext.len(), TIMELOCKED_BYTES_MAX),
        };
        if bytes > most {
            return Err(refused(
                "SpaceLimitExceeded",
                format!("a field of {bytes} bytes is longer than {most}"),
            ));
        }
        values.push(match field {
            CommitmentField::Plain(bytes) => {
                Value::unnamed_variant(variant_of(field), [Value::from_bytes(bytes)])
            }
            CommitmentField::Blake2(Digest(digest)) => {
                Value::unnamed_variant(variant_of(field), [Value::from_bytes(digest)])
            }
            CommitmentField::Timelocked {
                ciphertext,
                reveal_round,
            } => Value::named_variant(
                variant_of(field),
                [
                    ("encrypted", Value::from_bytes(ciphertext)),
                    ("reveal_round", Value::from(*reveal_round)),
                ],
            ),
        });
    }
    Ok(Value::named_composite([(
        "fields",
        Value::unnamed_composite(values),
    )]))
}

fn set_weights(call: &Call) -> Vec<Candidate> {
    let Call::SetWeights {
        netuid,
        mecid,
        weights,
        version_key,
    } = call
    else {
        return Vec::new();
    };
    let dests = Value::unnamed_composite(weights.iter().map(|(uid, _)| Value::from(uid.0)));
    let values = Value::unnamed_composite(weights.iter().map(|(_, weight)| Value::from(weight.0)));
    let (netuid, key) = (Value::from(netuid.0), Value::from(*version_key));
    vec![
        Candidate::new(
            SUBTENSOR,
            "set_mechanism_weights",
            [
                ("netuid", netuid.clone()),
                ("mecid", Value::from(mecid.0)),
                ("dests", dests.clone()),
                ("weights", values.clone()),
                ("version_key", key.clone()),
            ],
        ),
        Candidate::new(
            SUBTENSOR,
            "set_weights",
            [
                ("netuid", netuid),
                ("dests", dests),
                ("weights", values),
                ("version_key", key),
            ],
        ),
    ]
}

fn commit_weights(call: &Call) -> Vec<Candidate> {
    let Call::CommitTimelockedWeights {
        netuid,
        mecid,
        commit,
        reveal_round,
        version,
    } = call
    else {
        return Vec::new();
    };
    let (netuid, commit) = (Value::from(netuid.0), Value::from_bytes(commit));
    let (round, version) = (Value::from(*reveal_round), Value::from(*version));
    vec![
        Candidate::new(
            SUBTENSOR,
            "commit_timelocked_mechanism_weights",
            [
                ("netuid", netuid.clone()),
                ("mecid", Value::from(mecid.0)),
                ("commit", commit.clone()),
                ("reveal_round", round.clone()),
                ("commit_reveal_version", version.clone()),
            ],
        ),
        Candidate::new(
            SUBTENSOR,
            "commit_timelocked_weights",
            [
                ("netuid", netuid),
                ("commit", commit),
                ("reveal_round", round),
                ("commit_reveal_version", version),
            ],
        ),
    ]
}

fn serve_axon(netuid: u16, address: SocketAddr) -> Candidate {
    let (ip, kind) = match address.ip() {
        std::net::IpAddr::V4(ip) => (u128::from(u32::from(ip)), 4_u8),
        std::net::IpAddr::V6(ip) => (u128::from(ip), 6),
    };
    Candidate::new(
        SUBTENSOR,
        "serve_axon",
        [
            ("netuid", Value::from(netuid)),
            ("version", Value::from(1_u32)),
            ("ip", Value::from(ip)),
            ("port", Value::from(address.port())),
            ("ip_type", Value::from(kind)),
            ("protocol", Value::from(4_u8)),
            ("placeholder1", Value::from(0_u8)),
            ("placeholder2", Value::from(0_u8)),
        ],
    )
}

fn register_network(hotkey: [u8; 32], identity: Option<&SubnetIdentity>) -> Vec<Candidate> {
    let hotkey = Value::from_bytes(hotkey);
    let with = identity.map_or_else(
        || Value::unnamed_variant("None", []),
        |identity| Value::unnamed_variant("Some", [Value::named_composite(identity_fields(identity))]),
    );
    let with_identity = Candidate::new(
        SUBTENSOR,
        "register_network_with_identity",
        [("hotkey", hotkey.clone()), ("identity", with)],
    );
    let plain = Candidate::new(SUBTENSOR, "register_network", [("hotkey", hotkey)]);
    // Without the call for both, an identity would be lost without a word.
    if identity.is_some() {
        vec![with_identity]
    } else {
        vec![plain, with_identity]
    }
}

fn identity_fields(identity: &SubnetIdentity) -> Vec<(&'static str, Value)> {
    [
        ("subnet_name", &identity.subnet_name),
        ("github_repo", &identity.github_repo),
        ("subnet_contact", &identity.subnet_contact),
        ("subnet_url", &identity.subnet_url),
        ("discord", &identity.discord),
        ("description", &identity.description),
        ("logo_url", &identity.logo_url),
        ("additional", &identity.additional),
    ]
    .into_iter()
    .map(|(name, text)| (name, Value::from_bytes(text)))
    .collect()
}

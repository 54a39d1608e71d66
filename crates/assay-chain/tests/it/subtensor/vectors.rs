//! Call data made by an independent client: every vector on both runtimes, and signing offline.

use assay_chain::subtensor::{ERA_BLOCKS, Signing, candidates, encode, sign};
use assay_chain::{Call, ChainErrorKind, CommitmentField, SubnetIdentity};
use assay_types::{BlockNumber, Digest, Hotkey, MechId, NetUid, Rao, Uid, Weight};
use serde_json::Value as Json;
use subxt_signer::sr25519::dev;

use crate::recorded;

fn bytes(hex: &Json) -> Vec<u8> {
    let digits = hex.as_str().unwrap().trim_start_matches("0x");
    (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

fn number(json: &Json) -> u64 {
    json.as_u64()
        .unwrap_or_else(|| json.as_str().unwrap().parse().unwrap())
}

fn commitment_field(field: &Json) -> CommitmentField {
    let (name, value) = field.as_object().unwrap().iter().next().unwrap();
    match name.as_str() {
        "TimelockEncrypted" => CommitmentField::Timelocked {
            ciphertext: bytes(&value["encrypted"]),
            reveal_round: number(&value["reveal_round"]),
        },
        "BlakeTwo256" => CommitmentField::Blake2(Digest(bytes(value).try_into().unwrap())),
        _ => CommitmentField::Plain(bytes(value)),
    }
}

fn weights(args: &Json) -> Call {
    let list = |name: &str| {
        args[name]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| number(value) as u16)
    };
    Call::SetWeights {
        netuid: NetUid(number(&args["netuid"]) as u16),
        mecid: MechId(args["mecid"].as_u64().unwrap_or(0) as u8),
        weights: list("dests").map(Uid).zip(list("weights").map(Weight)).collect(),
        version_key: number(&args["version_key"]),
    }
}

/// The call that a vector describes.
fn call_of(name: &str, args: &Json) -> Call {
    let netuid = NetUid(number(&args["netuid"]) as u16);
    let text = |field: &str| args[field].as_str().unwrap().to_owned();
    match name {
        "set_commitment" => Call::SetCommitment {
            netuid,
            fields: args["fields"]
                .as_array()
                .unwrap()
                .iter()
                .map(commitment_field)
                .collect(),
        },
        "burned_register" | "register_limit" => Call::Register {
            netuid,
            hotkey: Hotkey::from_ss58(&text("hotkey")).unwrap(),
            limit_price: Rao(1_000_000_000),
        },
        "set_weights" | "set_mechanism_weights" => weights(args),
        "commit_timelocked_weights" | "commit_timelocked_mechanism_weights" => {
            Call::CommitTimelockedWeights {
                netuid,
                mecid: MechId(args["mecid"].as_u64().unwrap_or(0) as u8),
                commit: bytes(&args["commit"]),
                reveal_round: number(&args["reveal_round"]),
                version: number(&args["commit_reveal_version"]) as u16,
            }
        }
        "set_subnet_identity" => Call::SetSubnetIdentity {
            netuid,
            identity: SubnetIdentity {
                subnet_name: text("subnet_name"),
                github_repo: text("github_repo"),
                subnet_contact: text("subnet_contact"),
                subnet_url: text("subnet_url"),
                discord: text("discord"),
                description: text("description"),
                logo_url: text("logo_url"),
                additional: text("additional"),
            },
        },
        other => panic!("no test reads vectors of `{other}`"),
    }
}

#[test]
fn every_call_vector_is_met_byte_for_byte() {
    let Some(folder) = recorded::folder("every_call_vector_is_met_byte_for_byte") else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("call_vectors.json")).unwrap();
    let vectors: Vec<Json> = serde_json::from_str(&text).unwrap();
    let mut met = Vec::new();
    for spec in recorded::SPECS {
        let runtime = recorded::runtime(&folder, spec);
        for vector in vectors.iter().filter(|vector| vector["spec"] == spec) {
            let full = vector["call"].as_str().unwrap();
            let (pallet, name) = full.split_once('.').unwrap();
            let call = call_of(name, &vector["args"]);
            let candidate = candidates(&call)
                .unwrap()
                .into_iter()
                .find(|candidate| candidate.name == name && candidate.pallet == pallet)
                .unwrap();
            if vector.get("error").is_some() {
                // The runtime lacks the call, so another one is made.
                assert!(!runtime.has_call(pallet, name), "{full}");
                assert_eq!(encode(&call, &runtime).unwrap().name, "burned_register");
            } else {
                assert_eq!(
                    candidate.call_data(&runtime).unwrap(),
                    bytes(&vector["hex"]),
                    "{full} on {spec}"
                );
                let mechanism = full.contains("mechanism");
                let first = encode(&call, &runtime).unwrap();
                assert!(
                    first.name == name || !mechanism,
                    "{full} is not what is sent on {spec}"
                );
            }
            met.push((spec, full.to_owned()));
        }
    }
    assert_eq!(
        met.len(),
        vectors.len(),
        "a vector of another runtime is left unread"
    );
    assert!(met.len() >= 20, "only {} vectors", met.len());
}

#[test]
fn every_call_is_signed_offline_on_both_runtimes() {
    let Some(folder) = recorded::folder("every_call_is_signed_offline_on_both_runtimes") else {
        return;
    };
    let signing = Signing {
        genesis: Digest([1; 32]),
        birth: BlockNumber(7_000_001),
        birth_hash: Digest([2; 32]),
        nonce: 5,
    };
    assert_eq!(signing.era_end(), BlockNumber(7_000_001 + ERA_BLOCKS - 1));
    for spec in recorded::SPECS {
        let runtime = recorded::runtime(&folder, spec);
        for call in all_calls() {
            let candidate = encode(&call, &runtime).unwrap();
            let data = candidate.call_data(&runtime).unwrap();
            let signed = sign(&candidate, &runtime, &signing, &dev::alice()).unwrap();
            assert!(signed.ends_with(&data), "{} on {spec}", call.name());
            // Version 4, signed; the address is an account id, the signature sr25519.
            let head = if signed[0] & 3 == 1 { 2 } else { 4 };
            assert_eq!(signed[head], 0x84, "{} on {spec}", call.name());
            assert_eq!(signed[head + 1], 0);
            assert_eq!(signed[head + 2..head + 34], dev::alice().public_key().0);
            assert_eq!(signed[head + 34], 1);
            // Era of 32 blocks (period exponent 4 in the low bits), then the nonce, compact.
            let era = head + 35 + 64;
            let encoded = u16::from_le_bytes([signed[era], signed[era + 1]]);
            assert_eq!(encoded & 0xf, 4, "{} on {spec}", call.name());
            assert_eq!(u32::from(encoded >> 4), 7_000_001 % ERA_BLOCKS);
            assert_eq!(signed[era + 2], 5 << 2);
        }
    }
}

fn all_calls() -> Vec<Call> {
    let (netuid, hotkey) = (NetUid(7), Hotkey([3; 32]));
    vec![
        Call::SetCommitment {
            netuid,
            fields: vec![
                CommitmentField::Plain(vec![7; 124]),
                CommitmentField::Blake2(Digest([1; 32])),
            ],
        },
        Call::SetWeights {
            netuid,
            mecid: MechId(1),
            weights: vec![(Uid(1), Weight(65_535))],
            version_key: 3,
        },
        Call::CommitTimelockedWeights {
            netuid,
            mecid: MechId(0),
            commit: vec![9; 1_313],
            reveal_round: 19_065_756,
            version: 4,
        },
        Call::Register {
            netuid,
            hotkey,
            limit_price: Rao(1_000_000_000),
        },
        Call::ServeAxon {
            netuid,
            address: "203.0.113.7:8091".parse().unwrap(),
        },
        Call::RegisterNetwork {
            hotkey,
            identity: Some(SubnetIdentity::default()),
        },
        Call::RegisterNetwork {
            hotkey,
            identity: None,
        },
        Call::StartCall { netuid },
        Call::SetSubnetIdentity {
            netuid,
            identity: SubnetIdentity::default(),
        },
        Call::AddStake {
            hotkey,
            netuid,
            amount: Rao(1),
        },
        Call::SetHyperparameter {
            netuid,
            name: "commit_reveal".to_owned(),
            value: 1,
        },
        Call::SetHyperparameter {
            netuid,
            name: "immunity_period".to_owned(),
            value: 5_000,
        },
    ]
}

#[test]
fn what_no_runtime_takes_is_refused_before_signing() {
    let commit = |fields| Call::SetCommitment {
        netuid: NetUid(7),
        fields,
    };
    let name = |call: &Call| match candidates(call) {
        Err(ChainErrorKind::Preflight { name, .. }) => name,
        other => panic!("{other:?}"),
    };
    let plain = |length| CommitmentField::Plain(vec![0; length]);
    assert_eq!(name(&commit(vec![plain(1); 4])), "TooManyFieldsInCommitmentInfo");
    assert_eq!(name(&commit(vec![plain(513)])), "SpaceLimitExceeded");
    let sealed = CommitmentField::Timelocked {
        ciphertext: vec![0; 1_025],
        reveal_round: 1,
    };
    assert_eq!(name(&commit(vec![sealed])), "SpaceLimitExceeded");
    let unknown = Call::SetHyperparameter {
        netuid: NetUid(7),
        name: "tempi".to_owned(),
        value: 1,
    };
    assert_eq!(name(&unknown), "UnknownHyperparameter");
}

#[test]
fn every_hyperparameter_can_be_set_on_the_recorded_runtimes() {
    let Some(folder) = recorded::folder("every_hyperparameter_can_be_set_on_the_recorded_runtimes") else {
        return;
    };
    let runtime = recorded::runtime(&folder, 393);
    let fields = serde_json::to_value(assay_chain::Hyperparameters::default()).unwrap();
    let mut lacks = Vec::new();
    for name in fields.as_object().unwrap().keys() {
        let call = Call::SetHyperparameter {
            netuid: NetUid(7),
            name: name.clone(),
            value: 1,
        };
        match encode(&call, &runtime) {
            Ok(candidate) => {
                // Pallet and call index, netuid, and a value of one byte or more.
                assert!(candidate.call_data(&runtime).unwrap().len() >= 5, "{name}");
            }
            Err(ChainErrorKind::Unsupported { missing, .. }) => lacks.extend(missing),
            Err(other) => panic!("{name}: {other}"),
        }
    }
    lacks.sort();
    assert_eq!(
        lacks,
        [
            "AdminUtils.sudo_set_burn_half_life",
            "AdminUtils.sudo_set_burn_increase_mult",
            "AdminUtils.sudo_set_max_weight_limit",
        ],
        "the one that is gone, and those that came later"
    );
}

#[test]
fn kinds_of_fields_that_a_runtime_lacks_are_named() {
    let Some(folder) = recorded::folder("kinds_of_fields_that_a_runtime_lacks_are_named") else {
        return;
    };
    for spec in recorded::SPECS {
        let runtime = recorded::runtime(&folder, spec);
        let call = Call::SetCommitment {
            netuid: NetUid(7),
            fields: vec![CommitmentField::Plain(vec![0; 200])],
        };
        let encoded = encode(&call, &runtime);
        let check = assay_chain::subtensor::Check::of(&runtime);
        if check.has("Commitments.Data.BigRaw") {
            encoded.unwrap().call_data(&runtime).unwrap();
        } else {
            let missing = vec!["Commitments.Data.BigRaw".to_owned()];
            assert_eq!(
                encoded,
                Err(ChainErrorKind::Unsupported {
                    spec_version: spec,
                    missing
                })
            );
        }
    }
}

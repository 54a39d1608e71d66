//! Reads of canned state: the metagraph both ways, commitments, weights, epochs, beacon, identity, money.

use assay_chain::subtensor::Subtensor;
use assay_chain::{At, Chain as _, ChainErrorKind, CommitmentField, Metagraph};
use assay_types::{BlockNumber, Coldkey, Digest, Hotkey, MechId, NetUid, Rao, Uid, Weight};
use subxt::ext::scale_value::Value;

use super::connection::{connect, script};
use crate::recorded;
use crate::scripted::{Script, ScriptedNode};

const S: &str = "SubtensorModule";
const NETUID: NetUid = NetUid(7);

fn hotkey(uid: u8) -> [u8; 32] {
    [uid + 1; 32]
}

fn coldkey(uid: u8) -> [u8; 32] {
    [uid + 101; 32]
}

fn list<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Value {
    Value::unnamed_composite(values.into_iter().map(Into::into))
}

/// Three neurons in storage.
fn stored(script: &mut Script) {
    let netuid = Value::from(7_u16);
    for (entry, value) in [
        ("SubnetworkN", Value::from(3_u16)),
        ("ValidatorPermit", list([true, true, false])),
        ("Active", list([true, false, true])),
        ("Incentive", list([0_u16, 20_000, 45_535])),
        ("Dividends", list([65_535_u16, 0, 0])),
        ("Consensus", list([0_u16, 30_000, 65_535])),
        ("ValidatorTrust", list([65_535_u16, 1, 0])),
        ("Emission", list([41_u64, 42, 43])),
        ("LastUpdate", list([4_u64, 3, 2])),
        ("ImmunityPeriod", Value::from(100_u16)),
        ("SubnetOwnerHotkey", Value::from_bytes(hotkey(0))),
        ("SubnetOwner", Value::from_bytes(coldkey(0))),
    ] {
        script.set(S, entry, std::slice::from_ref(&netuid), &value);
    }
    let mut set = |entry: &str, keys: &[Value], value: Value| script.set(S, entry, keys, &value);
    for uid in 0..3_u8 {
        let key = Value::from_bytes(hotkey(uid));
        set(
            "Keys",
            &[netuid.clone(), Value::from(u16::from(uid))],
            key.clone(),
        );
        set(
            "Owner",
            std::slice::from_ref(&key),
            Value::from_bytes(coldkey(uid)),
        );
        set(
            "BlockAtRegistration",
            &[netuid.clone(), Value::from(u16::from(uid))],
            Value::from(u64::from(uid)),
        );
        set(
            "TotalHotkeyAlpha",
            &[key.clone(), netuid.clone()],
            Value::from(1_000 * u64::from(uid)),
        );
        if uid == 2 {
            set("Axons", &[netuid.clone(), key], axon());
        }
    }
}

fn axon() -> Value {
    Value::named_composite([
        ("ip", Value::from(0x0102_0304_u128)),
        ("port", Value::from(8_091_u16)),
        ("ip_type", Value::from(4_u8)),
    ])
}

/// The same three neurons as `get_metagraph` tells of them.
fn answered(script: &mut Script) {
    let keys = |of: fn(u8) -> [u8; 32]| list((0..3).map(|uid| Value::from_bytes(of(uid))));
    let nothing = Value::unnamed_composite([]);
    let metagraph = Value::named_composite([
        ("netuid", Value::from(7_u16)),
        ("owner_hotkey", Value::from_bytes(hotkey(0))),
        ("owner_coldkey", Value::from_bytes(coldkey(0))),
        ("hotkeys", keys(hotkey)),
        ("coldkeys", keys(coldkey)),
        ("validator_permit", list([true, true, false])),
        ("active", list([true, false, true])),
        ("incentives", list([0_u16, 20_000, 45_535])),
        ("dividends", list([65_535_u16, 0, 0])),
        ("consensus", list([0_u16, 30_000, 65_535])),
        ("emission", list([41_u64, 42, 43])),
        ("last_update", list([4_u64, 3, 2])),
        ("block_at_registration", list([0_u64, 1, 2])),
        ("total_stake", list([0_u64, 1_000, 2_000])),
        ("axons", list([nothing.clone(), nothing, axon()])),
    ]);
    let some = Value::unnamed_variant("Some", [metagraph]);
    let (api, method) = ("SubnetInfoRuntimeApi", "get_metagraph");
    let answer = script.codec.answer(api, method, &some);
    script.apis.insert(format!("{api}_{method}"), answer);
}

async fn start(script: Script) -> (ScriptedNode, Subtensor) {
    let node = ScriptedNode::start(script).await;
    let chain = connect(&[&node.url]).await.unwrap();
    (node, chain)
}

fn check_neurons(metagraph: &Metagraph) {
    assert_eq!(metagraph.block, BlockNumber(5));
    assert_eq!(metagraph.owner_hotkey, Some(Hotkey(hotkey(0))));
    assert_eq!(metagraph.owner_coldkey, Some(Coldkey(coldkey(0))));
    assert_eq!(metagraph.neurons.len(), 3);
    let neuron = &metagraph.neurons[1];
    assert_eq!(
        (neuron.uid, neuron.hotkey, neuron.coldkey),
        (Uid(1), Hotkey(hotkey(1)), Coldkey(coldkey(1)))
    );
    assert_eq!((neuron.stake, neuron.emission), (Rao(1_000), Rao(42)));
    assert_eq!((neuron.permit, neuron.active), (true, false));
    assert_eq!(
        (neuron.incentive, neuron.consensus, neuron.vtrust),
        (20_000, 30_000, 1)
    );
    assert_eq!(
        (neuron.last_update, neuron.registered),
        (BlockNumber(3), BlockNumber(1))
    );
    assert_eq!(neuron.immunity_left, 96);
    assert_eq!(neuron.axon, None);
    assert_eq!(metagraph.neurons[0].dividends, 65_535);
    assert_eq!(metagraph.neurons[2].axon, "1.2.3.4:8091".parse().ok());
}

#[tokio::test]
async fn the_metagraph_from_storage_is_that_of_the_runtime_api() {
    let Some(folder) = recorded::folder("the_metagraph_from_storage_is_that_of_the_runtime_api") else {
        return;
    };
    let mut read = Vec::new();
    for spec in recorded::SPECS {
        // Without the whole answer, and without one field of it that makes a neuron or says who owns the subnet.
        for missing in [
            None,
            Some("get_metagraph"),
            Some("total_stake"),
            Some("owner_hotkey"),
        ] {
            let with_api = missing.is_none();
            let mut metadata = recorded::metadata(&folder, spec);
            if let Some(name) = missing {
                metadata = super::connection::without(&metadata, name);
            }
            let mut script = Script::new(spec, metadata);
            script.set(S, "NetworksAdded", &[Value::from(7_u16)], &Value::bool(true));
            stored(&mut script);
            if missing != Some("get_metagraph") {
                answered(&mut script);
            }
            for _ in 0..5 {
                script.make_block();
            }
            let (node, chain) = start(script).await;
            let check = chain.check();
            let lacks_some = check
                .optional
                .iter()
                .any(|name| name.starts_with("SubnetInfoRuntimeApi.get_metagraph"));
            assert_eq!(lacks_some, !with_api, "{:?}", check.optional);
            let metagraph = chain.metagraph(NETUID, At::Head).await.unwrap();
            check_neurons(&metagraph);
            read.push(metagraph.neurons);
            drop(node);
        }
    }
    assert!(read.iter().all(|neurons| *neurons == read[0]));
}

#[tokio::test]
async fn commitments_of_every_kind_are_read() {
    let Some(mut script) = script("commitments_of_every_kind_are_read", 5) else {
        return;
    };
    let fields = |fields: Vec<Value>| {
        let info = Value::named_composite([("fields", Value::unnamed_composite(fields))]);
        Value::named_composite([("block", Value::from(3_u32)), ("info", info)])
    };
    let sealed = Value::named_variant(
        "TimelockEncrypted",
        [
            ("encrypted", Value::from_bytes([1, 2, 3])),
            ("reveal_round", Value::from(99_u64)),
        ],
    );
    let keys = |uid| [Value::from(7_u16), Value::from_bytes(hotkey(uid))];
    let plain = Value::unnamed_variant("Raw5", [Value::from_bytes(b"assay")]);
    let hash = Value::unnamed_variant("BlakeTwo256", [Value::from_bytes([8; 32])]);
    script.set(
        "Commitments",
        "CommitmentOf",
        &keys(1),
        &fields(vec![plain, hash]),
    );
    script.set("Commitments", "CommitmentOf", &keys(0), &fields(vec![sealed]));
    let opened = list([Value::unnamed_composite([
        Value::from_bytes(b"opened"),
        Value::from(4_u64),
    ])]);
    script.set("Commitments", "RevealedCommitments", &keys(0), &opened);
    // Another subnet's entry, which must not come in.
    script.set(
        "Commitments",
        "CommitmentOf",
        &[Value::from(8_u16), Value::from_bytes(hotkey(2))],
        &fields(Vec::new()),
    );
    let (_node, chain) = start(script).await;
    let commitments = chain.commitments(NETUID, At::Head).await.unwrap();
    assert_eq!(commitments.len(), 2);
    assert_eq!(commitments[0].hotkey, Hotkey(hotkey(0)), "in hotkey order");
    assert_eq!(
        commitments[0].fields,
        [CommitmentField::Timelocked {
            ciphertext: vec![1, 2, 3],
            reveal_round: 99
        }]
    );
    assert_eq!(commitments[1].block, BlockNumber(3));
    assert_eq!(
        commitments[1].fields,
        [
            CommitmentField::Plain(b"assay".to_vec()),
            CommitmentField::Blake2(Digest([8; 32]))
        ]
    );
    let revealed = chain.revealed_commitments(NETUID, At::Head).await.unwrap();
    assert_eq!(revealed.len(), 1);
    assert_eq!(
        (revealed[0].block, revealed[0].bytes.as_slice()),
        (BlockNumber(4), &b"opened"[..])
    );
}

#[tokio::test]
async fn weights_bonds_and_open_commits_are_read_per_mechanism() {
    let Some(mut script) = script("weights_bonds_and_open_commits_are_read_per_mechanism", 5) else {
        return;
    };
    let pair = |to: u16, weight: u16| Value::unnamed_composite([Value::from(to), Value::from(weight)]);
    // One single weight, which looks like a pair in a list and like a list in a list.
    script.set(
        S,
        "Weights",
        &[Value::from(7_u16), Value::from(0_u16)],
        &list([pair(2, 65_535)]),
    );
    script.set(
        S,
        "Weights",
        &[Value::from(4_103_u16), Value::from(1_u16)],
        &list([pair(0, 65_535), pair(2, 7)]),
    );
    script.set(
        S,
        "Bonds",
        &[Value::from(7_u16), Value::from(0_u16)],
        &list([pair(1, 9)]),
    );
    let commit = Value::unnamed_composite([
        Value::from_bytes(hotkey(1)),
        Value::from(3_u64),
        Value::from_bytes([1, 2]),
        Value::from(99_u64),
    ]);
    script.set(
        S,
        "TimelockedWeightCommits",
        &[Value::from(7_u16), Value::from(12_u64)],
        &list([commit]),
    );
    let (_node, chain) = start(script).await;
    let rows = chain.weights(NETUID, MechId(0), At::Head).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].uid, rows[0].weights.as_slice()),
        (Uid(0), &[(Uid(2), Weight(65_535))][..])
    );
    let rows = chain.weights(NETUID, MechId(1), At::Head).await.unwrap();
    assert_eq!(rows[0].weights, [(Uid(0), Weight(65_535)), (Uid(2), Weight(7))]);
    let bonds = chain.bonds(NETUID, MechId(0), At::Head).await.unwrap();
    assert_eq!(bonds[0].weights, [(Uid(1), Weight(9))]);
    let open = chain.pending_commits(NETUID, MechId(0), At::Head).await.unwrap();
    assert_eq!(
        (open[0].epoch, open[0].block, open[0].reveal_round),
        (12, BlockNumber(3), 99)
    );
    assert_eq!(open[0].hotkey, Hotkey(hotkey(1)));
    assert!(
        chain
            .pending_commits(NETUID, MechId(1), At::Head)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn epoch_beacon_identity_and_money_are_read() {
    let Some(mut script) = script("epoch_beacon_identity_and_money_are_read", 5) else {
        return;
    };
    let netuid = [Value::from(7_u16)];
    script.set(S, "Tempo", &netuid, &Value::from(4_u16));
    script.set(S, "RevealPeriodEpochs", &netuid, &Value::from(3_u64));
    script.set(S, "BlocksSinceLastStep", &netuid, &Value::from(2_u64));
    script.set(S, "Burn", &netuid, &Value::from(500_u64));
    script.set("Drand", "LastStoredRound", &[], &Value::from(99_u64));
    let pulse = Value::named_composite([
        ("round", Value::from(99_u64)),
        ("randomness", Value::from_bytes([5; 32])),
        ("signature", Value::from_bytes([6; 48])),
    ]);
    script.set("Drand", "Pulses", &[Value::from(99_u64)], &pulse);
    let identity = Value::named_composite([("subnet_name", Value::from_bytes("Assay"))]);
    script.set(S, "SubnetIdentitiesV3", &netuid, &identity);
    let account = Value::named_composite([("data", Value::named_composite([("free", Value::from(12_u64))]))]);
    script.set("System", "Account", &[Value::from_bytes([3; 32])], &account);
    let (api, method) = ("SubnetRegistrationRuntimeApi", "get_network_registration_cost");
    let cost = script.codec.answer(api, method, &Value::from(1_000_u64));
    script.apis.insert(format!("{api}_{method}"), cost);
    let (_node, chain) = start(script).await;
    let epoch = chain.epoch_state(NETUID, At::Head).await.unwrap();
    assert_eq!(
        (epoch.block, epoch.tempo, epoch.reveal_period_epochs),
        (BlockNumber(5), 4, 3)
    );
    assert_eq!(epoch.last_epoch, None, "runtime 393 has no stateful epochs");
    assert_eq!(epoch.epoch_index, (5 + 7 + 1) / 5);
    assert_eq!(chain.last_pulse_round(At::Head).await.unwrap(), 99);
    let pulse = chain.pulse(99, At::Head).await.unwrap().unwrap();
    assert_eq!((pulse.randomness, pulse.signature.len()), (Digest([5; 32]), 48));
    assert_eq!(chain.pulse(100, At::Head).await.unwrap(), None);
    let identity = chain.subnet_identity(NETUID, At::Head).await.unwrap().unwrap();
    assert_eq!(identity.subnet_name, "Assay");
    assert_eq!(chain.balance(&Coldkey([3; 32]), At::Head).await.unwrap(), Rao(12));
    assert_eq!(chain.balance(&Coldkey([4; 32]), At::Head).await.unwrap(), Rao(0));
    assert_eq!(chain.burn(NETUID, At::Head).await.unwrap(), Rao(500));
    assert_eq!(chain.lock_cost(At::Head).await.unwrap(), Rao(1_000));
}

#[tokio::test]
async fn a_subnet_that_is_not_there_is_told_by_every_read() {
    let Some(mut script) = script("a_subnet_that_is_not_there_is_told_by_every_read", 5) else {
        return;
    };
    let (api, method) = ("SubnetInfoRuntimeApi", "get_metagraph");
    let none = script
        .codec
        .answer(api, method, &Value::unnamed_variant("None", []));
    script.apis.insert(format!("{api}_{method}"), none);
    let (_node, chain) = start(script).await;
    let nowhere = NetUid(8);
    let errors = [
        chain.metagraph(nowhere, At::Head).await.unwrap_err(),
        chain.hyperparameters(nowhere, At::Head).await.unwrap_err(),
        chain.commitments(nowhere, At::Head).await.unwrap_err(),
        chain.weights(nowhere, MechId(0), At::Head).await.unwrap_err(),
        chain.epoch_state(nowhere, At::Head).await.unwrap_err(),
        chain.burn(nowhere, At::Head).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(
            error.kind,
            ChainErrorKind::NotFound {
                what: "subnet 8".to_owned()
            },
            "{error}"
        );
        assert!(!error.retry_is_safe() && error.help().contains("--netuid"));
    }
}

#[tokio::test]
async fn broken_state_is_an_error_that_names_the_entry() {
    let Some(script) = script("broken_state_is_an_error_that_names_the_entry", 5) else {
        return;
    };
    let key = script.codec.key(S, "Burn", &[Value::from(7_u16)]);
    let (short, long, odd) = ("0x01", "0x010000000000000002", "0x0g");
    let (node, chain) = start(script).await;
    for broken in [short, long, odd] {
        node.script().storage.insert(key.clone(), broken.to_owned());
        let error = chain.burn(NETUID, At::Head).await.unwrap_err();
        assert!(matches!(error.kind, ChainErrorKind::Answer { .. }), "{error}");
        assert!(error.to_string().contains("SubtensorModule.Burn"), "{error}");
    }
}

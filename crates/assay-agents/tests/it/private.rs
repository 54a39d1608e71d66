//! Private audits: what the common sample misses is found by a validator's own seed, and proved.

use std::collections::BTreeMap;

use assay_agents::miner::Conduct;
use assay_agents::validator::Did;
use assay_types::{FraudKind, FraudProof, Hotkey, Round, Verdict};
use subxt_signer::sr25519::{PublicKey, Signature, verify};

use crate::world::{World, fill, hotkey, recipe};

const FABRICATORS: [&str; 2] = ["fabricator-1", "fabricator-2"];

/// The proofs that wait in a validator's folder, by whom they accuse.
pub(crate) fn proofs(world: &World, validator: &str) -> BTreeMap<Hotkey, Vec<FraudProof>> {
    let mut found = BTreeMap::<Hotkey, Vec<FraudProof>>::new();
    let folder = world.folder.path().join(validator).join("proofs/waiting");
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let proof = FraudProof::parse(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
        found.entry(proof.hotkey).or_default().push(proof);
    }
    found
}

#[tokio::test]
async fn what_the_common_sample_misses_is_found_and_proved() {
    let miners = [&["honest"], FABRICATORS.as_slice()].concat();
    // The common sample asks whether a record has a row, and compares none: it must miss all that is invented.
    let few = [("rows_kept", 0), ("probes_index", 0), ("probes_byte", 1)];
    let world = World::with_params(&miners, &["validator"], (recipe(), fill), &few).await;
    let mut validator = world.validator("validator");
    let conduct = |name: &str| match name {
        "honest" => Conduct::Honest,
        _ => Conduct::Fabricator,
    };
    let mut working: Vec<_> = miners
        .iter()
        .map(|name| world.miner(name, conduct(name)))
        .collect();
    for miner in &mut working {
        assert!(miner.join().await.unwrap());
    }
    let (mut looked, mut proved) = (Vec::new(), 0);
    while validator.tracker().results(Round(0)).is_none() {
        world.node.seal(3).await.unwrap();
        let block = world.head().await;
        for miner in &mut working {
            miner.step(block).await.unwrap();
        }
        for did in validator.step(block).await.unwrap() {
            match did {
                Did::Audited {
                    miner,
                    faults,
                    round: Round(0),
                } => looked.push((miner, faults)),
                Did::Proved { .. } => proved += 1,
                _ => {}
            }
        }
    }
    let results = validator.tracker().results(Round(0)).unwrap().to_vec();
    let proofs = proofs(&world, "validator");
    for name in FABRICATORS {
        let found = results.iter().find(|one| one.hotkey == hotkey(name)).unwrap();
        assert_eq!(
            found.verdict,
            Verdict::Pass,
            "{name}: the common sample misses it"
        );
        let (_, faults) = looked.iter().find(|(miner, _)| *miner == hotkey(name)).unwrap();
        assert_eq!(*faults, 4, "{name}: every fifth of sixteen texts");
        let of = &proofs[&hotkey(name)];
        assert_eq!(of.len(), 2, "{name}: two are fraud");
        assert_ne!(of[0].rows[0], of[1].rows[0]);
        for proof in of {
            assert_eq!(proof.kind, FraudKind::RowWrong);
            proof.check_structure().unwrap();
            assert_eq!(proof.prover, hotkey("validator"));
            let signature = assay_types::hex::decode::<64>(&proof.signature).unwrap();
            let key = PublicKey(proof.prover.0);
            assert!(verify(&Signature(signature), proof.signed_bytes().unwrap(), &key));
        }
    }
    assert!(looked.contains(&(hotkey("honest"), 0)), "{looked:?}");
    assert!(!proofs.contains_key(&hotkey("honest")));
    assert_eq!(proved, proofs.values().map(Vec::len).sum::<usize>());
    // Opened again it makes none a second time, and has nothing left to look at.
    drop(validator);
    let mut again = world.validator("validator");
    for _ in 0..8 {
        let did = again.step(world.head().await).await.unwrap();
        assert!(
            !did.iter()
                .any(|did| matches!(did, Did::Audited { .. } | Did::Proved { .. })),
            "{did:?}"
        );
    }
}

//! Timelock encryption against `bittensor-core`: each side opens what the other has sealed.

use assay_chain::drand::QUICKNET;
use assay_chain::timelock::{Entropy, OVERHEAD_BYTES, TimelockError, WeightsPayload, open, seal};
use assay_types::{Hotkey, Uid, Weight, hex};
use serde_json::json;

use crate::peers::{bytes, python};

/// quicknet's signature of round 1000, which no network is needed for.
const SIGNATURE: &str =
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39";

fn signature() -> [u8; 48] {
    hex::decode(SIGNATURE).unwrap()
}

#[test]
fn we_open_what_bittensor_core_seals() {
    let script = "
import bittensor_core as core
sealed = []
for text in data['texts']:
    envelope, round = core.encrypt_at_round(bytes.fromhex(text), 1000)
    assert round == 1000
    sealed.append([core.inner_ciphertext(envelope).hex(), bytes(envelope).hex()])
answer(sealed)
";
    let texts = [
        vec![],
        b"assay".to_vec(),
        vec![0xA5; 124],
        (0..=255).collect(),
        vec![7; 1069],
    ];
    let digits: Vec<String> = texts.iter().map(|text| hex::encode(text)).collect();
    let Some(sealed) = python(script, &json!({ "texts": digits })) else {
        return;
    };
    for (text, pair) in texts.iter().zip(sealed.as_array().unwrap()) {
        let inner = bytes(&pair[0]);
        assert_eq!(inner.len(), text.len() + OVERHEAD_BYTES);
        assert_eq!(open(&inner, &signature()).as_ref(), Ok(text));
        // The portable envelope around it is not what a chain stores.
        assert!(open(&bytes(&pair[1]), &signature()).is_err());
        let mut altered = inner;
        altered[100] ^= 1;
        assert!(open(&altered, &signature()).is_err());
    }
}

#[test]
fn bittensor_core_opens_what_we_seal() {
    let payload = WeightsPayload {
        hotkey: Hotkey([3; 32]),
        weights: (0..256).map(|uid| (Uid(uid), Weight(uid))).collect(),
        version_key: 7,
    };
    let texts = [b"assay".to_vec(), vec![0xA5; 124], payload.encode().unwrap()];
    let sealed: Vec<String> = texts
        .iter()
        .map(|text| hex::encode(&seal(&QUICKNET, 1000, text, &Entropy::random().unwrap()).unwrap()))
        .collect();
    // Around our bytes the portable envelope: SCALE of a byte vector and the round.
    let script = "
import bittensor_core as core
opened = []
for text in data['sealed']:
    inner = bytes.fromhex(text)
    envelope = (len(inner) << 2 | 1).to_bytes(2, 'little') + inner + (1000).to_bytes(8, 'little')
    assert core.inner_ciphertext(envelope) == inner
    opened.append(bytes(core.decrypt_with_signature(envelope, data['signature'])).hex())
answer(opened)
";
    let Some(opened) = python(script, &json!({ "sealed": sealed, "signature": SIGNATURE })) else {
        return;
    };
    let opened: Vec<Vec<u8>> = opened.as_array().unwrap().iter().map(bytes).collect();
    assert_eq!(opened, texts);
}

#[test]
fn a_commit_of_bittensor_core_is_sealed_as_ours() {
    // Its round lies in the future, so that nobody can open it: layout and length are what can be compared.
    let script = "
import bittensor_core as core
commit, round = core.get_encrypted_commit_v2(
    uids=[1, 2], weights=[65535, 3], version_key=7, last_epoch_block=100, pending_epoch_at=0, subnet_epoch_index=0,
    tempo=50, blocks_since_last_step=20, current_block=120, subnet_reveal_period_epochs=1, block_time=12.0,
    hotkey=bytes([3] * 32))
answer([bytes(commit).hex(), round])
";
    let Some(commit) = python(script, &json!(null)) else {
        return;
    };
    let payload = WeightsPayload {
        hotkey: Hotkey([3; 32]),
        weights: vec![(Uid(1), Weight(65_535)), (Uid(2), Weight(3))],
        version_key: 7,
    };
    let theirs = bytes(&commit[0]);
    assert_eq!(theirs.len(), payload.encode().unwrap().len() + OVERHEAD_BYTES);
    assert_eq!(open(&theirs, &signature()), Err(TimelockError::WrongPulse));
    assert!(commit[1].as_u64().unwrap() > 19_000_000);
}

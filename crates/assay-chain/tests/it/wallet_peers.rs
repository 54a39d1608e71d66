//! Wallets against `bittensor-wallet`: each side reads the other's files and checks the other's signatures.

use assay_chain::wallet::{KeyName, KeyPair, Overwrite, Password, Scheme, WalletError, Wallets, verify};
use assay_types::hex;
use serde_json::json;

use crate::peers::{bytes, python};

const PASSWORD: &str = "Correct-Horse-9!";
const MESSAGE: &str = "assay wallet test äöü";

fn name(text: &str) -> KeyName {
    text.parse().unwrap()
}

#[test]
fn we_read_what_bittensor_wallet_writes() {
    let script = "
import bittensor_wallet as bw
from bittensor_wallet import keyfile
wallet = bw.Wallet(name='theirs', hotkey='h', path=data['root'])
cold = bw.Keypair.create_from_mnemonic(bw.Keypair.generate_mnemonic(12))
wallet.set_coldkey(cold, encrypt=True, overwrite=True, coldkey_password=data['password'])
wallet.set_coldkeypub(cold, encrypt=False, overwrite=True)
made = {'cold': cold.ss58_address, 'hot': []}
keys = [
    bw.Keypair.create_from_uri('//Alice'),
    bw.Keypair.create_from_uri('//Alice/soft'),
    bw.Keypair.create_from_seed('0x' + 'ab' * 32),
    bw.Keypair.create_from_mnemonic(bw.Keypair.generate_mnemonic(24)),
    bw.Keypair.create_from_mnemonic(bw.Keypair.generate_mnemonic(12), crypto_type=0),
    bw.Keypair.create_from_uri('//Alice', crypto_type=0),
]
for number, key in enumerate(keys):
    hot = bw.Wallet(name='theirs', hotkey=f'h{number}', path=data['root'])
    hot.set_hotkey(key, encrypt=False, overwrite=True)
    made['hot'].append([key.ss58_address, key.sign(data['message'].encode()).hex(), key.crypto_type])
answer(made)
";
    let root = tempfile::tempdir().unwrap();
    let input = json!({ "root": root.path(), "password": PASSWORD, "message": MESSAGE });
    let Some(made) = python(script, &input) else {
        return;
    };
    let wallets = Wallets::new(root.path());
    let wallet = name("theirs");
    let cold = wallets.coldkey_path(&wallet);
    let opened = wallets.open(&cold, Some(&Password::new(PASSWORD))).unwrap();
    assert_eq!(opened.address(), made["cold"]);
    assert_eq!(opened.key().unwrap().phrase().unwrap().split(' ').count(), 12);
    assert!(matches!(
        wallets.open(&cold, Some(&Password::new("other"))),
        Err(WalletError::File { .. })
    ));
    let public = wallets.open(&wallets.coldkeypub_path(&wallet), None).unwrap();
    assert_eq!(public.address(), made["cold"]);
    let hot = made["hot"].as_array().unwrap();
    assert_eq!(hot.len(), 6);
    for (number, expected) in hot.iter().enumerate() {
        let path = wallets.hotkey_path(&wallet, &name(&format!("h{number}")));
        let file = wallets.open(&path, None).unwrap();
        let key = file.key().unwrap();
        assert_eq!(key.address(), expected[0]);
        assert_eq!(u64::from(key.scheme().crypto_type()), expected[2]);
        let signature: [u8; 64] = bytes(&expected[1]).try_into().unwrap();
        assert!(verify(key.scheme(), key.public(), MESSAGE.as_bytes(), &signature));
        if key.scheme() == Scheme::Sr25519 {
            assert_eq!(key.signer().unwrap().public_key().0, *key.public());
        }
    }
    let (entries, problems) = wallets.list().unwrap();
    assert_eq!((entries.len(), entries[0].hotkeys.len()), (1, 6));
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn bittensor_wallet_reads_what_we_write() {
    let root = tempfile::tempdir().unwrap();
    let wallets = Wallets::new(root.path());
    let wallet = name("ours");
    let cold = KeyPair::generate(Scheme::Sr25519).unwrap();
    wallets
        .write_coldkey(&wallet, &cold, Some(&Password::new(PASSWORD)), Overwrite::No)
        .unwrap();
    let keys = [
        KeyPair::generate(Scheme::Sr25519).unwrap(),
        KeyPair::from_uri("//Bob", Scheme::Sr25519).unwrap(),
        KeyPair::from_uri("//Bob/soft", Scheme::Sr25519).unwrap(),
        KeyPair::generate(Scheme::Ed25519).unwrap(),
    ];
    let mut signatures = Vec::new();
    for (number, key) in keys.iter().enumerate() {
        let hotkey = name(&format!("h{number}"));
        wallets
            .write_hotkey(&wallet, &hotkey, key, Overwrite::No)
            .unwrap();
        signatures.push(hex::encode(&key.sign(MESSAGE.as_bytes()).unwrap()));
    }
    let script = "
import bittensor_wallet as bw
message = data['message'].encode()
wallet = bw.Wallet(name='ours', hotkey='h0', path=data['root'])
cold = wallet.coldkey_file.get_keypair(data['password'])
found = {'cold': cold.ss58_address, 'coldpub': wallet.coldkeypub.ss58_address, 'hot': []}
for number, signature in enumerate(data['signatures']):
    hot = bw.Wallet(name='ours', hotkey=f'h{number}', path=data['root'])
    key = hot.hotkey
    assert hot.hotkeypub.ss58_address == key.ss58_address
    found['hot'].append([key.ss58_address, key.sign(message).hex(), key.verify(message, bytes.fromhex(signature)),
                         key.verify(message + b'.', bytes.fromhex(signature))])
answer(found)
";
    let input = json!({
        "root": root.path(), "password": PASSWORD, "message": MESSAGE, "signatures": signatures,
    });
    let Some(found) = python(script, &input) else {
        return;
    };
    assert_eq!(found["cold"], cold.address());
    assert_eq!(found["coldpub"], cold.address());
    for (key, found) in keys.iter().zip(found["hot"].as_array().unwrap()) {
        assert_eq!(found[0], key.address());
        let signature: [u8; 64] = bytes(&found[1]).try_into().unwrap();
        assert!(verify(key.scheme(), key.public(), MESSAGE.as_bytes(), &signature));
        assert_eq!(
            (&found[2], &found[3]),
            (&json!(true), &json!(false)),
            "{}",
            key.address()
        );
    }
}

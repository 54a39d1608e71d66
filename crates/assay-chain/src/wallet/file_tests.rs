//! Tests of key files: every form wallets have written, foreign files, cuts at every byte, and silence about secrets.

use super::*;
use proptest::prelude::*;
use std::fmt::Write as _;

const PHRASE: &str = "stool nice desert live rebel tonight mask helmet mad dish ready govern";
const SEED: &str = "7a10fbbaeb022c9224b553b85fa740ac3110f5e47ec8f8185c1b112d47426d18";
const PRIVATE: &str = "97f0dce935542686a4fe0303a593fca621ce7bb6b7320c74e0a3300fd35e050946bdb68ba4c6b2a5f4d3132400b45f2c3bd9d47584823ab10d99d89f8b78d4a1";
const PUBLIC: &str = "448c761a98524a4a6d7a28c1247a2975bdcbb8b8d0db0f4615ae7259a62d8a33";
const ADDRESS: &str = "5DcaqcqKjkgBg99j5W8hqUQCjPDsqCG2m2L7tRXYaPM12g3z";
/// The same phrase as ed25519.
const ADDRESS_ED: &str = "5G3AZqnpHPQ5wJ6SzTyNbHWEK1oayYjstwdfWUu1uEoHkYt4";

/// A file as bittensor-wallet 4.1.1 wrote it (a throw-away key).
fn whole() -> String {
    format!(
        r#"{{"secretSeed":"0x{SEED}","cryptoType":1,"publicKey":"0x{PUBLIC}","secretPhrase":"{PHRASE}","accountId":"0x{PUBLIC}","ss58Address":"{ADDRESS}","privateKey":"0x{PRIVATE}"}}"#
    )
}

#[track_caller]
fn reads(text: &str, expected: &str, has_secret: bool) {
    let file = KeyFile::open(text.as_bytes(), None).unwrap();
    assert_eq!(file.address(), expected, "{text}");
    assert_eq!(file.key().is_ok(), has_secret, "{text}");
}

#[test]
fn every_form_that_wallets_have_written_is_read() {
    reads(&whole(), ADDRESS, true);
    reads(&format!("\n {} \n", whole()), ADDRESS, true);
    reads(&format!(r#"{{"secretPhrase":"{PHRASE}"}}"#), ADDRESS, true);
    reads(
        &format!(r#"{{"secretPhrase":null,"secretSeed":"{SEED}"}}"#),
        ADDRESS,
        true,
    );
    reads(
        &format!(r#"{{"secretPhrase":"","secretSeed":"","privateKey":"0x{PRIVATE}"}}"#),
        ADDRESS,
        true,
    );
    reads(
        &format!(r#"{{"ss58Address":"{ADDRESS}","cryptoType":"1"}}"#),
        ADDRESS,
        false,
    );
    reads(&format!(r#"{{" ss58Address":"{ADDRESS}"}}"#), ADDRESS, false);
    reads(
        &format!(r#"{{"ss58Address":" {ADDRESS} ","secretSeed":"0x{SEED}"}}"#),
        ADDRESS,
        true,
    );
    reads(
        &format!(r#"{{"accountId":"0x{PUBLIC}","publicKey":null}}"#),
        ADDRESS,
        false,
    );
    reads(
        &format!(r#"{{"secretPhrase":"{PHRASE}","unknown":[1,{{}}]}}"#),
        ADDRESS,
        true,
    );
    reads(SEED, ADDRESS, true);
    reads(&format!("0x{SEED}\n"), ADDRESS, true);
    reads(&format!("0x{PRIVATE}"), ADDRESS, true);
    reads(&format!("{PHRASE}\n"), ADDRESS, true);
}

#[test]
fn the_kind_of_key_is_taken_from_the_file_or_from_its_address() {
    for kind in ["0", "\"0\"", "\"ed25519\"", "\" Ed25519\""] {
        reads(
            &format!(r#"{{"secretPhrase":"{PHRASE}","cryptoType":{kind}}}"#),
            ADDRESS_ED,
            true,
        );
    }
    // Says nothing, or says sr25519, and is ed25519 by its address.
    reads(
        &format!(r#"{{"secretPhrase":"{PHRASE}","ss58Address":"{ADDRESS_ED}"}}"#),
        ADDRESS_ED,
        true,
    );
    reads(
        &format!(r#"{{"secretSeed":"0x{SEED}","ss58Address":"{ADDRESS_ED}","cryptoType":1}}"#),
        ADDRESS_ED,
        true,
    );
    // An ed25519 private key is its seed.
    reads(
        &format!(r#"{{"privateKey":"0x{SEED}","cryptoType":0}}"#),
        ADDRESS_ED,
        true,
    );
}

#[test]
fn foreign_and_broken_files_are_refused_by_name() {
    let check = |bytes: &[u8], expected: &str| {
        let error = KeyFile::open(bytes, None).unwrap_err();
        assert!(
            error.to_string().contains(expected),
            "`{error}` is not about `{expected}`"
        );
        error.help().to_owned()
    };
    let help = check(
        br#"{"encoded":"x","encoding":{"content":["pkcs8"]},"address":"y"}"#,
        "polkadot.js",
    );
    assert!(help.contains("btcli wallet regen-coldkey --json-path"));
    let help = check(b"$ANSIBLE_VAULT;1.1;AES256\n3363", "ansible-vault");
    assert!(help.contains("btcli"));
    check(b"gAAAAABkYXRh", "Fernet");
    check(b"$NACL1234", "no password was given");
    check(b"{}", "no `secretPhrase`");
    check(b"{\"secretPhrase\":\"", "line 1 column");
    check(b"[1]", "neither");
    check(b"", "neither");
    check(b"\xff\xfe", "neither");
    check(b"<html><body>hello there</body></html>", "neither");
    check(&vec![b'a'; KEY_FILE_BYTES_MAX + 1], "no key file");
    check(br#"{"cryptoType":7,"secretSeed":"00"}"#, "cryptoType");
    check(br#"{"secretSeed":"0x00"}"#, "secretSeed");
    check(br#"{"privateKey":"0x00"}"#, "privateKey");
    check(br#"{"publicKey":"0x00"}"#, "publicKey");
    let polkadot = br#"{"ss58Address":"15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5"}"#;
    check(polkadot, "ss58Address");
    let torn = format!(
        r#"{{"ss58Address":"{ADDRESS}","publicKey":"0x{}"}}"#,
        "ab".repeat(32)
    );
    check(torn.as_bytes(), "`publicKey` is another key");
    let other = format!(
        r#"{{"secretSeed":"0x{}","ss58Address":"{ADDRESS}"}}"#,
        "ab".repeat(32)
    );
    check(other.as_bytes(), "belongs to");
}

#[test]
fn a_cut_at_any_byte_is_an_error() {
    let whole = whole();
    for end in 0..whole.len() {
        assert!(
            KeyFile::open(&whole.as_bytes()[..end], None).is_err(),
            "cut at {end}"
        );
    }
}

#[test]
fn errors_and_debug_never_quote_a_secret() {
    let mut shown = format!("{:?}", KeyFile::parse(whole().as_bytes()).unwrap());
    let wrong = [
        whole().replace(ADDRESS, "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"),
        whole().replace("govern", "ready"),
        format!(r#"{{"secretSeed":"{SEED}00"}}"#),
        format!(r#"{{"secretSeed":["{SEED}"]}}"#),
        format!(r#"{{"privateKey":"{PRIVATE}zz"}}"#),
        format!(r#"{{"secretPhrase":{{"x":"{PHRASE}"}}}}"#),
        format!("{SEED}00"),
        format!("{PHRASE} ready"),
    ];
    for text in wrong {
        let error = KeyFile::parse(text.as_bytes()).unwrap_err();
        let _ = write!(shown, "{error:?} {error} {}", error.help());
    }
    for secret in [PHRASE, SEED, PRIVATE, "stool", &SEED[..16], &PRIVATE[..16]] {
        assert!(!shown.contains(secret), "`{secret}` in {shown}");
    }
}

#[test]
fn the_public_half_holds_no_secret() {
    let file = KeyFile::parse(whole().as_bytes()).unwrap();
    let public = String::from_utf8(file.public_json()).unwrap();
    assert_eq!(
        public,
        format!(
            r#"{{"accountId":"0x{PUBLIC}","publicKey":"0x{PUBLIC}","ss58Address":"{ADDRESS}","cryptoType":1}}"#
        )
    );
    let read = KeyFile::parse(public.as_bytes()).unwrap();
    assert!(matches!(read.key(), Err(WalletError::PublicOnly)));
    assert!(matches!(read.secret_json(), Err(WalletError::PublicOnly)));
}

#[test]
fn what_is_written_is_what_the_other_wallets_write() {
    let written = KeyFile::parse(whole().as_bytes()).unwrap().secret_json().unwrap();
    let ours: serde_json::Value = serde_json::from_slice(&written).unwrap();
    let theirs: serde_json::Value = serde_json::from_str(&whole()).unwrap();
    assert_eq!(ours, theirs);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn keys_survive_the_round_trip(seed: [u8; 32], is_sr: bool, by_private: bool) {
        let scheme = if is_sr { Scheme::Sr25519 } else { Scheme::Ed25519 };
        let mut key = KeyPair::from_seed(&seed, scheme).unwrap();
        if by_private {
            key = KeyPair::from_private(key.private(), scheme).unwrap();
        }
        let written = KeyFile::from(key.clone()).secret_json().unwrap();
        let read = KeyFile::open(&written, None).unwrap();
        prop_assert_eq!(read.scheme, scheme);
        prop_assert_eq!(read.key().unwrap().public(), key.public());
        prop_assert_eq!(read.key().unwrap().private(), key.private());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = KeyFile::open(&bytes, None);
    }

    #[test]
    fn no_changed_byte_makes_the_reader_panic(at: proptest::sample::Index, to: u8) {
        let mut bytes = whole().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = to;
        // Whatever changed: a file that is still read gives the key it gave before.
        if let Ok(file) = KeyFile::parse(&bytes) {
            prop_assert_eq!(file.address(), ADDRESS);
        }
    }
}

//! Tests of keys: known accounts of both schemes, both directions of signatures, and that nothing prints a secret.

use super::*;
use proptest::prelude::*;

const PHRASE: &str = "stool nice desert live rebel tonight mask helmet mad dish ready govern";

fn hex<const N: usize>(text: &str) -> [u8; N] {
    assay_types::hex::decode(text).unwrap()
}

/// A copy of subxt-signer's development account, by an independent path.
fn dev(path: &str) -> subxt_signer::sr25519::Keypair {
    let uri = path.parse::<subxt_signer::SecretUri>().unwrap();
    subxt_signer::sr25519::Keypair::from_uri(&uri).unwrap()
}

#[test]
fn known_accounts_of_both_schemes() {
    let check = |key: Result<KeyPair, WalletError>, expected: &str| {
        let key = key.unwrap();
        assert_eq!(key.address(), expected);
    };
    // All addresses by bittensor-wallet 4.1.1.
    let (sr, ed) = (Scheme::Sr25519, Scheme::Ed25519);
    check(
        KeyPair::from_uri("//Alice", sr),
        "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
    );
    check(
        KeyPair::from_uri("//Alice/soft", sr),
        "5C8PhJPLE54x23RjmqBcEEnALryCDWdTJM5xLaoL9W8XEpnt",
    );
    check(
        KeyPair::from_uri("//Alice", ed),
        "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu",
    );
    check(
        KeyPair::from_phrase(PHRASE, sr),
        "5DcaqcqKjkgBg99j5W8hqUQCjPDsqCG2m2L7tRXYaPM12g3z",
    );
    check(
        KeyPair::from_phrase(PHRASE, ed),
        "5G3AZqnpHPQ5wJ6SzTyNbHWEK1oayYjstwdfWUu1uEoHkYt4",
    );
    check(
        KeyPair::from_seed(&[0xab; 32], sr),
        "5ERxhxyG15TfeiZ27PFdTQRpJghy17kkffvLEYuVMtfZZTrn",
    );
    check(
        KeyPair::from_seed(&[0xab; 32], ed),
        "5Ctcp4FqDjV2myvXFZJKnGPzRqDhURmHG3mU4xSC6iBEsMcj",
    );
    let private = hex::<64>(
        "97f0dce935542686a4fe0303a593fca621ce7bb6b7320c74e0a3300fd35e050946bdb68ba4c6b2a5f4d3132400b45f2c3bd9d47584823ab10d99d89f8b78d4a1",
    );
    check(
        KeyPair::from_private(&private, sr),
        "5DcaqcqKjkgBg99j5W8hqUQCjPDsqCG2m2L7tRXYaPM12g3z",
    );
}

#[test]
fn derivations_agree_with_subxt_signer() {
    for path in ["//Alice", "//Bob//stash", "//Alice/soft", "//1/2//0003", "/x"] {
        let ours = KeyPair::from_uri(path, Scheme::Sr25519).unwrap();
        assert_eq!(*ours.public(), dev(path).public_key().0, "{path}");
        assert!(
            ours.phrase().is_none(),
            "a derived key's phrase would restore another key"
        );
    }
    let with_password = format!("{PHRASE}//x///secret");
    let ours = KeyPair::from_uri(&with_password, Scheme::Sr25519).unwrap();
    assert_eq!(*ours.public(), dev(&with_password).public_key().0);
    let plain = KeyPair::from_uri(PHRASE, Scheme::Sr25519).unwrap();
    assert_eq!(plain.phrase().unwrap().as_str(), PHRASE);
    let seed = format!("0x{}", "ab".repeat(32));
    assert_eq!(
        KeyPair::from_uri(&seed, Scheme::Sr25519).unwrap().public(),
        KeyPair::from_seed(&[0xab; 32], Scheme::Sr25519).unwrap().public()
    );
}

#[test]
fn every_key_becomes_the_pair_that_signs_transactions() {
    for uri in [PHRASE, "//Alice", "//Alice/soft", "/a/b"] {
        let key = KeyPair::from_uri(uri, Scheme::Sr25519).unwrap();
        let by_private = KeyPair::from_private(key.private(), Scheme::Sr25519).unwrap();
        for key in [key, by_private] {
            let signer = key.signer().unwrap();
            assert_eq!(signer.public_key().0, *key.public(), "{uri}");
            let signature = signer.sign(b"call").0;
            assert!(verify(Scheme::Sr25519, key.public(), b"call", &signature));
        }
    }
    let other = KeyPair::from_phrase(PHRASE, Scheme::Ed25519).unwrap();
    assert!(matches!(other.signer(), Err(WalletError::NotSr25519)));
}

#[test]
fn the_signed_request_of_the_reference_verifies() {
    // docs/wallets.md: eight lines of a signed request, signature by //Alice.
    let message = [
        "btauth/1",
        "sr25519",
        "POST",
        "/v1/tasks?limit=2",
        "96b668231c9fafa8ed49ee1450221a7e47f98ebb4e68a05449494eda8d7a82b5",
        "1750000000000000000",
        "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
        "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty",
    ]
    .join("\n");
    let signature = hex::<64>(
        "6285eafae2890e30c582b07c75c7c1340563458bc2119f9dd9f333bc6f61977747e349bb4db40251d05498f976dfc6aa22bf03f3253f26d0d3585b7ac9f9da81",
    );
    let alice = KeyPair::from_uri("//Alice", Scheme::Sr25519).unwrap();
    let holds = |message: &str| verify(Scheme::Sr25519, alice.public(), message.as_bytes(), &signature);
    assert!(holds(&message));
    assert!(!holds(&message.replace("limit=2", "limit=3")));
}

#[test]
fn new_keys_differ_and_their_phrase_restores_them() {
    for scheme in [Scheme::Sr25519, Scheme::Ed25519] {
        let (one, two) = (
            KeyPair::generate(scheme).unwrap(),
            KeyPair::generate(scheme).unwrap(),
        );
        assert_ne!(one.public(), two.public());
        let phrase = one.phrase().unwrap();
        assert_eq!(phrase.split(' ').count(), PHRASE_WORDS);
        let untidy = format!("  {}\n", phrase.to_uppercase().replace(' ', "  "));
        assert_eq!(
            KeyPair::from_phrase(&untidy, scheme).unwrap().public(),
            one.public()
        );
    }
}

#[test]
fn bad_secrets_are_refused_without_being_quoted() {
    let sr = Scheme::Sr25519;
    let long = "x".repeat(5000);
    let wrong_word = PHRASE.replace("govern", "secretword");
    let wrong_checksum = PHRASE.replace("stool", "nice");
    let cases = [
        KeyPair::from_phrase(&wrong_word, sr),
        KeyPair::from_phrase(&wrong_checksum, sr),
        KeyPair::from_phrase("govern", sr),
        KeyPair::from_phrase(&long, sr),
        KeyPair::from_uri(&long, sr),
        KeyPair::from_uri("0xsecretword", sr),
        KeyPair::from_uri(&format!("{wrong_word}//x"), sr),
        KeyPair::from_uri(&format!("//x{}", "/secretword".repeat(40)), sr),
        KeyPair::from_uri("//x/secretword", Scheme::Ed25519),
        KeyPair::from_private(b"secretword", sr),
        KeyPair::from_private(&[0xff; 64], sr),
        KeyPair::from_private(&[0xff; 33], Scheme::Ed25519),
    ];
    for case in cases {
        let error = case.unwrap_err();
        assert!(!format!("{error:?} {error}").contains("secretword"), "{error:?}");
    }
}

#[test]
fn nothing_prints_a_secret() {
    let key = KeyPair::from_phrase(PHRASE, Scheme::Sr25519).unwrap();
    let shown = format!("{key:?}");
    assert!(shown.contains("***"), "{shown}");
    for secret in [
        PHRASE,
        &assay_types::hex::encode(key.private()),
        &assay_types::hex::encode(key.seed().unwrap()),
    ] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn signatures_hold_for_their_message_only(
        seed: [u8; 32],
        message in proptest::collection::vec(any::<u8>(), 0..200),
        at: proptest::sample::Index,
        flip in 1_u8..,
        is_sr: bool,
    ) {
        let scheme = if is_sr { Scheme::Sr25519 } else { Scheme::Ed25519 };
        let key = KeyPair::from_seed(&seed, scheme).unwrap();
        let signature = key.sign(&message).unwrap();
        prop_assert!(verify(scheme, key.public(), &message, &signature));
        prop_assert!(!verify(scheme.other(), key.public(), &message, &signature));
        let mut altered = signature;
        altered[at.index(SIGNATURE_BYTES)] ^= flip;
        prop_assert!(!verify(scheme, key.public(), &message, &altered));
        let mut other = message;
        other.push(0);
        prop_assert!(!verify(scheme, key.public(), &other, &signature));
    }
}

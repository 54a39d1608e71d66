//! Tests of the wallet folder: paths, protection of what is there, and the list.

use super::*;
use crate::wallet::Scheme;
use std::os::unix::fs::PermissionsExt as _;

fn name(text: &str) -> KeyName {
    text.parse().unwrap()
}

fn key(uri: &str) -> KeyPair {
    KeyPair::from_uri(uri, Scheme::Sr25519).unwrap()
}

#[test]
fn keys_are_written_where_the_other_wallets_look() {
    let root = tempfile::tempdir().unwrap();
    let wallets = Wallets::new(root.path());
    let (wallet, hotkey) = (name("default"), name("h1"));
    wallets
        .write_coldkey(&wallet, &key("//Alice"), None, Overwrite::No)
        .unwrap();
    wallets
        .write_hotkey(&wallet, &hotkey, &key("//Bob"), Overwrite::No)
        .unwrap();
    for below in ["coldkey", "coldkeypub.txt", "hotkeys/h1", "hotkeys/h1pub.txt"] {
        let path = root.path().join("default").join(below);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{below}");
    }
    let opened = wallets
        .open(&wallets.hotkey_path(&wallet, &hotkey), None)
        .unwrap();
    assert_eq!(opened.key().unwrap().public(), key("//Bob").public());
    let public = wallets.open(&wallets.coldkeypub_path(&wallet), None).unwrap();
    assert_eq!(public.public, *key("//Alice").public());
    assert!(public.key().is_err());
}

#[test]
fn nothing_is_replaced_without_being_told() {
    let root = tempfile::tempdir().unwrap();
    let wallets = Wallets::new(root.path());
    let (wallet, hotkey) = (name("w"), name("h"));
    let path = wallets.hotkey_path(&wallet, &hotkey);
    wallets
        .write_hotkey(&wallet, &hotkey, &key("//Alice"), Overwrite::No)
        .unwrap();
    let error = wallets
        .write_hotkey(&wallet, &hotkey, &key("//Bob"), Overwrite::No)
        .unwrap_err();
    assert!(matches!(error, WalletError::Exists(_)), "{error}");
    assert!(error.help().contains("--force"));
    assert_eq!(
        wallets.open(&path, None).unwrap().public,
        *key("//Alice").public()
    );
    // The public half alone, as on a machine without the coldkey, is somebody's account too.
    std::fs::remove_file(&path).unwrap();
    let error = wallets
        .write_hotkey(&wallet, &hotkey, &key("//Bob"), Overwrite::No)
        .unwrap_err();
    assert!(matches!(error, WalletError::Exists(_)), "{error}");
    assert!(!path.exists());
    wallets
        .write_hotkey(&wallet, &hotkey, &key("//Alice"), Overwrite::No)
        .unwrap();
    wallets
        .write_hotkey(&wallet, &hotkey, &key("//Bob"), Overwrite::Yes)
        .unwrap();
    assert_eq!(wallets.open(&path, None).unwrap().public, *key("//Bob").public());
    let public = wallets
        .open(&wallets.hotkeypub_path(&wallet, &hotkey), None)
        .unwrap();
    assert_eq!(public.public, *key("//Bob").public());
}

#[test]
fn a_secret_that_cannot_be_replaced_keeps_its_public_half() {
    let root = tempfile::tempdir().unwrap();
    let wallets = Wallets::new(root.path());
    let (wallet, hotkey) = (name("w"), name("h"));
    wallets
        .write_hotkey(&wallet, &hotkey, &key("//Alice"), Overwrite::No)
        .unwrap();
    // A folder with something in it cannot be moved over.
    let path = wallets.hotkey_path(&wallet, &hotkey);
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("x"), "x").unwrap();
    let error = wallets
        .write_hotkey(&wallet, &hotkey, &key("//Bob"), Overwrite::Yes)
        .unwrap_err();
    assert!(error.help().contains("is yours and has room"), "{error}");
    let public = wallets.open(&wallets.hotkeypub_path(&wallet, &hotkey), None);
    assert_eq!(public.unwrap().public, *key("//Alice").public());
    let left = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
    assert_eq!(left, 2, "no temporary file is left");
}

#[test]
fn every_error_of_a_wallet_has_a_cure() {
    let io = || std::io::Error::other("x");
    let errors = [
        WalletError::TooLong,
        WalletError::Mismatch {
            derived: "a".to_owned(),
            stated: "b".to_owned(),
        },
        WalletError::Key("sr25519"),
        WalletError::TooMany {
            path: "x".into(),
            max: 1,
        },
        WalletError::Io(io()),
        WalletError::Io(io()).of_file("x"),
        WalletError::Entropy("x".to_owned()),
        WalletError::Address(assay_types::ss58::decode("5x").unwrap_err()),
    ];
    for error in errors {
        let help = error.help();
        assert!(help.len() > 10 && !help.ends_with('.'), "{error}: {help}");
    }
}

#[test]
fn an_encrypted_coldkey_needs_its_password() {
    let root = tempfile::tempdir().unwrap();
    let wallets = Wallets::new(root.path());
    let wallet = name("w");
    let password = Password::new("correct horse");
    wallets
        .write_coldkey(&wallet, &key("//Alice"), Some(&password), Overwrite::No)
        .unwrap();
    let path = wallets.coldkey_path(&wallet);
    assert_eq!(wallets.protection(&path).unwrap(), Protection::Nacl);
    let opened = wallets.open(&path, Some(&password)).unwrap();
    assert_eq!(opened.key().unwrap().public(), key("//Alice").public());
    let error = wallets.open(&path, None).unwrap_err();
    assert!(error.help().contains("BT_WALLET_PASSWORD"));
    let bytes = std::fs::read(&path).unwrap();
    assert!(
        !bytes.windows(8).any(|window| window == b"ss58Addr"),
        "the file is not encrypted"
    );
}

#[test]
fn the_list_goes_on_past_broken_files() {
    let root = tempfile::tempdir().unwrap();
    let wallets = Wallets::new(root.path());
    assert!(wallets.list().unwrap().0.is_empty());
    assert!(
        Wallets::new(root.path().join("none"))
            .list()
            .unwrap()
            .0
            .is_empty()
    );
    wallets
        .write_coldkey(&name("b"), &key("//Alice"), None, Overwrite::No)
        .unwrap();
    wallets
        .write_hotkey(&name("b"), &name("h2"), &key("//Bob"), Overwrite::No)
        .unwrap();
    wallets
        .write_hotkey(&name("a"), &name("h"), &key("//Eve"), Overwrite::No)
        .unwrap();
    std::fs::write(root.path().join("b/hotkeys/broken"), "{\"secretSeed\":").unwrap();
    std::fs::write(root.path().join("b/hotkeys/bad name"), "x").unwrap();
    std::fs::write(root.path().join("stray"), "x").unwrap();
    let open = root.path().join("a/hotkeys/h");
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();

    let (entries, problems) = wallets.list().unwrap();
    let expected = vec![
        WalletEntry {
            name: name("a"),
            coldkey: None,
            protection: None,
            hotkeys: vec![(name("h"), Some(key("//Eve").address()))],
        },
        WalletEntry {
            name: name("b"),
            coldkey: Some(key("//Alice").address()),
            protection: Some(Protection::Plain),
            hotkeys: vec![(name("broken"), None), (name("h2"), Some(key("//Bob").address()))],
        },
    ];
    assert_eq!(entries, expected);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert_eq!(problems[0].path, open);
    assert!(problems[0].error.is_none());
    assert!(problems[1].error.is_some());
}

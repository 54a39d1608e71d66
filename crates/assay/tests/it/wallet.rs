//! `assay wallet`: keys are made, taken over, listed, used; nothing is replaced by accident and no secret is shown.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::bad_input::{Bad, check};
use crate::support::{Answer, assay, folder, line};

const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const PHRASE: &str = "stool nice desert live rebel tonight mask helmet mad dish ready govern";
const PHRASE_ADDRESS: &str = "5DcaqcqKjkgBg99j5W8hqUQCjPDsqCG2m2L7tRXYaPM12g3z";

/// Runs with something piped in.
fn piped(words: &str, path: &Path, input: &str) -> Answer {
    let mut command = assay(words.split_whitespace());
    let mut child = command
        .arg("--path")
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}

/// The secrets in a key file.
fn secrets(path: &Path) -> Vec<String> {
    let file: Value = serde_json::from_slice(&fs_err::read(path).unwrap()).unwrap();
    let found: Vec<String> = ["secretPhrase", "secretSeed", "privateKey"]
        .iter()
        .filter_map(|name| file[name].as_str())
        .map(|text| text.trim_start_matches("0x").to_owned())
        .collect();
    assert_eq!(found.len(), 3, "{}", path.display());
    found
}

#[test]
fn a_key_is_made_shown_used_and_never_printed() {
    let folder = folder();
    let root = folder.path().join("wallets");
    let new = line("wallet new w --hotkey h --path {}", &[&root]).with_code(0);
    let file = root.join("w/hotkeys/h");
    assert_eq!(
        fs_err::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let message = folder.path().join("message");
    fs_err::write(&message, "hello\n").unwrap();
    let show = line("wallet show w --hotkey h --path {} --json", &[&root]).with_code(0);
    let address = show.json()["data"]["address"].as_str().unwrap().to_owned();
    let sign = line("wallet sign w --hotkey h {} --path {}", &[&message, &root]).with_code(0);
    let signature = sign.stdout.trim().to_owned();
    let holds = line(&format!("wallet verify {address} {signature} {{}}"), &[&message]).with_code(0);
    assert_eq!(holds.stdout, "the signature holds\n");
    fs_err::write(&message, "hello").unwrap();
    let fails = line(&format!("wallet verify {address} {signature} {{}}"), &[&message]).with_code(4);
    assert_eq!(fails.stdout, "the signature does not hold\n");
    let list = line("wallet list --path {} --json", &[&root]).with_code(0);
    assert_eq!(
        list.json()["data"]["wallets"][0]["hotkeys"][0]["address"],
        *address
    );

    for answer in [&new, &show, &sign, &holds, &fails, &list] {
        for secret in secrets(&file) {
            assert!(!answer.stdout.contains(&secret) && !answer.stderr.contains(&secret));
        }
    }
}

#[test]
fn every_form_of_a_secret_is_taken_over() {
    let folder = folder();
    let root = folder.path().join("wallets");
    let seed = "7a10fbbaeb022c9224b553b85fa740ac3110f5e47ec8f8185c1b112d47426d18";
    let json = format!(r#"{{"secretSeed":"0x{seed}","ss58Address":"{PHRASE_ADDRESS}"}}"#);
    let ed25519 = "5G3AZqnpHPQ5wJ6SzTyNbHWEK1oayYjstwdfWUu1uEoHkYt4";
    for (number, (input, more, expected)) in [
        (PHRASE, "", PHRASE_ADDRESS),
        (seed, "", PHRASE_ADDRESS),
        (json.as_str(), "", PHRASE_ADDRESS),
        ("//Alice", "", ALICE),
        (PHRASE, "--scheme ed25519", ed25519),
        (seed, "--scheme ed25519", ed25519),
    ]
    .into_iter()
    .enumerate()
    {
        let words = format!("wallet import w --hotkey h{number} - --json {more}");
        let answer = piped(&words, &root, &format!("{input}\n")).with_code(0);
        assert_eq!(answer.json()["data"]["address"], expected, "{words}");
        assert!(!answer.stdout.contains(seed) && !answer.stdout.contains("stool"));
    }
    let public = format!(r#"{{"ss58Address":"{ALICE}"}}"#);
    let answer = piped("wallet import cold - --json", &root, &public).with_code(0);
    assert_eq!(answer.json()["data"]["address"], ALICE);
    assert!(root.join("cold/coldkeypub.txt").exists() && !root.join("cold/coldkey").exists());
}

#[test]
fn a_coldkey_is_encrypted_and_opens_with_its_password() {
    let folder = folder();
    let root = folder.path().join("wallets");
    let password = folder.path().join("password");
    let phrase = folder.path().join("phrase");
    fs_err::write(&password, "correct horse\n").unwrap();
    let message = folder.path().join("message");
    fs_err::write(&message, "m").unwrap();
    line(
        "wallet new w --path {} --password-file {} --phrase-out {}",
        &[&root, &password, &phrase],
    )
    .with_code(0);
    let bytes = fs_err::read(root.join("w/coldkey")).unwrap();
    assert!(bytes.starts_with(b"$NACL"));
    assert_eq!(
        fs_err::metadata(&phrase).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(fs_err::read_to_string(&phrase).unwrap().split(' ').count(), 12);
    let from_variable = assay(["wallet", "sign", "w", "--path"])
        .arg(&root)
        .arg(&message)
        .env("BT_WALLET_PASSWORD", "correct horse")
        .output()
        .unwrap();
    assert!(from_variable.status.success());
    fs_err::write(&password, "wrong\n").unwrap();
    let wrong = line(
        "wallet sign w {} --path {} --password-file {}",
        &[&message, &root, &password],
    )
    .with_code(2);
    assert!(
        wrong.stderr.contains("error[wallet/password]"),
        "{}",
        wrong.stderr
    );
    assert!(
        wrong.stderr.contains("coldkey`: wrong password"),
        "{}",
        wrong.stderr
    );
    assert!(
        wrong.stderr.contains("help: check the password"),
        "{}",
        wrong.stderr
    );
    let list = line("wallet list --path {}", &[&root]).with_code(0);
    assert!(list.stdout.contains("encrypted"), "{}", list.stdout);
}

const fn bad<'a>(exit: i32, code: &'a str, message: &'a str, help: &'a str) -> Bad<'a> {
    Bad {
        exit,
        code,
        message,
        help,
    }
}

#[test]
fn bad_calls_and_files_are_named_with_their_cure() {
    let folder = folder();
    let root = folder.path().join("wallets");
    let file = folder.path().join("file");
    let with = |content: &str| fs_err::write(&file, content).unwrap();
    with("//Alice");
    line("wallet import w --hotkey h {} --path {}", &[&file, &root]).with_code(0);
    let before = fs_err::read(root.join("w/hotkeys/h")).unwrap();
    with(PHRASE);
    check(
        "wallet import w --hotkey h {} --path {}",
        &[&file, &root],
        &bad(2, "wallet/exists", "exists", "--force"),
    );
    assert_eq!(fs_err::read(root.join("w/hotkeys/h")).unwrap(), before);
    line("wallet import w --hotkey h {} --path {} --force", &[&file, &root]).with_code(0);

    check(
        "wallet new w --path {}",
        &[&root],
        &bad(2, "usage/invalid", "no password", "--no-password"),
    );
    check(
        "wallet show none --path {}",
        &[&root],
        &bad(2, "wallet/missing", "does not exist", "wallet list"),
    );
    check(
        "wallet show ../w --path {}",
        &[&root],
        &bad(2, "wallet/name", "../w", "choose a name"),
    );
    for (content, code, message, help) in [
        ("{\"secretSeed\":", "wallet/file", "malformed JSON", "backup"),
        ("$ANSIBLE_VAULT;1.1", "wallet/file", "ansible-vault", "btcli"),
        (
            r#"{"encoded":"x","encoding":{}}"#,
            "wallet/file",
            "polkadot.js",
            "regen-coldkey",
        ),
        ("$NACL", "wallet/password", "no password", "BT_WALLET_PASSWORD"),
        ("stool nice desert", "wallet/secret", "12, 15", "phrase"),
        ("\u{1}\u{2}", "wallet/file", "neither", "backup"),
    ] {
        with(content);
        let answer = check(
            "wallet import w --hotkey new {} --path {}",
            &[&file, &root],
            &bad(2, code, message, help),
        );
        assert!(!answer.stderr.contains("stool"), "{}", answer.stderr);
    }
    assert!(!root.join("w/hotkeys/new").exists());
    check(
        "wallet verify 15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5 0x00 {}",
        &[&file],
        &bad(2, "wallet/file", "prefix", "5"),
    );
    check(
        &format!("wallet verify {ALICE} 0x00 {{}}"),
        &[&file],
        &bad(2, "usage/invalid", "signature", "64 bytes"),
    );
}

#[test]
fn the_list_warns_of_broken_and_open_files() {
    let folder = folder();
    let root = folder.path().join("wallets");
    line("wallet new w --hotkey a --path {}", &[&root]).with_code(0);
    let open = root.join("w/hotkeys/a");
    fs_err::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    fs_err::write(root.join("w/hotkeys/b"), "{").unwrap();
    let answer = line("wallet list --path {}", &[&root]).with_code(0);
    assert!(answer.stderr.contains("chmod 600"), "{}", answer.stderr);
    assert!(answer.stderr.contains("malformed JSON"), "{}", answer.stderr);
    let lines = answer.stdout.lines().count();
    assert_eq!(lines, 4, "{}", answer.stdout);
}

#[test]
fn the_documents_have_the_promised_keys() {
    let folder = folder();
    let root = folder.path().join("wallets");
    let file = folder.path().join("file");
    fs_err::write(&file, "//Alice").unwrap();
    let check = |words: &str, paths: &[&Path], schema: &str, keys: &[&str]| {
        let document = line(&format!("{words} --json"), paths).with_code(0).json();
        assert_eq!(document["schema"], schema);
        let mut found: Vec<&String> = document["data"].as_object().unwrap().keys().collect();
        found.sort();
        assert_eq!(found, keys, "{words}");
        document
    };
    let key = ["address", "file", "hotkey", "public_key", "scheme", "wallet"];
    check(
        "wallet new w --hotkey n --path {}",
        &[&root],
        "assay.wallet-new/1",
        &key,
    );
    check(
        "wallet import w --hotkey h {} --path {}",
        &[&file, &root],
        "assay.wallet-import/1",
        &key,
    );
    check(
        "wallet show w --hotkey h --path {}",
        &[&root],
        "assay.wallet/1",
        &key,
    );
    let signed = check(
        "wallet sign w --hotkey h {} --path {}",
        &[&file, &root],
        "assay.wallet-signature/1",
        &["address", "message_bytes", "scheme", "signature"],
    );
    let signature = signed["data"]["signature"].as_str().unwrap();
    let verified = check(
        &format!("wallet verify {ALICE} {signature} {{}}"),
        &[&file],
        "assay.wallet-verify/1",
        &["address", "holds", "scheme"],
    );
    assert_eq!(verified["data"]["holds"], true);
    check(
        "wallet list --path {}",
        &[&root],
        "assay.wallet-list/1",
        &["path", "wallets"],
    );
}

//! `assay doctor`: a machine that is well, each dependency broken, and a bundle that tells nothing private.

use serde_json::Value;

use crate::chain::Running;
use crate::support::{Answer, assay, folder};

/// The answer of `assay doctor ARGS --json` in a home of its own: exit status and checks by name.
fn doctor(home: &std::path::Path, args: &[&str]) -> (i32, Vec<Value>) {
    let mut command = assay(["doctor", "--json", "--dir"]);
    command
        .arg(home)
        .args(args)
        .env("HOME", home)
        .env_remove("ASSAY_NETWORK");
    let answer = Answer::from(command.output().unwrap());
    let document: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(document["schema"], "assay.doctor/1");
    assert_eq!(document["ok"], answer.code == 0);
    (answer.code, document["data"].as_array().unwrap().clone())
}

fn check<'a>(checks: &'a [Value], name: &str) -> &'a Value {
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no `{name}` in {checks:?}"))
}

#[test]
fn a_machine_that_is_well_is_told_what_comes_next() {
    let home = folder();
    let chain = Running::start(&home.path().join("state"));
    let (code, checks) = doctor(home.path(), &["--network", &chain.network]);
    assert_eq!(code, 0, "{checks:?}");
    assert_eq!(check(&checks, "bits")["state"], "ok");
    assert_eq!(check(&checks, "chain")["state"], "ok");
    assert_eq!(
        check(&checks, "wallet")["state"],
        "skip",
        "only miners and validators need one"
    );
    let mut command = assay(["doctor"]);
    let text = Answer::from(command.env("HOME", home.path()).output().unwrap()).stdout;
    assert!(
        text.lines()
            .last()
            .unwrap()
            .starts_with("next: `assay refine --sample"),
        "{text}"
    );
}

#[test]
fn each_thing_that_is_missing_fails_with_its_cure() {
    let home = folder();
    let (code, checks) = doctor(home.path(), &["--for", "miner"]);
    assert_eq!(code, 4);
    let wallet = check(&checks, "wallet");
    assert_eq!(wallet["state"], "fail");
    assert!(
        wallet["cure"]
            .as_str()
            .unwrap()
            .contains("assay wallet new default")
    );
    for (args, name) in [
        (["--network", "ws://127.0.0.1:9"], "chain"),
        (["--network", "nonsense"], "chain"),
        (["--api", "http://127.0.0.1:9"], "server"),
        (["--subnet", "not-there.json"], "subnet"),
    ] {
        let (code, checks) = doctor(home.path(), &args);
        let found = check(&checks, name);
        assert_eq!(
            (code, &found["state"]),
            (4, &Value::from("fail")),
            "{args:?}: {found}"
        );
        assert!(
            found["cure"].as_str().is_some_and(|cure| !cure.is_empty()),
            "{found}"
        );
    }
}

#[test]
fn the_bundle_names_neither_folders_nor_secrets() {
    let home = folder();
    let mut command = assay(["doctor", "--report", "--api", "http://me:secret-word@127.0.0.1:9"]);
    command
        .env("HOME", home.path())
        .env("HF_TOKEN", "hf_secret-token");
    let answer = Answer::from(command.output().unwrap());
    assert_eq!(answer.code, 4);
    let bundle: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert!(
        bundle["set"]
            .as_array()
            .unwrap()
            .contains(&Value::from("HF_TOKEN"))
    );
    let home = home.path().to_str().unwrap();
    for private in ["secret-word", "hf_secret", home] {
        assert!(!answer.stdout.contains(private), "{private} in {}", answer.stdout);
    }
}

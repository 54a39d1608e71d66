//! `assay config show`: what holds, where it comes from, and that no secret is ever shown.

use serde_json::Value;

use crate::support::{assay, folder, line};

/// The entry of a name among the variables or the server's keys.
fn of<'a>(document: &'a Value, part: &str, name: &str) -> &'a Value {
    let all = document["data"][part].as_array().unwrap();
    all.iter().find(|holds| holds["name"] == name).unwrap()
}

#[test]
fn a_variable_wins_over_a_file_and_a_file_over_the_default() {
    let folder = folder();
    let file = folder.path().join("serve.toml");
    let toml = "database = \"from-file.sqlite\"\nlisten = \"127.0.0.1:9000\"\n[limits]\nstreams_max = 7\n";
    fs_err::write(&file, toml).unwrap();
    for (with_file, variable, name, value, origin) in [
        (false, None, "database", "assay.sqlite", "default"),
        (true, None, "database", "from-file.sqlite", "file"),
        (
            true,
            Some("from-variable.sqlite"),
            "database",
            "from-variable.sqlite",
            "variable",
        ),
        (
            false,
            Some("from-variable.sqlite"),
            "database",
            "from-variable.sqlite",
            "variable",
        ),
        (false, None, "listen", "127.0.0.1:8470", "default"),
        (true, None, "listen", "127.0.0.1:9000", "file"),
        (false, None, "limits.streams_max", "1000", "default"),
        (true, None, "limits.streams_max", "7", "file"),
        (true, None, "limits.address_streams_max", "8", "default"),
    ] {
        let mut command = assay(["config", "show", "--json"]);
        if with_file {
            command.arg("--config").arg(&file);
        }
        command.envs(variable.map(|value| ("ASSAY_SERVE__DATABASE", value)));
        let document: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        let found = of(&document, "serve", name);
        let shown = found["value"]
            .as_str()
            .map_or_else(|| found["value"].to_string(), str::to_owned);
        assert_eq!(
            (shown.as_str(), found["origin"].as_str().unwrap()),
            (value, origin),
            "{name}"
        );
    }
}

#[test]
fn secrets_are_said_to_be_set_and_never_shown() {
    let secret = "hf_not-for-eyes";
    let names = [
        "ASSAY_HUB__PROXY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "BT_PW__WALLETS_A",
        "BT_WALLET_PASSWORD",
        "HF_TOKEN",
        "HTTPS_PROXY",
    ];
    for args in [["config", "show", "--origin"], ["config", "show", "--json"]] {
        let mut command = assay(args);
        command.envs(names.map(|name| (name, secret)));
        command.env("HF_ENDPOINT", format!("https://hub.example/{secret}"));
        command.env(
            "ASSAY_HUB__S3__ENDPOINT",
            format!("http://user:{secret}@store.example"),
        );
        command.env(
            "ASSAY_SERVE__DATABASE",
            format!("postgres://assay:{secret}@db/assay"),
        );
        command.env("ASSAY_NETWORK", "test\nlisten = 1");
        let output = command.output().unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(!shown.contains(secret), "{shown}");
        assert!(
            shown.contains("HF_TOKEN") && shown.contains("test\\nlisten"),
            "{shown}"
        );
        if args[2] == "--json" {
            let document: Value = serde_json::from_str(&shown).unwrap();
            for name in ["HF_TOKEN", "HF_ENDPOINT", "BT_PW_…", "ASSAY_SERVE__DATABASE"] {
                assert_eq!(of(&document, "variables", name)["is_secret"], true, "{name}");
            }
            assert_eq!(of(&document, "serve", "database")["is_secret"], true);
        } else {
            assert!(shown.contains("# HF_TOKEN: set, not shown"), "{shown}");
            assert!(shown.contains("# database: set, not shown"), "{shown}");
        }
    }
}

#[test]
fn what_is_shown_is_a_file_that_says_the_same() {
    let folder = folder();
    let file = folder.path().join("serve.toml");
    let shown = line("config show --defaults --origin", &[]).with_code(0).stdout;
    fs_err::write(&file, &shown).unwrap();
    let again = line("config show --config {} --json", &[&file])
        .with_code(0)
        .json();
    let defaults = line("config show --defaults --json", &[]).with_code(0).json();
    let values = |document: &Value| -> Vec<(Value, Value)> {
        let all = document["data"]["serve"].as_array().unwrap().iter();
        all.map(|holds| (holds["name"].clone(), holds["value"].clone()))
            .collect()
    };
    assert_eq!(values(&again), values(&defaults));
    assert_eq!(of(&again, "serve", "limits.cache_bytes_max")["origin"], "file");
    insta::assert_snapshot!("config-show", shown);
}

#[test]
fn a_file_with_an_unknown_key_is_refused_with_the_cure() {
    let folder = folder();
    let file = folder.path().join("serve.toml");
    fs_err::write(&file, "lisen = \"127.0.0.1:9000\"\n").unwrap();
    let answer = line("config show --config {}", &[&file]).with_code(2);
    assert_eq!(answer.stdout, "");
    assert!(
        answer.stderr.contains("lisen") && answer.stderr.contains("docs/configuration.md"),
        "{}",
        answer.stderr
    );
}

//! `assay simulate` from the outside: exit codes, JSON, plot, and nothing written on bad input.

#![cfg(test)]

use serde_json::Value;
use std::process::{Command, Output};

fn assay(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_assay"))
        .arg("simulate")
        .args(arguments)
        .output()
        .unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A small and short copycat.
const SMALL: [&str; 8] = [
    "--scenario",
    "copycat",
    "--rounds",
    "60",
    "--set",
    "miners=4",
    "--set",
    "units=8",
];

#[test]
fn a_scenario_holds_and_an_ablation_fails_with_status_4() {
    let output = assay(&[&SMALL[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0));
    let document = json(&output);
    assert_eq!(document["schema"], "assay.simulate/1");
    assert_eq!(document["data"]["scenario"], "copycat");
    assert_eq!(document["data"]["properties"][0]["id"], "P1");
    assert_eq!(document["data"]["properties"][0]["holds"], true);

    let output = assay(&[&SMALL[..], &["--without", "lockstep", "--json"]].concat());
    assert_eq!(output.status.code(), Some(4));
    let document = json(&output);
    assert_eq!(document["ok"], false);
    assert!(document["data"]["properties"][0]["value"].as_f64().unwrap() > 0.0);
    let same = assay(&[&SMALL[..], &["--set", "lockstep=off", "--json"]].concat());
    assert_eq!(json(&same)["data"], document["data"]);
}

#[test]
fn several_seeds_give_a_list_and_a_table() {
    let output = assay(&[&SMALL[..], &["--seeds", "2", "--json"]].concat());
    let seeds: Vec<u64> = json(&output)["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|report| report["seed"].as_u64().unwrap())
        .collect();
    assert_eq!(seeds, [1, 2]);
    let output = assay(&[&SMALL[..], &["--seeds", "2"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("copycat · 60 rounds · 2 seeds"), "{text}");
    assert!(text.contains("pass 2/2 P1"), "{text}");
}

#[test]
fn scenarios_and_defences_are_listed() {
    let output = assay(&["--list"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for name in ["whole-units", "weight-copier", "two-stage"] {
        assert!(text.contains(name), "{text}");
    }
    assert!(
        json(&assay(&["--list", "--json"]))["data"]["scenarios"]
            .as_array()
            .unwrap()
            .len()
            > 20
    );
}

#[test]
fn a_plot_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copycat.svg");
    let output = assay(&[&SMALL[..], &["--plot", path.to_str().unwrap()]].concat());
    assert_eq!(output.status.code(), Some(0));
    let svg = fs_err::read_to_string(path).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("copycat") && svg.contains("polyline"));
}

#[test]
fn bad_input_names_the_field_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let params = folder.path().join("params.toml");
    fs_err::write(&params, "version = 1\nactivation_block = -1\n").unwrap();
    let params = params.to_str().unwrap();
    for (arguments, message) in [
        (
            &["--scenario", "copycat", "--set", "alpha=0"][..],
            "`alpha` is `0`",
        ),
        (&["--scenario", "copycat", "--set", "miners"], "not NAME=VALUE"),
        (
            &["--scenario", "copycat", "--set", "gravity=1"],
            "`gravity` is unknown",
        ),
        (
            &["--scenario", "copycat", "--without", "luck"],
            "`luck` is unknown",
        ),
        (&["--scenario", "nothing"], "no scenario `nothing`"),
        (
            &["--scenario", "copycat", "--params", params],
            "`activation_block` must be",
        ),
        (&["--scenario", "copycat", "--params", "/nowhere"], "/nowhere"),
        (&["--scenario", "copycat", "--params", "/dev/zero"], "more than"),
        (
            &["--scenario", "copycat", "--seed", "18446744073709551615", "--seeds", "2"],
            "leaves no room for 2 seeds",
        ),
        (&["--scenario", "copycat", "--rounds", "0"], "--rounds"),
        (&["--all", "--plot", "x.svg"], "--scenario"),
        (&[], "--list"),
    ] {
        let plot = folder.path().join("never.svg");
        let mut arguments = arguments.to_vec();
        if arguments.contains(&"copycat") {
            arguments.extend(["--plot", plot.to_str().unwrap()]);
        }
        let output = assay(&arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(message), "{arguments:?}: {error}");
        assert!(!plot.exists());
    }
}

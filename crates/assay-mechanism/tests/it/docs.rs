//! `docs/mechanism.md` lists the parameters, scenarios, defences and strategies there are, with their defaults.
//!
//! On a difference the test prints the section as it must be.

use assay_mechanism::simulate::{DEFENCES, all, strategy};
use assay_types::PARAMETERS;
use std::fmt::Write as _;
use std::path::Path;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/mechanism.md");
    fs_err::read_to_string(path).unwrap()
}

/// The section between `<!-- name -->` and `<!-- end of name -->` is `expected`.
#[track_caller]
fn check(name: &str, expected: &str) {
    let page = page();
    let (_, rest) = page.split_once(&format!("<!-- {name} -->\n")).unwrap();
    let (found, _) = rest.split_once(&format!("<!-- end of {name} -->")).unwrap();
    assert!(
        found == expected,
        "section `{name}` of docs/mechanism.md must be:\n{expected}"
    );
}

#[test]
fn parameters_are_listed() {
    let mut table = String::from(
        "| name | default | unit | least | greatest | what it does |\n|---|---|---|---|---|---|\n",
    );
    for one in PARAMETERS {
        writeln!(
            table,
            "| `{}` | {} | {} | {} | {} |{} |",
            one.name, one.default, one.unit, one.min, one.max, one.about
        )
        .unwrap();
    }
    check("parameters", &table);
}

#[test]
fn scenarios_defences_and_strategies_are_listed() {
    let mut table = String::from("| scenario | rounds | what happens |\n|---|---|---|\n");
    for one in all() {
        writeln!(table, "| `{}` | {} | {} |", one.name, one.rounds, one.about).unwrap();
    }
    table.push_str("\n| defence | without it |\n|---|---|\n");
    for one in DEFENCES {
        writeln!(table, "| `{}` | {} |", one.name, one.without).unwrap();
    }
    table.push_str("\n| strategy | what it does |\n|---|---|\n");
    for one in strategy::all() {
        writeln!(table, "| `{}` | {} |", one.name, one.about).unwrap();
    }
    check("scenarios", &table);
}

#[test]
fn the_tables_of_the_simulator_are_filled() {
    let page = page();
    let (_, rest) = page.split_once("<!-- profits -->\n").unwrap();
    let (profits, _) = rest.split_once("<!-- end of profits -->").unwrap();
    for scenario in all() {
        let played = profits.contains(&format!("| `{}` |", scenario.name));
        assert!(
            played || scenario.name.starts_with("duel") || scenario.name == "leak",
            "{}",
            scenario.name
        );
    }
    assert!(profits.contains("| P14 |"));
}

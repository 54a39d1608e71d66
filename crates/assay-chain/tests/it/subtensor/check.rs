//! The self-check lists every name that is used: each is taken away from recorded metadata, one at a time.

use std::collections::BTreeSet;
use std::path::Path;

use assay_chain::subtensor::{Check, Runtime};

use crate::recorded;

/// Names in quotes right behind `before` in the sources of the backend.
fn named(before: &str) -> BTreeSet<String> {
    fn read(folder: &Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, text);
            } else if path.file_name().unwrap() != "check.rs" {
                text.push_str(&std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut text = String::new();
    read(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src/subtensor"),
        &mut text,
    );
    let before = format!("{before}, \"");
    let behind = text.split(&before).skip(1);
    behind
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

/// What the check of `metadata` lists.
fn listed(metadata: &[u8]) -> Vec<String> {
    let check = Check::of(&Runtime::decode(393, 1, metadata).unwrap());
    let all = check.required.iter().chain(&check.optional);
    all.map(|line| line.split(' ').next().unwrap().to_owned())
        .collect()
}

/// That each name of a pallet is listed once it is another, as `prefix.name` or as a part of something.
fn check_names(metadata: &[u8], prefix: &str, names: impl IntoIterator<Item = String>) {
    let before = listed(metadata);
    let mut looked = 0;
    for name in names {
        let wanted = format!("{prefix}.{name}");
        looked += 1;
        if before.contains(&wanted) {
            continue;
        }
        let other = format!("X{}", &name[1..]);
        let after = listed(&recorded::renamed(metadata, &name, &other));
        assert!(
            after.contains(&wanted),
            "`{wanted}` is used and not looked for: {after:?}"
        );
    }
    assert!(looked > 0, "{prefix}");
}

#[test]
fn every_name_that_is_used_is_looked_for() {
    let Some(folder) = recorded::folder("every_name_that_is_used_is_looked_for") else {
        return;
    };
    let metadata = recorded::metadata(&folder, 393);
    check_names(&metadata, "SubtensorModule", named("SUBTENSOR"));
    check_names(&metadata, "Commitments", named("COMMITMENTS"));
    for pallet in ["System", "Timestamp", "Drand", "Aura"] {
        check_names(&metadata, pallet, named(&format!("\"{pallet}\"")));
    }
    let lists = [
        "Active",
        "Incentive",
        "Dividends",
        "Consensus",
        "ValidatorTrust",
        "Emission",
        "BlockAtRegistration",
        "TotalHotkeyAlpha",
        "TaoWeight",
        "RevealPeriodEpochs",
        "BlocksSinceLastStep",
        "SubnetIdentitiesV3",
        "ImmunityPeriod",
        "Kappa",
        "add_stake",
        "register_network",
        "register_network_with_identity",
        "serve_axon",
        "start_call",
        "set_subnet_identity",
    ];
    check_names(&metadata, "SubtensorModule", lists.map(str::to_owned));
    let setters = ["sudo_set_tempo", "sudo_set_kappa", "sudo_set_immunity_period"];
    check_names(&metadata, "AdminUtils", setters.map(str::to_owned));
    for (prefix, names) in [
        ("System.Account", &["data", "free"][..]),
        ("Drand.Pulses", &["randomness", "signature"]),
        ("Commitments.UsedSpaceOf", &["last_epoch", "used_space"]),
        ("Commitments.CommitmentOf", &["info", "fields"]),
        ("SubtensorModule.Axons", &["ip", "port", "ip_type"]),
        ("SubtensorModule.SubnetIdentitiesV3", &["subnet_name", "logo_url"]),
        ("SubtensorModule.serve_axon", &["placeholder1"]),
        ("SubtensorModule.set_mechanism_weights", &["version_key"]),
        (
            "SubtensorModule.commit_timelocked_mechanism_weights",
            &["reveal_round"],
        ),
        (
            "SubnetInfoRuntimeApi.get_metagraph",
            &["total_stake", "incentives"],
        ),
    ] {
        check_names(&metadata, prefix, names.iter().map(|name| (*name).to_owned()));
    }
}

#[test]
fn what_nothing_works_without_is_on_both_recorded_runtimes() {
    let Some(folder) = recorded::folder("what_nothing_works_without_is_on_both_recorded_runtimes") else {
        return;
    };
    for spec in recorded::SPECS {
        let check = Check::of(&recorded::runtime(&folder, spec));
        assert_eq!(check.required, Vec::<String>::new(), "{spec}");
        let names: BTreeSet<&str> = check
            .optional
            .iter()
            .map(|line| line.split(' ').next().unwrap())
            .collect();
        assert_eq!(
            names.len(),
            check.optional.len(),
            "each name once: {:?}",
            check.optional
        );
        for line in &check.optional {
            assert!(line.ends_with(')') && line.contains(" ("), "{line}");
        }
        assert!(names.contains("SubtensorModule.register_limit"), "{names:?}");
    }
}

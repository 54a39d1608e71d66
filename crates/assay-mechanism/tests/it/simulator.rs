//! The simulator: every scenario holds on small worlds, each ablation that must flip a property does, runs repeat.

use assay_mechanism::simulate::{DEFENCES, Report, Settings, all, find, simulate, strategy};

fn settings() -> Settings {
    Settings {
        miners: 8,
        ..Settings::default()
    }
}

/// Plays a scenario with a defence off, or with all.
fn play(name: &str, without: Option<&str>) -> Report {
    let mut settings = settings();
    if let Some(defence) = without {
        settings.without(defence).unwrap();
    }
    simulate(find(name).unwrap(), &settings)
}

/// The property's value holds with all defences and fails without this one.
#[track_caller]
fn flips(scenario: &str, defence: &str, id: &str) {
    let holds = |report: &Report| {
        let mut about = report
            .properties
            .iter()
            .filter(|property| property.id == id)
            .peekable();
        assert!(about.peek().is_some(), "no property {id}");
        about.all(|property| property.holds)
    };
    let with = play(scenario, None);
    assert!(holds(&with), "{:?}", with.properties);
    let without = play(scenario, Some(defence));
    assert!(!holds(&without), "{:?}", without.properties);
}

#[test]
fn without_lockstep_copying_pays() {
    flips("copycat", "lockstep", "P1");
}

#[test]
fn without_credibility_a_fraud_costs_little() {
    flips("lapse", "credibility", "P3d");
}

#[test]
fn without_the_ledger_omissions_pay() {
    flips("lazy", "ledger", "P2");
}

#[test]
fn without_the_second_stage_copies_dethrone() {
    flips("duel-false", "two-stage", "P14");
}

#[test]
fn without_private_audits_a_little_laziness_keeps_its_profit() {
    flips("lazy", "private-audit", "P2c");
}

#[test]
fn a_run_repeats_bit_for_bit_and_another_seed_differs() {
    let short = |seed| {
        let settings = Settings {
            seed,
            rounds: Some(30),
            ..settings()
        };
        simulate(find("lazy").unwrap(), &settings)
    };
    assert_eq!(short(1), short(1));
    assert_ne!(short(1).strategies, short(2).strategies);
}

#[test]
fn every_scenario_plays_a_single_round_and_names_are_unique() {
    let mut names: Vec<&str> = all().iter().map(|scenario| scenario.name).collect();
    for scenario in all() {
        let settings = Settings {
            rounds: Some(1),
            miners: 2,
            units: 16,
            ..Settings::default()
        };
        if !scenario.name.starts_with("duel") {
            let report = simulate(scenario, &settings);
            assert!(!report.properties.is_empty());
            let numbers = report.properties.iter().map(|property| property.value);
            assert!(numbers.clone().all(f64::is_finite), "{}", scenario.name);
        }
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all().len());
    assert!(strategy::all().len() >= 14 && DEFENCES.len() == 5);
}

#[test]
fn the_form_of_a_report() {
    let mut report = simulate(
        find("copycat").unwrap(),
        &Settings {
            rounds: Some(2),
            miners: 2,
            ..Settings::default()
        },
    );
    report.strategies.truncate(1);
    let keys =
        |value: &serde_json::Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let value = serde_json::to_value(&report).unwrap();
    assert_eq!(
        keys(&value),
        ["properties", "rounds", "scenario", "seed", "strategies"]
    );
    assert_eq!(
        keys(&value["strategies"][0]),
        ["cost", "name", "profit", "profit_high", "profit_low", "revenue"]
    );
    assert_eq!(
        keys(&value["properties"][0]),
        ["bound", "holds", "id", "statement", "value"]
    );
    assert_eq!(
        serde_json::from_value::<Report>(value).unwrap().strategies,
        report.strategies
    );
}

//! Honest networks: what everyone earns, what machine errors cost, and that validators agree (P1, P7, P10).

use super::super::play::Cast;
use super::super::report::{Outcome, Property};
use super::super::settings::Settings;
use super::laziness::{AUDITORS, append};

/// Everyone is honest, without and with private audits.
pub(super) fn honest(settings: &Settings, rounds: u32) -> Outcome {
    let mut outcome = Outcome::default();
    for auditors in [0, AUDITORS] {
        let played = Cast::honest(settings).play(settings, rounds, auditors);
        outcome.properties.push(Property::at_least(
            "P1d",
            format!("honest work earns its margin but 2 %, {auditors} private audits"),
            played.result(0).profit,
            (1.0 - settings.cost) - 0.02,
        ));
        append(&mut outcome, &played, auditors);
    }
    outcome
}

/// Chance of a wrong row, private auditors, and whether the property is about this pair.
const ERRORS: [(f64, u32, bool); 3] = [(1e-5, 0, true), (1e-6, AUDITORS, true), (1e-4, AUDITORS, false)];

/// Honest miners whose machines err.
pub(super) fn nondeterminism(settings: &Settings, rounds: u32) -> Outcome {
    let mut outcome = Outcome::default();
    for (error, auditors, required) in ERRORS {
        let settings = Settings {
            error,
            // Errors make every submission worth auditing: ten miners keep the run short.
            miners: settings.miners.min(10),
            ..settings.clone()
        };
        let played = Cast::honest(&settings)
            .called(&format!("error {error:e}"))
            .play(&settings, rounds, auditors);
        if required {
            outcome.properties.push(Property::at_least(
                "P10",
                format!(
                    "one wrong row in {:.0} costs less than 1 %, {auditors} private audits",
                    1.0 / error
                ),
                played.result(0).revenue,
                0.99,
            ));
        }
        append(&mut outcome, &played, auditors);
    }
    outcome
}

/// Two validators replay the same rounds, the second with miners, holders and shares in the reverse order.
pub(super) fn agree(settings: &Settings, rounds: u32) -> Outcome {
    let (mut first, mut played) = Cast::honest(settings).world(settings, 0);
    let (second, _) = Cast::honest(settings).world(settings, 0);
    let mut second = second.backwards();
    let mut different = 0_u32;
    for _ in 0..rounds {
        let result = first.play();
        played.take(&result.revenue, &result.cost);
        different += u32::from(second.play().weights != result.weights);
    }
    let mut outcome = played.outcome();
    outcome.properties = vec![Property::at_most(
        "P7",
        "rounds in which two honest validators differ in a weight",
        f64::from(different),
        0.0,
    )];
    outcome
}

//! Invented and foreign rows (P3).

use super::super::play::Cast;
use super::super::report::{Outcome, Property};
use super::super::settings::Settings;
use super::super::strategy::{Fabricate, Lapse};
use super::laziness::{AUDITORS, append};

/// Shares of invented rows.
const SHARES: [f64; 3] = [0.001, 0.01, 0.05];

/// Miners who invent some rows, without and with private audits.
pub(super) fn fabricate(settings: &Settings, rounds: u32) -> Outcome {
    let mut outcome = Outcome::default();
    for auditors in [0, AUDITORS] {
        let cast = SHARES.into_iter().fold(Cast::honest(settings), |cast, share| {
            cast.with(
                settings,
                &format!("fabricate φ={share}"),
                Box::new(Fabricate(share)),
            )
        });
        let played = cast.play(settings, rounds, auditors);
        let honest = played.result(0).profit;
        for (at, share) in (1..).zip(SHARES) {
            let statement =
                format!("inventing {share} of the rows earns less than none, {auditors} private audits");
            outcome
                .properties
                .push(Property::below("P3", statement, played.result(at).profit, honest));
        }
        append(&mut outcome, &played, auditors);
    }
    outcome
}

/// Rounds of pay that one fraud must cost.
const FRAUD_COST_ROUNDS: f64 = 8.0;

/// One miner that cheats once.
pub(super) fn lapse(settings: &Settings, rounds: u32) -> Outcome {
    let falls = rounds / 3;
    let played = Cast::honest(settings)
        .with(settings, "lapse", Box::new(Lapse(falls)))
        .play(settings, rounds, 0);
    let lost: f64 = played
        .revenue(0)
        .iter()
        .zip(played.revenue(1))
        .skip(falls as usize)
        .map(|(honest, lapse)| honest - lapse)
        .sum();
    let mut outcome = played.outcome();
    outcome.properties = vec![Property::at_least(
        "P3d",
        "being caught once costs at least eight rounds of pay",
        lost,
        FRAUD_COST_ROUNDS,
    )];
    outcome
}

/// One miner whose rows are half foreign.
pub(super) fn pad(settings: &Settings, rounds: u32) -> Outcome {
    let played = Cast::honest(settings)
        .with(settings, "pad 0.5", Box::new(Fabricate(0.5)))
        .play(settings, rounds, 0);
    let mut outcome = played.outcome();
    outcome.properties = vec![Property::at_most(
        "P3b",
        "rows of another dataset earn nothing",
        played.result(1).profit,
        0.0,
    )];
    outcome
}

//! Duels of recipes: copies must not dethrone a champion, better recipes must (P14).

use super::super::report::{Outcome, Property};
use super::super::settings::Settings;
use crate::duel::{DuelParams, Stages, Trial};

/// Repetitions of a reign with copies at its door.
const FALSE_RUNS: u32 = 1_000;

/// Repetitions of a better recipe's tries.
const POWER_RUNS: u32 = 2_000;

/// Challengers that want in, cycle after cycle.
const TICKETS: u32 = 64;

fn trial(settings: &Settings) -> Trial {
    Trial {
        params: DuelParams::from(settings.values()),
        stages: if settings.two_stage {
            Stages::Two
        } else {
            Stages::One
        },
        ..Trial::default()
    }
}

/// Copies of the champion want its throne in every cycle.
pub(super) fn duel_false(settings: &Settings, rounds: u32) -> Outcome {
    let trial = trial(settings);
    let cycles = rounds / trial.params.cycle_rounds.max(1);
    let tickets = settings.tickets.unwrap_or(TICKETS);
    let found = trial.false_dethronement(tickets, cycles, FALSE_RUNS, settings.seed);
    Outcome {
        properties: vec![Property::at_most(
            "P14",
            format!(
                "{tickets} copies dethrone the champion within {cycles} cycles in at most one case of a hundred"
            ),
            found.rate(),
            0.01,
        )],
        ..Outcome::default()
    }
}

/// A recipe better by two to four standard errors tries once a cycle.
pub(super) fn duel_power(settings: &Settings, rounds: u32) -> Outcome {
    let trial = trial(settings);
    let tries = (rounds / trial.params.cycle_rounds.max(1)).max(1);
    let rate = |errors: f64| trial.power(errors, tries, POWER_RUNS, settings.seed).rate();
    let (two, three, four) = (rate(2.0), rate(3.0), rate(4.0));
    Outcome {
        properties: vec![
            Property::at_least(
                "P14b",
                format!(
                    "a recipe better by three standard errors wins within {tries} tries in nine cases of ten"
                ),
                three,
                0.9,
            ),
            Property::at_least(
                "P14c",
                "four standard errors win at least as often as three",
                four,
                three,
            ),
            Property::below(
                "P14d",
                "two standard errors win less often than three",
                two,
                three,
            ),
        ],
        ..Outcome::default()
    }
}

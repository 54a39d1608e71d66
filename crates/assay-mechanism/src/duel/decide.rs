//! The two-stage test: does the challenger lead by more than ε, twice, on fresh archives and seeds?
//!
//! Points of a stage and the champion's age come in; an [`Outcome`] and the best of several winners leave (mechanism
//! §9.2, 5 and 6). A copy of the champion has no lead; ε and the second stage keep many such tickets from winning by luck.

use super::cells::DuelPoints;
use crate::paired::{Level, t_quantile};
use assay_types::{BlockNumber, ParamValues, Stage};

/// Parameters of duels, in points where not said otherwise (mechanism §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DuelParams {
    /// Lead needed over a new champion; default 12.
    pub eps_first: u32,
    /// Lead needed over an old champion; default 4.
    pub eps_floor: u32,
    /// Rounds from the first lead to the last; default 300.
    pub eps_decay: u32,
    /// Standard error assumed at least; default 1.
    pub se_min: u32,
    /// Standard error above which the confirmation decides nothing; default 4.
    pub se_max: u32,
    /// Seeds of the screen; default 4.
    pub seeds_screen: usize,
    /// Seeds of the confirmation; default 8.
    pub seeds_confirm: usize,
    /// Rounds of a cycle; default 10.
    pub cycle_rounds: u32,
    /// Entries of a cycle, first come; default 4.
    pub entries: u32,
}

impl From<&ParamValues> for DuelParams {
    /// The values as they are; every range of the table fits.
    fn from(values: &ParamValues) -> Self {
        let held = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        Self {
            eps_first: held(values.eps_first),
            eps_floor: held(values.eps_floor),
            eps_decay: held(values.eps_decay),
            se_min: held(values.se_min),
            se_max: held(values.se_max),
            seeds_screen: held(values.duel_seeds_screen) as usize,
            seeds_confirm: held(values.duel_seeds_confirm) as usize,
            cycle_rounds: held(values.duel_cycle),
            entries: held(values.duel_entries),
        }
    }
}

impl Default for DuelParams {
    /// The first parameter set's.
    fn default() -> Self {
        Self::from(&ParamValues::default())
    }
}

/// What a stage says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The challenger leads by more than ε at the stage's level.
    Won,
    /// It does not.
    Lost,
    /// The noise is too large to tell after all seeds.
    Inconclusive,
}

/// `ε(age) = 12 − 8·min(age, 300)/300` points, age in rounds since the champion's activation.
///
/// Stalls end, and the floor keeps copies out as long as it is at least one standard error. A decay of zero rounds has ended.
pub fn epsilon(params: &DuelParams, age_rounds: u32) -> f64 {
    let (first, floor) = (f64::from(params.eps_first), f64::from(params.eps_floor));
    if params.eps_decay == 0 {
        return floor;
    }
    let age = f64::from(age_rounds.min(params.eps_decay));
    first - (first - floor) * age / f64::from(params.eps_decay)
}

/// `z = (Δ − ε)/max(SE, se_min)`.
pub fn z_score(params: &DuelParams, points: &DuelPoints, epsilon: f64) -> f64 {
    let floor = f64::from(params.se_min);
    // `f64::max` may return either zero; the floor is at least one in any valid set, and a zero never divides here.
    let error = if points.standard_error > floor {
        points.standard_error
    } else {
        floor
    };
    if error > 0.0 {
        (points.points - epsilon) / error
    } else {
        0.0
    }
}

/// The outcome of one stage at lead `epsilon`: `z` against the t quantile of the stage's level for the seeds it has.
///
/// The limit on the standard error is judged after all seeds, in the confirmation: a screen of four seeds estimates it too
/// loosely, and judging there as well costs a true gain of three standard errors four wins in a hundred (P14: .877
/// instead of .921 within ten tries).
pub fn outcome(params: &DuelParams, stage: Stage, points: &DuelPoints, epsilon: f64) -> Outcome {
    let level = match stage {
        Stage::Screen => Level::P95,
        Stage::Confirm => Level::P99,
    };
    if stage == Stage::Confirm && points.standard_error > f64::from(params.se_max) {
        return Outcome::Inconclusive;
    }
    match t_quantile(level, points.seeds) {
        None => Outcome::Inconclusive,
        Some(quantile) if z_score(params, points, epsilon) >= quantile => Outcome::Won,
        Some(_) => Outcome::Lost,
    }
}

/// The outcome of a duel: the first stage that is not won decides.
pub fn decide(
    params: &DuelParams,
    screen: &DuelPoints,
    confirm: &DuelPoints,
    champion_age_rounds: u32,
) -> Outcome {
    let lead = epsilon(params, champion_age_rounds);
    match outcome(params, Stage::Screen, screen, lead) {
        Outcome::Won => outcome(params, Stage::Confirm, confirm, lead),
        other => other,
    }
}

/// A challenger that won both stages of a cycle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confirmed {
    /// Its `z` in the confirmation.
    pub z: f64,
    /// Block of its commit.
    pub commit: BlockNumber,
}

/// The new champion among the winners of one cycle: the largest `z`, then the earlier commit, then the earlier place in
/// the list. None without winners.
pub fn best(winners: &[Confirmed]) -> Option<usize> {
    let order = |(_, a): &(usize, &Confirmed), (_, b): &(usize, &Confirmed)| {
        b.z.total_cmp(&a.z).then(a.commit.cmp(&b.commit))
    };
    winners.iter().enumerate().min_by(order).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PARAMS: fn() -> DuelParams = DuelParams::default;

    fn points(points: f64, standard_error: f64, seeds: usize) -> DuelPoints {
        DuelPoints {
            points,
            standard_error,
            seeds,
        }
    }

    #[test]
    fn the_lead_falls_from_twelve_to_four() {
        let at = |age| epsilon(&PARAMS(), age);
        assert!((at(0) - 12.0).abs() < 1e-12);
        assert!((at(150) - 8.0).abs() < 1e-12);
        assert!((at(300) - 4.0).abs() < 1e-12);
        assert!((at(u32::MAX) - 4.0).abs() < 1e-12);
        let without = DuelParams {
            eps_decay: 0,
            ..PARAMS()
        };
        assert!((epsilon(&without, 0) - 4.0).abs() < 1e-12);
    }

    #[test]
    fn stages_compare_with_their_quantiles() {
        let at = |stage, lead, error, seeds| outcome(&PARAMS(), stage, &points(lead, error, seeds), 4.0);
        assert_eq!(at(Stage::Screen, 4.0 + 2.3531 * 2.0, 2.0, 4), Outcome::Won);
        assert_eq!(at(Stage::Screen, 4.0 + 2.352 * 2.0, 2.0, 4), Outcome::Lost);
        assert_eq!(at(Stage::Confirm, 4.0 + 2.9981 * 2.0, 2.0, 8), Outcome::Won);
        assert_eq!(at(Stage::Confirm, 4.0 + 2.997 * 2.0, 2.0, 8), Outcome::Lost);
        assert_eq!(at(Stage::Confirm, 400.0, 4.01, 8), Outcome::Inconclusive);
        assert_eq!(at(Stage::Screen, 400.0, 4.01, 4), Outcome::Won);
        assert_eq!(at(Stage::Screen, 400.0, 1.0, 3), Outcome::Inconclusive);
    }

    #[test]
    fn a_tiny_error_counts_as_one_point() {
        let sharp = points(6.0, 0.001, 8);
        assert!((z_score(&PARAMS(), &sharp, 4.0) - 2.0).abs() < 1e-12);
        assert_eq!(outcome(&PARAMS(), Stage::Confirm, &sharp, 4.0), Outcome::Lost);
    }

    #[test]
    fn both_stages_must_be_won() {
        let (strong, weak, loose) = (points(40.0, 2.0, 8), points(1.0, 2.0, 8), points(40.0, 5.0, 8));
        let of = |screen, confirm| decide(&PARAMS(), &screen, &confirm, 300);
        assert_eq!(of(strong, strong), Outcome::Won);
        assert_eq!(of(weak, strong), Outcome::Lost);
        assert_eq!(of(strong, weak), Outcome::Lost);
        assert_eq!(of(strong, loose), Outcome::Inconclusive);
        assert_eq!(
            decide(&PARAMS(), &points(15.0, 2.0, 8), &points(15.0, 2.0, 8), 0),
            Outcome::Lost
        );
    }

    #[test]
    fn ties_go_to_the_earlier_commit() {
        let winner = |z, block| Confirmed {
            z,
            commit: BlockNumber(block),
        };
        assert_eq!(best(&[winner(3.0, 9), winner(4.0, 9), winner(3.5, 1)]), Some(1));
        assert_eq!(best(&[winner(3.0, 9), winner(3.0, 7), winner(3.0, 7)]), Some(1));
        assert_eq!(best(&[]), None);
    }

    proptest! {
        #[test]
        fn a_larger_lead_never_loses_what_a_smaller_one_wins(
            lead in -50.0..50.0_f64, more in 0.0..50.0_f64, error in 0.0..8.0_f64,
            seeds in 4_usize..17, age in 0_u32..400,
        ) {
            let of = |lead| decide(&PARAMS(), &points(lead, error, seeds), &points(lead, error, seeds), age);
            if of(lead) == Outcome::Won {
                prop_assert_eq!(of(lead + more), Outcome::Won);
            }
        }

        #[test]
        fn an_older_champion_is_never_harder_to_beat(age in 0_u32..400, more in 0_u32..400) {
            prop_assert!(epsilon(&PARAMS(), age + more) <= epsilon(&PARAMS(), age));
            prop_assert!(epsilon(&PARAMS(), age) >= f64::from(PARAMS().eps_floor));
        }
    }
}

//! Duels with known truth: how often a copy dethrones the champion, and how often a better recipe wins.
//!
//! A true lead and the noise of a seed come in; frequencies over seeded repetitions leave for the simulator's scenarios
//! `duel-false` and `duel-power` (property P14, mechanism §12). Every try makes reports' cells in 1e-4 bits per byte and goes
//! through [`super::duel_points`] and [`super::outcome`], the functions of real rounds.
//!
//! The noise of a seed is normal and alike in both stages, so the confirmation, with twice the seeds, has 1/√2 of the
//! screen's standard error. "One SE" is the screen's. P14 assumes ε ≥ 1 SE: at the floor of 4 points that is
//! a noise of at most 8 points a seed ([`Trial::default`]). A duel of a copy takes 0.4 µs of CPU time (bench `duel/one_copy`), so
//! 1,000 repetitions of 100 cycles of 4 entries take 0.2 s.

use super::cells::{ArmValues, duel_points};
use super::decide::{DuelParams, Outcome, epsilon, outcome};
use crate::normal::Noise;
use assay_types::Stage;

/// Domains of a trial's cells.
const DOMAINS: usize = 2;

/// Mean values of the arms in 1e-4 bits per byte: a span of 1 bit per byte makes one point ten units, so rounding to units
/// is a hundredth of the noise.
const ORE: f64 = 30_000.0;
const PURE: f64 = 20_000.0;
const CHAMPION: f64 = 24_000.0;
const UNITS_PER_POINT: f64 = 10.0;

/// Which stages a challenger must win.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stages {
    /// Screen, then confirmation: the rule.
    Two,
    /// The confirmation alone (`stages = 1`): what the screen is worth.
    One,
}

/// A duel with known truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trial {
    /// Rules.
    pub params: DuelParams,
    /// Stages that must be won.
    pub stages: Stages,
    /// Standard deviation of one seed's lead, points.
    pub noise_points: f64,
}

impl Default for Trial {
    /// The noisiest duel under which ε ≥ 1 SE: 8 points a seed, 4 points of standard error at the screen's four seeds.
    fn default() -> Self {
        Self {
            params: DuelParams::default(),
            stages: Stages::Two,
            noise_points: 8.0,
        }
    }
}

/// Hits among repetitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frequency {
    /// Repetitions in which it happened.
    pub hits: u32,
    /// Repetitions.
    pub runs: u32,
}

impl Frequency {
    /// Hits over runs; 0 without runs.
    pub fn rate(self) -> f64 {
        if self.runs == 0 {
            return 0.0;
        }
        f64::from(self.hits) / f64::from(self.runs)
    }
}

impl Trial {
    /// One standard error of the screen, points.
    pub fn standard_error(&self) -> f64 {
        self.noise_points / (self.params.seeds_screen.max(1) as f64).sqrt()
    }

    /// How often at least one of `challengers` exact copies dethrones the champion within `cycles` cycles, in `runs`
    /// repetitions.
    ///
    /// The reign starts with the first cycle, so ε decays from its first value. All challengers want in every cycle; the
    /// first `params.entries` get in (which ones does not matter among copies).
    pub fn false_dethronement(&self, challengers: u32, cycles: u32, runs: u32, seed: u64) -> Frequency {
        let entries = challengers.min(self.params.entries);
        let dethroned = |run: u32| {
            let mut noise = Noise::new(seed, u64::from(run));
            (0..cycles).any(|cycle| {
                let age = cycle.saturating_mul(self.params.cycle_rounds);
                (0..entries).any(|_| self.challenger_wins(0.0, age, &mut noise))
            })
        };
        count(runs, dethroned)
    }

    /// How often a challenger whose true lead is `gain_standard_errors` screen errors wins within `tries` entries against
    /// a champion whose ε is at its floor, in `runs` repetitions. An inconclusive try is a try.
    pub fn power(&self, gain_standard_errors: f64, tries: u32, runs: u32, seed: u64) -> Frequency {
        let lead = gain_standard_errors * self.standard_error();
        let wins = |run: u32| {
            let mut noise = Noise::new(seed, u64::from(run));
            (0..tries).any(|_| self.challenger_wins(lead, self.params.eps_decay, &mut noise))
        };
        count(runs, wins)
    }

    /// Plays one duel of a challenger with the true `lead` points against a champion of `age_rounds`.
    pub fn challenger_wins(&self, lead: f64, age_rounds: u32, noise: &mut Noise) -> bool {
        let needed = epsilon(&self.params, age_rounds);
        let mut won = |stage, seeds| {
            let cells: Vec<[ArmValues; DOMAINS]> = (0..seeds).map(|_| self.seed_cells(lead, noise)).collect();
            duel_points(&cells, 0.0)
                .is_ok_and(|points| outcome(&self.params, stage, &points, needed) == Outcome::Won)
        };
        (self.stages == Stages::One || won(Stage::Screen, self.params.seeds_screen))
            && won(Stage::Confirm, self.params.seeds_confirm)
    }

    /// One seed's cells: domains differ by independent noise whose mean has the seed's deviation.
    fn seed_cells(&self, lead: f64, noise: &mut Noise) -> [ArmValues; DOMAINS] {
        let spread = self.noise_points * (DOMAINS as f64).sqrt();
        std::array::from_fn(|_| {
            let points = lead + spread * noise.normal();
            ArmValues {
                champion: Some(CHAMPION as u32),
                challenger: Some(units(CHAMPION - UNITS_PER_POINT * points)),
                ore: Some(ORE as u32),
                pure: Some(PURE as u32),
            }
        })
    }
}

/// Rounds to the nearest unit, held at zero: how a report states a value.
fn units(value: f64) -> u32 {
    (value + 0.5) as u32
}

fn count(runs: u32, mut hit: impl FnMut(u32) -> bool) -> Frequency {
    let hits = (0..runs).filter(|&run| hit(run)).count();
    Frequency {
        hits: u32::try_from(hits).unwrap_or(u32::MAX),
        runs,
    }
}

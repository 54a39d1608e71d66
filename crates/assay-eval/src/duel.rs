//! A duel on one machine: bits of trained models of four arms as cells, and the decision of [`assay_mechanism::duel`].
//!
//! Arms come in the order of [`ARMS`]; screen and confirmation have seeds of their own. Cells are rounded to 1e-4 bits per
//! byte, as validators report them, so that a local duel decides as the network does on the same cells.

use assay_mechanism::duel::{
    ArmValues, DuelParams, DuelPoints, Outcome, duel_points, epsilon, outcome, z_score,
};
pub use assay_mechanism::paired::StatisticsError;
use assay_mechanism::paired::{Level, t_quantile};
use assay_types::Stage;
use serde::Serialize;

use crate::held_out::HeldOutSet;
use crate::stage1::ArmBits;

/// Names and order of the arms.
pub const ARMS: [&str; 4] = ["champion", "challenger", "ore", "pure"];

/// Units of a cell in one bit per byte.
const UNITS: f64 = 10_000.0;

/// The outcome of a stage that the challenger wins.
const WON: &str = "won";

/// What one stage of a duel says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageReport {
    /// `screen` or `confirm`.
    pub stage: &'static str,
    /// The challenger's lead in points (thousandths of the distance from ore to pure text).
    pub points: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Lead that is asked for.
    pub epsilon: f64,
    /// `(points − epsilon)/standard error`, the error at least one point.
    pub z: f64,
    /// Seeds.
    pub seeds: usize,
    /// `won`, `lost` or `inconclusive`.
    pub outcome: &'static str,
}

impl StageReport {
    /// Whether the challenger leads by enough.
    pub fn is_won(&self) -> bool {
        self.outcome == WON
    }
}

/// Cells of every seed and domain.
pub fn cells(arms: &[ArmBits; 4], held_out: &HeldOutSet) -> Vec<Vec<ArmValues>> {
    let [champion, challenger, ore, pure] = arms;
    let seeds = arms.iter().map(ArmBits::folds).min().unwrap_or(0);
    let of_seed = |seed: usize| {
        let [champion, challenger, ore, pure] = [champion, challenger, ore, pure].map(|arm| arm.fold(seed));
        let value = |arm: &ArmBits, domain| Some((arm.domain(domain, held_out) * UNITS).round() as u32);
        let of_domain = |domain: usize| ArmValues {
            champion: value(&champion, domain),
            challenger: value(&challenger, domain),
            ore: value(&ore, domain),
            pure: value(&pure, domain),
        };
        (0..held_out.domains().len()).map(of_domain).collect()
    };
    (0..seeds).map(of_seed).collect()
}

/// Decides a stage on its cells against a champion of `age_rounds`.
///
/// # Errors
/// [`StatisticsError`]: too few seeds, or ore and pure text too close.
pub fn decide(
    stage: Stage,
    cells: &[Vec<ArmValues>],
    age_rounds: u32,
) -> Result<StageReport, StatisticsError> {
    let params = DuelParams::default();
    let points: DuelPoints = duel_points(cells, 0.0)?;
    let lead = epsilon(&params, age_rounds);
    let decided = outcome(&params, stage, &points, lead);
    let half = t_quantile(Level::P975, points.seeds).unwrap_or(f64::INFINITY) * points.standard_error;
    Ok(StageReport {
        stage: match stage {
            Stage::Screen => "screen",
            Stage::Confirm => "confirm",
        },
        points: points.points,
        low: points.points - half,
        high: points.points + half,
        epsilon: lead,
        z: z_score(&params, &points, lead),
        seeds: points.seeds,
        outcome: match decided {
            Outcome::Won => WON,
            Outcome::Lost => "lost",
            Outcome::Inconclusive => "inconclusive",
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells_of(leads: &[f64]) -> Vec<Vec<ArmValues>> {
        let cell = |lead: &f64| ArmValues {
            champion: Some(24_000),
            challenger: Some((24_000.0 - lead * 10.0) as u32),
            ore: Some(30_000),
            pure: Some(20_000),
        };
        leads.iter().map(|lead| vec![cell(lead); 3]).collect()
    }

    #[test]
    fn a_clear_lead_wins_and_a_copy_loses() {
        let screen = |leads: &[f64]| decide(Stage::Screen, &cells_of(leads), 300).unwrap();
        let report = screen(&[30.0, 31.0, 29.0, 30.0]);
        assert_eq!((report.is_won(), report.outcome, report.seeds), (true, "won", 4));
        assert!((report.points - 30.0).abs() < 1e-9 && (report.epsilon - 4.0).abs() < 1e-9);
        assert!((report.z - 26.0).abs() < 1e-9, "{report:?}");
        assert!(report.low < 30.0 && report.high > 30.0);
        assert_eq!(screen(&[0.0; 4]).outcome, "lost");
        let noisy = decide(
            Stage::Confirm,
            &cells_of(&[90.0, -10.0, 60.0, 10.0, 80.0, 0.0, 50.0, 20.0]),
            0,
        );
        assert_eq!(noisy.unwrap().outcome, "inconclusive");
        assert_eq!(
            decide(Stage::Screen, &cells_of(&[30.0; 3]), 0).unwrap_err(),
            StatisticsError::Seeds { found: 3 }
        );
    }
}

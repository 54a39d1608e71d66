//! A duel on one machine: bits of trained models of four arms as cells, and the decision of [`assay_mechanism::duel`].
//!
//! Arms come in the order of [`ARMS`]; screen and confirmation have seeds of their own. Cells are rounded to 1e-4 bits per
//! byte, as validators report them; the held-out documents are known here, so what their choice adds is in the standard
//! error, clusters as documents (docs/mechanism.md).

use assay_mechanism::duel::{
    ArmValues, DuelParams, DuelPoints, Outcome, duel_points, epsilon, outcome, z_score,
};
pub use assay_mechanism::paired::StatisticsError;
use assay_mechanism::paired::{DocumentResidual, Level, document_variance, t_quantile};
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
    /// Standard error in points, over seeds and held-out clusters.
    pub standard_error: f64,
    /// The part of it that the choice of held-out clusters adds.
    pub document_standard_error: f64,
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
    let [champion, challenger, ore, pure] =
        [champion, challenger, ore, pure].map(|arm| values(arm, held_out));
    let of_seed = |seed: usize| {
        let value = |arm: &[Vec<u32>], domain: usize| arm.get(seed)?.get(domain).copied();
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

/// Bits per byte of an arm in units of 1e-4, by seed and domain: what validators report.
pub fn values(arm: &ArmBits, held_out: &HeldOutSet) -> Vec<Vec<u32>> {
    let of_seed = |seed: usize| {
        let arm = arm.fold(seed);
        let domains = 0..held_out.domains().len();
        let value = |domain| (arm.domain(domain, held_out) * UNITS).round() as u32;
        domains.map(value).collect()
    };
    (0..arm.folds()).map(of_seed).collect()
}

/// What the choice of held-out clusters adds to the variance of the challenger's lead, in points²: residuals of the lead of
/// every cluster, averaged over the seeds, as `e_s` of [`assay_mechanism::paired::paired_points`]. 0 without a scale: then
/// [`decide`] refuses.
pub fn cluster_variance(arms: &[ArmBits; 4], held_out: &HeldOutSet) -> f64 {
    let [champion, challenger, ore, pure] = arms;
    let level = |arm: &ArmBits| arm.mean_resampled(held_out, None);
    let span = level(ore) - level(pure);
    let lead = (level(champion) - level(challenger)) / span;
    if !lead.is_finite() {
        return 0.0;
    }
    let residual = |domain: usize, cluster: usize| {
        let bits = |arm: &ArmBits| arm.cluster(domain, cluster, held_out);
        let ((champion, bytes), (challenger, _)) = (bits(champion)?, bits(challenger)?);
        let ((ore, _), (pure, _)) = (bits(ore)?, bits(pure)?);
        let residual = 1_000.0 * (champion - challenger - lead * (ore - pure)) / span;
        Some(DocumentResidual { residual, bytes })
    };
    let of_domain = |domain: usize| (0..).map_while(|cluster| residual(domain, cluster)).collect();
    let domains: Vec<Vec<DocumentResidual>> = (0..held_out.domains().len()).map(of_domain).collect();
    document_variance(&domains)
}

/// Decides a stage on its cells against a champion of `age_rounds`, with the points² of [`cluster_variance`].
///
/// # Errors
/// [`StatisticsError`]: too few seeds, or ore and pure text too close.
pub fn decide(
    stage: Stage,
    cells: &[Vec<ArmValues>],
    cluster_variance: f64,
    age_rounds: u32,
) -> Result<StageReport, StatisticsError> {
    let params = DuelParams::default();
    let points: DuelPoints = duel_points(cells, cluster_variance)?;
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
        standard_error: points.standard_error,
        document_standard_error: cluster_variance.sqrt(),
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
        let screen = |leads: &[f64]| decide(Stage::Screen, &cells_of(leads), 0.0, 300).unwrap();
        let report = screen(&[30.0, 31.0, 29.0, 30.0]);
        assert_eq!((report.is_won(), report.outcome, report.seeds), (true, "won", 4));
        assert!((report.points - 30.0).abs() < 1e-9 && (report.epsilon - 4.0).abs() < 1e-9);
        assert!((report.z - 26.0).abs() < 1e-9, "{report:?}");
        assert!(report.low < 30.0 && report.high > 30.0);
        assert_eq!(screen(&[0.0; 4]).outcome, "lost");
        let noisy = decide(
            Stage::Confirm,
            &cells_of(&[90.0, -10.0, 60.0, 10.0, 80.0, 0.0, 50.0, 20.0]),
            0.0,
            0,
        );
        assert_eq!(noisy.unwrap().outcome, "inconclusive");
        assert_eq!(
            decide(Stage::Screen, &cells_of(&[30.0; 3]), 0.0, 0).unwrap_err(),
            StatisticsError::Seeds { found: 3 }
        );
    }

    #[test]
    fn documents_that_disagree_widen_the_interval() {
        use crate::held_out::{Domain, HeldOutDocument};
        use crate::ngram::{BITS_ONE, Order};
        let document = |number: usize| HeldOutDocument {
            id: number.to_string(),
            cluster: number.to_string(),
            text: "z".repeat(100),
        };
        let domain = Domain {
            name: "d".to_owned(),
            documents: (0..2).map(document).collect(),
        };
        let held_out = HeldOutSet::choose(vec![domain], b"s", Order::V1).unwrap();
        let arm = |bits: [f64; 2]| {
            let units = bits.map(|bits| (bits * 100.0 * BITS_ONE as f64) as u64).to_vec();
            ArmBits::of_documents(&vec![units; 4], &held_out).unwrap()
        };
        let (ore, pure) = (arm([3.0, 3.0]), arm([2.0, 2.0]));
        // The challenger leads by 30 points on average: by 10 on one document, by 50 on the other. Residuals ±20, halves of the
        // bytes: ½²·20² + ½²·20² = 200 points².
        let arms = [arm([2.5, 2.5]), arm([2.49, 2.45]), ore, pure];
        let variance = cluster_variance(&arms, &held_out);
        assert!((variance - 200.0).abs() < 0.01, "{variance}");
        let cells = cells(&arms, &held_out);
        let alone = decide(Stage::Screen, &cells, 0.0, 300).unwrap();
        let found = decide(Stage::Screen, &cells, variance, 300).unwrap();
        assert_eq!((alone.outcome, found.outcome), ("won", "lost"));
        assert!(
            (found.standard_error - 200.0_f64.sqrt()).abs() < 0.01,
            "{found:?}"
        );
        let equal = [arm([2.5, 2.5]), arm([2.5, 2.5]), arm([2.0, 2.0]), arm([2.0, 2.0])];
        assert!(cluster_variance(&equal, &held_out).abs() < 1e-12);
    }
}

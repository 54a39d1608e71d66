//! Auditing a simulated submission with the crate's own draws: which spoiled rows a sample meets.
//!
//! Claims of a miner and a seed come in, distinct faults go out. Seeds, unit choice, rows and offsets are those of
//! `sample.rs`; only reading the archive is simulated.

use super::archive::{CONTENT_ROWS, KEPT_ROWS, Layout, spoil_order};
use crate::sample::{AuditedUnit, common_seed, draw_places, draw_units, private_seed};
use crate::verdict::{FaultPlace, FaultSet};
use assay_types::{Digest, Draws, Hotkey, ParamValues, Q32, UnitId, tagged_hash};

/// A unit as a miner submits it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    /// The unit.
    pub(super) unit: UnitId,
    /// Rows declared kept that re-execution does not give: invented, foreign or wrong.
    pub(super) false_kept: u64,
    /// Rows declared dropped that re-execution keeps.
    pub(super) false_dropped: u64,
    /// Gain of the recipe used.
    pub(super) gain: Q32,
}

impl Claim {
    /// A unit without a spoiled row under a recipe of gain 1.
    pub(super) fn honest(unit: UnitId) -> Self {
        Self {
            unit,
            false_kept: 0,
            false_dropped: 0,
            gain: Q32::ONE,
        }
    }

    /// Whether every row is right.
    fn is_right(&self) -> bool {
        self.false_kept + self.false_dropped == 0
    }

    /// Whether the row at `place` of the spoiling order is wrong.
    fn is_wrong(&self, place: u64) -> bool {
        place < self.false_kept + self.false_dropped
    }

    fn shape(&self, layout: &Layout) -> AuditedUnit {
        let invented = self.false_kept.min(CONTENT_ROWS);
        // What is invented takes the place of what would have been refined; what is missing is not declared.
        let refined =
            (KEPT_ROWS * (CONTENT_ROWS - invented) / CONTENT_ROWS).saturating_sub(self.false_dropped);
        AuditedUnit {
            kept: invented + refined,
            content: CONTENT_ROWS,
            bytes: layout.bytes(),
        }
    }
}

/// Who audits what.
#[derive(Debug)]
pub(super) struct Audit<'a> {
    /// `S_t`.
    pub(super) beacon: &'a [u8; 32],
    /// The miner.
    pub(super) hotkey: Hotkey,
    /// Units to look at.
    pub(super) audited: u64,
    /// Private auditors beside the common sample.
    pub(super) auditors: u32,
    /// Lengths of records.
    pub(super) layout: &'a Layout,
    /// Parameters.
    pub(super) values: &'a ParamValues,
}

impl Audit<'_> {
    /// Distinct faults of `claims`, which stand by ascending unit id.
    pub(super) fn faults(&self, claims: &[Claim]) -> u32 {
        let mut faults = FaultSet::default();
        if claims.iter().all(Claim::is_right) {
            return 0;
        }
        let root = submission_root(claims);
        self.probe(
            claims,
            &common_seed(self.beacon, &self.hotkey, &root),
            &mut faults,
        );
        for auditor in 0..self.auditors {
            let secret = tagged_hash("assay/simulate/auditor", &[&auditor.to_le_bytes()]).0;
            let seed = private_seed(self.beacon, &self.hotkey, &root, &secret);
            self.probe(claims, &seed, &mut faults);
        }
        faults.count()
    }

    /// Adds what one sample meets.
    fn probe(&self, claims: &[Claim], seed: &Digest, faults: &mut FaultSet) {
        let mut draws = Draws::new(seed.as_bytes());
        let chosen: Vec<&Claim> = draw_units(&mut draws, claims.len() as u64, self.audited)
            .into_iter()
            .filter_map(|at| claims.get(usize::try_from(at).ok()?))
            .collect();
        let shapes: Vec<AuditedUnit> = chosen.iter().map(|claim| claim.shape(self.layout)).collect();
        if chosen.iter().all(|claim| claim.is_right()) {
            return;
        }
        let sample = draw_places(&mut draws, &shapes, self.values);
        // False kept rows come first in the spoiling order, and kept rows are numbered from them.
        for place in sample.kept {
            if let Some(claim) = chosen.get(place.unit).filter(|claim| place.at < claim.false_kept) {
                faults.insert(claim.unit, FaultPlace::Row(place.at as u32));
            }
        }
        let offsets = sample.offsets.into_iter().map(|mut place| {
            place.at = self.layout.row_at(place.at);
            place
        });
        for place in sample.content.into_iter().chain(offsets) {
            let Some(claim) = chosen.get(place.unit) else {
                continue;
            };
            let order = spoil_order(&claim.unit, place.at);
            if claim.is_wrong(order) {
                faults.insert(claim.unit, FaultPlace::Row(order as u32));
            }
        }
    }
}

/// A digest that binds the claims, standing for the submission root.
fn submission_root(claims: &[Claim]) -> Digest {
    let mut bytes = Vec::with_capacity(claims.len() * 32);
    for claim in claims {
        bytes.extend_from_slice(claim.unit.as_bytes());
        bytes.extend_from_slice(&claim.false_kept.to_le_bytes());
        bytes.extend_from_slice(&claim.false_dropped.to_le_bytes());
    }
    tagged_hash("assay/simulate/root", &[&bytes])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(claims: &[Claim], round: u64, auditors: u32) -> u32 {
        let values = ParamValues::default();
        let layout = Layout::new();
        let beacon = tagged_hash("test", &[&round.to_le_bytes()]).0;
        Audit {
            beacon: &beacon,
            hotkey: Hotkey([1; 32]),
            audited: 2,
            auditors,
            layout: &layout,
            values: &values,
        }
        .faults(claims)
    }

    fn claims(false_kept: u64, false_dropped: u64) -> Vec<Claim> {
        let mut claims: Vec<Claim> = (0..16)
            .map(|i| Claim {
                false_kept,
                false_dropped,
                ..Claim::honest(UnitId::of("cc", &format!("{i}")))
            })
            .collect();
        claims.sort_by_key(|claim| claim.unit);
        claims
    }

    /// Rounds of 300 in which a fault is found.
    fn found(claims: &[Claim], auditors: u32) -> usize {
        (0..300)
            .filter(|&round| faults(claims, round, auditors) > 0)
            .count()
    }

    #[test]
    fn detection_follows_the_share_of_wrong_rows() {
        assert_eq!(found(&claims(0, 0), 7), 0);
        assert_eq!(found(&claims(CONTENT_ROWS, 0), 0), 300);
        // One wrong row in 1,000 on 256 probes: 1 − .999^256 = 22.6 %, 68 rounds, standard deviation 7.
        let rare = found(&claims(0, CONTENT_ROWS / 1_000), 0);
        assert!((42..93).contains(&rare), "{rare}");
        // Invented rows are also a tenth of the kept rows: 1 − .99^64·.999^256 = 59 %, 178 rounds.
        let invented = found(&claims(CONTENT_ROWS / 1_000, 0), 0);
        assert!((144..210).contains(&invented), "{invented}");
        assert!(found(&claims(0, CONTENT_ROWS / 1_000), 7) > 225);
    }
}

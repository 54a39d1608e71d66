//! What an audit shows of a submission: the composition of its audited units, and a few of the rows it recomputed.
//!
//! Runs in the audit's worker process. The same job gives the same rows, so two validators show the same.

use std::collections::BTreeMap;

use assay_refine::report::DatasetStats;
use assay_types::{
    COMPOSITION_ENTRIES_MAX, Composition, LENGTH_BINS, LedgerRow, ManifestUnit, NamedCount, Reason, Recipe,
    SAMPLE_ROWS_MAX, UnitId,
};

use crate::local::{Dataset, Places};

/// Rows shown of those that are kept; the others are dropped ones, as far as there are.
const KEPT_SHOWN: usize = SAMPLE_ROWS_MAX / 2;

/// Which of the rows that were drawn are shown: the first kept ones and the first dropped ones, by unit and number.
pub(super) fn shown(
    units: &[&ManifestUnit],
    ledgers: &[Vec<LedgerRow>],
    places: &BTreeMap<UnitId, Places>,
) -> BTreeMap<UnitId, Vec<LedgerRow>> {
    let mut shown: BTreeMap<UnitId, Vec<LedgerRow>> = BTreeMap::new();
    let (mut kept, mut dropped) = (0, 0);
    for (unit, ledger) in units.iter().zip(ledgers) {
        let drawn = |row: &&LedgerRow| {
            row.reason != Reason::NotContent
                && places
                    .get(&unit.unit_id)
                    .is_some_and(|places| places.rows.contains(&row.idx))
        };
        for row in ledger.iter().filter(drawn) {
            let count = if row.reason == Reason::Kept {
                &mut kept
            } else {
                &mut dropped
            };
            if *count < KEPT_SHOWN {
                *count += 1;
                shown.entry(unit.unit_id).or_default().push(*row);
            }
        }
    }
    shown
}

/// The composition of the audited units; none if a file cannot be read, which the audit names as a fault.
pub(super) fn composition(
    dataset: &Dataset,
    units: &[&ManifestUnit],
    ledgers: &[Vec<LedgerRow>],
    recipes: &[Recipe],
) -> Option<Composition> {
    let mut found = Composition {
        units: u32::try_from(units.len()).ok()?,
        lengths: vec![0; LENGTH_BINS],
        ..Composition::default()
    };
    let mut dropped: BTreeMap<String, u64> = BTreeMap::new();
    let mut stats = DatasetStats::default();
    for (unit, ledger) in units.iter().zip(ledgers) {
        let recipe = recipes.iter().find(|recipe| recipe.id() == unit.recipe_id);
        for row in ledger.iter().filter(|row| row.reason != Reason::NotContent) {
            found.records += 1;
            if row.reason == Reason::Kept {
                found.kept += 1;
                found.tokens += u64::from(row.n_tokens);
                let bin = row.n_tokens.max(1).ilog2() as usize;
                if let Some(count) = found.lengths.get_mut(bin.min(LENGTH_BINS - 1)) {
                    *count += 1;
                }
            } else {
                let name = recipe.map_or(row.reason.name(), |recipe| recipe.reason_name(row.reason));
                *dropped.entry(name.to_owned()).or_default() += 1;
            }
        }
        dataset.documents(unit, |row| stats.add(&row)).ok()?;
    }
    found.dropped = most(&dropped);
    found.languages = most(&stats.languages);
    found.sites = most(&stats.sites);
    Some(found)
}

/// The most frequent names, those met equally often by name; overlong ones are a stranger's and left out.
fn most(counts: &BTreeMap<String, u64>) -> Vec<NamedCount> {
    const NAME_BYTES_MAX: usize = 253;
    let mut entries: Vec<NamedCount> = counts
        .iter()
        .filter(|(name, _)| name.len() <= NAME_BYTES_MAX)
        .map(|(name, &count)| NamedCount {
            name: name.clone(),
            count,
        })
        .collect();
    entries.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    entries.truncate(COMPOSITION_ENTRIES_MAX);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_names_come_first_and_are_bounded() {
        let mut counts: BTreeMap<String, u64> = (0..40).map(|at| (format!("h{at:02}"), 1)).collect();
        counts.insert("x".repeat(300), 9);
        counts.insert("best".to_owned(), 5);
        let found = most(&counts);
        assert_eq!(found.len(), COMPOSITION_ENTRIES_MAX);
        assert_eq!((found[0].name.as_str(), found[0].count), ("best", 5));
        assert_eq!(found[1].name, "h00");
    }
}

//! What an audit shows of a submission: the composition of its audited units, and a few of the rows it recomputed.
//!
//! Runs in the audit's worker process, after everything that counts: whatever goes wrong here shows less and changes nothing.
//! The same job gives the same rows, so two validators show the same.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use assay_refine::report::host_of;
use assay_types::{
    Composition, LENGTH_BINS, LedgerRow, ManifestUnit, NamedCount, Reason, Recipe, SAMPLE_ROWS_MAX,
    SampleRow, UnitId,
};

use super::audit::{AuditError, AuditJob, archives, engine};
use crate::local::{Dataset, Places, Sample, VerifyJob, shown_rows};

/// Rows shown of those that are kept; the others are dropped ones, as far as there are.
const KEPT_SHOWN: usize = SAMPLE_ROWS_MAX / 2;
/// Most bytes of a name that is counted: that of a host name. Longer ones are a stranger's.
const NAME_BYTES_MAX: usize = 253;
/// Most names of a table; what is met later is not counted.
const NAMES_MAX: usize = 4_096;

/// An audit that is done, with what it read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) job: &'a AuditJob,
    pub(super) dataset: &'a Dataset,
    pub(super) recipes: &'a [Recipe],
    /// Units audited, and their ledgers.
    pub(super) units: &'a [&'a ManifestUnit],
    pub(super) ledgers: &'a [Vec<LedgerRow>],
    /// Rows that were drawn.
    pub(super) places: &'a BTreeMap<UnitId, Places>,
}

impl Seen<'_> {
    /// The rows and the composition; the latter, and duplicates, which only the ledger knows, if there is no fault.
    pub(super) fn show(&self, is_clean: bool) -> (Vec<SampleRow>, Option<Composition>) {
        let show = || {
            let rows = self.rows(is_clean).unwrap_or_default();
            (rows, is_clean.then(|| self.composition()).flatten())
        };
        // A page that trips the display must not cost the audit.
        catch_unwind(AssertUnwindSafe(show)).unwrap_or_default()
    }

    fn rows(&self, is_clean: bool) -> Result<Vec<SampleRow>, AuditError> {
        let archives = archives(self.job)?;
        let chosen = self.chosen(is_clean);
        let mut rows = Vec::new();
        for recipe in self.recipes {
            let units = self.units.iter().filter(|unit| unit.recipe_id == recipe.id());
            let of_recipe: Vec<_> = units
                .filter(|unit| unit.check_paths().is_ok())
                .filter_map(|unit| Some((*unit, chosen.get(&unit.unit_id)?)))
                .collect();
            if of_recipe.is_empty() {
                continue;
            }
            let engine = engine(recipe.clone())?;
            let job = VerifyJob {
                dataset: self.dataset,
                archives: &archives,
                open: &self.job.open,
                engine: &engine,
                others: &[],
                sample: Sample::Places(self.places),
                seed: 0,
                prefix: false,
                threads: 1,
            };
            for (unit, chosen) in of_recipe {
                rows.extend(shown_rows(&job, unit, chosen)?);
            }
        }
        rows.sort_by_key(|row| (row.unit, row.idx));
        // A ledger may number its rows as it likes.
        rows.dedup_by_key(|row| (row.unit, row.idx));
        Ok(rows)
    }

    /// Which of the rows that were drawn are shown: the first kept ones and the first dropped ones, by unit and number.
    fn chosen(&self, is_clean: bool) -> BTreeMap<UnitId, Vec<LedgerRow>> {
        let mut chosen: BTreeMap<UnitId, Vec<LedgerRow>> = BTreeMap::new();
        let (mut kept, mut dropped) = (0, 0);
        for (unit, ledger) in self.units.iter().zip(self.ledgers) {
            let drawn = |row: &&LedgerRow| {
                let places = self.places.get(&unit.unit_id);
                row.reason != Reason::NotContent
                    && (is_clean || row.reason != Reason::Duplicate)
                    && places.is_some_and(|places| places.rows.contains(&row.idx))
            };
            for row in ledger.iter().filter(drawn) {
                let count = if row.reason == Reason::Kept {
                    &mut kept
                } else {
                    &mut dropped
                };
                if *count < KEPT_SHOWN {
                    *count += 1;
                    chosen.entry(unit.unit_id).or_default().push(*row);
                }
            }
        }
        chosen
    }

    /// The composition of the audited units; none if a file cannot be read.
    fn composition(&self) -> Option<Composition> {
        let mut found = Composition {
            units: u32::try_from(self.units.len()).ok()?,
            lengths: vec![0; LENGTH_BINS],
            ..Composition::default()
        };
        let (mut dropped, mut languages, mut sites) = (Names::new(), Names::new(), Names::new());
        for (unit, ledger) in self.units.iter().zip(self.ledgers) {
            let recipe = self.recipes.iter().find(|recipe| recipe.id() == unit.recipe_id);
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
                    count(
                        &mut dropped,
                        recipe.map_or(row.reason.name(), |recipe| recipe.reason_name(row.reason)),
                    );
                }
            }
            let documents = self.dataset.documents(unit, |row| {
                count(&mut languages, &row.language);
                count(&mut sites, host_of(&row.url));
            });
            documents.ok()?;
        }
        found.dropped = NamedCount::most_frequent(dropped);
        found.languages = NamedCount::most_frequent(languages);
        found.sites = NamedCount::most_frequent(sites);
        Some(found)
    }
}

/// How often names were met.
type Names = BTreeMap<String, u64>;

/// Counts a name, if it is one and there is room.
fn count(names: &mut Names, name: &str) {
    if let Some(count) = names.get_mut(name) {
        *count += 1;
    } else if name.len() <= NAME_BYTES_MAX && names.len() < NAMES_MAX && !name.contains(char::is_control) {
        names.insert(name.to_owned(), 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::COMPOSITION_ENTRIES_MAX;

    #[test]
    fn the_most_frequent_names_come_first_and_are_bounded() {
        let mut names = Names::new();
        for at in 0..5_000 {
            count(&mut names, &format!("h{at:04}"));
        }
        for _ in 0..5 {
            count(&mut names, "h0007");
            count(&mut names, &"x".repeat(300));
            count(&mut names, "line\nbreak");
        }
        assert_eq!(names.len(), NAMES_MAX);
        let found = NamedCount::most_frequent(names);
        assert_eq!(found.len(), COMPOSITION_ENTRIES_MAX);
        assert_eq!((found[0].name.as_str(), found[0].count), ("h0007", 6));
        assert_eq!(found[1].name, "h0000");
    }
}

//! What validators show of datasets: rows beside their pages, and what the audited units are made of.

use super::range::newest_public;
use super::record::without_removed;
use crate::app::App;
use crate::store::{self, StoreError};
use assay_types::{
    AuditSample, COMPOSITION_ENTRIES_MAX, Composition, Digest, LENGTH_BINS, NamedCount, Round,
};
use std::collections::BTreeMap;

/// Samples summed up: about a round's on a network of 256 miners.
const NEWEST_MAX: u32 = 128;
/// Samples read of one submission.
const OF_SUBMISSION_MAX: u32 = 8;

/// Public samples summed up.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// They, without rows that a takedown hides, newest round first.
    pub(crate) samples: Vec<AuditSample>,
    /// Their composition; none if no sample has one.
    pub(crate) composition: Option<Composition>,
    /// Oldest and newest round of those with a composition.
    pub(crate) rounds: Option<(Round, Round)>,
}

/// The newest public samples, one a miner and round.
pub(crate) async fn newest_shown(app: &App) -> Result<Shown, StoreError> {
    let Some(to) = newest_public(app) else {
        return Ok(Shown::default());
    };
    let samples = store::newest_samples(app.database().readers(), to, NEWEST_MAX).await?;
    let (composition, rounds) = summed(&samples);
    // Only a few rows are looked at by anybody: those of the newest samples.
    let mut looked_at = Vec::new();
    for sample in samples.into_iter().take(OF_SUBMISSION_MAX as usize) {
        looked_at.push(without_removed(app, sample).await?);
    }
    Ok(Shown {
        samples: looked_at,
        composition,
        rounds,
    })
}

/// What is shown of a submission: the sample that came first, and how many say the same.
pub(crate) async fn shown_of(
    app: &App,
    (round, root): (Round, &Digest),
) -> Result<Option<(AuditSample, usize)>, StoreError> {
    if newest_public(app).is_none_or(|newest| newest < round) {
        return Ok(None);
    }
    let samples = store::samples_of(app.database().readers(), root, OF_SUBMISSION_MAX).await?;
    let mut samples = samples.into_iter().filter(|sample| sample.round == round);
    let Some(first) = samples.next() else {
        return Ok(None);
    };
    let same = samples.filter(|one| one.rows == first.rows && one.composition == first.composition);
    let agree = same.count() + 1;
    Ok(Some((without_removed(app, first).await?, agree)))
}

/// The compositions of samples added up, with the rounds they are of.
fn summed(samples: &[AuditSample]) -> (Option<Composition>, Option<(Round, Round)>) {
    let mut sum = Composition {
        lengths: vec![0; LENGTH_BINS],
        ..Composition::default()
    };
    let mut tables: [BTreeMap<&str, u64>; 3] = Default::default();
    let mut rounds: Option<(Round, Round)> = None;
    for sample in samples {
        let Some(one) = &sample.composition else { continue };
        rounds = Some(rounds.map_or((sample.round, sample.round), |(from, to)| {
            (from.min(sample.round), to.max(sample.round))
        }));
        sum.units = sum.units.saturating_add(one.units);
        sum.records = sum.records.saturating_add(one.records);
        sum.kept = sum.kept.saturating_add(one.kept);
        sum.tokens = sum.tokens.saturating_add(one.tokens);
        for (table, entries) in tables.iter_mut().zip([&one.dropped, &one.languages, &one.sites]) {
            for entry in entries {
                let count = table.entry(&entry.name).or_default();
                *count = count.saturating_add(entry.count);
            }
        }
        for (count, more) in sum.lengths.iter_mut().zip(&one.lengths) {
            *count = count.saturating_add(*more);
        }
    }
    let [dropped, languages, sites] = tables.map(most);
    let sum = Composition {
        dropped,
        languages,
        sites,
        ..sum
    };
    (rounds.map(|_| sum), rounds)
}

/// The most frequent names, those met equally often by name.
fn most(table: BTreeMap<&str, u64>) -> Vec<NamedCount> {
    let mut entries: Vec<NamedCount> = table
        .into_iter()
        .map(|(name, count)| NamedCount {
            name: name.to_owned(),
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
    use assay_types::{AUDIT_SAMPLE_VERSION, Hotkey, NetUid};

    fn sample(round: u32, composition: Option<Composition>) -> AuditSample {
        AuditSample {
            version: AUDIT_SAMPLE_VERSION,
            netuid: NetUid(1),
            round: Round(round),
            validator: Hotkey([1; 32]),
            miner: Hotkey([2; 32]),
            submission_root: Digest::ZERO,
            composition,
            rows: Vec::new(),
            signature: String::new(),
        }
    }

    #[test]
    fn compositions_add_up_and_samples_without_one_count_for_nothing() {
        let named = |name: &str, count| NamedCount {
            name: name.to_owned(),
            count,
        };
        let one = Composition {
            units: 2,
            records: 10,
            kept: 4,
            tokens: u64::MAX,
            dropped: vec![named("language", 6)],
            languages: vec![named("en", 4)],
            sites: vec![named("a.example", 4)],
            lengths: vec![0, 4],
        };
        let other = Composition {
            dropped: vec![named("empty", 7), named("language", 1)],
            ..one.clone()
        };
        let (sum, rounds) = summed(&[sample(9, Some(other)), sample(8, None), sample(7, Some(one))]);
        let sum = sum.unwrap();
        assert_eq!(
            (sum.units, sum.records, sum.kept, sum.tokens),
            (4, 20, 8, u64::MAX)
        );
        assert_eq!(sum.dropped, [named("empty", 7), named("language", 7)]);
        assert_eq!((sum.lengths[1], rounds), (8, Some((Round(7), Round(9)))));
        assert_eq!(summed(&[sample(1, None)]).0, None);
    }
}

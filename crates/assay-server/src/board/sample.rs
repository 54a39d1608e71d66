//! What validators show of datasets: rows beside their pages, and what the audited units are made of.

use super::range::newest_public;
use super::removed::Removed;
use crate::app::App;
use crate::store::{self, StoreError};
use assay_types::{AuditSample, Composition, Digest, LENGTH_BINS, NamedCount, Round};
use std::collections::BTreeMap;

/// Submissions summed up.
const NEWEST_MAX: u32 = 8;
/// Samples read of one submission: as many as are kept.
const OF_SUBMISSION_MAX: u32 = 8;

/// What is shown of one submission.
#[derive(Debug)]
pub(crate) struct Agreed {
    /// What most validators show, without what a takedown hides.
    pub(crate) sample: AuditSample,
    /// How many show just this.
    pub(crate) agree: usize,
    /// How many show something.
    pub(crate) validators: usize,
}

/// What is shown of the newest submissions.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// Newest round first.
    pub(crate) newest: Vec<Agreed>,
    /// Their composition; none if no sample has one.
    pub(crate) composition: Option<Composition>,
    /// Oldest and newest round of those with a composition.
    pub(crate) rounds: Option<(Round, Round)>,
}

/// What is shown of the newest submissions whose reports are public.
pub(crate) async fn newest_shown(app: &App) -> Result<Shown, StoreError> {
    let Some(to) = newest_public(app) else {
        return Ok(Shown::default());
    };
    let mut newest = Vec::new();
    for (round, root) in store::newest_shown(app.database().readers(), to, NEWEST_MAX).await? {
        newest.extend(shown_of(app, (round, &root)).await?);
    }
    let (composition, rounds) = summed(newest.iter().map(|one| &one.sample));
    Ok(Shown {
        newest,
        composition,
        rounds,
    })
}

/// What most validators show of a submission; of equally many, what came first.
pub(crate) async fn shown_of(
    app: &App,
    (round, root): (Round, &Digest),
) -> Result<Option<Agreed>, StoreError> {
    if newest_public(app).is_none_or(|newest| newest < round) {
        return Ok(None);
    }
    let samples = store::samples_of(app.database().readers(), root, OF_SUBMISSION_MAX).await?;
    let samples: Vec<AuditSample> = samples.into_iter().filter(|one| one.round == round).collect();
    let Some((best, agree)) = most_agreed(&samples) else {
        return Ok(None);
    };
    let sample = Removed::of(app).await?.without(app, best.clone()).await?;
    Ok(Some(Agreed {
        sample,
        agree,
        validators: samples.len(),
    }))
}

/// The sample that most others equal, the first of these, and how many are equal.
fn most_agreed(samples: &[AuditSample]) -> Option<(&AuditSample, usize)> {
    let same = |one: &AuditSample, other: &AuditSample| {
        (&one.rows, &one.composition) == (&other.rows, &other.composition)
    };
    let count = |one| samples.iter().filter(|other| same(one, other)).count();
    let counted = samples.iter().map(|one| (one, count(one)));
    // The first of the best: `max_by_key` would take the last.
    counted.fold(None, |best, (one, count)| match best {
        Some((_, most)) if most >= count => best,
        _ => Some((one, count)),
    })
}

/// The compositions of samples added up, with the rounds they are of.
fn summed<'a>(
    samples: impl Iterator<Item = &'a AuditSample>,
) -> (Option<Composition>, Option<(Round, Round)>) {
    let mut sum = Composition {
        lengths: vec![0; LENGTH_BINS],
        ..Composition::default()
    };
    let mut tables: [BTreeMap<&'a str, u64>; 3] = Default::default();
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
    let [dropped, languages, sites] = tables.map(NamedCount::most_frequent);
    let sum = Composition {
        dropped,
        languages,
        sites,
        ..sum
    };
    (rounds.map(|_| sum), rounds)
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
    fn what_most_show_is_shown_whoever_came_first() {
        let found = |kept| {
            Some(Composition {
                kept,
                ..Composition::default()
            })
        };
        let samples = [sample(1, found(9)), sample(1, found(2)), sample(1, found(2))];
        let (best, agree) = most_agreed(&samples).unwrap();
        assert_eq!((best.composition.as_ref().unwrap().kept, agree), (2, 2));
        let (first, alone) = most_agreed(&samples[..2]).unwrap();
        assert_eq!((first.composition.as_ref().unwrap().kept, alone), (9, 1));
        assert!(most_agreed(&[]).is_none());
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
        let (sum, rounds) = summed([sample(9, Some(other)), sample(8, None), sample(7, Some(one))].iter());
        let sum = sum.unwrap();
        assert_eq!(
            (sum.units, sum.records, sum.kept, sum.tokens),
            (4, 20, 8, u64::MAX)
        );
        assert_eq!(sum.dropped, [named("empty", 7), named("language", 7)]);
        assert_eq!((sum.lengths[1], rounds), (8, Some((Round(7), Round(9)))));
        assert_eq!(summed([sample(1, None)].iter()).0, None);
    }
}

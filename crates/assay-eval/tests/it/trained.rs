//! Stage 2 on real text: trained models see damage, and halves of one dataset do not differ. Minutes to hours: `.ci/long`.

use std::collections::BTreeMap;

use assay_eval::profile::{BUDGET_STEP_TOKENS, Profile, TRAINING};
use assay_eval::stage2::{Cell, Stage2, looks};
use assay_eval::transformer::profile::CPU_V1;
use assay_eval::transformer::run::Finished;
use assay_eval::transformer::{Compute, Level};
use assay_types::{tagged_hash, u64_le};
use rayon::prelude::*;

use crate::corrupt;
use crate::data::Document;
use crate::fixture::{Fixture, fixture, sample};

/// Draws of the fixture that hold a million tokens together.
const DRAWS: usize = 4;

/// Models of an arm.
const SEEDS: u32 = 4;

/// Trains all seeds of one arm.
fn train(stage2: &Stage2<'_>, arm: usize) -> BTreeMap<Cell, Finished> {
    let on = Compute::from(Level::best());
    let train = |seed| {
        let cell = Cell { arm, seed };
        let prepared = stage2.prepare(cell, &on);
        let mut run = prepared.run(&on, 1).unwrap();
        while run.advance().unwrap() {}
        (cell, run.finish().unwrap())
    };
    (0..SEEDS).into_par_iter().map(train).collect()
}

/// First minus second arm: the interval of four seeds, and the difference of every seed.
fn difference(
    fixture: &Fixture,
    profile: Profile,
    arms: [&[Document]; 2],
) -> (assay_eval::interval::Interval, Vec<f64>) {
    let samples = arms.map(|documents| sample(profile, documents));
    let smallest = samples
        .iter()
        .map(|sample| sample.smallest_fold().0)
        .min()
        .unwrap();
    let budget = profile.budget(smallest).unwrap();
    let samples = samples.iter().collect();
    let stage2 = Stage2::new(&CPU_V1, &fixture.held_out, samples, budget, b"fixture");
    let mut found = train(&stage2, 0);
    found.extend(train(&stage2, 1));
    let trained = stage2
        .gather(&found, 0..SEEDS, &looks(4)[0], &Level::best().into())
        .unwrap();
    let of = |arm: usize, seed| trained.arms[arm].bits_per_byte(seed, &fixture.held_out);
    let each = (0..SEEDS as usize).map(|seed| of(0, seed) - of(1, seed));
    (stage2.difference(&trained, 0, 1).unwrap(), each.collect())
}

type Change = fn(&[Document]) -> Vec<Document>;

#[test]
#[ignore = "48 models of a million tokens: .ci/long runs it"]
fn trained_models_see_every_kind_of_junk_in_every_seed() {
    let Some(fixture) = fixture(DRAWS) else {
        return;
    };
    let clean: Vec<Document> = fixture.draws.iter().flatten().cloned().collect();
    let families: [(&str, Change); 6] = [
        ("shuffled 30 %", |documents| corrupt::shuffled(documents, 30)),
        ("boilerplate", corrupt::with_boilerplate),
        ("markup", corrupt::with_markup),
        ("spam", corrupt::with_spam),
        ("other languages", corrupt::with_other_languages),
        ("duplicates", corrupt::with_duplicates),
    ];
    for (name, change) in families {
        let (found, each) = difference(&fixture, TRAINING, [&change(&clean), &clean]);
        eprintln!(
            "{name}: {:+.4} [{:+.4}, {:+.4}], seeds {each:.3?}",
            found.point, found.low, found.high
        );
        assert!(
            each.iter().all(|difference| *difference > 0.0),
            "{name}: {each:?}"
        );
    }
}

#[test]
#[ignore = "160 models: .ci/long runs it"]
fn halves_of_one_dataset_do_not_differ_in_17_of_20() {
    let Some(fixture) = fixture(DRAWS) else {
        return;
    };
    let profile = Profile {
        budget_tokens_max: 4 * BUDGET_STEP_TOKENS,
        ..TRAINING
    };
    let differ = (0..20_u64).filter(|split| {
        let is_left = |document: &&Document| {
            let id = document.id.as_bytes();
            u64_le(&tagged_hash("test/half", &[&split.to_le_bytes(), id])).is_multiple_of(2)
        };
        let (left, right): (Vec<&Document>, Vec<&Document>) =
            fixture.draws.iter().flatten().partition(is_left);
        let [left, right] = [left, right].map(|half| half.into_iter().cloned().collect::<Vec<_>>());
        let (found, _) = difference(&fixture, profile, [&left, &right]);
        eprintln!(
            "split {split}: {:+.4} [{:+.4}, {:+.4}]",
            found.point, found.low, found.high
        );
        found.is_decided()
    });
    let differ = differ.count();
    assert!(differ <= 3, "{differ} of 20 splits differ");
}

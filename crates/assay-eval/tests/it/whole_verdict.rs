//! The whole verdict at `standard` on real text: gates, n-grams and trained models order every kind of damage, in time.

use std::time::{Duration, Instant};

use assay_eval::arm::{Against, Arm, TrainingDocument};
use assay_eval::contamination::{GramIndex, GramIndexBuilder, MarkedIndex};
use assay_eval::evaluate::Evaluation;
use assay_eval::gates::Examiner;
use assay_eval::held_out::{Domain, HeldOutSet};
use assay_eval::ngram::Order;
use assay_eval::report::{Outcome, Report};
use assay_eval::stage2::{CPU_PLAN, Cell, Stage2, Trained, looks};
use assay_eval::transformer::{Compute, Level};
use rayon::prelude::*;

use crate::corrupt;
use crate::data::Document;
use crate::fixture::{Fixture, fixture};

/// Draws of the fixture that hold a million tokens together.
const DRAWS: usize = 4;

/// Seeds of `standard`.
const SEEDS: u32 = 4;

/// Longest evaluation of two datasets on two cores.
const TIME_MAX: Duration = Duration::from_mins(10);

/// The seed of samples and models.
const SEED: &[u8] = b"whole";

fn set(domains: Vec<Domain>) -> HeldOutSet {
    HeldOutSet::choose(domains, SEED, Order::V1).unwrap()
}

fn arm(name: &str, documents: &[Document], against: &Against) -> Arm {
    let mut arm = Arm::new(name, &CPU_PLAN.profiles(), SEED);
    let training = |document: &Document| TrainingDocument {
        id: document.id.clone(),
        url: String::new(),
        text: document.text.clone(),
    };
    let documents: Vec<TrainingDocument> = documents.iter().map(training).collect();
    arm.push(&documents, against);
    arm
}

/// The spoiled documents against the clean ones.
fn evaluation(
    spoiled: &[Document],
    clean: &[Document],
    fresh: HeldOutSet,
    public: Option<HeldOutSet>,
) -> Evaluation {
    let mut index = GramIndexBuilder::default();
    fresh.texts().for_each(|text| index.push(text));
    let against = Against::held_out(index.finish(), "en");
    Evaluation {
        arms: vec![arm("spoiled", spoiled, &against), arm("clean", clean, &against)],
        ore: None,
        pure: None,
        held_out: Some(fresh),
        public,
        benchmarks: Vec::new(),
        plan: CPU_PLAN,
        against,
        pack: None,
    }
}

/// All models of a look of four seeds, as many at once as there are cores.
fn train(stage2: &Stage2<'_>) -> Trained {
    let on = Compute::from(Level::best());
    let cells: Vec<Cell> = (0..SEEDS)
        .flat_map(|seed| (0..stage2.arms()).map(move |arm| Cell { arm, seed }))
        .collect();
    let train = |cell: Cell| {
        let prepared = stage2.prepare(cell, &on);
        let mut run = prepared.run(&on, 1).unwrap();
        while run.advance().unwrap() {}
        (cell, run.finish().unwrap())
    };
    let found = cells.into_par_iter().map(train).collect();
    stage2
        .gather(&found, 0..SEEDS, &looks(SEEDS as usize)[0], &on)
        .unwrap()
}

/// The report of an evaluation at `standard`, and how long it took.
#[expect(clippy::disallowed_methods, reason = "a bar on time is measured by a clock")]
fn standard(evaluation: &Evaluation) -> (Report, Duration) {
    let started = Instant::now();
    let stage2 = evaluation
        .stage2(SEED)
        .expect("a million tokens are enough to train");
    let trained = train(&stage2);
    let report = evaluation.run(Some(&trained));
    (report, started.elapsed())
}

/// Training pieces as refining would leave them: no tables that repeat themselves, no tags, nothing of the held-out text.
fn clean(fixture: &Fixture) -> Vec<Document> {
    let mut index = GramIndexBuilder::default();
    fixture.held_out.texts().for_each(|text| index.push(text));
    let (held_out, none) = (index.finish(), GramIndex::default());
    let mut examiner = Examiner::default();
    let is_clean = |document: &&Document| {
        let facts = examiner.facts(&document.text, [&held_out, &none, &none], &MarkedIndex::default());
        let is_faulty = facts.hits_held_out || facts.is_repetitive || facts.is_markup;
        !is_faulty && facts.language == "en"
    };
    fixture.draws.iter().flatten().filter(is_clean).cloned().collect()
}

fn failed(report: &Report, dataset: usize) -> Vec<&'static str> {
    let gates = report.datasets[dataset].gates.iter();
    let failed = gates.filter(|(_, gate)| gate.passed == Some(false));
    failed.map(|(name, _)| *name).collect()
}

type Change = fn(&[Document]) -> Vec<Document>;

/// Kinds of damage, and a gate that must see it (none: bits per byte must).
const FAMILIES: [(&str, Change, Option<&str>); 6] = [
    (
        "shuffled 30 %",
        |documents| corrupt::shuffled(documents, 30),
        None,
    ),
    ("boilerplate", corrupt::with_boilerplate, None),
    ("spam", corrupt::with_spam, Some("repetition")),
    ("markup", corrupt::with_markup, Some("markup")),
    ("other languages", corrupt::with_other_languages, Some("language")),
    ("duplicates", corrupt::with_duplicates, Some("exact_duplicates")),
];

/// Public text: the held-out documents of every second work. Fresh text: the others.
fn halves(fixture: &Fixture) -> [Vec<Domain>; 2] {
    let half = |is_public: bool| {
        let domain = |domain: &Domain| {
            let mut works: Vec<&str> = domain.documents.iter().map(|one| one.cluster.as_str()).collect();
            works.sort_unstable();
            works.dedup();
            let is_in = |cluster: &str| {
                let place = works.binary_search(&cluster).unwrap();
                place.is_multiple_of(2) == is_public
            };
            let documents = domain.documents.iter().filter(|one| is_in(&one.cluster));
            Domain {
                name: domain.name.clone(),
                documents: documents.cloned().collect(),
            }
        };
        fixture.domains.iter().map(domain).collect()
    };
    [half(true), half(false)]
}

/// Every twentieth document replaced by one of the public text.
fn leaky(clean: &[Document], public: &[Domain]) -> Vec<Document> {
    let mut texts = public.iter().flat_map(|domain| &domain.documents).cycle();
    let replaced = |(place, document): (usize, &Document)| Document {
        id: document.id.clone(),
        text: if place % 20 == 0 {
            texts.next().unwrap().text.clone()
        } else {
            document.text.clone()
        },
    };
    clean.iter().enumerate().map(replaced).collect()
}

/// Gates and n-grams alone: what they must see before a model is trained.
#[test]
#[ignore = "seven evaluations of six megabytes each: .ci/long runs it"]
fn gates_see_their_families_and_pass_clean_text() {
    let Some(fixture) = fixture(DRAWS) else {
        return;
    };
    let clean = clean(&fixture);
    for (name, change, gate) in FAMILIES {
        let found = evaluation(&change(&clean), &clean, set(fixture.domains.clone()), None).run(None);
        eprintln!("{name}: gates {:?}, {:?}", failed(&found, 0), found.verdict);
        assert_eq!(failed(&found, 1), Vec::<&str>::new(), "{name}: clean text passes");
        if let Some(gate) = gate {
            assert!(
                failed(&found, 0).contains(&gate),
                "{name}: {:?}",
                failed(&found, 0)
            );
        }
        assert_eq!(found.verdict.unwrap().better.as_deref(), Some("clean"), "{name}");
    }
    let [public, fresh] = halves(&fixture);
    let leaky = leaky(&clean, &public);
    let found = evaluation(&leaky, &clean, set(fresh), Some(set(public))).run(None);
    eprintln!("leak: {:?}", found.datasets[0].leak);
    assert!(failed(&found, 0).contains(&"leak"), "{:?}", failed(&found, 0));
    assert_eq!(found.datasets[1].gates["leak"].passed, Some(true));
    assert_eq!(found.verdict.unwrap().better.as_deref(), Some("clean"));
}

#[test]
#[ignore = "56 models of a million tokens: .ci/long runs it"]
fn the_whole_verdict_orders_every_family_in_time() {
    let Some(fixture) = fixture(DRAWS) else {
        return;
    };
    let clean = clean(&fixture);
    let [public, fresh] = halves(&fixture);
    let mut cases: Vec<(&str, Evaluation)> = FAMILIES
        .iter()
        .map(|(name, change, _)| {
            let held_out = set(fixture.domains.clone());
            (*name, evaluation(&change(&clean), &clean, held_out, None))
        })
        .collect();
    let leaky = leaky(&clean, &public);
    cases.push((
        "leak 5 %",
        evaluation(&leaky, &clean, set(fresh), Some(set(public))),
    ));
    for (name, evaluation) in cases {
        let (found, took) = standard(&evaluation);
        let verdict = found.verdict.as_ref().unwrap();
        eprintln!(
            "{name}: {} ({}), gates {:?}, {:.0} s",
            verdict.headline(),
            verdict.why,
            failed(&found, 0),
            took.as_secs_f64()
        );
        assert_eq!(verdict.better.as_deref(), Some("clean"), "{name}: {verdict:?}");
        assert_eq!(verdict.outcome, Outcome::Better, "{name}");
        assert_eq!(failed(&found, 1), Vec::<&str>::new(), "{name}");
        assert!(took < TIME_MAX, "{name}: {took:?}");
        if name.starts_with("leak") {
            assert!(
                found.datasets[0].flags.contains(&"gate/leak".to_owned()),
                "{name}"
            );
        }
    }
}

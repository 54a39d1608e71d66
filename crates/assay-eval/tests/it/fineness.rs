//! Fineness that is a number: 0 at ore, 1000 at pure text, between them for a mixture, with an interval around it.

use assay_eval::arm::{Against, Arm, TrainingDocument};
use assay_eval::contamination::GramIndex;
use assay_eval::evaluate::{Evaluation, PROFILES};
use assay_eval::held_out::{Domain, HeldOutDocument, HeldOutSet};
use assay_eval::ngram::Order;
use assay_eval::report::DatasetReport;
use assay_eval::stage2::CPU_PLAN;
use assay_types::Draws;

/// Words of the held-out text and of pure text.
const PROSE: [&str; 24] = [
    "the", "river", "rose", "in", "spring", "so", "an", "old", "mill", "near", "our", "bridge", "had", "to",
    "close", "for", "three", "weeks", "and", "children", "swam", "where", "carts", "waited",
];

/// Words of ore.
const MENU: [&str; 24] = [
    "home", "login", "cart", "share", "terms", "cookie", "accept", "search", "next", "page", "tags", "reply",
    "print", "email", "tweet", "menu", "help", "jobs", "press", "about", "sitemap", "privacy", "legal",
    "top",
];

/// Documents of an arm: a window of each fills five folds of 131,072 tokens.
const DOCUMENTS: usize = 1_700;

fn text(words: &[&str], seed: u64, number: usize) -> String {
    let mut draws = Draws::new(&[seed.to_le_bytes(), (number as u64).to_le_bytes()].concat());
    let mut text = String::new();
    for _ in 0..600 {
        text.push_str(words[draws.draw(words.len() as u64) as usize]);
        text.push(if draws.draw(12) == 0 { '\n' } else { ' ' });
    }
    text
}

/// An arm of which `percent` of the documents are prose.
fn arm(name: &str, seed: u64, percent: usize) -> Arm {
    let against = against();
    let mut arm = Arm::new(name, &PROFILES, b"s");
    let document = |number: usize| TrainingDocument {
        id: format!("{name}-{number}"),
        url: String::new(),
        text: text(if number % 100 < percent { &PROSE } else { &MENU }, seed, number),
    };
    let documents: Vec<TrainingDocument> = (0..DOCUMENTS).map(document).collect();
    arm.push(&documents, &against);
    arm
}

fn against() -> Against {
    Against::held_out(GramIndex::default(), "en")
}

fn held_out() -> HeldOutSet {
    let document = |number: usize| HeldOutDocument {
        id: number.to_string(),
        cluster: number.to_string(),
        text: text(&PROSE, 99, number),
    };
    let domain = Domain {
        name: "mills".to_owned(),
        documents: (0..60).map(document).collect(),
    };
    HeldOutSet::choose(vec![domain], b"s", Order::V1).unwrap()
}

fn ends(dataset: &DatasetReport) -> [f64; 3] {
    [dataset.fineness_low, dataset.fineness, dataset.fineness_high].map(|end| end.unwrap())
}

#[test]
fn fineness_is_0_at_ore_1000_at_pure_text_and_between_for_a_mixture() {
    let evaluation = Evaluation {
        arms: vec![
            arm("as ore", 11, 0),
            arm("a tenth", 12, 10),
            arm("half", 13, 50),
            arm("as pure", 14, 100),
        ],
        ore: Some(arm("ore", 1, 0)),
        pure: Some(arm("pure", 2, 100)),
        held_out: Some(held_out()),
        public: None,
        benchmarks: Vec::new(),
        plan: CPU_PLAN,
        against: against(),
        pack: None,
    };
    let report = evaluation.run(None);
    assert_eq!(
        (report.profile, report.budget_tokens),
        (Some("ngram-v1"), Some(131_072))
    );
    let found: Vec<[f64; 3]> = report.datasets.iter().map(ends).collect();
    for (dataset, [low, point, high]) in report.datasets.iter().zip(&found) {
        eprintln!("{}: {point} [{low}, {high}]", dataset.name);
        assert!(
            low < point && point < high,
            "{}: {low} {point} {high}",
            dataset.name
        );
        assert_eq!(dataset.fineness_profile, Some("ngram-v1"));
        assert_eq!(dataset.why, None, "{}", dataset.name);
    }
    let [as_ore, tenth, half, as_pure] = found.try_into().unwrap();
    assert!(as_ore[1].abs() <= 10.0, "{as_ore:?}");
    assert!((as_pure[1] - 1_000.0).abs() <= 10.0, "{as_pure:?}");
    assert!(
        as_ore[2] < tenth[0] && tenth[2] < half[0] && half[2] < as_pure[0],
        "intervals do not overlap"
    );
    let level = report.datasets[0].stage1.as_ref().unwrap();
    let domain = &level.domains["mills"];
    assert_eq!(
        (domain.bpb, domain.low, domain.high),
        (level.bpb, level.low, level.high),
        "one domain is the whole"
    );
}

//! The measures of the extraction benchmark: word F1, shingle F1, snippet F1; per page type and over all pages.
//!
//! Used by the bench, the data test, `assay extract bench` and `bench/extract-peers`, so that all systems are judged by the same code.
//! Definitions: WCXB = multiset F1 of lower-cased `\w+`, mean over pages; AEB = 4-gram multisets with tp, fp, fn
//! of a page divided by their sum, F1 of mean precision and mean recall (`scrapinghub/article-extraction-benchmark`
//! `evaluate.py` @4a3bc979); TF = snippets after white-space collapse, micro F1.

use std::collections::{BTreeMap, HashMap};

use super::pages::Page;

/// Page types in the order of the table.
pub(crate) const TYPES: [&str; 7] = [
    "article",
    "documentation",
    "service",
    "forum",
    "collection",
    "listing",
    "product",
];

/// Lower-cased `\w+`.
fn words(text: &str) -> Vec<String> {
    let runs = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    runs.filter(|run| !run.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn counts<T: std::hash::Hash + Eq>(items: impl Iterator<Item = T>) -> HashMap<T, u64> {
    let mut counts = HashMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    counts
}

/// Common, only-left and only-right members of two multisets.
fn overlap<T: std::hash::Hash + Eq>(left: &HashMap<T, u64>, right: &HashMap<T, u64>) -> (f64, f64, f64) {
    let common: u64 = left
        .iter()
        .map(|(key, count)| (*count).min(right.get(key).copied().unwrap_or(0)))
        .sum();
    let (left, right): (u64, u64) = (left.values().sum(), right.values().sum());
    (common as f64, (left - common) as f64, (right - common) as f64)
}

fn f1(precision: f64, recall: f64) -> f64 {
    if precision + recall > 0.0 {
        2.0 * precision * recall / (precision + recall)
    } else {
        0.0
    }
}

fn share(part: f64, rest: f64) -> f64 {
    if part + rest > 0.0 {
        part / (part + rest)
    } else {
        0.0
    }
}

/// Word precision, recall and F1 of one page.
pub(crate) fn word_score(text: &str, gold: &str) -> [f64; 3] {
    let (common, extra, missing) =
        overlap(&counts(words(text).into_iter()), &counts(words(gold).into_iter()));
    if extra + missing == 0.0 {
        return [1.0; 3];
    }
    let (precision, recall) = (share(common, extra), share(common, missing));
    [f1(precision, recall), precision, recall]
}

fn shingles(words: &[String]) -> HashMap<&[String], u64> {
    counts((0..words.len().saturating_sub(3).max(1)).map(|at| &words[at..words.len().min(at + 4)]))
}

/// Shingle precision and recall of one page.
pub(crate) fn shingle_score(text: &str, gold: &str) -> [f64; 2] {
    let (text, gold) = (words(text), words(gold));
    let (common, extra, missing) = overlap(&shingles(&text), &shingles(&gold));
    if extra + missing == 0.0 {
        [1.0; 2]
    } else {
        [share(common, extra), share(common, missing)]
    }
}

/// What one system reached.
#[derive(Debug, Default, Clone)]
pub(crate) struct Summary {
    /// F1, precision, recall on WCXB.
    pub(crate) wcxb: [f64; 3],
    /// Share of WCXB's forbidden snippets kept.
    pub(crate) forbidden: f64,
    /// Shingle F1.
    pub(crate) aeb: f64,
    /// Snippet F1.
    pub(crate) tf: f64,
    /// Mean and median word F1 over all pages with gold.
    pub(crate) all_gold: [f64; 2],
    /// WCXB F1 by type, in the order of [`TYPES`].
    pub(crate) by_type: [f64; 7],
    /// Pages without text.
    pub(crate) empty: usize,
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        0.0
    } else {
        values.iter().sum::<f64>() / values.len() as f64
    }
}

fn column<const N: usize>(rows: &[[f64; N]], at: usize) -> f64 {
    mean(&rows.iter().map(|row| row[at]).collect::<Vec<_>>())
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Judges one text per page.
pub(crate) fn judge(pages: &[Page], texts: &[String]) -> Summary {
    let (mut wcxb, mut aeb, mut all) = (vec![], vec![], vec![]);
    let mut types: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let (mut kept, mut forbidden, mut tf) = (0.0, 0.0, [0.0; 3]);
    for (page, text) in pages.iter().zip(texts) {
        let score = page.gold.as_ref().map(|gold| word_score(text, gold));
        all.extend(score.map(|score| score[0]));
        let flat = squeeze(text);
        let has = |snippet: &String| flat.contains(&squeeze(snippet));
        let without = page.without.iter().filter(|snippet| has(snippet)).count() as f64;
        match (page.source.as_str(), score, &page.gold) {
            ("wcxb", Some(score), _) => {
                wcxb.push(score);
                types.entry(&page.kind).or_default().push(score[0]);
                (kept, forbidden) = (kept + without, forbidden + page.without.len() as f64);
            }
            ("scrapinghub", _, Some(gold)) => aeb.push(shingle_score(text, gold)),
            _ => {
                let found = page.with.iter().filter(|snippet| has(snippet)).count() as f64;
                tf = [
                    tf[0] + found,
                    tf[1] + without,
                    tf[2] + page.with.len() as f64 - found,
                ];
            }
        }
    }
    all.sort_by(f64::total_cmp);
    Summary {
        wcxb: [0, 1, 2].map(|at| column(&wcxb, at)),
        forbidden: share(kept, forbidden - kept),
        aeb: f1(column(&aeb, 0), column(&aeb, 1)),
        tf: f1(share(tf[0], tf[1]), share(tf[0], tf[2])),
        all_gold: [mean(&all), all.get(all.len() / 2).copied().unwrap_or(0.0)],
        by_type: TYPES.map(|name| types.get(name).map_or(0.0, |values| mean(values))),
        empty: texts.iter().filter(|text| text.trim().is_empty()).count(),
    }
}

//! What models answer: bits of every option, and per set the bits of right answers, their lead, and the share that is right.
//!
//! Options become [`Passage`]s in the order of sets, items and options; bits come back in the same order, seed by seed. Means
//! and errors are sums in that order.

use assay_types::Digest;
use serde::Serialize;

use super::{Benchmark, Item};
use crate::ngram::BITS_ONE;
use crate::report::rounded;
use crate::tokenizer::{TokenId, Tokenizer};
use crate::transformer::Passage;

/// Fewest items that anything is said about: an interval of fewer knows too little of its own width.
pub const ITEMS_MIN: usize = 8;

/// z(.975): the quantile of the items' part of an error.
const QUANTILE_ITEMS: f64 = 1.96;

/// t(.975) of 3, 5 and 7 degrees of freedom: the quantile of the seeds' part, for the numbers of models that plans have.
const QUANTILES_SEEDS: [(usize, f64); 3] = [(4, 3.182), (6, 2.571), (8, 2.365)];

/// What models trained on a dataset say to a set. Figures are null under [`ITEMS_MIN`] items.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchmarkReport {
    /// Name of the set.
    pub name: String,
    /// Over the items that are answered: two sets of one name and other items differ in it.
    pub digest: Digest,
    /// Items answered.
    pub items: u64,
    /// Items of the set's file.
    pub given: u64,
    /// Bits per byte of right answers, mean of the items; null for answers of yes or no.
    pub bpb: Option<Estimate>,
    /// Bits per byte of the best wrong answer less those of the right one; null if nothing is chosen.
    pub margin: Option<Estimate>,
    /// Share of items whose right answer has the fewest bits per byte; null if nothing is chosen.
    pub accuracy: Option<Estimate>,
    /// Accuracy of a guess; null if nothing is chosen.
    pub chance: Option<f64>,
    /// Documents of the dataset that share 13 words with an item of the set's file.
    pub hits: u64,
}

/// First less last dataset, paired by item and seed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchmarkDifference {
    /// Name of the set.
    pub name: String,
    /// Of bits per byte of right answers: below 0, the first dataset's models expect them more.
    pub bpb: Option<Estimate>,
    /// Of margins: above 0, the first's tell right from wrong better.
    pub margin: Option<Estimate>,
    /// Of shares that are right.
    pub accuracy: Option<Estimate>,
}

/// A mean over items with a 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// All options of all sets, cut on the left to `length` ids.
///
/// Context and continuation are tokenised apart, so that the ids of an answer do not depend on what stands before it. A
/// continuation that is longer than `length` has no context.
pub(crate) fn passages(benchmarks: &[Benchmark], length: usize) -> Vec<Passage> {
    let mut tokenizer = Tokenizer::default();
    let mut passages = Vec::new();
    let (mut context, mut continuation): (Vec<TokenId>, Vec<TokenId>) = (Vec::new(), Vec::new());
    let items = benchmarks.iter().flat_map(|benchmark| &benchmark.items);
    for asked in items.flat_map(|item| &item.options) {
        context.clear();
        continuation.clear();
        tokenizer.encode(&asked.context, &mut context);
        tokenizer.encode(&asked.continuation, &mut continuation);
        let given = context.len().min(length.saturating_sub(continuation.len()));
        let kept = context.get(context.len() - given..).unwrap_or_default();
        passages.push(Passage {
            ids: [kept, &continuation].concat(),
            given,
        });
    }
    passages
}

/// An item under one model.
#[derive(Debug, Clone, Copy)]
struct Answer {
    /// Bits per byte of the right answer; none for yes or no.
    bpb: Option<f64>,
    /// Its lead over the best wrong one; none if nothing is chosen.
    margin: Option<f64>,
}

/// The items of a set, a row a seed.
type Answers = Vec<Vec<Answer>>;

/// A figure of an item.
type Figure = fn(&Answer) -> Option<f64>;

const BPB: Figure = |answer| answer.bpb;
const MARGIN: Figure = |answer| answer.margin;
const ACCURACY: Figure = |answer| answer.margin.map(|margin| f64::from(u8::from(margin > 0.0)));

/// Figures of every set; `bits` are those of all passages, a row a seed, and `hits` documents of the dataset by set.
pub(crate) fn reports(benchmarks: &[Benchmark], bits: &[Vec<u64>], hits: &[u64]) -> Vec<BenchmarkReport> {
    let sets = benchmarks.iter().zip(answers_of(benchmarks, bits)).enumerate();
    let report = |(place, (benchmark, seeds)): (usize, (&Benchmark, Answers))| {
        let is_chosen = benchmark.items.iter().all(Item::is_chosen);
        let guesses = benchmark.items.iter().map(|item| 1.0 / item.options.len() as f64);
        BenchmarkReport {
            name: benchmark.name.clone(),
            digest: benchmark.digest,
            items: benchmark.items.len() as u64,
            given: benchmark.given,
            bpb: estimate(&rows(&seeds, BPB)),
            margin: estimate(&rows(&seeds, MARGIN)),
            accuracy: share(&rows(&seeds, ACCURACY)),
            chance: is_chosen.then(|| rounded(mean(&guesses.collect::<Vec<f64>>()))),
            hits: hits.get(place).copied().unwrap_or(0),
        }
    };
    sets.map(report).collect()
}

/// First less last of two datasets whose models answered the same items.
pub(crate) fn differences(
    benchmarks: &[Benchmark],
    first: &[Vec<u64>],
    last: &[Vec<u64>],
) -> Vec<BenchmarkDifference> {
    let both = answers_of(benchmarks, first)
        .into_iter()
        .zip(answers_of(benchmarks, last));
    let difference = |(benchmark, (first, last)): (&Benchmark, (Answers, Answers))| {
        let less = |of: Figure| -> Vec<Vec<f64>> {
            let pairs = rows(&first, of).into_iter().zip(rows(&last, of));
            pairs
                .map(|(first, last)| first.iter().zip(last).map(|(a, b)| a - b).collect())
                .collect()
        };
        BenchmarkDifference {
            name: benchmark.name.clone(),
            bpb: estimate(&less(BPB)),
            margin: estimate(&less(MARGIN)),
            accuracy: share_difference(&less(ACCURACY)),
        }
    };
    benchmarks.iter().zip(both).map(difference).collect()
}

/// Answers of every set, a row a seed; no rows for sets whose bits are missing.
fn answers_of(benchmarks: &[Benchmark], bits: &[Vec<u64>]) -> Vec<Answers> {
    let mut start = 0;
    let of_set = |benchmark: &Benchmark| {
        let options: usize = benchmark.items.iter().map(|item| item.options.len()).sum();
        let place = start..start + options;
        start += options;
        let seeds: Option<Answers> = bits
            .iter()
            .map(|bits| answers(benchmark, bits.get(place.clone())?))
            .collect();
        seeds.unwrap_or_default()
    };
    benchmarks.iter().map(of_set).collect()
}

/// The items of a set under one model; none if bits are missing.
fn answers(benchmark: &Benchmark, bits: &[u64]) -> Option<Vec<Answer>> {
    let mut rest = bits;
    let mut found = Vec::with_capacity(benchmark.items.len());
    for item in &benchmark.items {
        let (bits, behind) = rest.split_at_checked(item.options.len())?;
        rest = behind;
        let costs = bits.iter().zip(&item.options);
        let costs =
            costs.map(|(bits, asked)| *bits as f64 / BITS_ONE as f64 / asked.continuation.len() as f64);
        let costs: Vec<f64> = costs.collect();
        let gold = *costs.get(item.gold)?;
        let wrong = costs.iter().enumerate().filter(|(place, _)| *place != item.gold);
        let best = wrong.map(|(_, cost)| *cost).reduce(f64::min);
        found.push(Answer {
            bpb: (!item.is_yes_no).then_some(gold),
            margin: best.map(|best| best - gold),
        });
    }
    Some(found)
}

/// A figure of the items that have it, a row a seed.
fn rows(seeds: &[Vec<Answer>], of: Figure) -> Vec<Vec<f64>> {
    seeds
        .iter()
        .map(|row| row.iter().filter_map(of).collect())
        .collect()
}

/// Means of every item over the seeds, and of every seed over the items; none of too few items.
fn means(seeds: &[Vec<f64>]) -> Option<(Vec<f64>, Vec<f64>)> {
    let items = seeds.first().map_or(0, Vec::len);
    if items < ITEMS_MIN {
        return None;
    }
    let of_item = |item: usize| {
        let values: Vec<f64> = seeds.iter().filter_map(|row| row.get(item).copied()).collect();
        mean(&values)
    };
    let by_item = (0..items).map(of_item).collect();
    Some((by_item, seeds.iter().map(|row| mean(row)).collect()))
}

/// Mean over seeds and items with `√((z · error of items)² + (t · error of seeds)²)` on each side.
fn estimate(seeds: &[Vec<f64>]) -> Option<Estimate> {
    let (by_item, by_seed) = means(seeds)?;
    let value = mean(&by_item);
    let side = side(squared_error(&by_item), &by_seed);
    Some(Estimate {
        value: rounded(value),
        low: rounded(value - side),
        high: rounded(value + side),
    })
}

/// As [`estimate`], of values from 0 to 1. The items' part is that of Agresti and Coull (The American Statistician 52, 1998):
/// two right and two wrong answers more, so that a set without a wrong answer has an interval too.
fn share(seeds: &[Vec<f64>]) -> Option<Estimate> {
    let (by_item, by_seed) = means(seeds)?;
    let value = mean(&by_item);
    let count = by_item.len() as f64 + 4.0;
    let middle = (value * by_item.len() as f64 + 2.0) / count;
    let side = side(middle * (1.0 - middle) / count, &by_seed);
    Some(around(value, middle, side, 0.0))
}

/// As [`estimate`], of differences of shares. The items' part is that of Agresti and Min (Biometrics 61, 2005): two pairs more,
/// one for each side, so that pairs that never differ have an interval too.
fn share_difference(seeds: &[Vec<f64>]) -> Option<Estimate> {
    let (by_item, by_seed) = means(seeds)?;
    let value = mean(&by_item);
    let count = by_item.len() as f64 + 2.0;
    let middle = value * by_item.len() as f64 / count;
    let squares = by_item
        .iter()
        .fold(2.0, |sum, difference| sum + difference * difference);
    let side = side((squares / count - middle * middle) / count, &by_seed);
    Some(around(value, middle, side, -1.0))
}

/// A value with an interval around another middle, cut at `least` and 1; it holds the value.
fn around(value: f64, middle: f64, side: f64, least: f64) -> Estimate {
    Estimate {
        value: rounded(value),
        low: rounded((middle - side).max(least).min(value)),
        high: rounded((middle + side).min(1.0).max(value)),
    }
}

/// Half of an interval, of the squared error of items and the means of the seeds.
fn side(items: f64, by_seed: &[f64]) -> f64 {
    let quantile = QUANTILES_SEEDS
        .iter()
        .find(|(seeds, _)| *seeds >= by_seed.len())
        .map_or(QUANTILE_ITEMS, |(_, quantile)| *quantile);
    (QUANTILE_ITEMS * QUANTILE_ITEMS * items + quantile * quantile * squared_error(by_seed)).sqrt()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |sum, value| sum + value) / values.len().max(1) as f64
}

/// Variance of the mean of some values; 0 of a single one.
fn squared_error(values: &[f64]) -> f64 {
    let count = values.len();
    if count < 2 {
        return 0.0;
    }
    let middle = mean(values);
    let squares = values.iter().map(|value| (value - middle) * (value - middle));
    squares.fold(0.0, |sum, square| sum + square) / (count - 1) as f64 / count as f64
}

#[cfg(test)]
mod tests {
    use super::super::BenchmarkBuilder;
    use super::*;

    fn benchmark(lines: &[String]) -> Benchmark {
        let mut builder = BenchmarkBuilder::default();
        for line in lines {
            builder.push(line).unwrap();
        }
        builder.finish("set".to_owned())
    }

    fn value(estimate: Option<Estimate>) -> String {
        format!("{:.4}", estimate.unwrap().value)
    }

    fn whole(estimate: Option<Estimate>) -> String {
        let Estimate { value, low, high } = estimate.unwrap();
        format!("{value:.4} {low:.4} {high:.4}")
    }

    /// Bits of options that cost `bpb` bits a byte.
    fn cost(benchmark: &Benchmark, bpb: impl Fn(&str) -> f64) -> Vec<u64> {
        let options = benchmark.items.iter().flat_map(|item| &item.options);
        let bits = options.map(|asked| {
            let bytes = asked.continuation.len() as f64;
            (bpb(asked.continuation.trim()) * bytes * BITS_ONE as f64) as u64
        });
        bits.collect()
    }

    /// Half of the items have a short right answer, half a long one.
    fn choices() -> Benchmark {
        let line = |number: usize| {
            let choices = ["\"right\", \"a wrong answer\"", "\"right too\", \"wrong\""][number % 2];
            format!(r#"{{"query": "{number}?", "choices": [{choices}], "gold": 0}}"#)
        };
        benchmark(&(0..8).map(line).collect::<Vec<String>>())
    }

    fn report(set: &Benchmark, bits: &[Vec<u64>]) -> BenchmarkReport {
        reports(std::slice::from_ref(set), bits, &[3]).remove(0)
    }

    #[test]
    fn a_longer_answer_is_not_worse_for_its_length() {
        let set = choices();
        let bits = cost(&set, |text| if text.starts_with("right") { 2.0 } else { 2.5 });
        let report = report(&set, &vec![bits; 4]);
        assert_eq!((report.items, report.given, report.hits), (8, 8, 3));
        assert_eq!(value(report.bpb), "2.0000");
        assert_eq!(value(report.margin), "0.5000");
        // Eight of eight: ten of twelve, give or take 1.96 · √(10/12 · 2/12 / 12).
        assert_eq!(whole(report.accuracy), "1.0000 0.6225 1.0000");
        assert_eq!(report.chance, Some(0.5));
    }

    #[test]
    fn intervals_know_items_and_seeds() {
        let set = choices();
        let of = |short: f64, long: f64| {
            cost(&set, move |text| match text {
                "right" => short,
                "right too" => long,
                _ => 2.0,
            })
        };
        // Four items at 1.8, four at 2.2: a squared error of .32 / 7 / 8.
        let same = report(&set, &vec![of(1.8, 2.2); 4]);
        assert_eq!(whole(same.bpb), "2.0000 1.8518 2.1482");
        assert_eq!(value(same.accuracy), "0.5000");
        // Models that differ by .1 add t(3) times an error of .0408.
        let spread = [of(1.8, 2.2), of(1.9, 2.3), of(1.7, 2.1), of(1.8, 2.2)];
        assert_eq!(whole(report(&set, &spread).bpb), "2.0000 1.8030 2.1970");
        // A draw is not right.
        assert_eq!(value(report(&set, &vec![of(2.0, 2.0); 4]).accuracy), "0.0000");
    }

    #[test]
    fn differences_are_paired() {
        let set = choices();
        let of = |less: f64| {
            cost(&set, move |text| match text {
                "right" => 1.5 - less,
                "right too" => 2.75 - less,
                _ => 2.0,
            })
        };
        let sets = std::slice::from_ref(&set);
        let (better, worse) = (vec![of(0.25); 4], vec![of(0.0); 4]);
        let found = differences(sets, &better, &worse).remove(0);
        // Items are far apart, their differences are not.
        assert_eq!(whole(found.bpb), "-0.2500 -0.2500 -0.2500");
        assert_eq!(whole(found.margin), "0.2500 0.2500 0.2500");
        // No pair differs: two of ten do, 1.96 · √(.2 / 10).
        assert_eq!(whole(found.accuracy), "0.0000 -0.2772 0.2772");
        assert!(report(&set, &worse).bpb.unwrap().high > 2.5);
    }

    #[test]
    fn sets_without_a_choice_have_bits_and_yes_or_no_has_none() {
        let cloze = |number| format!(r#"{{"context": "{number} said", "continuation": "Shane"}}"#);
        let cloze = benchmark(&(0..8).map(cloze).collect::<Vec<String>>());
        let yes_no = |number| format!(r#"{{"query": "{number}?", "choices": ["no", "yes"], "gold": 1}}"#);
        let yes_no = benchmark(&(0..8).map(yes_no).collect::<Vec<String>>());
        let of_no = cost(&yes_no, |text| f64::from(u8::from(text == "no")));
        let bits = [cost(&cloze, |_| 3.0), of_no].concat();
        let found = reports(&[cloze, yes_no], &[bits], &[]);
        assert_eq!(value(found[0].bpb), "3.0000");
        assert!(found[0].margin.is_none() && found[0].accuracy.is_none() && found[0].chance.is_none());
        assert!(found[1].bpb.is_none());
        assert_eq!(value(found[1].accuracy), "1.0000");
        // Nothing is said of bits of another set, nor of seven items.
        let set = choices();
        assert!(report(&set, &[vec![1, 2]]).bpb.is_none());
        let few = Benchmark {
            items: set.items[..7].to_vec(),
            ..set
        };
        assert!(report(&few, &[cost(&few, |_| 2.0)]).bpb.is_none());
    }

    #[test]
    fn contexts_are_cut_on_the_left_and_answers_never() {
        let set = benchmark(&[
            r#"{"context": "a b c d e f g h i j k l m n", "continuation": "o"}"#.to_owned(),
            r#"{"context": "short", "continuation": "one two three four five six seven eight nine ten"}"#
                .to_owned(),
        ]);
        let cut = passages(std::slice::from_ref(&set), 6);
        let whole = passages(std::slice::from_ref(&set), 1_000);
        for (cut, whole) in cut.iter().zip(&whole) {
            let answer = &whole.ids[whole.given..];
            assert_eq!(&cut.ids[cut.given..], answer);
            assert_eq!(cut.given, whole.given.min(6_usize.saturating_sub(answer.len())));
            assert!(whole.ids.ends_with(&cut.ids), "the nearest words stay");
        }
        assert!(cut.iter().any(|passage| passage.given == 0) && cut.iter().any(|passage| passage.given > 0));
    }
}

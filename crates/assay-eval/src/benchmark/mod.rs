//! Benchmarks: sets of questions that trained models answer. They are reported, they decide nothing.
//!
//! Lines of a file come in, a [`Benchmark`] of at most [`ITEMS_MAX`] items leaves, whatever the order of the lines; `answers`
//! makes passages of its options and figures of the bits that a model gives them (docs/evaluation.md, "Benchmarks").

mod answers;
mod item;

use std::collections::BTreeMap;

use assay_types::{Digest, tagged_hash, u64_le};

use crate::contamination::{GramIndex, GramIndexBuilder, MarkedIndex};

pub use answers::{BenchmarkDifference, BenchmarkReport, Estimate, ITEMS_MIN};
pub(crate) use answers::{differences, passages, reports};
pub use item::{Asked, Item, ItemError, texts_of_line};

/// Most items of a set that are answered: the standard error of a share is then √(.25 / 256), .031.
pub const ITEMS_MAX: usize = 256;

/// Most sets of an evaluation.
pub const SETS_MAX: usize = MarkedIndex::MARKS_MAX;

/// A set of items.
#[derive(Debug, Clone)]
pub struct Benchmark {
    /// Its name in reports.
    pub name: String,
    /// Items of its file.
    pub given: u64,
    /// Those that are answered.
    pub items: Vec<Item>,
    /// 13-grams of all items of the file, each with its right answer, as it is printed and as it is asked.
    pub grams: GramIndex,
    /// Over the items that are answered.
    pub digest: Digest,
}

/// Collects a set.
#[derive(Debug, Default)]
pub struct BenchmarkBuilder {
    /// By a draw over what an item says.
    items: BTreeMap<(u64, Digest), Item>,
    given: u64,
    grams: GramIndexBuilder,
}

impl BenchmarkBuilder {
    /// Takes a line. Of more than [`ITEMS_MAX`] items those with the smallest draws stay, so always the same.
    ///
    /// # Errors
    /// [`ItemError`]: the line is no item, or one of another kind than the first.
    pub fn push(&mut self, line: &str) -> Result<(), ItemError> {
        let item = Item::parse(line)?;
        let is_chosen = self.items.values().next().map(Item::is_chosen);
        if let Some(of_first) = is_chosen.filter(|of_first| *of_first != item.is_chosen()) {
            return Err(ItemError::Kind(of_first));
        }
        self.given += 1;
        for text in texts_of_line(line) {
            self.grams.push(&text);
        }
        let digest = digest(&item);
        let draw = u64_le(&tagged_hash("assay/benchmark-draw/1", &[digest.as_bytes()]));
        self.items.insert((draw, digest), item);
        if self.items.len() > ITEMS_MAX {
            self.items.pop_last();
        }
        Ok(())
    }

    /// Items taken.
    pub fn given(&self) -> u64 {
        self.given
    }

    /// The set.
    pub fn finish(self, name: String) -> Benchmark {
        let digests: Vec<&[u8]> = self
            .items
            .keys()
            .map(|(_, digest)| digest.as_bytes().as_slice())
            .collect();
        let digest = tagged_hash("assay/benchmark/1", &digests);
        Benchmark {
            name,
            given: self.given,
            items: self.items.into_values().collect(),
            grams: self.grams.finish(),
            digest,
        }
    }
}

/// Over the place of the right answer and every text, each behind its length.
fn digest(item: &Item) -> Digest {
    let mut bytes = (item.gold as u64).to_le_bytes().to_vec();
    for asked in &item.options {
        for text in [&*asked.context, &asked.continuation] {
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    tagged_hash("assay/benchmark-item/1", &[&bytes])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: usize) -> String {
        format!(r#"{{"context": "number {number} and", "continuation": "so on"}}"#)
    }

    fn set(lines: &[&str]) -> Benchmark {
        let mut builder = BenchmarkBuilder::default();
        for line in lines {
            builder.push(line).unwrap();
        }
        builder.finish("set".to_owned())
    }

    /// Found by review: texts were joined without their lengths.
    #[test]
    fn items_cut_elsewhere_are_other_items() {
        let one = r#"{"context": "a b", "continuation": "c"}"#;
        let two = r#"{"context": "a", "continuation": "b c"}"#;
        assert_ne!(set(&[one]).digest, set(&[two]).digest);
        assert_eq!(set(&[one, two]).items.len(), 2);
    }

    #[test]
    fn a_set_chooses_or_it_does_not() {
        let mut builder = BenchmarkBuilder::default();
        let choice = r#"{"query": "q", "choices": ["a", "b"], "gold": 0}"#;
        builder.push(choice).unwrap();
        let error = builder.push(&line(1)).unwrap_err().to_string();
        assert!(
            error.contains("the first item of the set chooses among options"),
            "{error}"
        );
        assert_eq!(builder.given(), 1);
    }

    #[test]
    fn the_same_items_are_chosen_in_any_order() {
        let of = |numbers: &mut dyn Iterator<Item = usize>| {
            let mut builder = BenchmarkBuilder::default();
            numbers.for_each(|number| builder.push(&line(number)).unwrap());
            builder.finish("numbers".to_owned())
        };
        let (up, down) = (of(&mut (0..1_000)), of(&mut (0..1_000).rev()));
        assert_eq!((up.items.len(), up.given), (ITEMS_MAX, 1_000));
        assert_eq!((&up.items, up.digest), (&down.items, down.digest));
        assert_ne!(of(&mut (0..10)).digest, of(&mut (0..9)).digest);
        // A repeated item is given twice and answered once.
        let twice = of(&mut [7, 7].into_iter());
        assert_eq!((twice.items.len(), twice.given), (1, 2));
    }
}

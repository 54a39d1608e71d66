//! Stage 1: trains the n-gram model on every fold of an arm and scores the held-out text.
//!
//! A [`Sample`] and a [`HeldOutSet`] come in; [`ArmBits`] leave: bits of every cluster in Q24 integers, the same on every
//! machine and thread count. Folds run in parallel; a fold needs about 60 bytes a token.

use rayon::prelude::*;

use crate::held_out::HeldOutSet;
use crate::ngram::{BITS_ONE, Model};
use crate::sample::Sample;

/// Bits of an arm: fold → domain → cluster, in units of 2^−24 bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArmBits {
    folds: Vec<Vec<Vec<u64>>>,
}

/// How often each cluster of each domain counts; in one sample of a bootstrap.
pub(crate) type Counts = [Vec<u32>];

/// Trains on `budget` tokens of every fold and scores.
pub fn measure(sample: &Sample, budget: u64, held_out: &HeldOutSet) -> ArmBits {
    measure_on(sample, budget, held_out, None).0
}

/// As [`measure`], and scores a second set by the same models.
pub fn measure_on(
    sample: &Sample,
    budget: u64,
    held_out: &HeldOutSet,
    second: Option<&HeldOutSet>,
) -> (ArmBits, Option<ArmBits>) {
    let profile = sample.profile();
    let scored: Vec<(Vec<u64>, Vec<u64>)> = (0..profile.folds as usize)
        .into_par_iter()
        .map(|fold| {
            let windows = sample.windows(fold, budget);
            let model = Model::train(profile.order, windows.into_iter());
            let second = second.map(|set| model.score(&set.prepared));
            (model.score(&held_out.prepared), second.unwrap_or_default())
        })
        .collect();
    let (first, other): (Vec<_>, Vec<_>) = scored.into_iter().unzip();
    (
        ArmBits::of_scored(&first, held_out),
        second.map(|set| ArmBits::of_scored(&other, set)),
    )
}

impl ArmBits {
    /// Of the bits of every document in units of 2^−24 bit, a list a fold or seed; none if a list is not as long as the
    /// held-out set: a document without bits would count as predicted for free.
    pub fn of_documents(folds: &[Vec<u64>], held_out: &HeldOutSet) -> Option<Self> {
        let is_whole = |documents: &Vec<u64>| documents.len() == held_out.documents();
        folds
            .iter()
            .all(is_whole)
            .then(|| Self::of_scored(folds, held_out))
    }

    /// As [`Self::of_documents`], of lists that were scored on the set.
    fn of_scored(folds: &[Vec<u64>], held_out: &HeldOutSet) -> Self {
        let of_fold = |documents: &Vec<u64>| {
            let of = |document: &usize| documents.get(*document).copied().unwrap_or(0);
            let of_domain = |clusters: &Vec<crate::held_out::Cluster>| {
                let sums = clusters
                    .iter()
                    .map(|cluster| cluster.documents.iter().map(of).sum());
                sums.collect()
            };
            held_out.clusters.iter().map(of_domain).collect()
        };
        Self {
            folds: folds.iter().map(of_fold).collect(),
        }
    }

    /// Folds measured.
    pub fn folds(&self) -> usize {
        self.folds.len()
    }

    /// One fold alone, as an arm of its own.
    #[must_use]
    pub fn fold(&self, fold: usize) -> Self {
        Self {
            folds: self.folds.get(fold).cloned().into_iter().collect(),
        }
    }

    /// `B` of a fold in bits per byte: the macro average of the domains, each `floor(Σ bits / Σ bytes)` in Q24.
    pub fn bits_per_byte(&self, fold: usize, held_out: &HeldOutSet) -> f64 {
        self.resampled(fold, held_out, None)
    }

    /// `B_d` of a domain in bits per byte, averaged over folds.
    pub fn domain(&self, domain: usize, held_out: &HeldOutSet) -> f64 {
        self.domain_resampled(domain, held_out, None)
    }

    /// `B_d` of a domain averaged over folds, with every cluster counted as often as `counts` says, or once.
    pub(crate) fn domain_resampled(
        &self,
        domain: usize,
        held_out: &HeldOutSet,
        counts: Option<&Counts>,
    ) -> f64 {
        let of_fold = |fold| self.domain_units(fold, domain, held_out, counts) as f64;
        let sum = (0..self.folds.len()).map(of_fold).fold(0.0, |sum, b| sum + b);
        sum / self.folds.len().max(1) as f64 / BITS_ONE as f64
    }

    /// `B_d` of a domain in one fold, in Q24.
    fn domain_units(
        &self,
        fold: usize,
        domain: usize,
        held_out: &HeldOutSet,
        counts: Option<&Counts>,
    ) -> u64 {
        let bits = self.folds.get(fold).and_then(|domains| domains.get(domain));
        let bits = bits.map_or(&[][..], Vec::as_slice);
        let clusters = held_out.clusters.get(domain).map_or(&[][..], Vec::as_slice);
        let counts = counts.and_then(|counts| counts.get(domain));
        let count = |cluster: usize| counts.map_or(1, |counts| counts.get(cluster).copied().unwrap_or(0));
        let parts = bits.iter().zip(clusters).enumerate();
        ratio(parts.map(|(at, (bits, cluster))| (*bits, cluster.bytes, count(at))))
    }

    /// Bits a byte of a cluster, averaged over folds, with the cluster's bytes; none if there is no such cluster.
    pub(crate) fn cluster(&self, domain: usize, cluster: usize, held_out: &HeldOutSet) -> Option<(f64, u64)> {
        let bytes = held_out.clusters.get(domain)?.get(cluster)?.bytes;
        let of_fold = |fold: &Vec<Vec<u64>>| Some(*fold.get(domain)?.get(cluster)? as f64);
        let bits: Option<Vec<f64>> = self.folds.iter().map(of_fold).collect();
        let sum = bits?.iter().fold(0.0, |sum, bits| sum + bits);
        let scale = self.folds.len().max(1) as f64 * BITS_ONE as f64 * bytes.max(1) as f64;
        Some((sum / scale, bytes))
    }

    /// `B` of a fold with every cluster counted as often as `counts` says, or once.
    pub(crate) fn resampled(&self, fold: usize, held_out: &HeldOutSet, counts: Option<&Counts>) -> f64 {
        let domains = self.folds.get(fold).map_or(0, Vec::len);
        let of_domain = |domain| self.domain_units(fold, domain, held_out, counts);
        let sum: u64 = (0..domains).map(of_domain).sum();
        let macro_average = sum / domains.max(1) as u64;
        macro_average as f64 / BITS_ONE as f64
    }

    /// `B` averaged over folds.
    pub(crate) fn mean_resampled(&self, held_out: &HeldOutSet, counts: Option<&Counts>) -> f64 {
        let folds = self.folds.len();
        let sum = (0..folds).fold(0.0, |sum, fold| sum + self.resampled(fold, held_out, counts));
        sum / folds.max(1) as f64
    }
}

/// `floor(Σ bits·n / Σ bytes·n)` in Q24; 0 without bytes.
fn ratio(parts: impl Iterator<Item = (u64, u64, u32)>) -> u64 {
    let add = |(all_bits, all_bytes): (u128, u128), (bits, bytes, count): (u64, u64, u32)| {
        let count = u128::from(count);
        (
            all_bits + u128::from(bits) * count,
            all_bytes + u128::from(bytes) * count,
        )
    };
    let (bits, bytes) = parts.fold((0, 0), add);
    bits.checked_div(bytes).unwrap_or(0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::held_out::{Domain, HeldOutDocument};
    use crate::ngram::Order;

    #[test]
    fn a_list_that_misses_a_document_is_no_measurement() {
        let document = |number: usize| HeldOutDocument {
            id: number.to_string(),
            cluster: number.to_string(),
            text: "x".repeat(10 * (number + 1)),
        };
        let domain = Domain {
            name: "d".to_owned(),
            documents: (0..3).map(document).collect(),
        };
        let held_out = HeldOutSet::choose(vec![domain], b"s", Order::V1).unwrap();
        for length in [0, 2, 4] {
            assert_eq!(
                ArmBits::of_documents(&[vec![1; length]], &held_out),
                None,
                "{length}"
            );
        }
        // One bit a byte: 60 bytes of three documents.
        let lengths: Vec<u64> = held_out
            .texts()
            .map(|text| text.len() as u64 * BITS_ONE)
            .collect();
        let whole = ArmBits::of_documents(&[lengths.clone(), lengths], &held_out).unwrap();
        assert!((whole.bits_per_byte(1, &held_out) - 1.0).abs() < 1e-12);
        assert!((whole.domain(0, &held_out) - 1.0).abs() < 1e-12);
        let (bits, bytes) = whole.cluster(0, 2, &held_out).unwrap();
        assert!((bits - 1.0).abs() < 1e-12 && bytes == 30, "{bits} {bytes}");
        assert_eq!(whole.cluster(0, 3, &held_out), None);
    }
}

//! Deduplication over a whole corpus: pairs that share a band, clusters, and the documents removed.
//!
//! Two orders: `Datatrove` replays stages 2 and 3 of datatrove 0.10.1 (`pipeline/dedup/minhash.py`) with its tie rule;
//! `Canonical` keeps the smallest document of each cluster, whatever order the pairs came in. Signatures come from
//! `signature`; the result goes to corpus releases and to `assay dedup`.

use super::{BANDS, ROWS, Signature};

/// Which document of a cluster stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As datatrove: the larger set's root wins while pairs are joined in bucket order, at a tie the first member's.
    Datatrove,
    /// The smallest document number.
    Canonical,
}

/// Documents joined by pairs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The document that stays.
    pub kept: u32,
    /// All documents of the cluster, ascending; at least two.
    pub members: Vec<u32>,
}

/// Pairs of documents that share a band, band after band, as datatrove's stage 2 writes them: documents sorted by
/// (minima of the band, number), each adjacent equal pair.
///
/// A document's number is its place in `signatures`; datatrove reads files in order, so the number is the place in the
/// concatenation of all files. Documents without a signature take part in no pair. Memory: 4 bytes a document.
pub fn pairs_by_band(signatures: &[Option<Signature>]) -> Vec<Vec<(u32, u32)>> {
    let minima = |number: u32, band: usize| {
        let signature = signatures.get(number as usize).and_then(Option::as_ref);
        signature.and_then(|signature| signature.minima().get(band * ROWS..(band + 1) * ROWS))
    };
    (0..BANDS)
        .map(|band| {
            let mut numbers = numbers_of(signatures);
            numbers.sort_unstable_by(|&a, &b| minima(a, band).cmp(&minima(b, band)).then(a.cmp(&b)));
            adjacent(&numbers, |a, b| minima(a, band) == minima(b, band))
        })
        .collect()
}

/// The same pairs from band keys, as published in `bands.parquet`; within a band they are ordered by key.
pub fn pairs_by_key(keys: &[Option<[u64; BANDS]>]) -> Vec<Vec<(u32, u32)>> {
    let key = |number: u32, band: usize| {
        keys.get(number as usize)
            .and_then(Option::as_ref)
            .and_then(|keys| keys.get(band))
    };
    (0..BANDS)
        .map(|band| {
            let mut numbers = numbers_of(keys);
            numbers.sort_unstable_by(|&a, &b| key(a, band).cmp(&key(b, band)).then(a.cmp(&b)));
            adjacent(&numbers, |a, b| key(a, band) == key(b, band))
        })
        .collect()
}

/// Numbers of the documents that have something to compare.
fn numbers_of<T>(documents: &[Option<T>]) -> Vec<u32> {
    let present = documents
        .iter()
        .enumerate()
        .filter(|(_, document)| document.is_some());
    present.map(|(number, _)| number as u32).collect()
}

fn adjacent(numbers: &[u32], equal: impl Fn(u32, u32) -> bool) -> Vec<(u32, u32)> {
    let following = numbers.iter().zip(numbers.get(1..).unwrap_or(&[]));
    following
        .map(|(&a, &b)| (a, b))
        .filter(|&(a, b)| equal(a, b))
        .collect()
}

/// Joins pairs, in their order, into clusters, which are sorted by their smallest member.
pub fn clusters(pairs: impl IntoIterator<Item = (u32, u32)>, order: Order) -> Vec<Cluster> {
    let mut sets = Sets::default();
    for (a, b) in pairs {
        sets.join(a, b, order);
    }
    let mut members: Vec<(u32, u32)> = (0..sets.parent.len() as u32).map(|x| (sets.root(x), x)).collect();
    members.sort_unstable();
    let mut clusters: Vec<Cluster> = members
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|set| set.len() > 1)
        .filter_map(|set| {
            let &(kept, _) = set.first()?;
            Some(Cluster {
                kept,
                members: set.iter().map(|&(_, member)| member).collect(),
            })
        })
        .collect();
    clusters.sort_unstable_by_key(|cluster| cluster.members.first().copied());
    clusters
}

/// The documents removed, ascending: all members of clusters but those kept.
pub fn removed(clusters: &[Cluster]) -> Vec<u32> {
    let others = |cluster: &Cluster| {
        let kept = cluster.kept;
        cluster
            .members
            .clone()
            .into_iter()
            .filter(move |&member| member != kept)
    };
    let mut removed: Vec<u32> = clusters.iter().flat_map(others).collect();
    removed.sort_unstable();
    removed
}

/// Union-find over document numbers: 8 bytes for each up to the largest that occurs in a pair.
#[derive(Debug, Default)]
struct Sets {
    parent: Vec<u32>,
    size: Vec<u32>,
}

impl Sets {
    fn parent_of(&self, x: u32) -> u32 {
        self.parent.get(x as usize).copied().unwrap_or(x)
    }

    fn size_of(&self, root: u32) -> u32 {
        self.size.get(root as usize).copied().unwrap_or(1)
    }

    /// The root of `x`, halving the path to it.
    fn root(&mut self, mut x: u32) -> u32 {
        loop {
            let parent = self.parent_of(x);
            if parent == x {
                return x;
            }
            let grandparent = self.parent_of(parent);
            if let Some(slot) = self.parent.get_mut(x as usize) {
                *slot = grandparent;
            }
            x = grandparent;
        }
    }

    fn join(&mut self, a: u32, b: u32, order: Order) {
        let needed = a.max(b) as usize + 1;
        if self.parent.len() < needed {
            self.parent.extend(self.parent.len() as u32..needed as u32);
            self.size.resize(needed, 1);
        }
        let (mut winner, mut loser) = (self.root(a), self.root(b));
        if winner == loser {
            return;
        }
        let swap = match order {
            Order::Datatrove => self.size_of(winner) < self.size_of(loser),
            Order::Canonical => loser < winner,
        };
        if swap {
            std::mem::swap(&mut winner, &mut loser);
        }
        let size = self.size_of(winner) + self.size_of(loser);
        if let Some(slot) = self.parent.get_mut(loser as usize) {
            *slot = winner;
        }
        if let Some(slot) = self.size.get_mut(winner as usize) {
            *slot = size;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::minhash::{HASHES, band_keys};

    #[test]
    fn the_tie_goes_to_the_first_member_and_size_wins() {
        let pairs = [(5, 2), (7, 5), (9, 8), (8, 2)];
        let datatrove = clusters(pairs, Order::Datatrove);
        assert_eq!(
            datatrove,
            [Cluster {
                kept: 5,
                members: vec![2, 5, 7, 8, 9]
            }]
        );
        assert_eq!(clusters(pairs, Order::Canonical)[0].kept, 2);
        assert_eq!(removed(&datatrove), [2, 7, 8, 9]);
        assert_eq!(clusters([], Order::Datatrove), []);
    }

    #[test]
    fn adjacent_equal_bands_are_pairs() {
        let of = |x: u64| Some(Signature::new([x; HASHES]));
        let signatures = [of(2), None, of(1), of(2), of(1), of(2)];
        let pairs = pairs_by_band(&signatures);
        assert_eq!(pairs[13], [(2, 4), (0, 3), (3, 5)]);
        let keys: Vec<_> = signatures
            .iter()
            .map(|signature| signature.as_ref().map(band_keys))
            .collect();
        let mut by_key = pairs_by_key(&keys);
        by_key[13].sort_unstable();
        assert_eq!(by_key[13], [(0, 3), (2, 4), (3, 5)]);
    }

    proptest! {
        #[test]
        fn canonical_clusters_do_not_depend_on_the_order_of_pairs(
            (pairs, shuffled) in prop::collection::vec((0_u32..20, 0_u32..20), 0..30)
                .prop_flat_map(|pairs| (Just(pairs.clone()), Just(pairs).prop_shuffle()))
        ) {
            let expected = clusters(pairs.clone(), Order::Canonical);
            prop_assert_eq!(&clusters(shuffled, Order::Canonical), &expected);
            let sizes = |list: &[Cluster]| list.iter().map(|c| c.members.clone()).collect::<Vec<_>>();
            prop_assert_eq!(sizes(&clusters(pairs, Order::Datatrove)), sizes(&expected));
            prop_assert!(expected.iter().all(|cluster| Some(&cluster.kept) == cluster.members.first()));
        }
    }
}

//! Training text as one stream of ids, cut into sequences whose order a seed decides: the same positions in every arm.

use assay_types::{Digest, Draws, tagged_hash};

use super::shape::Shape;
use crate::tokenizer::{START, TokenId};

/// A training run's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    ids: Vec<TokenId>,
    /// Start of every sequence in order of training.
    starts: Vec<usize>,
    context: usize,
    batch: usize,
}

impl Stream {
    /// Joins windows, each behind a start id, to at most `tokens` ids, and orders sequences by the seed.
    ///
    /// Sequence `i` is ids `i·context ..= (i + 1)·context`; the order is a Fisher–Yates shuffle of the stream
    /// `H("assay/data/1", seed)` (docs/evaluation.md).
    pub fn new<'a>(
        windows: impl Iterator<Item = &'a [TokenId]>,
        shape: &Shape,
        tokens: u64,
        seed: &[u8],
    ) -> Self {
        let most = usize::try_from(tokens).unwrap_or(usize::MAX).saturating_add(1);
        let mut ids = Vec::new();
        for window in windows {
            ids.push(START);
            ids.extend_from_slice(window);
            if ids.len() >= most {
                break;
            }
        }
        ids.truncate(most);
        let count = (ids.len().saturating_sub(1) / shape.context) as u64;
        let mut draws = Draws::new(tagged_hash("assay/data/1", &[seed]).as_bytes());
        let order = draws.partial_fisher_yates(count, count);
        Self {
            starts: order
                .iter()
                .map(|place| *place as usize * shape.context)
                .collect(),
            ids,
            context: shape.context,
            batch: shape.batch,
        }
    }

    /// Digest of the ids.
    pub fn digest(&self) -> Digest {
        let bytes: Vec<u8> = self.ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        tagged_hash("assay/stream/1", &[&bytes])
    }

    /// Steps of one pass.
    pub fn steps(&self) -> u64 {
        (self.starts.len() / self.batch) as u64
    }

    /// Writes the step's inputs and targets, `[batch, context]`; false after the last.
    pub fn batch(&self, step: u64, inputs: &mut Vec<TokenId>, targets: &mut Vec<TokenId>) -> bool {
        inputs.clear();
        targets.clear();
        let from = step as usize * self.batch;
        for start in self.starts.iter().skip(from).take(self.batch) {
            if let Some(ids) = self.ids.get(*start..=start + self.context) {
                inputs.extend_from_slice(&ids[..self.context]);
                targets.extend_from_slice(&ids[1..]);
            }
        }
        inputs.len() == self.batch * self.context
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transformer::profile::CPU_V1;

    fn stream(seed: &[u8], words: u16) -> Stream {
        let shape = Shape {
            context: 4,
            batch: 2,
            ..CPU_V1.shape
        };
        let windows = [vec![words; 10], vec![words + 1; 14], vec![words + 2; 50]];
        Stream::new(windows.iter().map(Vec::as_slice), &shape, 33, seed)
    }

    #[test]
    fn every_id_is_seen_once_and_each_target_follows_its_input() {
        let stream = stream(b"s", 7);
        // 33 + 1 ids, 8 sequences, 4 steps.
        assert_eq!((stream.ids.len(), stream.steps()), (34, 4));
        let (mut inputs, mut targets) = (Vec::new(), Vec::new());
        let mut seen = Vec::new();
        for step in 0..4 {
            assert!(stream.batch(step, &mut inputs, &mut targets));
            for (inputs, targets) in inputs.chunks(4).zip(targets.chunks(4)) {
                assert_eq!(inputs[1..], targets[..3]);
                seen.extend_from_slice(inputs);
            }
        }
        assert!(!stream.batch(4, &mut inputs, &mut targets));
        let mut all = stream.ids[..32].to_vec();
        all.sort_unstable();
        seen.sort_unstable();
        assert_eq!(seen, all);
        assert_eq!(seen.iter().filter(|id| **id == START).count(), 3);
    }

    #[test]
    fn arms_share_positions_and_seeds_do_not() {
        assert_eq!(stream(b"s", 7).starts, stream(b"s", 90).starts);
        assert_ne!(stream(b"s", 7).starts, stream(b"t", 7).starts);
    }
}

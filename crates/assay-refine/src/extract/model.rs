//! Sums of small decision trees over integer features: comparisons and additions only.
//!
//! The tables are made by `bench/extract-train/train.py` (gradient-boosted trees, cross-entropy). A tree is a run of
//! nodes of one word each; its leaves hold scores in 1/4,096 of a logit. The sum goes through a table of the
//! logistic function, so that the same page gives the same answer on every machine.

/// One model.
#[derive(Debug)]
pub(crate) struct Model {
    /// First node of each tree.
    pub(crate) trees: &'static [u16],
    /// Per inner node: feature, threshold (goes left if value ≤ threshold), left child, right child. Children are
    /// relative to the tree's first node; negative ones are leaves, `!leaf` in [`Model::leaves`].
    pub(crate) nodes: &'static [(u16, i32, i16, i16)],
    /// Scores, 1/4,096 logit; the first tree holds the prior.
    pub(crate) leaves: &'static [i16],
}

/// Blocks judged together.
pub(crate) const LANES: usize = 8;

/// Nodes on one way down at most: a bound for a malformed table, trees are far shallower.
const DEPTH_MAX: usize = 64;

impl Model {
    /// The probabilities in 1/65,536 that the blocks with these features are main text. The blocks go down each tree together,
    /// so that the processor has work while it waits for a comparison.
    ///
    /// A tree of n nodes has n + 1 leaves, so those of tree t start at its first node plus t.
    pub(crate) fn answers(&self, rows: [&[i32]; LANES]) -> [u32; LANES] {
        let mut sums = [0_i32; LANES];
        for (tree, first) in self.trees.iter().enumerate() {
            let nodes = self.nodes.get(usize::from(*first)..).unwrap_or_default();
            let mut at = [0_i16; LANES];
            for _ in 0..DEPTH_MAX {
                for (at, row) in at.iter_mut().zip(rows) {
                    let Some((feature, threshold, left, right)) = nodes.get((*at).max(0) as usize) else {
                        continue;
                    };
                    let value = row.get(usize::from(*feature)).copied().unwrap_or(0);
                    let next = if value <= *threshold { *left } else { *right };
                    *at = if *at < 0 { *at } else { next };
                }
                if at.iter().all(|at| *at < 0) {
                    break;
                }
            }
            let leaves = self.leaves.get(usize::from(*first) + tree..).unwrap_or_default();
            for (sum, at) in sums.iter_mut().zip(at) {
                *sum += leaves.get(!at as usize).copied().map_or(0, i32::from);
            }
        }
        sums.map(logistic)
    }
}

/// The logistic function of a score in 1/4,096, in 1/65,536: linear between [`LOGISTIC`]'s points.
fn logistic(score: i32) -> u32 {
    let clamped = score.clamp(-32_768, 32_767) + 32_768;
    let (at, rest) = (clamped as usize / 1_024, clamped % 1_024);
    let low = LOGISTIC.get(at).copied().unwrap_or(0);
    let high = LOGISTIC.get(at + 1).copied().unwrap_or(low);
    low + ((high - low) * rest as u32) / 1_024
}

/// `65536 / (1 + exp(-x))` at x = -8, -7.75, … 8, rounded.
const LOGISTIC: [u32; 65] = [
    22, 28, 36, 47, 60, 77, 98, 126, 162, 208, 267, 342, 439, 562, 720, 922, 1179, 1506, 1921, 2446, 3108,
    3938, 4971, 6249, 7812, 9702, 11955, 14595, 17625, 21025, 24743, 28693, 32768, 36843, 40793, 44511,
    47911, 50941, 53581, 55834, 57724, 59287, 60565, 61598, 62428, 63090, 63615, 64030, 64357, 64614, 64816,
    64974, 65097, 65194, 65269, 65328, 65374, 65410, 65438, 65459, 65476, 65489, 65500, 65508, 65514,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{model_block, model_context};

    #[test]
    fn a_stump_answers() {
        let model = Model {
            trees: &[0],
            nodes: &[(0, 5, !0, !1)],
            leaves: &[-4_096, 4_096],
        };
        assert_eq!(model.answers([&[5]; LANES])[0], LOGISTIC[28]);
        assert_eq!(model.answers([&[6]; LANES])[LANES - 1], LOGISTIC[36]);
    }

    #[test]
    fn the_logistic_table_is_symmetric_and_rising() {
        assert!(LOGISTIC.windows(2).all(|pair| pair[0] < pair[1]));
        for at in 0..32 {
            assert!(LOGISTIC[at].abs_diff(65_536 - LOGISTIC[64 - at]) <= 1, "{at}");
        }
        assert_eq!(logistic(i32::MAX), logistic(32_767));
    }

    #[test]
    fn lanes_do_not_touch_each_other() {
        let rows: Vec<Vec<i32>> = (0..LANES as i32)
            .map(|lane| (0..600).map(|at| (at * 37 + lane * 101) % 1_000 - 100).collect())
            .collect();
        for model in [&model_block::MODEL, &model_context::MODEL] {
            let together = model.answers(std::array::from_fn(|lane| rows[lane].as_slice()));
            for (row, answer) in rows.iter().zip(together) {
                assert_eq!(model.answers([row.as_slice(); LANES]), [answer; LANES]);
            }
        }
    }

    #[test]
    fn tables_are_well_formed() {
        for model in [&model_block::MODEL, &model_context::MODEL] {
            for (index, first) in model.trees.iter().enumerate() {
                let first = usize::from(*first);
                let end = model
                    .trees
                    .get(index + 1)
                    .map_or(model.nodes.len(), |next| usize::from(*next));
                for (at, (_, _, left, right)) in model.nodes[first..end].iter().enumerate() {
                    for child in [*left, *right] {
                        let fine = if child < 0 {
                            i32::from(!child) as usize <= end - first
                        } else {
                            child as usize > at
                        };
                        assert!(fine, "tree {index} node {at}");
                    }
                }
            }
        }
    }
}

//! Sums of small decision trees over integer features: comparisons and additions only.
//!
//! The tables are made by `bench/extract-train/train.py` (gradient-boosted trees, cross-entropy). A tree is a run of
//! nodes of one word each; its leaves hold scores in 1/4,096 of a logit. The sum goes through a table of the
//! logistic function, so that the same page gives the same answer on every machine.

use super::rows::LANES;

/// One model, as it was learnt.
#[derive(Debug)]
pub(crate) struct Model {
    /// First node of each tree.
    pub(crate) trees: &'static [u16],
    /// Per inner node: feature, threshold (goes left if value ≤ threshold), left child, right child. Children are
    /// relative to the tree's first node; negative ones are leaves, `!leaf` in [`Model::leaves`], counted from left to right.
    pub(crate) nodes: &'static [(u16, i32, i16, i16)],
    /// Scores, 1/4,096 logit; the first tree holds the prior.
    pub(crate) leaves: &'static [i16],
}

/// Leaves of a tree at most: the bits of a mask.
const LEAVES_MAX: usize = 16;

/// A model's nodes sorted by feature, so that no tree is walked: the method of QuickScorer (Lucchese et al., SIGIR 2015).
///
/// A node that sends a block to the right rules out the leaves of its left subtree. Of the leaves that no node rules out,
/// the leftmost is the one that walking down the tree would reach. So a tree is a mask of leaves, a node a mask to join it
/// with, and all of it comparisons and bits of [`LANES`] blocks at once.
#[derive(Debug)]
pub(crate) struct Scorer {
    /// Features in use, and the end of each one's tests.
    features: Vec<(usize, usize)>,
    /// By feature, the lowest threshold first.
    tests: Vec<Test>,
    /// Scores of each tree's leaves.
    scores: Vec<[i16; LEAVES_MAX]>,
    instructions: pulp::Arch,
}

/// A node: what is left of its tree's leaves for values above the threshold.
#[derive(Debug, Clone, Copy)]
struct Test {
    threshold: i16,
    tree: u16,
    out: u16,
}

impl Scorer {
    pub(crate) fn new(model: &Model) -> Self {
        let mut tests: Vec<(u16, Test)> = Vec::with_capacity(model.nodes.len());
        let mut scores = Vec::with_capacity(model.trees.len());
        let mut trees = model.trees.iter().map(|first| usize::from(*first)).peekable();
        while let Some(first) = trees.next() {
            let end = trees.peek().copied().unwrap_or(model.nodes.len());
            let nodes = model.nodes.get(first..end).unwrap_or_default();
            // A tree of n nodes has n + 1 leaves, so those of tree t start at its first node plus t.
            let leaves = model.leaves.get(first + scores.len()..).unwrap_or_default();
            let tree = scores.len() as u16;
            for at in 0..nodes.len() {
                tests.extend(test(nodes, at, tree));
            }
            let mut of_tree = [0; LEAVES_MAX];
            for (score, leaf) in of_tree.iter_mut().zip(leaves.iter().take(nodes.len() + 1)) {
                *score = *leaf;
            }
            scores.push(of_tree);
        }
        tests.sort_by_key(|(feature, test)| (*feature, test.threshold));
        let mut features: Vec<(usize, usize)> = vec![];
        for (index, (feature, _)) in tests.iter().enumerate() {
            match features.last_mut() {
                Some((last, end)) if *last == usize::from(*feature) => *end = index + 1,
                _ => features.push((usize::from(*feature), index + 1)),
            }
        }
        Self {
            features,
            tests: tests.into_iter().map(|(_, test)| test).collect(),
            scores,
            instructions: pulp::Arch::new(),
        }
    }

    /// The probabilities in 1/65,536 that the blocks with these features are main text. A feature that is lacking is 0.
    pub(crate) fn answers(&self, columns: &[[i32; LANES]]) -> [u32; LANES] {
        let mut sums = self.instructions.dispatch(Sums {
            scorer: self,
            columns,
        });
        for sum in &mut sums {
            *sum = logistic(*sum) as i32;
        }
        sums.map(i32::cast_unsigned)
    }
}

/// The sum of the trees' scores per block.
struct Sums<'a> {
    scorer: &'a Scorer,
    columns: &'a [[i32; LANES]],
}

impl pulp::WithSimd for Sums<'_> {
    type Output = [i32; LANES];

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "compiled anew for each instruction set only if it is inlined"
    )]
    fn with_simd<S: pulp::Simd>(self, _: S) -> Self::Output {
        let Self { scorer, columns } = self;
        // Leaves, per tree and block, that no node has ruled out.
        let mut left = vec![[u16::MAX; LANES]; scorer.scores.len()];
        let mut start = 0;
        for (feature, end) in &scorer.features {
            let column = columns.get(*feature).copied().unwrap_or([0; LANES]);
            let mut values = [0_i16; LANES];
            for (value, known) in values.iter_mut().zip(column) {
                // Saturated to 16 bits, which no comparison can tell: thresholds are below 32,767.
                *value = known.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
            }
            for test in scorer.tests.get(start..*end).unwrap_or_default() {
                let Test { threshold, tree, out } = *test;
                let mut over = [0_u16; LANES];
                for (over, value) in over.iter_mut().zip(values) {
                    *over = u16::from(value > threshold).wrapping_neg();
                }
                // One comparison of all lanes with zero, where the highest value would be a way through them.
                if over == [0; LANES] {
                    break;
                }
                let Some(left) = left.get_mut(usize::from(tree)) else {
                    continue;
                };
                let mut kept = *left;
                for (kept, over) in kept.iter_mut().zip(over) {
                    *kept &= !(over & out);
                }
                *left = kept;
            }
            start = *end;
        }
        let mut sums = [0_i32; LANES];
        for (left, scores) in left.iter().zip(&scorer.scores) {
            for (sum, left) in sums.iter_mut().zip(left) {
                let leaf = left.trailing_zeros() as usize % LEAVES_MAX;
                *sum += scores.get(leaf).copied().map_or(0, i32::from);
            }
        }
        sums
    }
}

/// The test of node `at`: `None` if a malformed table has it rule out no leaf.
fn test(nodes: &[(u16, i32, i16, i16)], at: usize, tree: u16) -> Option<(u16, Test)> {
    let (feature, threshold, left, right) = nodes.get(at)?;
    let (first, end) = (first_leaf(nodes, *left)?, first_leaf(nodes, *right)?);
    let bits = |count: usize| u16::MAX.checked_shl(count as u32).unwrap_or(0);
    let out = bits(first) & !bits(end);
    let threshold = i16::try_from(*threshold).ok()?;
    (out != 0).then_some((*feature, Test { threshold, tree, out }))
}

/// The leftmost leaf under a child.
fn first_leaf(nodes: &[(u16, i32, i16, i16)], mut child: i16) -> Option<usize> {
    for _ in 0..=LEAVES_MAX {
        if child < 0 {
            return usize::try_from(!child).ok();
        }
        child = nodes.get(usize::try_from(child).ok()?)?.2;
    }
    None
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

    /// What walking down every tree gives.
    fn walked(model: &Model, row: &[i32]) -> u32 {
        let mut sum = 0;
        for (tree, first) in model.trees.iter().enumerate() {
            let first = usize::from(*first);
            let mut at = 0;
            while at >= 0 {
                let (feature, threshold, left, right) = model.nodes[first + at as usize];
                let value = row.get(usize::from(feature)).copied().unwrap_or(0);
                at = if value <= threshold { left } else { right };
            }
            sum += i32::from(model.leaves[first + tree + !at as usize]);
        }
        logistic(sum)
    }

    #[test]
    fn a_stump_answers() {
        let model = Model {
            trees: &[0],
            nodes: &[(0, 5, !0, !1)],
            leaves: &[-4_096, 4_096],
        };
        let mut columns = [[5; LANES]];
        columns[0][LANES - 1] = 6;
        let answers = Scorer::new(&model).answers(&columns);
        assert_eq!((answers[0], answers[LANES - 1]), (LOGISTIC[28], LOGISTIC[36]));
    }

    #[test]
    fn the_logistic_table_is_symmetric_and_rising() {
        assert!(LOGISTIC.windows(2).all(|pair| pair[0] < pair[1]));
        for at in 0..32 {
            assert!(LOGISTIC[at].abs_diff(65_536 - LOGISTIC[64 - at]) <= 1, "{at}");
        }
        assert_eq!(logistic(i32::MAX), logistic(32_767));
    }

    /// Values around thresholds, far beyond 16 bits, missing; each block beside others than itself.
    #[test]
    fn masks_say_what_walking_says() {
        for model in [&model_block::MODEL, &model_context::MODEL] {
            let scorer = Scorer::new(model);
            let mut state = 1_u64;
            for _ in 0..200 {
                let rows: Vec<Vec<i32>> = (0..LANES)
                    .map(|lane| {
                        let mut row = vec![0; 500 - 29 * lane];
                        for _ in 0..300 {
                            state = state
                                .wrapping_mul(6_364_136_223_846_793_005)
                                .wrapping_add(1_442_695_040_888_963_407);
                            let (feature, threshold, ..) =
                                model.nodes[(state >> 33) as usize % model.nodes.len()];
                            if let Some(value) = row.get_mut(usize::from(feature)) {
                                *value = match state >> 30 & 7 {
                                    0 => i32::MAX,
                                    1 => i32::MIN,
                                    2 => 70_000,
                                    other => threshold + other as i32 - 5,
                                };
                            }
                        }
                        row
                    })
                    .collect();
                let value = |row: &Vec<i32>, feature: usize| row.get(feature).copied().unwrap_or(0);
                let columns: Vec<[i32; LANES]> = (0..500)
                    .map(|feature| std::array::from_fn(|lane| value(&rows[lane], feature)))
                    .collect();
                for (row, answer) in rows.iter().zip(scorer.answers(&columns)) {
                    assert_eq!(answer, walked(model, row));
                }
            }
        }
    }

    #[test]
    fn tables_are_well_formed() {
        for model in [&model_block::MODEL, &model_context::MODEL] {
            assert_eq!(Scorer::new(model).tests.len(), model.nodes.len());
            assert!(model.nodes.iter().all(|node| node.1 < i32::from(i16::MAX)));
            for (index, first) in model.trees.iter().enumerate() {
                let first = usize::from(*first);
                let end = model
                    .trees
                    .get(index + 1)
                    .map_or(model.nodes.len(), |next| usize::from(*next));
                assert!(end - first < LEAVES_MAX, "tree {index}");
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

//! Features of a block that look at the first model's answers around it: neighbours, section, containers, page.
//!
//! The first model judges a block by itself and its place; the second one sees these means besides and so decides
//! by container and by section. All means are weighted by words and given in 1/1,024; linear in blocks but for a
//! constant number of levels.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::feature::ground_key;
use super::island::Islands;
use super::page::{Block, Page};
use super::rows::Features;

/// One: a first answer that is certain.
pub(crate) const ONE: i64 = 65_536;
/// Value of a mean over nothing.
const NOTHING: i32 = -1;
/// Containers looked at, from the inside.
const LEVELS: usize = 6;
/// Blocks of a section that its heading looks at.
const SECTION_BLOCKS: usize = 12;
/// Answers above this are taken as main text when distances are counted.
const SURE: u32 = 39_322;
/// Distances and levels end here.
const FAR: i32 = 99;

/// Precomputed sums over the answers of one page.
pub(crate) struct Context<'a> {
    page: &'a Page,
    answers: &'a [u32],
    /// Words (plus one a block) before each block, and the same times the answer.
    weights: Vec<i64>,
    expected: Vec<i64>,
    groups: BTreeMap<(u32, u32), (i64, i64)>,
    /// Per block: start and end of its section, headings starting one.
    sections: Vec<(u32, u32)>,
    before: Vec<i32>,
    after: Vec<i32>,
    /// Share of the page's words in blocks with a higher answer.
    ranks: Vec<i32>,
    page_values: [i32; 4],
    islands: Islands,
}

fn weight(block: &Block) -> i64 {
    i64::from(block.measure.words) + 1
}

fn mean(expected: i64, weight: i64) -> i32 {
    if weight <= 0 {
        NOTHING
    } else {
        (expected / weight * 1_024 / ONE) as i32
    }
}

impl<'a> Context<'a> {
    pub(crate) fn new(page: &'a Page, answers: &'a [u32]) -> Context<'a> {
        let mut context = Context {
            page,
            answers,
            weights: vec![0],
            expected: vec![0],
            groups: BTreeMap::new(),
            sections: sections(page),
            before: distances(answers.iter()),
            after: distances(answers.iter().rev()),
            ranks: vec![0; answers.len()],
            page_values: [0; 4],
            islands: Islands::new(page, answers),
        };
        context.after.reverse();
        let (mut all, mut sum) = (0, 0);
        for (block, answer) in page.blocks.iter().zip(answers) {
            let weight = weight(block);
            let part = weight * i64::from(*answer);
            (all, sum) = (all + weight, sum + part);
            context.weights.push(all);
            context.expected.push(sum);
            let group = context.groups.entry(ground_key(page, block)).or_default();
            *group = (group.0 + part, group.1 + weight);
        }
        context.rank();
        context
    }

    fn at(&self, index: usize) -> (i64, i64) {
        let get = |values: &[i64]| values.get(index).copied().unwrap_or(0);
        (get(&self.expected), get(&self.weights))
    }

    /// Expected main words (times [`ONE`]) and words of blocks `first..end`.
    fn sum(&self, first: usize, end: usize) -> (i64, i64) {
        let end = end.min(self.answers.len());
        let (low, high) = (self.at(first.min(end)), self.at(end));
        (high.0 - low.0, high.1 - low.1)
    }

    fn mean(&self, first: usize, end: usize) -> i32 {
        let (expected, weight) = self.sum(first, end);
        mean(expected, weight)
    }

    /// Ranks of the blocks, and what holds for the whole page: mean, highest answer, expected words, best F1.
    fn rank(&mut self) {
        let (expected, weight) = self.sum(0, self.answers.len());
        let mut order: Vec<usize> = (0..self.answers.len()).collect();
        order.sort_by_key(|index| std::cmp::Reverse(self.answers.get(*index).copied().unwrap_or(0)));
        let (mut taken, mut found, mut best) = (0, 0, 0);
        for index in order {
            let own = self.sum(index, index + 1);
            (found, taken) = (found + own.0, taken + own.1);
            best = best.max(2 * found * 1_024 / (taken * ONE + expected).max(1));
            if let Some(rank) = self.ranks.get_mut(index) {
                *rank = (taken * 1_024 / weight.max(1)) as i32;
            }
        }
        let highest = self.answers.iter().copied().max().unwrap_or(0);
        self.page_values = [
            mean(expected, weight),
            (i64::from(highest) * 1_024 / ONE) as i32,
            (expected / ONE).min(5_000) as i32,
            best as i32,
        ];
    }

    fn answer(&self, index: Option<usize>) -> i32 {
        let answer = index.and_then(|index| self.answers.get(index));
        answer.map_or(NOTHING, |answer| (i64::from(*answer) * 1_024 / ONE) as i32)
    }

    /// Appends the features of block `index`.
    pub(crate) fn row(&self, index: usize, out: &mut impl Features) {
        let Some(block) = self.page.blocks.get(index) else {
            return;
        };
        out.push(self.answer(Some(index)));
        for back in [3, 2, 1] {
            out.push(self.answer(index.checked_sub(back)));
        }
        for ahead in [1, 2, 3] {
            out.push(self.answer(Some(index + ahead)));
        }
        for reach in [2, 5, 12] {
            out.push(self.mean(index.saturating_sub(reach), index + reach + 1));
        }
        self.containers(index, block, out);
        out.extend(self.page_values);
        out.push(self.ranks.get(index).copied().unwrap_or(0));
        let group = self
            .groups
            .get(&ground_key(self.page, block))
            .copied()
            .unwrap_or_default();
        out.push(mean(group.0, group.1));
        let (all, _) = self.sum(0, self.answers.len());
        for (first, end) in [(0, index), (index + 1, self.answers.len())] {
            out.push((self.sum(first, end).0 * 1_024 / all.max(1)) as i32);
        }
        self.section(index, out);
        out.push(self.before.get(index).copied().unwrap_or(FAR));
        out.push(self.after.get(index).copied().unwrap_or(FAR));
        self.islands.row(index, out);
    }

    /// Means of the containers around a block without itself, and the level that holds four fifths of the page.
    fn containers(&self, index: usize, block: &Block, out: &mut impl Features) {
        let own = self.sum(index, index + 1);
        let (all, _) = self.sum(0, self.answers.len());
        let mut holder = FAR;
        let mut next = block.container;
        for level in 0..40 {
            let Some(container) = self.page.container(next) else {
                if level >= LEVELS {
                    break;
                }
                out.push(NOTHING);
                continue;
            };
            let (expected, weight) = self.sum(container.first as usize, container.end as usize);
            if level < LEVELS {
                let others = weight - own.1;
                out.push(if others > 0 {
                    mean(expected - own.0, others)
                } else {
                    mean(own.0, own.1)
                });
            }
            if holder == FAR && expected * 5 >= all * 4 {
                holder = level as i32;
            }
            next = container.parent;
        }
        out.push(holder);
    }

    /// The heading before, and the mean of the section: of its blocks for a heading, with it for a block.
    fn section(&self, index: usize, out: &mut impl Features) {
        let (start, end) = self.sections.get(index).copied().unwrap_or((u32::MAX, 0));
        let (start, end) = (start as usize, end as usize);
        match start.cmp(&index) {
            Ordering::Equal => {
                let before = index.checked_sub(1).and_then(|at| self.sections.get(at));
                out.push(self.answer(before.map(|found| found.0 as usize)));
                out.push(self.mean(index + 1, end.min(index + SECTION_BLOCKS)));
                out.push(NOTHING);
            }
            Ordering::Less => out.extend([self.answer(Some(start)), NOTHING, self.mean(start, end)]),
            Ordering::Greater => out.extend([NOTHING; 3]),
        }
    }
}

/// Per block the range from the last heading at or before it to the next one; `u32::MAX` before the first.
fn sections(page: &Page) -> Vec<(u32, u32)> {
    let heading = |block: &Block| {
        page.container(block.container)
            .is_some_and(|container| container.tag.is_heading())
    };
    let mut out: Vec<(u32, u32)> = vec![];
    let mut start = u32::MAX;
    for (index, block) in page.blocks.iter().enumerate() {
        if heading(block) {
            start = index as u32;
        }
        out.push((start, 0));
    }
    let mut end = page.blocks.len() as u32;
    for (index, slot) in out.iter_mut().enumerate().rev() {
        slot.1 = end;
        if slot.0 == index as u32 {
            end = slot.0;
        }
    }
    out
}

/// Blocks since the last sure one.
fn distances<'a>(answers: impl Iterator<Item = &'a u32>) -> Vec<i32> {
    let mut distance = FAR;
    let mut out = vec![];
    for answer in answers {
        out.push(distance);
        distance = if *answer > SURE {
            1
        } else {
            (distance + 1).min(FAR)
        };
    }
    out
}

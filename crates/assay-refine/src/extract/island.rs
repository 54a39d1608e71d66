//! Islands: stretches of a page where the first model's answers are high, and how a block lies to the greatest.
//!
//! The main text of an article is one stretch; teasers and comments are others, behind a strait of links and labels. A few
//! low blocks, such as a picture or an advertisement, do not part an island.

use super::mark;
use super::page::Page;
use super::rows::Features;

/// Answers from here on are land.
const LAND: u32 = 32_768;
/// Blocks below [`LAND`] in a row that part two islands.
const STRAIT: usize = 4;
/// Distances in words end here.
const WORDS_FAR: i64 = 5_000;
const NONE: i32 = -1;

/// One stretch of blocks.
#[derive(Clone, Copy, Debug, Default)]
struct Island {
    first: usize,
    end: usize,
    /// Words times answer in 1/65,536.
    expected: i64,
}

/// The islands of one page.
pub(crate) struct Islands {
    all: Vec<Island>,
    /// The one with most expected words.
    greatest: Option<usize>,
    /// Per block its island.
    owner: Vec<Option<u32>>,
    /// Words and linked characters before each block.
    words: Vec<i64>,
    links: Vec<i64>,
    constants: [i32; 4],
}

impl Islands {
    /// Finds the islands; one answer a block.
    pub(crate) fn new(page: &Page, answers: &[u32]) -> Islands {
        let mut found = Islands {
            all: vec![],
            greatest: None,
            owner: vec![None; page.blocks.len()],
            words: vec![0],
            links: vec![0],
            constants: [0; 4],
        };
        let (mut words, mut links, mut total, mut comments) = (0, 0, 0, 0);
        for (index, (block, answer)) in page.blocks.iter().zip(answers).enumerate() {
            words += i64::from(block.measure.words);
            links += i64::from(block.link_characters);
            found.words.push(words);
            found.links.push(links);
            let expected = i64::from(block.measure.words) * i64::from(*answer);
            total += expected;
            comments += if block.marks & mark::COMMENT == 0 {
                0
            } else {
                expected
            };
            if *answer >= LAND {
                found.land(index, expected);
            }
        }
        for (number, island) in (0_u32..).zip(&found.all) {
            for owner in found.owner.get_mut(island.first..island.end).unwrap_or_default() {
                *owner = Some(number);
            }
        }
        let numbered = found.all.iter().enumerate();
        found.greatest = numbered
            .max_by_key(|(at, island)| (island.expected, std::cmp::Reverse(*at)))
            .map(|(at, _)| at);
        let greatest = found.greatest();
        let others = found.all.iter().filter(|island| island.first != greatest.first);
        let second = others.map(|island| island.expected).max().unwrap_or(0);
        found.constants = [
            found.all.len().min(200) as i32,
            share(greatest.expected, total),
            share(second, greatest.expected),
            share(comments, total),
        ];
        found
    }

    /// Block `index` is land: it belongs to the last island unless a strait lies between.
    fn land(&mut self, index: usize, expected: i64) {
        match self.all.last_mut() {
            Some(last) if index < last.end + STRAIT => {
                last.end = index + 1;
                last.expected += expected;
            }
            _ => self.all.push(Island {
                first: index,
                end: index + 1,
                expected,
            }),
        }
    }

    fn greatest(&self) -> Island {
        self.greatest
            .and_then(|at| self.all.get(at))
            .copied()
            .unwrap_or_default()
    }

    /// Appends the features of block `index`.
    pub(crate) fn row(&self, index: usize, out: &mut impl Features) {
        out.extend(self.constants);
        let greatest = self.greatest();
        if greatest.end == 0 {
            out.extend([NONE; 6]);
            return;
        }
        let (side, from, to) = if index < greatest.first {
            (0, index + 1, greatest.first)
        } else if index < greatest.end {
            (1, index, index)
        } else {
            (2, greatest.end, index)
        };
        let between = |sums: &[i64]| {
            let at = |index: usize| sums.get(index).copied().unwrap_or(0);
            (at(to) - at(from)).min(WORDS_FAR) as i32
        };
        let own = self.owner.get(index).copied().flatten();
        let island = own.and_then(|own| self.all.get(own as usize));
        let apart = own.map_or(NONE, |own| {
            (own as usize).abs_diff(self.greatest.unwrap_or(0)).min(100) as i32
        });
        out.extend([
            side,
            between(&self.words),
            between(&self.links),
            island.map_or(NONE, |island| share(island.expected, greatest.expected)),
            apart,
            island.map_or(NONE, |island| (index - island.first).min(500) as i32),
        ]);
    }
}

fn share(part: i64, whole: i64) -> i32 {
    super::feature::permille(part, whole).min(10_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::walk::{Scope, walk};
    use crate::html::{ParseLimits, parse};

    fn islands(answers: &[u32]) -> Vec<Vec<i32>> {
        let html = "<p>one two".repeat(answers.len());
        let page = walk(&parse(&html, &ParseLimits::default()).unwrap(), Scope::All);
        let islands = Islands::new(&page, answers);
        let row = |index| {
            let mut row = vec![];
            islands.row(index, &mut row);
            row
        };
        (0..answers.len()).map(row).collect()
    }

    #[test]
    fn a_strait_parts_and_a_gap_does_not() {
        const HIGH: u32 = 65_536;
        let rows = islands(&[HIGH, 0, HIGH, 0, 0, 0, 0, HIGH]);
        // Two islands; the greater one holds two thirds, the other is half of it.
        assert_eq!(rows[0][..4], [2, 666, 500, 0]);
        let sides: Vec<i32> = rows.iter().map(|row| row[4]).collect();
        assert_eq!(sides, [1, 1, 1, 2, 2, 2, 2, 2]);
        // Eight words of water lie before the last block, which is an island of half the size, one further on.
        assert_eq!(rows[7][5..], [8, 0, 500, 1, 0]);
        assert_eq!(rows[5][7..], [NONE; 3]);
        assert_eq!(islands(&[HIGH, 0, 0, 0, HIGH])[0][0], 1);
    }

    #[test]
    fn a_page_below_water_has_no_island() {
        assert_eq!(
            islands(&[0, 1])[1],
            [0, 0, 0, 0, NONE, NONE, NONE, NONE, NONE, NONE]
        );
    }
}

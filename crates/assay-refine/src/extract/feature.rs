//! Integer features of the blocks of a page, for the models in `model.rs`.
//!
//! Everything is a count, a share in thousandths or a bit; sums over containers come from prefix sums, so that
//! the whole is linear in blocks and containers (times a constant number of levels).

use std::collections::BTreeMap;

use super::focus::Focus;
use super::lexicon::{self, TOPICS};
use super::mark;
use super::page::{Block, Container, NO_CONTAINER, Page, kind};
use super::rows::Features;
use super::sum::Sum;
use super::title::Title;
use super::words::hash_text;
use crate::html::Tag;

/// `part` of `whole` in thousandths; 0 of 0 is 0.
pub(crate) fn permille(part: i64, whole: i64) -> i32 {
    if whole <= 0 {
        0
    } else {
        (part.saturating_mul(1000) / whole).clamp(-1, 100_000) as i32
    }
}

/// A small number for the kind of element a block stands in; neighbours in meaning have neighbouring numbers.
fn tag_code(tag: Tag) -> i32 {
    match tag {
        Tag::P => 0,
        Tag::Pre => 1,
        Tag::Blockquote => 2,
        Tag::H1 => 3,
        Tag::H2 => 4,
        Tag::H3 => 5,
        Tag::H4 | Tag::H5 | Tag::H6 => 6,
        Tag::Dt => 7,
        Tag::Dd => 8,
        Tag::Tr | Tag::Td | Tag::Th => 9,
        Tag::Figcaption | Tag::Caption | Tag::Figure => 10,
        Tag::Article => 11,
        Tag::Section => 12,
        Tag::Div => 13,
        Tag::Li => 14,
        Tag::Ul | Tag::Ol => 15,
        Tag::Header => 16,
        Tag::Footer => 17,
        Tag::Button | Tag::Form => 18,
        _ => 19,
    }
}

/// Counts of blocks or containers that look alike.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    count: i64,
    words: i64,
    link_characters: i64,
    characters: i64,
}

/// The features' common ground: everything computed once per page.
pub(crate) struct Ground<'a> {
    page: &'a Page,
    /// `sums[i]` covers blocks before `i`.
    sums: Vec<Sum>,
    /// Siblings with the same signature, per container.
    repeats: Vec<u32>,
    /// Block groups by (signature, parent's signature).
    groups: BTreeMap<(u32, u32), Group>,
    /// How often a block's text occurs, by its hash.
    copies: BTreeMap<u64, u32>,
    /// Containers on the way to the one that still holds half, and four fifths, of the prose.
    core: [Vec<u32>; 2],
    /// Block index of the first `h1`.
    h1: i64,
    constants: Vec<i32>,
    title: Title,
    /// Topics per block.
    topics: Vec<u32>,
    focus: Focus<'a>,
}

/// A block of at most this many words labels what follows, for this many blocks.
const LABEL_WORDS: u32 = 6;
const LABEL_BLOCKS: usize = 10;
/// Ancestors looked at, the own container included.
const LEVELS: usize = 4;
/// Levels up to which repetition is looked for.
const REPEAT_LEVELS: usize = 7;

impl<'a> Ground<'a> {
    pub(crate) fn new(page: &'a Page) -> Ground<'a> {
        let topics: Vec<u32> = page
            .blocks
            .iter()
            .map(|block| lexicon::topics(page.block_text(block)))
            .collect();
        let sums = prefix_sums(page);
        let focus = Focus::new(page, &sums, &topics);
        let mut ground = Ground {
            page,
            sums,
            repeats: repeats(page),
            groups: BTreeMap::new(),
            copies: BTreeMap::new(),
            core: [vec![], vec![]],
            h1: -1,
            constants: vec![],
            title: Title::new(page.title.as_deref()),
            topics,
            focus,
        };
        for (index, block) in page.blocks.iter().enumerate() {
            if ground.h1 < 0 && tag_of(page, block.container) == Tag::H1 {
                ground.h1 = index as i64;
            }
            *ground
                .copies
                .entry(hash_text(page.block_text(block)))
                .or_default() += 1;
            let group = ground.groups.entry(ground_key(page, block)).or_default();
            group.count += 1;
            group.words += i64::from(block.measure.words);
            group.characters += i64::from(block.measure.characters);
            group.link_characters += i64::from(block.link_characters);
        }
        ground.core = [ground.core_path(500), ground.core_path(800)];
        ground.constants = ground.constants();
        ground
    }

    /// Where title and body stand.
    #[cfg(test)]
    pub(super) fn focus(&self) -> &Focus<'a> {
        &self.focus
    }

    fn tag(&self, container: u32) -> Tag {
        tag_of(self.page, container)
    }

    fn sum(&self, first: u32, end: u32) -> Sum {
        let at = |index: u32| self.sums.get(index as usize).copied().unwrap_or_default();
        at(end).plus(at(first.min(end)), -1)
    }

    fn total(&self) -> Sum {
        self.sums.last().copied().unwrap_or_default()
    }

    /// Goes down from the outermost container as long as one child holds `share` thousandths of the prose.
    fn core_path(&self, share: i64) -> Vec<u32> {
        let whole = self.total().prose;
        let mut path: Vec<u32> = vec![];
        if whole == 0 {
            return path;
        }
        for (index, container) in self.page.containers.iter().enumerate() {
            let parent = path.last().copied().unwrap_or(NO_CONTAINER);
            let holds = self.sum(container.first, container.end).prose * 1000 >= share * whole;
            if container.parent == parent && holds {
                path.push(index as u32);
            }
        }
        path
    }

    /// Features all blocks of the page share.
    fn constants(&self) -> Vec<i32> {
        let (page, total) = (self.page, self.total());
        let words = |bit: u64| {
            let marked = page.blocks.iter().filter(|block| block.marks & bit != 0);
            marked.map(|block| i64::from(block.measure.words)).sum::<i64>()
        };
        let articles = page
            .containers
            .iter()
            .filter(|container| container.tag == Tag::Article)
            .count();
        let shares = [
            total.words.min(100_000) as i32,
            permille(total.prose, total.words),
            permille(total.link_characters, total.characters),
            total.blocks.min(20_000) as i32,
            permille(words(mark::TAG_MAIN), total.words),
            permille(words(mark::TAG_ARTICLE), total.words),
            articles.min(1_000) as i32,
            permille(total.stops, total.words),
            permille(total.function_words, total.words),
            permille(total.headings, total.blocks),
            permille(total.images, total.blocks),
            permille(words(mark::TAG_TABLE), total.words),
            permille(words(mark::TAG_PRE), total.words),
            permille(words(1 << 23), total.words),
            permille(words(mark::FORUM), total.words),
            permille(words(mark::COMMENT), total.words),
            self.repeats.iter().copied().max().unwrap_or(0).min(1_000) as i32,
            page.blocks
                .iter()
                .map(|block| block.measure.words)
                .max()
                .unwrap_or(0)
                .min(5_000) as i32,
        ];
        let kinds = (0..kind::COUNT).map(|bit| (page.kinds >> bit & 1) as i32);
        shares.into_iter().chain(kinds).collect()
    }

    /// The container of a block and its ancestors, [`LEVELS`] of them.
    fn ancestors(&self, block: &Block) -> impl Iterator<Item = (u32, &'a Container)> + use<'a> {
        let page = self.page;
        let first = page
            .container(block.container)
            .map(|found| (block.container, found));
        std::iter::successors(first, |(_, below)| {
            page.container(below.parent).map(|found| (below.parent, found))
        })
    }

    /// Appends the features of block `index`, in the order of [`names`].
    pub(crate) fn row(&self, index: usize, out: &mut impl Features) {
        let Some(block) = self.page.blocks.get(index) else {
            return;
        };
        self.own(block, out);
        self.position(index, out);
        self.neighbours(index, out);
        self.surroundings(block, out);
        self.alike(block, out);
        self.core_relation(index, out);
        bits(block.marks, out);
        let near = self
            .ancestors(block)
            .take(3)
            .fold(0, |bits, (_, container)| bits | container.own);
        bits(near, out);
        let own = self
            .page
            .container(block.container)
            .map_or(0, |container| container.own);
        bits(own, out);
        out.extend(self.constants.iter().copied());
        self.topics(index, block, out);
        self.focus.row(index, out);
    }

    /// Topics of the block and of the label before it, quotes, and how the text ends.
    fn topics(&self, index: usize, block: &Block, out: &mut impl Features) {
        let label = (0..index).rev().take(LABEL_BLOCKS).find(|at| {
            self.page
                .blocks
                .get(*at)
                .is_some_and(|block| (1..=LABEL_WORDS).contains(&block.measure.words))
        });
        for at in [Some(index), label] {
            let topics = at.and_then(|at| self.topics.get(at)).copied().unwrap_or(0);
            out.extend((0..TOPICS).map(|bit| (topics >> bit & 1) as i32));
        }
        let text = self.page.block_text(block);
        out.extend(self.page.quoted.iter().map(|quoted| quoted.share(text)));
        let end = match text.chars().next_back() {
            Some(':') => 1,
            Some('…') => 2,
            Some('?') => 3,
            Some('.') if text.ends_with("...") => 2,
            Some('.' | '!') => 4,
            _ => 0,
        };
        let start = text.chars().next().map_or(0, |c| {
            i32::from(c.is_uppercase()) + 2 * i32::from(c.is_lowercase())
        });
        out.extend([end, start]);
    }

    fn own(&self, block: &Block, out: &mut impl Features) {
        let m = &block.measure;
        let words = i64::from(m.words);
        let text = self.page.block_text(block);
        let title = self.title.is_shared_by(text);
        out.extend([
            m.words.min(1_000) as i32,
            permille(m.characters.into(), words * 100),
            permille(block.link_characters.into(), m.characters.into()),
            i32::from(block.links),
            m.stops.min(100) as i32,
            m.commas.min(100) as i32,
            permille(m.function_words.into(), words),
            permille(m.digits.into(), m.characters.into()),
            permille(m.capitals.into(), words),
            m.bars.min(50) as i32,
            m.ends_sentence.into(),
            tag_code(self.tag(block.container)),
            block.item.into(),
            block.preformatted.into(),
            block.row.into(),
            i32::from(block.inlines),
            i32::from(block.images),
            self.copies.get(&hash_text(text)).copied().unwrap_or(1).min(100) as i32,
            i32::from(title) * if text.len() > 20 { 2 } else { 1 },
        ]);
    }

    fn position(&self, index: usize, out: &mut impl Features) {
        let total = self.total();
        let before = self.sums.get(index).copied().unwrap_or_default();
        let from_h1 = if self.h1 < 0 {
            -1_000
        } else {
            index as i64 - self.h1
        };
        out.extend([
            permille(before.words, total.words),
            permille(before.prose, total.prose),
            permille(before.blocks, total.blocks),
            index.min(1_000) as i32,
            from_h1.clamp(-1_000, 1_000) as i32,
            (total.prose - before.prose).min(5_000) as i32,
        ]);
    }

    fn neighbours(&self, index: usize, out: &mut impl Features) {
        for offset in [-2_i64, -1, 1, 2] {
            let at = usize::try_from(index as i64 + offset).ok();
            let block = at.and_then(|at| self.page.blocks.get(at));
            out.extend(block.map_or([-1; 4], |block| {
                [
                    block.measure.words.min(1_000) as i32,
                    permille(block.link_characters.into(), block.measure.characters.into()),
                    tag_code(self.tag(block.container)),
                    block.measure.stops.min(100) as i32,
                ]
            }));
        }
        let low = index.saturating_sub(6) as u32;
        for (first, end) in [(low, index as u32), (index as u32 + 1, index as u32 + 7)] {
            let sum = self.sum(first, end.min(self.page.blocks.len() as u32));
            out.extend([
                sum.words.min(5_000) as i32,
                permille(sum.link_characters, sum.characters),
                permille(sum.prose, sum.words),
            ]);
        }
        let heading = (0..index).rev().take(20).find_map(|at| {
            let block = self.page.blocks.get(at)?;
            let tag = self.tag(block.container);
            tag.is_heading()
                .then_some((index - at, tag_code(tag), block.measure.words))
        });
        let (distance, level, words) = heading.unwrap_or((99, 9, 0));
        out.extend([distance as i32, level, words.min(100) as i32]);
    }

    fn surroundings(&self, block: &Block, out: &mut impl Features) {
        let total = self.total();
        let level = self
            .page
            .container(block.container)
            .map_or(0, |container| container.level);
        out.push(i32::from(level));
        let mut ancestors = self.ancestors(block);
        for _ in 0..LEVELS {
            let Some((_, container)) = ancestors.next() else {
                out.extend([-1; 10]);
                continue;
            };
            let sum = self.sum(container.first, container.end);
            out.extend([
                sum.words.min(50_000) as i32,
                sum.blocks.min(5_000) as i32,
                permille(sum.link_characters, sum.characters),
                permille(sum.prose, sum.words),
                permille(sum.words, total.words),
                permille(sum.prose, total.prose),
                permille(sum.words, sum.blocks * 100),
                permille(sum.stops, sum.words),
                permille(sum.function_words, sum.words),
                tag_code(container.tag),
            ]);
        }
    }

    fn alike(&self, block: &Block, out: &mut impl Features) {
        let mut repeats = [0_i32; REPEAT_LEVELS];
        for (slot, (index, _)) in repeats.iter_mut().zip(self.ancestors(block)) {
            *slot = self.repeats.get(index as usize).copied().unwrap_or(0).min(1_000) as i32;
        }
        let most = repeats
            .iter()
            .copied()
            .enumerate()
            .max_by_key(|(at, count)| (*count, std::cmp::Reverse(*at)));
        let (at, count) = most.unwrap_or((0, 0));
        let unit = self
            .ancestors(block)
            .nth(at)
            .map(|(_, container)| self.sum(container.first, container.end));
        let unit = unit.unwrap_or_default();
        out.extend(repeats.into_iter().take(3));
        out.extend([
            count,
            at as i32,
            unit.words.min(5_000) as i32,
            unit.prose.min(5_000) as i32,
            permille(unit.link_characters, unit.characters),
        ]);
        let group = self
            .groups
            .get(&ground_key(self.page, block))
            .copied()
            .unwrap_or_default();
        out.extend([
            group.count.min(5_000) as i32,
            permille(group.words, group.count * 100),
            permille(group.link_characters, group.characters),
        ]);
    }

    fn core_relation(&self, index: usize, out: &mut impl Features) {
        for path in &self.core {
            let inside = |at: &u32| {
                self.page
                    .container(*at)
                    .is_some_and(|c| c.first as usize <= index && index < c.end as usize)
            };
            let shared = path.iter().take_while(|at| inside(at)).count();
            let last = path.last().and_then(|at| self.page.container(*at));
            let sum = last
                .map(|container| self.sum(container.first, container.end))
                .unwrap_or_default();
            out.extend([
                (path.len() - shared) as i32,
                permille(sum.prose, sum.words),
                permille(sum.words, self.total().words),
                last.map_or(0, |container| {
                    (container.own & (mark::TAG_MAIN | mark::TAG_ARTICLE) != 0).into()
                }),
            ]);
        }
    }
}

fn tag_of(page: &Page, container: u32) -> Tag {
    page.container(container)
        .map_or(Tag::Root, |container| container.tag)
}

/// Sums over the blocks before each block, and over all.
fn prefix_sums(page: &Page) -> Vec<Sum> {
    let own = page
        .blocks
        .iter()
        .map(|block| Sum::of(block, tag_of(page, block.container).is_heading()));
    let sums = own.scan(Sum::default(), |sum, own| {
        *sum = sum.plus(own, 1);
        Some(*sum)
    });
    std::iter::once(Sum::default()).chain(sums).collect()
}

fn bits(marks: u64, out: &mut impl Features) {
    out.extend((0..64).map(|bit| (marks >> bit & 1) as i32));
}

/// What makes two blocks of the same template.
pub(crate) fn ground_key(page: &Page, block: &Block) -> (u32, u32) {
    let container = page.container(block.container);
    let parent = container.and_then(|container| page.container(container.parent));
    (
        container.map_or(0, |container| container.signature),
        parent.map_or(0, |parent| parent.signature),
    )
}

/// Per container: siblings that share its signature, itself included.
fn repeats(page: &Page) -> Vec<u32> {
    let mut counts: BTreeMap<(u32, u32), u32> = BTreeMap::new();
    for container in &page.containers {
        *counts.entry((container.parent, container.signature)).or_default() += 1;
    }
    let count = |container: &Container| counts.get(&(container.parent, container.signature)).copied();
    page.containers
        .iter()
        .map(|container| count(container).unwrap_or(0))
        .collect()
}

//! Where the main run of paragraphs and the title of a page stand, and how a block lies to them.
//!
//! Readers find an article by two things: one element that holds most paragraphs, and the headline above it. Comments, teasers
//! and tickers are prose too, but lie outside both. Here these places are found once a page; the features of a block
//! are levels and words between it and them. Linear in blocks times a constant number of levels.

use super::mark;
use super::page::{Block, Container, NO_CONTAINER, Page};
use super::rows::Features;
use super::sum::{Sum, is_prose};
use crate::html::Tag;

/// Levels walked up from a block to what it shares with a place.
const LEVELS_MAX: i32 = 24;
/// Blocks a heading reaches; blocks of a run that are counted on each side.
const HEADING_BLOCKS: usize = 20;
const RUN_BLOCKS: usize = 30;
/// Distances in words and blocks end here.
const WORDS_FAR: i64 = 5_000;
const BLOCKS_FAR: i64 = 500;
/// Words of a title and of a headline that are compared.
const TITLE_WORDS: usize = 40;
/// A block of at most this many words may label a container; topics looked at: related, subscribe, share, comments, menus, photos.
const LABEL_WORDS: u32 = 8;
const LABEL_TOPICS: [u32; 6] = [0, 1, 2, 3, 8, 12];
/// No such place, or too far.
const NONE: i32 = -1;

/// The places of one page.
pub(crate) struct Focus<'a> {
    page: &'a Page,
    /// `sums[i]` covers blocks before `i`; `quiet` the same without blocks marked as comments.
    sums: Vec<Sum>,
    quiet: Vec<i64>,
    /// Paragraph words per container: twice its own, once those of its children.
    scores: Vec<i64>,
    /// The container with the highest score, if any.
    body: u32,
    /// The block that repeats the document's title.
    title: Option<usize>,
    /// The innermost container that holds both.
    scope: u32,
    constants: [i32; 8],
    around: Vec<Around>,
    /// Per block the last heading before it, and where its run of one template starts and ends.
    headings: Vec<Option<usize>>,
    runs: Vec<(usize, usize)>,
}

/// What holds for all blocks of a container.
#[derive(Clone, Copy, Debug, Default)]
struct Around {
    /// Levels up to what holds the body, the title and both.
    levels: [i32; 3],
    /// Topics of the labels inside the containers around, and of those before them.
    inside: u32,
    before: u32,
}

/// The container that a block's paragraph belongs to: the parent of an element that is itself only a paragraph.
fn holder(page: &Page, block: &Block) -> u32 {
    let own = page.container(block.container);
    match own {
        Some(own) if matches!(own.tag, Tag::P | Tag::Pre | Tag::Blockquote) || own.end - own.first == 1 => {
            own.parent
        }
        _ => block.container,
    }
}

impl<'a> Focus<'a> {
    /// Finds the places; `sums` are the page's prefix sums.
    pub(crate) fn new(page: &'a Page, sums: &[Sum], topics: &[u32]) -> Focus<'a> {
        let mut focus = Focus {
            page,
            sums: sums.to_vec(),
            quiet: vec![0],
            scores: vec![0; page.containers.len()],
            body: NO_CONTAINER,
            title: title_block(page),
            scope: NO_CONTAINER,
            constants: [0; 8],
            around: vec![],
            headings: headings(page),
            runs: runs(page),
        };
        let mut quiet = 0;
        for block in &page.blocks {
            let words = i64::from(block.measure.words);
            if is_prose(block) {
                quiet += if block.marks & mark::COMMENT == 0 {
                    words
                } else {
                    0
                };
                focus.credit(holder(page, block), words);
            } else if block.link_characters * 3 <= block.measure.characters {
                focus.credit(holder(page, block), words / 2);
            }
            focus.quiet.push(quiet);
        }
        let best = (0_u32..)
            .zip(&focus.scores)
            .max_by_key(|(index, score)| (**score, std::cmp::Reverse(*index)));
        focus.body = best
            .filter(|(_, score)| **score > 0)
            .map_or(NO_CONTAINER, |(index, _)| index);
        focus.scope = focus.common(focus.body, focus.title);
        focus.constants = focus.page_values(sums);
        focus.around = focus.surroundings(topics);
        focus
    }

    fn credit(&mut self, holder: u32, words: i64) {
        let above = self
            .page
            .container(holder)
            .map_or(NO_CONTAINER, |container| container.parent);
        for (at, times) in [(holder, 2), (above, 1)] {
            if let Some(score) = self.scores.get_mut(at as usize) {
                *score += times * words;
            }
        }
    }

    /// The innermost ancestor of `container` that holds `block`.
    fn common(&self, container: u32, block: Option<usize>) -> u32 {
        let Some(block) = block else { return container };
        let mut at = container;
        while let Some(found) = self.page.container(at) {
            if holds(found, block) {
                return at;
            }
            at = found.parent;
        }
        NO_CONTAINER
    }

    /// What all blocks share: strength of the body, of the runner-up outside it, comments, order of title and body.
    fn page_values(&self, sums: &[Sum]) -> [i32; 8] {
        let total = sums.last().copied().unwrap_or_default();
        let body = self.page.container(self.body);
        let inside = |container: &Container| {
            body.is_some_and(|body| container.first < body.end && body.first < container.end)
        };
        let best = self.scores.get(self.body as usize).copied().unwrap_or(0);
        let others = self.page.containers.iter().zip(&self.scores);
        let second = others
            .filter(|(container, _)| !inside(container))
            .map(|(_, score)| *score)
            .max();
        let quiet = self.quiet.last().copied().unwrap_or(0);
        let marked = |bits: u64| {
            let marked = self
                .page
                .containers
                .iter()
                .filter(|container| container.own & bits != 0);
            marked.count().min(500) as i32
        };
        let order = match (self.title, body) {
            (Some(title), Some(body)) if title < body.first as usize => 1,
            (Some(title), Some(body)) if title < body.end as usize => 2,
            (Some(_), Some(_)) => 3,
            _ => 0,
        };
        [
            (best / 2).min(WORDS_FAR) as i32,
            share(best / 2, total.prose),
            share(second.unwrap_or(0), best),
            quiet.min(WORDS_FAR) as i32,
            share(total.prose - quiet, total.prose),
            order,
            marked(mark::COMMENT),
            marked(1 << 13 | 1 << 36),
        ]
    }

    /// Appends the features of block `index`.
    pub(crate) fn row(&self, index: usize, out: &mut impl Features) {
        let Some(block) = self.page.blocks.get(index) else {
            return;
        };
        out.extend(self.constants);
        let [body, title, _] = self.places();
        for place in [body, title] {
            self.distance(index, place, out);
        }
        let around = self.around.get(block.container as usize).copied();
        let around = around.unwrap_or_else(|| self.outside());
        out.extend(around.levels);
        let own = holder(self.page, block);
        let score = |at: u32| self.scores.get(at as usize).copied().unwrap_or(0);
        out.push(share(score(own), score(self.body)));
        let above = self
            .page
            .container(own)
            .map_or(NO_CONTAINER, |container| container.parent);
        out.push(share(score(above), score(self.body)));
        out.push(self.quiet.get(index).copied().unwrap_or(0).min(WORDS_FAR) as i32);
        self.heading(index, out);
        self.run(index, out);
        for bit in LABEL_TOPICS {
            out.push((around.inside >> bit & 1) as i32);
            out.push((around.before >> bit & 1) as i32);
        }
    }

    /// Side of a place (before, in, after) and the words, linked characters and blocks between.
    fn distance(&self, index: usize, place: Option<(usize, usize)>, out: &mut impl Features) {
        let Some((first, end)) = place else {
            out.extend([NONE; 4]);
            return;
        };
        let (side, from, to) = if index < first {
            (0, index + 1, first)
        } else if index < end {
            (1, index, index)
        } else {
            (2, end, index)
        };
        let between = self.sum(from, to);
        out.extend([
            side,
            between.words.min(WORDS_FAR) as i32,
            between.link_characters.min(WORDS_FAR) as i32,
            between.blocks.min(BLOCKS_FAR) as i32,
        ]);
    }

    fn sum(&self, first: usize, end: usize) -> Sum {
        let at = |index: usize| self.sums.get(index).copied().unwrap_or_default();
        at(end).plus(at(first), -1)
    }

    /// The blocks of the body, of the title and of what holds both.
    fn places(&self) -> [Option<(usize, usize)>; 3] {
        let range = |at| {
            let container = self.page.container(at);
            container.map(|container| (container.first as usize, container.end as usize))
        };
        [
            range(self.body),
            self.title.map(|title| (title, title + 1)),
            range(self.scope),
        ]
    }

    /// What holds outside of all containers.
    fn outside(&self) -> Around {
        Around {
            levels: self.places().map(|place| if place.is_some() { 0 } else { NONE }),
            ..Around::default()
        }
    }

    /// What holds per container. Labels such as `Related` and `Comments` count below what holds the body or half of the page.
    fn surroundings(&self, topics: &[u32]) -> Vec<Around> {
        let (places, outside) = (self.places(), self.outside());
        let body = places[0].map_or(usize::MAX, |(first, _)| first);
        let half = self.sums.last().copied().unwrap_or_default().words / 2;
        let label = |index: Option<usize>| {
            let block = index.and_then(|index| self.page.blocks.get(index));
            let short = block.is_some_and(|block| block.measure.words <= LABEL_WORDS);
            let topics = index.and_then(|index| topics.get(index)).copied();
            topics.filter(|_| short).unwrap_or(0)
        };
        let mut all: Vec<Around> = vec![];
        for container in &self.page.containers {
            let mut around = all.get(container.parent as usize).copied().unwrap_or(outside);
            let (first, end) = (container.first as usize, container.end as usize);
            for (level, place) in around.levels.iter_mut().zip(places) {
                if let Some((from, to)) = place {
                    let holds = first <= from && to <= end;
                    *level = if holds { 0 } else { (*level + 1).min(LEVELS_MAX) };
                }
            }
            if holds(container, body) || self.sum(first, end).words > half {
                (around.inside, around.before) = (0, 0);
            } else {
                around.inside |= label(Some(first));
                around.before |= label(first.checked_sub(1));
            }
            all.push(around);
        }
        all
    }

    /// How much of the heading before a block is a link: headings of teasers are.
    fn heading(&self, index: usize, out: &mut impl Features) {
        let at = self.headings.get(index).copied().flatten();
        let near = at.filter(|at| index - at <= HEADING_BLOCKS);
        let heading = near.and_then(|at| self.page.blocks.get(at));
        out.push(heading.map_or(NONE, |heading| {
            share(heading.link_characters.into(), heading.measure.characters.into())
        }));
    }

    /// Blocks of the same template in a row before and after, and the words of them all.
    fn run(&self, index: usize, out: &mut impl Features) {
        let (start, end) = self.runs.get(index).copied().unwrap_or((index, index + 1));
        let back = (index - start).min(RUN_BLOCKS);
        let ahead = (end - index - 1).min(RUN_BLOCKS);
        out.extend([
            back as i32,
            ahead as i32,
            self.sum(index - back, index + ahead + 1).words.min(WORDS_FAR) as i32,
        ]);
    }
}

/// Per block the last heading before it.
fn headings(page: &Page) -> Vec<Option<usize>> {
    let mut last = None;
    let blocks = page.blocks.iter().enumerate();
    let before = blocks.map(|(index, block)| {
        let found = last;
        if page
            .container(block.container)
            .is_some_and(|container| container.tag.is_heading())
        {
            last = Some(index);
        }
        found
    });
    before.collect()
}

/// Per block start and end of the run of blocks in containers of its signature.
fn runs(page: &Page) -> Vec<(usize, usize)> {
    let mut out = vec![];
    let mut start = 0;
    for run in page
        .blocks
        .chunk_by(|left, right| signature(page, left) == signature(page, right))
    {
        let end = start + run.len();
        out.resize(end, (start, end));
        start = end;
    }
    out
}

fn signature(page: &Page, block: &Block) -> u32 {
    page.container(block.container)
        .map_or(0, |container| container.signature)
}

fn holds(container: &Container, block: usize) -> bool {
    container.first as usize <= block && block < container.end as usize
}

fn share(part: i64, whole: i64) -> i32 {
    super::feature::permille(part, whole).min(10_000)
}

/// Hashes of the words of a text, lower-cased (FNV-1a over code points).
fn word_hashes(text: &str, out: &mut Vec<u64>) {
    let step = |hash: u64, c: u32| (hash ^ u64::from(c)).wrapping_mul(0x0000_0100_0000_01b3);
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    out.clear();
    out.extend(words.take(TITLE_WORDS).map(|word| {
        if word.is_ascii() {
            let bytes = word.bytes().map(|byte| u32::from(byte.to_ascii_lowercase()));
            bytes.fold(0xcbf2_9ce4_8422_2325, step)
        } else {
            let lower = word.chars().flat_map(char::to_lowercase).map(u32::from);
            lower.fold(0xcbf2_9ce4_8422_2325, step)
        }
    }));
}

/// The block whose words are most of the document's title: a heading before other text, the higher the better.
fn title_block(page: &Page) -> Option<usize> {
    let (mut title, mut found) = (vec![], vec![]);
    word_hashes(page.title.as_deref()?, &mut title);
    let mut best: Option<((usize, u8), usize)> = None;
    for (index, block) in page.blocks.iter().enumerate() {
        let words = block.measure.words as usize;
        if words == 0 || words > title.len() + 4 || block.marks & (mark::TAG_NAV | mark::TAG_FOOTER) != 0 {
            continue;
        }
        word_hashes(page.block_text(block), &mut found);
        let common = found.iter().filter(|word| title.contains(word)).count();
        if common * 5 < found.len() * 4 || common * 2 < title.len() {
            continue;
        }
        let tag = page
            .container(block.container)
            .map_or(Tag::Root, |container| container.tag);
        let rank = (
            common,
            match tag {
                Tag::H1 => 3,
                Tag::H2 => 2,
                _ if tag.is_heading() => 1,
                _ => 0,
            },
        );
        if best.is_none_or(|(found, _)| rank > found) {
            best = Some((rank, index));
        }
    }
    best.map(|(_, index)| index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::feature::Ground;
    use crate::extract::walk::{Scope, walk};
    use crate::html::{ParseLimits, parse};

    const PAGE: &str = "<title>The river has risen - Town news</title><nav><a href=/>The river</a></nav><main><h1>The river has \
        risen</h1><div class=text><p>The river has risen again this week, and the town is waiting for the water to fall.</p>\
        <p>Nobody was hurt, said the mayor, and the schools will stay closed until the water has gone.</p></div></main>\
        <section><h3>Related</h3><ul><li><p>The bridge to the north is closed for repairs until the end of March.</p></li>\
        <li><p>A new school will be built on the hill above the old market.</p></li></ul></section>";

    fn page() -> Page {
        walk(&parse(PAGE, &ParseLimits::default()).unwrap(), Scope::All)
    }

    fn index(page: &Page, start: &str) -> usize {
        let found = page
            .blocks
            .iter()
            .position(|block| page.block_text(block).starts_with(start));
        found.expect(start)
    }

    #[test]
    fn title_and_body_are_found() {
        let page = page();
        let ground = Ground::new(&page);
        let focus = ground.focus();
        assert_eq!(focus.title, Some(index(&page, "The river has risen")));
        let (first, last) = (index(&page, "The river has risen again"), index(&page, "Nobody"));
        let body = page.container(focus.body).unwrap();
        assert_eq!(
            (body.tag, body.first as usize, body.end as usize),
            (Tag::Div, first, last + 1)
        );
        assert_eq!(page.container(focus.scope).unwrap().tag, Tag::Main);
    }

    #[test]
    fn a_teaser_lies_behind_the_body_under_its_label() {
        let page = page();
        let ground = Ground::new(&page);
        let side = 8;
        let labels = 8 + 8 + 3 + 2 + 1 + 1 + 3;
        let row = |start: &str| {
            let mut row = vec![];
            ground.focus().row(index(&page, start), &mut row);
            row
        };
        let teaser = row("A new school");
        assert_eq!(teaser.len(), labels + 2 * LABEL_TOPICS.len());
        assert_eq!((teaser[side], teaser[labels]), (2, 1), "{teaser:?}");
        let text = row("Nobody");
        assert_eq!((text[side], text[side + 1], text[labels]), (1, 0, 0), "{text:?}");
        assert_eq!(row("The river has risen")[side], 0);
    }

    #[test]
    fn a_page_without_prose_and_title_has_no_place() {
        let page = walk(&parse("<p>one", &ParseLimits::default()).unwrap(), Scope::All);
        let ground = Ground::new(&page);
        assert_eq!((ground.focus().title, ground.focus().body), (None, NO_CONTAINER));
        let mut row = vec![];
        ground.focus().row(0, &mut row);
        assert_eq!(row[8..16], [NONE; 8]);
    }
}

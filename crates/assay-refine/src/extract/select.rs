//! Chooses the blocks of a page that are main text, from the models' answers and the profile.
//!
//! The expected F1 of a set of blocks is highest when it holds exactly the blocks whose probability exceeds half of
//! that F1 itself; so a page that is sure of little is cut wide and a clear article is cut close. This is the
//! choice between a wide and a strict text, made per page.
//!
//! Comments under a text are no part of it and are kept apart; where the discussion is the text, as in a forum, they are the text.

use std::sync::LazyLock;

use super::context::Context;
use super::feature::Ground;
use super::mark;
use super::model::Scorer;
use super::page::{Block, Page, kind};
use super::rows::{LANES, Rows};
use super::run::Profile;
use super::{model_block, model_context};

/// The model for a block by itself, in the form it is asked in.
static BLOCK: LazyLock<Scorer> = LazyLock::new(|| Scorer::new(&model_block::MODEL));

/// The model for a block among those around it.
static CONTEXT: LazyLock<Scorer> = LazyLock::new(|| Scorer::new(&model_context::MODEL));

/// A probability in 1/65,536.
type Answer = u32;

/// Profile constants, all in 1/65,536 but `share`, which is the part of the best expected F1 in thousandths that
/// a block's answer must exceed.
struct Rule {
    share: u64,
    answer_min: Answer,
    answer_max: Answer,
}

/// From a grid over cross-validated answers (`docs/extraction.md`).
fn rule(profile: Profile) -> Rule {
    match profile {
        Profile::Balanced => Rule {
            share: 550,
            answer_min: 11_796,
            answer_max: 49_152,
        },
        Profile::Precision => Rule {
            share: 700,
            answer_min: 36_045,
            answer_max: 49_152,
        },
        Profile::Recall => Rule {
            share: 350,
            answer_min: 8_520,
            answer_max: 32_768,
        },
        Profile::Union => Rule {
            share: 150,
            answer_min: 6_554,
            answer_max: 16_384,
        },
    }
}

/// Blocks up to which the feature rows of the first model are kept for the second (1.5 kB a block).
const KEPT_ROWS: usize = 4_096;

/// Weight of the second model's answer, which knows the first one's, where that has one. From cross-validated answers
/// (`docs/extraction.md`).
const SECOND: Answer = 3;

/// The probability of each block to be main text: the weighted mean of both models.
pub(crate) fn answers(page: &Page) -> Vec<Answer> {
    let ground = Ground::new(page);
    let count = page.blocks.len();
    let is_kept = count <= KEPT_ROWS;
    let mut groups = vec![Rows::default(); if is_kept { count.div_ceil(LANES) } else { 1 }];
    let starts = || (0..count).step_by(LANES).enumerate();
    let blocks = |start: usize| (start..count.min(start + LANES)).enumerate();
    let mut first = Vec::with_capacity(count);
    for (at, start) in starts() {
        let Some(rows) = groups.get_mut(if is_kept { at } else { 0 }) else {
            continue;
        };
        for (lane, index) in blocks(start) {
            ground.row(index, &mut rows.lane(lane, 0));
        }
        first.extend(BLOCK.answers(rows.columns()).into_iter().take(count - start));
    }
    // As many for every block; the second model's come behind them.
    let own = groups.first().map_or(0, |rows| rows.columns().len());
    let context = Context::new(page, &first);
    let mut both = Vec::with_capacity(count);
    for (at, start) in starts() {
        let Some(rows) = groups.get_mut(if is_kept { at } else { 0 }) else {
            continue;
        };
        for (lane, index) in blocks(start) {
            if !is_kept {
                ground.row(index, &mut rows.lane(lane, 0));
            }
            context.row(index, &mut rows.lane(lane, own));
        }
        let seconds = CONTEXT.answers(rows.columns());
        let firsts = first.get(start..).unwrap_or_default();
        both.extend(
            seconds
                .iter()
                .zip(firsts)
                .map(|(second, first)| (first + SECOND * second) / (1 + SECOND)),
        );
    }
    both
}

/// The highest expected F1 of any set of blocks, in 1/65,536.
fn best_f1(page: &Page, answers: &[Answer]) -> u64 {
    let mut order: Vec<(Answer, u64)> = page
        .blocks
        .iter()
        .zip(answers)
        .map(|(block, answer)| (*answer, u64::from(block.measure.words)))
        .collect();
    order.sort_unstable_by_key(|(answer, words)| (std::cmp::Reverse(*answer), *words));
    let expected: u64 = order
        .iter()
        .map(|(answer, words)| u64::from(*answer) * words)
        .sum();
    let (mut taken, mut found, mut best) = (0, 0, 0);
    for (answer, words) in order {
        taken += words;
        found += u64::from(answer) * words;
        best = best.max((2 * found).saturating_mul(65_536) / (taken * 65_536 + expected).max(1));
    }
    best
}

/// Expected words outside comments from which on a page is a text that may have comments: with fewer, as on a page of an open
/// discussion, the comments are what people come for. From a grid over cross-validated answers; 40 and 80 do worse.
const TEXT_WORDS: u64 = 60;

/// Whether comments are what the page is: it calls itself a discussion, or it has a forum's class words and does not call itself an
/// article.
pub(crate) fn is_discussion(page: &Page) -> bool {
    let declared = page.kinds & (kind::ARTICLE | kind::OG_ARTICLE) != 0;
    page.kinds & kind::FORUM != 0
        || !declared && page.blocks.iter().any(|block| block.marks & mark::FORUM != 0)
}

/// Whether the page is a text with comments under it: no discussion, and enough is left without the comments.
fn has_text_beside_comments(page: &Page, answers: &[Answer]) -> bool {
    let outside = page
        .blocks
        .iter()
        .zip(answers)
        .filter(|(block, _)| block.marks & mark::COMMENT == 0);
    let expected: u64 = outside
        .map(|(block, answer)| u64::from(block.measure.words) * u64::from(*answer))
        .sum();
    expected >= TEXT_WORDS * 65_536 && !is_discussion(page)
}

/// A bar of links, or a label without a sentence in it.
pub(crate) fn is_furniture(block: &Block) -> bool {
    let measure = &block.measure;
    block.link_characters * 2 > measure.characters
        || block.marks & (mark::TAG_NAV | mark::TAG_FOOTER | mark::TAG_FORM | mark::TAG_BUTTON) != 0
}

/// Why a block is kept or cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Above the bar.
    Kept,
    /// At or below the bar.
    Low,
    /// Links or a label without a sentence, which `precision` does not take.
    Furniture,
    /// Above the bar, but a comment under a text: kept apart.
    Comment,
    /// Inside `noscript`, where something else was chosen; or the other way round.
    Noscript,
}

/// The choice on one page.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// The answer a block must exceed, 1/65,536.
    pub(crate) bar: Answer,
    /// Per block its answer and what became of it.
    pub(crate) blocks: Vec<(Answer, Verdict)>,
}

impl Choice {
    /// The chosen blocks, in document order.
    pub(crate) fn kept(&self) -> Vec<u32> {
        self.with(Verdict::Kept)
    }

    /// The comments kept apart, in document order.
    pub(crate) fn comments(&self) -> Vec<u32> {
        self.with(Verdict::Comment)
    }

    fn with(&self, wanted: Verdict) -> Vec<u32> {
        let numbered = (0_u32..).zip(&self.blocks);
        let found = numbered.filter(|(_, (_, verdict))| *verdict == wanted);
        found.map(|(index, _)| index).collect()
    }
}

/// Judges every block. `noscript` repeats what scripts draw: it counts only where nothing else is chosen. All profiles but
/// `union` keep the comments under a text apart.
pub(crate) fn choose(page: &Page, profile: Profile) -> Choice {
    choose_by(page, profile, &answers(page))
}

/// The choice by given answers, one a block.
fn choose_by(page: &Page, profile: Profile, answers: &[Answer]) -> Choice {
    let rule = rule(profile);
    let share = (best_f1(page, answers) * rule.share / 1_000) as Answer;
    let bar = share.clamp(rule.answer_min, rule.answer_max);
    let apart = profile != Profile::Union && has_text_beside_comments(page, answers);
    let judge = |noscript: bool| -> Vec<(Answer, Verdict)> {
        let judged = page.blocks.iter().zip(answers).map(|(block, answer)| {
            let verdict = if *answer <= bar {
                Verdict::Low
            } else if (block.marks & mark::NOSCRIPT != 0) != noscript {
                Verdict::Noscript
            } else if apart && block.marks & mark::COMMENT != 0 {
                Verdict::Comment
            } else if profile == Profile::Precision && is_furniture(block) {
                Verdict::Furniture
            } else {
                Verdict::Kept
            };
            (*answer, verdict)
        });
        judged.collect()
    };
    let mut blocks = judge(false);
    if blocks.iter().all(|(_, verdict)| *verdict != Verdict::Kept) {
        blocks = judge(true);
    }
    Choice { bar, blocks }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::walk::{Scope, walk};
    use crate::html::{ParseLimits, parse};

    const PAGE: &str = "<body><nav><ul><li><a href=/>Home</a><li><a href=/a>About us</a></ul></nav><main><article>\
        <h1>The river</h1><p>The river has risen again this week, and the town is waiting for the water to fall. \
        Nobody was hurt, said the mayor.</p><p>Schools will stay closed until Monday, because the roads to the \
        north are still under water and the bridge is not safe.</p></article></main><footer><p>© 2020 All rights \
        reserved. <a href=/p>Privacy</a></p></footer><noscript><p>Please enable scripts.</p></noscript>";

    fn chosen(profile: Profile) -> Vec<String> {
        let page = walk(&parse(PAGE, &ParseLimits::default()).unwrap(), Scope::All);
        let chosen = choose(&page, profile).kept();
        chosen
            .iter()
            .map(|index| page.block_text(&page.blocks[*index as usize])[..9].to_owned())
            .collect()
    }

    #[test]
    fn prose_stays_and_furniture_goes() {
        for profile in [Profile::Precision, Profile::Balanced] {
            let found = chosen(profile);
            assert!(
                found.ends_with(&["The river".into(), "Schools w".into()]),
                "{found:?}"
            );
            assert!(
                !found
                    .iter()
                    .any(|text| text.starts_with('©') || text.starts_with("About")),
                "{found:?}"
            );
        }
    }

    #[test]
    fn every_profile_holds_the_stricter_one() {
        let profiles = [
            Profile::Precision,
            Profile::Balanced,
            Profile::Recall,
            Profile::Union,
        ];
        for pair in profiles.map(chosen).windows(2) {
            assert!(pair[0].iter().all(|text| pair[1].contains(text)), "{pair:?}");
        }
    }

    /// A text of `sentences` sentences with a comment under it, in elements of the class words `list` and `item`.
    fn page_with_comments(head: &str, sentences: usize, list: &str, item: &str) -> Page {
        let text = "The river has risen again this week, and the town is waiting for the water to fall. "
            .repeat(sentences);
        let html = format!(
            "<head>{head}</head><body><main><article><h1>The river</h1><p>{text}</p></article><section class='{list}'>\
             <div class='{item}'><p>I have lived by the river for years, and the water has never been as high as it was \
             on Monday morning.</p></div></section></main></body>"
        );
        walk(&parse(&html, &ParseLimits::default()).unwrap(), Scope::All)
    }

    #[test]
    fn comments_are_parted_from_texts_only() {
        let check = |head: &str, sentences: usize, list: &str, item: &str, expected: bool| {
            let page = page_with_comments(head, sentences, list, item);
            let sure = vec![60_000; page.blocks.len()];
            let found = has_text_beside_comments(&page, &sure);
            assert_eq!(found, expected, "{head} {sentences} {list} {item}");
        };
        let declared = "<meta property='og:type' content='article'>";
        check("", 6, "comments", "comment", true);
        check("", 1, "comments", "comment", false);
        check("", 6, "thread", "comment", false);
        check(declared, 6, "thread", "comment", true);
        let forum = r#"<script type="application/ld+json">{"@type":"DiscussionForumPosting"}</script>"#;
        check(forum, 6, "comments", "comment", false);
    }

    #[test]
    fn a_comment_above_the_bar_is_kept_apart_but_for_union() {
        let page = page_with_comments("", 6, "comments", "comment");
        let comment = page.blocks.len() as u32 - 1;
        let sure = vec![60_000; page.blocks.len()];
        for profile in [Profile::Precision, Profile::Balanced, Profile::Recall] {
            let choice = choose_by(&page, profile, &sure);
            assert_eq!(choice.comments(), [comment], "{choice:?}");
            assert_eq!(choice.kept(), (0..comment).collect::<Vec<_>>(), "{choice:?}");
        }
        let union = choose_by(&page, Profile::Union, &sure);
        assert_eq!(union.kept().last(), Some(&comment), "{union:?}");
        assert_eq!(union.comments(), [0_u32; 0], "{union:?}");
        let low: Vec<Answer> = (0..=comment)
            .map(|at| if at == comment { 1_000 } else { 60_000 })
            .collect();
        assert_eq!(choose_by(&page, Profile::Balanced, &low).comments(), [0_u32; 0]);
    }

    #[test]
    fn a_sure_block_alone_gives_a_sure_f1() {
        let page = walk(&parse("<p>a b c", &ParseLimits::default()).unwrap(), Scope::All);
        assert_eq!(best_f1(&page, &[65_536]), 65_536);
        assert_eq!(best_f1(&page, &[0]), 0);
    }
}

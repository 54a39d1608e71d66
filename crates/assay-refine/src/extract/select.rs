//! Chooses the blocks of a page that are main text, from the models' answers and the profile.
//!
//! The expected F1 of a set of blocks is highest when it holds exactly the blocks whose probability exceeds half of
//! that F1 itself; so a page that is sure of little is cut wide and a clear article is cut close. This is the
//! choice between a wide and a strict text, made per page.

use super::context::Context;
use super::feature::Ground;
use super::mark;
use super::model_block::MODEL as BLOCK;
use super::model_context::MODEL as CONTEXT;
use super::page::{Block, Page};
use super::run::Profile;

/// A probability in 1/65,536.
type Answer = u32;

/// Blocks up to which the feature rows of the first model are kept for the second (1.5 kB a block).
const KEPT_ROWS: usize = 4_096;

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
        Profile::Union => Rule {
            share: 150,
            answer_min: 6_554,
            answer_max: 16_384,
        },
    }
}

/// The probability of each block to be main text: the mean of both models.
pub(crate) fn answers(page: &Page) -> Vec<Answer> {
    let ground = Ground::new(page);
    let keep = page.blocks.len() <= KEPT_ROWS;
    let (mut row, mut rows, mut first) = (vec![], vec![], vec![]);
    for index in 0..page.blocks.len() {
        ground.row(index, &mut row);
        first.push(BLOCK.answer(&row));
        if keep {
            rows.extend_from_slice(&row);
        }
    }
    let width = row.len();
    let context = Context::new(page, &first);
    let mut both = vec![];
    for (index, answer) in first.iter().enumerate() {
        if keep {
            row.clear();
            row.extend_from_slice(rows.get(index * width..(index + 1) * width).unwrap_or_default());
        } else {
            ground.row(index, &mut row);
        }
        context.row(index, &mut row);
        both.push((answer + CONTEXT.answer(&row)) / 2);
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

/// A bar of links, or a label without a sentence in it.
fn is_furniture(block: &Block) -> bool {
    let measure = &block.measure;
    block.link_characters * 2 > measure.characters
        || block.marks & (mark::TAG_NAV | mark::TAG_FOOTER | mark::TAG_FORM | mark::TAG_BUTTON) != 0
}

/// The chosen blocks, in document order. `noscript` repeats what scripts draw: it counts only where nothing else
/// is chosen.
pub(crate) fn select(page: &Page, profile: Profile) -> Vec<u32> {
    let answers = answers(page);
    let rule = rule(profile);
    let share = (best_f1(page, &answers) * rule.share / 1_000) as Answer;
    let bar = share.clamp(rule.answer_min, rule.answer_max);
    let pick = |noscript: bool| -> Vec<u32> {
        let numbered = page.blocks.iter().zip(&answers).zip(0_u32..);
        let good = numbered.filter(|((block, answer), _)| {
            **answer > bar
                && (block.marks & mark::NOSCRIPT != 0) == noscript
                && (profile != Profile::Precision || !is_furniture(block))
        });
        good.map(|(_, index)| index).collect()
    };
    let chosen = pick(false);
    if chosen.is_empty() { pick(true) } else { chosen }
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
        let chosen = select(&page, profile);
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
        let (strict, balanced, union) = (
            chosen(Profile::Precision),
            chosen(Profile::Balanced),
            chosen(Profile::Union),
        );
        assert!(strict.iter().all(|text| balanced.contains(text)));
        assert!(balanced.iter().all(|text| union.contains(text)));
    }

    #[test]
    fn a_sure_block_alone_gives_a_sure_f1() {
        let page = walk(&parse("<p>a b c", &ParseLimits::default()).unwrap(), Scope::All);
        assert_eq!(best_f1(&page, &[65_536]), 65_536);
        assert_eq!(best_f1(&page, &[0]), 0);
    }
}

//! Chooses the blocks of a page that are main text.

use super::mark;
use super::page::Page;
use super::run::Profile;

/// The chosen blocks, in document order.
pub(crate) fn select(page: &Page, profile: Profile) -> Vec<u32> {
    let off = mark::TAG_NAV
        | mark::TAG_FOOTER
        | mark::TAG_ASIDE
        | mark::TAG_FORM
        | mark::NOSCRIPT
        | mark::HIDDEN_STYLE
        | mark::HIDDEN_ATTRIBUTE;
    let main = page.blocks.iter().any(|block| block.marks & mark::TAG_MAIN != 0);
    let words_min = if profile == Profile::Precision { 8 } else { 2 };
    let keep = |index: &u32| {
        page.blocks.get(*index as usize).is_some_and(|block| {
            block.marks & off == 0
                && (!main || block.marks & mark::TAG_MAIN != 0)
                && block.link_characters * 2 < block.measure.characters
                && block.measure.words >= words_min
        })
    };
    (0..page.blocks.len() as u32).filter(keep).collect()
}

//! Sums of block counts, as prefix sums over a page are made of.

use super::page::Block;

/// Sums over a range of blocks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    pub(crate) blocks: i64,
    pub(crate) characters: i64,
    pub(crate) words: i64,
    pub(crate) link_characters: i64,
    pub(crate) stops: i64,
    pub(crate) commas: i64,
    pub(crate) function_words: i64,
    /// Words of blocks that look like prose.
    pub(crate) prose: i64,
    pub(crate) images: i64,
    pub(crate) headings: i64,
}

impl Sum {
    pub(crate) fn of(block: &Block, heading: bool) -> Sum {
        let measure = &block.measure;
        Sum {
            blocks: 1,
            characters: measure.characters.into(),
            words: measure.words.into(),
            link_characters: block.link_characters.into(),
            stops: measure.stops.into(),
            commas: measure.commas.into(),
            function_words: measure.function_words.into(),
            prose: if is_prose(block) { measure.words.into() } else { 0 },
            images: block.images.into(),
            headings: heading.into(),
        }
    }

    pub(crate) fn plus(self, other: Sum, sign: i64) -> Sum {
        Sum {
            blocks: self.blocks + sign * other.blocks,
            characters: self.characters + sign * other.characters,
            words: self.words + sign * other.words,
            link_characters: self.link_characters + sign * other.link_characters,
            stops: self.stops + sign * other.stops,
            commas: self.commas + sign * other.commas,
            function_words: self.function_words + sign * other.function_words,
            prose: self.prose + sign * other.prose,
            images: self.images + sign * other.images,
            headings: self.headings + sign * other.headings,
        }
    }
}

/// At least ten words with a sentence end, and at most a third of it links.
pub(crate) fn is_prose(block: &Block) -> bool {
    let measure = &block.measure;
    measure.words >= 10 && measure.stops > 0 && block.link_characters * 3 <= measure.characters
}

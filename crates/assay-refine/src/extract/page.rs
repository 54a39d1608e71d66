//! What the walk over a [`crate::html::Document`] leaves: text, blocks in document order, containers.
//!
//! A block is a run of text between two block-level boundaries; a container is a block-level element and covers
//! a contiguous range of blocks, so that any sum over a container is a difference of prefix sums.

use super::lexicon::Quoted;
use super::measure::Measure;
use super::metadata::Metadata;
use crate::html::Tag;

/// The index of no container.
pub(crate) const NO_CONTAINER: u32 = u32::MAX;

/// A run of text.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// Innermost block-level element around it.
    pub(crate) container: u32,
    /// Bytes of [`Page::text`].
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) measure: Measure,
    /// Characters inside `a`.
    pub(crate) link_characters: u32,
    /// `a` elements begun in it.
    pub(crate) links: u16,
    /// Inline elements begun in it.
    pub(crate) inlines: u16,
    /// Images since the block before it.
    pub(crate) images: u16,
    /// Marks of all ancestors, inline ones around the whole block included.
    pub(crate) marks: u64,
    /// First block of a list item: printed with `- `.
    pub(crate) item: bool,
    /// White space kept.
    pub(crate) preformatted: bool,
    /// Cells of a table row, printed with ` | ` between.
    pub(crate) row: bool,
}

/// A block-level element.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) parent: u32,
    pub(crate) tag: Tag,
    /// Level below the body among containers.
    pub(crate) level: u16,
    /// Own marks.
    pub(crate) own: u64,
    /// Hash of tag and class.
    pub(crate) signature: u32,
    /// Blocks covered: `first..end`.
    pub(crate) first: u32,
    pub(crate) end: u32,
}

/// A page ready for selection.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) text: String,
    pub(crate) blocks: Vec<Block>,
    pub(crate) containers: Vec<Container>,
    pub(crate) title: Option<String>,
    pub(crate) language: Option<String>,
    /// What the page says about itself, as found so far.
    pub(crate) facts: Metadata,
    /// Bits of [`kind`]: what structured data and metadata call the page.
    pub(crate) kinds: u32,
    /// Per node of the document the block it is written with; empty unless Markdown is wanted.
    pub(crate) owners: Vec<u32>,
    /// Article bodies, and other texts, in structured data: hints only, never output.
    pub(crate) quoted: [Quoted; 2],
}

/// Page kinds as declared in JSON-LD, microdata and Open Graph.
pub(crate) mod kind {
    pub(crate) const ARTICLE: u32 = 1;
    pub(crate) const PRODUCT: u32 = 2;
    pub(crate) const FORUM: u32 = 4;
    pub(crate) const LISTING: u32 = 8;
    pub(crate) const ORGANISATION: u32 = 16;
    pub(crate) const FAQ: u32 = 32;
    pub(crate) const OG_ARTICLE: u32 = 64;
    pub(crate) const OG_PRODUCT: u32 = 128;
    /// Number of bits.
    pub(crate) const COUNT: usize = 8;

    /// schema.org type names, as they stand after `schema.org/` or in `"@type":"…"`.
    pub(crate) const TYPES: &[(&str, u32)] = &[
        ("Article", ARTICLE),
        ("NewsArticle", ARTICLE),
        ("BlogPosting", ARTICLE),
        ("TechArticle", ARTICLE),
        ("ReportageNewsArticle", ARTICLE),
        ("Product", PRODUCT),
        ("ProductGroup", PRODUCT),
        ("QAPage", FORUM),
        ("DiscussionForumPosting", FORUM),
        ("Question", FORUM),
        ("ItemList", LISTING),
        ("CollectionPage", LISTING),
        ("OfferCatalog", LISTING),
        ("Organization", ORGANISATION),
        ("LocalBusiness", ORGANISATION),
        ("Service", ORGANISATION),
        ("FAQPage", FAQ),
    ];
}

impl Page {
    /// The text of a block.
    pub(crate) fn block_text(&self, block: &Block) -> &str {
        self.text
            .get(block.start as usize..block.end as usize)
            .unwrap_or("")
    }

    /// A container, or `None` above the outermost one.
    pub(crate) fn container(&self, index: u32) -> Option<&Container> {
        self.containers.get(index as usize)
    }
}

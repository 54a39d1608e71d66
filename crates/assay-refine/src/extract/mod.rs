//! Main text of a page: blocks of one tree, scored by an integer model, chosen by profile.
//!
//! `extract` takes a decoded page and gives title, text and a language hint; it is a pure function of the page and
//! the options. Quality, speed and method stand in `docs/extraction.md`.

mod context;
mod explain;
mod feature;
mod focus;
mod island;
mod judged;
mod lexicon;
mod mark;
mod markdown;
mod measure;
mod metadata;
mod model;
mod model_block;
mod model_context;
mod page;
mod rows;
mod run;
mod select;
mod sum;
mod title;
mod walk;
mod words;

pub use explain::explain_html;
pub use judged::{JudgedBlock, judged_blocks};
pub use markdown::MarkdownOptions;
pub use metadata::Metadata;
pub use run::{
    BlockFeatures, ExtractDrop, ExtractOptions, Extracted, Output, Profile, block_features, extract,
    visible_text,
};

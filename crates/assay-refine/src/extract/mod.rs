//! Main text of a page: blocks of one tree, scored by an integer model, chosen by profile.
//!
//! `extract` takes a decoded page and gives title, text and a language hint; it is a pure function of the page and
//! the options. Quality, speed and method stand in `docs/extraction.md`.

mod context;
mod feature;
mod lexicon;
mod mark;
mod measure;
mod metadata;
mod model;
mod model_block;
mod model_context;
mod page;
mod run;
mod select;
mod sum;
mod walk;

pub use run::{
    BlockFeatures, ExtractDrop, ExtractOptions, Extracted, Profile, block_features, extract, visible_text,
};

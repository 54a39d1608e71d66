//! Main text of a page: blocks of one tree, scored by an integer model, chosen by profile.
//!
//! `extract` takes a decoded page and gives title, text and a language hint; it is a pure function of the page and
//! the options. Quality, speed and method stand in `docs/extraction.md`.

mod mark;
mod measure;
mod page;
mod run;
mod select;
mod walk;

pub use run::{ExtractDrop, ExtractOptions, Extracted, Profile, extract, visible_text};

//! HTML to an arena tree: bounded, without recursion, with the standard's tree rules (html5ever 0.40).
//!
//! `parse` reads a decoded page and gives a [`Document`]; `extract` reads it. Only `parse.rs`, `sink.rs` and
//! `filter.rs` know html5ever, so that another tokenizer or tree builder can take its place.

mod arena;
mod attribute;
mod filter;
mod parse;
mod sink;
mod tag;

pub use arena::{Document, NodeId};
pub use attribute::AttributeKey;
pub use parse::{OverBudget, ParseLimits, parse};
pub use tag::Tag;

//! HTML to an arena tree as browsers build it: bounded, linear, without recursion (WHATWG HTML standard, 13.2).
//!
//! `parse` reads a decoded page and gives a [`Document`]; `extract` reads it. `scan.rs` makes tokens, `build.rs` and the files of
//! the insertion modes (`head.rs`, `body.rs`, `ends.rs`, `table.rs`) make the tree. Left out: what no text depends on, such as
//! comments, doctype nodes, most attributes, scripting, fragments, shadow roots. A test compares with html5ever.

mod active;
mod arena;
mod attribute;
mod body;
mod build;
mod doctype;
mod ends;
mod entity;
mod formatting;
mod head;
mod name;
mod parse;
mod scan;
mod stack;
mod table;
mod tag;
mod tag_set;

pub use arena::{Document, NodeId};
pub use attribute::AttributeKey;
pub use parse::{OverBudget, ParseLimits, parse};
pub use tag::Tag;

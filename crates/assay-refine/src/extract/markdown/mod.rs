//! The chosen blocks as Markdown: headings, lists, quotes, code, tables, formulas, captions in their order on the page.
//!
//! `select` says which blocks are kept, `walk` which nodes belong to each. `render.rs` walks the tree once and writes what is
//! kept; `table.rs` makes pipe tables, `code.rs` fenced blocks, `math.rs` LaTeX. Text is not escaped but for bars in tables:
//! it is to be read, not to be rendered again.

mod code;
mod inline;
mod math;
mod render;
mod symbol;
mod table;

pub(crate) use render::render;

/// How Markdown is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkdownOptions {
    /// Whether links keep their targets.
    pub links: bool,
    /// Largest `colspan` believed.
    pub colspan_max: u32,
    /// Largest `rowspan` believed.
    pub rowspan_max: u32,
    /// Most cells of a table after spans; a larger one is written as paragraphs.
    pub table_cells_max: u32,
}

impl Default for MarkdownOptions {
    /// The clamps of the HTML standard (4.9.11) and the budget of recipe `fineweb-en-v1`.
    fn default() -> MarkdownOptions {
        MarkdownOptions {
            links: false,
            colspan_max: 1_000,
            rowspan_max: 65_534,
            table_cells_max: 200_000,
        }
    }
}

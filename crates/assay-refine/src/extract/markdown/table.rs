//! Data tables as pipe tables: spans are repeated, layout tables are left to be written as paragraphs.
//!
//! Bounded: a table has at most as many columns as its longest row has cells, spans beyond it are cut, and repeated text is
//! limited to [`REPEATED_BYTES_MAX`].

use super::inline::{Source, inline};
use crate::html::{AttributeKey, Document, NodeId, Tag};

/// Cells of all tables of a page, in largest tables.
pub(super) const LARGEST_TABLES: usize = 4;

/// Bytes of text that spans repeat in one table.
const REPEATED_BYTES_MAX: usize = 1 << 20;

/// A cell as the page has it.
struct Cell {
    text: String,
    is_header: bool,
    columns: usize,
    rows: usize,
}

/// Elements with a descendant that no cell of a pipe table can hold.
pub(super) fn complex(document: &Document) -> Vec<bool> {
    document.holders(|tag| {
        tag.is_heading()
            || matches!(
                tag,
                Tag::Table
                    | Tag::Ul
                    | Tag::Ol
                    | Tag::Dl
                    | Tag::Pre
                    | Tag::Blockquote
                    | Tag::Article
                    | Tag::Section
            )
    })
}

/// A span attribute: its digits, 1 if there are none, cut at the limit (HTML standard, 4.9.11).
fn span(source: &Source, id: NodeId, key: AttributeKey, limit: u32) -> usize {
    let value = source.document.attribute(id, key).unwrap_or("").trim();
    let digits = value.bytes().take_while(u8::is_ascii_digit);
    let number = digits.fold(0_u32, |sum, digit| {
        sum.saturating_mul(10).saturating_add(u32::from(digit - b'0'))
    });
    number.clamp(1, limit.max(1)) as usize
}

/// The rows of a table that has no table inside.
fn rows(source: &Source, table: NodeId) -> Vec<Vec<Cell>> {
    let mut rows: Vec<Vec<Cell>> = vec![];
    let enters = |tag| !matches!(tag, Tag::Td | Tag::Th | Tag::Caption);
    for id in source.inside(table, enters) {
        match source.document.tag(id) {
            Tag::Tr => rows.push(vec![]),
            tag @ (Tag::Td | Tag::Th) => {
                if rows.is_empty() {
                    rows.push(vec![]);
                }
                if let Some(row) = rows.last_mut() {
                    row.push(Cell {
                        text: inline(source, id).replace('|', "\\|"),
                        is_header: tag == Tag::Th,
                        columns: span(source, id, AttributeKey::Colspan, source.options.colspan_max),
                        rows: span(source, id, AttributeKey::Rowspan, source.options.rowspan_max),
                    });
                }
            }
            _ => {}
        }
    }
    rows
}

/// Columns that hold every cell: the most cells of a row, those that hang down into it counted too.
fn width(rows: &[Vec<Cell>]) -> usize {
    let mut ends = vec![0_usize; rows.len() + 1];
    let (mut hanging, mut width) = (0, 0);
    for (index, row) in rows.iter().enumerate() {
        hanging -= ends.get(index).copied().unwrap_or(0);
        width = width.max(row.len() + hanging);
        for cell in row.iter().filter(|cell| cell.rows > 1) {
            hanging += 1;
            let end = (index + cell.rows).min(rows.len());
            if let Some(slot) = ends.get_mut(end) {
                *slot += 1;
            }
        }
    }
    width
}

/// What a span carries into the rows below.
#[derive(Clone, Default)]
struct Carry {
    text: String,
    rows: usize,
}

/// Rows of equal length, spans resolved.
fn grid(rows: Vec<Vec<Cell>>, width: usize) -> Vec<Vec<String>> {
    let mut carried: Vec<Carry> = vec![Carry::default(); width];
    let mut budget = REPEATED_BYTES_MAX;
    let mut repeat = |text: &str| {
        let fits = text.len() <= budget;
        budget -= if fits { text.len() } else { 0 };
        if fits { text.to_owned() } else { String::new() }
    };
    let mut out = vec![];
    for row in rows {
        let mut line: Vec<String> = vec![];
        let mut cells = row.into_iter();
        while line.len() < width {
            let at = line.len();
            if let Some(carry) = carried.get_mut(at).filter(|carry| carry.rows > 0) {
                carry.rows -= 1;
                line.push(repeat(&carry.text));
                continue;
            }
            let Some(cell) = cells.next() else {
                line.push(String::new());
                continue;
            };
            // A span never takes the room of the cells after it.
            let room = (width - at).saturating_sub(cells.len()).max(1);
            for offset in 0..cell.columns.min(room) {
                // What hangs down into a column that a cell covers has had its row here all the same.
                match carried.get_mut(at + offset) {
                    Some(carry) if cell.rows > 1 => {
                        *carry = Carry {
                            text: repeat(&cell.text),
                            rows: cell.rows - 1,
                        };
                    }
                    Some(carry) => carry.rows = carry.rows.saturating_sub(1),
                    None => {}
                }
                line.push(if offset == 0 {
                    cell.text.clone()
                } else {
                    repeat(&cell.text)
                });
            }
        }
        out.push(line);
    }
    out
}

fn has_text(row: &[Cell]) -> bool {
    row.iter().any(|cell| !cell.text.is_empty())
}

/// A pipe table, or `None` if the table is for layout, too large or holds nothing that is kept. `cells_left` are the cells
/// that tables of the page may still have.
pub(super) fn pipe_table(source: &Source, table: NodeId, cells_left: &mut usize) -> Option<String> {
    let role = source.document.attribute(table, AttributeKey::Role).unwrap_or("");
    if matches!(role.trim(), "presentation" | "none") {
        return None;
    }
    let rows = rows(source, table);
    let width = width(&rows);
    let cells = rows.len().saturating_mul(width);
    let is_large = cells > (source.options.table_cells_max as usize).min(*cells_left);
    let written = rows.iter().filter(|row| has_text(row)).count();
    if written < 2 || width < 2 || is_large {
        return None;
    }
    let has_header = rows.iter().flatten().any(|cell| cell.is_header);
    let has_spans = rows
        .iter()
        .flatten()
        .any(|cell| cell.columns > 1 || cell.rows > 1);
    let is_even = rows
        .iter()
        .filter(|row| has_text(row))
        .all(|row| row.len() == width);
    if !has_header && !has_spans && !is_even {
        return None;
    }
    *cells_left -= cells;
    // Empty rows count for the spans that reach over them, and go only then.
    let is_written: Vec<bool> = rows.iter().map(|row| has_text(row)).collect();
    let rows = grid(rows, width).into_iter().zip(is_written);
    let rows = rows.filter(|(_, is_written)| *is_written).map(|(row, _)| row);
    let mut out = String::new();
    for (index, row) in rows.enumerate() {
        if index > 0 {
            out.push('\n');
        }
        out.push_str(&["| ", &row.join(" | "), " |"].concat());
        if index == 0 {
            out.push_str("\n|");
            out.push_str(&" --- |".repeat(width));
        }
    }
    Some(out)
}

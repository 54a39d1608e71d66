//! `assay reference PAGE`: the pages of the documentation that are made of the program itself, as Markdown.

mod commands;
mod configuration;
mod fields;

use crate::cli::ReferencePage;
use crate::console::Console;
use crate::exit::Status;

/// First line of a page that nobody edits by hand.
const MADE: &str = "<!-- made by `assay reference`, checked by a test: do not edit -->\n";

pub(super) fn run(page: ReferencePage, console: &Console) -> anyhow::Result<Status> {
    let text = match page {
        ReferencePage::Cli => commands::page(),
        ReferencePage::Configuration => configuration::page()?,
    };
    console.result("assay.reference/1", &text, &[], || text.clone())?;
    Ok(Status::Ok)
}

/// A text as a cell of a table: one line, no sign that would end it or begin HTML.
fn cell(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(line.len());
    let mut is_code = false;
    for sign in line.chars() {
        is_code ^= sign == '`';
        match sign {
            '|' => out.push_str("\\|"),
            '<' | '*' | '_' if !is_code => out.extend(['\\', sign]),
            sign => out.push(sign),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_neither_ends_its_row_nor_begins_html() {
        assert_eq!(
            cell("a|b <c>\n  d_e `f_g<h>` *"),
            "a\\|b \\<c> d\\_e `f_g<h>` \\*"
        );
    }
}

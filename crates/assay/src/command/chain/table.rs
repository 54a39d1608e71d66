//! Tables: aligned on a terminal, tab-separated in a pipe, where nothing is cut.

use std::io::IsTerminal as _;

/// A table with its head.
pub(in crate::command) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    if std::io::stdout().is_terminal() {
        aligned(head, rows)
    } else {
        tabbed(head, rows)
    }
}

fn tabbed(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = head.join("\t");
    text.push('\n');
    for row in rows {
        text.push_str(&row.join("\t"));
        text.push('\n');
    }
    text
}

fn aligned(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |at: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(at))
            .map(|cell| cell.chars().count());
        let title = head.get(at).map_or(0, |title| title.chars().count());
        cells.max().unwrap_or(0).max(title)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (cell, width) in cells.zip(&widths) {
            // Numbers to the right, so that their digits stand below each other.
            let is_number = cell.chars().all(|c| c.is_ascii_digit() || c == '.');
            let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
            let (before, after) = if is_number {
                (padding.as_str(), "")
            } else {
                ("", padding.as_str())
            };
            line.push_str(before);
            line.push_str(cell);
            line.push_str(after);
            line.push_str("  ");
        }
        format!("{}\n", line.trim_end())
    };
    let mut text = line(&mut head.iter().copied());
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_below_each_other_and_pipes_get_tabs() {
        let rows = vec![
            vec!["0".to_owned(), "5Grw…utQY".to_owned(), "1.5".to_owned()],
            vec!["12".to_owned(), "x".to_owned(), "100.0".to_owned()],
        ];
        let head = ["uid", "hotkey", "stake"];
        assert_eq!(
            aligned(&head, &rows),
            "uid  hotkey     stake\n  0  5Grw…utQY    1.5\n 12  x          100.0\n"
        );
        assert_eq!(
            tabbed(&head, &rows),
            "uid\thotkey\tstake\n0\t5Grw…utQY\t1.5\n12\tx\t100.0\n"
        );
    }
}

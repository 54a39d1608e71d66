//! Filtering, sorting and cutting rows by a registry of columns, the same for every board, page and format.

use assay_types::api::{FieldValue, Filter, FilterError, FilterField, Filtered};
use std::cmp::Ordering;
use std::fmt::Write as _;

/// Characters of a wrong name that are repeated.
const NAME_CHARS_MAX: usize = 40;

/// A column of a board.
#[derive(Debug)]
pub(crate) struct Column<R: 'static> {
    /// Its name in queries, and in CSV with the unit.
    pub(crate) name: &'static str,
    /// Its head on a page.
    pub(crate) label: &'static str,
    /// Whether it holds numbers.
    pub(crate) is_number: bool,
    /// Whether a page shows it if no columns are asked for.
    pub(crate) is_default: bool,
    /// What a row holds.
    pub(crate) value: fn(&R) -> FieldValue,
}

/// A column by name, head, whether it holds numbers, whether it is shown unasked, and what a row holds.
pub(super) const fn column<R>(
    name: &'static str,
    label: &'static str,
    (is_number, is_default): (bool, bool),
    value: fn(&R) -> FieldValue,
) -> Column<R> {
    Column {
        name,
        label,
        is_number,
        is_default,
        value,
    }
}

/// A row of a board.
pub(crate) trait BoardRow: Sized + 'static {
    /// Its columns, default first.
    const COLUMNS: &'static [Column<Self>];
    /// Column and direction of the order in which rows come.
    const ORDER: (&'static str, bool);

    /// Whether a bare word, in lower case, means it.
    fn has_word(&self, word: &str) -> bool;
}

struct Of<'a, R>(&'a R);

impl<R: BoardRow> Filtered for Of<'_, R> {
    fn field(&self, name: &str) -> FieldValue {
        column_named::<R>(name).map_or(FieldValue::Missing, |column| (column.value)(self.0))
    }

    fn has_word(&self, word: &str) -> bool {
        self.0.has_word(word)
    }
}

fn column_named<R: BoardRow>(name: &str) -> Option<&'static Column<R>> {
    R::COLUMNS.iter().find(|column| column.name == name)
}

/// Columns by name, in the order of the registry; the default ones for "". Unknown names are left out.
pub(crate) fn columns_of<R: BoardRow>(names: &str) -> Vec<&'static Column<R>> {
    let asked: Vec<&str> = names.split(',').collect();
    R::COLUMNS
        .iter()
        .filter(|column| {
            if names.is_empty() {
                column.is_default
            } else {
                asked.contains(&column.name)
            }
        })
        .collect()
}

/// Column and direction of the order that is asked for, whether the greatest comes first; the board's own where a name is "".
///
/// # Errors
/// In words, for a name that is none.
pub(crate) fn sorting<R: BoardRow>(sort: &str, dir: &str) -> Result<(&'static str, bool), String> {
    let name = if sort.is_empty() { R::ORDER.0 } else { sort };
    let Some(column) = column_named::<R>(name) else {
        let names: Vec<&str> = R::COLUMNS.iter().map(|column| column.name).collect();
        let shown: String = sort.chars().take(NAME_CHARS_MAX).collect();
        let names = names.join(", ");
        return Err(format!("there is no column `{shown}` to sort by, only {names}"));
    };
    let is_descending = match dir {
        "" => column.name != R::ORDER.0 || R::ORDER.1,
        "desc" => true,
        "asc" => false,
        other => {
            let shown: String = other.chars().take(NAME_CHARS_MAX).collect();
            return Err(format!("`dir` is asc or desc, not `{shown}`"));
        }
    };
    Ok((column.name, is_descending))
}

/// What is asked of a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Select {
    /// Filter.
    pub(crate) q: String,
    /// Column to sort by, see [`sorting`].
    pub(crate) sort: &'static str,
    /// Whether the greatest comes first.
    pub(crate) is_descending: bool,
    /// From 1.
    pub(crate) page: usize,
    /// Rows of a page.
    pub(crate) per: usize,
}

/// Rows that were asked for.
#[derive(Debug)]
pub(crate) struct Selected<R> {
    /// The rows of the page.
    pub(crate) rows: Vec<R>,
    /// Rows that the filter leaves.
    pub(crate) matching: usize,
    /// Rows in all.
    pub(crate) all: usize,
}

impl Select {
    /// Filters, sorts, cuts.
    ///
    /// # Errors
    /// [`FilterError`] of the filter.
    pub(crate) fn apply<R: BoardRow>(&self, rows: Vec<R>) -> Result<Selected<R>, FilterError> {
        let fields: Vec<FilterField> = R::COLUMNS
            .iter()
            .map(|column| FilterField {
                name: column.name,
                is_number: column.is_number,
            })
            .collect();
        let filter = Filter::parse(&self.q, &fields)?;
        let all = rows.len();
        let mut rows: Vec<R> = rows.into_iter().filter(|row| filter.matches(&Of(row))).collect();
        if let Some(column) = column_named::<R>(self.sort) {
            rows.sort_by(|left, right| {
                order(&(column.value)(left), &(column.value)(right), self.is_descending)
            });
        }
        let matching = rows.len();
        let from = self.page.saturating_sub(1).saturating_mul(self.per);
        let rows = rows.into_iter().skip(from).take(self.per).collect();
        Ok(Selected { rows, matching, all })
    }
}

/// Order of two values; what is missing comes last either way.
fn order(left: &FieldValue, right: &FieldValue, is_descending: bool) -> Ordering {
    let way = |order: Ordering| if is_descending { order.reverse() } else { order };
    match (left, right) {
        (FieldValue::Missing, FieldValue::Missing) => Ordering::Equal,
        (FieldValue::Number(left), FieldValue::Number(right)) => way(left.total_cmp(right)),
        (FieldValue::Texts(left), FieldValue::Texts(right)) => way(left.cmp(right)),
        (FieldValue::Missing, _) | (FieldValue::Texts(_), FieldValue::Number(_)) => Ordering::Greater,
        (_, FieldValue::Missing) | (FieldValue::Number(_), FieldValue::Texts(_)) => Ordering::Less,
    }
}

/// All columns of rows as CSV (RFC 4180), missing values empty.
pub(crate) fn csv<R: BoardRow>(rows: &[R]) -> String {
    let mut out = String::new();
    let names: Vec<&str> = R::COLUMNS.iter().map(|column| column.name).collect();
    out.push_str(&names.join(","));
    out.push_str("\r\n");
    for row in rows {
        for (at, column) in R::COLUMNS.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            match (column.value)(row) {
                FieldValue::Missing => {}
                // Writing to a String cannot fail.
                FieldValue::Number(number) => {
                    let _ = write!(out, "{number}");
                }
                FieldValue::Texts(texts) => push_quoted(&mut out, &texts.join(" ")),
            }
        }
        out.push_str("\r\n");
    }
    out
}

/// A cell in quotes; one that a spreadsheet would take for a formula begins with an apostrophe.
fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        out.push('\'');
    }
    for character in text.chars().filter(|character| !character.is_control()) {
        if character == '"' {
            out.push('"');
        }
        out.push(character);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Row(Option<f64>, &'static str);

    impl BoardRow for Row {
        const COLUMNS: &'static [Column<Self>] = &[
            Column {
                name: "units",
                label: "Units",
                is_number: true,
                is_default: true,
                value: |row| row.0.map_or(FieldValue::Missing, FieldValue::Number),
            },
            Column {
                name: "name",
                label: "Name",
                is_number: false,
                is_default: false,
                value: |row| FieldValue::Texts(vec![row.1.to_owned()]),
            },
        ];
        const ORDER: (&'static str, bool) = ("units", true);

        fn has_word(&self, word: &str) -> bool {
            self.1.contains(word)
        }
    }

    #[test]
    fn rows_are_filtered_sorted_and_cut_with_missing_values_last() {
        let rows = || vec![Row(Some(1.0), "a"), Row(None, "b"), Row(Some(3.0), "c")];
        let mut select = Select {
            q: String::new(),
            sort: "units",
            is_descending: true,
            page: 1,
            per: 2,
        };
        let names = |selected: &Selected<Row>| selected.rows.iter().map(|row| row.1).collect::<String>();
        let first = select.apply(rows()).unwrap();
        assert_eq!((names(&first).as_str(), first.matching, first.all), ("ca", 3, 3));
        select.page = 2;
        assert_eq!(names(&select.apply(rows()).unwrap()), "b");
        (select.page, select.is_descending) = (1, false);
        assert_eq!(names(&select.apply(rows()).unwrap()), "ac");
        select.q = "units > 1".to_owned();
        assert_eq!(select.apply(rows()).unwrap().matching, 1);
        select.page = usize::MAX;
        assert_eq!(names(&select.apply(rows()).unwrap()), "");
    }

    #[test]
    fn an_order_is_one_of_the_boards_or_refused_by_name() {
        assert_eq!(sorting::<Row>("", ""), Ok(("units", true)));
        assert_eq!(sorting::<Row>("name", ""), Ok(("name", true)));
        assert_eq!(sorting::<Row>("", "asc"), Ok(("units", false)));
        assert_eq!(
            sorting::<Row>("nonsense", "asc"),
            Err("there is no column `nonsense` to sort by, only units, name".to_owned())
        );
        assert_eq!(
            sorting::<Row>("units", "up"),
            Err("`dir` is asc or desc, not `up`".to_owned())
        );
    }

    #[test]
    fn cells_are_quoted_and_no_formulas() {
        let text = csv(&[Row(Some(1.5), "=cmd|' /C calc'!A0"), Row(None, "a\"b\nc")]);
        assert_eq!(
            text,
            "units,name\r\n1.5,\"'=cmd|' /C calc'!A0\"\r\n,\"a\"\"bc\"\r\n"
        );
    }
}

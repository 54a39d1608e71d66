//! Datasets as rows: the newest release of each name.

use super::select::column;
use super::{BoardRow, Column};
use crate::app::App;
use crate::failure::Failure;
use crate::store;
use assay_types::api::{DatasetRow, FieldValue};
use std::collections::BTreeMap;

/// Datasets by tokens.
pub(crate) async fn dataset_rows(app: &App) -> Result<Vec<DatasetRow>, Failure> {
    let mut rows = BTreeMap::<String, DatasetRow>::new();
    for view in store::datasets(app.database().readers(), "").await? {
        let releases = rows.get(&view.name).map_or(0, |row| row.releases) + 1;
        let row = DatasetRow {
            rank: 0,
            name: view.name.clone(),
            release: view.release,
            licence: view.licence,
            location: view.location,
            documents: view.documents,
            tokens: view.tokens,
            units: view.units,
            releases,
        };
        rows.insert(view.name, row);
    }
    let mut rows: Vec<DatasetRow> = rows.into_values().collect();
    rows.sort_by(|left, right| (right.tokens, &left.name).cmp(&(left.tokens, &right.name)));
    for (rank, row) in (1..).zip(&mut rows) {
        row.rank = rank;
    }
    Ok(rows)
}

fn text(text: &str) -> FieldValue {
    FieldValue::Texts(vec![text.to_owned()])
}

impl BoardRow for DatasetRow {
    const COLUMNS: &'static [Column<Self>] = &[
        column("rank", "#", (true, true), |row| {
            FieldValue::Number(f64::from(row.rank))
        }),
        column("name", "Dataset", (false, true), |row| text(&row.name)),
        column("release", "Release", (false, true), |row| text(&row.release)),
        column("tokens", "Tokens", (true, true), |row| {
            FieldValue::Number(row.tokens as f64)
        }),
        column("documents", "Documents", (true, true), |row| {
            FieldValue::Number(row.documents as f64)
        }),
        column("units", "Units", (true, true), |row| {
            FieldValue::Number(row.units as f64)
        }),
        column("licence", "Licence", (false, true), |row| text(&row.licence)),
        column("releases", "Releases", (true, false), |row| {
            FieldValue::Number(f64::from(row.releases))
        }),
        column("location", "Location", (false, false), |row| text(&row.location)),
    ];
    const ORDER: (&'static str, bool) = ("tokens", true);

    fn has_word(&self, word: &str) -> bool {
        self.name.to_lowercase().contains(word) || self.release.to_lowercase().starts_with(word)
    }
}

//! Import of an exported state into a new database, without a server.

use crate::store::{Database, DumpLine, DumpProblem, Import, StoreError, Writer, last_sequence, unit_count};
use std::io::BufRead;
use thiserror::Error;

/// Rows of one transaction.
const GROUP_ROWS: usize = 1_000;

/// Why a state cannot be imported.
#[derive(Debug, Error)]
pub enum OfflineError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It holds something.
    #[error("database `{0}` is not empty; import into a new one")]
    NotEmpty(String),
    /// A line that is no row.
    #[error("line {line} of the export cannot be read")]
    Line {
        /// From 1.
        line: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// Another version's row.
    #[error("line {line} of the export: {problem}")]
    Row {
        /// From 1.
        line: usize,
        /// Why.
        problem: DumpProblem,
    },
    /// The export breaks off.
    #[error("the export cannot be read")]
    Io(#[from] std::io::Error),
}

/// Puts exported lines into an empty database; gives how many.
///
/// # Errors
/// [`OfflineError`]; the database is then to be thrown away.
pub async fn import(database: &Database, lines: impl BufRead) -> Result<u64, OfflineError> {
    let readers = database.readers();
    if last_sequence(readers).await? > 0 || unit_count(readers).await? > 0 {
        return Err(OfflineError::NotEmpty(database.place().to_owned()));
    }
    let (writer, task) = Writer::start(database);
    let (mut count, mut group) = (0, Vec::new());
    for (at, line) in lines.lines().enumerate() {
        let row: DumpLine =
            serde_json::from_str(&line?).map_err(|source| OfflineError::Line { line: at + 1, source })?;
        row.check().map_err(|problem| OfflineError::Row {
            line: at + 1,
            problem,
        })?;
        group.push(row);
        if group.len() == GROUP_ROWS {
            count += writer
                .write(Import {
                    lines: std::mem::take(&mut group),
                })
                .await?;
        }
    }
    count += writer.write(Import { lines: group }).await?;
    drop(writer);
    // The task ends when its last handle is gone.
    let _ = task.await;
    Ok(count)
}

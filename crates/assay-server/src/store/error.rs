//! What can go wrong between the server and its database.

use thiserror::Error;

/// A database that does not do what it is asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The address names no database this program knows.
    #[error("`{0}` is no database; give a file, `sqlite:FILE` or `postgres://…`")]
    Address(String),
    /// A file that is no database, or a damaged one.
    #[error("database `{place}` is damaged: {reason}; restore a backup or start with another file")]
    Corrupt {
        /// Which, without credentials.
        place: String,
        /// What the check says.
        reason: String,
    },
    /// A newer program's.
    #[error("database `{place}` has schema {found}, newer than {known}; use the program that made it")]
    Newer {
        /// Which, without credentials.
        place: String,
        /// Its schema.
        found: i64,
        /// The newest known here.
        known: i64,
    },
    /// Another subnet's or chain's.
    #[error("database `{place}` belongs to `{found}`, not to `{expected}`; give another one")]
    Foreign {
        /// Which, without credentials.
        place: String,
        /// Chain and subnet it holds.
        found: String,
        /// Chain and subnet asked for.
        expected: String,
    },
    /// No room.
    #[error("the disk of the database is full")]
    Full,
    /// A stored value that is not of its form.
    #[error("stored `{0}` is not readable; restore a backup")]
    Value(&'static str),
    /// The writer has ended.
    #[error("the server is shutting down")]
    Closed,
    /// Too much waits to be written.
    #[error("too many writes are waiting")]
    Busy,
    /// The subnet's state changed after it was read for this write.
    #[error("the state changed meanwhile")]
    Stale,
    /// Anything else the database says.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
}

/// SQLite's code for a full disk.
const SQLITE_FULL: &str = "13";
/// PostgreSQL's SQLSTATE for a full disk.
const POSTGRES_FULL: &str = "53100";

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error
            .as_database_error()
            .and_then(|error| error.code().map(std::borrow::Cow::into_owned));
        match code.as_deref() {
            Some(SQLITE_FULL | POSTGRES_FULL) => Self::Full,
            _ => Self::Database(error),
        }
    }
}

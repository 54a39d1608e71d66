//! What can go wrong between the server and its database.

use sqlx::error::DatabaseError;
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
    /// A place where no file can be opened: the folder is missing, or this user may not.
    #[error("database `{place}` cannot be opened: {reason}")]
    Place {
        /// Which.
        place: String,
        /// Why.
        reason: String,
    },
    /// A server that does not answer.
    #[error("database `{place}` does not answer")]
    Away {
        /// Which, without credentials.
        place: String,
        /// Why.
        #[source]
        source: sqlx::Error,
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
    /// No copy can be made.
    #[error("no copy is written to `{file}`: {reason}")]
    Backup {
        /// Where it was to be.
        file: String,
        /// Why, and what helps.
        reason: &'static str,
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

/// Codes by which a database says that there is no room. SQLite (sqlite.org/rescode.html): SQLITE_FULL, and what a full disk
/// gives where SQLite writes its own files, SQLITE_IOERR_WRITE, _FSYNC and _SHMSIZE. PostgreSQL (Appendix A): disk_full.
const FULL: [&str; 5] = ["13", "778", "1034", "4874", "53100"];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_full(&error) {
            Self::Full
        } else {
            Self::Database(error)
        }
    }
}

/// Whether a database says that there is no room.
pub(super) fn is_full(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| FULL.contains(&code.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::error::ErrorKind;
    use std::borrow::Cow;

    /// An error as a database's driver gives it.
    #[derive(Debug)]
    struct Coded(&'static str);

    impl std::fmt::Display for Coded {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "code {}", self.0)
        }
    }

    impl std::error::Error for Coded {}

    impl DatabaseError for Coded {
        fn message(&self) -> &str {
            self.0
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(Cow::Borrowed(self.0))
        }

        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    #[test]
    fn every_word_for_a_full_disk_is_understood() {
        let of = |code| StoreError::from(sqlx::Error::Database(Box::new(Coded(code))));
        // SQLITE_FULL, SQLITE_IOERR | 3, 4 and 19 << 8, PostgreSQL's disk_full.
        for code in ["13", "778", "1034", "4874", "53100"] {
            assert!(matches!(of(code), StoreError::Full), "{code}");
        }
        // A read that failed, a broken file, a wrong statement.
        for code in ["266", "11", "42601"] {
            assert!(matches!(of(code), StoreError::Database(_)), "{code}");
        }
    }
}

//! Opening a database: address, connections, damage and version checked before anything is read.

use super::{StoreError, migrate};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::error::DatabaseError;
use sqlx::{AnyPool, ConnectOptions as _, Connection as _, Executor as _, Row as _};
use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

/// Readers at once.
const READERS_MAX: u32 = 8;
/// How long to wait for a connection.
const ACQUIRE_MAX: Duration = Duration::from_secs(5);

/// Set on every SQLite connection. `synchronous = FULL`: a commit that was answered survives a power cut. What is sorted beyond the
/// cache goes to a temporary file, so that memory stays bounded.
const SQLITE_PRAGMAS: &[&str] = &[
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 5000",
];
/// Pages that SQLite's writer and each of its readers keep: 16 and 4 MB. What is read again and again is kept by the server.
const WRITER_CACHE: &str = "PRAGMA cache_size = -16000";
const READER_CACHE: &str = "PRAGMA cache_size = -4000";

/// Which database system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// A file, one writer.
    Sqlite,
    /// A server.
    Postgres,
}

/// An open database.
#[derive(Debug, Clone)]
pub struct Database {
    kind: DatabaseKind,
    place: String,
    readers: AnyPool,
    writer: AnyPool,
}

impl Database {
    /// Opens a database, makes its tables if it is new, and checks that it belongs to `network`.
    ///
    /// `address` is a file, `sqlite:FILE` or `postgres://…`; `network` names chain and subnet.
    ///
    /// # Errors
    /// [`StoreError::Place`], [`StoreError::Away`], [`StoreError::Corrupt`], [`StoreError::Newer`], [`StoreError::Foreign`], or
    /// what the database says.
    pub async fn open(address: &str, network: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let (kind, url, place) = resolve(address)?;
        let options = AnyConnectOptions::from_str(&url).map_err(|_| StoreError::Address(place.clone()))?;
        let pool = |connections: u32, cache: &'static str| {
            AnyPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE_MAX)
                .after_connect(move |connection, _| {
                    Box::pin(async move {
                        if kind == DatabaseKind::Sqlite {
                            for pragma in SQLITE_PRAGMAS.iter().chain([&cache]) {
                                connection.execute(*pragma).await?;
                            }
                        }
                        Ok(())
                    })
                })
        };
        let broken = |error: sqlx::Error| unreadable(kind, &place, error);
        if kind == DatabaseKind::Sqlite {
            check(&options, &place).await?;
        }
        let writer = pool(1, WRITER_CACHE)
            .connect_with(options.clone())
            .await
            .map_err(broken)?;
        migrate::migrate(&writer, kind, &place, network).await?;
        let readers = pool(READERS_MAX, READER_CACHE)
            .connect_with(options)
            .await
            .map_err(broken)?;
        Ok(Self {
            kind,
            place,
            readers,
            writer,
        })
    }

    /// Which system.
    pub const fn kind(&self) -> DatabaseKind {
        self.kind
    }

    /// Where it is, without credentials.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Connections that read.
    pub const fn readers(&self) -> &AnyPool {
        &self.readers
    }

    /// The one connection that writes; only [`super::Writer`] and migrations use it.
    pub(super) const fn writer(&self) -> &AnyPool {
        &self.writer
    }

    /// Writes a copy of a SQLite database to a new file while the server runs.
    ///
    /// # Errors
    /// [`StoreError::Backup`] for PostgreSQL, whose own tools do it, or for a file that exists.
    pub async fn backup(&self, file: &Path) -> Result<(), StoreError> {
        let name = file.to_string_lossy().into_owned();
        let refused = |reason| StoreError::Backup {
            file: file.to_string_lossy().into_owned(),
            reason,
        };
        if self.kind != DatabaseKind::Sqlite {
            return Err(refused("PostgreSQL has tools of its own, such as pg_dump"));
        }
        if file.exists() {
            return Err(refused("there is a file of that name; give a new one"));
        }
        sqlx::query("VACUUM INTO $1")
            .bind(name)
            .execute(&self.readers)
            .await?;
        Ok(())
    }

    /// Ends all connections.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Kind, connection URL and what may be shown of an address.
fn resolve(address: &str) -> Result<(DatabaseKind, String, String), StoreError> {
    if address.starts_with("postgres://") || address.starts_with("postgresql://") {
        let rest = address.split_once("://").map_or("", |(_, rest)| rest);
        let shown = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        let shown = shown.split('?').next().unwrap_or_default();
        return Ok((
            DatabaseKind::Postgres,
            address.to_owned(),
            format!("postgres://{shown}"),
        ));
    }
    let file = address.strip_prefix("sqlite:").unwrap_or(address);
    let file = file.strip_prefix("//").unwrap_or(file);
    if file.is_empty() || file.contains("://") {
        let shown = file.rsplit_once('@').map_or(file, |(_, host)| host);
        return Err(StoreError::Address(shown.chars().take(200).collect()));
    }
    let escaped: String = file
        .chars()
        .map(|character| match character {
            '%' => "%25".to_owned(),
            '?' => "%3f".to_owned(),
            '#' => "%23".to_owned(),
            other => other.to_string(),
        })
        .collect();
    Ok((
        DatabaseKind::Sqlite,
        format!("sqlite://{escaped}?mode=rwc"),
        file.to_owned(),
    ))
}

/// Refuses a damaged SQLite file; before there is a pool, which would try again and again.
async fn check(options: &AnyConnectOptions, place: &str) -> Result<(), StoreError> {
    let failed = |error: sqlx::Error| unreadable_file(place, &error);
    let mut connection = options.connect().await.map_err(failed)?;
    let row = sqlx::query("PRAGMA quick_check(1)")
        .fetch_one(&mut connection)
        .await
        .map_err(failed)?;
    let found: String = row.try_get(0).map_err(failed)?;
    connection.close().await.map_err(failed)?;
    if found == "ok" {
        return Ok(());
    }
    Err(StoreError::Corrupt {
        place: place.to_owned(),
        reason: found,
    })
}

/// What SQLite's primary result codes mean for a file that does not open (sqlite.org/rescode.html).
const SQLITE_PERM: u32 = 3;
const SQLITE_BUSY: u32 = 5;
const SQLITE_READONLY: u32 = 8;
const SQLITE_CANTOPEN: u32 = 14;

/// Why a SQLite file does not open: nothing can be there, somebody else has it, there is no room, or it is damaged.
fn unreadable_file(place: &str, error: &sqlx::Error) -> StoreError {
    let database = error.as_database_error();
    let code = database.and_then(|error| error.code()?.parse::<u32>().ok());
    let place = place.to_owned();
    match code.map(|code| code & 0xff) {
        Some(SQLITE_PERM | SQLITE_READONLY | SQLITE_CANTOPEN) => {
            let folder = Path::new(&place).parent();
            let is_missing = folder.is_some_and(|folder| !folder.as_os_str().is_empty() && !folder.is_dir());
            let reason = if is_missing {
                "its folder does not exist".to_owned()
            } else {
                error.to_string()
            };
            StoreError::Place { place, reason }
        }
        Some(SQLITE_BUSY) => StoreError::Busy,
        _ if super::error::is_full(error) => StoreError::Full,
        _ => StoreError::Corrupt {
            place,
            reason: error.to_string(),
        },
    }
}

/// PostgreSQL's words for a server that may answer later: cannot_connect_now, too_many_connections.
const POSTGRES_LATER: [&str; 2] = ["57P03", "53300"];

/// A SQLite file that cannot be opened, or a server that does not answer, which may pass.
fn unreadable(kind: DatabaseKind, place: &str, error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(DatabaseError::code);
    let is_later = code.is_some_and(|code| POSTGRES_LATER.contains(&code.as_ref()));
    match (kind, error) {
        (DatabaseKind::Sqlite, error) => unreadable_file(place, &error),
        (DatabaseKind::Postgres, source @ (sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut)) => {
            StoreError::Away {
                place: place.to_owned(),
                source,
            }
        }
        (DatabaseKind::Postgres, source) if is_later => StoreError::Away {
            place: place.to_owned(),
            source,
        },
        (DatabaseKind::Postgres, error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_their_secrets() {
        let (kind, url, shown) =
            resolve("postgres://u:sekret@db.example:5432/assay?password=sekret").unwrap();
        assert_eq!(kind, DatabaseKind::Postgres);
        assert!(url.contains("sekret"));
        assert_eq!(shown, "postgres://db.example:5432/assay");
        let (kind, url, _) = resolve("a b?c.sqlite").unwrap();
        assert_eq!(
            (kind, url.as_str()),
            (DatabaseKind::Sqlite, "sqlite://a b%3fc.sqlite?mode=rwc")
        );
        for wrong in ["", "sqlite:", "mysql://u:sekret@h/db"] {
            let error = resolve(wrong).unwrap_err().to_string();
            assert!(!error.contains("sekret"), "{error}");
        }
    }
}

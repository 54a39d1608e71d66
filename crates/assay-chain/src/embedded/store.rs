//! The embedded chain on disk: one SQL transaction a block, a snapshot of the state now and then.
//!
//! A block goes in with everything that made it (inherents, transactions, salt of its fork); at start the newest sound
//! snapshot is loaded and the blocks after it are run again, and each must give the hash it is stored under. A process
//! killed at any point leaves whole blocks: SQLite's write-ahead log holds a block wholly or not at all. A power cut may
//! lose the last blocks, not their consistency (`synchronous = NORMAL`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use assay_types::{BlockNumber, Digest, tagged_hash};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteLockingMode, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use super::extrinsic::ERA_BLOCKS_MAX;
use super::state::block::Inherent;
use super::state::{Genesis, State};
use crate::{ChainError, ChainErrorKind, Head};

/// Layout of the database.
const VERSION: i64 = 1;
/// Blocks between snapshots.
pub(crate) const SNAPSHOT_BLOCKS: u32 = 256;
/// Blocks run again at start at least, as far as there are: those a client may still ask for its transaction in.
const REPLAYED_BLOCKS_MIN: u32 = 128;
/// Snapshots kept; the older one is always [`REPLAYED_BLOCKS_MIN`] back.
const SNAPSHOTS_KEPT: u32 = 2;
/// How long to wait for another process that holds the database.
const BUSY: Duration = Duration::from_millis(500);

const SCHEMA: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS meta (version INTEGER NOT NULL, genesis BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS blocks (number INTEGER PRIMARY KEY, hash BLOB NOT NULL, parent BLOB NOT NULL, \
     time_ms INTEGER NOT NULL, fork INTEGER NOT NULL, finalized INTEGER NOT NULL, inherents BLOB NOT NULL, \
     extrinsics BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS snapshots (number INTEGER PRIMARY KEY, digest BLOB NOT NULL, state BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS orders (number INTEGER PRIMARY KEY, inherent BLOB NOT NULL)",
];

/// A block as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredBlock {
    /// Number, hash, parent, time.
    pub(crate) head: Head,
    /// Salt that tells forks of the same content apart.
    pub(crate) fork: u32,
    /// Newest final block when it was made.
    pub(crate) finalized: u32,
    /// Inherents.
    pub(crate) inherents: Vec<Inherent>,
    /// Transactions, as bytes.
    pub(crate) extrinsics: Vec<Vec<u8>>,
}

/// The database.
#[derive(Debug)]
pub(crate) struct Store {
    connection: SqliteConnection,
    path: PathBuf,
}

/// What a database holds.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Block 0.
    pub(crate) genesis: Genesis,
    /// The newest sound snapshot [`REPLAYED_BLOCKS_MIN`] or more behind the newest block, if there is one.
    pub(crate) snapshot: Option<State>,
    /// Blocks in order.
    pub(crate) blocks: Vec<StoredBlock>,
    /// What was ordered for the block after them.
    pub(crate) orders: Vec<Inherent>,
}

impl Store {
    /// Opens or makes the database at `path`, in memory without one, and reads what it holds.
    ///
    /// # Errors
    /// [`ChainErrorKind::State`] if it cannot be read, is held by another process, or is another chain's.
    pub(crate) async fn open(path: Option<&Path>, genesis: &Genesis) -> Result<(Self, Loaded), ChainError> {
        let shown = path.unwrap_or(Path::new(":memory:")).to_path_buf();
        let options = SqliteConnectOptions::new()
            .filename(&shown)
            .create_if_missing(true)
            .busy_timeout(BUSY)
            .locking_mode(SqliteLockingMode::Exclusive)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal);
        let connection = options.connect().await.map_err(|error| failed(&shown, &error))?;
        let mut store = Self {
            connection,
            path: shown,
        };
        let loaded = store.load(genesis).await?;
        Ok((store, loaded))
    }

    async fn load(&mut self, genesis: &Genesis) -> Result<Loaded, ChainError> {
        for statement in SCHEMA {
            let done = sqlx::query(*statement).execute(&mut self.connection).await;
            self.check(done)?;
        }
        let genesis = self.load_genesis(genesis).await?;
        let snapshot = self.load_snapshot().await?;
        let done = sqlx::query("SELECT * FROM blocks ORDER BY number")
            .fetch_all(&mut self.connection)
            .await;
        let rows = self.check(done)?;
        let blocks = rows.iter().map(read_block).collect::<Option<Vec<_>>>();
        let blocks = blocks.ok_or_else(|| self.unreadable("a block"))?;
        let orders = self.load_orders().await?;
        Ok(Loaded {
            genesis,
            snapshot,
            blocks,
            orders,
        })
    }

    async fn load_orders(&mut self) -> Result<Vec<Inherent>, ChainError> {
        let done = sqlx::query("SELECT inherent FROM orders ORDER BY number")
            .fetch_all(&mut self.connection)
            .await;
        let rows = self.check(done)?;
        let read = |row: &SqliteRow| serde_json::from_slice(&row.try_get::<Vec<u8>, _>(0).ok()?).ok();
        let orders = rows.iter().map(read).collect::<Option<Vec<_>>>();
        orders.ok_or_else(|| self.unreadable("an order for the next block"))
    }

    /// Stores what was ordered for the next block, so that a crash before that block does not lose it.
    pub(crate) async fn order(&mut self, inherent: &Inherent) -> Result<(), ChainError> {
        let done = sqlx::query("INSERT INTO orders (inherent) VALUES (?)")
            .bind(serde_json::to_vec(inherent).unwrap_or_default())
            .execute(&mut self.connection)
            .await;
        self.check(done).map(|_| ())
    }

    /// The stored genesis, or `genesis`, which is stored.
    async fn load_genesis(&mut self, genesis: &Genesis) -> Result<Genesis, ChainError> {
        let done = sqlx::query("SELECT version, genesis FROM meta")
            .fetch_optional(&mut self.connection)
            .await;
        let Some(row) = self.check(done)? else {
            let bytes = serde_json::to_vec(genesis).unwrap_or_default();
            let done = sqlx::query("INSERT INTO meta (version, genesis) VALUES (?, ?)")
                .bind(VERSION)
                .bind(bytes)
                .execute(&mut self.connection)
                .await;
            self.check(done)?;
            return Ok(genesis.clone());
        };
        let version: i64 = row.try_get(0).unwrap_or(0);
        if version != VERSION {
            return Err(self.state_error(&format!(
                "layout {version}, not {VERSION}; start with another file or delete this one"
            )));
        }
        let bytes: Vec<u8> = row.try_get(1).unwrap_or_default();
        serde_json::from_slice(&bytes).map_err(|_| self.unreadable("its genesis"))
    }

    async fn load_snapshot(&mut self) -> Result<Option<State>, ChainError> {
        // Far enough back that what may still be asked for (a transaction within its era, a final block) is run again.
        let newest = "SELECT digest, state FROM snapshots \
                      WHERE number <= (SELECT coalesce(max(number), 0) FROM blocks) - ? ORDER BY number DESC";
        let done = sqlx::query(newest)
            .bind(i64::from(REPLAYED_BLOCKS_MIN))
            .fetch_all(&mut self.connection)
            .await;
        let rows = self.check(done)?;
        let sound = |row: &SqliteRow| {
            let digest: Vec<u8> = row.try_get(0).ok()?;
            let bytes: Vec<u8> = row.try_get(1).ok()?;
            (state_digest(&bytes).0.as_slice() == digest).then_some(())?;
            serde_json::from_slice(&bytes).ok()
        };
        Ok(rows.iter().find_map(sound))
    }

    /// Stores blocks as one transaction, after forgetting those at or above the first's number; they hold all that was ordered.
    pub(crate) async fn append(
        &mut self,
        blocks: &[StoredBlock],
        snapshot: Option<&State>,
    ) -> Result<(), ChainError> {
        let path = self.path.clone();
        let result = append(&mut self.connection, blocks, snapshot).await;
        result.map_err(|error| failed(&path, &error))
    }

    /// Ends the connection, so that another process may open the file.
    pub(crate) async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::warn!(error = %error, "the embedded chain's database did not close cleanly");
        }
    }

    fn check<T>(&self, done: Result<T, sqlx::Error>) -> Result<T, ChainError> {
        done.map_err(|error| failed(&self.path, &error))
    }

    fn unreadable(&self, what: &str) -> ChainError {
        self.state_error(&format!("{what} is not readable; restore the file or delete it"))
    }

    /// What opening it is called in errors.
    pub(crate) fn operation(&self) -> String {
        operation(&self.path)
    }

    /// A [`ChainErrorKind::State`] that names the file.
    pub(crate) fn state_error(&self, reason: &str) -> ChainError {
        state_error(&self.path, reason)
    }
}

async fn append(
    connection: &mut SqliteConnection,
    blocks: &[StoredBlock],
    snapshot: Option<&State>,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::query("DELETE FROM orders")
        .execute(&mut *transaction)
        .await?;
    if let Some(first) = blocks.first() {
        for statement in [
            "DELETE FROM blocks WHERE number >= ?",
            "DELETE FROM snapshots WHERE number >= ?",
        ] {
            let number = i64::from(first.head.number.0);
            sqlx::query(statement)
                .bind(number)
                .execute(&mut *transaction)
                .await?;
        }
    }
    for block in blocks {
        let inherents = serde_json::to_vec(&block.inherents).unwrap_or_default();
        sqlx::query("INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(i64::from(block.head.number.0))
            .bind(block.head.hash.0.to_vec())
            .bind(block.head.parent.0.to_vec())
            .bind(i64::try_from(block.head.time_ms).unwrap_or(i64::MAX))
            .bind(i64::from(block.fork))
            .bind(i64::from(block.finalized))
            .bind(inherents)
            .bind(join(&block.extrinsics))
            .execute(&mut *transaction)
            .await?;
    }
    if let Some(state) = snapshot {
        let bytes = serde_json::to_vec(state).unwrap_or_default();
        sqlx::query("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?)")
            .bind(i64::from(state.block))
            .bind(state_digest(&bytes).0.to_vec())
            .bind(bytes)
            .execute(&mut *transaction)
            .await?;
        // What is forgotten goes by the snapshots that are there: a start needs one, and every block after it.
        sqlx::query(
            "DELETE FROM snapshots WHERE number NOT IN (SELECT number FROM snapshots ORDER BY number DESC LIMIT ?)",
        )
        .bind(SNAPSHOTS_KEPT)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "DELETE FROM blocks WHERE number < \
             (SELECT CASE WHEN count(*) < ? THEN 0 ELSE min(number) END FROM snapshots) - ?",
        )
        .bind(SNAPSHOTS_KEPT)
        .bind(i64::from(ERA_BLOCKS_MAX))
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await
}

fn read_block(row: &SqliteRow) -> Option<StoredBlock> {
    let digest = |at: usize| {
        let bytes: Vec<u8> = row.try_get(at).ok()?;
        bytes.try_into().ok().map(Digest)
    };
    let number = |at: usize| row.try_get::<i64, _>(at).ok();
    let short = |at: usize| u32::try_from(number(at)?).ok();
    let inherents: Vec<u8> = row.try_get(6).ok()?;
    let extrinsics: Vec<u8> = row.try_get(7).ok()?;
    Some(StoredBlock {
        head: Head {
            number: BlockNumber(short(0)?),
            hash: digest(1)?,
            parent: digest(2)?,
            time_ms: u64::try_from(number(3)?).ok()?,
        },
        fork: short(4)?,
        finalized: short(5)?,
        inherents: serde_json::from_slice(&inherents).ok()?,
        extrinsics: split(&extrinsics)?,
    })
}

/// Each transaction behind its length, u32 little-endian.
fn join(extrinsics: &[Vec<u8>]) -> Vec<u8> {
    let mut joined = Vec::new();
    for bytes in extrinsics {
        joined.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(0).to_le_bytes());
        joined.extend_from_slice(bytes);
    }
    joined
}

fn split(mut joined: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut extrinsics = Vec::new();
    while !joined.is_empty() {
        let (length, rest) = joined.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (bytes, rest) = rest.split_at_checked(length)?;
        extrinsics.push(bytes.to_vec());
        joined = rest;
    }
    Some(extrinsics)
}

fn state_digest(bytes: &[u8]) -> Digest {
    tagged_hash("assay/embedded/state/1", &[bytes])
}

fn failed(path: &Path, error: &sqlx::Error) -> ChainError {
    let text = error.to_string();
    if text.contains("locked") {
        return state_error(
            path,
            "another process runs this chain; connect to its address instead",
        );
    }
    state_error(path, &text)
}

fn operation(path: &Path) -> String {
    format!("open `{}`", path.display())
}

fn state_error(path: &Path, reason: &str) -> ChainError {
    ChainError::new(
        operation(path),
        ChainErrorKind::State {
            reason: reason.to_owned(),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_are_joined_and_split() {
        let extrinsics = vec![vec![1, 2, 3], Vec::new(), vec![4; 300]];
        assert_eq!(split(&join(&extrinsics)), Some(extrinsics.clone()));
        let joined = join(&extrinsics);
        assert_eq!(split(&joined[..joined.len() - 1]), None);
    }
}

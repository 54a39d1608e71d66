//! What manifests declare of their units, by round, miner and recipe; summed for boards.
//!
//! Tokens and archive bytes are not in a submission's root, so a manifest with the right root may hold any: only the
//! miner's own manifest counts here, and no number is taken that could overflow a sum.

use super::StoreError;
use super::row::{Value, insert_rows, number, parsed, signed};
use assay_types::api::DeclaredWork;
use assay_types::{Digest, Hotkey, RecipeId, Round};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool};

/// One entry of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredRow {
    /// The round.
    pub round: Round,
    /// The miner.
    pub hotkey: Hotkey,
    /// What it says.
    pub work: DeclaredWork,
}

/// Greatest number of an entry that is taken: four times the bytes of a full cap (256 units of a gigabyte), and 2²² such
/// entries still fit the sum of a BIGINT.
const COUNT_MAX: u64 = 1 << 40;

/// A sum over entries; it stays at the greatest number rather than overflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WorkSum {
    /// Units.
    pub units: u64,
    /// Records read.
    pub records: u64,
    /// Documents kept.
    pub kept: u64,
    /// GPT-2 tokens of these.
    pub tokens: u64,
    /// Bytes of the archives.
    pub archive_bytes: u64,
}

impl WorkSum {
    /// Adds an entry.
    pub fn add(&mut self, work: &DeclaredWork) {
        self.units = self.units.saturating_add(u64::from(work.units));
        self.records = self.records.saturating_add(work.records);
        self.kept = self.kept.saturating_add(work.kept);
        self.tokens = self.tokens.saturating_add(work.tokens);
        self.archive_bytes = self.archive_bytes.saturating_add(work.archive_bytes);
    }

    /// Adds a sum.
    pub fn add_sum(&mut self, other: &Self) {
        self.units = self.units.saturating_add(other.units);
        self.records = self.records.saturating_add(other.records);
        self.kept = self.kept.saturating_add(other.kept);
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.archive_bytes = self.archive_bytes.saturating_add(other.archive_bytes);
    }

    /// Takes a sum away that was added before.
    pub fn take_sum(&mut self, other: &Self) {
        self.units = self.units.saturating_sub(other.units);
        self.records = self.records.saturating_sub(other.records);
        self.kept = self.kept.saturating_sub(other.kept);
        self.tokens = self.tokens.saturating_sub(other.tokens);
        self.archive_bytes = self.archive_bytes.saturating_sub(other.archive_bytes);
    }

    /// The sum of entries.
    pub fn of<'a>(works: impl IntoIterator<Item = &'a DeclaredWork>) -> Self {
        let mut sum = Self::default();
        works.into_iter().for_each(|work| sum.add(work));
        sum
    }
}

/// What a miner declared with one recipe over some rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeclaredSum {
    /// The miner.
    pub hotkey: Hotkey,
    /// The recipe.
    pub recipe_id: RecipeId,
    /// Rounds in which it did.
    pub rounds: u32,
    /// What it says, summed.
    pub work: WorkSum,
}

/// Which rounds count in a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// All that were handed in.
    Any,
    /// Those whose verdict is a pass.
    Passed,
}

/// Stores the entries of a miner's own manifest, in place of those it handed in before for the round.
pub(super) async fn insert_declared(
    connection: &mut AnyConnection,
    (round, hotkey): (Round, Hotkey),
    works: &[DeclaredWork],
) -> Result<(), StoreError> {
    let columns = [
        "round",
        "hotkey",
        "recipe_id",
        "units",
        "records",
        "kept",
        "tokens",
        "bytes",
    ];
    let rows: Vec<Vec<Value>> = works
        .iter()
        .map(|work| {
            vec![
                Value::Number(i64::from(round.0)),
                Value::Text(hotkey.to_string()),
                Value::Text(work.recipe_id.to_string()),
                Value::Number(i64::from(work.units)),
                Value::Number(signed(work.records.min(COUNT_MAX))),
                Value::Number(signed(work.kept.min(COUNT_MAX))),
                Value::Number(signed(work.tokens.min(COUNT_MAX))),
                Value::Number(signed(work.archive_bytes.min(COUNT_MAX))),
            ]
        })
        .collect();
    forget_declared(connection, (round, &hotkey)).await?;
    insert_rows(connection, ("declared", &columns), &rows).await
}

/// Forgets what a miner declared of a round.
pub(super) async fn forget_declared(
    connection: &mut AnyConnection,
    (round, hotkey): (Round, &Hotkey),
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM declared WHERE round = $1 AND hotkey = $2")
        .bind(i64::from(round.0))
        .bind(hotkey.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Sums of entries.
const SUMS: &str = "CAST(SUM(d.units) AS BIGINT) AS units, CAST(SUM(d.records) AS BIGINT) AS records, \
    CAST(SUM(d.kept) AS BIGINT) AS kept, CAST(SUM(d.tokens) AS BIGINT) AS tokens, CAST(SUM(d.bytes) AS BIGINT) AS bytes";

impl Verified {
    /// What leaves out the others.
    const fn joined(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Passed => {
                "JOIN verdicts v ON v.round = d.round AND v.hotkey = d.hotkey AND v.verdict = 'pass'"
            }
        }
    }
}

/// One sum over rounds from `from` to `to`, both included: a pass over the table in its own order, a row a round, so that nothing is sorted and no sum of the
/// database's overflows.
pub async fn declared_total(
    pool: &AnyPool,
    (from, to): (Round, Round),
    verified: Verified,
) -> Result<WorkSum, StoreError> {
    let statement = format!(
        "SELECT {SUMS} FROM declared d {} WHERE d.round >= $1 AND d.round <= $2 GROUP BY d.round",
        verified.joined()
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(i64::from(from.0))
        .bind(i64::from(to.0))
        .fetch_all(pool)
        .await?;
    let mut sum = WorkSum::default();
    for row in &rows {
        sum.add_sum(&read_sum(row)?);
    }
    Ok(sum)
}

/// Sums by miner and recipe over rounds from `from` to `to`, both included.
pub async fn declared_sums(
    pool: &AnyPool,
    (from, to): (Round, Round),
    verified: Verified,
) -> Result<Vec<DeclaredSum>, StoreError> {
    let passed = verified.joined();
    let statement = format!(
        "SELECT CAST(COUNT(*) AS BIGINT) AS rounds, d.hotkey AS hotkey, d.recipe_id AS recipe_id, \
         {SUMS} FROM declared d {passed} \
         WHERE d.round >= $1 AND d.round <= $2 GROUP BY d.hotkey, d.recipe_id ORDER BY d.hotkey, d.recipe_id"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(i64::from(from.0))
        .bind(i64::from(to.0))
        .fetch_all(pool)
        .await?;
    let read = |row: &AnyRow| {
        Ok(DeclaredSum {
            hotkey: parsed(row, "hotkey")?,
            recipe_id: RecipeId(parsed::<Digest>(row, "recipe_id")?),
            rounds: number(row, "rounds")?,
            work: read_sum(row)?,
        })
    };
    rows.iter().map(read).collect()
}

/// The newest manifest's entries of every miner, up to a round.
pub async fn declared_newest(pool: &AnyPool, to: Round) -> Result<Vec<DeclaredRow>, StoreError> {
    // From one hotkey of the index to the next, and to the newest round of each: not through all rounds there were.
    let rows = sqlx::query(
        "WITH RECURSIVE known (hotkey) AS (SELECT MIN(hotkey) FROM declared UNION ALL \
         SELECT (SELECT MIN(n.hotkey) FROM declared n WHERE n.hotkey > known.hotkey) FROM known WHERE known.hotkey IS NOT NULL) \
         SELECT d.* FROM known JOIN declared d ON d.hotkey = known.hotkey AND d.round = \
         (SELECT MAX(n.round) FROM declared n WHERE n.hotkey = known.hotkey AND n.round <= $1) \
         ORDER BY d.hotkey, d.recipe_id",
    )
    .bind(i64::from(to.0))
    .fetch_all(pool)
    .await?;
    rows.iter().map(read).collect()
}

/// A miner's entries from a round on, newest round first, by recipe.
pub async fn declared_since(
    pool: &AnyPool,
    first: Round,
    hotkey: &Hotkey,
) -> Result<Vec<DeclaredRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM declared WHERE hotkey = $1 AND round >= $2 ORDER BY round DESC, recipe_id",
    )
    .bind(hotkey.to_string())
    .bind(i64::from(first.0))
    .fetch_all(pool)
    .await?;
    rows.iter().map(read).collect()
}

/// A miner's entries of a round, by recipe.
pub async fn declared_of(
    pool: &AnyPool,
    round: Round,
    hotkey: &Hotkey,
) -> Result<Vec<DeclaredWork>, StoreError> {
    let rows = sqlx::query("SELECT * FROM declared WHERE round = $1 AND hotkey = $2 ORDER BY recipe_id")
        .bind(i64::from(round.0))
        .bind(hotkey.to_string())
        .fetch_all(pool)
        .await?;
    rows.iter().map(|row| Ok(read(row)?.work)).collect()
}

fn read_sum(row: &AnyRow) -> Result<WorkSum, StoreError> {
    Ok(WorkSum {
        units: number(row, "units")?,
        records: number(row, "records")?,
        kept: number(row, "kept")?,
        tokens: number(row, "tokens")?,
        archive_bytes: number(row, "bytes")?,
    })
}

fn read(row: &AnyRow) -> Result<DeclaredRow, StoreError> {
    Ok(DeclaredRow {
        round: Round(number(row, "round")?),
        hotkey: parsed(row, "hotkey")?,
        work: DeclaredWork {
            recipe_id: RecipeId(parsed::<Digest>(row, "recipe_id")?),
            units: number(row, "units")?,
            records: number(row, "records")?,
            kept: number(row, "kept")?,
            tokens: number(row, "tokens")?,
            archive_bytes: number(row, "bytes")?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_stay_at_the_greatest_number() {
        let work = DeclaredWork {
            recipe_id: RecipeId::default(),
            units: 3,
            records: u64::MAX,
            kept: 2,
            tokens: u64::MAX,
            archive_bytes: 5,
        };
        let sum = WorkSum::of([&work, &work]);
        assert_eq!((sum.units, sum.records, sum.kept), (6, u64::MAX, 4));
        assert_eq!((sum.tokens, sum.archive_bytes), (u64::MAX, 10));
    }
}

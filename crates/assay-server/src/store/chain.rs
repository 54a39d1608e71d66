//! What the follower takes from the chain: heads without gaps, metagraphs, commitments, weights.

use super::audit::append;
use super::row::{json, number, parsed, signed, text, to_json};
use super::{AddRecipeText, AddRound, Parts, RevealedRow, StoreError, Write};
use assay_chain::{Head, Metagraph, WeightRow};
use assay_types::api::EventKind;
use assay_types::{BlockNumber, Digest, Hotkey, MechId, Round};
use futures_util::future::BoxFuture;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row as _};

/// A final block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadRow {
    /// The block.
    pub head: Head,
    /// When it was taken in, by the server's clock.
    pub taken_ms: u64,
}

/// A field a hotkey left on the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitmentRow {
    /// Who.
    pub hotkey: Hotkey,
    /// `plain`; `revealed` for what the chain has opened; `sealed`, without bytes, for what it will open.
    pub kind: &'static str,
    /// Block of the commitment or of its opening.
    pub block: BlockNumber,
    /// Place among the fields.
    pub place: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A final block with all that was read at it and follows from it; taking it twice changes nothing.
#[derive(Debug)]
pub struct TakeBlock {
    /// The block.
    pub head: Head,
    /// Its metagraph, where it is kept, and why.
    pub metagraph: Option<(&'static str, Metagraph)>,
    /// Weights, where they are kept.
    pub weights: Vec<(MechId, Vec<WeightRow>)>,
    /// Commitments that stand or were opened.
    pub commitments: Vec<CommitmentRow>,
    /// The round whose pulse the chain stores from this block on.
    pub pulse: Option<Round>,
    /// Submissions that were opened.
    pub revealed: Vec<RevealedRow>,
    /// Recipes that were opened.
    pub recipes: Vec<AddRecipeText>,
    /// The round that is assigned by this block.
    pub round: Option<AddRound>,
    /// The server's time.
    pub now_ms: u64,
}

impl Write for TakeBlock {
    /// Whether the block was new; false also for one that does not follow the newest.
    type Out = bool;

    fn touches(&self) -> Parts {
        let has = |is_there: bool, parts| if is_there { parts } else { Parts::NONE };
        let chain = self.metagraph.is_some() || !self.weights.is_empty() || !self.commitments.is_empty();
        has(chain, Parts::CHAIN)
            .and(has(!self.revealed.is_empty(), Parts::SUBMISSIONS))
            .and(has(!self.recipes.is_empty(), Parts::RELEASES))
            .and(has(self.round.is_some(), Parts::ROUNDS))
    }

    fn apply<'a>(&'a self, connection: &'a mut AnyConnection) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let done = sqlx::query(
                "INSERT INTO heads (block, hash, parent, time_ms, taken_ms) \
                 SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (SELECT 1 FROM heads) \
                 OR EXISTS (SELECT 1 FROM heads WHERE block = $6 AND hash = $3) ON CONFLICT DO NOTHING",
            )
            .bind(i64::from(self.head.number.0))
            .bind(self.head.hash.to_string())
            .bind(self.head.parent.to_string())
            .bind(signed(self.head.time_ms))
            .bind(signed(self.now_ms))
            .bind(i64::from(self.head.number.0) - 1)
            .execute(&mut *connection)
            .await?;
            if done.rows_affected() == 0 {
                return Ok(false);
            }
            self.take_parts(connection).await?;
            Ok(true)
        })
    }
}

impl TakeBlock {
    /// A block in which nothing of ours happens.
    pub fn empty(head: Head, now_ms: u64) -> Self {
        Self {
            head,
            metagraph: None,
            weights: Vec::new(),
            commitments: Vec::new(),
            pulse: None,
            revealed: Vec::new(),
            recipes: Vec::new(),
            round: None,
            now_ms,
        }
    }

    async fn take_parts(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        let block = i64::from(self.head.number.0);
        if let Some((reason, metagraph)) = &self.metagraph {
            sqlx::query(
                "INSERT INTO metagraphs (block, reason, document) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            )
            .bind(block)
            .bind((*reason).to_owned())
            .bind(to_json(metagraph))
            .execute(&mut *connection)
            .await?;
        }
        for (mechanism, rows) in &self.weights {
            sqlx::query(
                "INSERT INTO weights (block, mechanism, document) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            )
            .bind(block)
            .bind(i64::from(mechanism.0))
            .bind(to_json(rows))
            .execute(&mut *connection)
            .await?;
        }
        for row in &self.commitments {
            sqlx::query(
                "INSERT INTO commitments (hotkey, kind, block, place, bytes) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(row.hotkey.to_string())
            .bind(row.kind.to_owned())
            .bind(i64::from(row.block.0))
            .bind(i64::from(row.place))
            .bind(assay_types::hex::encode(&row.bytes))
            .execute(&mut *connection)
            .await?;
        }
        self.take_consequences(connection).await?;
        if !self.weights.is_empty() {
            let event = serde_json::json!({"block": self.head.number, "hash": self.head.hash});
            append(connection, EventKind::Weights, &event, self.now_ms).await?;
        }
        Ok(())
    }
}

impl TakeBlock {
    async fn take_consequences(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        let event = serde_json::json!({"block": self.head.number, "hash": self.head.hash});
        append(connection, EventKind::Block, &event, self.now_ms).await?;
        if let Some(round) = self.pulse {
            sqlx::query("INSERT INTO pulses (round, block) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                .bind(i64::from(round.0))
                .bind(i64::from(self.head.number.0))
                .execute(&mut *connection)
                .await?;
        }
        for revealed in &self.revealed {
            revealed.apply(connection).await?;
        }
        for recipe in &self.recipes {
            recipe.apply(connection).await?;
        }
        if let Some(round) = &self.round {
            round.apply(connection).await?;
        }
        Ok(())
    }
}

/// First block that stores the pulse of a round.
pub async fn pulse_block(pool: &AnyPool, round: Round) -> Result<Option<BlockNumber>, StoreError> {
    let row = sqlx::query("SELECT block FROM pulses WHERE round = $1")
        .bind(i64::from(round.0))
        .fetch_optional(pool)
        .await?;
    row.as_ref()
        .map(|row| number(row, "block").map(BlockNumber))
        .transpose()
}

/// The newest block of a hotkey's sealed commitments up to a block.
pub async fn sealed_at(
    pool: &AnyPool,
    hotkey: &Hotkey,
    to: BlockNumber,
) -> Result<Option<BlockNumber>, StoreError> {
    let row = sqlx::query(
        "SELECT block FROM commitments WHERE hotkey = $1 AND kind = 'sealed' AND block <= $2 ORDER BY block DESC LIMIT 1",
    )
    .bind(hotkey.to_string())
    .bind(i64::from(to.0))
    .fetch_optional(pool)
    .await?;
    row.as_ref()
        .map(|row| number(row, "block").map(BlockNumber))
        .transpose()
}

/// The newest block taken in.
pub async fn cursor(pool: &AnyPool) -> Result<Option<HeadRow>, StoreError> {
    let row = sqlx::query("SELECT * FROM heads ORDER BY block DESC LIMIT 1")
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(read_head).transpose()
}

/// A block taken in.
pub async fn head_at(pool: &AnyPool, block: BlockNumber) -> Result<Option<HeadRow>, StoreError> {
    let row = sqlx::query("SELECT * FROM heads WHERE block = $1")
        .bind(i64::from(block.0))
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(read_head).transpose()
}

/// Chain time of a block, milliseconds.
pub async fn head_time(pool: &AnyPool, block: BlockNumber) -> Result<Option<u64>, StoreError> {
    Ok(head_at(pool, block).await?.map(|row| row.head.time_ms))
}

/// The newest metagraph kept.
pub async fn newest_metagraph(pool: &AnyPool) -> Result<Option<Metagraph>, StoreError> {
    let row = sqlx::query("SELECT document FROM metagraphs ORDER BY block DESC LIMIT 1")
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(|row| json(row, "document")).transpose()
}

/// The metagraph kept for a block.
pub async fn metagraph_at(pool: &AnyPool, block: BlockNumber) -> Result<Option<Metagraph>, StoreError> {
    let row = sqlx::query("SELECT document FROM metagraphs WHERE block = $1")
        .bind(i64::from(block.0))
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(|row| json(row, "document")).transpose()
}

/// The newest block up to one whose metagraph is kept.
pub async fn metagraph_block(pool: &AnyPool, to: BlockNumber) -> Result<Option<BlockNumber>, StoreError> {
    let row = sqlx::query("SELECT block FROM metagraphs WHERE block <= $1 ORDER BY block DESC LIMIT 1")
        .bind(i64::from(to.0))
        .fetch_optional(pool)
        .await?;
    row.as_ref()
        .map(|row| number(row, "block").map(BlockNumber))
        .transpose()
}

/// Weights of mechanism 0 that were kept, newest epoch first: (block, rows).
pub async fn weights_rows(
    pool: &AnyPool,
    limit: u32,
) -> Result<Vec<(BlockNumber, Vec<WeightRow>)>, StoreError> {
    let rows =
        sqlx::query("SELECT block, document FROM weights WHERE mechanism = 0 ORDER BY block DESC LIMIT $1")
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await?;
    rows.iter()
        .map(|row| Ok((BlockNumber(number(row, "block")?), json(row, "document")?)))
        .collect()
}

/// What hotkeys said in the clear between two blocks, oldest first: (hotkey, block, bytes).
pub async fn messages(
    pool: &AnyPool,
    from: BlockNumber,
    to: BlockNumber,
) -> Result<Vec<(Hotkey, BlockNumber, Vec<u8>)>, StoreError> {
    let rows = sqlx::query(
        "SELECT hotkey, block, bytes FROM commitments WHERE block >= $1 AND block <= $2 AND kind <> 'sealed' \
         ORDER BY block, hotkey, kind, place",
    )
    .bind(i64::from(from.0))
    .bind(i64::from(to.0))
    .fetch_all(pool)
    .await?;
    let read = |row: &AnyRow| {
        let bytes = unhex(&text(row, "bytes")?).ok_or(StoreError::Value("bytes"))?;
        Ok((parsed(row, "hotkey")?, BlockNumber(number(row, "block")?), bytes))
    };
    rows.iter().map(read).collect()
}

/// What each hotkey had last said on the chain at a block, where that was in the clear: (hotkey, bytes), by hotkey.
pub async fn standing_at(pool: &AnyPool, block: BlockNumber) -> Result<Vec<(Hotkey, Vec<u8>)>, StoreError> {
    let rows = sqlx::query(
        "SELECT hotkey, bytes FROM commitments AS said WHERE kind = 'plain' AND block = (SELECT MAX(block) \
         FROM commitments AS newest WHERE newest.hotkey = said.hotkey AND newest.kind <> 'revealed' AND newest.block <= $1) \
         ORDER BY hotkey, place",
    )
    .bind(i64::from(block.0))
    .fetch_all(pool)
    .await?;
    let read = |row: &AnyRow| {
        let bytes = unhex(&text(row, "bytes")?).ok_or(StoreError::Value("bytes"))?;
        Ok((parsed(row, "hotkey")?, bytes))
    };
    rows.iter().map(read).collect()
}

/// The bytes of any even number of lower-case digits.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut rest = text;
    while !rest.is_empty() {
        let (pair, tail) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(pair, 16).ok()?);
        rest = tail;
    }
    Some(bytes)
}

fn read_head(row: &AnyRow) -> Result<HeadRow, StoreError> {
    let hash: Digest = parsed(row, "hash")?;
    Ok(HeadRow {
        head: Head {
            number: BlockNumber(number(row, "block")?),
            hash,
            parent: parsed(row, "parent")?,
            time_ms: number(row, "time_ms")?,
        },
        taken_ms: row
            .try_get::<i64, _>("taken_ms")
            .ok()
            .and_then(|value| u64::try_from(value).ok())
            .ok_or(StoreError::Value("taken_ms"))?,
    })
}

//! Validators as rows: stake, trust, what they reported and when they set weights.

use super::select::column;
use super::{BoardRow, Column};
use crate::app::{App, ChainView};
use crate::failure::Failure;
use crate::store::{self, Parts, StoreError};
use assay_types::api::{FieldValue, ProblemKind, ValidatorRow};
use assay_types::{BlockNumber, Hotkey, Round};
use sqlx::AnyPool;
use std::collections::BTreeMap;
use std::sync::Arc;

/// When a validator last set or committed weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NewestWeights {
    /// The block.
    pub(crate) block: BlockNumber,
    /// Blocks since.
    pub(crate) age_blocks: u32,
}

/// The newest weights of a validator; none before any.
pub(crate) fn newest_weights(view: &ChainView) -> Option<NewestWeights> {
    let metagraph = view.metagraph.as_ref()?;
    let validators = metagraph.neurons.iter().filter(|neuron| neuron.validates());
    let block = validators.map(|neuron| neuron.last_update).max()?;
    Some(NewestWeights {
        block,
        age_blocks: age(view, block),
    })
}

/// Blocks from a neuron's last update to the newest block taken in.
fn age(view: &ChainView, last_update: BlockNumber) -> u32 {
    view.block().0.saturating_sub(last_update.0)
}

/// Rounds whose reports count.
const REPORT_ROUNDS: u32 = 140;

/// The first of these.
async fn first_counted(app: &App) -> Result<Round, StoreError> {
    let newest = store::newest_round(app.database().readers()).await?;
    let newest = newest.map_or(0, |row| row.round.0);
    Ok(Round(newest.saturating_sub(REPORT_ROUNDS - 1)))
}

/// Audits of rounds that are effective, by validator: none is accepted any more.
#[derive(Debug)]
struct Closed {
    to: Round,
    counts: BTreeMap<Round, Vec<(Hotkey, u32)>>,
}

impl Closed {
    /// Counts rounds, or those of them that are not counted yet.
    async fn read(
        pool: &AnyPool,
        before: Option<Arc<Self>>,
        (first, to): (Round, Round),
    ) -> Result<Self, StoreError> {
        let before = before.filter(|before| before.to <= to && first <= before.to);
        let from = before
            .as_ref()
            .map_or(first, |before| Round(before.to.0.saturating_add(1)));
        let mut counts = BTreeMap::<Round, Vec<(Hotkey, u32)>>::new();
        if let Some(before) = before {
            let kept = before.counts.range(first..from);
            counts.extend(kept.map(|(round, of)| (*round, of.clone())));
        }
        for (round, validator, count) in store::audit_counts(pool, (from, to)).await? {
            counts.entry(round).or_default().push((validator, count));
        }
        Ok(Self { to, counts })
    }
}

/// How many audits each validator reported of late. Reports come every second, so only rounds that are still reported on are
/// counted each time.
pub(super) async fn audit_counts(app: &App) -> Result<BTreeMap<Hotkey, u32>, StoreError> {
    let readers = app.database().readers();
    let first = first_counted(app).await?;
    let closed = app.rounds().latest_effective(app.view().block());
    let open = closed.map_or(first, |closed| first.max(Round(closed.0.saturating_add(1))));
    let mut counts = BTreeMap::<Hotkey, u32>::new();
    let mut add = |validator: Hotkey, count: u32| *counts.entry(validator).or_default() += count;
    for (_, validator, count) in store::audit_counts(readers, (open, Round(i32::MAX as u32))).await? {
        add(validator, count);
    }
    if let Some(closed) = closed.filter(|closed| first <= *closed) {
        let read = |before| Closed::read(readers, before, (first, closed));
        let question = "audits of closed rounds".to_owned();
        let before = app.memo.carry(u64::from(closed.0), question, read).await?;
        for (validator, count) in before.counts.range(first..).flat_map(|(_, of)| of) {
            add(*validator, *count);
        }
    }
    Ok(counts)
}

/// How many cells of duels each validator reported in the same rounds.
async fn cell_counts(app: &App) -> Result<Arc<BTreeMap<Hotkey, u32>>, StoreError> {
    let first = first_counted(app).await?;
    let state = app.memo.as_of(Parts::DUELS, first);
    let read = store::cell_counts(app.database().readers(), first);
    app.memo.get(state, "cell counts".to_owned(), read).await
}

/// Neurons with a permit that set weights or reported, by stake: miners earn permits too, with the stake they are paid.
pub(crate) async fn validator_rows(app: &App) -> Result<Vec<ValidatorRow>, Failure> {
    let readers = app.database().readers();
    let view = app.view();
    let metagraph = view
        .metagraph
        .clone()
        .ok_or_else(|| Failure::from(ProblemKind::NotReady))?;
    let (audits, cells) = (audit_counts(app).await?, cell_counts(app).await?);
    let proofs = store::listed_proof_counts(readers).await?;
    let count = |of: &BTreeMap<Hotkey, u32>, hotkey: &Hotkey| of.get(hotkey).copied().unwrap_or(0);
    let mut rows: Vec<ValidatorRow> = metagraph
        .neurons
        .iter()
        .filter(|neuron| {
            let reported = [&audits, &*cells]
                .iter()
                .any(|of| of.contains_key(&neuron.hotkey));
            neuron.permit && (reported || neuron.validates())
        })
        .map(|neuron| ValidatorRow {
            rank: 0,
            hotkey: neuron.hotkey,
            coldkey: neuron.coldkey,
            uid: neuron.uid,
            stake: neuron.stake,
            vtrust: neuron.vtrust,
            dividends: neuron.dividends,
            weights_age_blocks: age(&view, neuron.last_update),
            reports: count(&audits, &neuron.hotkey),
            cells: count(&cells, &neuron.hotkey),
            proofs: count(&proofs, &neuron.hotkey),
        })
        .collect();
    rows.sort_by_key(|row| (std::cmp::Reverse(row.stake), row.uid));
    for (rank, row) in (1..).zip(&mut rows) {
        row.rank = rank;
    }
    Ok(rows)
}

fn number(value: impl Into<f64>) -> FieldValue {
    FieldValue::Number(value.into())
}

/// Of 65,535.
fn fraction(value: u16) -> FieldValue {
    FieldValue::Number(f64::from(value) / f64::from(u16::MAX))
}

impl BoardRow for ValidatorRow {
    const COLUMNS: &'static [Column<Self>] = &[
        column("rank", "#", (true, true), |row| number(row.rank)),
        column("validator", "Validator", (false, true), |row| {
            FieldValue::Texts(vec![row.hotkey.to_ss58()])
        }),
        column("stake", "Stake", (true, true), |row| number(row.stake.0 as f64)),
        column("vtrust", "vtrust", (true, true), |row| fraction(row.vtrust)),
        column("audits", "Audits", (true, true), |row| number(row.reports)),
        column("cells", "Duel cells", (true, true), |row| number(row.cells)),
        column("proofs", "Fraud proofs", (true, true), |row| number(row.proofs)),
        column("dividends", "Dividends", (true, true), |row| {
            fraction(row.dividends)
        }),
        column("weights", "Weights age", (true, true), |row| {
            number(row.weights_age_blocks)
        }),
        column("uid", "UID", (true, false), |row| number(row.uid.0)),
        column("coldkey", "Owner", (false, false), |row| {
            FieldValue::Texts(vec![row.coldkey.to_ss58()])
        }),
    ];
    const ORDER: (&'static str, bool) = ("stake", true);

    fn has_word(&self, word: &str) -> bool {
        word == self.uid.0.to_string()
            || self.hotkey.to_ss58().to_lowercase().starts_with(word)
            || self.hotkey.to_string().starts_with(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::scratch::Scratch;

    /// An audit of a round by a validator, one of several.
    fn audit((round, validator): (u32, u8), number: u32) -> String {
        let sequence = (round * 1_000 + number) * 4 + u32::from(validator);
        let validator = Hotkey([validator; 32]);
        format!(
            "INSERT INTO reports (digest, kind, round, validator, subject, line, received_ms, sequence) \
             VALUES ('{sequence}', 'audit', {round}, '{validator}', '{number}', '', 0, {sequence})"
        )
    }

    #[tokio::test]
    async fn counts_of_closed_rounds_are_carried() {
        let store = Scratch::new().await;
        let each = (0..30).flat_map(|round| [(round, 1), (round, 2)]);
        let audits = each.flat_map(|by| (0..=by.0 % 3).map(move |number| audit(by, number)));
        store.run(audits).await;
        let pool = store.database.readers();
        let read = async |before, (first, to)| {
            let rounds = (Round(first), Round(to));
            Arc::new(Closed::read(pool, before, rounds).await.unwrap())
        };
        let mut before = None;
        // Forward by one and by more, over all that was known, and back.
        for rounds in [(0, 20), (1, 21), (4, 23), (26, 29), (0, 9)] {
            let carried = read(before, rounds).await;
            assert_eq!(carried.counts, read(None, rounds).await.counts, "{rounds:?}");
            assert!(carried.counts.values().flatten().count() >= 8, "{rounds:?}");
            before = Some(carried);
        }
    }
}

//! Validators as rows: stake, trust, what they reported and when they set weights.

use super::range::newest_public;
use super::select::column;
use super::{BoardRow, Column};
use crate::app::{App, ChainView};
use crate::failure::Failure;
use crate::store::{self, Parts, StoreError};
use assay_types::api::{FieldValue, ProblemKind, ReportKind, ValidatorRow};
use assay_types::{BlockNumber, Hotkey, Round};
use std::collections::BTreeMap;

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

/// Rounds behind their cutoff whose reports still come: validators hand them in when nobody can copy them any more.
const OPEN_ROUNDS: u32 = 2;

/// Reports of each kind by each validator, in parts. Reports come every second, so only rounds that may still be reported on are
/// counted each time; an audit that is handed in later than that counts from the next round on.
async fn report_counts(app: &App) -> Result<Vec<(Hotkey, ReportKind, u32)>, StoreError> {
    let readers = app.database().readers();
    let newest = store::newest_round(readers).await?.map_or(0, |row| row.round.0);
    let first = Round(newest.saturating_sub(REPORT_ROUNDS - 1));
    let closed = newest_public(app).and_then(|round| round.0.checked_sub(OPEN_ROUNDS).map(Round));
    let open = closed.map_or(first, |closed| first.max(Round(closed.0.saturating_add(1))));
    let mut counts = store::report_counts(readers, (open, Round(i32::MAX as u32))).await?;
    if let Some(closed) = closed {
        let parts = Parts::ROUNDS.and(Parts::DUELS);
        let read = store::report_counts(readers, (first, closed));
        let before = app
            .memo
            .get(app.memo.as_of(parts, closed), "report counts".to_owned(), read);
        counts.extend(before.await?.iter().copied());
    }
    Ok(counts)
}

/// Neurons with a permit that set weights or reported, by stake: miners earn permits too, with the stake they are paid.
pub(crate) async fn validator_rows(app: &App) -> Result<Vec<ValidatorRow>, Failure> {
    let readers = app.database().readers();
    let view = app.view();
    let metagraph = view
        .metagraph
        .clone()
        .ok_or_else(|| Failure::from(ProblemKind::NotReady))?;
    let (mut audits, mut cells) = (BTreeMap::<Hotkey, u32>::new(), BTreeMap::<Hotkey, u32>::new());
    for (validator, kind, count) in report_counts(app).await? {
        let counted = match kind {
            ReportKind::Audit => &mut audits,
            ReportKind::Evaluation => &mut cells,
        };
        *counted.entry(validator).or_default() += count;
    }
    let proofs = store::listed_proof_counts(readers).await?;
    let count = |of: &BTreeMap<Hotkey, u32>, hotkey: &Hotkey| of.get(hotkey).copied().unwrap_or(0);
    let mut rows: Vec<ValidatorRow> = metagraph
        .neurons
        .iter()
        .filter(|neuron| {
            let reported = [&audits, &cells].iter().any(|of| of.contains_key(&neuron.hotkey));
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

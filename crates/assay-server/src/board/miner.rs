//! Miners as rows: place, pay, what validators found, what was verified; now or at an older block.

use super::known::{self, Declared, Newest};
use super::select::column;
use super::{BoardRow, Column, Range, StateKind, sums, verdict_words};
use crate::app::App;
use crate::failure::Failure;
use crate::store::{self, DeclaredSum, MinerRecord, Parts, VerdictRow, Verified, WorkSum};
use assay_chain::{Metagraph, Neuron};
use assay_types::api::{FieldValue, MinerRow, ProblemKind, RoundResult};
use assay_types::{BlockNumber, Hotkey, Q32, RecipeId, Round, Verdict};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Verdicts of a miner shown on a board.
pub(super) const VERDICTS_SHOWN: u32 = 10;
/// Blocks between a place and the one it is compared with: a day of 12 s.
const MOVEMENT_BLOCKS: u32 = 7_200;

/// A miner with what its row on a page needs.
#[derive(Debug, Clone)]
pub(crate) struct MinerLine {
    /// The row.
    pub(crate) row: MinerRow,
    /// How its newest verdict is to be taken.
    pub(crate) kind: StateKind,
    /// Its newest verdict in words.
    pub(crate) state: String,
    /// Recipes of its newest manifest, by name or the beginning of the id.
    pub(crate) recipes: Vec<(RecipeId, String)>,
    /// Verified work in the range; none before any manifest.
    pub(crate) verified: Option<WorkSum>,
    /// Share of the miners' emission, 0 to 1.
    pub(crate) share: f64,
}

impl MinerLine {
    /// Credibility, 0 to 1.
    pub(crate) fn credibility(&self) -> f64 {
        Q32(self.row.credibility_q32).0 as f64 / Q32::ONE.0 as f64
    }
}

/// Everything a board is made of.
struct Board {
    metagraph: Arc<Metagraph>,
    before: Option<Arc<Metagraph>>,
    records: Arc<BTreeMap<(Hotkey, BlockNumber), MinerRecord>>,
    verdicts: Arc<Newest>,
    units: BTreeMap<Hotkey, u32>,
    heard: BTreeMap<Hotkey, u64>,
    declared: Arc<Declared>,
    verified: BTreeMap<Hotkey, WorkSum>,
    names: BTreeMap<RecipeId, String>,
}

impl Board {
    async fn read(app: &App, at: Option<BlockNumber>, range: Range) -> Result<Self, Failure> {
        let metagraph = match at {
            None => app.view().metagraph.clone(),
            Some(block) => known::metagraph_before(app, block).await?,
        };
        let metagraph = metagraph.ok_or_else(|| Failure::from(ProblemKind::NotReady))?;
        let block = at.unwrap_or(metagraph.block);
        let earlier = BlockNumber(block.0.saturating_sub(MOVEMENT_BLOCKS));
        let mut board = Self {
            before: known::metagraph_before(app, earlier).await?,
            metagraph,
            records: Arc::default(),
            verdicts: Arc::default(),
            units: BTreeMap::new(),
            heard: BTreeMap::new(),
            declared: Arc::default(),
            verified: BTreeMap::new(),
            names: BTreeMap::new(),
        };
        if at.is_none() {
            board.records = known::miner_records(app).await?;
        }
        // Rounds that counted then.
        let to = match at {
            None => Some(Round(i32::MAX as u32)),
            Some(block) => app.rounds().latest_effective(block),
        };
        if let Some(to) = to {
            board.read_rounds(app, at, to).await?;
            board.read_declared(app, at, (range, to)).await?;
        }
        Ok(board)
    }

    /// Verdicts that were effective, and who holds units now.
    async fn read_rounds(&mut self, app: &App, at: Option<BlockNumber>, to: Round) -> Result<(), Failure> {
        let readers = app.database().readers();
        self.verdicts = match at {
            None => known::verdicts(app, VERDICTS_SHOWN).await?,
            Some(_) => Arc::new(known::verdicts_to(app, (to, VERDICTS_SHOWN)).await?),
        };
        if at.is_none()
            && let Some(round) = store::newest_round(readers).await?
        {
            for (hotkey, count, newest) in store::holders_of_round(readers, round.round).await? {
                self.units.insert(hotkey, count);
                self.heard.insert(hotkey, newest);
            }
        }
        Ok(())
    }

    async fn read_declared(
        &mut self,
        app: &App,
        at: Option<BlockNumber>,
        (range, to): (Range, Round),
    ) -> Result<(), Failure> {
        if at.is_none() {
            self.declared = known::declared(app).await?;
            self.verify(sums::passed(app, range).await?.iter());
        } else {
            self.declared = Arc::new(known::declared_to(app, to).await?);
            let (readers, rounds) = (app.database().readers(), range.rounds(app, to));
            self.verify(&store::declared_sums(readers, rounds, Verified::Passed).await?);
        }
        for line in super::recipe::known_names(app).await? {
            self.names.insert(line.0, line.1);
        }
        Ok(())
    }

    fn verify<'a>(&mut self, passed: impl IntoIterator<Item = &'a DeclaredSum>) {
        for sum in passed {
            self.verified.entry(sum.hotkey).or_default().add_sum(&sum.work);
        }
    }

    fn row(&self, app: &App, neuron: &Neuron) -> MinerRow {
        let values = &app.params().values;
        let newest = self.verdicts.of.get(&neuron.hotkey).and_then(|rows| rows.first());
        let newcomer = MinerRecord {
            hotkey: neuron.hotkey,
            registered: neuron.registered,
            credibility: newest.map_or(Q32(values.cred_0), |row| row.record.credibility),
            cap: newest.map_or(u32::try_from(values.cap_first).unwrap_or(u32::MAX), |row| {
                row.record.cap
            }),
            passed: 0,
        };
        let record = self
            .records
            .get(&(neuron.hotkey, neuron.registered))
            .unwrap_or(&newcomer);
        let verdicts = self.verdicts.of.get(&neuron.hotkey);
        MinerRow {
            rank: 0,
            hotkey: neuron.hotkey,
            coldkey: neuron.coldkey,
            uid: neuron.uid,
            registered: neuron.registered,
            incentive: neuron.incentive,
            emission: neuron.emission,
            credibility_q32: record.credibility.0,
            cap: record.cap,
            passed: record.passed,
            units: self.units.get(&neuron.hotkey).copied().unwrap_or(0),
            verdicts: verdicts.into_iter().flatten().map(|row| row.verdict).collect(),
            immunity_left: neuron.immunity_left,
            heard_ms: self.heard.get(&neuron.hotkey).copied().unwrap_or(0),
            rank_change: None,
            declared: self.declared.get(&neuron.hotkey).cloned(),
        }
    }

    /// Neurons that mine: everyone but validators and the one that burns, unless they held a unit.
    fn mines(&self, neuron: &Neuron) -> bool {
        let burns = self.metagraph.burn().is_some_and(|burn| burn.uid == neuron.uid);
        !burns && (!neuron.permit || neuron.incentive > 0)
            || self.units.contains_key(&neuron.hotkey)
            || self.declared.contains_key(&neuron.hotkey)
            || self.verdicts.of.contains_key(&neuron.hotkey)
    }

    /// Places by pay, from 1.
    fn places(&self, metagraph: &Metagraph) -> BTreeMap<Hotkey, u32> {
        let mut neurons: Vec<&Neuron> = metagraph
            .neurons
            .iter()
            .filter(|neuron| self.mines(neuron))
            .collect();
        neurons.sort_by_key(|neuron| (std::cmp::Reverse((neuron.incentive, neuron.emission)), neuron.uid));
        (1..)
            .zip(neurons)
            .map(|(rank, neuron)| (neuron.hotkey, rank))
            .collect()
    }

    fn lines(&self, app: &App) -> Vec<MinerLine> {
        let (places, before) = (
            self.places(&self.metagraph),
            self.before.as_ref().map(|metagraph| self.places(metagraph)),
        );
        let all: u64 = self
            .metagraph
            .neurons
            .iter()
            .map(|neuron| u64::from(neuron.incentive))
            .sum();
        let mut lines: Vec<MinerLine> = self
            .metagraph
            .neurons
            .iter()
            .filter_map(|neuron| {
                let rank = *places.get(&neuron.hotkey)?;
                let mut row = self.row(app, neuron);
                row.rank = rank;
                let earlier = before.as_ref().and_then(|places| places.get(&neuron.hotkey));
                row.rank_change = earlier
                    .map(|earlier| i32::try_from(i64::from(*earlier) - i64::from(rank)).unwrap_or_default());
                Some(self.line(row, all))
            })
            .collect();
        lines.sort_by_key(|line| line.row.rank);
        lines
    }

    fn line(&self, row: MinerRow, all_incentive: u64) -> MinerLine {
        let newest = self.verdicts.of.get(&row.hotkey).and_then(|rows| rows.first());
        let (kind, state) = verdict_words(newest.map(|row| (row.verdict, row.faults)), row.immunity_left);
        let recipes = row.declared.iter().flat_map(|(_, works)| works).map(|work| {
            let known = self.names.get(&work.recipe_id).cloned();
            let name = known.unwrap_or_else(|| work.recipe_id.to_string().chars().take(8).collect());
            (work.recipe_id, name)
        });
        MinerLine {
            recipes: recipes.collect(),
            kind,
            state,
            verified: self
                .verified
                .get(&row.hotkey)
                .copied()
                .or_else(|| row.declared.as_ref().map(|_| WorkSum::default())),
            share: if all_incentive == 0 {
                0.0
            } else {
                f64::from(row.incentive) / all_incentive as f64
            },
            row,
        }
    }
}

/// Miners by incentive, now or at the newest metagraph kept up to a block; figures of work over a range. Those of now are made
/// once a state: the page of every miner needs them for its place.
pub(crate) async fn miner_lines(
    app: &App,
    at: Option<BlockNumber>,
    range: Range,
) -> Result<Arc<Vec<MinerLine>>, Failure> {
    let read = async { Ok(Board::read(app, at, range).await?.lines(app)) };
    if at.is_some() {
        return Ok(Arc::new(Box::pin(read).await?));
    }
    let state = app.memo.of(Parts::ALL) + app.cache.version();
    app.memo
        .get(state, format!("miners {}", range.name()), read)
        .await
}

/// A verdict as it is shown.
pub(crate) fn result(row: &VerdictRow) -> RoundResult {
    RoundResult {
        round: row.round,
        verdict: row.verdict,
        delivered_q32: row.delivered.0,
        assigned: row.assigned,
        units: row.units,
        records: row.records,
        produced_q32: row.produced.0,
        average_q32: row.average.0,
        faults: row.faults,
        reports: row.reports.clone(),
        credibility_q32: row.record.credibility.0,
        cap: row.record.cap,
    }
}

fn number(value: impl Into<f64>) -> FieldValue {
    FieldValue::Number(value.into())
}

fn text(text: String) -> FieldValue {
    FieldValue::Texts(vec![text])
}

fn known(value: Option<f64>) -> FieldValue {
    value.map_or(FieldValue::Missing, FieldValue::Number)
}

/// Share of the newest ten verdicts that passed.
fn passed_share(verdicts: &[Verdict]) -> Option<f64> {
    let passed = verdicts
        .iter()
        .filter(|verdict| **verdict == Verdict::Pass)
        .count();
    (!verdicts.is_empty()).then(|| passed as f64 / verdicts.len() as f64)
}

impl BoardRow for MinerLine {
    const COLUMNS: &'static [Column<Self>] = &[
        column("rank", "#", (true, true), |line| number(line.row.rank)),
        column("change", "24 h", (true, true), |line| {
            known(line.row.rank_change.map(f64::from))
        }),
        column("miner", "Miner", (false, true), |line| {
            text(line.row.hotkey.to_ss58())
        }),
        column("recipe", "Recipe", (false, true), |line| {
            match line.recipes.len() {
                0 => FieldValue::Missing,
                _ => FieldValue::Texts(line.recipes.iter().map(|(_, name)| name.clone()).collect()),
            }
        }),
        column("units", "Units", (true, true), |line| {
            known(line.verified.map(|sum| sum.units as f64))
        }),
        column("records", "Records", (true, true), |line| {
            known(line.verified.map(|sum| sum.records as f64))
        }),
        column("tokens", "Tokens", (true, true), |line| {
            known(line.verified.map(|sum| sum.tokens as f64))
        }),
        column("cred", "Credibility", (true, true), |line| {
            number(line.credibility())
        }),
        column("rounds", "Last 10 rounds", (true, true), |line| {
            known(passed_share(&line.row.verdicts))
        }),
        column("share", "Pay share", (true, true), |line| number(line.share)),
        column("state", "State", (false, true), |line| text(line.state.clone())),
        column("uid", "UID", (true, false), |line| number(line.row.uid.0)),
        column("assigned", "Units now", (true, false), |line| {
            number(line.row.units)
        }),
        column("cap", "Cap", (true, false), |line| number(line.row.cap)),
        column("passed", "Clean rounds", (true, false), |line| {
            number(line.row.passed)
        }),
        column("incentive", "Incentive", (true, false), |line| {
            number(line.row.incentive)
        }),
        column("emission", "Emission", (true, false), |line| {
            number(line.row.emission.0 as f64)
        }),
        column("registered", "Registered", (true, false), |line| {
            number(line.row.registered.0)
        }),
        column("immunity", "Immunity left", (true, false), |line| {
            number(line.row.immunity_left)
        }),
        column("coldkey", "Owner", (false, false), |line| {
            text(line.row.coldkey.to_ss58())
        }),
    ];
    const ORDER: (&'static str, bool) = ("share", true);

    fn has_word(&self, word: &str) -> bool {
        word == self.row.uid.0.to_string()
            || self.row.hotkey.to_ss58().to_lowercase().starts_with(word)
            || self.row.hotkey.to_string().starts_with(word)
            || self
                .recipes
                .iter()
                .any(|(_, name)| name.to_lowercase().contains(word))
    }
}

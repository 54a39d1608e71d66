//! Duels: the stage that is on, measured beside the audits, and its cells in the reports.
//!
//! ```text
//! contest of the checkpoint ─► stage ─► pulse of its first round ─► archives, seeds ─► worker ─► cells ─► next batch
//! ```
//!
//! The report on a stage's last round waits for the cells while there is time; on no other does anything wait. A stage
//! that cannot be measured here is left to the other validators (docs/evaluation.md, "Duels on the network").

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use assay_chain::At;
use assay_mechanism::contest::{StagePlan, archives};
use assay_types::api::ProblemKind;
use assay_types::{
    Arm, BlockNumber, CELL_VALUE_MAX, Digest, EVALUATION_REPORT_VERSION, EvaluationReport, RecipeId, Round,
    Stage, UnitId,
};
use fs_err as fs;
use tokio::task::JoinHandle;

use super::Validator;
use super::measure::MeasureJob;
use crate::local::{MeasuredArm, MeasuredCells, open_pack_of, read_bounded, sealed_header, write_atomically};
use crate::subnet::{AgentError, DuelPack};

/// Blocks before the cutoff at which the report on a stage's last round goes without the cells.
const WAIT_END_BLOCKS: u32 = 20;

/// How often a stage that cannot be measured is begun again.
const TRIES_MAX: u32 = 3;

/// Most bytes of a stage's cells: 2,304 cells of half a kilobyte.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// A stage, by its first round.
type Key = (Round, Stage);

/// A stage being measured.
type Running = (Key, StagePlan, JoinHandle<Result<MeasuredCells, AgentError>>);

/// Stages measured, being measured, and given up.
#[derive(Debug)]
pub(super) struct Duels {
    folder: PathBuf,
    running: Option<Running>,
    /// How often each could not be measured.
    tries: BTreeMap<Key, u32>,
    /// Recipes whose texts the server has, or does not take.
    shown: BTreeSet<RecipeId>,
}

impl Duels {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.join("duels"),
            running: None,
            tries: BTreeMap::new(),
            shown: BTreeSet::new(),
        }
    }

    fn path(&self, (round, stage): Key) -> PathBuf {
        self.folder.join(format!("{}-{}.json", round.0, stage.name()))
    }

    /// The cells of a stage that was measured.
    fn load(&self, key: Key) -> Result<Option<Vec<EvaluationReport>>, AgentError> {
        let path = self.path(key);
        if !path.exists() {
            return Ok(None);
        }
        let bytes = read_bounded(&path, FILE_BYTES_MAX).map_err(AgentError::file(&path))?;
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| AgentError::invalid(&path, error))
    }

    fn keep(&self, key: Key, cells: &[EvaluationReport]) -> Result<(), AgentError> {
        let path = self.path(key);
        fs::create_dir_all(&self.folder).map_err(AgentError::file(&self.folder))?;
        let bytes = serde_json::to_vec(cells).map_err(|error| AgentError::invalid(&path, error))?;
        Ok(write_atomically(&path, &bytes)?)
    }

    /// Removes what a stage's measurement made.
    fn clear(&self, key: Key) -> Result<(), AgentError> {
        let work = self.work(key);
        if work.exists() {
            fs::remove_dir_all(&work).map_err(AgentError::file(&work))?;
        }
        Ok(())
    }

    /// Where a stage's datasets and models are made.
    fn work(&self, (round, stage): Key) -> PathBuf {
        self.folder.join(format!("{}-{}", round.0, stage.name()))
    }
}

impl Validator<'_> {
    /// The stage that a round's reports may have cells of.
    fn stage(&self, round: Round) -> Option<StagePlan> {
        let contest = self.tracker.contest(round)?;
        contest.stage_of(round, &self.setup.params.values)
    }

    /// Takes in what was measured, and begins what is due at `block`; an error of it stops nothing else.
    pub(super) async fn measure(&mut self, block: BlockNumber) {
        if let Err(error) = self.try_measure(block).await {
            tracing::warn!(%error, "a duel is not measured");
        }
    }

    async fn try_measure(&mut self, block: BlockNumber) -> Result<(), AgentError> {
        self.take_measured().await?;
        if self.duels.running.is_some() {
            return Ok(());
        }
        let newest = self.tracker.state().assigned;
        for round in (newest.saturating_sub(2)..newest).map(Round) {
            let Some(plan) = self.stage(round) else { continue };
            let key = (plan.first, plan.stage);
            let clock = &self.setup.clock;
            let is_time = block > clock.publish_end(plan.first) && block < clock.report_cutoff(plan.last);
            let tries = self.duels.tries.get(&key).copied().unwrap_or(0);
            let is_open = tries < TRIES_MAX && self.duels.load(key)?.is_none();
            if is_time && is_open && self.begin(&plan).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Starts a stage's measurement; false if its pulse is not there yet, or nothing can be measured.
    async fn begin(&mut self, plan: &StagePlan) -> Result<bool, AgentError> {
        let key = (plan.first, plan.stage);
        let (Some(seed), Some(rules)) = (self.rounds().audit_beacon(plan.first).await?, self.setup.duels())
        else {
            return Ok(false);
        };
        let opened = self.open_pack(plan.first).await;
        if opened.as_ref().is_err_and(|error| !error.retry_is_safe()) {
            // A pack that cannot be opened is not read anew with every block.
            *self.duels.tries.entry(key).or_default() += 1;
        }
        let Some((pack, digest)) = opened? else {
            return Ok(false);
        };
        let corpus = self.setup.corpus.iter().map(|unit| &unit.unit_id);
        let drawn = archives(&seed.0, corpus, &self.setup.params.values);
        let unit = |id: &UnitId| self.setup.unit(id).cloned();
        let units: Vec<_> = drawn.iter().filter_map(unit).collect();
        let Some((recipes, fixed)) = self.runnable(plan).await else {
            return Ok(false);
        };
        if units.is_empty() || recipes.len() <= fixed {
            tracing::warn!(
                round = plan.first.0,
                units = units.len(),
                recipes = recipes.len(),
                "nothing to measure a duel on"
            );
            self.duels.tries.insert(key, TRIES_MAX);
            return Ok(false);
        }
        let job = MeasureJob {
            folder: self.duels.work(key),
            archives: self.setup.archives().clone(),
            open: self.setup.open().without_secrets(),
            units,
            recipes: self.setup.recipe_texts(&recipes),
            fixed,
            profile: rules.profile.clone(),
            pack,
            digest,
            seeds: plan.seeds,
            seed,
        };
        let worker = self.options.worker.clone();
        let task = tokio::spawn(async move { worker.measure(job).await });
        tracing::info!(
            round = plan.first.0,
            stage = plan.stage.name(),
            "measuring a duel"
        );
        self.duels.running = Some((key, plan.clone(), task));
        Ok(true)
    }

    /// The pack of stages that begin with a round, opened if it is sealed; none while the chain does not show the pulse that
    /// opens it.
    async fn open_pack(&self, round: Round) -> Result<Option<(PathBuf, Digest)>, AgentError> {
        let Some(DuelPack { pack, digest, .. }) = self.setup.duels().and_then(|rules| rules.pack(round))
        else {
            return Ok(None);
        };
        let Some(header) = sealed_header(pack) else {
            return Ok(Some((pack.clone(), *digest)));
        };
        if header.digest != *digest {
            return Err(AgentError::Unexpected {
                what: "sealed evaluation pack",
                reason: format!("it holds `{}`, the subnet's is `{digest}`", header.digest),
            });
        }
        let opened = self.duels.folder.join(format!("{digest}.pack"));
        if !opened.exists() {
            let Some(pulse) = self.chain.pulse(header.round, At::Head).await? else {
                tracing::info!(
                    round = round.0,
                    pulse = header.round,
                    "the evaluation pack is still sealed"
                );
                return Ok(None);
            };
            let beacon = self.chain.beacon(At::Head).await?;
            fs::create_dir_all(&self.duels.folder).map_err(AgentError::file(&self.duels.folder))?;
            let (sealed, to) = (pack.clone(), opened.clone());
            let opening = move || open_pack_of(&beacon, &sealed, &pulse.signature, &to);
            let ended = tokio::task::spawn_blocking(opening).await;
            ended.map_err(|error| AgentError::Worker(error.to_string()))??;
        }
        Ok(Some((opened, *digest)))
    }

    /// Champion and anchor, then the challengers whose texts can be read and run here, each once, and how many are no
    /// challengers; none if one may be readable later.
    async fn runnable(&self, plan: &StagePlan) -> Option<(Vec<RecipeId>, usize)> {
        let mut runnable = Vec::new();
        let fixed = if plan.champion == plan.anchor { 1 } else { 2 };
        let all = [plan.champion, plan.anchor];
        for id in all.into_iter().chain(plan.challengers.iter().copied()) {
            if runnable.contains(&id) {
                continue;
            }
            if let Some(contest) = self.tracker.contest(plan.first)
                && let Err(error) = self.setup.learn(contest, &[id], self.api()).await
            {
                tracing::warn!(recipe = %id, %error, "a recipe that wants to duel cannot be read");
                if error.retry_is_safe() {
                    return None;
                }
                continue;
            }
            match self.setup.engine(&id) {
                Ok(_) => runnable.push(id),
                Err(error) => {
                    tracing::warn!(recipe = %id, %error, "a recipe that wants to duel does not run");
                }
            }
        }
        let are_there = all.iter().all(|id| runnable.contains(id));
        are_there.then_some((runnable, fixed))
    }

    /// Signs and keeps the cells of a measurement that has ended.
    async fn take_measured(&mut self) -> Result<(), AgentError> {
        let Some((key, plan, task)) = self.duels.running.take_if(|(_, _, task)| task.is_finished()) else {
            return Ok(());
        };
        let ended = task.await.map_err(|error| AgentError::Worker(error.to_string()));
        let measured = match ended.and_then(|measured| measured) {
            Ok(measured) => measured,
            Err(error) => {
                let tries = self.duels.tries.entry(key).or_default();
                *tries += 1;
                // What was made is taken up by the next try, and of no use behind the last.
                if *tries >= TRIES_MAX {
                    self.duels.clear(key)?;
                }
                return Err(error);
            }
        };
        let cells = self.signed_cells(&plan, &measured)?;
        self.duels.keep(key, &cells)?;
        self.duels.clear(key)
    }

    /// Hands the texts of recipes that duel in, once each, so that people can read what is measured and agents that come later
    /// find them; nothing else depends on it.
    pub(super) async fn show_recipes(&mut self) {
        let newest = self.tracker.state().assigned;
        let rounds = (newest.saturating_sub(2)..newest).map(Round);
        let plans: Vec<StagePlan> = rounds.filter_map(|round| self.stage(round)).collect();
        for id in plans.iter().flat_map(|plan| &plan.challengers) {
            let recipe = self.setup.recipe(id).filter(|_| !self.duels.shown.contains(id));
            let (Some(recipe), Some(courier)) = (recipe, &mut self.courier) else {
                continue;
            };
            let Some(api) = courier.api() else { return };
            match api.recipe_text(&recipe).await {
                Ok(_) => {}
                // The server may be some blocks behind, and not know the offer yet.
                Err(error) if error.kind() == Some(ProblemKind::NotFound) => continue,
                Err(error) if courier.is_final("recipe", &error) => {}
                Err(_) => return,
            }
            self.duels.shown.insert(*id);
        }
    }

    /// The cells of every arm, signed.
    fn signed_cells(
        &self,
        plan: &StagePlan,
        measured: &MeasuredCells,
    ) -> Result<Vec<EvaluationReport>, AgentError> {
        let none = RecipeId(Digest::ZERO);
        let of = |id: &RecipeId| measured.recipes.iter().find(|arm| arm.recipe == Some(*id));
        let fixed = [
            (Arm::Champion, plan.champion, of(&plan.champion)),
            (Arm::Anchor, plan.anchor, of(&plan.anchor)),
            (Arm::Ore, none, Some(&measured.ore)),
            (Arm::Pure, none, Some(&measured.pure)),
        ];
        let challengers = plan.challengers.iter().map(|id| (Arm::Challenger, *id, of(id)));
        let champion = of(&plan.champion);
        let mut cells = Vec::new();
        for (arm, recipe, found) in fixed.into_iter().chain(challengers) {
            let Some(found) = found else { continue };
            for (seed, bits) in (0_u32..).zip(&found.bits) {
                for (domain, bits) in measured.domains.iter().zip(bits) {
                    let value = value_of(arm, (found, champion), *bits);
                    cells.push(self.sign_cell(plan, (arm, recipe, found), (seed, domain, value))?);
                }
            }
        }
        Ok(cells)
    }

    fn sign_cell(
        &self,
        plan: &StagePlan,
        (arm, recipe_id, found): (Arm, RecipeId, &MeasuredArm),
        (seed, domain, value): (u32, &str, u32),
    ) -> Result<EvaluationReport, AgentError> {
        let mut cell = EvaluationReport {
            version: EVALUATION_REPORT_VERSION,
            netuid: self.setup.netuid,
            round: plan.first,
            stage: plan.stage,
            validator: self.options.signer.hotkey(),
            params: self.setup.params_digest,
            profile: self
                .setup
                .duels()
                .map_or_else(String::new, |rules| rules.profile.clone()),
            arm,
            recipe_id,
            seed,
            domain: domain_name(domain),
            value,
            tokens: found.kept,
            signature: String::new(),
        };
        let digest = cell.signed_digest().map_err(|error| AgentError::Unexpected {
            what: "cell",
            reason: error.to_string(),
        })?;
        cell.signature = self.options.signer.sign(digest.as_bytes());
        Ok(cell)
    }

    /// Whether a duel is being measured right now.
    #[must_use]
    pub fn is_measuring(&self) -> bool {
        self.duels
            .running
            .as_ref()
            .is_some_and(|(_, _, task)| !task.is_finished())
    }

    /// Whether a round's report waits for cells: it is the stage's last, and they are to come.
    pub(super) fn waits_for_cells(&self, round: Round, block: BlockNumber) -> bool {
        let cutoff = self.setup.clock.report_cutoff(round).0;
        let are_to_come = |plan: &StagePlan| {
            let key = (plan.first, plan.stage);
            // Also before the measurement has begun: its pulse may have come a moment after it was looked for.
            let tries = self.duels.tries.get(&key).copied().unwrap_or(0);
            tries < TRIES_MAX && matches!(self.duels.load(key), Ok(None))
        };
        let plan = self.stage(round).filter(|plan| plan.last == round);
        block.0 < cutoff.saturating_sub(WAIT_END_BLOCKS) && plan.as_ref().is_some_and(are_to_come)
    }

    /// The cells that go into the report on `round`: those of the stage that ends with it. Earlier others could copy them.
    pub(super) fn cells(&self, round: Round) -> Result<Vec<EvaluationReport>, AgentError> {
        let Some(plan) = self.stage(round).filter(|plan| plan.last == round) else {
            return Ok(Vec::new());
        };
        Ok(self.duels.load((plan.first, plan.stage))?.unwrap_or_default())
    }
}

/// What is reported: a challenger whose dataset fails a gate that the champion's passes on the same archives is worth nothing,
/// however well a small model likes it. What both fail is the archives' doing.
fn value_of(arm: Arm, (found, champion): (&MeasuredArm, Option<&MeasuredArm>), bits: u32) -> u32 {
    let passes = |gate: &&String| champion.is_none_or(|champion| !champion.failed.contains(gate));
    let is_refused = arm == Arm::Challenger && found.failed.iter().any(|gate| passes(&gate));
    if is_refused {
        CELL_VALUE_MAX
    } else {
        bits.clamp(1, CELL_VALUE_MAX)
    }
}

/// A domain's name as reports allow it: printable ASCII without spaces, at most 64 bytes.
fn domain_name(domain: &str) -> String {
    let legal = |c: char| if c.is_ascii_graphic() { c } else { '_' };
    let name: String = domain.chars().map(legal).take(64).collect();
    if name.is_empty() { "_".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::Tokens;

    #[test]
    fn a_challenger_that_fails_a_gate_is_worth_nothing() {
        let arm = |failed: &[&str]| MeasuredArm {
            recipe: None,
            kept: Tokens(1),
            failed: failed.iter().map(|name| (*name).to_owned()).collect(),
            bits: Vec::new(),
        };
        let (clean, champion) = (arm(&[]), arm(&["near_duplicates"]));
        let value = |of: Arm, failed: &[&str]| value_of(of, (&arm(failed), Some(&champion)), 20_000);
        assert_eq!(value(Arm::Challenger, &[]), 20_000);
        assert_eq!(
            value(Arm::Challenger, &["near_duplicates"]),
            20_000,
            "so does the champion"
        );
        assert_eq!(
            value(Arm::Challenger, &["near_duplicates", "repetition"]),
            CELL_VALUE_MAX
        );
        assert_eq!(value(Arm::Champion, &["repetition"]), 20_000);
        assert_eq!(value_of(Arm::Ore, (&clean, None), 0), 1);
    }

    #[test]
    fn domains_are_named_as_reports_allow() {
        assert_eq!(domain_name("the book"), "the_book");
        assert_eq!(domain_name(""), "_");
        assert_eq!(domain_name(&"ä".repeat(99)).len(), 64);
    }
}

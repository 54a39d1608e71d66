//! What a localnet with a duel has beside the others: pages set aside as evaluation text, a challenger, and its author.
//!
//! The duel itself is the network's own: the author offers its recipe by `assay recipe submit`, validators measure it, and
//! everybody settles by what they report. Only the budget is small (docs/localnet.md, "A duel").

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use assay_hub::{OpenOptions, Source};
use assay_mechanism::contest::Decision;
use assay_refine::engine::Engine;
use assay_refine::unit::Format;
use assay_refine::url_lists::UrlLists;
use assay_types::recipe::{Profile, Step};
use assay_types::{ParamValues, Recipe, RecipeId, Round, WorkUnit};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::{LocalnetOptions, Play};
use crate::local::{RefineJob, Silent, make_pack_of_pages, refine, write_atomically};
use crate::subnet::{AgentError, Archives, DuelPack, DuelRules};

/// One unit of this many is set aside as evaluation text.
const SET_ASIDE_ONE_IN: usize = 6;

/// What is trained.
const PROFILE: &str = "ngram-duel-small";

/// How often the offer is looked after until it is public.
const ADVANCE_EVERY: Duration = Duration::from_secs(1);

/// Longest a look may take.
const ADVANCE_TIME_MAX: Duration = Duration::from_secs(20);

/// The rules of a localnet with a duel: short cycles, a quarter of the units in reserve, and a second lane for authors.
pub(super) fn with_duel(values: &ParamValues, validators: u32) -> ParamValues {
    let both_lanes = ParamValues::default();
    ParamValues {
        reserve_mod: 4,
        duel_cycle: 2,
        duel_warcs: 24,
        // Some ten thousand tokens a seed are noisy, and cost nothing.
        duel_seeds_screen: 16,
        duel_seeds_confirm: 16,
        se_max: 300,
        // A lone validator is believed.
        duel_reports: u64::from(validators.clamp(1, 2)),
        split_production: both_lanes.split_production,
        split_innovation: both_lanes.split_innovation,
        ..values.clone()
    }
}

/// The recipe that reigns at first: `recipe` without filters of quality, which leave too little of a few hundred pages to
/// measure anything on.
pub(super) fn plain(recipe: &Recipe) -> Recipe {
    let mut recipe = recipe.clone();
    "localnet-plain".clone_into(&mut recipe.name);
    recipe
        .steps
        .retain(|step| matches!(step, Step::UrlFilter(_) | Step::Language(_) | Step::Minhash(_)));
    recipe
}

/// The recipe that wants the throne: the same behind an extraction that takes more of a page.
pub(super) fn challenger(anchor: &Recipe) -> Recipe {
    let mut recipe = anchor.clone();
    "localnet-recall".clone_into(&mut recipe.name);
    recipe.extract.profile = Profile::Recall;
    recipe
}

/// Takes some of the units out of the corpus and makes an evaluation pack of the main text of their pages, in which nothing was
/// judged but the language and whether it was there before. Toolchains install translations of their books beside them: a held-out
/// page of which some samples happen to hold the script and others do not would decide more than all the others.
pub(super) fn set_aside(
    folder: &Path,
    corpus: Vec<WorkUnit>,
    anchor: &Recipe,
) -> Result<(Vec<WorkUnit>, DuelRules), AgentError> {
    let place = Archives::from(folder.join("archives").as_path());
    let (mut left, mut sources): (Vec<WorkUnit>, Vec<Source>) = (Vec::new(), Vec::new());
    for (number, unit) in corpus.into_iter().enumerate() {
        if number % SET_ASIDE_ONE_IN == SET_ASIDE_ONE_IN - 1 {
            sources.push(place.source(&unit)?);
        } else {
            left.push(unit);
        }
    }
    let mut recipe = anchor.clone();
    recipe
        .steps
        .retain(|step| matches!(step, Step::Language(_) | Step::Minhash(_)));
    let engine = Engine::new(recipe, &UrlLists::default()).map_err(|error| AgentError::Unexpected {
        what: "recipe",
        reason: error.to_string(),
    })?;
    let out = folder.join("evaluation");
    let report = refine(
        &RefineJob {
            sources: &sources,
            open: &OpenOptions::default(),
            out: out.clone(),
            engine: &engine,
            threads: 1,
            limit: None,
            format: Format::Parquet,
            features: false,
            alter: None,
        },
        &Silent,
    )?;
    if let Some(failed) = report.failed.into_iter().next() {
        return Err(failed.error.into());
    }
    let pack = PathBuf::from("evaluation.pack");
    let made = make_pack_of_pages(&out, &folder.join(&pack))?;
    fs::remove_dir_all(&out).map_err(AgentError::file(&out))?;
    let rules = DuelRules {
        packs: vec![DuelPack {
            from: Round(0),
            pack,
            digest: made.header.digest,
        }],
        profile: PROFILE.to_owned(),
    };
    Ok((left, rules))
}

/// An author's recipe on its way to the chain and into the open.
pub(super) struct Offering {
    program: PathBuf,
    arguments: Vec<String>,
    next: Instant,
    is_public: bool,
}

/// What `assay recipe submit --json` says.
#[derive(Deserialize)]
struct Answer {
    data: State,
}

#[derive(Deserialize)]
struct State {
    state: String,
}

impl Offering {
    /// Prepares the offer of `recipe` by the wallet `author`.
    pub(super) fn new(
        options: &LocalnetOptions,
        (author, wallets): (&str, &Path),
        recipe: &Recipe,
        network: &str,
    ) -> Result<Self, AgentError> {
        let file = options.folder.join("challenger.toml");
        write_atomically(&file, recipe.to_canonical().as_bytes())?;
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let pairs = [
            ("--store", text(&options.folder.join("store"))),
            ("--repo", format!("{author}/recipe")),
            ("--netuid", "1".to_owned()),
            ("--network", network.to_owned()),
            ("--wallet-path", text(wallets)),
            ("--wallet", author.to_owned()),
        ];
        let pairs = pairs
            .into_iter()
            .flat_map(|(name, value)| [name.to_owned(), value]);
        let head = ["recipe", "submit", &text(&file), "--json"].map(str::to_owned);
        Ok(Self {
            program: options.program.clone(),
            arguments: head.into_iter().chain(pairs).collect(),
            next: Instant::now(),
            is_public: false,
        })
    }

    /// Takes the next step of the offer, about once a second, until it is public.
    pub(super) async fn advance(&mut self) -> Result<(), AgentError> {
        if self.is_public || Instant::now() < self.next {
            return Ok(());
        }
        self.next = Instant::now() + ADVANCE_EVERY;
        let failed = |reason: String| AgentError::Worker(format!("offer the challenger: {reason}"));
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .output();
        let ended = tokio::time::timeout(ADVANCE_TIME_MAX, child).await;
        let output = ended
            .map_err(|_| failed("it takes too long".to_owned()))?
            .map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(failed(said.chars().take(300).collect()));
        }
        let answer: Answer =
            serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))?;
        self.is_public = answer.data.state == "public";
        Ok(())
    }
}

/// What a stage of a duel decided.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DuelSummary {
    /// First round of the stage.
    pub round: u32,
    /// `screen` or `confirm`.
    pub stage: &'static str,
    /// Who wanted the throne.
    pub challenger: String,
    /// `won`, `lost`, `inconclusive`, or `waits`.
    pub outcome: String,
    /// Lead over the champion in points.
    pub points: f64,
    /// Its standard error.
    pub standard_error: f64,
}

impl DuelSummary {
    fn of(decision: &Decision, name: impl Fn(&RecipeId) -> String) -> Self {
        let points = |milli: i64| milli as f64 / 1_000.0;
        Self {
            round: decision.round.0,
            stage: decision.stage.name(),
            challenger: name(&decision.challenger),
            outcome: decision.outcome.clone(),
            points: points(decision.lead_milli),
            standard_error: points(decision.error_milli),
        }
    }
}

impl Play<'_> {
    /// Reads the texts of recipes that were measured, for their names.
    pub(super) async fn learn(&self) {
        if let Some(contest) = &self.tracker.state().contest {
            let measured = contest.decisions().iter().map(|decision| decision.challenger);
            let measured: Vec<RecipeId> = measured.collect();
            // One that cannot be read is shown by its id.
            let _ = self.setup.learn(contest, &measured, None).await;
        }
    }

    /// Duels decided so far, and who reigns; nothing on a localnet without.
    pub(super) fn duels(&self) -> (Vec<DuelSummary>, Option<String>) {
        let state = self.tracker.state();
        let Some(contest) = &state.contest else {
            return (Vec::new(), None);
        };
        let name = |id: &RecipeId| {
            let known = self.setup.recipe(id).map(|recipe| recipe.name);
            known.unwrap_or_else(|| id.to_string().chars().take(12).collect())
        };
        let decided = contest.decisions().iter();
        let duels = decided.map(|decision| DuelSummary::of(decision, name)).collect();
        let champion = contest.champion(Round(state.assigned));
        (duels, Some(name(&champion)))
    }
}

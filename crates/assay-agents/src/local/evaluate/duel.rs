//! `assay duel`: two recipes on the same archives, the same models trained on what each keeps, and the network's decision.
//!
//! Both datasets are made in one folder and taken over if they are there; ore is all visible text of the same archives, pure
//! and held-out text come from an evaluation pack. The decision is [`assay_eval::duel`]'s.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use assay_eval::arm::{Against, Arm};
use assay_eval::contamination::GramIndexBuilder;
use assay_eval::duel::{ARMS, StageReport, cells, cluster_variance, decide};
use assay_eval::evaluate::Evaluation;
use assay_eval::gates::Gate;
use assay_eval::held_out::HeldOutSet;
use assay_eval::ngram::Order;
use assay_eval::stage2::{SEEDS_MIN, Trained};
use assay_hub::{OpenOptions, Source};
use assay_refine::engine::Engine;
use assay_refine::unit::Format;
use assay_types::{Digest, RecipeId, Stage};
use serde::Serialize;

use super::super::error::LocalError;
use super::super::refine::{Progress, RefineJob, refine};
use super::ore::read_archives;
use super::packs::open_pack;
use super::train::{Training, Watch, train_seeds};
use super::{EvaluateError, Input, Sampling, check_language, read_arm};

/// Seeds of the confirmation, after those of the screen (docs/mechanism.md).
const CONFIRM_SEEDS: u32 = 8;

/// Seeds of the screen.
const SCREEN_SEEDS: u32 = SEEDS_MIN as u32;

/// A duel on this machine.
#[derive(Debug)]
pub struct DuelJob<'a> {
    /// The recipe that reigns, ready to run.
    pub champion: &'a Engine,
    /// The recipe that wants to.
    pub challenger: &'a Engine,
    /// The archives both refine.
    pub sources: &'a [Source],
    /// How to open them.
    pub open: &'a OpenOptions,
    /// Where both datasets are made and kept.
    pub out: &'a Path,
    /// Evaluation pack: held-out and pure text.
    pub pack: &'a Path,
    /// Declared language, ISO 639-1.
    pub language: &'a str,
    /// Seed of samples and models.
    pub seed: u64,
    /// How models are trained; seeds are the duel's own.
    pub training: Training<'a>,
    /// Rounds since the champion's activation: its lead shrinks with them.
    pub age_rounds: u32,
    /// Worker threads of refining.
    pub threads: usize,
}

/// What a recipe kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// The recipe.
    pub recipe: RecipeId,
    /// Documents.
    pub documents: u64,
    /// Tokens of stage 1.
    pub tokens: u64,
    /// Tokens for each 10^9 bytes of archives; null if their stored size is not known.
    pub tokens_per_gb: Option<u64>,
    /// Gates by name.
    pub gates: BTreeMap<&'static str, Gate>,
}

impl Kept {
    fn of(recipe: RecipeId, arm: Option<&Arm>, against: &Against) -> Self {
        Self {
            recipe,
            documents: arm.map_or(0, |arm| arm.tally().documents),
            tokens: arm.map_or(0, |arm| arm.tally().tokens),
            tokens_per_gb: arm.and_then(Arm::tokens_per_gb),
            gates: arm.map(|arm| arm.gates(against)).unwrap_or_default(),
        }
    }

    /// Names of the gates that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        let failed = self.gates.iter().filter(|(_, gate)| gate.passed == Some(false));
        failed.map(|(name, _)| *name).collect()
    }
}

/// The result of a duel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DuelReport {
    /// `champion` or `challenger`; null if the confirmation was inconclusive.
    pub winner: Option<&'static str>,
    /// What decided.
    pub why: String,
    /// The champion's yield.
    pub champion: Kept,
    /// The challenger's, from the same archives.
    pub challenger: Kept,
    /// Digest of the held-out text.
    pub evaluation: Digest,
    /// Profile of the models; `smoke` decides nothing.
    pub profile: &'static str,
    /// Tokens every model was trained on.
    pub budget_tokens: u64,
    /// Vector instructions, or `cuda`: both, and `plain`, give other bits than all others.
    pub instructions: &'static str,
    /// Models trained.
    pub models: u32,
    /// The stages played.
    pub stages: Vec<StageReport>,
}

/// Plays a duel.
///
/// # Errors
/// [`LocalError`]: archives, pack or folder that cannot be used, too little text, ore and pure text too close.
pub fn duel(
    job: &DuelJob<'_>,
    note: &mut dyn FnMut(&str),
    progress: &dyn Progress,
    watch: Watch<'_>,
) -> Result<DuelReport, LocalError> {
    check_language(job.language)?;
    job.training.check()?;
    let evaluation = read_arms(job, note, progress)?;
    let kept = |place: usize, engine: &Engine| {
        Kept::of(
            engine.recipe_id(),
            evaluation.arms.get(place),
            &evaluation.against,
        )
    };
    let (champion, challenger) = (kept(0, job.champion), kept(1, job.challenger));
    for (name, kept) in ARMS.iter().zip([&champion, &challenger]) {
        if !kept.failed().is_empty() {
            note(&format!("the {name} fails a gate: {}", kept.failed().join(", ")));
        }
    }
    let held_out = evaluation
        .held_out
        .as_ref()
        .ok_or(EvaluateError::NothingTrained)?;
    let stage2 = evaluation.stage2(&job.seed.to_le_bytes());
    let stage2 = stage2.filter(|stage2| stage2.arms() == ARMS.len());
    let stage2 = stage2.ok_or(EvaluateError::Small {
        tokens: job.training.plan.sample.budget_tokens_min,
    })?;
    let mut stages: Vec<StageReport> = Vec::new();
    let (mut budget_tokens, mut instructions) = (0, "");
    let plan = [
        (Stage::Screen, 0..SCREEN_SEEDS),
        (Stage::Confirm, SCREEN_SEEDS..SCREEN_SEEDS + CONFIRM_SEEDS),
    ];
    for (stage, seeds) in plan {
        note(match stage {
            Stage::Screen => "screen: training models",
            Stage::Confirm => "confirmation: training models of new seeds",
        });
        let trained: Trained = train_seeds(&stage2, &job.training, seeds, note, watch)?;
        (budget_tokens, instructions) = (trained.budget_tokens, trained.instructions);
        let arms = trained
            .arms
            .try_into()
            .map_err(|_| EvaluateError::NothingTrained)?;
        let variance = cluster_variance(&arms, held_out);
        let report =
            decide(stage, &cells(&arms, held_out), variance, job.age_rounds).map_err(EvaluateError::Duel)?;
        let is_won = report.is_won();
        stages.push(report);
        if !is_won {
            break;
        }
    }
    let (winner, why) = winner(stages.last(), &challenger);
    Ok(DuelReport {
        winner,
        why,
        champion,
        challenger,
        evaluation: held_out.id,
        profile: job.training.plan.model.name,
        budget_tokens,
        instructions,
        models: stages
            .iter()
            .map(|stage| stage.seeds as u32 * ARMS.len() as u32)
            .sum(),
        stages,
    })
}

/// Who wins after the last stage that was played, and why. Models alone may like repeated text: a challenger whose dataset
/// fails a gate never wins.
fn winner(last: Option<&StageReport>, challenger: &Kept) -> (Option<&'static str>, String) {
    let [champion_name, challenger_name, ..] = ARMS;
    let Some(last) = last else {
        return (Some(champion_name), "no stage was played".to_owned());
    };
    let stage = match last.stage {
        "screen" => "screen",
        _ => "confirmation",
    };
    let failed = challenger.failed();
    if last.is_won() && !failed.is_empty() {
        let why = format!("the challenger fails a gate: {}", failed.join(", "));
        return (Some(champion_name), why);
    }
    match last.outcome {
        _ if last.is_won() => (Some(challenger_name), "the challenger leads by enough".to_owned()),
        "inconclusive" => (None, format!("the {stage} was inconclusive")),
        _ => (
            Some(champion_name),
            format!("the challenger's lead in the {stage} is too small"),
        ),
    }
}

/// Refines with both recipes and reads what there is to train on.
fn read_arms(
    job: &DuelJob<'_>,
    note: &mut dyn FnMut(&str),
    progress: &dyn Progress,
) -> Result<Evaluation, LocalError> {
    let pack = open_pack(job.pack)?;
    let seed = job.seed.to_le_bytes();
    let held_out = HeldOutSet::choose(pack.domains, &seed, Order::V1).map_err(EvaluateError::HeldOut)?;
    let mut index = GramIndexBuilder::default();
    held_out.texts().for_each(|text| index.push(text));
    let against = Against::held_out(index.finish(), job.language);
    let profiles = job.training.plan.profiles();
    let sampling = Sampling {
        profiles: &profiles,
        seed: &seed,
        against: &against,
    };
    let mut arms = Vec::new();
    for (name, engine) in ARMS.iter().zip([job.champion, job.challenger]) {
        note(&format!("refining with the {name}'s recipe"));
        let out = job.out.join(name);
        refine_into((job.sources, job.open), engine, (&out, job.threads), progress)?;
        arms.push(read_arm(&Input::from(out), (*name).to_owned(), &sampling)?);
    }
    note("reading all visible text");
    let mut ore = Arm::new("ore", sampling.profiles, &seed);
    read_archives(job.sources, job.open, &mut ore, &against)?;
    let mut pure = Arm::new("pure", sampling.profiles, &seed);
    pure.push(&pack.pure, &against);
    Ok(Evaluation {
        arms,
        ore: Some(ore),
        pure: Some(pure),
        held_out: Some(held_out),
        public: None,
        benchmarks: Vec::new(),
        plan: job.training.plan,
        against,
        pack: Some(pack.header.digest),
    })
}

/// Refines all of the archives into a folder; a duel on fewer than were named would be another duel.
pub(super) fn refine_into(
    (sources, open): (&[Source], &OpenOptions),
    engine: &Engine,
    (out, threads): (&Path, usize),
    progress: &dyn Progress,
) -> Result<(), LocalError> {
    let run = refine(
        &RefineJob {
            sources,
            open,
            out: PathBuf::from(out),
            engine,
            threads,
            limit: None,
            format: Format::Parquet,
            features: false,
            alter: None,
        },
        progress,
    )?;
    match run.failed.into_iter().next() {
        Some(failed) => Err(failed.error),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(passes: bool) -> Kept {
        Kept {
            recipe: assay_types::recipe::fineweb_en_v1().id(),
            documents: 1,
            tokens: 1,
            tokens_per_gb: None,
            gates: BTreeMap::from([("repetition", Gate::condition(passes, "spam"))]),
        }
    }

    fn stage(stage: &'static str, outcome: &'static str) -> StageReport {
        StageReport {
            stage,
            points: 30.0,
            low: 20.0,
            high: 40.0,
            standard_error: 3.0,
            document_standard_error: 1.0,
            epsilon: 4.0,
            z: 9.0,
            seeds: 8,
            outcome,
        }
    }

    /// Found by review: a small model likes repeated text, and a duel asked no gate.
    #[test]
    fn spam_is_never_crowned() {
        let of = |played: &StageReport, passes| winner(Some(played), &kept(passes));
        let won = stage("confirm", "won");
        assert_eq!(of(&won, true).0, Some("challenger"));
        let (who, why) = of(&won, false);
        assert_eq!(
            (who, why.as_str()),
            (Some("champion"), "the challenger fails a gate: repetition")
        );
        let (who, why) = of(&stage("confirm", "inconclusive"), true);
        assert_eq!((who, why.as_str()), (None, "the confirmation was inconclusive"));
        let (who, why) = of(&stage("screen", "lost"), true);
        assert_eq!(
            (who, why.as_str()),
            (
                Some("champion"),
                "the challenger's lead in the screen is too small"
            )
        );
    }
}

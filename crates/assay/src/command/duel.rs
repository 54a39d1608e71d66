//! `assay duel`: whether a challenger's recipe gives better training text than the champion's, from the same archives.
//!
//! The local driver refines and trains; here the result is laid out.

use std::fmt::Write as _;
use std::time::Instant;

use assay_agents::local::{self, DuelJob, DuelReport, Kept};
use assay_refine::report;
use serde::Serialize;

use crate::cli::DuelArgs;
use crate::config;
use crate::console::Console;
use crate::exit::{Status, UsageError};
use crate::progress::RunProgress;
use crate::recipes;
use crate::training_bar::TrainingBar;

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Data<'a> {
    #[serde(flatten)]
    found: &'a DuelReport,
    /// Wall-clock seconds of this call; less if a duel went on.
    seconds: u64,
}

pub(super) fn run(args: &DuelArgs, console: &Console) -> anyhow::Result<Status> {
    let started = Instant::now();
    let Some(pack) = args.pack.clone().or_else(config::evaluation_pack) else {
        let help = "`assay evaluate pack DIR… --out FILE` makes one; give it with --pack";
        return Err(UsageError::new("a duel needs an evaluation pack", help).into());
    };
    let open = config::open_options();
    let sources = assay_hub::resolve(&args.warc)?;
    let engine = |name: &str| recipes::engine(name, args.url_lists.as_deref());
    let (champion, challenger) = (engine(&args.champion)?, engine(&args.challenger)?);
    let keep = args.out.join("models");
    let job = DuelJob {
        champion: &champion,
        challenger: &challenger,
        sources: &sources,
        open: &open,
        out: &args.out,
        pack: &pack,
        language: &args.language,
        seed: args.seed,
        training: super::training(&args.training, 0, Some(&keep)),
        age_rounds: args.age,
        threads: super::threads(None),
    };
    let (progress, bar) = (RunProgress::new(console), TrainingBar::new(console));
    let found = local::duel(&job, &mut |line| console.note(line), &progress, &|now| {
        bar.show(now);
    });
    progress.finish();
    bar.finish();
    let found = found?;
    let data = Data {
        found: &found,
        seconds: started.elapsed().as_secs(),
    };
    console.result("assay.duel/1", &data, &[], || table(&data))?;
    Ok(Status::Ok)
}

/// The result for people.
fn table(data: &Data<'_>) -> String {
    let found = data.found;
    let mut text = String::new();
    let kept = |kept: &Kept| {
        let gates = match kept.failed().as_slice() {
            [] => "gates pass".to_owned(),
            failed => format!("gates FAIL: {}", failed.join(", ")),
        };
        let per_gb = kept.tokens_per_gb.map(report::count);
        let per_gb = per_gb.map_or(String::new(), |tokens| format!(" ({tokens} a GB of archives)"));
        format!(
            "{}: {} documents, {} tokens{per_gb}, {gates}",
            kept.recipe,
            report::count(kept.documents),
            report::count(kept.tokens)
        )
    };
    // Writing to a string cannot fail.
    let _ = writeln!(text, "champion    {}", kept(&found.champion));
    let _ = writeln!(text, "challenger  {}", kept(&found.challenger));
    for stage in &found.stages {
        let _ = writeln!(
            text,
            "{:8} {:+.1} points [{:+.1}, {:+.1}] with {} seeds, lead asked for {:.1}, z {:.2}: {}",
            stage.stage,
            stage.points,
            stage.low,
            stage.high,
            stage.seeds,
            stage.epsilon,
            stage.z,
            stage.outcome
        );
    }
    let winner = found
        .winner
        .map_or("no decision".to_owned(), |winner| format!("the {winner} wins"));
    if found.profile == local::SMOKE_PLAN.model.name {
        let _ = writeln!(
            text,
            "profile `smoke` shows whether everything runs: its decision means nothing"
        );
    }
    let _ = writeln!(
        text,
        "{winner} ({}); {} models of {} tokens, trained with {}, {} s",
        found.why,
        found.models,
        report::count(found.budget_tokens),
        found.instructions,
        data.seconds
    );
    text
}

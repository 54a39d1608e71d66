//! `assay localnet`: a whole subnet on this machine, then what each miner did, was caught for and earned.

mod live;
mod panel;

use anyhow::Context as _;
use assay_agents::localnet::{DuelSummary, LocalnetOptions, Summary, crawl_archives, localnet};

use crate::cli::LocalnetArgs;
use crate::command::chain::table::table;
use crate::command::interrupt::interrupted;
use crate::command::services::block_on;
use crate::config;
use crate::console::Console;
use crate::exit::Status;
use live::Live;

pub(super) fn run(args: &LocalnetArgs, console: &Console) -> anyhow::Result<Status> {
    let open = config::store_options().open;
    let archives = match &args.crawl {
        Some(crawl) => crawl_archives(&args.crawl_url, crawl, args.files, &open)?,
        None if args.warc.is_empty() => Vec::new(),
        None => assay_hub::resolve(&args.warc)?,
    };
    let folder = std::path::absolute(&args.dir).context("find the folder")?;
    let options = LocalnetOptions {
        program: std::env::current_exe().context("find this program")?,
        folder,
        cast: args.miners.clone(),
        validators: args.validators,
        rounds: args.rounds,
        block_time: args.block_time,
        seed: args.seed,
        archives,
        open,
        duel: args.duel,
        port: args.port,
    };
    let people = args.miners.miners().count() + args.validators as usize;
    let live = Live::new(console, people);
    let played = block_on(async {
        tokio::select! {
            played = localnet(&options, &live) => Ok(Some(played?)),
            // Dropped, it ends its processes with it.
            interrupted = interrupted() => {
                interrupted?;
                Ok(None)
            }
        }
    });
    live.end();
    let Some(summary) = played? else {
        anyhow::bail!(
            "interrupted; everything is kept in `{}`",
            options.folder.display()
        );
    };
    console.result("assay.localnet/1", &summary, &[], || shown(&summary))?;
    Ok(Status::Ok)
}

/// What the duels decided; nothing on a localnet without.
fn duels(summary: &Summary) -> String {
    let Some(champion) = &summary.champion else {
        return String::new();
    };
    let row = |duel: &DuelSummary| {
        vec![
            format!("{} {}", duel.stage, duel.round),
            duel.challenger.clone(),
            format!("{:.1} ± {:.1}", duel.points, duel.standard_error),
            duel.outcome.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = summary.duels.iter().map(row).collect();
    let headers = ["duel", "challenger", "lead in points", "outcome"];
    format!("\n{}champion: {champion}\n", table(&headers, &rows))
}

fn shown(summary: &Summary) -> String {
    let headers = [
        "miner",
        "units",
        "records",
        "credibility",
        "weight",
        "incentive",
        "caught in",
        "faults",
    ];
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let mut rows: Vec<Vec<String>> = summary
        .miners
        .iter()
        .map(|miner| {
            let caught = miner
                .caught_in
                .map_or_else(|| "-".to_owned(), |round| format!("round {round}"));
            vec![
                miner.name.clone(),
                miner.verified_units.to_string(),
                miner.verified_records.to_string(),
                format!("{:.3}", miner.credibility),
                miner.weight.to_string(),
                percent(miner.incentive),
                caught,
                miner.faults.join(", "),
            ]
        })
        .collect();
    let mut burn = vec![String::new(); headers.len()];
    for (place, text) in [(0, "burn".to_owned()), (5, percent(summary.burn))] {
        if let Some(cell) = burn.get_mut(place) {
            *cell = text;
        }
    }
    rows.push(burn);
    let seconds =
        |value: Option<f64>| value.map_or_else(|| "never".to_owned(), |value| format!("{value:.0} s"));
    let equal = if summary.validators_equal {
        "equal"
    } else {
        "different"
    };
    let server = match summary.server_equal {
        Some(true) => "agrees",
        Some(false) => "differs",
        None => "did not answer",
    };
    format!(
        "{}{}\n{} rounds in {:.0} s; first score after {}, first weights after {}; validators' weights are {equal}, the Task API {server}\n",
        table(&headers, &rows),
        duels(summary),
        summary.rounds,
        summary.seconds,
        seconds(summary.first_score_s),
        seconds(summary.first_weights_s)
    )
}

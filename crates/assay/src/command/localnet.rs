//! `assay localnet`: a whole subnet on this machine, then what each miner did, was caught for and earned.

use anyhow::Context as _;
use assay_agents::localnet::{LocalnetOptions, Summary, Watcher, localnet};

use crate::cli::LocalnetArgs;
use crate::command::services::block_on;
use crate::console::Console;
use crate::exit::Status;

struct Notes<'a>(&'a Console);

impl Watcher for Notes<'_> {
    fn note(&self, line: &str) {
        self.0.note(line);
    }
}

pub(super) fn run(args: &LocalnetArgs, console: &Console) -> anyhow::Result<Status> {
    let archives = if args.warc.is_empty() {
        Vec::new()
    } else {
        assay_hub::resolve(&args.warc)?
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
    };
    let summary = block_on(async { Ok(localnet(&options, &Notes(console)).await?) })?;
    console.result("assay.localnet/1", &summary, &[], || table(&summary))?;
    Ok(Status::Ok)
}

fn table(summary: &Summary) -> String {
    let mut out =
        String::from("miner         units  records  credibility  weight  incentive  caught in  faults\n");
    for miner in &summary.miners {
        let caught = miner
            .caught_in
            .map_or_else(|| "-".to_owned(), |round| format!("round {round}"));
        out.push_str(&format!(
            "{:<13} {:>5}  {:>7}  {:>11.3}  {:>6}  {:>8.1} %  {caught:>9}  {}\n",
            miner.name,
            miner.verified_units,
            miner.verified_records,
            miner.credibility,
            miner.weight,
            miner.incentive * 100.0,
            miner.faults.join(", ")
        ));
    }
    out.push_str(&format!(
        "{:<13} {:>5}  {:>7}  {:>11}  {:>6}  {:>8.1} %\n\n",
        "burn",
        "",
        "",
        "",
        "",
        summary.burn * 100.0
    ));
    let seconds =
        |value: Option<f64>| value.map_or_else(|| "never".to_owned(), |value| format!("{value:.0} s"));
    let equal = if summary.validators_equal {
        "equal"
    } else {
        "different"
    };
    out.push_str(&format!(
        "{} rounds in {:.0} s; first score after {}, first weights after {}; validators' weights are {equal}\n",
        summary.rounds,
        summary.seconds,
        seconds(summary.first_score_s),
        seconds(summary.first_weights_s)
    ));
    out
}

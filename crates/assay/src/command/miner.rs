//! `assay miner`: works rounds, shows how far they are.

use assay_agents::miner::{Conduct, Miner, MinerOptions, RoundJournal};
use assay_agents::subnet::{Setup, Signer};
use assay_types::RecipeId;

use crate::cli::{AssignArg, ConductArg, MinerCommand, MinerUpArgs};
use crate::command::chain::table::table;
use crate::command::operate::{Event, Operator};
use crate::command::services::{block_on, is_done, judge, next_block, print_unit, service};
use crate::command::threads;
use crate::console::Console;
use crate::exit::{Status, UsageError};

pub(super) fn run(command: &MinerCommand, console: &Console) -> anyhow::Result<Status> {
    match command {
        MinerCommand::Up(args) if args.agent.print_unit => print_unit("miner", console)?,
        MinerCommand::Up(args) => block_on(up(args, console))?,
        MinerCommand::Status { dir } => status(dir, console)?,
    }
    Ok(Status::Ok)
}

async fn up(args: &MinerUpArgs, console: &Console) -> anyhow::Result<()> {
    let service = service(&args.agent, console).await?;
    let chain = &*service.opened.chain;
    let options = MinerOptions {
        folder: args.agent.dir.clone(),
        signer: Signer(service.signer.clone()),
        want: args.want,
        threads: threads(args.threads),
        recipe: recipe(&service.setup, &args.recipe)?,
        conduct: match args.conduct {
            ConductArg::Honest | ConductArg::Better => Conduct::Honest,
            ConductArg::Lazy => Conduct::Lazy,
            ConductArg::Copycat => Conduct::Copycat,
            ConductArg::Fabricator => Conduct::Fabricator,
        },
    };
    let hotkey = options.signer.hotkey();
    console.note(&format!("mining as {}", hotkey.to_ss58()));
    let mut miner = Miner::open(chain, &service.setup, options)?;
    match (service.courier, args.assign) {
        (Some(courier), Some(AssignArg::Chain)) => miner = miner.with_courier(courier.telling_only()),
        (Some(courier), _) => miner = miner.with_courier(courier),
        (None, Some(AssignArg::Api)) => {
            let cure = "name the server with --api and --api-hotkey, or leave it to --assign chain";
            return Err(UsageError::new("--assign api names no server".to_owned(), cure).into());
        }
        (None, _) => {}
    }
    if args.dry_run {
        return rehearse(&mut miner, console).await;
    }
    let mut operator = Operator::start(&args.agent, "miner", hotkey, console).await?;
    if miner.join().await? {
        console.note("asked to join");
    }
    operator.look(miner.tracker()).await;
    let mut last = None;
    loop {
        let Some(block) = next_block(chain, last, console).await else {
            continue;
        };
        last = Some(block);
        operator.begins();
        match miner.step(block).await {
            Ok(did) => {
                for did in &did {
                    console.note(&format!("round {}: {:?}", did.round, did.stage));
                    if let Some(event) = Event::of_stage(did.round, did.stage) {
                        operator.tell(&event).await;
                    }
                }
                operator.stepped(block, did.iter().map(|did| did.stage.name()));
            }
            Err(error) => {
                operator.failed(&error);
                judge(error, console)?;
            }
        }
        operator.look(miner.tracker()).await;
        if is_done(&service.setup, args.agent.until, block) {
            return Ok(());
        }
    }
}

/// A round without consequences, for who wants to know what this machine can do.
async fn rehearse(miner: &mut Miner<'_>, console: &Console) -> anyhow::Result<()> {
    let done = miner.rehearse().await?;
    console.result("assay.miner-rehearsal/1", &done, &[], || {
        let whose = done.round.map_or_else(
            || "the first units of the corpus, as the hotkey holds none".to_owned(),
            |round| format!("the units of round {round}"),
        );
        format!(
            "refined {whose}: {} units, {} records, {} kept, {} tokens in {:.1} s ({:.1} MB of archive a second)\n\
             would commit {}; nothing was published or committed\n",
            done.units,
            done.records,
            done.kept,
            done.tokens,
            done.seconds,
            done.archive_bytes as f64 / 1e6 / done.seconds.max(1e-9),
            done.submission_root
        )
    })
}

/// The recipe to use; none is the best.
fn recipe(setup: &Setup, name: &str) -> Result<Option<RecipeId>, UsageError> {
    match name {
        "best" => Ok(None),
        "anchor" => Ok(setup.anchor().map(assay_types::Recipe::id)),
        name => match setup.recipe_of(name) {
            Some(recipe) => Ok(Some(recipe.id())),
            None => Err(UsageError::new(
                format!("no active recipe `{name}`"),
                "give best, anchor, or a name or id of the subnet's file",
            )),
        },
    }
}

fn status(dir: &std::path::Path, console: &Console) -> anyhow::Result<()> {
    let journals = RoundJournal::all(dir)?;
    console.result("assay.miner-status/1", &journals, &[], || {
        let row = |journal: &RoundJournal| {
            vec![
                journal.round.to_string(),
                journal.units.len().to_string(),
                format!("{:?}", journal.stage).to_lowercase(),
                journal
                    .committed
                    .map_or_else(String::new, |block| block.to_string()),
            ]
        };
        let rows: Vec<Vec<String>> = journals.iter().map(row).collect();
        table(&["round", "units", "stage", "committed in block"], &rows)
    })
}

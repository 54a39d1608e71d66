//! `assay validator`: audits every round, reports, sets weights.

use anyhow::Context as _;
use assay_agents::subnet::Signer;
use assay_agents::validator::{Did, PrivateAudit, Validator, ValidatorOptions, Worker};

use crate::cli::{ValidatorCommand, ValidatorUpArgs};
use crate::command::operate::{Event, Operator};
use crate::command::services::{block_on, is_done, judge, next_block, print_unit, service};
use crate::console::Console;
use crate::exit::Status;

pub(super) fn run(command: &ValidatorCommand, console: &Console) -> anyhow::Result<Status> {
    let ValidatorCommand::Up(args) = command;
    if args.agent.print_unit {
        print_unit("validator", console)?;
        return Ok(Status::Ok);
    }
    block_on(up(args, console))?;
    Ok(Status::Ok)
}

async fn up(up: &ValidatorUpArgs, console: &Console) -> anyhow::Result<()> {
    let args = &up.agent;
    let service = service(args, console).await?;
    let chain = &*service.opened.chain;
    let program = std::env::current_exe().context("find this program")?;
    let options = ValidatorOptions {
        folder: args.dir.clone(),
        signer: Signer(service.signer.clone()),
        worker: Worker::Process(program),
        private: PrivateAudit {
            units: up.private_audit,
            probes: up.private_probes,
        },
    };
    let hotkey = options.signer.hotkey();
    console.note(&format!("validating as {}", hotkey.to_ss58()));
    let mut operator = Operator::start(args, "validator", hotkey, console).await?;
    let mut validator = Validator::open(chain, &service.setup, options)?;
    if let Some(courier) = service.courier {
        validator = validator.with_courier(courier);
    }
    operator.look(validator.tracker()).await;
    let mut last = None;
    loop {
        let Some(block) = next_block(chain, last, console).await else {
            continue;
        };
        last = Some(block);
        operator.begins();
        match validator.step(block).await {
            Ok(did) => {
                for did in &did {
                    console.note(&line(did));
                    if let Did::Unrevealed { round } = did {
                        operator.tell(&Event::unrevealed(*round)).await;
                    }
                }
                operator.stepped(block, did.iter().map(Did::name));
            }
            Err(error) => {
                operator.failed(&error);
                judge(error, console)?;
            }
        }
        operator.look(validator.tracker()).await;
        if is_done(&service.setup, args.until, block) {
            return Ok(());
        }
    }
}

fn line(did: &Did) -> String {
    match did {
        Did::Reported {
            round,
            miners,
            faults,
        } => format!("round {round}: reported on {miners} miners, {faults} faults"),
        Did::Audited { round, miner, faults } => {
            format!(
                "round {round}: looked at {} privately, {faults} faults",
                miner.to_ss58()
            )
        }
        Did::Proved { round, miner, kind } => {
            format!(
                "round {round}: proved a fault of {}: {}",
                miner.to_ss58(),
                kind.name()
            )
        }
        Did::Unrevealed { round } => format!("weights of round {round} were not revealed"),
        Did::Weights { round, row } => {
            let row: Vec<String> = row
                .iter()
                .map(|(uid, weight)| format!("{uid}={weight}"))
                .collect();
            format!("weights of round {round}: {}", row.join(" "))
        }
    }
}

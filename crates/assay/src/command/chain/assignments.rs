//! `assay chain assignments`: a round's assignment recomputed from the chain, and compared with what a server serves.

use std::collections::BTreeMap;
use std::time::Duration;

use assay_agents::api::{Expected, TaskApi, assigned_header, check_assignment, read_chain};
use assay_chain::wallet::{KeyPair, Scheme};
use assay_mechanism::plan::plan;
use assay_server::corpus::read_corpus;
use assay_types::{Digest, NetUid, Round, UnitId, WorkUnit, corpus_index_root};
use serde::Serialize;

use crate::cli::AssignmentsArgs;
use crate::command::chain::open;
use crate::command::serve_params;
use crate::command::services::task_api;
use crate::config;
use crate::console::Console;
use crate::exit::Status;

/// Longest time of one exchange with the server.
const EXCHANGE_MAX: Duration = Duration::from_mins(1);

#[derive(Debug, Serialize)]
struct Data {
    round: u32,
    units: usize,
    digest: Digest,
    document: String,
    lie: Option<String>,
}

pub(super) async fn run(args: &AssignmentsArgs, console: &Console) -> anyhow::Result<Status> {
    let opened = open::open(open::network_of(&args.network)?).await?;
    let chain = opened.chain.as_ref();
    let params = serve_params(args.params.as_deref())?;
    let units = corpus(&args.corpus)?;
    let root = corpus_index_root(&units);
    let (netuid, round) = (NetUid(args.netuid), Round(args.round));
    let genesis = chain.genesis().await?;
    let caps = BTreeMap::new();
    let view = read_chain(chain, (netuid, round), &params, &caps).await?;
    let from = |cursor: u64| -> Vec<UnitId> {
        units
            .iter()
            .skip(usize::try_from(cursor).unwrap_or(usize::MAX))
            .map(|unit| unit.unit_id)
            .collect()
    };
    let (document, lie) = match server(args)? {
        None => {
            let header = assigned_header((genesis, netuid, round), &params, view, (root, args.cursor));
            (plan(&header, &from(args.cursor), &params.values), None)
        }
        Some(api) => {
            let (served, _) = api.assignment(round).await?;
            let fresh = from(served.header.cursor);
            let expected = Expected {
                genesis,
                netuid,
                round,
                params: &params,
                block: view.0,
                beacon: view.1,
                candidates: &view.2,
                caps: &caps,
                index_root: Some(root),
                cursor: None,
                requeued: None,
                fresh: &fresh,
            };
            let lie = check_assignment(&served, &expected).err();
            (served, lie.map(|lie| lie.to_string()))
        }
    };
    let bytes = document.to_bytes()?;
    let data = Data {
        round: round.0,
        units: document.entries.len(),
        digest: Digest::of(&bytes),
        document: String::from_utf8(bytes)?,
        lie,
    };
    console.outcome(
        "assay.chain-assignments/1",
        data.lie.is_none(),
        &data,
        || match &data.lie {
            Some(lie) => format!("the server lies: {lie}\n"),
            None => data.document.clone(),
        },
    )?;
    Ok(if data.lie.is_none() {
        Status::Ok
    } else {
        Status::CheckFailed
    })
}

/// The server to compare with; it is only asked what is public, so any key will do.
fn server(args: &AssignmentsArgs) -> anyhow::Result<Option<TaskApi>> {
    let (Some(url), Some(hotkey)) = (&args.server, &args.server_hotkey) else {
        return Ok(None);
    };
    let anybody = KeyPair::generate(Scheme::Sr25519)?;
    Ok(Some(task_api(
        url,
        ("--server-hotkey", hotkey),
        anybody,
        EXCHANGE_MAX,
    )?))
}

fn corpus(specs: &[String]) -> anyhow::Result<Vec<WorkUnit>> {
    let mut units = Vec::new();
    for spec in specs {
        units.extend(read_corpus(spec, &config::open_options())?);
    }
    Ok(units)
}

//! `assay chain assignments`: a round's assignment recomputed from the chain, and compared with what a server serves.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use assay_agents::api::{AssignmentLie, Expected, TaskApi, assigned_header, check_assignment, read_chain};
use assay_agents::subnet::{Setup, Tracker};
use assay_chain::wallet::{KeyPair, Scheme};
use assay_chain::{At, Chain};
use assay_mechanism::plan::plan;
use assay_server::corpus::read_corpus;
use assay_types::api::{Assignment, AssignmentHeader};
use assay_types::{Digest, NetUid, ParamSet, Round, UnitId, WorkUnit, corpus_index_root};
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
    let known = match &args.subnet {
        Some(file) => replayed(file, chain, Round(args.round)).await?,
        None => from_chain(args, chain).await?,
    };
    let (document, lie) = match server(args)? {
        None => (known.document(), None),
        Some(api) => {
            let served = api.served_assignment(Round(args.round)).await?;
            let lie = known.lie_of(&served.document).map(|lie| lie.to_string());
            (served.document, lie)
        }
    };
    let bytes = document.to_bytes()?;
    let data = Data {
        round: args.round,
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

/// What is known of a round without any server.
struct Known {
    header: AssignmentHeader,
    params: ParamSet,
    /// Units of the corpus index, in their order.
    units: Vec<UnitId>,
    /// Whether all rounds before were replayed, so that caps, cursor and units that come back are known.
    is_replayed: bool,
}

impl Known {
    fn fresh(&self, cursor: u64) -> &[UnitId] {
        let from = usize::try_from(cursor).unwrap_or(usize::MAX);
        self.units.get(from..).unwrap_or_default()
    }

    fn document(&self) -> Assignment {
        plan(&self.header, self.fresh(self.header.cursor), &self.params.values)
    }

    /// What a server's document is wrong about, as far as that is known.
    fn lie_of(&self, served: &Assignment) -> Option<AssignmentLie> {
        let header = &self.header;
        let earned = header
            .candidates
            .iter()
            .map(|one| ((one.hotkey, one.registered), one.cap));
        let caps: BTreeMap<_, _> = earned.filter(|_| self.is_replayed).collect();
        let expected = Expected {
            genesis: header.genesis,
            netuid: header.netuid,
            round: header.round,
            params: &self.params,
            block: header.block,
            beacon: header.beacon,
            candidates: &header.candidates,
            caps: &caps,
            index_root: Some(header.index_root),
            cursor: self.is_replayed.then_some(header.cursor),
            requeued: self.is_replayed.then_some(header.requeued.as_slice()),
            fresh: self.fresh(served.header.cursor),
        };
        check_assignment(served, &expected).err()
    }
}

/// A round of a subnet's file after all rounds before it, settled by the reports on the chain as agents settle them.
async fn replayed(file: &Path, chain: &dyn Chain, round: Round) -> anyhow::Result<Known> {
    let setup = Setup::load(file, &config::store_options())?;
    let block = setup.clock.assignment_block(round);
    // A round that is yet to be assigned has no such block.
    chain.head(At::Number(block)).await?;
    let mut tracker = Tracker::in_memory(&setup);
    tracker.advance(chain, &setup, block).await?;
    let document = tracker.document(round).with_context(|| {
        format!("round {round} cannot be replayed: the chain no longer holds the states it follows from; ask a node that keeps them")
    })?;
    Ok(Known {
        header: document.header,
        units: setup.corpus.iter().map(|unit| unit.unit_id).collect(),
        params: setup.params,
        is_replayed: true,
    })
}

/// A round from the chain alone: caps are those of newcomers and no unit comes back.
async fn from_chain(args: &AssignmentsArgs, chain: &dyn Chain) -> anyhow::Result<Known> {
    let params = serve_params(args.params.as_deref())?;
    let units = corpus(&args.corpus)?;
    // Always given: the arguments ask for it where there is no subnet's file.
    let subnet = NetUid(args.netuid.unwrap_or_default());
    let identity = (chain.genesis().await?, subnet, Round(args.round));
    let view = read_chain(chain, (identity.1, identity.2), &params, &BTreeMap::new()).await?;
    let index = (corpus_index_root(&units), args.cursor);
    Ok(Known {
        header: assigned_header(identity, &params, view, index),
        units: units.iter().map(|unit| unit.unit_id).collect(),
        params,
        is_replayed: false,
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

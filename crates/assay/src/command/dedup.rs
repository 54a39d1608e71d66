//! `assay dedup`: near-duplicates among given texts, with the pairs that share a band.

use assay_agents::local;
use assay_refine::minhash::cluster::Order;
use assay_refine::report;

use crate::cli::{DedupArgs, OrderArg};
use crate::console::Console;
use crate::exit::Status;

pub(super) fn run(args: &DedupArgs, console: &Console) -> anyhow::Result<Status> {
    let order = match args.order {
        OrderArg::Datatrove => Order::Datatrove,
        OrderArg::Canonical => Order::Canonical,
    };
    let found = local::dedup(&args.texts, order)?;
    let warnings: Vec<String> = found.unreadable.warning().into_iter().collect();
    if console.is_json() {
        // The document itself has the three keys, so that it can be compared with datatrove's stages as it is.
        Console::flat("assay.dedup/1", &found, &warnings)?;
        return Ok(Status::Ok);
    }
    console.result("assay.dedup/1", &found, &warnings, || {
        let mut text = format!(
            "{} documents, {} removed in {} clusters\n",
            report::count(found.documents),
            report::count(found.removed.len() as u64),
            report::count(found.clusters.len() as u64),
        );
        for id in &found.removed {
            text.push_str(id);
            text.push('\n');
        }
        text
    })?;
    Ok(Status::Ok)
}

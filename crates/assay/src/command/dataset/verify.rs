//! `assay dataset verify`: fetches a published dataset and recomputes its rows from the archives they name; exit status 4
//! on any difference.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use assay_agents::consume::archives_of;
use assay_agents::local::{Dataset, Verified};
use assay_types::{Fault, FaultKind, UnitId};
use serde_json::Value;

use super::target::{self, Checked, Found};
use crate::cli::{DatasetVerifyArgs, VerifyArgs};
use crate::command::verify as rows;
use crate::console::Console;
use crate::exit::Status;

pub(super) fn run(args: DatasetVerifyArgs, console: &Console) -> anyhow::Result<Status> {
    let temporary = tempfile::tempdir().context("make a temporary folder")?;
    let out = args.out.clone().unwrap_or_else(|| temporary.path().to_owned());
    let (folder, target, fetched) = match target::wait(target::open(&args.published))? {
        Found::Folder(path) => (path, Value::Null, Verified::default()),
        Found::Published(checked) => {
            let fetched = fetch(&args, &checked, &out, console)?;
            (out, checked.to_json(), fetched)
        }
    };
    let args = verify_args(args, folder);
    if !fetched.faults.is_empty() {
        return rows::show(&args, &fetched, &target, console);
    }
    let dataset = Dataset::open(&args.dataset)?;
    let given = if args.warc.is_empty() {
        Vec::new()
    } else {
        assay_hub::resolve(&args.warc)?
    };
    let archives = archives_of(&dataset.manifest, &given);
    let verified = rows::recompute(&args, &dataset, &archives)?;
    rows::show(&args, &verified, &target, console)
}

/// Fetches the units; what differs already is what is reported.
fn fetch(
    args: &DatasetVerifyArgs,
    checked: &Checked,
    out: &Path,
    console: &Console,
) -> anyhow::Result<Verified> {
    let differences = checked.differences.iter().map(|difference| Fault {
        kind: FaultKind::RootMismatch,
        unit: UnitId::default(),
        idx: None,
        offset: None,
        expected: format!("{} {}", difference.what, difference.expected),
        found: difference.found.clone(),
    });
    let mut fetched = Verified {
        units: checked.published.manifest.units.len() as u64,
        faults: differences.collect(),
        ..Verified::default()
    };
    if fetched.faults.is_empty() {
        let pulled = target::wait(async {
            Ok(super::pull::fetch(checked, out, args.tokens, args.seed, console).await?)
        })?;
        fetched.faults = pulled.faults;
    }
    Ok(fetched)
}

/// What `assay verify` would be called with.
fn verify_args(args: DatasetVerifyArgs, dataset: PathBuf) -> VerifyArgs {
    VerifyArgs {
        dataset,
        warc: args.warc,
        sample: args.sample,
        seed: args.seed,
        proof: args.proof,
        prefix: false,
        recipe: args.recipe,
        url_lists: args.url_lists,
        threads: args.threads,
    }
}

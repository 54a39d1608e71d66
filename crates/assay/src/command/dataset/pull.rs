//! `assay dataset pull`: fetches a published dataset within a token budget; exit status 4 if anything differs.

use std::fmt::Write as _;
use std::path::Path;

use assay_agents::consume::{self, ConsumeError, PullJob, Pulled};
use assay_refine::report;
use assay_types::Tokens;
use serde_json::json;

use super::target::{self, Checked, Found, differences_json};
use crate::cli::DatasetPullArgs;
use crate::console::Console;
use crate::exit::{Status, UsageError};

/// Differences shown to people; `--json` has all.
const SHOWN: usize = 20;

pub(super) fn run(args: &DatasetPullArgs, console: &Console) -> anyhow::Result<Status> {
    target::wait(async {
        let checked = match target::open(&args.published).await? {
            Found::Published(checked) => checked,
            Found::Folder(path) => {
                let message = format!("`{}` is on this machine already", path.display());
                return Err(UsageError::new(
                    message,
                    "give a target of a store; `assay dataset pull --help`",
                )
                .into());
            }
        };
        let pulled = match checked.differences.as_slice() {
            [] => fetch(&checked, &args.out, args.tokens, args.seed, console).await?,
            _ => Pulled::default(),
        };
        show(&checked, &pulled, &args.out, console)
    })
}

/// Fetches what the arguments ask for, and says so unit by unit.
pub(super) async fn fetch(
    checked: &Checked,
    out: &Path,
    tokens: Option<u64>,
    seed: u64,
    console: &Console,
) -> Result<Pulled, ConsumeError> {
    let job = PullJob {
        published: &checked.published,
        out,
        tokens: tokens.map(Tokens),
        seed,
    };
    let each = |unit: &assay_types::ManifestUnit| {
        let (documents, tokens) = (u64::from(unit.n_kept), unit.n_tokens.0);
        console.note(&format!(
            "unit {}: {}, {}",
            unit.unit_id,
            report::counted(documents, "document"),
            report::counted(tokens, "token")
        ));
    };
    consume::pull(&job, &each).await
}

fn show(checked: &Checked, pulled: &Pulled, out: &Path, console: &Console) -> anyhow::Result<Status> {
    let ok = pulled.faults.is_empty() && checked.differences.is_empty();
    let data = json!({
        "target": checked.to_json(),
        "out": out,
        "units": pulled.units,
        "documents": pulled.documents,
        "tokens": pulled.tokens,
        "bytes_transferred": pulled.bytes,
        "faults": pulled.faults,
        "differences": differences_json(&checked.differences),
    });
    console.outcome("assay.dataset-pull/1", ok, &data, || text(checked, pulled, out))?;
    Ok(if ok { Status::Ok } else { Status::CheckFailed })
}

fn text(checked: &Checked, pulled: &Pulled, out: &Path) -> String {
    let mut lines = String::new();
    for difference in checked.differences.iter().take(SHOWN) {
        let (expected, found) = (&difference.expected, &difference.found);
        let _ = writeln!(
            lines,
            "differs: {}: expected {expected}, found {found}",
            difference.what
        );
    }
    for fault in pulled.faults.iter().take(SHOWN) {
        let _ = writeln!(lines, "{fault}");
    }
    if !lines.is_empty() {
        let _ = writeln!(
            lines,
            "`{}` is not a dataset: nothing in it may be used",
            out.display()
        );
        return lines;
    }
    let _ = writeln!(
        lines,
        "{} with {} and {} in {}, {} transferred; every file and root is as the manifest says",
        report::counted(pulled.units, "unit"),
        report::counted(pulled.documents, "document"),
        report::counted(pulled.tokens.0, "token"),
        out.display(),
        report::counted(pulled.bytes, "byte"),
    );
    lines
}

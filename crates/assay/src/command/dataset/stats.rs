//! `assay dataset stats`: lengths, tokens, languages, sites and drop reasons of a dataset.

use std::path::Path;

use assay_agents::local;
use assay_refine::report;

use crate::console::Console;
use crate::exit::Status;

pub(super) fn run(dataset: &Path, html: Option<&Path>, console: &Console) -> anyhow::Result<Status> {
    let stats = local::dataset_stats(dataset)?;
    if let Some(path) = html {
        let title = dataset.canonicalize().unwrap_or_else(|_| dataset.to_owned());
        let title = title.file_name().map_or_else(
            || "dataset".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        );
        local::write_atomically(path, report::stats_html(&title, &stats).as_bytes())?;
        console.note(&format!("report: {}", path.display()));
    }
    let text = || {
        format!(
            "{}\n{}",
            report::stats_table(&stats),
            report::funnel_table(&stats.counts)
        )
    };
    console.result("assay.dataset-stats/1", &stats, &[], text)?;
    Ok(Status::Ok)
}

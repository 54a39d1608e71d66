//! `assay pack`: HTML files into a WARC file.

use assay_agents::local::{self, PackJob};
use assay_refine::report;

use crate::cli::PackArgs;
use crate::console::Console;
use crate::exit::Status;

pub(super) fn run(args: &PackArgs, console: &Console) -> anyhow::Result<Status> {
    let job = PackJob {
        input: &args.input,
        out: &args.out,
        base_url: &args.base_url,
        date: &args.date,
    };
    let packed = local::pack(&job)?;
    console.result("assay.pack/1", &packed, &[], || {
        format!(
            "{} pages, {} of HTML, {} written to {}\n",
            report::count(packed.pages),
            report::bytes(packed.html_bytes),
            report::bytes(packed.bytes),
            args.out.display()
        )
    })?;
    Ok(Status::Ok)
}

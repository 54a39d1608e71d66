//! `assay pack`: HTML files into a WARC file.

use assay_agents::local::{self, PackJob};
use assay_refine::report;

use crate::cli::PackArgs;
use crate::console::Console;
use crate::exit::{Status, UsageError};

pub(super) fn run(args: &PackArgs, console: &Console) -> anyhow::Result<Status> {
    check_date(&args.date)?;
    check_base_url(&args.base_url)?;
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

/// The one form of dates that WARC 1.0 knows (section 5.4): UTC to the second.
fn check_date(date: &str) -> Result<(), UsageError> {
    let parsed: Option<jiff::Timestamp> = date.parse().ok();
    let canonical = parsed.map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    if canonical.as_deref() == Some(date) {
        return Ok(());
    }
    let help = "give a time in UTC such as 2024-05-01T12:00:00Z";
    Err(UsageError::new(format!("`--date {date}`"), help))
}

/// A scheme, `://`, a host, and no character that RFC 3986 (section 2) keeps out of addresses.
fn check_base_url(url: &str) -> Result<(), UsageError> {
    let is_character = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    let has_host = |rest: &str| !rest.is_empty() && !rest.starts_with(['/', '?', '#']);
    let parts = url.split_once("://");
    if url.bytes().all(is_character)
        && parts.is_some_and(|(scheme, rest)| is_scheme(scheme) && has_host(rest))
    {
        return Ok(());
    }
    let help = "give an address such as https://example.org/docs/, other characters percent-encoded";
    Err(UsageError::new(format!("`--base-url {url}`"), help))
}

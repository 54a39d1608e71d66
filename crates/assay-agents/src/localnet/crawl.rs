//! Archives of a crawl of Common Crawl: its list of paths, and the first of them as sources.
//!
//! `<base>/crawl-data/<crawl>/warc.paths.gz` is a gzip file with one path a line, relative to the base
//! (commoncrawl.org, "Get Started").

use std::io::Read as _;

use assay_hub::{OpenOptions, Source};

use crate::local::LocalError;

/// Most bytes of a list, inflated: ten times the longest so far (100,000 paths of 140 bytes).
const LIST_BYTES_MAX: u64 = 128 << 20;

/// Most bytes of a crawl's name.
const NAME_BYTES_MAX: usize = 40;

/// The first `files` archives of a crawl.
///
/// # Errors
/// [`LocalError::Crawl`] for a name that is none and a list that is none; [`LocalError::Hub`] if it cannot be read.
pub fn crawl_archives(
    base: &str,
    crawl: &str,
    files: u16,
    open: &OpenOptions,
) -> Result<Vec<Source>, LocalError> {
    let bad = |reason: &str| LocalError::Crawl {
        crawl: crawl.chars().take(NAME_BYTES_MAX).collect(),
        reason: reason.to_owned(),
    };
    let is_name = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if !crawl.starts_with("CC-MAIN-") || crawl.len() > NAME_BYTES_MAX || !is_name(crawl) {
        return Err(bad("it is no name of a crawl"));
    }
    let base = base.trim_end_matches('/');
    let list = Source::url(&format!("{base}/crawl-data/{crawl}/warc.paths.gz"))?;
    let input = flate2::read::MultiGzDecoder::new(assay_hub::open(&list, open)?);
    let mut text = String::new();
    if let Err(error) = input.take(LIST_BYTES_MAX).read_to_string(&mut text) {
        return Err(match error.downcast() {
            Ok(hub) => LocalError::Hub(hub),
            Err(_) => bad("its list of paths is no gzip file of text"),
        });
    }
    let paths: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let mut sources = Vec::new();
    for path in paths.into_iter().take(usize::from(files)) {
        let is_path = path.split('/').all(|part| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._=-".contains(&byte);
            !part.is_empty() && part != "." && part != ".." && part.bytes().all(fits)
        });
        if !is_path {
            return Err(bad("its list holds what is no path"));
        }
        sources.push(Source::url(&format!("{base}/{path}"))?);
    }
    if sources.is_empty() {
        return Err(bad("its list is empty"));
    }
    Ok(sources)
}

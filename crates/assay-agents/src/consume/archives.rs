//! The archives that a dataset's units name, as inputs that can be opened.
//!
//! Takes what a person gave and what the manifest says; the local driver reads them to recompute rows. Reading an address
//! that a stranger's manifest names tells its host that somebody verifies, and nothing else.

use assay_hub::{Input, Source};
use assay_types::Manifest;

/// Where Common Crawl serves `cc:` paths to everybody (commoncrawl.org, "Get started").
const COMMON_CRAWL: &str = "https://data.commoncrawl.org/";

/// The archives of all units: given ones first, then those whose source is an address. Units of other sources are left
/// out: the verifier names them.
#[must_use]
pub fn archives_of(manifest: &Manifest, given: &[Source]) -> Vec<Source> {
    let mut archives = given.to_vec();
    for unit in &manifest.units {
        let (source, path) = (unit.source.as_str(), unit.warc_path.as_str());
        let is_given = given
            .iter()
            .any(|archive| archive.source == source && archive.path == path);
        let url = match source {
            "http" | "https" | "s3" => format!("{source}:{path}"),
            "cc" => format!("{COMMON_CRAWL}{path}"),
            _ => continue,
        };
        // What is no address is left to the verifier, too.
        if !is_given && Source::url(&url).is_ok() {
            archives.push(Source {
                input: Input::Url(url),
                name: format!("{source}:{path}"),
                source: source.to_owned(),
                path: path.to_owned(),
                bytes: None,
            });
        }
    }
    archives
}

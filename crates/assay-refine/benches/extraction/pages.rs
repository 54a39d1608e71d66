//! The pages of the extraction benchmark and a run over them in CPU time.
//!
//! Reads a folder of `pages.jsonl.gz` and `html/<id>.html.gz`, decoded as UTF-8 with replacement.

use std::io::Read;
use std::path::Path;

use cpu_time::ThreadTime;
use flate2::read::GzDecoder;

/// One page with its annotations.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Page {
    /// Name of the page's file.
    pub(crate) id: String,
    /// `wcxb`, `scrapinghub` or `trafilatura`.
    pub(crate) source: String,
    /// Type of page.
    #[serde(rename = "page_type")]
    pub(crate) kind: String,
    /// Main text.
    pub(crate) gold: Option<String>,
    /// Snippets that must appear.
    pub(crate) with: Vec<String>,
    /// Snippets that must not appear.
    pub(crate) without: Vec<String>,
    /// The page.
    #[serde(skip)]
    pub(crate) html: String,
}

fn gunzip(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![];
    GzDecoder::new(fs_err::File::open(path)?).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Why pages cannot be read: a file or a line that is missing or malformed.
pub(crate) type PagesError = Box<dyn std::error::Error + Send + Sync>;

/// Reads all pages of a folder.
///
/// # Errors
/// When a file is missing or malformed.
pub(crate) fn load(folder: &Path) -> Result<Vec<Page>, PagesError> {
    let lines = String::from_utf8(gunzip(&folder.join("pages.jsonl.gz"))?)?;
    let mut pages = vec![];
    for line in lines.lines() {
        let mut page: Page = serde_json::from_str(line)?;
        let bytes = gunzip(&folder.join("html").join(format!("{}.html.gz", page.id)))?;
        page.html = String::from_utf8_lossy(&bytes).into_owned();
        pages.push(page);
    }
    Ok(pages)
}

/// Speed of one system over all pages.
#[derive(Debug, Clone)]
pub(crate) struct Speed {
    /// Pages a CPU second.
    pub(crate) pages: f64,
    /// Megabytes (10^6) of HTML a CPU second.
    pub(crate) megabytes: f64,
    /// Median CPU milliseconds of a page.
    pub(crate) p50: f64,
    /// 99th percentile.
    pub(crate) p99: f64,
}

/// Runs a system on all pages: its texts and its speed.
pub(crate) fn run(pages: &[Page], extract: impl Fn(&str) -> String) -> (Vec<String>, Speed) {
    let (mut texts, mut times) = (vec![], vec![]);
    for page in pages {
        let start = ThreadTime::now();
        texts.push(extract(&page.html));
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let total = times.iter().sum::<f64>() / 1e3;
    let bytes = pages.iter().map(|page| page.html.len()).sum::<usize>() as f64;
    times.sort_by(f64::total_cmp);
    let at = |share: f64| {
        times
            .get((times.len() as f64 * share) as usize)
            .copied()
            .unwrap_or(0.0)
    };
    let speed = Speed {
        pages: pages.len() as f64 / total,
        megabytes: bytes / 1e6 / total,
        p50: at(0.5),
        p99: at(0.99),
    };
    (texts, speed)
}

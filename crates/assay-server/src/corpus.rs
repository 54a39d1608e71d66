//! What is work: lists of archives from a crawl, a folder, or a file, as units of the corpus index.
//!
//! `cc:CRAWL` and `…warc.paths.gz` are Common Crawl's lists of paths; a folder or pattern is its archives; any other text file
//! is a list of lines `source:path` or `source:path<TAB>bytes`. A length that nobody told is 0: such a unit counts as one of
//! mean volume, and verification takes its true length from the archive.

use assay_hub::{HubError, OpenOptions, Source, open, resolve};
use assay_types::{Bytes, UnitId, WorkUnit, WorkUnitError};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use thiserror::Error;

/// Units of a corpus at most; Common Crawl's monthly lists have 90,000.
pub const UNITS_MAX: usize = 1_000_000;
/// Longest list, bytes unpacked.
const LIST_BYTES_MAX: u64 = 1 << 30;
/// Where Common Crawl publishes.
const COMMON_CRAWL: &str = "https://data.commoncrawl.org";
/// Source of its archives in unit ids.
const COMMON_CRAWL_SOURCE: &str = "cc";

/// Why there is no such corpus.
#[derive(Debug, Error)]
pub enum CorpusError {
    /// The list or folder cannot be read.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The list breaks off or is no text.
    #[error("list `{name}` cannot be read")]
    Read {
        /// Which.
        name: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A line that names no unit.
    #[error("line {line} of `{name}` is no `source:path` or `source:path<TAB>bytes`")]
    Line {
        /// Which list.
        name: String,
        /// From 1.
        line: usize,
        /// Why, where the name itself is at fault.
        #[source]
        source: Option<WorkUnitError>,
    },
    /// Two entries of one name.
    #[error("`{0}` is there twice; each archive is one unit")]
    Twice(String),
    /// Nothing at all.
    #[error("`{0}` holds no archive")]
    Empty(String),
    /// Too many.
    #[error("`{name}` holds more than {UNITS_MAX} archives; split it")]
    TooMany {
        /// Which.
        name: String,
    },
    /// A list that goes on behind the bound.
    #[error("`{name}` is longer than {LIST_BYTES_MAX} bytes unpacked; split it")]
    TooLong {
        /// Which.
        name: String,
    },
    /// A crawl that is no crawl's name.
    #[error("`{0}` is no crawl; give one such as `cc:CC-MAIN-2024-42`")]
    Crawl(String),
}

/// The name a corpus is added under, if none is given: what it is made of.
pub fn name_of(spec: &str) -> String {
    let last = spec.trim_end_matches('/').rsplit('/').next().unwrap_or(spec);
    last.chars()
        .filter(|character| !character.is_control())
        .take(64)
        .collect()
}

/// The units of a corpus, in the order of its list (folders by name).
///
/// # Errors
/// [`CorpusError`] naming the line or entry.
pub fn read_corpus(spec: &str, options: &OpenOptions) -> Result<Vec<WorkUnit>, CorpusError> {
    let units = if let Some(crawl) = spec.strip_prefix("cc:") {
        let legal =
            |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
        if crawl.is_empty() || !crawl.chars().all(legal) {
            return Err(CorpusError::Crawl(spec.chars().take(100).collect()));
        }
        let url = format!("{COMMON_CRAWL}/crawl-data/{crawl}/warc.paths.gz");
        read_list(&Source::url(&url)?, options, Some(COMMON_CRAWL_SOURCE))?
    } else if is_list(spec) {
        let Some(source) = resolve(&[spec.to_owned()])?.into_iter().next() else {
            return Err(CorpusError::Empty(spec.to_owned()));
        };
        let prefix = spec.ends_with(".paths.gz").then_some(COMMON_CRAWL_SOURCE);
        read_list(&source, options, prefix)?
    } else {
        let mut sources = resolve(&[spec.to_owned()])?;
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        sources
            .iter()
            .enumerate()
            .map(|(at, source)| unit(spec, at, source))
            .collect::<Result<_, _>>()?
    };
    check(spec, units)
}

/// Whether a spec is a list of archives and not archives.
fn is_list(spec: &str) -> bool {
    let ends = |ending: &str| spec.len() > ending.len() && spec.ends_with(ending);
    ends(".paths.gz") || ends(".txt") || ends(".tsv") || ends(".txt.gz") || ends(".tsv.gz")
}

fn unit(spec: &str, at: usize, source: &Source) -> Result<WorkUnit, CorpusError> {
    let bytes = Bytes(source.bytes.unwrap_or(0));
    WorkUnit::new(&source.source, &source.path, bytes).map_err(|error| CorpusError::Line {
        name: spec.to_owned(),
        line: at + 1,
        source: Some(error),
    })
}

fn read_list(
    list: &Source,
    options: &OpenOptions,
    prefix: Option<&str>,
) -> Result<Vec<WorkUnit>, CorpusError> {
    read_bounded(list, options, prefix, LIST_BYTES_MAX)
}

fn read_bounded(
    list: &Source,
    options: &OpenOptions,
    prefix: Option<&str>,
    bytes_max: u64,
) -> Result<Vec<WorkUnit>, CorpusError> {
    let unreadable = |source| CorpusError::Read {
        name: list.shown(),
        source,
    };
    let packed = open(list, options)?;
    let is_packed = Path::new(&list.path)
        .extension()
        .is_some_and(|extension| extension == "gz");
    let reader: Box<dyn std::io::Read> = if is_packed {
        Box::new(flate2::read::MultiGzDecoder::new(packed))
    } else {
        Box::new(packed)
    };
    // One byte more than may be there: a list that is cut must not pass for a whole one.
    let mut reader = BufReader::new(reader.take(bytes_max.saturating_add(1)));
    let (mut units, mut line, mut number) = (Vec::new(), String::new(), 0);
    loop {
        line.clear();
        number += 1;
        let read = reader.read_line(&mut line).map_err(unreadable)?;
        if reader.get_ref().limit() == 0 {
            return Err(CorpusError::TooLong { name: list.shown() });
        }
        if read == 0 {
            return Ok(units);
        }
        let text = line.trim_end_matches(['\n', '\r']);
        if text.trim().is_empty() {
            continue;
        }
        if units.len() >= UNITS_MAX {
            return Err(CorpusError::TooMany { name: list.shown() });
        }
        units.push(parse_line(text, prefix).map_err(|source| CorpusError::Line {
            name: list.shown(),
            line: number,
            source,
        })?);
    }
}

/// A line's unit; the prefix is the source of lists that only name paths.
fn parse_line(line: &str, prefix: Option<&str>) -> Result<WorkUnit, Option<WorkUnitError>> {
    let (name, bytes) = match line.split_once('\t') {
        Some((name, bytes)) => (name, bytes.trim().parse().map_err(|_| None)?),
        None => (line, 0),
    };
    let (source, path) = match prefix {
        Some(prefix) => (prefix, name.trim()),
        None => name.trim().split_once(':').ok_or(None)?,
    };
    let is_path = !path.is_empty() && !path.chars().any(char::is_control);
    if !is_path || i64::try_from(bytes).is_err() {
        return Err(None);
    }
    WorkUnit::new(source, path, Bytes(bytes)).map_err(Some)
}

fn check(spec: &str, units: Vec<WorkUnit>) -> Result<Vec<WorkUnit>, CorpusError> {
    if units.is_empty() {
        return Err(CorpusError::Empty(spec.to_owned()));
    }
    let mut seen = BTreeSet::<UnitId>::new();
    for unit in &units {
        if !seen.insert(unit.unit_id) {
            return Err(CorpusError::Twice(format!("{}:{}", unit.source, unit.path)));
        }
    }
    Ok(units)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, ending: &str) -> Result<Vec<WorkUnit>, CorpusError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("list{ending}"));
        fs_err::write(&path, text).unwrap();
        read_corpus(path.to_str().unwrap(), &OpenOptions::default())
    }

    #[test]
    fn lists_keep_their_order_and_lengths() {
        let units = read("cc:b.warc.gz\t12\nfile:a.warc\n\n", ".txt").unwrap();
        let names: Vec<_> = units
            .iter()
            .map(|unit| (unit.source.as_str(), unit.path.as_str(), unit.bytes.0))
            .collect();
        assert_eq!(names, [("cc", "b.warc.gz", 12), ("file", "a.warc", 0)]);
    }

    #[test]
    fn broken_lists_are_refused_by_line() {
        assert!(matches!(
            read("cc:a\nnothing\n", ".txt"),
            Err(CorpusError::Line { line: 2, .. })
        ));
        assert!(matches!(
            read("cc:a\tmany\n", ".tsv"),
            Err(CorpusError::Line { line: 1, .. })
        ));
        assert!(matches!(read("cc:a\ncc:a\n", ".txt"), Err(CorpusError::Twice(name)) if name == "cc:a"));
        assert!(matches!(read("\n", ".txt"), Err(CorpusError::Empty(_))));
        let options = OpenOptions::default();
        assert!(matches!(
            read_corpus("cc:../x", &options),
            Err(CorpusError::Crawl(_))
        ));
    }

    #[test]
    fn a_list_behind_its_bound_is_refused_and_not_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        fs_err::write(&path, "cc:a\ncc:b\n").unwrap();
        let list = Source::file(path, None).unwrap();
        let read = |bytes_max| read_bounded(&list, &OpenOptions::default(), None, bytes_max);
        assert_eq!(read(10).unwrap().len(), 2);
        for bytes_max in [9, 8, 5, 4] {
            let error = read(bytes_max).unwrap_err();
            assert!(
                matches!(error, CorpusError::TooLong { .. }),
                "{bytes_max}: {error}"
            );
        }
    }

    #[test]
    fn a_packed_list_of_paths_is_common_crawls() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("warc.paths.gz");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, b"crawl-data/x/1.warc.gz\ncrawl-data/x/2.warc.gz\n").unwrap();
        fs_err::write(&path, packed.finish().unwrap()).unwrap();
        let units = read_corpus(path.to_str().unwrap(), &OpenOptions::default()).unwrap();
        assert_eq!(units[0].unit_id, UnitId::of("cc", "crawl-data/x/1.warc.gz"));
        assert_eq!(units.len(), 2);
    }
}

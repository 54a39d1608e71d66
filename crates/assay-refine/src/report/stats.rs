//! Statistics of a dataset: lengths, tokens, languages, sites and why records were dropped.
//!
//! Documents come one by one from [`crate::output::DocsReader`]; memory is bounded by the number of distinct sites.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use assay_types::DocsRow;
use serde::Serialize;

use super::format::{bytes, count, counted, share};
use crate::unit::Counts;

/// Most distinct sites that are counted by name; further ones are counted together as `(other)`.
const SITES_MAX: usize = 1_000_000;

/// Counts in bins whose edges are powers of two: bin `n` holds values in `[2^n, 2^(n+1))`, bin 0 also 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Histogram {
    bins: Vec<u64>,
    total: u64,
    sum: u64,
}

impl Histogram {
    /// Counts one value.
    pub fn add(&mut self, value: u64) {
        let bin = value.max(1).ilog2() as usize;
        if self.bins.len() <= bin {
            self.bins.resize(bin + 1, 0);
        }
        if let Some(count) = self.bins.get_mut(bin) {
            *count += 1;
        }
        self.total += 1;
        self.sum = self.sum.saturating_add(value);
    }

    /// Mean, rounded down; 0 of nothing.
    pub fn mean(&self) -> u64 {
        self.sum.checked_div(self.total).unwrap_or(0)
    }

    /// Label (lower edge) and count of each bin from the first used one to the last.
    pub fn rows(&self) -> Vec<(String, u64)> {
        let first = self.bins.iter().position(|count| *count > 0).unwrap_or(0);
        self.bins
            .iter()
            .enumerate()
            .skip(first)
            .map(|(bin, count)| (edge(bin), *count))
            .collect()
    }
}

fn edge(bin: usize) -> String {
    let value = 1u64.checked_shl(bin as u32).unwrap_or(u64::MAX);
    if value >= 1 << 20 {
        format!("{}M", value >> 20)
    } else if value >= 1 << 10 {
        format!("{}k", value >> 10)
    } else {
        value.to_string()
    }
}

/// What `assay dataset stats` shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DatasetStats {
    /// Documents read.
    pub documents: u64,
    /// UTF-8 bytes of text.
    pub text_bytes: u64,
    /// GPT-2 tokens.
    pub tokens: u64,
    /// Units of the dataset.
    pub units: u64,
    /// Characters (code points) a document.
    pub characters: Histogram,
    /// Tokens a document.
    pub token_counts: Histogram,
    /// Documents by language code (empty: no language step).
    pub languages: BTreeMap<String, u64>,
    /// Documents by host name.
    pub sites: BTreeMap<String, u64>,
    /// Funnel and drop reasons, added up over the units.
    pub counts: Counts,
}

impl DatasetStats {
    /// Counts one document.
    pub fn add(&mut self, row: &DocsRow) {
        self.documents += 1;
        self.text_bytes += row.text.len() as u64;
        let tokens = u64::try_from(row.token_count).unwrap_or(0);
        self.tokens += tokens;
        self.characters.add(row.text.chars().count() as u64);
        self.token_counts.add(tokens);
        *self.languages.entry(row.language.clone()).or_default() += 1;
        let host = host_of(&row.url);
        if self.sites.len() < SITES_MAX || self.sites.contains_key(host) {
            *self.sites.entry(host.to_owned()).or_default() += 1;
        } else {
            *self.sites.entry("(other)".to_owned()).or_default() += 1;
        }
    }

    /// The `rows` sites with the most documents (ties by name).
    pub fn top_sites(&self, rows: usize) -> Vec<(String, u64)> {
        top(&self.sites, rows)
    }

    /// The `rows` most frequent drop reasons (ties by name).
    pub fn top_drops(&self, rows: usize) -> Vec<(String, u64)> {
        top(&self.counts.dropped, rows)
    }
}

fn top(counts: &BTreeMap<String, u64>, rows: usize) -> Vec<(String, u64)> {
    let mut sorted: Vec<(String, u64)> = counts.iter().map(|(key, count)| (key.clone(), *count)).collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    sorted.truncate(rows);
    sorted
}

/// The host part of a URL, without user, port and `www.`; the whole text if it has no such part.
pub fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let host = if host.starts_with('[') {
        host
    } else {
        host.split(':').next().unwrap_or(host)
    };
    host.strip_prefix("www.").unwrap_or(host)
}

/// The statistics as text.
pub fn stats_table(stats: &DatasetStats) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} in {}, {} tokens, {} of text; mean {} characters, {} tokens a document",
        counted(stats.documents, "document"),
        counted(stats.units, "unit"),
        count(stats.tokens),
        bytes(stats.text_bytes),
        count(stats.characters.mean()),
        count(stats.token_counts.mean()),
    );
    let mut section = |title: &str, rows: &[(String, u64)], whole: u64| {
        let _ = writeln!(out, "\n{title}");
        for (label, value) in rows {
            let label = if label.is_empty() { "(none)" } else { label };
            let _ = writeln!(out, "{:>11} {:>8}  {label}", count(*value), share(*value, whole));
        }
    };
    section(
        "characters a document, from",
        &stats.characters.rows(),
        stats.documents,
    );
    section("languages", &top(&stats.languages, 10), stats.documents);
    section("sites", &stats.top_sites(10), stats.documents);
    section("dropped records", &stats.top_drops(15), stats.counts.records);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_powers_of_two() {
        let mut histogram = Histogram::default();
        for value in [0, 1, 2, 3, 4, 1023, 1024, 1 << 20] {
            histogram.add(value);
        }
        let used: Vec<_> = histogram.rows().into_iter().filter(|row| row.1 > 0).collect();
        let expected = [("1", 2), ("2", 2), ("4", 1), ("512", 1), ("1k", 1), ("1M", 1)];
        assert_eq!(used, expected.map(|(label, count)| (label.to_owned(), count)));
        histogram.add(u64::MAX);
        assert_eq!(histogram.rows().last().unwrap().1, 1);
    }

    #[test]
    fn hosts_of_urls() {
        for (url, host) in [
            ("https://www.a.org/x?y", "a.org"),
            ("http://u:p@b.org:80/", "b.org"),
            ("http://[::1]:80/", "[::1]:80"),
            ("c.org?x", "c.org"),
            ("", ""),
        ] {
            assert_eq!(host_of(url), host, "{url}");
        }
    }
}

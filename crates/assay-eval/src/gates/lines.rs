//! Lines that many hosts share: menus, notices and templates, which an extractor should have left out.
//!
//! Documents with an address come in; the share of those that consist of such lines leaves. Lines are compared over a sample:
//! the documents whose text hashes are smallest, so that order and threads change nothing. Memory: 16 bytes a line, at most
//! [`SAMPLE_DOCUMENTS_MAX`] documents of [`LINES_MAX`] lines, 40 MB, and for the gate about 250 MB, if no line occurs twice.

use std::collections::{BTreeMap, HashMap};

use assay_types::{Digest16, blake3_16};

use super::{Gate, PPM, SHARED_BYTES_PPM_MAX, SHARED_HOSTS_MIN, SHARED_LINES_PPM_MAX};

/// Most documents whose lines are compared.
const SAMPLE_DOCUMENTS_MAX: usize = 20_000;

/// Lines of a document that are looked at, from its start.
const LINES_MAX: usize = 128;

/// Lines of the sample, by the order of its documents and their host.
#[derive(Debug, Default)]
pub struct SharedLines {
    documents: BTreeMap<(u64, u64), Vec<(u64, u32)>>,
}

impl SharedLines {
    /// Takes a document; one without a host is passed over.
    pub fn push(&mut self, text_hash: &Digest16, url: &str, text: &str) {
        let Some(host) = host_of(url) else {
            return;
        };
        let place = (first_bytes(text_hash), first_bytes(&blake3_16(host.as_bytes())));
        let is_full = self.documents.len() >= SAMPLE_DOCUMENTS_MAX;
        let last = self.documents.last_key_value().map(|(last, _)| *last);
        if is_full && last.is_some_and(|last| place >= last) {
            return;
        }
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines = lines.take(LINES_MAX).map(|line| {
            let bytes = u32::try_from(line.len()).unwrap_or(u32::MAX);
            (first_bytes(&blake3_16(line.as_bytes())), bytes)
        });
        self.documents.insert(place, lines.collect());
        if self.documents.len() > SAMPLE_DOCUMENTS_MAX {
            self.documents.pop_last();
        }
    }

    /// The gate; not checked if documents come from too few hosts to share a line.
    pub fn gate(&self) -> Gate {
        // Hosts of a line, up to as many as make it shared.
        let mut hosts: HashMap<u64, Vec<u64>> = HashMap::new();
        for ((_, host), lines) in &self.documents {
            for (line, _) in lines {
                let of_line = hosts.entry(*line).or_default();
                if of_line.len() < SHARED_HOSTS_MIN && !of_line.contains(host) {
                    of_line.push(*host);
                }
            }
        }
        let mut all: Vec<u64> = self.documents.keys().map(|(_, host)| *host).collect();
        all.sort_unstable();
        all.dedup();
        if all.len() < SHARED_HOSTS_MIN {
            return Gate::unchecked(&format!(
                "documents with `url`s of {SHARED_HOSTS_MIN} hosts are needed, {} are there",
                all.len()
            ));
        }
        let is_shared = |line: &u64| hosts.get(line).is_some_and(|of| of.len() >= SHARED_HOSTS_MIN);
        let is_boilerplate = |lines: &&Vec<(u64, u32)>| {
            let sum = |(shared, whole): (u64, u64), (line, bytes): &(u64, u32)| {
                let bytes = u64::from(*bytes);
                (shared + if is_shared(line) { bytes } else { 0 }, whole + bytes)
            };
            let (shared, whole) = lines.iter().fold((0, 0), sum);
            shared * PPM > SHARED_BYTES_PPM_MAX * whole
        };
        let found = self.documents.values().filter(is_boilerplate).count();
        Gate::share(
            found as u64,
            self.documents.len() as u64,
            SHARED_LINES_PPM_MAX,
            "documents consist of lines that other hosts have, too",
        )
    }
}

/// The lower-cased host of an address; none without one.
fn host_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

fn first_bytes(hash: &Digest16) -> u64 {
    hash.as_bytes()
        .first_chunk()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(documents: &[(String, String)]) -> SharedLines {
        let mut lines = SharedLines::default();
        for (url, text) in documents {
            lines.push(&blake3_16(text.as_bytes()), url, text);
        }
        lines
    }

    fn pages(hosts: usize, menu: &str) -> Vec<(String, String)> {
        let page = |host: usize| {
            let url = format!("https://WWW.site{host}.example:8080/page?x=1");
            (
                url,
                format!("{menu}\nWhat site {host} alone has to say about {}.", host * 7),
            )
        };
        (0..hosts).map(page).collect()
    }

    const MENU: &str = "Home\nAll categories and brands\nThis site uses cookies to improve your experience";

    #[test]
    fn menus_of_ten_hosts_are_nobodys_text() {
        let gate = of(&pages(10, MENU)).gate();
        assert_eq!(
            (gate.passed, gate.value_ppm),
            (Some(false), Some(1_000_000)),
            "{gate:?}"
        );
        assert_eq!(of(&pages(10, "")).gate().passed, Some(true));
        // A short common line is less than 30 % of the page.
        assert_eq!(of(&pages(10, "Home")).gate().passed, Some(true));
        let few = of(&pages(9, MENU)).gate();
        assert!(
            few.passed.is_none() && few.why.ends_with("9 are there"),
            "{few:?}"
        );
    }

    #[test]
    fn one_host_may_repeat_its_lines_and_order_changes_nothing() {
        let mut mixed = pages(10, "");
        mixed.extend((0..50).map(|page| {
            (
                "https://one.example/".to_owned(),
                format!("{MENU}\nPage {page} of one site."),
            )
        }));
        let gate = of(&mixed).gate();
        assert_eq!(gate.passed, Some(true), "{gate:?}");
        mixed.reverse();
        assert_eq!(of(&mixed).gate(), gate);
    }

    #[test]
    fn the_sample_is_bounded_and_addresses_without_host_are_passed_over() {
        let mut lines = SharedLines::default();
        for number in 0..SAMPLE_DOCUMENTS_MAX + 500 {
            let text = number.to_string();
            lines.push(&blake3_16(text.as_bytes()), "http://a.example", &text);
        }
        assert_eq!(lines.documents.len(), SAMPLE_DOCUMENTS_MAX);
        for url in ["", "no address", "file:///x", "http://"] {
            assert_eq!(host_of(url), None, "{url}");
        }
        assert_eq!(host_of("https://u:p@Ex.Org:1/").as_deref(), Some("ex.org"));
    }
}

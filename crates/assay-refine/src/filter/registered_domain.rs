//! Registered domain, host name and public suffix of a URL, exactly as tldextract 5.4.0 finds them.
//!
//! In: the URL of a record, as it stands. Out: three strings for the look-ups of [`super::url`]; case and punycode
//! of the input are kept.
//!
//! The suffixes are the ICANN section of the public suffix list of 2025-04-07 (commit 5fc8d12c), the one bundled with
//! tldextract 5.4.0 and used by FineWeb's `TLDExtract()` when it cannot reach the network. It is pinned here as
//! data (`data/icann_suffixes.txt`, MPL-2.0, made by the script beside it) and is part of the engine version.
//! The crate `psl` was rejected: its look-up knows no ICANN-only mode (`x.blogspot.com` would give `x.blogspot.com`
//! where tldextract gives `blogspot.com`), and its list changes with every patch release.
use std::collections::HashMap;

use crate::text::python;

/// Rules of the pinned list, one a line; `//` starts a comment, a tab the A-label form.
const ICANN_SUFFIXES: &str = include_str!("data/icann_suffixes.txt");

/// Dots that separate host labels beside U+002E (tldextract `tldextract.py`, `_extract_netloc`).
const IDEOGRAPHIC_DOTS: [char; 3] = ['\u{3002}', '\u{ff0e}', '\u{ff61}'];

/// The parts of a URL's host that the blocklists are asked about.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct HostParts {
    /// Label before the suffix and the suffix; empty for an unknown suffix, a bare suffix or an IP address.
    pub registered_domain: String,
    /// All labels of the host; empty whenever `registered_domain` is.
    pub fqdn: String,
    /// The public suffix; empty if unknown.
    pub suffix: String,
}

/// The pinned public suffix list as a tree of labels, read from the right.
#[derive(Debug, Clone)]
pub struct SuffixList {
    /// Every rule and every tail of a rule; true where a rule ends. `*` and `!label` are ordinary labels.
    nodes: HashMap<&'static str, bool>,
    /// A-label to U-label, for the labels that occur in rules.
    unicode_labels: HashMap<&'static str, &'static str>,
}

impl SuffixList {
    /// The list of 2025-04-07, ICANN section only.
    pub fn pinned() -> Self {
        let mut nodes = HashMap::new();
        let mut unicode_labels = HashMap::new();
        for line in ICANN_SUFFIXES
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
        {
            let (rule, ascii) = line.split_once('\t').unwrap_or((line, line));
            nodes.insert(rule, true);
            let mut tail = rule;
            while let Some((_, rest)) = tail.split_once('.') {
                nodes.entry(rest).or_insert(false);
                tail = rest;
            }
            let pairs = ascii.split('.').zip(rule.split('.'));
            unicode_labels.extend(pairs.filter(|(ascii, unicode)| ascii != unicode));
        }
        Self {
            nodes,
            unicode_labels,
        }
    }

    /// Splits a URL's host; anything that is not a known host gives empty strings.
    ///
    /// Source: tldextract 5.4.0 `remote.py` (`lenient_netloc`) and `tldextract.py` (`_extract_netloc`).
    pub fn extract(&self, url: &str) -> HostParts {
        let host = lenient_host(url).replace(IDEOGRAPHIC_DOTS, ".");
        let labels: Vec<&str> = host.split('.').collect();
        let Some(start) = self.suffix_start(&labels) else {
            return HostParts::default();
        };
        let (front, suffix) = labels.split_at_checked(start).unwrap_or((&labels, &[]));
        let suffix = suffix.join(".");
        match front.split_last() {
            None | Some((&"", _)) => HostParts {
                suffix,
                ..HostParts::default()
            },
            Some((domain, subdomain)) => {
                let registered_domain = format!("{domain}.{suffix}");
                let subdomain = subdomain.join(".");
                let fqdn = match subdomain.as_str() {
                    "" => registered_domain.clone(),
                    _ => format!("{subdomain}.{registered_domain}"),
                };
                HostParts {
                    registered_domain,
                    fqdn,
                    suffix,
                }
            }
        }
    }

    /// Index of the first label of the public suffix, `None` if no rule fits.
    ///
    /// Source: tldextract 5.4.0 `_PublicSuffixListTLDExtractor.suffix_index`.
    fn suffix_start(&self, labels: &[&str]) -> Option<usize> {
        let mut found = None;
        let mut tail = String::new();
        for (index, label) in labels.iter().enumerate().rev() {
            let label = self.normal_label(label);
            let path = if tail.is_empty() {
                label.clone()
            } else {
                format!("{label}.{tail}")
            };
            if let Some(&ends) = self.nodes.get(path.as_str()) {
                if ends {
                    found = Some(index);
                }
                tail = path;
                continue;
            }
            if !tail.is_empty() && self.nodes.contains_key(format!("*.{tail}").as_str()) {
                let excepted = self.nodes.contains_key(format!("!{label}.{tail}").as_str());
                return Some(if excepted { index + 1 } else { index });
            }
            break;
        }
        found
    }

    /// Lower case, and the Unicode form of an A-label that occurs in the list. Other A-labels need no decoding:
    /// an A-label is decoded only if it is the canonical one of its U-label, so no other string can equal a rule.
    fn normal_label(&self, label: &str) -> String {
        let lower = python::lower(label);
        match self.unicode_labels.get(lower.as_str()) {
            Some(unicode) => (*unicode).to_owned(),
            None => lower,
        }
    }
}

/// The host of a URL-like string: scheme, user, port, path and trailing dots removed.
fn lenient_host(url: &str) -> &str {
    let rest = without_scheme(url);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    if host.starts_with('[')
        && let Some((address, _)) = host.split_once(']')
    {
        // tldextract puts the bracket back; no suffix ends in one, so the result is empty either way.
        return host.get(..=address.len()).unwrap_or(host);
    }
    let host = host.split(':').next().unwrap_or(host);
    python::strip(host).trim_end_matches(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'])
}

/// What follows `scheme://` or a leading `//`; the whole string if what stands before `//` is no scheme.
fn without_scheme(url: &str) -> &str {
    match url.split_once("//") {
        Some(("", rest)) => rest,
        Some((before, rest)) => match before.strip_suffix(':') {
            Some(scheme) if !scheme.is_empty() && scheme.bytes().all(is_scheme_byte) => rest,
            _ => url,
        },
        None => url,
    }
}

/// Python's `urllib.parse.scheme_chars`.
fn is_scheme_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, registered_domain: &str, fqdn: &str, suffix: &str) {
        let expected = HostParts {
            registered_domain: registered_domain.to_owned(),
            fqdn: fqdn.to_owned(),
            suffix: suffix.to_owned(),
        };
        assert_eq!(SuffixList::pinned().extract(url), expected, "{url}");
    }

    #[test]
    fn schemes_users_ports_and_paths_are_cut_off() {
        check(
            "https://user:pw@www.Example.CO.UK:8080/a?b#c",
            "Example.CO.UK",
            "www.Example.CO.UK",
            "CO.UK",
        );
        check("//example.com/x", "example.com", "example.com", "com");
        check("example.com?x", "example.com", "example.com", "com");
        check("ht!tp://example.com", "", "", "");
        check("a://b@c@d.com", "d.com", "d.com", "com");
        check("://example.com", "", "", "");
        check("http:// example.com. /", "example.com", "example.com", "com");
    }

    #[test]
    fn dots_of_every_script_separate_labels() {
        check(
            "http://a.example\u{3002}com\u{ff61}",
            "example.com",
            "a.example.com",
            "com",
        );
    }

    #[test]
    fn hosts_without_a_known_suffix_give_nothing() {
        for url in [
            "",
            "x",
            "http://localhost",
            "http://127.0.0.1/",
            "http://[::1]/",
            "http://[a.com]/",
            "http://a.nosuch",
        ] {
            check(url, "", "", "");
        }
        check("http://co.uk/", "", "", "co.uk");
        check("http://a..com", "", "", "com");
    }

    #[test]
    fn private_section_is_off() {
        check("http://x.blogspot.com/", "blogspot.com", "x.blogspot.com", "com");
        check("http://x.github.io/", "github.io", "x.github.io", "io");
    }

    #[test]
    fn wildcards_and_exceptions() {
        check("http://a.b.c.ck/", "b.c.ck", "a.b.c.ck", "c.ck");
        check("http://www.ck/", "www.ck", "www.ck", "ck");
        check("http://x.www.ck/", "www.ck", "x.www.ck", "ck");
        check("http://ck/", "", "", "");
        check(
            "http://a.city.kobe.jp/",
            "city.kobe.jp",
            "a.city.kobe.jp",
            "kobe.jp",
        );
        check("http://a.b.kobe.jp/", "a.b.kobe.jp", "a.b.kobe.jp", "b.kobe.jp");
    }

    #[test]
    fn punycode_is_matched_and_kept() {
        check("http://x.XN--P1AI/", "x.XN--P1AI", "x.XN--P1AI", "XN--P1AI");
        check("http://x.рф/", "x.рф", "x.рф", "рф");
        check(
            "http://xn--bcher-kva.com",
            "xn--bcher-kva.com",
            "xn--bcher-kva.com",
            "com",
        );
        check("http://x.xn---p1ai/", "", "", "");
    }
}

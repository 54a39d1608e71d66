//! Drops a record whose URL is on a block list, before its body is read.
//!
//! In: the URL as it stands in the record, no normalisation. Out: the parts of its host, the number of soft-banned
//! words, a verdict. The lists are the user's ([`crate::url_lists`]); without lists everything is kept.
//!
//! Rule, first hit drops:
//! 1. the registered domain is in `domains` → `domain`;
//! 2. the whole host is in `domains` → `subdomain`;
//! 3. the whole URL is in `urls` → `url`;
//! 4. one of the words of the URL (split at everything but ASCII letters and digits) is in `banned_words` →
//!    `hard_blacklisted`;
//! 5. at least `soft_words_min` different words are in `soft_banned_words` → `soft_blacklisted`;
//! 6. the URL without everything but ASCII letters and digits, in lower case, contains one of `banned_subwords` →
//!    `blacklisted_subword`.
//!
//! Case counts in 1 to 5: `SEX` is not `sex`, an upper-case host is on no list. IP addresses have no registered domain.
//!
//! | threshold | default | source |
//! |---|---|---|
//! | `soft_words_min` | 2 | `soft_word_threshold`, datatrove `pipeline/filters/url_filter.py` @a649de79 |
//!
//! With `blocked.org` in `domains`, `zebra` in `banned_words`, `lion` and `tiger` in `soft_banned_words`, `okapi` in
//! `banned_subwords`:
//! * keeps: `"https://example.com/the-lion/Zebra"`
//! * drops: `"https://www.blocked.org/news"` => `domain`
//! * drops: `"https://example.com/a?zebra"` => `hard_blacklisted`
//! * drops: `"https://example.com/lion-and-tiger"` => `soft_blacklisted`
//! * drops: `"https://example.com/two-OK.apis"` => `blacklisted_subword`
use aho_corasick::AhoCorasick;
use assay_types::recipe::UrlFilterParams;
use serde::Serialize;

use super::Verdict;
use super::registered_domain::SuffixList;
use crate::url_lists::{UrlListError, UrlLists, normalize};

/// What the filter saw of a URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct UrlFeatures {
    /// Label before the public suffix and the suffix; empty if there is none.
    pub registered_domain: String,
    /// Host name; empty if there is no registered domain.
    pub fqdn: String,
    /// Public suffix; empty if unknown.
    pub suffix: String,
    /// Different soft-banned words among the URL's words.
    pub soft_words: u32,
}

/// Features and verdict of one URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlOutcome {
    /// What the filter saw.
    pub features: UrlFeatures,
    /// What it decides.
    pub verdict: Verdict,
}

/// The filter with its lists, ready to be asked from any thread.
#[derive(Debug, Clone)]
pub struct UrlFilter {
    lists: UrlLists,
    suffixes: SuffixList,
    subwords: AhoCorasick,
    soft_words_min: u32,
}

impl UrlFilter {
    /// Builds the filter; the lists are those that the artifacts named in `params` hold.
    ///
    /// # Errors
    /// [`UrlListError::Subwords`] if the subword list is too large for an automaton.
    pub fn new(lists: UrlLists, params: &UrlFilterParams) -> Result<Self, UrlListError> {
        // The empty subword is no pattern in datatrove's automaton either.
        let patterns = lists
            .banned_subwords
            .words()
            .iter()
            .filter(|word| !word.is_empty());
        let subwords = AhoCorasick::new(patterns).map_err(UrlListError::Subwords)?;
        Ok(Self {
            lists,
            suffixes: SuffixList::pinned(),
            subwords,
            soft_words_min: params.soft_words_min,
        })
    }

    /// Decides on one URL; linear in its length.
    pub fn check(&self, url: &str) -> UrlOutcome {
        let host = self.suffixes.extract(url);
        let lists = &self.lists;
        let words = || url.split(|c: char| !c.is_ascii_alphanumeric());
        // A split between two separators gives no word, one at an end of the URL gives the empty word.
        let is_word = |word: &str| !word.is_empty() || at_end(url);
        let soft_words = self.soft_words(words().filter(|word| is_word(word)));
        let verdict = Verdict::first(&[
            (lists.domains.contains(&host.registered_domain), "domain"),
            (lists.domains.contains(&host.fqdn), "subdomain"),
            (lists.urls.contains(url), "url"),
            (
                words().any(|word| is_word(word) && lists.banned_words.position(word).is_some()),
                "hard_blacklisted",
            ),
            (soft_words >= self.soft_words_min, "soft_blacklisted"),
            (self.subwords.is_match(&normalize(url)), "blacklisted_subword"),
        ]);
        let features = UrlFeatures {
            registered_domain: host.registered_domain,
            fqdn: host.fqdn,
            suffix: host.suffix,
            soft_words,
        };
        UrlOutcome { features, verdict }
    }

    fn soft_words<'a>(&self, words: impl Iterator<Item = &'a str>) -> u32 {
        let mut found: Vec<usize> = words
            .filter_map(|word| self.lists.soft_banned_words.position(word))
            .collect();
        found.sort_unstable();
        found.dedup();
        found.len() as u32
    }
}

/// Whether the URL starts or ends with something that separates words, or is empty.
fn at_end(url: &str) -> bool {
    let separates = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
    separates(url.chars().next()) || separates(url.chars().next_back())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::url_lists::{HashedSet, WordList};
    use proptest::prelude::*;

    fn lists() -> UrlLists {
        UrlLists {
            domains: HashedSet::from_entries(["blocked.org", "sub.partly.org", "1.2.3.4", "Upper.com"]),
            urls: HashedSet::from_entries(["https://exact.org/page?id=7", "exact.org/no-scheme"]),
            banned_words: WordList::from_entries(["zebra"]),
            soft_banned_words: WordList::from_entries(["lion", "tiger"]),
            banned_subwords: WordList::from_entries(["okapi"]),
        }
    }

    fn verdict(url: &str) -> Verdict {
        UrlFilter::new(lists(), &UrlFilterParams::default())
            .unwrap()
            .check(url)
            .verdict
    }

    #[test]
    fn header_examples() {
        crate::filter::manual::check_examples(include_str!("url.rs"), verdict);
    }

    #[test]
    fn quirks_of_case_address_and_scheme() {
        assert_eq!(verdict("http://upper.com"), Verdict::Kept);
        assert_eq!(verdict("http://Upper.com"), Verdict::Dropped("domain"));
        assert_eq!(verdict("http://1.2.3.4/"), Verdict::Kept);
        assert_eq!(verdict("http://x.sub.partly.org"), Verdict::Kept);
        assert_eq!(verdict("http://sub.partly.org"), Verdict::Dropped("subdomain"));
        assert_eq!(verdict("exact.org/no-scheme"), Verdict::Dropped("url"));
        assert_eq!(verdict("https://exact.org/no-scheme"), Verdict::Kept);
        assert_eq!(verdict("http://a.com/lion/lion"), Verdict::Kept);
        assert_eq!(verdict("http://a.com/Tiger/lion"), Verdict::Kept);
    }

    #[test]
    fn a_blank_line_in_a_word_list_bans_urls_with_a_separator_at_an_end() {
        let lists = UrlLists {
            banned_words: WordList::from_entries(["-"]),
            ..UrlLists::default()
        };
        let filter = UrlFilter::new(lists, &UrlFilterParams::default()).unwrap();
        assert_eq!(
            filter.check("http://a.com/").verdict,
            Verdict::Dropped("hard_blacklisted")
        );
        assert_eq!(filter.check("http://a.com//b").verdict, Verdict::Kept);
    }

    #[test]
    fn without_lists_everything_is_kept() {
        let filter = UrlFilter::new(UrlLists::default(), &UrlFilterParams::default()).unwrap();
        for url in ["", "http://sex.com", "\0", "http://a.com/"] {
            assert_eq!(filter.check(url).verdict, Verdict::Kept);
        }
    }

    proptest! {
        #[test]
        fn any_url_is_decided(url in "(https?:)?(//)?[a-z@:.\\[\\]\u{3002}]{0,20}(\\PC{0,20})") {
            let outcome = UrlFilter::new(lists(), &UrlFilterParams::default()).unwrap().check(&url);
            prop_assert!(outcome.features.fqdn.ends_with(&outcome.features.registered_domain));
        }
    }
}

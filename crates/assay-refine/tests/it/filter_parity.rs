//! Decisions, reasons, features and texts equal datatrove's on every text of the parity fixture.
use std::fmt::Write as _;
use std::io::Read;

use assay_refine::filter::Verdict;
use assay_refine::filter::url::{UrlFilter, UrlFilterParams};
use assay_refine::pii::scrub;
use assay_refine::url_lists::{HashedSet, UrlLists, WordList};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::Digest;

use crate::assay_data;

/// The rows of `filters.jsonl.gz`.
pub(crate) fn rows() -> Option<Vec<Value>> {
    let path = assay_data()?.join("parity/filters.jsonl.gz");
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    let rows: Vec<Value> = text
        .split('\n')
        .filter(|line| !line.is_empty())
        .map(parse)
        .collect();
    assert_eq!(rows.len(), 2551);
    Some(rows)
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

/// A filter's entry as the fixture writes it.
pub(crate) fn entry(verdict: Verdict, features: impl Serialize) -> Value {
    json!({"kept": verdict.is_kept(), "reason": verdict.reason(), "features": features})
}

/// Compares one entry a row on the keys that `actual` has; prints the first differences and fails on any.
pub(crate) fn compare(rows: &[Value], key: &str, mut actual: impl FnMut(&Value) -> Option<Value>) {
    let (mut wrong, mut report) = (0, String::new());
    for row in rows {
        let Some(Value::Object(actual)) = actual(row) else {
            continue;
        };
        for (name, value) in actual {
            let expected = &row[key][&name];
            if *expected != value {
                wrong += 1;
                if wrong <= 10 {
                    let _ = writeln!(
                        report,
                        "{} {name}: {expected} is expected, {value} came",
                        row["id"]
                    );
                }
            }
        }
    }
    assert_eq!(wrong, 0, "`{key}` differs:\n{report}");
}

/// Lower-case hexadecimal SHA-256.
pub(crate) fn sha256(text: &str) -> String {
    sha2::Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// A string of a row.
pub(crate) fn string<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap()
}

#[test]
fn url_filter_with_made_up_lists() {
    let Some(rows) = rows() else { return };
    let path = assay_data().unwrap().join("parity/url_custom_lists.json");
    let custom = parse(&std::fs::read_to_string(path).unwrap());
    let list = |key: &str| -> Vec<String> { serde_json::from_value(custom[key].clone()).unwrap() };
    let (domains, urls) = (list("extra_domains"), list("extra_urls"));
    let (banned, soft, sub) = (
        list("banned_words"),
        list("soft_banned_words"),
        list("banned_subwords"),
    );
    let words = |list: &[String]| WordList::from_entries(list.iter().map(String::as_str));
    let lists = UrlLists {
        domains: HashedSet::from_entries(domains.iter().map(String::as_str)),
        urls: HashedSet::from_entries(urls.iter().map(String::as_str)),
        banned_words: words(&banned),
        soft_banned_words: words(&soft),
        banned_subwords: words(&sub),
    };
    let filter = UrlFilter::new(lists, UrlFilterParams::default()).unwrap();
    compare(&rows, "url_filter_custom", |row| {
        let outcome = filter.check(string(row, "url"));
        Some(json!({"kept": outcome.verdict.is_kept(), "reason": outcome.verdict.reason()}))
    });
    // Host parts do not depend on the lists; soft words do and are compared with the real ones.
    compare(&rows, "url_filter", |row| {
        let found = filter.check(string(row, "url")).features;
        let mut features = row["url_filter"]["features"].clone();
        features["registered_domain"] = json!(found.registered_domain);
        features["fqdn"] = json!(found.fqdn);
        features["suffix"] = json!(found.suffix);
        Some(json!({"features": features}))
    });
}

#[test]
fn pii() {
    let Some(rows) = rows() else { return };
    compare(&rows, "pii", |row| {
        let text = string(row, "text");
        let scrubbed = scrub(text);
        let changed = scrubbed.text != text;
        let mut entry = json!({
            "changed": changed,
            "emails_changed": scrubbed.emails_changed > 0,
            "ips_changed": scrubbed.ips_changed > 0,
        });
        if changed {
            entry["text"] = json!(scrubbed.text);
            entry["sha256"] = json!(sha256(&scrubbed.text));
        }
        Some(entry)
    });
}

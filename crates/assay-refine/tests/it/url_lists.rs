//! The real lists of the datatrove wheel: read in bounded memory, digests, parity of the URL filter with them.
use assay_refine::filter::url::UrlFilter;
use assay_refine::url_lists::{UrlListKind, UrlLists, read_wheel};
use assay_types::recipe::UrlFilterParams;
use serde_json::json;

use crate::filter_parity::{Worker, compare, entry, rows, string};

/// The lists of the wheel named by `ASSAY_URL_LISTS`, or a printed line that the test is skipped.
#[expect(
    clippy::disallowed_methods,
    reason = "tests find their data by the environment"
)]
fn wheel() -> Option<UrlLists> {
    let Some(path) = std::env::var_os("ASSAY_URL_LISTS") else {
        assert!(
            std::env::var_os("ASSAY_REQUIRE").is_none(),
            "ASSAY_REQUIRE is set, ASSAY_URL_LISTS is not"
        );
        eprintln!("skipped: ASSAY_URL_LISTS (a datatrove 0.10.1 wheel) is not set");
        return None;
    };
    Some(read_wheel(fs_err::File::open(path).unwrap()).unwrap())
}

#[test]
fn lists_of_the_wheel() {
    let Some(lists) = wheel() else { return };
    let counts = UrlListKind::ALL.map(|kind| lists.len(kind));
    assert_eq!(counts, [4_558_940, 19_587, 203, 87, 134]);
    for kind in UrlListKind::ALL {
        let mut artifact = Vec::new();
        lists.write_artifact(kind, &mut artifact).unwrap();
        let mut again = UrlLists::default();
        again.read_artifact(kind, &artifact[..]).unwrap();
        assert_eq!(again.digest(kind), lists.digest(kind), "{}", kind.name());
        println!(
            "{} {} bytes {}",
            kind.name(),
            artifact.len(),
            blake3::hash(&artifact)
        );
    }
}

#[test]
fn url_filter_with_the_lists_of_the_wheel() {
    let (Some(lists), Some(rows)) = (wheel(), rows()) else {
        return;
    };
    let filter = UrlFilter::new(lists, &UrlFilterParams::default()).unwrap();
    compare(&rows, "url_filter", |row| {
        let outcome = filter.check(string(row, "url"));
        Some(entry(outcome.verdict, outcome.features))
    });
}

#[test]
fn the_chain_stops_where_datatrove_stops() {
    let (Some(lists), Some(rows)) = (wheel(), rows()) else {
        return;
    };
    let filter = UrlFilter::new(lists, &UrlFilterParams::default()).unwrap();
    let mut worker = Worker::default();
    compare(&rows, "chain", |row| {
        match filter.check(string(row, "url")).verdict.reason() {
            Some(reason) => Some(json!({"kept": false, "step": "url_filter", "reason": reason})),
            None => Some(worker.chain(string(row, "text"))),
        }
    });
}

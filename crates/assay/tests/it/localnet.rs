//! `assay localnet` as a person runs it: processes of their own, real archives, the summary.

use std::path::Path;

use assay_refine::warc::{Page, PageRecords, WarcWriter};

use crate::support::run;

/// An archive of pages in plain English, each about something else.
fn archive(path: &Path, pages: usize) {
    let things = [
        "river", "engine", "garden", "letter", "market", "school", "bridge", "kitchen",
    ];
    let places = [
        "north", "village", "harbour", "valley", "island", "city", "forest", "coast",
    ];
    let mut writer = WarcWriter::new(Vec::new());
    for page in 0..pages {
        let mut text = String::new();
        for line in 0..14 {
            let thing = things[(page + line) % things.len()];
            let place = places[(page / things.len() + line * 3) % places.len()];
            let number = page * 97 + line * 13;
            text.push_str(&format!(
                "<p>In the {place} there was a {thing} that {number} people had seen, and each of them told the story of it \
                 in another way, with what they had heard from the others who were there before them.</p>"
            ));
        }
        let html = format!("<html><title>Page {page}</title><body><article>{text}</article></body></html>");
        let page = Page {
            uri: &format!("https://example.org/{page}"),
            date: "2026-01-01T00:00:00Z",
            content_type: "text/html; charset=utf-8",
            body: html.as_bytes(),
        };
        writer.page(page, PageRecords::Response).unwrap();
    }
    std::fs::write(path, writer.finish().unwrap()).unwrap();
}

#[test]
fn a_round_is_played_by_processes_and_the_fabricator_earns_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let warc = folder.path().join("pages.warc.gz");
    archive(&warc, 144);
    let state = folder.path().join("state");
    let output = run([
        "localnet",
        "--json",
        "--rounds",
        "1",
        "--miners",
        "honest=1,fabricator=1",
        "--validators",
        "2",
        "--block-time",
        "40ms",
        "--warc",
        warc.to_str().unwrap(),
        "--dir",
        state.to_str().unwrap(),
    ]);
    let output = output.with_code(0);
    let (answer, stderr) = (output.json(), output.stderr.clone());
    let data = &answer["data"];
    assert_eq!(data["rounds"], 1, "{data}");
    assert_eq!(data["validators_equal"], true, "{data}\n{stderr}");
    let of = |name: &str| {
        let miners = data["miners"].as_array().unwrap();
        miners.iter().find(|miner| miner["name"] == name).unwrap().clone()
    };
    let (honest, fabricator) = (of("honest-1"), of("fabricator-1"));
    assert!(
        honest["verified_units"].as_u64().unwrap() > 0,
        "{honest}\n{stderr}"
    );
    assert!(honest["incentive"].as_f64().unwrap() > 0.0, "{honest}");
    assert_eq!(honest["faults"], serde_json::json!([]));
    assert_eq!(
        fabricator["faults"],
        serde_json::json!(["text_changed"]),
        "{fabricator}"
    );
    assert_eq!(fabricator["incentive"], 0.0);
    // A folder that is used is refused, before anything starts.
    let again = run(["localnet", "--rounds", "1", "--dir", state.to_str().unwrap()]);
    again.with_code(2);
}

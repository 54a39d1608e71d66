//! `assay pack`: archives that other programs read, with the same bytes for the same pages.

use std::path::Path;
use std::process::Command;

use assay_refine::output::read_docs;
use serde_json::Value;

use crate::pages;
use crate::support::{Answer, folder, line, python};

/// Runs a Python program with arguments; its failure fails the test.
#[track_caller]
pub(crate) fn run_python(python: &Path, program: &str, args: &[&Path]) -> Answer {
    let output = Command::new(python)
        .args(["-c", program])
        .args(args)
        .output()
        .unwrap();
    Answer::from(output).with_code(0)
}

/// Every record as `type uri payload-length`, one JSON document.
const RECORDS: &str = "
import json, sys
from warcio.archiveiterator import ArchiveIterator
out = []
with open(sys.argv[1], 'rb') as file:
    records = ArchiveIterator(file, check_digests='raise')
    for record in records:
        headers, http = record.rec_headers, record.http_headers
        body = record.content_stream().read()
        out.append([record.rec_type, headers.get_header('WARC-Target-URI'), headers.get_header('WARC-Date'),
                    http and http.get_statuscode(), http and http.get_header('Content-Type'), body.decode('utf-8', 'replace')])
json.dump(out, sys.stdout)
";

#[test]
fn warcio_reads_what_is_packed() {
    let Some(python) = python() else { return };
    let folder = folder();
    let pages = folder.path().join("site");
    pages::write(&pages.join("deep/er"), 0, 3);
    fs_err::write(
        pages.join("a page.html"),
        pages::html("A page & more", &pages::paragraphs(9)),
    )
    .unwrap();
    let archive = folder.path().join("site.warc.gz");
    line(
        "pack {} -o {} --base-url https://example.org/docs/ --date 2024-05-01T12:00:00Z",
        &[&pages, &archive],
    )
    .with_code(0);
    let output = Command::new(&python)
        .args(["-m", "warcio.cli", "check", "-v"])
        .arg(&archive)
        .output()
        .unwrap();
    let checked = Answer::from(output).with_code(0);
    assert!(
        !checked.stdout.contains("failed") && checked.stdout.contains("digest pass"),
        "{}",
        checked.stdout
    );

    let records = run_python(&python, RECORDS, &[&archive]).json_text();
    let records = records.as_array().unwrap();
    let of_type = |kind: &str| {
        records
            .iter()
            .filter(|record| record[0] == kind)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (
            of_type("warcinfo").len(),
            of_type("request").len(),
            of_type("response").len()
        ),
        (1, 4, 4)
    );
    let uris: Vec<&str> = of_type("response")
        .iter()
        .map(|record| record[1].as_str().unwrap())
        .collect();
    let expected = [
        "https://example.org/docs/a%20page.html",
        "https://example.org/docs/deep/er/0000.html",
        "https://example.org/docs/deep/er/0001.html",
        "https://example.org/docs/deep/er/0002.html",
    ];
    assert_eq!(uris, expected);
    for (record, page) in of_type("response")
        .iter()
        .zip(["a page.html", "deep/er/0000.html"])
    {
        assert_eq!(
            (&record[2], &record[3]),
            (&"2024-05-01T12:00:00Z".into(), &"200".into())
        );
        assert!(record[4].as_str().unwrap().starts_with("text/html"));
        assert_eq!(record[5], fs_err::read_to_string(pages.join(page)).unwrap());
    }
}

#[test]
fn packing_is_deterministic_and_goes_round() {
    let folder = folder();
    let pages = folder.path().join("site");
    pages::write(&pages, 0, 6);
    let [first, second] = ["a/x.warc.gz", "b/x.warc.gz"].map(|name| folder.path().join(name));
    for archive in [&first, &second] {
        fs_err::create_dir_all(archive.parent().unwrap()).unwrap();
        line(
            "pack {} --out {} --base-url https://example.org",
            &[&pages, archive],
        )
        .with_code(0);
    }
    assert!(fs_err::read(&first).unwrap() == fs_err::read(&second).unwrap());
    // The same pages from single files in another order, one of them compressed.
    let gz = folder.path().join("0001.html.gz");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, &fs_err::read(pages.join("0001.html")).unwrap()).unwrap();
    fs_err::write(&gz, encoder.finish().unwrap()).unwrap();
    let third = folder.path().join("third.warc.gz");
    let (five, zero) = (pages.join("0005.html"), pages.join("0000.html"));
    let packed = line("pack {} {} {} --out {} --json", &[&five, &gz, &zero, &third])
        .with_code(0)
        .json();
    assert_eq!(packed["data"]["pages"], 3);
    assert_eq!(packed["data"]["bytes"], fs_err::metadata(&third).unwrap().len());

    // What goes in comes out: every page is refined under its address, with its own words.
    let out = folder.path().join("out");
    let report = line("refine {} --out {} --json", &[&first, &out])
        .with_code(0)
        .json();
    assert_eq!(report["data"]["kept"], 6, "{report}");
    let requests = serde_json::json!({"read.request": 6, "read.warcinfo": 1});
    assert_eq!(report["data"]["dropped"], requests, "{report}");
    let docs = fs_err::File::open(crate::support::only_unit(&out).join("docs-00000.parquet")).unwrap();
    for (number, document) in (0..).zip(read_docs(docs.into_file()).unwrap()) {
        assert_eq!(document.url, format!("https://example.org/{number:04}.html"));
        for paragraph in pages::paragraphs(number) {
            assert!(document.text.contains(&paragraph), "{}", document.text);
        }
    }
}

impl Answer {
    /// stdout as JSON, whatever ends it.
    fn json_text(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

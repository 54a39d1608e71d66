//! `assay pack`: archives that other programs read, with the same bytes for the same pages.

use std::path::Path;
use std::process::Command;

use assay_refine::output::read_docs;
use serde_json::Value;

use crate::bad_input::{Bad, check};
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

/// Found by review: a failing pack left `OUT.partial` behind, and two files of one name became two pages of one address.
#[test]
fn what_cannot_be_packed_leaves_nothing() {
    let folder = folder();
    let [first, second] = ["a", "b"].map(|name| folder.path().join(name));
    for (site, number) in [(&first, 0), (&second, 1)] {
        fs_err::create_dir(site).unwrap();
        fs_err::write(
            site.join("index.html"),
            pages::html("x", &pages::paragraphs(number)),
        )
        .unwrap();
    }
    let out = folder.path().join("site.warc.gz");
    let left = || {
        let names = fs_err::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        names
            .filter(|name| name.to_string_lossy().starts_with("site"))
            .count()
    };
    let twice = Bad {
        exit: 2,
        code: "usage/invalid",
        message: "would both be packed as `index.html`",
        help: "another `--base-url`",
    };
    let files = [first.join("index.html"), second.join("index.html")];
    check("pack {} {} --out {}", &[&files[0], &files[1], &out], &twice);
    check("pack {} {} --out {}", &[&first, &second, &out], &twice);
    // One file named twice is one page.
    let once = line("pack {} {} --out {} --json", &[&files[0], &files[0], &out])
        .with_code(0)
        .json();
    assert_eq!(once["data"]["pages"], 1);
    fs_err::remove_file(&out).unwrap();
    fs_err::write(second.join("z.html.gz"), b"\x1f\x8b cut").unwrap();
    let cut = Bad {
        exit: 1,
        code: "file/unusable",
        message: "z.html.gz",
        help: "z.html.gz",
    };
    check("pack {} --out {}", &[&second, &out], &cut);
    assert_eq!(left(), 0, "a half archive is left");
    line("pack {} --out {}", &[folder.path(), &out]).with_code(1);
    fs_err::remove_file(second.join("z.html.gz")).unwrap();
    let both = line("pack {} --out {} --json", &[folder.path(), &out])
        .with_code(0)
        .json();
    assert_eq!(both["data"]["pages"], 2, "the folder above both tells them apart");
    assert_eq!(left(), 1);
}

#[test]
fn dates_and_addresses_that_no_archive_can_hold() {
    let folder = folder();
    let pages = folder.path().join("site");
    pages::write(&pages, 0, 1);
    let out = folder.path().join("x.warc.gz");
    for date in [
        "yesterday",
        "2024-05-01",
        "2024-13-01T00:00:00Z",
        "2024-05-01T12:00:00+02:00",
        "2024-05-01T12:00:00.5Z",
    ] {
        let bad = Bad {
            exit: 2,
            code: "usage/invalid",
            message: &format!("`--date {date}`"),
            help: "2024-05-01T12:00:00Z",
        };
        check(
            &format!("pack {{}} --out {{}} --date {date}"),
            &[&pages, &out],
            &bad,
        );
    }
    for url in [
        "example.org",
        "https://",
        "https:///x",
        "1ttp://example.org",
        "https://example.org/<x>",
        "https://bücher.example/",
    ] {
        let bad = Bad {
            exit: 2,
            code: "usage/invalid",
            message: &format!("`--base-url {url}`"),
            help: "percent-encoded",
        };
        check(
            &format!("pack {{}} --out {{}} --base-url {url}"),
            &[&pages, &out],
            &bad,
        );
    }
    let args = [
        "pack".as_ref(),
        pages.as_os_str(),
        "--base-url".as_ref(),
        "https://a b/".as_ref(),
        "--out".as_ref(),
        out.as_os_str(),
    ];
    let answer = crate::support::run(args).with_code(2);
    assert!(
        answer.stderr.contains("`--base-url https://a b/`"),
        "{}",
        answer.stderr
    );
    assert!(!out.exists());
}

/// The archive says of itself what its records are.
#[test]
fn the_first_record_names_the_version_of_all() {
    let folder = folder();
    let archive = pages::archive(folder.path(), "x.warc.gz", 0, 1);
    let mut text = String::new();
    let mut reader = flate2::read::MultiGzDecoder::new(fs_err::File::open(archive).unwrap());
    std::io::Read::read_to_string(&mut reader, &mut text).unwrap();
    assert!(text.contains("\r\nformat: WARC File Format 1.0\r\n"), "{text}");
    assert_eq!(text.matches("WARC/1.0\r\n").count(), 3, "{text}");
}

impl Answer {
    /// stdout as JSON, whatever ends it.
    fn json_text(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

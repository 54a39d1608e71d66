//! Every form of archive through the whole program: versions of WARC, WET, one member for all, zstd.

use std::io::Write as _;
use std::path::Path;

use assay_refine::output::read_docs;
use serde_json::Value;

use crate::bombs::{brotli_bomb, record, zstd_stored};
use crate::pages;
use crate::support::{data, folder, line, only_unit};

/// Refines and verifies an archive; gives the report.
#[track_caller]
fn refined(archive: &Path, out: &Path) -> Value {
    let report = line("refine {} --out {} --json", &[archive, out])
        .with_code(0)
        .json();
    let verified = line("verify {} --warc {} --sample all --json", &[out, archive])
        .with_code(0)
        .json();
    assert_eq!(
        verified["data"]["checked"], report["data"]["records"],
        "{verified}"
    );
    report
}

/// What `pack` writes, inflated.
fn plain(folder: &Path) -> Vec<u8> {
    let packed = fs_err::File::open(pages::archive(folder, "packed.warc.gz", 0, 5)).unwrap();
    let mut plain = Vec::new();
    std::io::copy(&mut flate2::read::MultiGzDecoder::new(packed), &mut plain).unwrap();
    plain
}

/// The same records under every version and compression give the same documents, and the report counts stored bytes.
#[test]
fn versions_and_compressions_give_the_same_documents() {
    let folder = folder();
    let plain = plain(folder.path());
    let versioned = |version: &str| {
        let text = String::from_utf8(plain.clone()).unwrap();
        text.replace("WARC/1.0\r\n", &format!("WARC/{version}\r\n"))
            .into_bytes()
    };
    let single = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(&plain).unwrap();
        encoder.finish().unwrap()
    };
    let mut first: Option<(Value, Vec<String>)> = None;
    for (name, bytes) in [
        ("0.17.warc", versioned("0.17")),
        ("0.18.warc", versioned("0.18")),
        ("1.0.warc", plain.clone()),
        ("1.1.warc", versioned("1.1")),
        ("single.warc.gz", single),
        ("frame.warc.zst", zstd_stored(&plain)),
    ] {
        let (archive, out) = (
            folder.path().join(name),
            folder.path().join(format!("{name}-out")),
        );
        fs_err::write(&archive, &bytes).unwrap();
        let report = refined(&archive, &out);
        let data = &report["data"];
        assert_eq!(data["bytes_in"], bytes.len(), "{name}: {data}");
        assert_eq!(
            (&data["kept"], &data["records"]),
            (&5.into(), &11.into()),
            "{name}: {data}"
        );
        let docs = fs_err::File::open(only_unit(&out).join("docs-00000.parquet")).unwrap();
        let texts = read_docs(docs.into_file())
            .unwrap()
            .into_iter()
            .map(|row| row.text)
            .collect();
        let this = (data["dropped"].clone(), texts);
        assert_eq!(*first.get_or_insert_with(|| this.clone()), this, "{name}");
    }
}

/// A genuine WET file of Common Crawl: plain texts, no HTTP.
#[test]
fn a_wet_file_is_refined_and_verified() {
    let Some(wet) = data("sources/commoncrawl/whirlwind.warc.wet.gz") else {
        return;
    };
    let folder = folder();
    let report = refined(&wet, &folder.path().join("out"));
    let data = &report["data"];
    assert_eq!(data["records"], 2, "{data}");
    assert_eq!(data["dropped"]["read.warcinfo"], 1, "{data}");
    let shown = line("refine {} --explain 1 --json", &[&wet]).with_code(0).json();
    let html = shown["data"]["stages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|stage| stage["stage"] == "html");
    let media = html.unwrap()["features"]
        .as_array()
        .unwrap()
        .iter()
        .find(|rule| rule["name"] == "media_type");
    assert_eq!(media.unwrap()["value"], "text/plain", "{shown}");
    assert_eq!(media.unwrap()["holds"], true, "{shown}");
}

/// Status, length, media type and replaced characters stand beside what the recipe asks for.
#[test]
fn a_record_that_is_no_page_says_what_it_was_read_as() {
    let responses: [(&str, &str, Vec<u8>, &str); 4] = [
        (
            "404 Not Found",
            "Content-Type: text/html",
            b"<p>x".to_vec(),
            "http_status 404 200",
        ),
        (
            "200 OK",
            "Content-Type: image/png",
            b"x".to_vec(),
            "media_type another application/xhtml+xml, text/html",
        ),
        (
            "200 OK",
            "Content-Type: text/html\r\nContent-Encoding: br",
            brotli_bomb(100_000_000),
            "bytes over 20000000 ≤ 20000000",
        ),
        (
            "200 OK",
            "Content-Type: text/html; charset=utf-8",
            [b"<p>".as_slice(), &[0xff; 97]].concat(),
            "replacement_characters 97/100 = 97.0 % ≤ 1.0 %",
        ),
    ];
    let folder = folder();
    let archive = folder.path().join("no-pages.warc");
    let records = responses.iter().map(|(status, fields, body, _)| {
        let head = format!("HTTP/1.1 {status}\r\n{fields}\r\n\r\n");
        let message = [head.as_bytes(), body].concat();
        record(
            "response",
            "application/http; msgtype=response",
            "https://example.org/",
            &message,
        )
    });
    fs_err::write(&archive, records.collect::<Vec<_>>().concat()).unwrap();
    for (number, (.., expected)) in responses.iter().enumerate() {
        let shown = line(&format!("refine {{}} --explain {number} --json"), &[&archive])
            .with_code(0)
            .json();
        let stages = shown["data"]["stages"].as_array().unwrap();
        let rules = stages
            .iter()
            .flat_map(|stage| stage["features"].as_array().unwrap());
        let broken: Vec<String> = rules
            .filter(|rule| rule["holds"] == false)
            .map(|rule| {
                let part = |key: &str| rule[key].as_str().unwrap().to_owned();
                format!("{} {} {}", part("name"), part("value"), part("bound"))
            })
            .collect();
        assert_eq!(broken, [*expected], "{shown}");
        assert_eq!(shown["data"]["unless"], Value::Null, "{shown}");
    }
}

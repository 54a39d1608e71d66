//! What people try first: the sample, one record explained, one page's text, a dataset's report.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::disk::in_namespace;
use crate::pages;
use crate::support::{Answer, assay, folder, line, skip};

/// Documentation pages copied for a build without optimisation, which would take minutes for all 1,500.
const PAGES: usize = 150;

/// The folder of the Rust documentation of the toolchain in use.
pub(crate) fn rust_docs() -> Option<PathBuf> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output().ok()?;
    let root = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    Some(root.join("share/doc/rust/html")).filter(|folder| folder.is_dir())
}

/// A toolchain with the first pages of some folders of the real documentation, and a `rustc` that names it.
pub(crate) fn small_toolchain(docs: &Path, to: &Path) -> PathBuf {
    let html = to.join("share/doc/rust/html");
    for part in ["book", "std/vec", "alloc/vec"] {
        fs_err::create_dir_all(html.join(part)).unwrap();
        let mut pages: Vec<PathBuf> = fs_err::read_dir(docs.join(part))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "html"))
            .collect();
        pages.sort();
        for page in pages.iter().take(PAGES / 3) {
            fs_err::copy(page, html.join(part).join(page.file_name().unwrap())).unwrap();
        }
    }
    fake_rustc(to)
}

/// A folder with a `rustc` that names `to` as its root.
fn fake_rustc(to: &Path) -> PathBuf {
    let bin = to.join("bin");
    fs_err::create_dir(&bin).unwrap();
    let rustc = bin.join("rustc");
    fs_err::write(&rustc, format!("#!/bin/sh\necho '{}'\n", to.display())).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs_err::set_permissions(&rustc, executable).unwrap();
    bin
}

#[test]
fn the_sample_is_refined_and_shown() {
    let Some(docs) = rust_docs() else {
        return skip("the toolchain has no `rust-docs` component");
    };
    let folder = folder();
    let mut command = assay(["refine", "--sample", "--out"]);
    let out = folder.path().join("demo");
    command.arg(&out);
    if cfg!(debug_assertions) {
        command.env("PATH", small_toolchain(&docs, &folder.path().join("toolchain")));
    }
    let answer = Answer::from(command.output().unwrap()).with_code(0);
    assert!(answer.stderr.starts_with("sample: "), "{}", answer.stderr);
    for word in [
        "records",
        "extract",
        "language",
        "gopher_quality",
        "c4",
        "kept",
        "recipe fineweb-en-v1 ",
        "funnel.svg",
    ] {
        assert!(answer.stdout.contains(word), "no `{word}` in\n{}", answer.stdout);
    }
    let archive = out.join("sample.warc.gz");
    let report = line("refine --sample --out {} --json", &[&out])
        .with_code(0)
        .json();
    assert!(report["data"]["kept"].as_u64().unwrap() > 0, "{report}");
    assert!(report["data"]["records"].as_u64().unwrap() > 100, "{report}");
    line("verify {} --warc {}", &[&out, &archive]).with_code(0);
    let text = line("dataset stats {}", &[&out]).with_code(0).stdout;
    assert!(text.contains("doc.rust-lang.org"), "{text}");
}

/// A toolchain's documentation of made-up pages: `books` and `items` with words enough, and `short` ones of both kinds.
fn made_up_toolchain(to: &Path, books: u64, items: u64, short: u64) -> PathBuf {
    let html = to.join("share/doc/rust/html");
    for (part, first, count) in [("book", 0, books), ("std/vec", 10_000, items)] {
        pages::write(&html.join(part), first, count);
        for number in 0..short {
            let page = pages::html("Short", &["Too short to be read by anybody.".to_owned()]);
            fs_err::write(html.join(part).join(format!("short-{number}.html")), page).unwrap();
        }
    }
    fake_rustc(to)
}

#[test]
fn the_sample_has_fifteen_hundred_pages_with_words() {
    let folder = folder();
    let toolchain = made_up_toolchain(&folder.path().join("toolchain"), 800, 720, 30);
    let out = folder.path().join("out");
    let mut command = assay([
        "refine",
        "--sample",
        "--limit",
        "3",
        "--recipe",
        "fineweb-en-v1-nolang",
        "--out",
    ]);
    command.arg(&out).env("PATH", toolchain);
    let answer = Answer::from(command.output().unwrap()).with_code(0);
    assert!(
        answer.stderr.starts_with("sample: 1,500 pages "),
        "{}",
        answer.stderr
    );
    let mut records = String::new();
    let file = fs_err::File::open(out.join("sample.warc.gz")).unwrap();
    flate2::read::MultiGzDecoder::new(file)
        .read_to_string(&mut records)
        .unwrap();
    let address = |record: &str| {
        let uri = record
            .lines()
            .find_map(|line| line.strip_prefix("WARC-Target-URI: "));
        uri.unwrap().trim().to_owned()
    };
    let addresses: std::collections::BTreeSet<String> = records
        .split("WARC-Type: response\r\n")
        .skip(1)
        .map(address)
        .collect();
    assert_eq!(addresses.len(), 1_500);
    assert!(
        addresses
            .iter()
            .all(|uri| uri.starts_with("https://doc.rust-lang.org/"))
    );
    let short: Vec<&String> = addresses.iter().filter(|uri| uri.contains("short-")).collect();
    assert!(short.is_empty(), "{short:?}");
    let books = addresses.iter().filter(|uri| uri.contains("/book/")).count();
    assert!((750..=800).contains(&books), "{books} books");
}

/// Without documentation the error says how to get input.
#[test]
fn without_documentation_the_error_says_how_to_get_some() {
    let folder = folder();
    let empty = folder.path().join("empty");
    fs_err::create_dir(&empty).unwrap();
    // Empty folders over those of the system, no `rustc` on the path, no toolchains at home.
    let script = "
        for docs in /usr/share/doc /usr/share/gtk-doc /usr/local/share/doc; do
            test ! -d \"$docs\" || mount -t tmpfs none \"$docs\"
        done
        exec env -i HOME=\"$0\" PATH=\"$0\" \"$ASSAY\" refine --sample --out \"$0/out\"";
    let Some(answer) = in_namespace(script, &empty) else {
        return;
    };
    let answer = answer.with_code(2);
    assert!(
        answer.stderr.contains("error[input/nothing-found]"),
        "{}",
        answer.stderr
    );
    assert!(
        answer.stderr.contains("rustup component add rust-docs"),
        "{}",
        answer.stderr
    );
}

#[test]
fn a_record_is_explained_step_by_step() {
    let folder = folder();
    let archive = pages::mixed_archive(folder.path());
    // A kept page, a short one, one in another language, and a request.
    for (name, needle) in [
        ("kept", "https://example.org/0001.html"),
        ("short", "https://example.org/0001-short.html"),
        ("german", "https://example.org/0002-german.html"),
        ("request", "1"),
    ] {
        let shown = line(&format!("refine {{}} --explain {needle}"), &[&archive]).with_code(0);
        assert_eq!(shown.stderr, "", "{name}");
        insta::assert_snapshot!(format!("explain-{name}"), shown.stdout);
    }
    // The record's id and number lead to the same record as its address.
    let explained = |needle: &str| {
        let shown = line(&format!("refine {{}} --explain {needle} --json"), &[&archive]).with_code(0);
        shown.json()["data"].clone()
    };
    let by_address = explained("https://example.org/0001.html");
    let mut records = String::new();
    let file = fs_err::File::open(&archive).unwrap();
    flate2::read::MultiGzDecoder::new(file)
        .read_to_string(&mut records)
        .unwrap();
    let ids: Vec<&str> = records
        .lines()
        .filter_map(|line| line.strip_prefix("WARC-Record-ID: "))
        .collect();
    let number = by_address["idx"].as_u64().unwrap();
    assert_eq!(
        explained(ids[number as usize].trim_matches(['<', '>'])),
        by_address
    );
    assert_eq!(explained(&number.to_string()), by_address);
}

#[test]
fn a_dataset_is_described_in_a_page_without_foreign_parts() {
    let folder = folder();
    let archive = pages::mixed_archive(folder.path());
    let (out, html) = (folder.path().join("out"), folder.path().join("stats.html"));
    line("refine {} --out {} -q", &[&archive, &out]).with_code(0);
    let shown = line("dataset stats {} --html {}", &[&out, &html]).with_code(0);
    insta::assert_snapshot!("dataset-stats", shown.stdout);
    let page = fs_err::read_to_string(&html).unwrap();
    assert!(
        page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"),
        "{page}"
    );
    assert!(page.contains("<svg") && page.contains("example.org"), "{page}");
    // Nothing is loaded: no script, no style sheet, no picture, no font from elsewhere.
    let namespace = "http://www.w3.org/2000/svg";
    let bare = page.replace(namespace, "");
    for foreign in [
        "http://", "https://", "src=", "@import", "url(", "<script", "<link",
    ] {
        assert!(!bare.contains(foreign), "`{foreign}` in {page}");
    }
    // The page is HTML that our own reader understands.
    let text = line("extract {} --profile union", &[&html]).with_code(0).stdout;
    assert!(!text.trim().is_empty());
}

#[test]
fn pages_become_text() {
    let folder = folder();
    pages::write(folder.path(), 5, 2);
    let [first, second] = ["0005.html", "0006.html"].map(|name| folder.path().join(name));
    let text = line("extract {}", &[&first]).with_code(0).stdout;
    for paragraph in pages::paragraphs(5) {
        assert!(text.contains(&paragraph), "{text}");
    }
    assert!(!text.contains("Imprint") && !text.contains("Home"), "{text}");
    let lines = line("extract {} {} --jsonl", &[&first, &second])
        .with_code(0)
        .stdout;
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    for (line, file) in lines.iter().zip([&first, &second]) {
        let mut keys: Vec<&String> = line.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(
            keys,
            ["comments", "file", "language", "metadata", "text", "title"]
        );
        assert_eq!(line["file"], file.display().to_string());
        assert_eq!(line["language"], "en");
    }
    assert_eq!(lines[0]["title"], "Report 5");
    // Through stdin, too, as it is and compressed.
    let from_stdin = |bytes: &[u8]| {
        let file = folder.path().join("stdin");
        fs_err::write(&file, bytes).unwrap();
        let mut command = assay(["extract", "-"]);
        command.stdin(fs_err::File::open(&file).unwrap().into_file());
        Answer::from(command.output().unwrap())
    };
    let packed = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let page = fs_err::read(&first).unwrap();
    assert_eq!(from_stdin(&page).with_code(0).stdout, text);
    assert_eq!(from_stdin(&packed(&page)).with_code(0).stdout, text);
    // Found by review: everything behind 100 MiB was left out without a word.
    let long = from_stdin(&packed(&vec![b' '; (100 << 20) + 1])).with_code(1);
    assert!(
        long.stderr
            .contains("error[file/unusable]: `stdin`: more than 104857600 bytes")
            && long.stderr.contains("help: nothing this long is read"),
        "{}",
        long.stderr
    );
}

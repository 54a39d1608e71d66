//! Wrong calls: what is not a file, a number, a record, a page, and what clap itself refuses.

use crate::bad_input::{Bad, check, with_archive};
use crate::support::{folder, line};

#[test]
fn what_clap_refuses_is_one_document_with_json() {
    for words in [
        "refine --json",
        "--json nonsense",
        "verify x --json",
        "refine x --out y --threads many --json",
        "--json",
    ] {
        let answer = line(words, &[]).with_code(2);
        let document = answer.json();
        assert_eq!(document["schema"], "assay.error/1", "`{words}`");
        assert_eq!(document["code"], "usage/invalid", "`{words}`");
        assert_eq!(document["retry"], false, "`{words}`");
        assert!(!document["message"].as_str().unwrap().is_empty(), "`{words}`");
        assert!(
            document["help"].as_str().unwrap().contains("--help"),
            "`{words}`: {document}"
        );
        let people = line(&words.replace("--json", ""), &[]).with_code(2);
        assert_eq!(people.stdout, "", "`{words}`");
    }
}

#[test]
fn files_that_are_not_there() {
    let folder = folder();
    let missing = folder.path().join("missing");
    let out = folder.path().join("out");
    let bad = Bad {
        exit: 1,
        code: "file/unusable",
        message: "missing",
        help: "there is no `",
    };
    check("filter {}", &[&missing], &bad);
    check("dedup {}", &[&missing], &bad);
    check("extract {}", &[&missing], &bad);
    check("recipe check {}", &[&missing], &bad);
    check("recipe lists {} --out {}", &[&missing, &out], &bad);
    check(
        "recipe show fineweb-en-v1-lists --url-lists {}",
        &[&missing],
        &bad,
    );
    check("pack {} --out {}", &[&missing, &out], &bad);
    fs_err::create_dir(&missing).unwrap();
    let empty = Bad {
        exit: 2,
        code: "input/nothing-found",
        message: "no HTML file in",
        help: ".html",
    };
    check("pack {} --out {}", &[&missing, &out], &empty);
    assert!(!out.exists());
    let lists = Bad {
        exit: 2,
        code: "usage/invalid",
        message: "holds no URL lists",
        help: "`domains`",
    };
    check(
        "recipe show fineweb-en-v1-lists --url-lists {}",
        &[&missing],
        &lists,
    );
    let text = folder.path().join("no.whl");
    fs_err::write(&text, "no wheel").unwrap();
    let wheel = Bad {
        exit: 2,
        code: "usage/invalid",
        message: "no.whl",
        help: "pip download",
    };
    check("recipe lists {} --out {}", &[&text, &out], &wheel);
}

/// Found by review: a file that cannot be read was answered with "choose another `--out`", or with nothing.
#[test]
fn files_that_cannot_be_read() {
    let folder = folder();
    let root = folder.path();
    let bad = |message, help| Bad {
        exit: 1,
        code: "file/unusable",
        message,
        help,
    };
    let directory = root.join("directory");
    fs_err::create_dir(&directory).unwrap();
    for words in ["filter {}", "dedup {}", "extract {}", "recipe check {}"] {
        check(
            words,
            &[&directory],
            &bad("directory", "is a folder: name a file in it"),
        );
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, &"<p>Some words.</p>".repeat(500).into_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let cut = root.join("cut.html.gz");
    fs_err::write(&cut, &packed[..packed.len() - 12]).unwrap();
    check(
        "extract {}",
        &[&cut],
        &bad("cut.html.gz", "was cut short: fetch it again"),
    );
    let mut broken = packed.clone();
    broken[12..20].fill(0xff);
    let path = root.join("broken.html.gz");
    fs_err::write(&path, broken).unwrap();
    check(
        "extract {}",
        &[&path],
        &bad("broken.html.gz", "is damaged or of another format"),
    );
    let latin = root.join("latin.toml");
    fs_err::write(&latin, b"name = \"caf\xe9\"").unwrap();
    check(
        "recipe check {}",
        &[&latin],
        &bad("is not UTF-8", "is damaged or of another format"),
    );
    let long = root.join("long.html");
    fs_err::File::create(&long)
        .unwrap()
        .set_len((100 << 20) + 1)
        .unwrap();
    check(
        "extract {}",
        &[&long],
        &bad("more than 104857600 bytes", "nothing this long is read"),
    );
    let secret = root.join("secret.html");
    fs_err::write(&secret, "<p>x").unwrap();
    let nobody = std::os::unix::fs::PermissionsExt::from_mode(0o000);
    fs_err::set_permissions(&secret, nobody).unwrap();
    // Root may read everything.
    if fs_err::read(&secret).is_err() {
        check(
            "extract {}",
            &[&secret],
            &bad("secret.html", "change its permissions"),
        );
    }
}

/// Found by review: what `--limit` left out looked like fraud.
#[test]
fn a_limited_unit_says_how_it_is_verified() {
    let (folder, archive) = with_archive();
    let (out, proof) = (folder.path().join("out"), folder.path().join("proof.json"));
    line("refine {} --out {} --limit 3 -q", &[&archive, &out]).with_code(0);
    let words = "verify {} --warc {} --proof {}";
    let shown = line(words, &[&out, &archive, &proof]).with_code(4).stdout;
    assert!(
        shown.contains("was made with `--limit`") && shown.contains("--prefix"),
        "{shown}"
    );
    let document = line(&format!("{words} --json"), &[&out, &archive, &proof])
        .with_code(4)
        .json();
    assert!(
        document["data"]["hint"].as_str().unwrap().contains("--prefix"),
        "{document}"
    );
    let cured = line("verify {} --warc {} --prefix --json", &[&out, &archive])
        .with_code(0)
        .json();
    assert_eq!(
        (&cured["data"]["checked"], &cured["data"]["hint"]),
        (&3.into(), &serde_json::Value::Null)
    );
}

#[test]
fn nothing_to_verify_is_not_ok() {
    let (folder, archive) = with_archive();
    let (out, empty) = (folder.path().join("out"), folder.path().join("empty.warc.gz"));
    fs_err::write(&empty, b"").unwrap();
    line("refine {} --out {} -q", &[&empty, &out]).with_code(1);
    let nothing = Bad {
        exit: 1,
        code: "dataset/missing",
        message: "has no units",
        help: "assay refine",
    };
    check("verify {} --warc {}", &[&out, &archive], &nothing);
    line("refine {} --out {} -q", &[&archive, &out]).with_code(0);
    let zero = Bad {
        exit: 2,
        code: "usage/invalid",
        message: "`--sample 0`",
        help: "from 1 on",
    };
    check("verify {} --warc {} --sample 0", &[&out, &archive], &zero);
}

#[test]
fn records_rows_and_archives_that_are_not_there() {
    let (folder, archive) = with_archive();
    let out = folder.path().join("out");
    let record = Bad {
        exit: 2,
        code: "input/no-such-record",
        message: "no record `https://a.b/`",
        help: "WARC-Record-ID",
    };
    check("refine {} --explain https://a.b/", &[&archive], &record);
    line("refine {} --out {}", &[&archive, &out]).with_code(0);
    let sample = Bad {
        exit: 2,
        code: "usage/invalid",
        message: "`--sample some`",
        help: "number of rows",
    };
    check("verify {} --warc {} --sample some", &[&out, &archive], &sample);
    let other = folder.path().join("b.warc.gz");
    fs_err::copy(&archive, &other).unwrap();
    let unit = Bad {
        exit: 2,
        code: "input/archive-missing",
        message: "archive `a.warc.gz`",
        help: "`--warc`",
    };
    check("verify {} --warc {}", &[&out, &other], &unit);
    let twice = Bad {
        exit: 1,
        code: "input/unreadable",
        message: "two inputs are named",
        help: "rename one",
    };
    check("refine {} {} --out {}", &[&archive, &archive, &out], &twice);
}

/// A line that is no text is answered in its place; the others are filtered.
#[test]
fn lines_that_are_no_texts_are_answered_in_place() {
    let folder = folder();
    let texts = folder.path().join("texts.jsonl");
    fs_err::write(
        &texts,
        "{\"id\":1,\"text\":\"Hello.\"}\nnonsense\n\n{\"id\":3}\n{\"text\":\"\",\"id\":\"x\"}\n",
    )
    .unwrap();
    let answer = line("filter {}", &[&texts]).with_code(0);
    let lines: Vec<serde_json::Value> = answer
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ids: Vec<String> = lines.iter().map(|line| line["id"].to_string()).collect();
    assert_eq!(ids, ["1", "null", "null", "\"x\""]);
    assert_eq!((&lines[1]["line"], &lines[2]["line"]), (&2.into(), &4.into()));
    assert!(lines[1]["error"].is_string() && lines[2]["error"].as_str().unwrap().contains("text"));
    assert_eq!(lines[0]["kept"], false);
}

/// `assay … | head` is no failure.
#[test]
fn a_reader_that_has_enough_is_no_error() {
    let folder = folder();
    let texts = folder.path().join("texts.jsonl");
    fs_err::write(&texts, "{\"id\":1,\"text\":\"Hello.\"}\n".repeat(20_000)).unwrap();
    let mut child = crate::support::assay(["filter".as_ref(), texts.as_os_str()])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

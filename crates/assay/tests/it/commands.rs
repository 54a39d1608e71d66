//! Commands in README.md, in docs/ and on pages of the site: each is one that this program takes.
//!
//! A line runs with `--help` at its end: the parser goes through it from the left, stops at the first command, flag or value
//! it does not know, and runs nothing.

use std::path::{Path, PathBuf};

use crate::support::run;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Files below a folder with an ending, in order.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut waiting = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs_err::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|own| own == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Lines of the code blocks of Markdown, fenced or indented; a line that ends with `\` goes on in the next.
fn code_lines(markdown: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let (mut is_fenced, mut goes_on) = (false, false);
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            (is_fenced, goes_on) = (!is_fenced, false);
            continue;
        }
        if !is_fenced && !line.starts_with("    ") {
            continue;
        }
        let text = line.trim();
        let (text, more) = match text.strip_suffix('\\') {
            Some(text) => (text, true),
            None => (text, false),
        };
        match lines.last_mut() {
            Some(last) if goes_on => last.push_str(text),
            _ => lines.push(text.to_owned()),
        }
        goes_on = more;
    }
    lines
}

/// Words of a shell line without its comment, cut into the commands of a pipe or list.
fn commands(line: &str) -> Vec<Vec<String>> {
    let (mut all, mut words) = (Vec::new(), Vec::new());
    let (mut word, mut quote) = (None::<String>, None);
    for sign in line.chars().chain([' ']) {
        match (sign, quote) {
            ('"' | '\'', None) => {
                quote = Some(sign);
                word.get_or_insert_default();
            }
            (sign, Some(open)) if sign == open => quote = None,
            ('#', None) if word.is_none() => break,
            ('|' | ';' | '&' | '>' | '<', None) => {
                words.extend(word.take());
                all.push(std::mem::take(&mut words));
            }
            (sign, None) if sign.is_whitespace() => words.extend(word.take()),
            (sign, _) => word.get_or_insert_default().push(sign),
        }
    }
    all.push(words);
    all.retain(|words| !words.is_empty());
    all
}

/// Arguments of every `assay` of a line; `$ ` before it is a prompt, `NAME=value` sets a variable.
fn calls(line: &str) -> Vec<Vec<String>> {
    let line = line.strip_prefix("$ ").unwrap_or(line);
    let program = |word: &str| word == "assay" || word.ends_with("/assay");
    commands(line)
        .into_iter()
        .filter_map(|mut words| {
            let is_setting = |word: &String| word.contains('=') && !word.starts_with('-');
            let begin = words.iter().position(|word| !is_setting(word))?;
            let rest = words.split_off(begin);
            program(&rest[0]).then(|| rest[1..].to_vec())
        })
        .collect()
}

/// Text literals of Rust that are commands; what is filled in is a number, which is a name and a path as well.
fn literals(source: &str) -> Vec<String> {
    let inside = source.split('"').filter(|text| text.starts_with("assay "));
    inside
        .map(|text| {
            let mut out = String::new();
            for (at, part) in text.split('{').enumerate() {
                let part = if at == 0 {
                    part
                } else {
                    part.split_once('}').map_or("", |(_, rest)| rest)
                };
                if at > 0 {
                    out.push('1');
                }
                out.push_str(part);
            }
            out.replace("\\n", " ").replace("\\\\", " ")
        })
        .collect()
}

/// Why the program does not take these arguments.
fn refusal(args: &[String]) -> Option<String> {
    let answer = run(args.iter().map(String::as_str).chain(["--help"]));
    (answer.code != 0).then_some(answer.stderr)
}

#[test]
fn every_command_of_the_documents_is_one() {
    let (mut count, mut wrong) = (0, Vec::new());
    let mut check = |place: &Path, line: &str| {
        for args in calls(line) {
            count += 1;
            if let Some(why) = refusal(&args) {
                wrong.push(format!("{}: `{line}`\n{why}", place.display()));
            }
        }
    };
    for path in files("docs", "md").into_iter().chain([root().join("README.md")]) {
        for line in code_lines(&fs_err::read_to_string(&path).unwrap()) {
            check(&path, &line);
        }
    }
    for path in files("crates/assay-server/src", "rs") {
        for line in literals(&fs_err::read_to_string(&path).unwrap()) {
            check(&path, &line);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 50, "only {count} commands were found");
}

#[test]
fn a_command_that_does_not_exist_is_found() {
    let args = |line: &str| calls(line).remove(0);
    for line in [
        "assay refine a.warc.gz --out b --nonsense",
        "assay refime a.warc.gz",
        "assay serve admin decide-removals 3",
        "assay localnet --rounds many",
        "$ assay chain status --netuid seven # not a number",
    ] {
        assert!(refusal(&args(line)).is_some(), "{line}");
    }
    assert_eq!(refusal(&args("assay refine a.warc.gz --out b")), None);
}

#[test]
fn lines_are_cut_as_a_shell_does() {
    let markdown = "text\n```sh\n$ X=1 assay refine 'a b' \\\n  --out c # why\nzcat x | target/assay filter --steps > y\n```\n    assay pack s\n";
    let found: Vec<Vec<String>> = code_lines(markdown).iter().flat_map(|line| calls(line)).collect();
    assert_eq!(
        found,
        [
            vec!["refine", "a b", "--out", "c"],
            vec!["filter", "--steps"],
            vec!["pack", "s"],
        ]
    );
    assert_eq!(
        literals("x(\"assay dataset verify {address} --sample 500\", \"other\")"),
        ["assay dataset verify 1 --sample 500"]
    );
}

//! Blocks of commands in README.md and docs/: each runs, page by page in order, or says in the text why it does not.
//!
//! `<!-- not run: KIND: why -->` on the line before a block is the mark; readers do not see it. What is marked is listed in a
//! snapshot, so that a review sees when the list grows.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::evaluate::{gzip, jsonl, prose};
use crate::sample::{rust_docs, small_toolchain};
use crate::support::{assay, folder, line, skip};
use crate::{commands, pages};

/// Why a block may stay unrun.
const KINDS: [&str; 6] = [
    "costs money",
    "needs the network",
    "takes minutes",
    "runs until it is ended",
    "needs other tools",
    "only parsed",
];

/// A block of commands.
#[derive(Debug)]
struct Block {
    /// Line of its fence.
    line: usize,
    /// What a shell is given.
    script: String,
    /// Kind and reason, if it is not run.
    not_run: Option<String>,
}

/// Blocks of a page whose language is `sh`, or that call `assay`.
fn blocks(markdown: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut mark = None;
    let mut open: Option<(usize, bool, String)> = None;
    for (at, line) in markdown.lines().enumerate() {
        let text = line.trim();
        match (&mut open, text.strip_prefix("```")) {
            (None, Some(language)) => open = Some((at + 1, language == "sh", String::new())),
            (Some((line, is_shell, script)), Some(_)) => {
                if *is_shell || script.lines().any(|line| line.starts_with("assay ")) {
                    found.push(Block {
                        line: *line,
                        script: std::mem::take(script),
                        not_run: mark.take(),
                    });
                }
                (open, mark) = (None, None);
            }
            (Some((.., script)), None) => {
                script.push_str(line);
                script.push('\n');
            }
            (None, None) => {
                mark = text
                    .strip_prefix("<!-- not run: ")
                    .and_then(|rest| rest.strip_suffix(" -->"))
                    .map(str::to_owned);
            }
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    found
}

/// Every page with blocks of commands, by its path in the repository.
fn documented() -> Vec<(String, Vec<Block>)> {
    let root = commands::root();
    let paths = commands::files("docs", "md")
        .into_iter()
        .chain([root.join("README.md")]);
    paths
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            (name, blocks(&fs_err::read_to_string(&path).unwrap()))
        })
        .filter(|(_, blocks)| !blocks.is_empty())
        .collect()
}

/// What guides take as given: an archive, its dataset, pages and texts, by the names they call them.
fn samples(to: &Path) {
    let site = to.join("site");
    pages::write(&site, 0, 9);
    fs_err::write(
        site.join("page.html"),
        pages::html("Page", &pages::paragraphs(40)),
    )
    .unwrap();
    fs_err::copy(site.join("page.html"), to.join("page.html")).unwrap();
    let archive = to.join("crawl.warc.gz");
    line(
        "pack {} -o {} --base-url https://example.org/ -q",
        &[&site, &archive],
    )
    .with_code(0);
    line("refine {} --out {} -q", &[&archive, &to.join("data")]).with_code(0);
    for (name, documents) in [
        ("texts.jsonl", prose(5, 20)),
        ("wiki.jsonl", prose(2, 200)),
        ("books.jsonl", prose(3, 200)),
        ("benchmarks.jsonl", prose(9, 40)),
    ] {
        fs_err::write(to.join(name), jsonl(&documents)).unwrap();
    }
    for (name, seed) in [("mine", 1), ("theirs", 4), ("visible", 6)] {
        let packed = gzip(&jsonl(&prose(seed, 1_400)));
        fs_err::write(to.join(format!("{name}.jsonl.gz")), packed).unwrap();
    }
}

/// Runs a page's blocks in a folder; what went wrong, if anything.
fn run(name: &str, blocks: &[&Block], folder: &Path, toolchain: Option<&Path>) -> Option<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_assay")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let first = toolchain.into_iter().chain([program]).map(Path::to_path_buf);
    let path = std::env::join_paths(first.chain(std::env::split_paths(&path))).unwrap();
    for block in blocks {
        let mut shell = Command::new("sh");
        shell.arg("-euc").arg(&block.script).current_dir(folder);
        // A clean environment, as that of the tests that call the program itself.
        for (name, value) in assay::<&str>([]).get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        shell
            .env("PATH", &path)
            .env("HOME", folder)
            .env("BT_WALLET_PASSWORD", "only for this test")
            .stdin(Stdio::null());
        let output = shell.output().unwrap();
        if !output.status.success() {
            return Some(format!(
                "{name}:{}: {}\n{}{}{}",
                block.line,
                output.status,
                block.script,
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            ));
        }
    }
    None
}

#[test]
fn blocks_of_commands_run_as_they_stand() {
    let folder = folder();
    let given = folder.path().join("given");
    samples(&given);
    let toolchain = rust_docs().map(|docs| small_toolchain(&docs, &folder.path().join("toolchain")));
    let (mut count, mut wrong) = (0, Vec::new());
    for (name, blocks) in documented() {
        let run_here: Vec<&Block> = blocks.iter().filter(|block| block.not_run.is_none()).collect();
        if run_here.is_empty() {
            continue;
        }
        if toolchain.is_none()
            && run_here
                .iter()
                .any(|block| block.script.contains("--sample --out"))
        {
            skip("the toolchain has no `rust-docs` component: not all guides are run");
            continue;
        }
        let here = folder.path().join(name.replace('/', "-"));
        copy(&given, &here);
        let begun = std::time::Instant::now();
        wrong.extend(run(&name, &run_here, &here, toolchain.as_deref()));
        eprintln!(
            "{name}: {} blocks, {:.1} s",
            run_here.len(),
            begun.elapsed().as_secs_f64()
        );
        count += run_here.len();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 8, "only {count} blocks of commands were run");
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs_err::copy(&path, &to).unwrap();
        }
    }
}

#[test]
fn blocks_that_are_not_run_say_why() {
    let mut listed = String::new();
    let (mut run, mut not_run) = (0, 0);
    for (name, blocks) in documented() {
        for block in blocks {
            let Some(reason) = block.not_run else {
                run += 1;
                continue;
            };
            let kind = reason.split_once(": ").map_or(reason.as_str(), |(kind, _)| kind);
            assert!(
                KINDS.contains(&kind),
                "{name}:{}: `{kind}` is none of {KINDS:?}",
                block.line
            );
            assert!(reason.len() > kind.len() + 2, "{name}:{}: say why", block.line);
            not_run += 1;
            // The page of all commands has one for each; the parser has taken each.
            if name != "docs/cli.md" {
                let first = block.script.lines().next().unwrap_or_default();
                let first = first.split("  ").next().unwrap();
                let _ = writeln!(listed, "{name}: {first}\n    {reason}");
            }
        }
    }
    let _ = writeln!(
        listed,
        "{run} blocks are run, {not_run} are not, those of docs/cli.md among them"
    );
    insta::assert_snapshot!("not_run", listed);
}

#[test]
fn marks_belong_to_the_block_behind_them() {
    let page = "a\n```sh\nls\n```\n<!-- not run: takes minutes: x -->\n```sh\nsleep 99\n```\n```\nassay x\n```\n```toml\na = 1\n```\n";
    let found: Vec<(usize, Option<String>)> = blocks(page)
        .into_iter()
        .map(|block| (block.line, block.not_run))
        .collect();
    assert_eq!(
        found,
        [(2, None), (6, Some("takes minutes: x".to_owned())), (9, None)]
    );
}

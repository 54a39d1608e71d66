//! What `--help` says of every command, suggestions for typos, and completions in the shells that are installed.

use std::path::Path;
use std::process::Command;

use crate::support::{folder, line, run};

/// Lines of a terminal that `-h` may fill.
const SCREEN_LINES: usize = 50;

/// Every command and subcommand, found through the help itself, so that none can be forgotten.
fn commands() -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    let mut at = 0;
    while at < all.len() {
        let path: Vec<String> = all[at].clone();
        let help = run(path.iter().map(String::as_str).chain(["--help"])).with_code(0);
        let listed = help
            .stdout
            .split_once("\nCommands:\n")
            .map_or("", |(_, rest)| rest);
        let names = listed
            .lines()
            .take_while(|line| !line.is_empty())
            .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
            .filter_map(|line| line.split_whitespace().next())
            .filter(|name| *name != "help");
        all.extend(names.map(|name| [path.as_slice(), &[name.to_owned()]].concat()));
        at += 1;
    }
    all
}

#[test]
fn every_command_has_its_help() {
    let commands = commands();
    assert!(commands.len() >= 16, "{commands:?}");
    for command in commands {
        let long = run(command.iter().map(String::as_str).chain(["--help"])).with_code(0);
        let short = run(command.iter().map(String::as_str).chain(["-h"])).with_code(0);
        assert_eq!(
            (long.stderr.as_str(), short.stderr.as_str()),
            ("", ""),
            "{command:?}"
        );
        for shown in [&long.stdout, &short.stdout] {
            assert!(!shown.contains('\u{1b}'), "{command:?}: colours in a pipe");
            assert!(
                shown.lines().all(|line| line.chars().count() <= 100),
                "{command:?}: a line is too wide"
            );
        }
        let lines = short.stdout.lines().count();
        assert!(lines <= SCREEN_LINES, "{command:?}: `-h` has {lines} lines");
        let name = ["assay".to_owned()]
            .into_iter()
            .chain(command)
            .collect::<Vec<_>>()
            .join("-");
        insta::assert_snapshot!(name.clone(), long.stdout);
        if long.stdout != short.stdout {
            insta::assert_snapshot!(format!("{name}-short"), short.stdout);
        }
    }
}

/// The examples of the help are commands that exist, with flags that exist.
#[test]
fn the_examples_of_the_help_are_understood() {
    let mut examples = 0;
    for command in commands() {
        let help = run(command.iter().map(String::as_str).chain(["--help"])).stdout;
        let lines = help.split_once("\nExamples:\n").map_or("", |(_, rest)| rest);
        for line in lines.lines().filter_map(|line| line.split_once("assay ")) {
            // Several spaces set a remark apart; what stands behind `>` is the shell's.
            let words = line.1.split("   ").next().unwrap().split(" > ").next().unwrap();
            // `--help` behind valid arguments prints help; in front of it, a wrong flag is an error.
            let answer = run(words.split_whitespace().chain(["--no-such-flag"])).with_code(2);
            let named = answer.stderr.lines().next().unwrap().to_owned();
            assert!(named.contains("'--no-such-flag'"), "`{words}`: {named}");
            examples += 1;
        }
    }
    assert!(examples >= 12, "{examples} examples");
}

#[test]
fn assay_alone_says_what_people_come_for() {
    let answer = run::<&str>([]).with_code(2);
    assert_eq!(answer.stdout, "");
    for command in [
        "assay refine --sample",
        "assay refine crawl",
        "assay verify",
        "assay extract",
    ] {
        assert!(
            answer.stderr.contains(command),
            "`{command}` in {}",
            answer.stderr
        );
    }
    let version = run(["--version"]).with_code(0).stdout;
    assert_eq!(version, format!("assay {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_typo_gets_a_suggestion() {
    for (typed, meant) in [
        ("refin x", "'refine'"),
        ("dataset stat x", "'stats'"),
        ("refine x --recpie y", "'--recipe'"),
        ("verify x --wrac y", "'--warc'"),
        ("filter --color sometimes", "always"),
        ("recipe shwo x", "'show'"),
    ] {
        let answer = line(typed, &[]).with_code(2);
        assert_eq!(answer.stdout, "", "{typed}");
        assert!(answer.stderr.contains(meant), "`{typed}`: {}", answer.stderr);
    }
}

/// Runs a script in a shell; `None` if the shell is not installed.
fn shell(name: &str, args: &[&str], script: &Path) -> Option<String> {
    let output = Command::new(name).args(args).arg(script).output();
    let Ok(output) = output else {
        eprintln!("skipped: {name} is not installed");
        return None;
    };
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {args:?}: {errors}");
    assert_eq!(errors, "", "{name} {args:?}");
    Some(answer)
}

#[test]
fn every_command_that_is_shown_has_its_manual_page() {
    let folder = folder();
    let pages = folder.path().join("made").join("man");
    let data = line("man {} --json", &[&pages]).with_code(0).json();
    let mut expected: Vec<String> = commands()
        .into_iter()
        .map(|command| [vec!["assay".to_owned()], command].concat().join("-") + ".1")
        .collect();
    expected.sort_unstable();
    let mut found: Vec<String> = fs_err::read_dir(&pages)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(data["data"]["pages"], found.len());
    for (page, says) in [("assay.1", "refine"), ("assay-chain-metagraph.1", "netuid")] {
        let text = fs_err::read_to_string(pages.join(page)).unwrap();
        assert!(text.contains(".TH ") && text.contains(says), "{page}: {text}");
    }
}

#[test]
fn completions_load_and_complete() {
    let folder = folder();
    // Behind the script each shell is asked to complete `assay re`.
    let bash = "COMP_WORDS=(assay re) COMP_CWORD=1; _assay assay re assay; echo \"${COMPREPLY[*]}\"";
    let zsh = "whence -w _assay";
    let fish = "complete -C 'assay re'";
    for (name, args, ask, answers) in [
        (
            "bash",
            ["--noprofile", "--norc"].as_slice(),
            bash,
            ["refine", "recipe"].as_slice(),
        ),
        ("zsh", &["-f"], zsh, &["_assay: function"]),
        ("fish", &["--no-config"], fish, &["refine", "recipe"]),
    ] {
        let script = line(&format!("completions {name}"), &[]).with_code(0).stdout;
        let prelude = if name == "zsh" {
            "autoload -U compinit; compinit -D\n"
        } else {
            ""
        };
        let path = folder.path().join(format!("assay.{name}"));
        fs_err::write(&path, format!("{prelude}{script}\n{ask}\n")).unwrap();
        if shell(name, &["-n"], &path).is_none() {
            continue;
        }
        let found = shell(name, args, &path).unwrap();
        for answer in answers {
            assert!(found.contains(answer), "{name}: `{found}`");
        }
    }
    for name in ["elvish", "powershell"] {
        let script = line(&format!("completions {name}"), &[]).with_code(0).stdout;
        assert!(script.contains("refine"), "{name}");
    }
}

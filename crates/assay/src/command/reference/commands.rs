//! `docs/cli.md`: every command with its arguments, defaults and examples, as the parser knows them.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command, CommandFactory as _};

use super::{MADE, cell};
use crate::cli::Cli;

const HEAD: &str = "# Command line

One program does everything: `assay`. `assay COMMAND --help` says the same as this page.

Results go to stdout, all else to stderr, so that a pipe holds results only. With `--json` a command prints exactly one document on stdout, also when it fails.

| exit status | means |
|---|---|
| 0 | done |
| 1 | failed; the message names the thing and the cure |
| 2 | called wrongly: an argument, a configuration or a recipe cannot be used |
| 3 | failed for now: the same call may succeed later |
| 4 | the work was done and a check failed: `verify`, `evaluate`, `doctor`, `simulate`, `recipe check` |
| 130 | interrupted |

[Questions and cures](faq.md) lists the codes of errors.

";
/// Why examples of the help are not run here.
const NOT_RUN: &str =
    "<!-- not run: only parsed: examples of --help, with names of files that the reader has -->\n";

pub(super) fn page() -> String {
    let mut root = Cli::command();
    root.build();
    let mut page = format!("{MADE}{HEAD}## Global options\n\nEvery command takes these.\n\n");
    let global: Vec<&Arg> = root
        .get_arguments()
        .filter(|arg| arg.is_global_set() && is_shown(arg))
        .collect();
    table(&mut page, &global);
    for command in shown(&root) {
        describe(&mut page, command, 2);
    }
    page
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help")
}

fn is_shown(arg: &Arg) -> bool {
    let is_own = matches!(
        arg.get_action(),
        ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
    );
    !arg.is_hide_set() && !is_own
}

/// A command and those below it; headings are at most of the fourth level.
fn describe(page: &mut String, command: &Command, level: usize) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage: Vec<&str> = usage
        .trim_start_matches("Usage:")
        .lines()
        .map(str::trim)
        .collect();
    // Writing to a String cannot fail.
    let _ = write!(
        page,
        "\n{} {name}\n\n{}.\n\nUsage: `{}`\n",
        "#".repeat(level.min(4)),
        cell(about.trim_end_matches('.')),
        usage.join("` or `")
    );
    let own: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| is_shown(arg) && !is_of_root(arg))
        .collect();
    if !own.is_empty() {
        page.push('\n');
        table(page, &own);
    }
    let examples = command.get_after_help().map(ToString::to_string);
    if let Some(lines) = examples
        .as_deref()
        .and_then(|text| text.split_once("Examples:\n"))
    {
        let _ = write!(page, "\n{NOT_RUN}```sh\n");
        for line in lines.1.lines().map(str::trim) {
            // Several spaces set a remark apart.
            let _ = match line.split_once("   ") {
                Some((call, remark)) => writeln!(page, "{}   # {}", call.trim_end(), remark.trim()),
                None => writeln!(page, "{line}"),
            };
        }
        page.push_str("```\n");
    }
    for below in shown(command) {
        describe(page, below, level + 1);
    }
}

/// Whether it stands among the global options already.
fn is_of_root(arg: &Arg) -> bool {
    ["json", "quiet", "color"].contains(&arg.get_id().as_str())
}

fn table(page: &mut String, args: &[&Arg]) {
    page.push_str("| argument | default | what it says |\n|---|---|---|\n");
    for arg in args {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let (help, told) = match help.split_once(" [default: ") {
            Some((help, told)) => (help.to_owned(), Some(told.trim_end_matches(']').to_owned())),
            None => (help, None),
        };
        let _ = writeln!(
            page,
            "| {} | {} | {}{} |",
            cell(&format!("`{}`", name_of(arg))),
            told.map_or_else(|| default_of(arg), |told| cell(&told)),
            cell(&help),
            values_of(arg)
        );
    }
}

/// `-o, --out <DIR>`, or `<INPUT>…`.
fn name_of(arg: &Arg) -> String {
    let mut names = Vec::new();
    if let Some(short) = arg.get_short() {
        names.push(format!("-{short}"));
    }
    if let Some(long) = arg.get_long() {
        names.push(format!("--{long}"));
    }
    let mut name = names.join(", ");
    if arg.is_positional() || arg.get_action().takes_values() {
        let value = arg.get_value_names().and_then(|names| names.first());
        let value = value.map_or_else(|| arg.get_id().as_str().to_uppercase(), ToString::to_string);
        let more = match (arg.get_num_args(), arg.get_action()) {
            (Some(count), _) if count.max_values() > 1 => "…",
            (_, ArgAction::Append) => "…",
            _ => "",
        };
        let _ = write!(name, "{}<{value}>{more}", if name.is_empty() { "" } else { " " });
    }
    name
}

fn default_of(arg: &Arg) -> String {
    let takes_value = arg.is_positional() || arg.get_action().takes_values();
    let values: Vec<String> = arg
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    match (takes_value, arg.is_required_set(), values.is_empty()) {
        (false, ..) => "off".to_owned(),
        (true, true, _) => "required".to_owned(),
        (true, false, true) => "none".to_owned(),
        (true, false, false) => cell(&format!("`{}`", values.join(" "))),
    }
}

fn values_of(arg: &Arg) -> String {
    if !arg.get_action().takes_values() {
        return String::new();
    }
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if values.is_empty() {
        return String::new();
    }
    format!(": {}", values.join(", "))
}

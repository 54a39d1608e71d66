//! The bundle for who helps: what was found, the environment's names, and nothing that is private.

use serde::Serialize;

use super::Check;
use crate::config;
use crate::console::Console;

#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    os: &'static str,
    arch: &'static str,
    /// Names that are set.
    set: Vec<&'static str>,
    checks: Vec<Check>,
}

/// Prints the bundle: always one JSON document.
pub(super) fn print(checks: &[Check], console: &Console) -> anyhow::Result<()> {
    let home = config::home().unwrap_or_default();
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        os: std::env::consts::OS,
        arch: std::env::consts::ARCH,
        set: config::names_set(),
        checks: checks
            .iter()
            .map(|check| Check {
                found: redacted(&check.found, &home),
                cure: check.cure.as_deref().map(|cure| redacted(cure, &home)),
                ..*check
            })
            .collect(),
    };
    let json = serde_json::to_string_pretty(&report)?;
    console.result("assay.doctor-report/1", &report, &[], || json + "\n")
}

/// Without what is private: paths, and of addresses all but scheme and host. What stands in backticks is one thing.
fn redacted(text: &str, home: &str) -> String {
    let text = if home.len() > 1 {
        text.replace(home, "~")
    } else {
        text.to_owned()
    };
    let parts = text.split('`').enumerate().map(|(index, part)| {
        let is_quoted = index % 2 == 1;
        // A command in backticks is a cure; its words are looked at one by one.
        if is_quoted && !part.starts_with("assay ") {
            return hidden(part);
        }
        part.split(' ').map(hidden).collect::<Vec<_>>().join(" ")
    });
    parts.collect::<Vec<_>>().join("`")
}

/// One thing: an address to its host, a path not at all, anything else as it is.
fn hidden(word: &str) -> String {
    if let Some((scheme, rest)) = word.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        return if host.is_empty() {
            "<path>".to_owned()
        } else {
            format!("{scheme}://{host}")
        };
    }
    let is_number = |c: char| c.is_ascii_digit() || "/.,()".contains(c);
    if word.contains(['/', '\\', '~']) && !word.chars().all(is_number) {
        return "<path>".to_owned();
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_names_no_folder_and_no_secret() {
        for (found, expected) in [
            (
                "`/home/me/My Data/x.json` is not at https://me:pass@hub.example/a?token=1 in /home/me, 3/4 read",
                "`<path>` is not at https://hub.example in <path> 3/4 read",
            ),
            (
                "`clients/acme/subnet.json` does not exist",
                "`<path>` does not exist",
            ),
            (
                "`wss://node.example/sekret-key` hangs",
                "`wss://node.example` hangs",
            ),
            ("file:///srv/x key=/srv/y C:\\Users\\me", "<path> <path> <path>"),
            (
                "`assay wallet new default --hotkey default`",
                "`assay wallet new default --hotkey default`",
            ),
        ] {
            assert_eq!(redacted(found, "/home/me"), expected);
        }
        assert_eq!(redacted("nothing private", ""), "nothing private");
    }
}

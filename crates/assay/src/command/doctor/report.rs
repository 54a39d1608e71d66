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

/// Without folders of this machine and without what stands before `@` or after `?` in addresses.
fn redacted(text: &str, home: &str) -> String {
    let text = if home.len() > 1 {
        text.replace(home, "~")
    } else {
        text.to_owned()
    };
    let words = text.split(' ').map(|word| {
        if let Some((scheme, rest)) = word.split_once("://") {
            let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            let rest = rest.split_once('?').map_or(rest, |(path, _)| path);
            return format!("{scheme}://{rest}");
        }
        let bare = word.trim_matches(|c: char| !(c == '/' || c == '~' || c.is_alphanumeric()));
        if bare.starts_with('/') || bare.starts_with("~/") {
            return word.replace(bare, "<path>");
        }
        word.to_owned()
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_names_no_folder_and_no_secret() {
        let found =
            "`/home/me/w/x.json` is not at https://me:pass@hub.example/a?token=1 in /home/me, 3/4 read";
        assert_eq!(
            redacted(found, "/home/me"),
            "`<path>` is not at https://hub.example/a in ~, 3/4 read"
        );
        assert_eq!(redacted("nothing private", ""), "nothing private");
    }
}

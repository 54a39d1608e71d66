//! `docs/configuration.md`: every variable, every key of the server's file, every key of a subnet's file.

use std::fmt::Write as _;

use anyhow::Context as _;
use assay_agents::subnet::SETUP_SOURCE;
use assay_server::{CONFIG_SOURCE, ServerConfig};
use serde_json::Value;

use super::fields::{self, Field};
use super::{MADE, cell};
use crate::config::VARIABLES;

const HEAD: &str = "# Configuration

Nothing needs a configuration file: every value has a default that is meant for production, and every command works with flags alone. A flag wins over a
variable, a variable over a file, a file over the default; `assay config show --origin` says of each value where it comes from. What all nodes of a subnet must agree on is not configuration: it is the subnet's
[parameter set](mechanism.md), which is named by its digest in every report.

Secrets are never flags, because a command line is seen by everybody on a machine. They come from variables, and no log, error or report shows them.

## Variables

";
const SERVER: &str = "
## The server's file

`assay serve --config FILE` reads TOML with these keys. A key that does not exist is an error that names it. Times are milliseconds and sizes are bytes
where the name says so.

";
const SUBNET: &str = "
## The subnet's file

`--subnet FILE` of `assay miner`, `assay validator`, `assay serve` and `assay doctor` is one JSON document, the same on every node. `assay localnet` writes one.
All of it is public, and no key has a default.

";

pub(super) fn page() -> anyhow::Result<String> {
    let mut page = format!("{MADE}{HEAD}| variable | default | what it says |\n|---|---|---|\n");
    for known in &VARIABLES {
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {} |",
            known.name,
            cell(known.default),
            cell(known.about)
        );
    }
    page.push_str(SERVER);
    page.push_str("| key | default | what it says |\n|---|---|---|\n");
    for (name, default, about) in server_keys()? {
        let _ = writeln!(page, "| `{name}` | {default} | {} |", cell(&about));
    }
    page.push_str(SUBNET);
    page.push_str("| key | what it says |\n|---|---|\n");
    let parts = [
        ("", "SubnetFile"),
        ("recipes[].", "ActiveRecipe"),
        ("duels.", "DuelRules"),
        ("duels.packs[].", "DuelPack"),
    ];
    for (prefix, of) in parts {
        for field in fields::of(SETUP_SOURCE, of) {
            let _ = writeln!(page, "| `{prefix}{}` | {} |", field.name, cell(&field.about));
        }
    }
    Ok(page)
}

/// Name, default and meaning of every key of the server's file.
fn server_keys() -> anyhow::Result<Vec<(String, String, String)>> {
    let config = ServerConfig::default();
    let mut defaults = serde_json::to_value(&config).context("write the server's defaults")?;
    // Left out of what is written, since it may hold a password; the default holds none.
    if let Value::Object(keys) = &mut defaults {
        keys.insert("database".to_owned(), Value::String(config.database));
    }
    let mut all = Vec::new();
    let mut push = |prefix: &str, Field { name, about }: Field, value: Option<&Value>| {
        let default = match value {
            None | Some(Value::Null) => "none".to_owned(),
            Some(Value::Number(number)) => grouped(&number.to_string()),
            Some(Value::String(text)) => format!("`{text}`"),
            Some(other) => format!("`{other}`"),
        };
        all.push((format!("{prefix}{name}"), default, about));
    };
    for field in fields::of(CONFIG_SOURCE, "ServerConfig") {
        let value = defaults.get(&field.name);
        if field.name != "limits" {
            push("", field, value);
            continue;
        }
        for field in fields::of(CONFIG_SOURCE, "Limits") {
            let value = value.and_then(|limits| limits.get(&field.name));
            push("limits.", field, value);
        }
    }
    Ok(all)
}

/// Digits in groups of three.
fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_those_the_server_reads() {
        let mut written = serde_json::to_value(ServerConfig::default()).unwrap();
        let limits = written.as_object_mut().unwrap().remove("limits").unwrap();
        let top = written.as_object().unwrap().keys().cloned();
        let nested = limits.as_object().unwrap().keys();
        let mut expected: Vec<String> = top
            .chain(nested.map(|name| format!("limits.{name}")))
            .chain(["database".to_owned()])
            .collect();
        let keys = server_keys().unwrap();
        let mut found: Vec<String> = keys.iter().map(|(name, ..)| name.clone()).collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
        for (name, default, about) in keys {
            assert!(
                !about.is_empty() && !default.is_empty(),
                "`{name}` is not explained"
            );
        }
        assert_eq!(
            (grouped("7"), grouped("67108864")),
            ("7".to_owned(), "67,108,864".to_owned())
        );
    }
}

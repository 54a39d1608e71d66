//! `assay config show`: every variable and every key of the server's file, what holds and where it comes from.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use assay_server::ServerConfig;
use serde::Serialize;
use serde_json::Value;

use crate::cli::{ConfigCommand, ConfigShowArgs};
use crate::config::{self, Told, VARIABLES};
use crate::console::Console;
use crate::exit::Status;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Origin {
    Default,
    File,
    Variable,
}

/// A value that holds.
#[derive(Debug, Serialize)]
struct Holds {
    /// Name of the variable or key, `limits.…` for a key of that table.
    name: String,
    /// What holds; null = nothing, or a secret.
    value: Value,
    /// Whether the value is set and not shown.
    is_secret: bool,
    origin: Origin,
}

#[derive(Debug, Serialize)]
struct Data {
    variables: Vec<Holds>,
    serve: Vec<Holds>,
}

pub(super) fn run(command: &ConfigCommand, console: &Console) -> anyhow::Result<Status> {
    let ConfigCommand::Show(args) = command;
    let data = Data {
        variables: VARIABLES.iter().map(|known| variable(known, args)).collect(),
        serve: serve(args)?,
    };
    let file = args.config.as_deref();
    console.result("assay.config/1", &data, &[], || text(&data, args.origin, file))?;
    Ok(Status::Ok)
}

fn variable(known: &config::Variable, args: &ConfigShowArgs) -> Holds {
    let told = if args.defaults { None } else { config::told(known) };
    let origin = if told.is_some() {
        Origin::Variable
    } else {
        Origin::Default
    };
    let is_secret = told == Some(Told::Secret);
    let value = match told {
        Some(Told::Value(value)) => Value::String(value),
        Some(Told::Secret) => Value::Null,
        None => Value::String(known.default.to_owned()),
    };
    Holds {
        name: known.name.to_owned(),
        value,
        is_secret,
        origin,
    }
}

/// Every key of the server's file, tables behind the rest as TOML wants them.
fn serve(args: &ConfigShowArgs) -> anyhow::Result<Vec<Holds>> {
    let (config, file) = if args.defaults {
        (ServerConfig::default(), toml::Table::new())
    } else {
        (
            super::serve::configured(args.config.as_deref())?,
            keys(args.config.as_deref())?,
        )
    };
    let written = serde_json::to_value(&config).context("write the server's configuration")?;
    let mut all = vec![database(&config, &file, args.defaults)];
    for (name, value) in written.as_object().into_iter().flatten() {
        let given = file.get(name);
        match value {
            Value::Object(table) => all.extend(table.iter().map(|(key, value)| {
                let is_given = given.is_some_and(|given| given.get(key).is_some());
                holds(format!("{name}.{key}"), value, is_given)
            })),
            value => all.push(holds(name.clone(), value, given.is_some())),
        }
    }
    all.sort_by_key(|holds| holds.name.contains('.'));
    Ok(all)
}

fn holds(name: String, value: &Value, is_given: bool) -> Holds {
    Holds {
        name,
        value: value.clone(),
        is_secret: false,
        origin: if is_given { Origin::File } else { Origin::Default },
    }
}

/// The database, which is not shown where its address may hold a password.
fn database(config: &ServerConfig, file: &toml::Table, is_default: bool) -> Holds {
    let mut holds = holds(
        "database".to_owned(),
        &Value::String(config.database.clone()),
        file.contains_key("database"),
    );
    if !is_default && config::serve_database().is_some() {
        holds.origin = Origin::Variable;
    }
    if config.database.contains(['@', '?']) {
        holds.value = Value::Null;
        holds.is_secret = true;
    }
    holds
}

/// What the file itself says, to tell it from defaults; it was read once already, so it is TOML.
fn keys(file: Option<&Path>) -> anyhow::Result<toml::Table> {
    file.map_or_else(
        || Ok(toml::Table::new()),
        |file| Ok(toml::from_str(&fs_err::read_to_string(file)?)?),
    )
}

/// The whole as TOML: variables as remarks, then the server's keys.
fn text(data: &Data, with_origin: bool, file: Option<&Path>) -> String {
    let mut text = "# Variables\n".to_owned();
    for holds in &data.variables {
        // Escaped: a value of several lines must not leave its remark.
        let value = holds.value.as_str().unwrap_or("set, not shown").escape_debug();
        line(
            &mut text,
            &format!("# {}: {value}", holds.name),
            holds,
            with_origin,
            file,
        );
    }
    text.push_str("\n# The server: `assay serve --config` takes this file\n");
    let mut table = "";
    for holds in &data.serve {
        let (of, key) = holds.name.split_once('.').unwrap_or(("", &holds.name));
        if of != table {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "\n[{of}]");
            table = of;
        }
        let shown = match (&holds.value, holds.is_secret) {
            (_, true) => format!("# {key}: set, not shown"),
            (Value::Null, _) => format!("# {key}: none"),
            (value, _) => format!("{key} = {}", toml_of(value)),
        };
        line(&mut text, &shown, holds, with_origin, file);
    }
    text
}

/// A number as it is and a text as TOML quotes it.
fn toml_of(value: &Value) -> String {
    match value {
        Value::String(text) => toml::Value::String(text.clone()).to_string(),
        other => other.to_string(),
    }
}

fn line(text: &mut String, shown: &str, holds: &Holds, with_origin: bool, file: Option<&Path>) {
    let origin = match (holds.origin, file) {
        (Origin::Variable, _) if holds.name == "database" => "variable ASSAY_SERVE__DATABASE".to_owned(),
        (Origin::Variable, _) => "variable".to_owned(),
        (Origin::File, Some(file)) => format!("file {}", file.display()),
        (Origin::File | Origin::Default, _) => "default".to_owned(),
    };
    // Writing to a String cannot fail.
    let _ = if with_origin {
        writeln!(text, "{shown:<48}  # {origin}")
    } else {
        writeln!(text, "{shown}")
    };
}

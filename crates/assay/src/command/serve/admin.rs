//! `assay serve admin`: requests over the server's socket; import, which needs no server.

use std::io::{BufReader, Write as _};

use anyhow::Context as _;
use assay_server::ChainIdentity;
use assay_server::admin::{AdminRequest, ask, import};
use assay_server::store::Database;
use assay_types::{NetUid, UnitId};
use serde_json::json;

use crate::cli::{AdminArgs, AdminCommand};
use crate::command::chain::open_network;
use crate::console::Console;
use crate::exit::UsageError;

const SCHEMA: &str = "assay.serve-admin/1";

pub(super) fn run(
    args: &AdminArgs,
    console: &Console,
    runtime: &tokio::runtime::Runtime,
) -> anyhow::Result<()> {
    let request = match &args.command {
        AdminCommand::Health => AdminRequest::Health,
        AdminCommand::AddCorpus { spec, name } => AdminRequest::AddCorpus {
            spec: spec.clone(),
            name: name.clone(),
        },
        AdminCommand::DeadLetters => AdminRequest::DeadLetters,
        AdminCommand::Requeue { unit } => AdminRequest::Requeue { units: ids(unit)? },
        AdminCommand::AddDataset { file } => AdminRequest::AddDataset {
            dataset: serde_json::from_str(&fs_err::read_to_string(file)?).map_err(|error| {
                UsageError::new(
                    format!("`{}`: {error}", file.display()),
                    "docs/api.md shows the keys",
                )
            })?,
        },
        AdminCommand::Removals { state } => AdminRequest::Removals { state: state.clone() },
        AdminCommand::DecideRemoval { number, refuse } => AdminRequest::DecideRemoval {
            number: *number,
            listed: !refuse,
        },
        AdminCommand::Backup { file } => AdminRequest::Backup {
            file: std::path::absolute(file)?,
        },
        AdminCommand::Export { file } => {
            let mut rows = std::io::BufWriter::new(
                fs_err::OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .open(file)?,
            );
            let answer = ask(&args.admin_socket, &AdminRequest::Export, &mut rows)?;
            rows.flush()?;
            return console.result(SCHEMA, &answer.data, &[], || format!("{}\n", answer.message));
        }
        AdminCommand::Import {
            file,
            database,
            network,
            netuid,
        } => {
            let count = runtime.block_on(async {
                let chain = open_network(network).await?;
                let identity = ChainIdentity {
                    genesis: chain.genesis().await?,
                    netuid: NetUid(*netuid),
                };
                let database = Database::open(database, &identity.name()).await?;
                let count = import(&database, BufReader::new(fs_err::File::open(file)?)).await?;
                database.close().await;
                anyhow::Ok(count)
            })?;
            return console.result(SCHEMA, &json!({ "rows": count }), &[], || {
                format!("{count} rows imported\n")
            });
        }
    };
    let answer = ask(&args.admin_socket, &request, std::io::sink()).context("ask the server")?;
    console.result(SCHEMA, &answer.data, &[], || {
        let data = serde_json::to_string_pretty(&answer.data).unwrap_or_default();
        format!("{}\n{data}\n", answer.message)
    })
}

/// The units of a command line.
fn ids(units: &[String]) -> Result<Vec<UnitId>, UsageError> {
    let ids = units.iter().map(|unit| unit.parse());
    ids.collect::<Result<Vec<UnitId>, _>>().map_err(|error| {
        UsageError::new(
            format!("--unit: {error}"),
            "give the 32 digits that `dead-letters` shows",
        )
    })
}

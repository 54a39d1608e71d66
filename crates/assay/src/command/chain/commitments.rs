//! `assay chain commitments`: what hotkeys have committed, and what the chain has opened.

use assay_chain::{At, Commitment, CommitmentField, RevealedCommitment};
use assay_types::hex;
use serde::Serialize;

use crate::cli::SubnetArgs;
use crate::command::chain::amounts::short_key;
use crate::command::chain::open;
use crate::command::chain::table::table;
use crate::console::Console;

/// Bytes shown in a table.
const BYTES_SHOWN: usize = 24;

#[derive(Debug, Serialize)]
struct Data {
    network: String,
    netuid: u16,
    block: u32,
    commitments: Vec<Row>,
}

/// One field.
#[derive(Debug, Serialize)]
struct Row {
    hotkey: String,
    block: u32,
    kind: &'static str,
    bytes: usize,
    hex: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reveal_round: Option<u64>,
    #[serde(skip)]
    short: String,
}

pub(super) async fn run(args: &SubnetArgs, revealed: bool, console: &Console) -> anyhow::Result<()> {
    let (opened, netuid, at) = open::subnet(args).await?;
    let chain = opened.chain;
    let head = chain.head(at).await?;
    let at = At::Hash(head.hash);
    let commitments = if revealed {
        let revealed = chain.revealed_commitments(netuid, at).await?;
        revealed.iter().map(opened_row).collect()
    } else {
        let standing = chain.commitments(netuid, at).await?;
        standing.iter().flat_map(rows).collect()
    };
    let data = Data {
        network: chain.network(),
        netuid: netuid.0,
        block: head.number.0,
        commitments,
    };
    console.result_at("assay.chain-commitments/1", head.number, &data, || {
        let rows: Vec<Vec<String>> = data.commitments.iter().map(cells).collect();
        table(&["hotkey", "block", "kind", "bytes", "content"], &rows)
    })
}

fn rows(commitment: &Commitment) -> Vec<Row> {
    let one = |kind, bytes: &[u8], reveal_round| Row {
        hotkey: commitment.hotkey.to_ss58(),
        block: commitment.block.0,
        kind,
        bytes: bytes.len(),
        hex: hex::encode(bytes),
        reveal_round,
        short: short_key(&commitment.hotkey),
    };
    commitment
        .fields
        .iter()
        .map(|field| match field {
            CommitmentField::Plain(bytes) => one("plain", bytes, None),
            CommitmentField::Blake2(digest) => one("hash", &digest.0, None),
            CommitmentField::Timelocked {
                ciphertext,
                reveal_round,
            } => one("timelocked", ciphertext, Some(*reveal_round)),
        })
        .collect()
}

fn opened_row(revealed: &RevealedCommitment) -> Row {
    Row {
        hotkey: revealed.hotkey.to_ss58(),
        block: revealed.block.0,
        kind: "revealed",
        bytes: revealed.bytes.len(),
        hex: hex::encode(&revealed.bytes),
        reveal_round: None,
        short: short_key(&revealed.hotkey),
    }
}

fn cells(row: &Row) -> Vec<String> {
    let shown: String = row.hex.chars().take(2 * BYTES_SHOWN).collect();
    let more = if row.bytes > BYTES_SHOWN { "…" } else { "" };
    let content = match row.reveal_round {
        Some(round) => format!("opens with round {round}"),
        None => format!("{shown}{more}"),
    };
    vec![
        row.short.clone(),
        row.block.to_string(),
        row.kind.to_owned(),
        row.bytes.to_string(),
        content,
    ]
}

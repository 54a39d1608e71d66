//! What happened, newest first, from the audit log, in sentences.

use super::number;
use super::part;
use crate::app::App;
use crate::store::{self, StoreError};
use assay_types::Hotkey;
use assay_types::api::{AuditEntry, EventKind};
use maud::{Markup, html};
use serde_json::Value;

/// Kinds worth a line; blocks are in the ticker.
const KINDS: &[EventKind] = &[
    EventKind::Round,
    EventKind::Submission,
    EventKind::Report,
    EventKind::Proof,
    EventKind::Duel,
    EventKind::Weights,
    EventKind::Release,
    EventKind::Health,
];

/// Entries read to fold.
const FOLDED_READ: u32 = 200;

/// The newest entries.
pub(crate) async fn newest(app: &App, count: u32) -> Result<Vec<AuditEntry>, StoreError> {
    store::newest_entries(app.database().readers(), KINDS, count).await
}

/// The newest entries, those that follow each other and say the same about the same as one, with their number.
pub(crate) async fn folded(app: &App, count: usize) -> Result<Vec<(AuditEntry, usize)>, StoreError> {
    let mut folded: Vec<(AuditEntry, usize)> = Vec::new();
    for entry in newest(app, FOLDED_READ).await? {
        match folded.last_mut() {
            Some((last, times)) if sentence(last).0 == sentence(&entry).0 => *times += 1,
            _ => folded.push((entry, 1)),
        }
    }
    folded.truncate(count);
    Ok(folded)
}

/// A list of them.
pub(crate) fn render(entries: &[(AuditEntry, usize)]) -> Markup {
    html! {
        @if entries.is_empty() {
            (part::empty("Nothing happened yet", "Rounds, submissions, reports, proofs and weights appear here as the chain shows them.", None))
        } @else {
            ul.feed {
                @for (entry, times) in entries {
                    li {
                        time datetime=(number::timestamp(entry.time_ms)) { (number::clock(entry.time_ms)) }
                        span { (sentence(entry)) @if *times > 1 { span.muted { ", " (times) " times" } } }
                    }
                }
            }
        }
    }
}

/// What an entry says.
pub(crate) fn sentence(entry: &AuditEntry) -> Markup {
    let document: Value = serde_json::from_str(&entry.document).unwrap_or(Value::Null);
    let text = |key: &str| number::clean(document.get(key).and_then(Value::as_str).unwrap_or_default());
    let count = |key: &str| document.get(key).and_then(Value::as_u64);
    let who = |key: &str| {
        document
            .get(key)
            .and_then(Value::as_str)
            .and_then(|text| text.parse::<Hotkey>().ok())
    };
    let round = count("round");
    match entry.kind {
        EventKind::Round => html! {
            @if document.get("settled").is_some() {
                (round_link(round)) " settled: " b { (count("verdicts").unwrap_or(0)) " verdicts" }
            } @else {
                (round_link(round)) " assigned: " b { (count("units").unwrap_or(0)) " units" }
            }
        },
        EventKind::Submission => html! {
            @if let Some(miner) = who("hotkey") { (person("miners", &miner)) } @else { "A miner" }
            @if text("refusal").is_empty() {
                @if let Some(units) = count("units") { ": manifest of " (units) " units, " } @else { ": submission revealed, " }
            } @else { ": submission refused, " }
            (round_link(round))
        },
        EventKind::Report => html! {
            @if let Some(validator) = who("validator") { (person("validators", &validator)) } @else { "A validator" }
            @if text("kind") == "sample" { " shows rows of " } @else { " reports on " }
            @if let Some(miner) = who("miner") { (person("miners", &miner)) } @else { "a miner" }
            ", " (round_link(round))
        },
        EventKind::Proof => html! {
            "Fraud proof " b { (text("state")) }
            @if let Some(miner) = who("hotkey") { " against " (person("miners", &miner)) }
            @if !text("finding").is_empty() { ": " (text("finding")) }
        },
        EventKind::Duel => html! {
            @if let Some(validator) = who("validator") { (person("validators", &validator)) } @else { "A validator" }
            " measured a cell of a " a href="/duels" { "duel" } ", " (round_link(round))
        },
        EventKind::Weights => {
            html! { "Weights of the epoch at block " b { (number::grouped(count("block").unwrap_or(0))) } }
        }
        EventKind::Release => html! {
            @if document.get("dataset").is_some() {
                "Dataset " a href=(format!("/datasets/{}", super::asked::encode(&text("dataset")))) { (text("dataset")) } " " (text("release"))
            } @else {
                "Recipe " a href=(format!("/recipes/{}", super::asked::encode(&text("recipe")))) { (number::digest(&text("recipe"))) }
                @if document.get("text").and_then(Value::as_bool) == Some(true) { " published" } @else { " announced" }
            }
        },
        EventKind::Block => html! { "Block " (number::grouped(count("block").unwrap_or(0))) },
        EventKind::Health => html! {
            @if document.get("corpus").is_some() { "Corpus " b { (text("corpus")) } " added: " (number::grouped(count("units").unwrap_or(0))) " units" }
            @else if document.get("removal").is_some() { "Takedown request " (text("state")) }
            @else if document.get("requeued").is_some() { (count("requeued").unwrap_or(0)) " units given out again" }
            @else { "The server's state changed" }
        },
    }
}

fn round_link(round: Option<u64>) -> Markup {
    html! { @if let Some(round) = round { a href=(format!("/rounds/{round}")) { "round " (number::grouped(round)) } } @else { "a round" } }
}

fn person(place: &str, hotkey: &Hotkey) -> Markup {
    html! { a href=(format!("/{place}/{}", hotkey.to_ss58())) { (number::key(hotkey)) } }
}

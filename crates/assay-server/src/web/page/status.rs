//! Whether this server sees the network as it is: chain, beacon, database, weights, requests; each with its age.

use super::{Asked, Page, Stop, answer, number, part};
use crate::api::health_of;
use crate::app::App;
use crate::board::newest_weights;
use crate::store::{self, RemovalState};
use crate::web::feed;
use assay_types::api::{AuditEntry, Health};
use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

/// Ages in milliseconds from which a component is late and from which it is off.
const AGES_MS: (u64, u64) = (60_000, 300_000);

/// The page.
pub(super) async fn page(State(app): State<Arc<App>>, asked: Asked) -> Response {
    answer(&app, &asked, render(&app)).await
}

async fn render(app: &App) -> Result<Page, Stop> {
    let health = health_of(app);
    let readers = app.database().readers();
    let view = app.view();
    let newest = store::newest_round(readers).await?;
    let log = store::last_sequence(readers).await?;
    let counts = Counts::read(app).await?;
    let events = feed::folded(app, 12).await?;
    let weights = newest_weights(&view);
    let head = view.head.map(|_| health.block_age_ms);
    let late = |blocks: Option<u32>, max: u32| blocks.map(|age| if age > max { "late" } else { "" });
    let weights_age = weights.map(|newest| newest.age_blocks);
    let round_age = newest
        .as_ref()
        .map(|row| view.block().0.saturating_sub(row.block.0));
    let round_blocks = u32::try_from(app.params().values.round_blocks).unwrap_or(u32::MAX);
    let body = html! {
        section { h1 { "Status" } p.lede { @if health.problems.is_empty() { "Everything this server reads is fresh." } @else { "Something is old or missing. Mining and validating go on: both follow from the chain alone." } } }
        @for problem in &health.problems { div.notes { (part::banner("wait", "warn", html! { (number::clean(problem)) "." })) } }
        section.panel data-part="status" {
            (part::data_head("Components", html! { "now, " (number::clock(app.clock().now_ms())) " UTC" }))
            (part::scroll("Components", html! {
                table {
                    caption.vh { "Components with their ages" }
                    thead { tr { th scope="col" { "Component" } th scope="col" { "State" } th.n scope="col" { "Newest" } th.n scope="col" { "Age" } th scope="col" { "What it means" } } }
                    tbody {
                        (component("Chain", head.map(age_class), &head.map_or("unknown".to_owned(), |_| number::grouped(u64::from(health.block.0))), &head.map_or("unknown".to_owned(), number::span), "final blocks taken in"))
                        (component("Rounds", late(round_age, round_blocks.saturating_mul(2)), &newest.as_ref().map_or("none".to_owned(), |row| format!("round {}", row.round.0)), &round_age.map_or("–".to_owned(), |age| format!("{age} blocks")), "assignments drawn from beacons"))
                        (component("Weights", late(weights_age, 2_000), &weights.map_or("none".to_owned(), |newest| format!("block {}", newest.block)), &weights_age.map_or("–".to_owned(), |age| format!("{age} blocks")), "newest set or committed by a validator"))
                        (component("Database", Some(if app.writer().is_full() { "off" } else { "" }), &format!("entry {log}"), "–", "audit log, hash-chained; stopped means that its disk is full"))
                        (component("Intake", Some(if health.intake { "" } else { "off" }), if health.intake { "open" } else { "closed" }, "–", "reports, manifests, proofs"))
                    }
                }
            }))
        }
        (more(app, &health, &counts, &events))
    };
    Ok(Page::new("Status", body)
        .about("Freshness of chain, rounds, weights and database.")
        .live("block,health"))
}

/// What waits, and what there is.
#[derive(Debug)]
struct Counts {
    units: u64,
    dead: usize,
    proofs: usize,
    takedowns: usize,
}

impl Counts {
    async fn read(app: &App) -> Result<Self, Stop> {
        let readers = app.database().readers();
        Ok(Self {
            units: crate::board::sources(app).await?.units(),
            dead: store::dead_letters(readers).await?.len(),
            proofs: store::queued_proofs(readers, 10_000).await?.len(),
            takedowns: store::removals(readers, RemovalState::Pending).await?.len(),
        })
    }
}

/// Counts, events, and the signs of values.
fn more(app: &App, health: &Health, counts: &Counts, events: &[(AuditEntry, usize)]) -> Markup {
    html! {
        section.grid.c2 data-part="more" {
            div.panel {
                (part::data_head("Counts", html! { "from the database" }))
                dl.facts {
                    dt { "Corpus units" } dd { (number::grouped(counts.units)) }
                    dt { "Dead letters" } dd { (counts.dead) }
                    dt { "Proofs waiting" } dd { (counts.proofs) }
                    dt { "Takedown requests waiting" } dd { (counts.takedowns) }
                    dt { "Event streams open" } dd { (app.events.count()) }
                    dt { "Version" } dd { (health.version) }
                    dt { "Signs answers as" } dd { (health.server) }
                    dt { "Genesis" } dd { (health.genesis) }
                }
                p.row.gap { a.btn href="/v1/health" { "JSON" } a.btn href="/v1/audit" { "Audit log" } }
            }
            div.panel { (part::data_head("Events", html! { "newest first" })) (feed::render(events)) }
        }
        section.panel {
            (part::panel_head("How values look", html! { "no two of these share a sign" }))
            dl.facts {
                dt { "measured, and zero" } dd { "0" }
                dt { "not read yet" } dd { "unknown" }
                dt { "does not apply" } dd { "–" }
                dt { "withheld until a block" } dd { "sealed" }
            }
        }
    }
}

const fn age_class(age_ms: u64) -> &'static str {
    if age_ms > AGES_MS.1 {
        "off"
    } else if age_ms > AGES_MS.0 {
        "late"
    } else {
        ""
    }
}

/// A line; no state means nothing is known.
fn component(name: &str, state: Option<&str>, newest: &str, age: &str, about: &str) -> Markup {
    let (kind, words) = match state {
        None => ("nil", "unknown"),
        Some("") => ("ok", "in order"),
        Some("late") => ("wait", "late"),
        Some(_) => ("bad", "stopped"),
    };
    html! { tr { td { b { (name) } } td { (part::pill(kind, words)) } td.n { (newest) } td.n { (age) } td.muted { (about) } } }
}

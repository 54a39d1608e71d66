//! The line on the network's state under every header, and the banner when something is old or missing.

use super::number;
use super::part;
use crate::api::health_of;
use crate::app::App;
use crate::board::{newest_judged, newest_weights};
use crate::failure::Failure;
use assay_mechanism::clock::Phase;
use assay_types::{Round, Verdict};
use maud::{Markup, html};

/// Age of the newest block from which it is marked as late, milliseconds.
const LATE_MS: u64 = 60_000;
/// Age from which every page says so.
const STALE_MS: u64 = 300_000;

/// The newest round with verdicts: how many passed, and how many there are.
type Counts = Option<(Round, usize, usize)>;

/// What the line says of the newest verdicts. Every page has the line, also those that are not kept: a page for an address
/// that is none reads nothing that was not read since it changed.
async fn audited(app: &App) -> Result<Counts, Failure> {
    let newest = newest_judged(app).await?;
    Ok(newest.as_ref().as_ref().map(|(round, verdicts)| {
        let of = |wanted: fn(Verdict) -> bool| verdicts.iter().filter(|row| wanted(row.verdict)).count();
        let passed = of(|verdict| verdict == Verdict::Pass);
        (*round, passed, of(|verdict| verdict != Verdict::Idle))
    }))
}

/// What the line says.
#[derive(Debug, Default)]
pub(crate) struct Ticker {
    /// None while nothing was read: the server starts, or its database cannot be read.
    netuid: Option<u16>,
    block: Option<u32>,
    block_age_ms: u64,
    time_ms: u64,
    phase: Option<(Round, String)>,
    audited: Option<(Round, usize, usize)>,
    weights_age_blocks: Option<u32>,
    problems: Vec<String>,
}

impl Ticker {
    /// The state now.
    pub(crate) async fn read(app: &App) -> Result<Self, Failure> {
        let health = health_of(app);
        let view = app.view();
        let block = view.head.map(|row| row.head.number);
        let audited = audited(app).await?;
        Ok(Self {
            netuid: Some(health.netuid),
            block: block.map(|block| block.0),
            block_age_ms: health.block_age_ms,
            time_ms: view.head.map_or(0, |row| row.head.time_ms),
            phase: block.and_then(|block| phase(app, block)),
            audited,
            weights_age_blocks: newest_weights(&view).map(|newest| newest.age_blocks),
            problems: health.problems,
        })
    }

    /// The line.
    pub(crate) fn render(&self) -> Markup {
        let dot = match self.block {
            None => "dot off",
            Some(_) if self.block_age_ms > LATE_MS => "dot late",
            Some(_) => "dot",
        };
        let Some(netuid) = self.netuid else {
            return html! {
                aside.tick aria-label="Network state" data-part="ticker" {
                    div.wrap { span { span.dot.off {} "Network state " b { "unknown" } } }
                }
            };
        };
        html! {
            aside.tick aria-label="Network state" data-part="ticker" {
                div.wrap tabindex="0" role="group" aria-label="Network state values" {
                    span {
                        span class=(dot) {}
                        "subnet " (netuid) ", block "
                        b { @if let Some(block) = self.block { (number::grouped(u64::from(block))) } @else { "unknown" } }
                    }
                    @if let Some((round, words)) = &self.phase {
                        span { "Round " b { (number::grouped(u64::from(round.0))) } ", " (words) }
                    }
                    @if let Some((round, passed, all)) = self.audited {
                        span { "Audit of " (number::grouped(u64::from(round.0))) " " b { (passed) " of " (all) " passed" } }
                    } @else {
                        span { "Audits " b { "none yet" } }
                    }
                    span {
                        "Weights "
                        b {
                            @if let Some(age) = self.weights_age_blocks { (number::grouped(u64::from(age))) " blocks ago" } @else { "none yet" }
                        }
                    }
                    span {
                        "As of "
                        b { @if self.time_ms > 0 { (number::clock(self.time_ms)) " UTC" } @else { "unknown" } }
                        @if self.block.is_some() { ", read " (number::span(self.block_age_ms)) " ago" }
                    }
                }
            }
        }
    }

    /// What every page says while something is wrong.
    pub(crate) fn banner(&self) -> Markup {
        html! {
            @if self.block.is_none() {
                div.notes data-part="banner" {
                    (part::banner("nil", "clock", html! {
                        "This server has not yet read a block of the chain, so figures are " b { "unknown" }
                        ". Miners and validators go on: assignments follow from the chain."
                    }))
                }
            } @else if self.block_age_ms > STALE_MS {
                div.notes data-part="banner" {
                    (part::banner("wait", "clock", html! {
                        "Last block seen " b { (number::span(self.block_age_ms)) " ago" } ". Figures are from block "
                        (number::grouped(u64::from(self.block.unwrap_or(0)))) ". Mining goes on without this server."
                    }))
                }
            } @else if !self.problems.is_empty() {
                div.notes data-part="banner" {
                    (part::banner("wait", "warn", html! { (self.problems.join("; ")) ". " a href="/status" { "Status" } }))
                }
            }
        }
    }
}

/// The round that works now, and what comes next in it.
fn phase(app: &App, block: assay_types::BlockNumber) -> Option<(Round, String)> {
    let clock = app.rounds();
    let round = clock.round_of(block)?;
    let until = |to: assay_types::BlockNumber| number::grouped(u64::from(to.0.saturating_sub(block.0)));
    let words = match clock.phase(round, block)? {
        Phase::Work => format!("commits close in {} blocks", until(clock.deadline_block(round))),
        Phase::Publish => format!("published for {} blocks more", until(clock.publish_end(round))),
        Phase::Audit => format!("reports close in {} blocks", until(clock.report_cutoff(round))),
        Phase::Settle | Phase::Effective => {
            format!(
                "next begins in {} blocks",
                until(clock.start(Round(round.0.saturating_add(1))))
            )
        }
    };
    Some((round, words))
}

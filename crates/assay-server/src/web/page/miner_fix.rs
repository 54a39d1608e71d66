//! What a miner should do next, with what it is worth, and the command that repeats its audit.

use super::miner::Miner;
use super::miner_points::signed;
use crate::app::App;
use crate::board::audit_command;
use crate::web::{number, part};
use assay_types::Verdict;
use maud::{Markup, html};

/// Something to do.
struct Fix {
    what: String,
    why: Markup,
    /// Points it is worth; none if that cannot be told.
    worth: Option<f64>,
}

/// The panel.
pub(super) fn panel(app: &App, miner: &Miner) -> Markup {
    let fixes = fixes(app, miner);
    let worth: f64 = fixes.iter().filter_map(|fix| fix.worth).sum();
    html! {
        div.panel {
            (part::data_head("What to fix next", html! {
                @if worth > 0.05 { "worth up to " (signed(worth)) " points" }
                @else if miner.verdicts.is_empty() { "no verdict yet" }
                @else { "from the newest verdict" }
            }))
            @if fixes.is_empty() { (nothing(miner)) } @else {
                ol.steps {
                    @for fix in &fixes {
                        li {
                            span { b { (fix.what) } small { (fix.why) } }
                            @if let Some(worth) = fix.worth { span.up { (signed(worth)) } } @else { span.muted { "–" } }
                        }
                    }
                }
            }
            (reproduce(miner))
        }
    }
}

/// Why there is no advice.
fn nothing(miner: &Miner) -> Markup {
    match (miner.verdicts.first(), &miner.points) {
        (None, _) => part::empty(
            "No verdict yet",
            "No round of this miner has been judged, so nothing is known to be wrong or right. The first verdict comes when the first round that assigned it units is effective.",
            Some(("/docs/mining", "What a round needs")),
        ),
        (_, Some(points)) if points.verdict == Verdict::Pass => part::empty(
            "Nothing to fix",
            "Everything assigned was delivered, and every row that was drawn was rebuilt bit for bit. A better recipe is the next step.",
            Some(("/leaderboard/recipes", "Best recipes")),
        ),
        _ => part::empty(
            "Nothing is known to be wrong",
            "The newest round assigned it nothing, or validators could not judge it.",
            None,
        ),
    }
}

/// How anybody repeats the audit of the newest submission.
fn reproduce(miner: &Miner) -> Markup {
    html! {
        @if let Some(newest) = miner.submissions.first() {
            @let target = number::clean(&audit_command(&newest.view));
            (part::terminal("Command that repeats the audit", &[
                ("#", "the same audit on your machine; on a localnet the repository is a folder of its store"),
                ("$", &target),
            ]))
        }
    }
}

fn fixes(app: &App, miner: &Miner) -> Vec<Fix> {
    let mut fixes = Vec::new();
    let row = &miner.line.row;
    if let Some(points) = &miner.points {
        faults(miner, &mut fixes);
        if matches!(points.verdict, Verdict::OneFault | Verdict::Fraud) {
            fixes.push(Fix {
                what: "The round was not paid".to_owned(),
                why: html! { "Without a fault it would have been, at this credibility, which a fault lowers too; counted at gain and novelty 1." },
                worth: Some(points.with(points.delivered, points.credibility)),
            });
        }
        if points.verdict == Verdict::NoShow {
            fixes.push(Fix {
                what: "Show up: the last round was not delivered".to_owned(),
                why: html! { "Nothing readable, or less than half, was public in time. " a href="/docs/localnet" { "What a round needs" } },
                worth: Some(points.with(1.0, points.credibility)),
            });
        } else if points.delivered < 0.999 && points.verdict == Verdict::Pass {
            fixes.push(Fix {
                what: format!("{:.1}% of the assigned volume was never delivered", (1.0 - points.delivered) * 100.0),
                why: html! { "The share counts twice: for the units themselves and as a factor. Ask for fewer units, or free the disk." },
                worth: Some(points.with(1.0, points.credibility) - points.with(points.delivered, points.credibility)),
            });
        }
        if points.credibility < 0.98 && points.verdict == Verdict::Pass {
            fixes.push(Fix {
                what: format!("Credibility {:.3} counts squared", points.credibility),
                why: html! { "Every clean round closes a part of the gap to 1; a fault undoes several." },
                worth: Some(
                    points.with(points.delivered, 1.0) - points.with(points.delivered, points.credibility),
                ),
            });
        }
        let cap_max = app.params().values.cap_max;
        if u64::from(row.cap) < cap_max && points.verdict == Verdict::Pass {
            fixes.push(Fix {
                what: format!("Cap {} units of {cap_max}", row.cap),
                why: html! { "A clean, full round doubles it; each unit more is a point more." },
                worth: None,
            });
        }
    } else if row.heard_ms == 0 && row.units > 0 {
        fixes.push(Fix {
            what: format!("{} units are assigned and nothing was heard", row.units),
            why: html! { "Start the miner: " code.mono { "assay miner up" } },
            worth: None,
        });
    }
    fixes
}

/// Faults of the newest reports, each place once.
fn faults(miner: &Miner, fixes: &mut Vec<Fix>) {
    let mut seen = Vec::new();
    for (_, report) in miner.newest_reports() {
        for fault in report.faults {
            let place = (fault.unit, fault.idx, fault.offset);
            if seen.contains(&place) || seen.len() >= 3 {
                continue;
            }
            seen.push(place);
            let unit = number::digest(&fault.unit.to_string());
            fixes.push(Fix {
                what: match fault.idx {
                    Some(idx) => format!("{} in record {idx} of unit {unit}", fault.kind),
                    None => format!("{} in unit {unit}", fault.kind),
                },
                why: html! {
                    (fault.kind.explanation()) " "
                    @if let Some(idx) = fault.idx { a href=(format!("/records/{}/{idx}", fault.unit)) { "See the record" } }
                },
                worth: None,
            });
        }
    }
}

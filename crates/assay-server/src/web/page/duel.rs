//! Duels: two recipes, the same archives, the same small model, seed by seed.

use super::{Asked, Page, answer, missing, number, part};
use crate::app::App;
use crate::board::{Duels, Range, RecipeLine, all_duels, estimate, middle, recipe_lines};
use crate::web::chart::{self, Bar};
use assay_types::api::{DuelCell, DuelView};
use assay_types::{Arm, DuelId, RecipeId, Stage};
use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Rows of cells shown.
const ROWS_SHOWN: usize = 120;
/// Digits of an id that stand for it.
const SHORT_DIGITS: usize = 8;
/// Duels shown.
const DUELS_SHOWN: usize = 100;

/// All duels.
pub(super) async fn list(State(app): State<Arc<App>>, asked: Asked) -> Response {
    answer(&app, &asked, async {
        let all = all_duels(&app).await?;
        let lines = recipe_lines(&app, Range::default()).await?;
        let body = html! {
            section {
                h1 { "Duels" }
                p.lede { "A challenger refines the same archives as the champion. Validators train the same small model on both and compare bits per byte on text nobody saw. Every attempt is listed, also lost ones." }
            }
            section.panel data-part="duels" { (table(&all.list, &lines)) (beside(&all)) }
            section.grid.c3 { (rule("Screen", "Cheap: few seeds, level .05. Most challengers end here.")) (rule("Confirm", "New archives and seeds, level .01, eight seeds.")) (rule("Crown", "The gain must exceed the margin, which shrinks with the champion's age.")) }
        };
        Ok(Page::new("Duels", body)
            .section("/duels")
            .about("Training duels between recipes with every reported cell.")
            .live("duel,round"))
    })
    .await
}

fn rule(name: &str, text: &str) -> Markup {
    html! { div.panel { h2 { (name) } p.note { (text) } p.row.gap { a.btn href="/docs/evaluation" { "How it is decided" } } } }
}

/// One duel.
pub(super) async fn page(State(app): State<Arc<App>>, Path(id): Path<String>, asked: Asked) -> Response {
    answer(&app, &asked, async {
        let wanted: DuelId = id
            .parse()
            .map_err(|_| missing("a duel is named by 32 hexadecimal digits; numbers of old links changed over time, so find it at /duels"))?;
        let duels = all_duels(&app).await?;
        let Some(duel) = duels.list.iter().find(|duel| duel.id == wanted) else {
            return Err(missing("no public duel of registered recipes has this id"));
        };
        let lines = recipe_lines(&app, Range::default()).await?;
        Ok(Page::new(&title(duel), body(duel, &lines))
            .section("/duels")
            .live("duel"))
    })
    .await
}

/// What a duel is called.
fn title(duel: &DuelView) -> String {
    format!("Duel {}", short(duel))
}

/// The beginning of its id.
fn short(duel: &DuelView) -> String {
    duel.id.to_string().chars().take(SHORT_DIGITS).collect()
}

/// What is measured and is in no duel.
fn beside(list: &Duels) -> Markup {
    let (many, stages) = (list.unregistered != 1, list.waiting != 1);
    html! {
        @if list.unregistered > 0 {
            p.note { (list.unregistered) @if many { " recipes were" } @else { " recipe was" } " measured that nobody has registered on the chain: left out, they decide nothing." }
        }
        @if list.waiting > 0 {
            p.note { (list.waiting) @if stages { " stages are" } @else { " stage is" } " measured before a registered challenger has a cell." }
        }
    }
}

fn reigning(lines: &[RecipeLine], id: Option<RecipeId>) -> Markup {
    id.map_or_else(|| html! { "not seen yet" }, |id| named(lines, id))
}

fn named(lines: &[RecipeLine], id: RecipeId) -> Markup {
    let line = lines.iter().find(|line| line.row.recipe_id == id);
    let name = line.map_or_else(
        || number::digest(&id.to_string()),
        |line| number::clean_to(&line.name(), 30),
    );
    html! { a href=(format!("/recipes/{id}")) { (name) } }
}

const fn stage_words(stage: Stage) -> &'static str {
    match stage {
        Stage::Screen => "Screen",
        Stage::Confirm => "Confirm",
    }
}

fn is_won(duel: &DuelView) -> bool {
    duel.decision
        .as_ref()
        .is_some_and(|decision| decision.outcome == "won")
}

/// The decision in a word.
fn outcome_words(duel: &DuelView) -> &'static str {
    match duel.decision.as_ref().map(|decision| decision.outcome.as_str()) {
        Some("won") => "Won",
        Some("lost") => "Lost",
        Some("inconclusive") => "Too close",
        Some("waits") => "Waits",
        _ => "Open",
    }
}

/// Lead and standard error in points, and the round that drew archives and seeds.
fn lead_words(duel: &DuelView) -> String {
    let points = |milli: i64| milli as f64 / 1_000.0;
    let round = duel.round.0;
    match &duel.decision {
        Some(decision) if decision.outcome == "waits" => {
            format!("for cells of more validators, round {round}")
        }
        Some(decision) => format!(
            "{:+.1} ± {:.1} points, round {round}",
            points(decision.lead_milli),
            points(decision.error_milli)
        ),
        None => format!("round {round}"),
    }
}

/// Mean bits per byte of an arm, over all its cells.
fn mean_bits(duel: &DuelView, arm: Arm) -> Option<f64> {
    let values: Vec<f64> = duel
        .cells
        .iter()
        .filter(|cell| cell.arm == arm)
        .filter_map(middle)
        .collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Duels as a table; its empty state says what will stand there.
pub(super) fn table(duels: &[Arc<DuelView>], lines: &[RecipeLine]) -> Markup {
    html! {
        (part::data_head("Duels", html! { (duels.len()) ", every attempt" }))
        @if duels.is_empty() {
            (part::empty("No duel yet", "Cells appear when validators report them and their round's report cutoff has passed: arm, seed, domain, bits per byte.", Some(("/docs/evaluation", "How a duel works"))))
        } @else {
            (part::scroll("Duels", html! {
                table {
                    caption.vh { "Duels by round" }
                    thead { tr {
                        th scope="col" { "Duel" } th scope="col" { "Challenger" } th scope="col" { "Champion" } th scope="col" { "Stage" } th scope="col" { "Decision" }
                        th.n scope="col" { "Cells" } th.n scope="col" { "Challenger" } th.n scope="col" { "Champion" } th scope="col" { "Fineness ‰" }
                    } }
                    tbody {
                        @for duel in duels.iter().rev().take(DUELS_SHOWN) {
                            tr {
                                td { a href=(format!("/duels/{}", duel.id)) { code { (short(duel)) } } }
                                td { (named(lines, duel.challenger)) }
                                td { (reigning(lines, duel.champion)) }
                                td { (part::pill("wait", stage_words(duel.stage))) }
                                td title=(lead_words(duel)) { (part::pill(if is_won(duel) { "ok" } else { "nil" }, outcome_words(duel))) }
                                td.n { (duel.cells.len()) }
                                td.n { (bits_of(mean_bits(duel, Arm::Challenger))) }
                                td.n { (bits_of(mean_bits(duel, Arm::Champion))) }
                                td { (part::hallmark(estimate(duel, Arm::Challenger).map(|found| found.value), 56)) }
                            }
                        }
                    }
                }
            }))
            (part::cut(DUELS_SHOWN, duels.len(), "duels, newest first,"))
        }
    }
}

fn bits_of(value: Option<f64>) -> Markup {
    html! { @if let Some(value) = value { (format!("{value:.4}")) } @else { (part::unknown()) } }
}

fn body(duel: &DuelView, lines: &[RecipeLine]) -> Markup {
    let found = estimate(duel, Arm::Challenger);
    let seeds: BTreeSet<u32> = duel.cells.iter().map(|cell| cell.seed).collect();
    html! {
        (part::crumbs(&[("/duels", "Duels")], &title(duel)))
        section.title {
            div { p.over { (part::pill("wait", stage_words(duel.stage))) } h1 { (title(duel)) } p.muted { (named(lines, duel.challenger)) " against " (reigning(lines, duel.champion)) } }
            span.sp {}
            div.titlestamp { (part::hallmark(found.as_ref().map(|found| found.value), 148)) }
            div.row { a.btn href=(format!("/v1/duels/{}", duel.id)) { "JSON" } }
        }
        dl.grid.c5.kpis {
            (part::kpi("g", "Challenger", html! { (bits_of(mean_bits(duel, Arm::Challenger))) }, html! { "bits per byte, mean of cells" }))
            (part::kpi("", "Champion", html! { (bits_of(mean_bits(duel, Arm::Champion))) }, html! { "bits per byte" }))
            (part::kpi("", "Ore", html! { (bits_of(mean_bits(duel, Arm::Ore))) }, html! { "unfiltered text" }))
            (part::kpi("", "Seeds", html! { (seeds.len()) }, html! { (duel.cells.len()) " cells, " (number::clean_to(&duel.profile, 24)) }))
            (part::kpi(if is_won(duel) { "v" } else { "" }, "Decision", html! { (outcome_words(duel)) }, html! { (lead_words(duel)) }))
        }
        section.grid.c21 { (cells(duel)) (gain_by_domain(duel)) }
    }
}

/// How many fewer bits the challenger needs, by domain.
fn gain_by_domain(duel: &DuelView) -> Markup {
    let mut domains = BTreeMap::<&str, [Vec<f64>; 2]>::new();
    for cell in &duel.cells {
        let Some(value) = middle(cell) else { continue };
        let [challenger, champion] = domains.entry(cell.domain.as_str()).or_default();
        match cell.arm {
            Arm::Challenger => challenger.push(value),
            Arm::Champion => champion.push(value),
            _ => {}
        }
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let rows: Vec<Bar> = domains
        .iter()
        .filter(|(_, [challenger, champion])| !challenger.is_empty() && !champion.is_empty())
        .map(|(domain, [challenger, champion])| {
            let gain = (mean(champion) - mean(challenger)) / mean(champion).max(1e-9) * 100.0;
            Bar {
                name: number::clean_to(domain, 16),
                value: gain.abs(),
                shown: format!("{gain:+.2}%"),
                class: if gain >= 0.0 { "f-verd" } else { "f-rust" },
            }
        })
        .collect();
    html! {
        div.panel {
            (part::data_head("By domain", html! { "gain in bits" }))
            @if rows.is_empty() { (part::empty("Both arms are needed", "No domain has cells of challenger and champion yet.", None)) }
            @else { (chart::bars(&rows, 420.0, "Gain of the challenger in per cent fewer bits, by domain")) p.note { "Green: the challenger needs fewer bits. Rust: it needs more." } }
        }
    }
}

/// Arms in the order they are read in.
const ARMS: [(Arm, &str); 5] = [
    (Arm::Challenger, "Challenger"),
    (Arm::Champion, "Champion"),
    (Arm::Anchor, "Anchor"),
    (Arm::Ore, "Ore"),
    (Arm::Pure, "Pure"),
];

/// What the arms came to on one domain with one seed: the pair that the decision is made of, and the scale.
#[derive(Debug, Default)]
struct Row {
    bits: [Option<f64>; ARMS.len()],
    /// Reports of the cell that has fewest.
    reports: Option<usize>,
}

impl Row {
    /// How many fewer bits the challenger needs than the champion.
    fn lead(&self) -> Option<f64> {
        let [challenger, champion, ..] = self.bits;
        Some(champion? - challenger?)
    }
}

/// Cells by domain and seed.
fn rows(cells: &[DuelCell]) -> BTreeMap<(&str, u32), Row> {
    let mut rows = BTreeMap::<(&str, u32), Row>::new();
    for cell in cells {
        let row = rows.entry((cell.domain.as_str(), cell.seed)).or_default();
        let place = ARMS.iter().position(|(arm, _)| *arm == cell.arm);
        if let Some(bits) = place.and_then(|place| row.bits.get_mut(place)) {
            *bits = middle(cell);
        }
        let reports = cell.values.len();
        row.reports = Some(row.reports.map_or(reports, |fewest| fewest.min(reports)));
    }
    rows
}

fn cells(duel: &DuelView) -> Markup {
    let rows = rows(&duel.cells);
    html! {
        div.panel {
            (part::data_head("Cells", html! { "bits per byte, middle of what was reported" }))
            (part::scroll("Cells", html! {
                table {
                    caption.vh { "Reported cells by domain and seed, one column an arm" }
                    thead { tr {
                        th scope="col" { "Domain" } th.n scope="col" { "Seed" } th.n scope="col" { "Lead" }
                        @for (_, name) in ARMS { th.n scope="col" { (name) } }
                        th.n scope="col" { "Reports" }
                    } }
                    tbody {
                        @for ((domain, seed), row) in rows.iter().take(ROWS_SHOWN) {
                            tr {
                                td.mono { (number::clean_to(domain, 32)) }
                                td.n { (seed) }
                                td.n { @if let Some(lead) = row.lead() { (format!("{lead:+.4}")) } @else { (part::unknown()) } }
                                @for bits in row.bits { td.n { (bits_of(bits)) } }
                                td.n { (row.reports.unwrap_or(0)) }
                            }
                        }
                    }
                }
            }))
            (part::cut(ROWS_SHOWN, rows.len(), "rows of cells"))
            p.note { "Lead: how many fewer bits the challenger needs than the champion, the same domain and seed. Reports: of the arm that has fewest." }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_pairs_the_arms_of_a_domain_and_seed() {
        let cell = |arm, seed, values: &[u32]| DuelCell {
            arm,
            seed,
            domain: "prose".to_owned(),
            values: values.to_vec(),
        };
        let cells = [
            cell(Arm::Champion, 1, &[25_000, 25_000, 26_000]),
            cell(Arm::Challenger, 1, &[24_000]),
            cell(Arm::Ore, 2, &[28_000]),
        ];
        let rows = rows(&cells);
        assert_eq!(rows.len(), 2);
        let (paired, alone) = (&rows[&("prose", 1)], &rows[&("prose", 2)]);
        assert!((paired.lead().unwrap() - 0.1).abs() < 1e-9, "{paired:?}");
        assert_eq!(paired.reports, Some(1));
        assert_eq!((alone.lead(), alone.bits[3]), (None, Some(2.8)));
    }
}

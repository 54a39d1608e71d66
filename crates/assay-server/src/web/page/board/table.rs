//! A board as a page: tabs, filter, columns, table, pages, compare tray.

use super::cells::plain;
use super::{BOARDS, Board, PER, PER_DEFAULT, Query, Shown};
use crate::app::App;
use crate::board::{Column, Range, Selected, columns_of, recipe_lines, validator_rows};
use crate::web::answer::Stop;
use crate::web::asked::Asked;
use crate::web::frame::Page;
use crate::web::{number, part};
use assay_types::BlockNumber;
use assay_types::api::{FILTER_BYTES_MAX, FilterError};
use axum::http::StatusCode;
use maud::{Markup, html};

/// The page of a board.
pub(super) async fn render<R: Board>(app: &App, asked: &Asked) -> Result<Page, Stop> {
    let counts = counts(app).await?;
    let query = match Query::of::<R>(asked) {
        Ok(query) => query,
        Err(why) => {
            let banner = part::banner("bad", "warn", html! { (why) "." });
            return Err(refused::<R>(app, asked, &counts, &banner));
        }
    };
    let rows = match R::read(app, &query).await {
        Ok(rows) => rows,
        Err(Stop::Failed(failure)) if failure.problem.code == "server/not-ready" => Vec::new(),
        Err(stop) => return Err(stop),
    };
    let shown = shown::<R>(app, &rows).await?;
    match query.select.apply(rows) {
        Ok(selected) => Ok(page::<R>(html! {
            (head::<R>(app, asked, &counts))
            (controls::<R>(asked, Some(&query)))
            (table::<R>(asked, &query, &selected, &shown))
        })),
        Err(error) => Err(refused::<R>(app, asked, &counts, &filter_banner(asked, &error))),
    }
}

fn page<R: Board>(body: Markup) -> Page {
    let (_, title, about) = words::<R>();
    Page::new(&format!("{title} · Leaderboard"), body)
        .section("/leaderboard/miners")
        .about(about)
        .live("block,round,weights,report,release")
}

fn words<R: Board>() -> (&'static str, &'static str, &'static str) {
    let found = BOARDS.iter().find(|(name, _, _)| *name == R::NAME);
    found.copied().unwrap_or((R::NAME, "", ""))
}

/// The page with the text that was typed and what is wrong with it.
fn refused<R: Board>(app: &App, asked: &Asked, counts: &[Option<usize>; 4], banner: &Markup) -> Stop {
    let body = html! {
        (head::<R>(app, asked, counts))
        (controls::<R>(asked, None))
        div.notes { (banner) }
    };
    Stop::Other(StatusCode::UNPROCESSABLE_ENTITY, Box::new(page::<R>(body)))
}

fn filter_banner(asked: &Asked, error: &FilterError) -> Markup {
    let replaced = error.nearest.map(|nearest| {
        let wrong = error.message.split('`').nth(1).unwrap_or_default();
        (
            nearest,
            asked.with(&[("q", &asked.get("q").replacen(wrong, nearest, 1))]),
        )
    });
    part::banner(
        "bad",
        "warn",
        html! {
            (number::clean(&error.message)) " at column " (error.column) "."
            @if let Some((nearest, path)) = replaced { " Did you mean " a href=(path) { b { (nearest) } } "?" }
            " " span.mono.small { (error.kind.problem().code()) }
        },
    )
}

/// Rows of each board; none where it cannot be told yet.
async fn counts(app: &App) -> Result<[Option<usize>; 4], Stop> {
    let validators = match &app.view().metagraph {
        Some(_) => Some(validator_rows(app).await?.len()),
        None => None,
    };
    let recipes = recipe_lines(app, Range::default()).await?.len();
    let datasets = crate::board::dataset_rows(app).await?.len();
    Ok([None, Some(recipes), validators, Some(datasets)])
}

/// What intervals are drawn against: the least and greatest end of all rows.
async fn shown<R: Board>(app: &App, rows: &[R]) -> Result<Shown, Stop> {
    if R::NAME != "recipes" || rows.is_empty() {
        let metagraph = app.view().metagraph.clone();
        let burned = metagraph.as_deref().filter(|_| R::NAME == "miners");
        return Ok(Shown {
            burned: burned.and_then(part::burned),
            ..Shown::default()
        });
    }
    let lines = recipe_lines(app, Range::default()).await?;
    let found = || lines.iter().filter_map(|line| line.row.fineness.as_ref());
    let low = found().map(|found| found.low).fold(f64::INFINITY, f64::min);
    let high = found().map(|found| found.high).fold(f64::NEG_INFINITY, f64::max);
    let anchor = lines.iter().find(|line| line.row.anchor);
    Ok(Shown {
        scale: (low.clamp(-1_000.0, 0.0), high.max(low + 1.0)),
        anchor: anchor
            .and_then(|line| line.row.fineness.as_ref())
            .map(|found| found.value),
        burned: None,
    })
}

fn head<R: Board>(app: &App, asked: &Asked, counts: &[Option<usize>; 4]) -> Markup {
    let (_, _, about) = words::<R>();
    let query = asked.with(&[]);
    let query = query
        .split_once('?')
        .map(|(_, query)| format!("?{query}"))
        .unwrap_or_default();
    let block = app.view().block().0.to_string();
    html! {
        section {
            div.row {
                h1 { "Leaderboard" }
                span.sp {}
                div.row {
                    a.btn href=(format!("/leaderboard/{}.csv{query}", R::NAME)) { "CSV" }
                    a.btn href=(format!("/v1/leaderboard/{}{query}", R::NAME)) { "JSON" }
                    @if R::NAME == "miners" { a.btn href=(asked.with(&[("at", &block)])) rel="nofollow" { "Permalink" } }
                }
            }
            p.lede { (about) }
        }
        ul.tabs {
            @for ((name, title, _), count) in BOARDS.iter().zip(counts) {
                li {
                    a href=(format!("/leaderboard/{name}")) aria-current=[(*name == R::NAME).then_some("page")] {
                        (title) @if let Some(count) = count { span { (count) } }
                    }
                }
            }
        }
    }
}

fn controls<R: Board>(asked: &Asked, query: Option<&Query>) -> Markup {
    let has_range = matches!(R::NAME, "miners" | "recipes");
    let columns = columns_of::<R>(asked.get("cols")).len();
    html! {
        section.row {
            form.find.mono role="search" aria-label="Filter rows" {
                input name="q" aria-label="Filter" value=(number::clean_to(asked.get("q"), FILTER_BYTES_MAX)) placeholder=(placeholder(R::NAME)) maxlength=(FILTER_BYTES_MAX) autocomplete="off";
                @for name in ["sort", "dir", "t", "at", "cols", "per"] {
                    @if !asked.get(name).is_empty() { input type="hidden" name=(name) value=(number::clean(asked.get(name))); }
                }
            }
            div.chips {
                @let more = if asked.get("cols").is_empty() { all_columns::<R>() } else { String::new() };
                a.chip href=(asked.with(&[("cols", &more)])) { "Columns " (columns) " of " (R::COLUMNS.len()) }
                a.chip href="/docs/website#filters" { "Filter help" }
                @if !asked.get("q").is_empty() { a.chip href=(asked.with(&[("q", ""), ("page", "")])) { "Clear filter" } }
                @if let Some(block) = query.and_then(|query| query.at) {
                    a.chip href=(asked.with(&[("at", "")])) { "Block " (number::grouped(u64::from(block.0))) " ×" }
                }
            }
            span.sp {}
            @if let (true, Some(query)) = (has_range, query) {
                div.seg role="group" aria-label="Time range" {
                    @for range in Range::ALL {
                        @let name = if range == Range::default() { "" } else { range.name() };
                        a href=(asked.with(&[("t", name)])) aria-current=[(range == query.range).then_some("true")] { (range.label()) }
                    }
                }
            }
        }
    }
}

fn placeholder(board: &str) -> &'static str {
    match board {
        "miners" => "units > 5000 cred >= 0.9 -state:\"No show\"",
        "recipes" => "fineness > 700 state:\"in use\"",
        "validators" => "audits > 100 vtrust >= 0.9",
        _ => "tokens > 1B",
    }
}

fn all_columns<R: Board>() -> String {
    let names: Vec<&str> = R::COLUMNS.iter().map(|column| column.name).collect();
    names.join(",")
}

fn table<R: Board>(asked: &Asked, query: &Query, selected: &Selected<R>, shown: &Shown) -> Markup {
    let columns = columns_of::<R>(asked.get("cols"));
    let (_, title, _) = words::<R>();
    let sorted = R::COLUMNS.iter().find(|column| column.name == query.select.sort);
    let sorted = sorted.map_or("", |column| column.label);
    let from = query
        .select
        .page
        .saturating_sub(1)
        .saturating_mul(query.select.per);
    let picks = R::NAME != "validators" && selected.all > 1;
    if selected.rows.is_empty() {
        return none::<R>(asked, selected);
    }
    html! {
        p.vh role="status" { (selected.matching) " " (title.to_lowercase()) ", sorted by " (sorted) }
        form action="/compare" aria-label=(format!("Compare {}", title.to_lowercase())) {
            div.panel data-part="board" {
                (part::scroll(&format!("{title} leaderboard"), html! {
                    table.cards {
                        caption.vh { (title) " by " (sorted) }
                        thead { tr {
                            @if picks { th.x scope="col" { span.vh { "Pick" } } }
                            @for column in &columns { (column_head(asked, query, column)) }
                        } }
                        tbody { @for row in &selected.rows { (line(row, &columns, shown, picks)) } }
                    }
                }))
                @if R::NAME == "miners" { (part::rounds_key()) }
                (part::age_line(query.at))
                div.foot {
                    span {
                        (from + 1) " to " (from + selected.rows.len()) " of " (selected.matching)
                        @if selected.matching < selected.all { " that match, " (selected.all) " in all" }
                        @if R::NAME == "miners" { " · units, records and tokens as declared in manifests of rounds that passed the audit" }
                        @if let Some(burned) = &shown.burned { " · " (burned) }
                    }
                    span.sp {}
                    (pager(asked, query, selected))
                }
            }
            @if picks {
                div.tray {
                    b { "Compare" }
                    span.nm { "pick two to four rows" }
                    span.sp {}
                    button.btn type="submit" { "Compare picked" }
                }
            }
        }
    }
}

fn line<R: Board>(row: &R, columns: &[&Column<R>], shown: &Shown, picks: bool) -> Markup {
    html! {
        tr {
            @if let (true, Some(pick)) = (picks, row.pick()) {
                td.x { input type="checkbox" name=(pick_name(R::NAME)) value=(pick) aria-label=(format!("Compare {}", row.called())); }
            }
            @for column in columns {
                td class=[class(column)] data-l=(column.label.trim_start_matches("Last 10 ")) {
                    @if let Some(cell) = row.cell(column.name, shown) { (cell) } @else { (plain(row, column)) }
                }
            }
        }
    }
}

/// The name under which rows of a board are compared.
const fn pick_name(board: &str) -> &'static str {
    match board.as_bytes() {
        b"recipes" => "r",
        b"datasets" => "d",
        _ => "m",
    }
}

/// Looks of a column: numbers to the right, the name first on narrow screens.
fn class<R: Board>(column: &Column<R>) -> Option<&'static str> {
    match column.name {
        "miner" | "validator" | "name" => Some("w lead"),
        "recipe" if R::NAME == "recipes" => Some("w lead"),
        "fineness" => Some("w"),
        "records" => Some("n opt"),
        "cred" | "vtrust" | "rounds" => None,
        _ if column.is_number => Some("n"),
        _ => None,
    }
}

fn column_head<R: Board>(asked: &Asked, query: &Query, column: &Column<R>) -> Markup {
    let is_sorted = column.name == query.select.sort;
    let is_first_down = column.is_number && column.name != "rank";
    let down = if is_sorted {
        !query.select.is_descending
    } else {
        is_first_down
    };
    let sign = match (is_sorted, query.select.is_descending) {
        (false, _) => "",
        (true, true) => " ▼",
        (true, false) => " ▲",
    };
    let sort = match (is_sorted, query.select.is_descending) {
        (false, _) => None,
        (true, true) => Some("descending"),
        (true, false) => Some("ascending"),
    };
    let path = asked.with(&[
        ("sort", column.name),
        ("dir", if down { "desc" } else { "asc" }),
        ("page", ""),
    ]);
    let class = match class(column) {
        Some("n") => Some("n"),
        Some("n opt") => Some("n opt"),
        _ => None,
    };
    html! { th class=[class] scope="col" aria-sort=[sort] { a href=(path) rel="nofollow" { (column.label) (sign) } } }
}

fn pager<R: Board>(asked: &Asked, query: &Query, selected: &Selected<R>) -> Markup {
    let page = query.select.page;
    let pages = selected.matching.div_ceil(query.select.per).max(1);
    let next_per = PER.iter().find(|per| **per > query.select.per);
    html! {
        div.pager {
            @if let (Some(per), true) = (next_per, pages > 1) {
                @let per_text = if *per == PER_DEFAULT { String::new() } else { per.to_string() };
                a.btn href=(asked.with(&[("per", &per_text), ("page", "")])) rel="nofollow" { (per) " rows" }
            }
            @if page > 1 {
                @let before = if page == 2 { String::new() } else { (page - 1).to_string() };
                a.btn href=(asked.with(&[("page", &before)])) rel="prev" { "Previous page" }
            }
            @if page < pages { a.btn href=(asked.with(&[("page", &(page + 1).to_string())])) rel="next" { "Next page" } }
        }
    }
}

/// No row: because there is none, or because none matches.
fn none<R: Board>(asked: &Asked, selected: &Selected<R>) -> Markup {
    let (_, title, _) = words::<R>();
    let title = title.to_lowercase();
    let body = if selected.all > 0 && selected.matching == 0 {
        let cleared = asked.with(&[("q", ""), ("page", "")]);
        let why = format!(
            "{} leaves none of {} {title}.",
            number::clean(asked.get("q")),
            selected.all
        );
        part::empty("No row matches", &why, Some((&cleared, "Clear the filter")))
    } else if selected.all > 0 {
        part::empty(
            "No such page",
            "There are fewer rows.",
            Some((&asked.with(&[("page", "")]), "First page")),
        )
    } else {
        let (why, action) = match R::NAME {
            "miners" => (
                "Nobody is registered as a miner at this block.",
                ("/start", "Start mining"),
            ),
            "recipes" => (
                "No recipe is announced on this network.",
                ("/docs/filters", "How recipes work"),
            ),
            "validators" => (
                "No hotkey has a validator permit at this block.",
                ("/docs/verify", "What validators do"),
            ),
            _ => (
                "No release was announced to this server yet.",
                ("/docs/format", "What a dataset is"),
            ),
        };
        part::empty(&format!("No {title} yet"), why, Some(action))
    };
    let at = asked.get("at").parse().ok().map(BlockNumber);
    html! { div.panel data-part="board" { (body) (part::age_line(at)) } }
}

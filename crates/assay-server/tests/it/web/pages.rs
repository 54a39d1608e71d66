//! Pages over HTTP: every one answers, is well formed and safe, and says the same as the API.

use super::fill::{HOSTILE, duel_page, other_recipe};
use super::site::{Answer, Site};
use crate::world::hotkey;
use std::collections::BTreeSet;

/// Pages that need no data.
pub(super) const PAGES: &[&str] = &[
    "/",
    "/leaderboard/miners",
    "/leaderboard/recipes",
    "/leaderboard/validators",
    "/leaderboard/datasets",
    "/duels",
    "/datasets",
    "/rounds/current",
    "/compare",
    "/search",
    "/search?q=credibility",
    "/status",
    "/opt-out",
    "/start",
    "/docs",
    "/docs/mechanism",
    "/docs/faq",
    "/docs/cli",
    "/docs/configuration",
    "/docs/recipes/fineweb-en-v1",
    "/changelog",
    "/rules",
    "/community",
    "/news",
    "/news/2026-11-28-engine-2",
    "/api",
];

/// Pages of things in the filled store.
pub(super) fn entity_pages() -> Vec<String> {
    let miner = |name: &str| hotkey(name).to_ss58();
    vec![
        format!("/miners/{}", miner("kiln")),
        format!("/miners/{}", miner("panhandler")),
        format!("/validators/{}", miner("house")),
        format!("/recipes/{}", other_recipe().id()),
        format!("/recipes/{}", assay_types::recipe::fineweb_en_v1().id()),
        duel_page(),
        "/rounds/13".to_owned(),
        "/datasets/assay-en".to_owned(),
        "/datasets/assay-en/2026.10.1".to_owned(),
        "/compare?m=0&m=1&m=5".to_owned(),
        format!(
            "/compare?r={}&r={}",
            other_recipe().id(),
            assay_types::recipe::fineweb_en_v1().id()
        ),
        "/leaderboard/miners?q=cred+%3E+0.9&sort=tokens&per=25&t=30d".to_owned(),
        "/leaderboard/miners?at=300".to_owned(),
    ]
}

const VOID: &[&str] = &["meta", "link", "input", "br", "img", "wbr", "hr"];

/// Elements are closed in order; no script, style or event of its own.
pub(super) fn check_html(path: &str, answer: &Answer) {
    let body = &answer.body;
    assert!(answer.header("content-type").starts_with("text/html"), "{path}");
    let mut open: Vec<String> = Vec::new();
    for part in body.split('<').skip(1) {
        let tag = part.split(['>', ' ', '\n']).next().unwrap();
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(
                open.pop().as_deref(),
                Some(name),
                "{path}: …<{}",
                part.chars().take(60).collect::<String>()
            );
        } else if !tag.starts_with('!')
            && !VOID.contains(&tag)
            && !part.split('>').next().unwrap().ends_with('/')
        {
            open.push(tag.to_owned());
        }
    }
    assert!(open.is_empty(), "{path}: {open:?}");
    for bad in [
        "style=\"",
        "<style",
        "onerror=alert(1)>",
        "<script>",
        "<img src=x",
        "javascript:",
        "NaN",
        "\u{202e}",
    ] {
        assert!(!body.contains(bad), "{path} holds `{bad}`");
    }
    assert_eq!(body.matches("<h1").count(), 1, "{path}: one first heading");
    for part in body.split(" id=\"").skip(1) {
        let id = part.split('"').next().unwrap();
        assert_eq!(
            body.matches(&format!(" id=\"{id}\"")).count(),
            1,
            "{path}: id {id}"
        );
    }
}

fn check_headers(path: &str, answer: &Answer) {
    let policy = answer.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("unsafe"),
        "{path}: `{policy}`"
    );
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("cross-origin-opener-policy", "same-origin"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
    ] {
        assert_eq!(answer.header(name), value, "{path}: {name}");
    }
    assert!(
        answer.header("permissions-policy").contains("camera=()"),
        "{path}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_server_has_every_page() {
    let site = Site::empty().await;
    for path in PAGES {
        let answer = site.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        check_html(path, &answer);
        check_headers(path, &answer);
        assert!(
            answer.body.contains("has not yet read a block") || path.starts_with("/search"),
            "{path}"
        );
    }
    let front = site.get("/").await.body;
    for words in [
        "No manifest yet",
        "No recipe was measured yet",
        "No round yet",
        "Nothing happened yet",
        "unknown",
    ] {
        assert!(front.contains(words), "{words}");
    }
    let gone = site
        .get("/miners/5RokJZpgroEpA5gSmQNwgk5mgbr7KQrK7jayAt1ELzoCV1B4")
        .await;
    assert!([404, 503].contains(&gone.status), "{}", gone.status);
    check_html("missing miner", &gone);
    check_headers("missing miner", &gone);
    let nothing = site.get("/no/such/page").await;
    assert_eq!(nothing.status, 404);
    check_html("missing page", &nothing);
    check_headers("missing page", &nothing);
    assert_eq!(
        site.get("/v1/no-such").await.header("content-type"),
        "application/problem+json"
    );
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_link_of_a_filled_server_leads_somewhere() {
    let site = Site::filled().await;
    let mut seen = BTreeSet::new();
    let mut waiting: Vec<String> = PAGES
        .iter()
        .map(ToString::to_string)
        .chain(entity_pages())
        .collect();
    let (mut pages, mut anchors) = (0, Vec::new());
    while let Some(path) = waiting.pop() {
        let bare = path.split('#').next().unwrap().to_owned();
        if !seen.insert(bare.clone()) || seen.len() > 900 {
            continue;
        }
        let answer = site.get(&bare).await;
        assert!(
            [200, 303].contains(&answer.status),
            "{bare}: {} {}",
            answer.status,
            answer.body
        );
        if answer.status == 303 || !answer.header("content-type").starts_with("text/html") {
            continue;
        }
        pages += 1;
        check_html(&bare, &answer);
        check_headers(&bare, &answer);
        for part in answer.body.split("href=\"").skip(1) {
            let link = part.split('"').next().unwrap().replace("&amp;", "&");
            if let Some(id) = link.strip_prefix('#') {
                assert!(answer.body.contains(&format!("id=\"{id}\"")), "{bare} → #{id}");
            } else if link.starts_with('/') && !link.starts_with("/v1/stream") {
                anchors.push(link.clone());
                // Sorting and time ranges of a board are followed once, records not to the last.
                let is_endless = (link.contains("sort=") || link.contains("t=")) && bare.contains('?');
                let is_next = link.starts_with("/records/") && bare.starts_with("/records/");
                if !is_endless && !is_next {
                    waiting.push(link);
                }
            }
        }
    }
    assert!(pages > 60, "{pages} pages");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_pages_are_the_stores() {
    let site = Site::filled().await;
    let front = site.get("/").await.body;
    assert!(front.contains("6 / 3"), "miners and validators");
    let miner = site
        .get(&format!("/miners/{}", hotkey("panhandler").to_ss58()))
        .await
        .body;
    for words in [
        "Fraud, 7 faults",
        "What to fix next",
        "assay dataset verify hf://panhandler/r",
        "text_changed",
        "Signed reports",
    ] {
        assert!(miner.contains(words), "{words}");
    }
    let clean = site
        .get(&format!("/miners/{}", hotkey("kiln").to_ss58()))
        .await
        .body;
    assert!(
        clean.contains("Why ") && clean.contains(" points") && clean.contains("Passed"),
        "{clean}"
    );
    let recipe = site.get(&format!("/recipes/{}", other_recipe().id())).await.body;
    assert!(
        recipe.contains("Fineness ") && recipe.contains("step.language"),
        "{recipe}"
    );
    let validator = site
        .get(&format!("/validators/{}", hotkey("house").to_ss58()))
        .await
        .body;
    assert!(validator.contains("100%") && validator.contains("Weights against the mean"));
    site.stop().await;
}

/// Lines of CSV, rows of JSON and of the page.
#[tokio::test(flavor = "multi_thread")]
async fn page_json_and_csv_agree() {
    let site = Site::filled().await;
    for (board, query) in [
        ("miners", "?q=cred+%3E+0.9&sort=tokens"),
        ("miners", ""),
        ("recipes", ""),
        ("validators", "?sort=uid&dir=asc"),
        ("datasets", ""),
    ] {
        let page = site.get(&format!("/leaderboard/{board}{query}")).await;
        let csv = site.get(&format!("/leaderboard/{board}.csv{query}")).await;
        let json = site.get(&format!("/v1/leaderboard/{board}{query}")).await;
        assert_eq!(
            (page.status, csv.status, json.status),
            (200, 200, 200),
            "{board}{query}: {}",
            json.body
        );
        let rows: serde_json::Value = serde_json::from_str(&json.body).unwrap();
        let count = rows["data"].as_array().unwrap().len();
        assert!(count > 1, "{board}{query}");
        assert_eq!(
            csv.body.trim_end().split("\r\n").count() - 1,
            count,
            "{board}{query}: {}",
            csv.body
        );
        let table = page
            .body
            .split("<tbody>")
            .nth(1)
            .unwrap()
            .split("</tbody>")
            .next()
            .unwrap();
        assert_eq!(table.matches("<tr>").count(), count, "{board}{query}");
        check_headers(board, &csv);
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_questions_are_refused_with_the_page_around_them() {
    let site = Site::filled().await;
    let bad = site.get("/leaderboard/miners?q=fines+%3E+3+%3Cb%3E").await;
    assert_eq!(bad.status, 422);
    check_html("filter", &bad);
    for words in [
        "no field `fines`",
        "at column 1",
        "value=\"fines &gt; 3 &lt;b&gt;\"",
        "filter/unknown-field",
    ] {
        assert!(bad.body.contains(words), "{words} in {}", bad.body);
    }
    for path in [
        "/leaderboard/miners?sort=nonsense",
        "/leaderboard/miners?per=7",
        "/leaderboard/miners?t=1y",
        "/leaderboard/miners?at=x",
        "/leaderboard/miners?page=x",
    ] {
        assert_eq!(site.get(path).await.status, 422, "{path}");
    }
    let problem = site.get("/v1/leaderboard/miners?q=units+%3E+many").await;
    assert!(
        problem.status == 422 && problem.body.contains("filter/bad-number"),
        "{}",
        problem.body
    );
    for (query, words) in [
        (
            "?sort=nonsense",
            "there is no column `nonsense` to sort by, only rank, change, miner",
        ),
        ("?dir=up", "`dir` is asc or desc, not `up`"),
    ] {
        let page = site.get(&format!("/leaderboard/miners{query}")).await;
        let csv = site.get(&format!("/leaderboard/miners.csv{query}")).await;
        let json = site.get(&format!("/v1/leaderboard/miners{query}")).await;
        for answer in [&page, &csv, &json] {
            assert_eq!(answer.status, 422, "{query}");
            assert!(answer.body.contains(words), "{query}: {}", answer.body);
        }
    }
    let none = site.get("/leaderboard/miners?q=units+%3E+9T").await;
    assert!(none.status == 200 && none.body.contains("No row matches"));
    let far = site.get("/leaderboard/miners?page=99999999999").await;
    assert!(far.status == 200 && far.body.contains("No such page"));
    for path in [
        "/rounds/99",
        "/rounds/x",
        "/duels/1",
        "/duels/00000000000000000000000000000000",
        "/recipes/xyz",
        "/miners/xyz",
        "/submissions/00",
        "/records/00/1",
        "/docs/nothing",
        "/datasets/%00",
        "/leaderboard/cats",
        "/badges/x.svg",
    ] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
    }
    let long = format!("/search?q={}", "%3C".repeat(4_000));
    assert!(site.get(&long).await.status < 500);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_is_shown_and_inert() {
    let site = Site::filled().await;
    for path in ["/datasets", "/leaderboard/datasets", "/", "/status"] {
        let answer = site.get(path).await;
        check_html(path, &answer);
        assert!(
            answer.body.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
            "{path} shows it escaped"
        );
    }
    let encoded = HOSTILE
        .bytes()
        .fold(String::new(), |text, byte| format!("{text}%{byte:02X}"));
    for path in [
        format!("/datasets/{encoded}"),
        format!("/search?q={encoded}"),
        format!("/leaderboard/miners?q={encoded}"),
        format!("/compare?d={encoded}"),
    ] {
        let answer = site.get(&path).await;
        assert!(answer.status < 500, "{path}");
        if answer.status == 303 {
            // The search goes straight to what has exactly this name.
            let location = answer.header("location");
            assert!(location.starts_with("/datasets/%3Cscript%3E"), "{location}");
        } else {
            check_html(&path, &answer);
        }
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_are_a_cookie_and_unchanged_pages_are_not_sent() {
    let site = Site::empty().await;
    let set = site.get("/leaderboard/miners?sort=cred&theme=dark").await;
    assert_eq!(
        (set.status, set.header("location")),
        (303, "/leaderboard/miners?sort=cred")
    );
    for path in ["//evil.example/", "/\\evil.example/", "///evil.example/"] {
        let away = site.get(&format!("{path}?theme=dark")).await;
        assert_eq!(
            (away.status, away.header("location")),
            (303, "/evil.example/"),
            "{path}"
        );
        let lost = site.get(path).await;
        assert!(
            lost.status == 404 && !lost.body.contains("=\"//evil") && !lost.body.contains("=\"/\\evil"),
            "{path}: {}",
            lost.body
        );
    }
    let cookie = set.header("set-cookie");
    assert!(
        cookie.starts_with("theme=dark;") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let dark = site.send("GET / HTTP/1.1\r\ncookie: a=b; theme=dark", "").await;
    assert!(dark.body.contains("data-theme=\"dark\""));
    assert!(!site.get("/").await.body.contains("data-theme"));
    let marked = site.get("/docs?utm_source=x&fbclid=y").await;
    assert!(
        marked
            .body
            .contains("rel=\"canonical\" href=\"https://assay.example.org/docs\"")
            && !marked.body.contains("fbclid"),
        "parameters of no page are left out"
    );
    let first = site.get("/docs").await;
    let again = site
        .send(
            &format!("GET /docs HTTP/1.1\r\nif-none-match: {}", first.header("etag")),
            "",
        )
        .await;
    assert_eq!(again.status, 304);
    let style = first
        .body
        .split("stylesheet\" href=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let style = site.get(style).await;
    assert!(
        style.header("cache-control").contains("immutable") && style.body.contains("/assets/geist."),
        "{}",
        style.head
    );
    let away = site.get("/search?theme=light&q=%0d%0aset-cookie:%20x=1").await;
    assert!(
        !away.head.to_lowercase().contains("set-cookie: x=1"),
        "{}",
        away.head
    );
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn search_leads_to_what_is_named() {
    let site = Site::filled().await;
    let miner = hotkey("kiln").to_ss58();
    let straight = site.get(&format!("/search?q={miner}")).await;
    assert_eq!(
        (straight.status, straight.header("location")),
        (303, format!("/miners/{miner}").as_str())
    );
    assert_eq!(
        site.get("/search?q=cupel-3").await.header("location"),
        format!("/recipes/{}", other_recipe().id())
    );
    let list = site.get("/search?q=part-0000").await;
    assert!(list.status == 200 && list.body.contains("crawl/part-00001.warc.gz"));
    let hits: serde_json::Value =
        serde_json::from_str(&site.get("/v1/search?q=assay-en").await.body).unwrap();
    assert_eq!(hits["data"][0]["path"], "/datasets/assay-en");
    site.stop().await;
}

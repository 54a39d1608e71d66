//! How old pages are and say they are; what a parameter or an address that means nothing costs.

use super::fill::next_block;
use super::pages::{PAGES, entity_pages};
use super::site::{NOW_MS, Site};

/// Pages whose panels are texts of the program and follow from no block.
const TIMELESS: &[&str] = &[
    "/start",
    "/docs",
    "/changelog",
    "/rules",
    "/community",
    "/news",
    "/api",
    "/opt-out",
];
/// Headings of panels that are texts on a page with data.
const TIMELESS_PANELS: &[&str] = &[
    "How values look",
    "What can be found",
    "First ten minutes",
    "What it is good for",
    "Milestones",
    "Screen",
    "Confirm",
    "Crown",
    "Nothing picked",
];

/// A filled site that has noticed its last commit: until then a page that was rendered is dropped a moment later.
async fn quiet() -> Site {
    let site = Site::filled().await;
    for _ in 0..200 {
        site.get("/status").await;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        if site.app.cached_bytes() > 0 {
            return site;
        }
    }
    panic!("no page stays rendered");
}

/// Panels of a page, each from its opening to the next.
fn panels(body: &str) -> Vec<&str> {
    let main = body
        .split("<main")
        .nth(1)
        .unwrap()
        .split("</main>")
        .next()
        .unwrap();
    main.split("class=\"panel").skip(1).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_panel_with_data_prints_its_age() {
    let site = Site::filled().await;
    // The newest block of the filled store was taken in a while ago; 7 s more than that are 7 s more.
    site.app.clock().advance(7_000);
    let (mut seen, mut wrong) = (0, Vec::new());
    for path in PAGES.iter().map(ToString::to_string).chain(entity_pages()) {
        if TIMELESS
            .iter()
            .any(|timeless| path == *timeless || path.starts_with(&format!("{timeless}/")))
        {
            continue;
        }
        let answer = site.get(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        for panel in panels(&answer.body) {
            let is_text = TIMELESS_PANELS
                .iter()
                .any(|words| panel.contains(&format!(">{words}<")));
            if is_text {
                continue;
            }
            seen += 1;
            if !panel.contains("class=\"age\">") {
                wrong.push(format!("{path}: {}", panel.chars().take(160).collect::<String>()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 60, "only {seen} panels");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ages_grow_while_nothing_happens() {
    let site = Site::filled().await;
    let age = |body: &str| {
        let text = body.split("class=\"age\">").nth(1).unwrap();
        let (number, unit) = text.split('<').next().unwrap().split_once(' ').unwrap();
        (number.parse::<u64>().unwrap(), unit.to_owned())
    };
    let mut view = (*site.app.view()).clone();
    let head = view.head.as_mut().unwrap();
    head.taken_ms = NOW_MS - 1_000;
    site.app.set_view(view);
    // The cache hears of a view at its next turn.
    let mut first = age(&site.get("/status").await.body);
    for _ in 0..100 {
        if first == (1, "s ago".to_owned()) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        first = age(&site.get("/status").await.body);
    }
    assert_eq!(first, (1, "s ago".to_owned()));
    site.app.clock().advance(15_000);
    assert_eq!(age(&site.get("/status").await.body), (16, "s ago".to_owned()));
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_a_link_is_answered_from_before_and_the_page_is_rendered_behind_him() {
    let site = quiet().await;
    let (next, words) = next_block();
    let path = "/leaderboard/miners?q=cred%20%3E%3D%200.5&sort=tokens";
    assert!(!site.visit(path).await.body.contains(&words));
    next.take_in(&site.app).await;
    assert!(!site.visit(path).await.body.contains(&words), "of a moment ago");
    site.app.clock().advance(2_000);
    let mut visits = 0;
    while !site.visit(path).await.body.contains(&words) {
        visits += 1;
        assert!(visits < 400, "nobody renders it again");
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert!(visits > 0 || site.get(path).await.body.contains(&words));
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_of_another_page_renders_nothing_anew() {
    let site = quiet().await;
    for (path, same) in [
        ("/status", "/status?q=x&m=1&at=3&utm_source=y"),
        ("/docs/faq", "/docs/faq?page=2&sort=tokens"),
        (
            "/leaderboard/miners?q=kiln&sort=tokens",
            "/leaderboard/miners?sort=tokens&m=9&q=kiln&q=other",
        ),
        ("/search?q=kiln", "/search?per=25&q=kiln"),
    ] {
        let plain = site.get(path).await;
        let bytes = site.app.cached_bytes();
        let asked = site.get(same).await;
        assert_eq!(
            (asked.status, asked.header("etag")),
            (200, plain.header("etag")),
            "{same}"
        );
        assert_eq!(
            site.app.cached_bytes(),
            bytes,
            "{same} was kept as a page of its own"
        );
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_none_reads_no_database() {
    let site = quiet().await;
    let first = site.get("/nothing-here").await;
    assert_eq!(first.status, 404);
    assert!(first.body.contains("Audit of"), "{}", first.body);
    // Whoever reads now fails.
    site.app.database().close().await;
    for path in ["/nothing-here", "/nothing-there?x=1", "/docs/nothing"] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(
            answer.body.contains("Audit of"),
            "{path} lost its line: {}",
            answer.body
        );
    }
    site.stop().await;
}

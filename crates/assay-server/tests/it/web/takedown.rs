//! Takedown requests: what they hide and when, how many are taken, and what the form says.

use super::site::{Answer, Site};
use assay_server::store::{DecideRemoval, RemovalState, removals};
use assay_types::UnitId;

/// An archive of the filled store.
const ARCHIVE: &str = "crawl/part-00003.warc.gz";

fn form(target: &str) -> String {
    format!(
        "target={}&contact=me%40example.org&reason=mine",
        target.replace('/', "%2F")
    )
}

/// Sends the form from the site itself.
async fn file(site: &Site, body: &str) -> Answer {
    let head = format!(
        "POST /opt-out HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded\r\norigin: http://{}",
        site.address
    );
    site.send(&head, body).await
}

async fn decide(site: &Site, number: u64, state: RemovalState) {
    let write = DecideRemoval {
        number,
        state,
        now_ms: 1,
    };
    assert!(site.app.writer().write(write).await.unwrap());
}

fn record(idx: u32) -> String {
    format!("/records/{}/{idx}", UnitId::of("file", ARCHIVE))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_takedown_request_hides_a_record_at_once() {
    let site = Site::filled().await;
    let path = record(7);
    let shown = site.get(&path).await;
    assert_eq!(shown.status, 200);
    // The page's link names it in the form.
    let link = shown.body.split("href=\"/opt-out?").nth(1).unwrap();
    let link = format!("/opt-out?{}", link.split('"').next().unwrap());
    let named = site.get(&link).await.body;
    assert!(named.contains(&format!("value=\"{path}\"")), "{named}");

    // The form that somebody looked at is no answer to one that was sent.
    assert_eq!(site.get("/opt-out").await.status, 200);
    let foreign = site
        .send(
            "POST /opt-out HTTP/1.1\r\norigin: https://evil.example",
            &form(&path),
        )
        .await;
    assert!(
        foreign.status == 422 && foreign.body.contains("another site"),
        "{}",
        foreign.status
    );
    let empty = file(&site, "target=&contact=x").await;
    assert_eq!(empty.status, 422);
    super::pages::check_html("form", &empty);
    assert!(!site.get("/opt-out?filed=1").await.body.contains("Request <b>1"));

    // Named by its whole address, it is the same record.
    let filed = file(&site, &form(&format!("http://{}{path}/", site.address))).await;
    assert_eq!(
        (filed.status, filed.header("location")),
        (303, "/opt-out?filed=1")
    );
    let confirmed = site.get("/opt-out?filed=1").await.body;
    assert!(
        confirmed.contains("Request <b>1</b> is filed. The record&#39;s page is hidden")
            || confirmed.contains("Request <b>1</b> is filed. The record's page is hidden"),
        "{confirmed}"
    );
    assert!(!site.get("/opt-out?filed=2").await.body.contains("Request <b>2"));
    let hidden = site.get(&path).await;
    assert!(
        hidden.status == 404 && hidden.body.contains("hidden"),
        "{}",
        hidden.status
    );
    assert_eq!(site.get(&format!("/v1{path}")).await.status, 404);
    assert_eq!(site.get(&record(8)).await.status, 200);
    let log = site.get("/v1/audit?limit=500").await.body;
    assert!(!log.contains("example.org"), "contacts stay here");

    decide(&site, 1, RemovalState::Refused).await;
    assert_eq!(site.get(&path).await.status, 200);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_hidden_by_a_decision_only() {
    let site = Site::filled().await;
    assert_eq!(file(&site, &form(ARCHIVE)).await.status, 303);
    let confirmed = site.get("/opt-out?filed=1").await.body;
    assert!(
        confirmed.contains("hides nothing before an administrator"),
        "{confirmed}"
    );
    assert_eq!(site.get(&record(0)).await.status, 200, "anybody may file it");
    decide(&site, 1, RemovalState::Listed).await;
    for idx in [0, 7] {
        // A form of the page that no earlier state has rendered.
        assert_eq!(site.get_dark(&record(idx)).await.status, 404);
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_files_a_few_requests_an_hour() {
    let site = Site::empty().await;
    let most = u64::from(site.app.limits().address_removals_an_hour);
    for number in 1..=most {
        let filed = file(&site, &form("example.org")).await;
        assert_eq!(
            filed.header("location"),
            format!("/opt-out?filed={number}"),
            "{}",
            filed.body
        );
    }
    let refused = file(&site, &form("example.org")).await;
    assert_eq!(refused.status, 429);
    assert!(
        refused.body.contains("takedown requests an hour") && !refused.header("retry-after").is_empty(),
        "{}",
        refused.body
    );
    // What is wrong is said without counting.
    assert_eq!(file(&site, "target=&contact=x").await.status, 422);
    let readers = site.app.database().readers();
    let waiting = removals(readers, RemovalState::Pending).await.unwrap();
    assert_eq!(waiting.len() as u64, most);
    site.stop().await;
}

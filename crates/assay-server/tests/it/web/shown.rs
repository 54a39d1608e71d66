//! Rows that validators show, on the pages of records, submissions and datasets.

use super::fill::{HOSTILE, MINERS, VALIDATORS, head, root, start, verdict};
use super::history::json;
use super::site::Site;
use crate::samples::{composition, row, sample};
use crate::world::hotkey;
use assay_server::App;
use assay_server::store::{self, AddRemoval, AddSample, DecideRemoval, RemovalState};
use assay_types::api::Assignment;
use assay_types::{Round, UnitId, Verdict};

/// Every validator shows two rows of each submission that it could read; one of them tries to break out of the page.
pub(super) async fn samples(app: &App, plan: &Assignment, round: u32) {
    for validator in VALIDATORS {
        for (at, name) in MINERS.iter().enumerate() {
            let miner = hotkey(name);
            let Some(unit) = plan.of(&miner).map(|entry| entry.unit).min() else {
                continue;
            };
            let found = match verdict(at, round).0 {
                Verdict::Pass => Some(composition(&HOSTILE[..20])),
                Verdict::OneFault | Verdict::Fraud => None,
                _ => continue,
            };
            let rows = vec![
                row(unit, 3, "kept", HOSTILE),
                row(unit, 5, "gopher_quality.gopher_short_doc", HOSTILE),
            ];
            let of = (Round(round), miner, root(&miner, round));
            let sample = sample(validator, of, found, rows);
            let line = String::from_utf8(sample.to_canonical_bytes().unwrap()).unwrap();
            let now_ms = head(start(round) + 20).time_ms;
            let digest = sample.signed_digest().unwrap();
            let write = AddSample {
                sample,
                digest,
                line,
                now_ms,
            };
            app.writer().write(write).await.unwrap().unwrap();
        }
    }
}

/// A unit of the newest round whose reports are public, with its submission's root.
async fn newest(site: &Site) -> (UnitId, String) {
    let submissions = json(site, "/v1/submissions?round=13").await;
    let kiln = hotkey("kiln").to_string();
    let rows = submissions["data"].as_array().unwrap();
    let one = rows.iter().find(|one| one["hotkey"] == kiln.as_str()).unwrap();
    let mut units: Vec<UnitId> = one["units"]
        .as_array()
        .unwrap()
        .iter()
        .map(|unit| unit.as_str().unwrap().parse().unwrap())
        .collect();
    units.sort_unstable();
    (units[0], one["submission_root"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_shown_beside_their_pages_and_are_not_markup() {
    let site = Site::filled().await;
    let (unit, root) = newest(&site).await;
    let kept = site.get(&format!("/records/{unit}/3")).await.body;
    for words in [
        "What is kept of it",
        "shown alike by 3 of 3",
        "Beside the page",
        "Bread rises.",
        "rebuilt by 3 validators",
        "71 tokens",
        "<del title=\"not main text\">Home, shop, basket",
    ] {
        assert!(kept.contains(words), "{words}: {kept}");
    }
    assert!(
        !kept.contains("<script>alert") && !kept.contains("<img src=x"),
        "{kept}"
    );
    let dropped = site.get(&format!("/records/{unit}/5")).await.body;
    assert!(dropped.contains("gopher quality: gopher short doc"), "{dropped}");
    assert!(
        !site
            .get(&format!("/records/{unit}/4"))
            .await
            .body
            .contains("Beside the page")
    );
    let view = json(&site, &format!("/v1/records/{unit}/3")).await;
    assert_eq!(view["data"]["shown"].as_array().unwrap().len(), 3);

    let submission = site.get(&format!("/submissions/{root}")).await.body;
    for words in [
        "What is in it",
        "shown alike by 3 of 3 validators",
        "1 audited unit: 48 records, 12 kept (25.00%)",
        "64 to 127",
        "gopher quality",
    ] {
        assert!(submission.contains(words), "{words}: {submission}");
    }
    assert!(submission.contains(&format!("/records/{unit}/5")));
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_can_be_read_and_a_takedown_hides_the_row() {
    let site = Site::filled().await;
    let dataset = site.get("/datasets/assay-en").await.body;
    for words in [
        "Read a document",
        "Bread rises.",
        "Beside the page",
        "Other rows of these audits",
        "units audited in rounds 12 to 13",
    ] {
        assert!(dataset.contains(words), "{words}: {dataset}");
    }
    let (unit, root) = newest(&site).await;
    let removal = AddRemoval {
        target: format!("/records/{unit}/3"),
        contact: "me@example.org".to_owned(),
        reason: String::new(),
        now_ms: 1,
    };
    site.app.writer().write(removal).await.unwrap().unwrap();
    let list = site.get_dark(&format!("/submissions/{root}")).await.body;
    assert!(!list.contains(&format!("/records/{unit}/3")) && list.contains(&format!("/records/{unit}/5")));
    assert_eq!(site.get(&format!("/records/{unit}/3")).await.status, 404);
    // By its host it goes everywhere, the list of sites too.
    let removal = AddRemoval {
        target: "example.org".to_owned(),
        contact: "me@example.org".to_owned(),
        reason: String::new(),
        now_ms: 1,
    };
    site.app.writer().write(removal).await.unwrap().unwrap();
    let decided = DecideRemoval {
        number: 2,
        state: RemovalState::Listed,
        now_ms: 1,
    };
    assert!(site.app.writer().write(decided).await.unwrap());
    for path in [
        format!("/records/{unit}/5"),
        "/datasets/assay-en".to_owned(),
        format!("/submissions/{root}"),
    ] {
        let page = site.get_dark(&path).await;
        assert!(
            page.status == 200 && !page.body.contains("Bread rises."),
            "{path}: {}",
            page.body
        );
    }
    let answer = json(&site, &format!("/v1/samples/{root}")).await;
    for sample in answer["data"].as_array().unwrap() {
        assert_eq!(sample["rows"], serde_json::json!([]));
        assert_eq!(sample["signature"], "", "it was over what is left out");
    }
    let view = json(&site, &format!("/v1/records/{unit}/5")).await;
    assert_eq!(view["data"]["shown"], serde_json::json!([]));
    // They are kept as they were signed; only who asks is not shown them.
    let readers = site.app.database().readers();
    assert_eq!(
        store::samples_of(readers, &root.parse().unwrap(), 9)
            .await
            .unwrap()[0]
            .rows
            .len(),
        2
    );
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_public_yet_is_not_shown() {
    let site = Site::filled().await;
    // Round 14 is not public yet: what validators showed of it is sealed.
    let submissions = json(&site, "/v1/submissions?round=14").await;
    let root = submissions["data"][0]["submission_root"]
        .as_str()
        .unwrap()
        .to_owned();
    let page = site.get(&format!("/submissions/{root}")).await.body;
    assert!(!page.contains("What is in it"), "{page}");
    assert_eq!(
        json(&site, &format!("/v1/samples/{root}")).await["data"],
        serde_json::json!([])
    );
    site.stop().await;
}

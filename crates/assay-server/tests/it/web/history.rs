//! Looks back and at edges: an older block, miners and keys that have left, the last record of a unit.

use super::fill::{MINERS, other_recipe};
use super::site::Site;
use crate::world::hotkey;
use assay_server::ChainView;
use assay_server::store::{newest_verdicts, verdict_of, verdicts_of_round};
use assay_types::{BlockNumber, Hotkey, Round};
use serde_json::Value;
use std::sync::Arc;

pub(super) async fn json(site: &Site, path: &str) -> Value {
    let answer = site.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

/// The view with one miner's place taken by another key.
fn replaced(site: &Site, miner: &str, by: Hotkey) {
    let view = site.app.view();
    let mut metagraph = (**view.metagraph.as_ref().unwrap()).clone();
    let place = metagraph
        .neurons
        .iter_mut()
        .find(|neuron| neuron.hotkey == hotkey(miner));
    let place = place.unwrap();
    (place.hotkey, place.registered) = (by, BlockNumber(400));
    site.app.set_view(ChainView {
        metagraph: Some(Arc::new(metagraph)),
        ..(*view).clone()
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_verdicts_of_everybody_up_to_a_round() {
    let site = Site::filled().await;
    let readers = site.app.database().readers();
    let rows = newest_verdicts(readers, Round(6), 3).await.unwrap();
    for miner in MINERS {
        let of: Vec<u32> = rows
            .iter()
            .filter(|row| row.record.hotkey == hotkey(miner))
            .map(|row| row.round.0)
            .collect();
        assert_eq!(of, [6, 5, 4], "{miner}");
    }
    let all = newest_verdicts(readers, Round(i32::MAX as u32), 100)
        .await
        .unwrap();
    assert_eq!(all.len(), MINERS.len() * 14, "fourteen rounds are settled");
    let round = verdicts_of_round(readers, Round(4)).await.unwrap();
    assert_eq!(round.len(), MINERS.len());
    let one = verdict_of(readers, Round(4), &hotkey("ostrava")).await.unwrap();
    assert!(round.contains(&one.unwrap()));
    // At block 300 the rounds up to the sixth were effective: (300 − 60 − 40) / 30.
    let rows = json(&site, "/v1/leaderboard/miners?at=300").await;
    for row in rows["data"].as_array().unwrap() {
        assert_eq!(row["verdicts"].as_array().unwrap().len(), 7, "{row}");
    }
    let before = json(&site, "/v1/leaderboard/miners?at=90").await;
    for row in before["data"].as_array().unwrap() {
        assert!(
            row["verdicts"].as_array().unwrap().is_empty() && row["declared"].is_null(),
            "{row}"
        );
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rounds_lead_to_those_that_are_known() {
    let site = Site::filled().await;
    for (round, previous, next) in [(0, false, true), (7, true, true), (14, true, false)] {
        let page = site.get(&format!("/rounds/{round}")).await.body;
        let has = |words: &str| page.contains(&format!(">{words}</a>"));
        assert_eq!((has("Previous"), has("Next")), (previous, next), "round {round}");
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_has_an_end() {
    let site = Site::filled().await;
    let submissions = json(&site, "/v1/submissions?round=13").await;
    let units = submissions["data"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|one| one["units"].as_array().unwrap().first());
    let unit = units.unwrap().as_str().unwrap();
    let last = super::evidence::RECORDS - 1;
    let view = json(&site, &format!("/v1/records/{unit}/{last}")).await;
    assert_eq!(view["data"]["records"], super::evidence::RECORDS);
    let first = site.get(&format!("/records/{unit}/0")).await.body;
    assert!(
        first.contains(">Next<") && first.contains("0 of 36,400, from 0"),
        "{first}"
    );
    let end = site.get(&format!("/records/{unit}/{last}")).await;
    assert!(
        end.status == 200 && !end.body.contains(">Next<"),
        "{}",
        end.status
    );
    for path in ["records", "v1/records"] {
        let beyond = site.get(&format!("/{path}/{unit}/{}", last + 1)).await;
        assert!(
            beyond.status == 404 && beyond.body.contains("36400 records"),
            "{path}: {}",
            beyond.body
        );
    }
    // Nothing is known of the length of a unit that nobody delivered.
    let far = assay_types::UnitId::of("file", "crawl/part-01999.warc.gz");
    assert_eq!(site.get(&format!("/records/{far}/4000000")).await.status, 200);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn miners_that_have_left_use_no_recipe() {
    let site = Site::filled().await;
    let users = async |query: &str| {
        let rows = json(&site, &format!("/v1/leaderboard/recipes{query}")).await;
        let id = other_recipe().id().to_string();
        let rows = rows["data"].as_array().unwrap().clone();
        let row = rows.into_iter().find(|row| row["recipe_id"] == id.as_str());
        row.unwrap()["miners"].as_u64().unwrap()
    };
    assert_eq!(users("").await, 3);
    replaced(&site, "kiln", hotkey("newcomer"));
    assert_eq!(users("?dir=desc").await, 2);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_name_who_held_the_place_then() {
    let site = Site::filled().await;
    let page = format!("/validators/{}", hotkey("house").to_ss58());
    let own = format!("/miners/{}", hotkey("kiln").to_ss58());
    let before = site.get(&page).await.body;
    assert!(
        before.contains(&own) && !before.contains("has left this place"),
        "{before}"
    );
    replaced(&site, "kiln", hotkey("newcomer"));
    // The other theme is another answer: the one before may still stand for seconds.
    let after = site.get_dark(&page).await.body;
    let weights = after.split("Weights against the mean").nth(1).unwrap();
    assert!(weights.contains(&own), "{weights}");
    assert_eq!(weights.matches("has left this place since").count(), 1);
    assert!(!weights.contains(&hotkey("newcomer").to_ss58()), "{weights}");
    site.stop().await;
}

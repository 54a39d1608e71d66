//! Figures on pages are those of the store: each page is asked for numbers computed here from rows.

use super::evidence::RECORDS;
use super::fill::{MINERS, duel_page, other_recipe, root, settle_last, start};
use super::site::Site;
use crate::world::hotkey;
use assay_server::store::{self, VerdictRow, Verified, WorkSum};
use assay_types::api::ReportKind;
use assay_types::{Arm, EvaluationReport, Q32, Round, Verdict};

/// `1,234,567`.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn fraction(value: Q32) -> f64 {
    value.0 as f64 / Q32::ONE.0 as f64
}

fn sum_of(rows: &[store::DeclaredSum]) -> WorkSum {
    let mut sum = WorkSum::default();
    for row in rows {
        sum.add_sum(&row.work);
    }
    sum
}

/// The page holds all of these words.
async fn check(site: &Site, path: &str, words: &[String]) {
    let answer = site.get(path).await;
    assert_eq!(answer.status, 200, "{path}");
    for words in words {
        assert!(
            answer.body.contains(words),
            "{path} lacks `{words}`:\n{}",
            answer.body
        );
    }
}

async fn newest(site: &Site, miner: &str) -> VerdictRow {
    let rows = store::verdicts(site.app.database().readers(), &hotkey(miner), 1).await;
    rows.unwrap().remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_of_work_on_the_overview_and_the_datasets_page() {
    let site = Site::filled().await;
    let readers = site.app.database().readers();
    let all = (Round(0), Round(99));
    let sum = |rows: Vec<store::DeclaredSum>| sum_of(&rows);
    let passed = sum(store::declared_sums(readers, all, Verified::Passed)
        .await
        .unwrap());
    let read = sum(store::declared_sums(readers, all, Verified::Any).await.unwrap());
    assert!(passed.units > 0 && passed.units < read.units);
    let tokens = format!("{:.2} B", passed.tokens as f64 / 1e9);
    let units = grouped(passed.units);
    let records = |sum: &WorkSum| format!("{:.1} M", sum.records as f64 / 1e6);
    check(
        &site,
        "/",
        &[
            tokens.clone(),
            format!("{units} units passed"),
            records(&read),
            records(&passed),
        ],
    )
    .await;
    let kept = format!("{:.2}%", passed.kept as f64 / passed.records as f64 * 100.0);
    check(&site, "/datasets", &[tokens, units, records(&passed), kept]).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_and_credibility_of_a_miner() {
    let site = Site::filled().await;
    for miner in ["kiln", "lode", "panhandler"] {
        let row = newest(&site, miner).await;
        let credibility = fraction(row.record.credibility);
        let points = fraction(row.produced) * credibility * credibility;
        let page = format!("/miners/{}", hotkey(miner).to_ss58());
        check(
            &site,
            &page,
            &[
                format!("Why {points:.1} points"),
                format!("Production <b>{:.2}</b>", fraction(row.produced)),
                format!(
                    "The average after this round is <b>{:.2}</b>",
                    fraction(row.average)
                ),
                format!("{credibility:.3}"),
            ],
        )
        .await;
    }
    assert_eq!(newest(&site, "panhandler").await.verdict, Verdict::Fraud);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rounds_submissions_and_units() {
    let site = Site::filled().await;
    let readers = site.app.database().readers();
    let round = Round(12);
    let submissions = store::submissions(readers, round, "", 99).await.unwrap();
    let verdicts = store::verdicts_of_round(readers, round).await.unwrap();
    let (row, _) = store::round(readers, round).await.unwrap().unwrap();
    check(
        &site,
        "/rounds/12",
        &[
            format!("{} verdicts, {} submissions", verdicts.len(), submissions.len()),
            row.beacon.to_string(),
            row.digest.to_string(),
            format!("{} with a second holder", row.replicas),
            grouped(u64::from(row.block.0)),
        ],
    )
    .await;
    let own = submissions
        .iter()
        .find(|one| one.hotkey == hotkey("kiln"))
        .unwrap();
    let works = store::declared_of(readers, round, &own.hotkey).await.unwrap();
    let sum = WorkSum::of(&works);
    assert_eq!(sum.records, own.units.len() as u64 * u64::from(RECORDS));
    check(
        &site,
        &format!("/submissions/{}", root(&hotkey("kiln"), 12)),
        &[
            format!("{:.1} M tokens declared", sum.tokens as f64 / 1e6),
            format!("{} of {} known", own.units.len(), own.n_units),
            format!(
                "assay dataset verify hf://{}@{} --sample 500",
                own.repo, own.revision
            ),
        ],
    )
    .await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cells_and_fineness_of_a_duel() {
    let site = Site::filled().await;
    let readers = site.app.database().readers();
    let mut bits = Vec::new();
    let reports = store::reports_of_round(readers, Round(2), ReportKind::Evaluation).await;
    for view in reports.unwrap() {
        let report = EvaluationReport::parse(view.line.as_bytes()).unwrap();
        if report.arm == Arm::Challenger && report.recipe_id == other_recipe().id() {
            bits.push(f64::from(report.value) / 1e4);
        }
    }
    let mean = bits.iter().sum::<f64>() / bits.len() as f64;
    let row: serde_json::Value =
        serde_json::from_str(&site.get("/v1/leaderboard/recipes?q=cupel-3").await.body).unwrap();
    let fineness = row["data"][0]["fineness"]["value"].as_f64().unwrap();
    let shown = format!("Fineness {fineness:.0} per mille");
    check(
        &site,
        &duel_page(),
        &[
            format!("{mean:.4}"),
            shown.clone(),
            "60 cells".to_owned(),
            "+129.4 ± 17.2 points, round 2".to_owned(),
        ],
    )
    .await;
    let left_out = "1 recipe was measured that nobody has registered on the chain";
    let words = [format!("{mean:.4}"), shown.clone(), left_out.to_owned()];
    check(&site, "/duels", &words).await;
    check(&site, &format!("/recipes/{}", other_recipe().id()), &[shown]).await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn status_boards_and_releases() {
    let site = Site::filled().await;
    let readers = site.app.database().readers();
    let log = store::last_sequence(readers).await.unwrap();
    let block = site.app.view().block();
    check(
        &site,
        "/status",
        &[
            format!("entry {log}"),
            grouped(store::unit_count(readers).await.unwrap()),
            grouped(u64::from(block.0)),
        ],
    )
    .await;
    let body = site.get("/status").await.body;
    assert!(!body.contains(">0 s<"), "an age that nobody measured");
    // Validators set weights at the start of the last round.
    let set = u64::from(start(14));
    let age = u64::from(block.0) - set;
    check(
        &site,
        "/status",
        &[format!("block {set}"), format!("{age} blocks")],
    )
    .await;
    let neurons = site.app.view().metagraph.clone().unwrap();
    let all: u64 = neurons.neurons.iter().map(|one| u64::from(one.incentive)).sum();
    let shares: Vec<String> = MINERS
        .iter()
        .map(|name| neurons.neuron(&hotkey(name)).unwrap().incentive)
        .map(|own| format!("{:.2}%", f64::from(own) / all as f64 * 100.0))
        .collect();
    check(&site, "/leaderboard/miners", &shares[..3]).await;
    check(
        &site,
        "/datasets/assay-en/2026.10.1",
        &["61.0 B".to_owned(), grouped(30_500), "2026.10.1".to_owned()],
    )
    .await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sum_is_the_sum_of_all_sums() {
    let site = Site::filled().await;
    let readers = site.app.database().readers();
    let all = (Round(0), Round(1 << 20));
    for verified in [store::Verified::Any, store::Verified::Passed] {
        let rows = store::declared_sums(readers, all, verified).await.unwrap();
        let sum = sum_of(&rows);
        assert!(sum.tokens > 0);
        let (mut parts, middle) = (store::WorkSum::default(), Round(7));
        for rounds in [(Round(0), middle), (Round(8), Round(1 << 20))] {
            parts.add_sum(&store::declared_total(readers, rounds, verified).await.unwrap());
        }
        assert_eq!(parts, sum);
        assert_eq!(
            store::declared_total(readers, all, verified).await.unwrap(),
            sum,
            "{verified:?}"
        );
    }
    site.stop().await;
    let empty = Site::empty().await;
    let nothing = store::declared_total(empty.app.database().readers(), all, store::Verified::Any).await;
    assert_eq!(nothing.unwrap(), store::WorkSum::default());
    empty.stop().await;
}

/// The answer once it is another than `before`: what was rendered stands until the server has noticed a commit.
async fn changed(site: &Site, path: &str, before: &str) -> String {
    for _ in 0..200 {
        let answer = site.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        if answer.body != before {
            return answer.body;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("{path} does not change");
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_behind_a_settled_round_are_those_that_are_read_anew() {
    let ranges = ["round", "24h", "7d", "30d"];
    let mut paths = vec!["/datasets".to_owned()];
    for board in ["miners", "recipes"] {
        paths.extend(ranges.map(|range| format!("/leaderboard/{board}.csv?t={range}")));
    }
    let (long, fresh) = (Site::filled().await, Site::filled().await);
    let mut before = Vec::new();
    for path in &paths {
        before.push(changed(&long, path, "").await);
    }
    for site in [&long, &fresh] {
        settle_last(&site.app).await;
    }
    fresh.app.warm_up().await;
    for (path, before) in paths.iter().zip(before) {
        let carried = changed(&long, path, &before).await;
        assert_eq!(carried, changed(&fresh, path, "").await, "{path}");
    }
    long.stop().await;
    fresh.stop().await;
}

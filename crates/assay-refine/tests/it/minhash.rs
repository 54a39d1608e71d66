//! The near-duplicate corpus of the parity fixture: pairs, clusters and removed ids of datatrove's four stages.

use std::collections::HashMap;

use assay_refine::minhash::cluster::{Order, clusters, pairs_by_band, pairs_by_key, removed};
use assay_refine::minhash::{MinHasher, Signature, UnitDedup, band_keys};
use assay_refine::text::simplify::simplify;
use assay_refine::text::words::Tokenizer;
use serde_json::Value;

/// Signature of every document of the corpus by id; they must equal the stored ones.
fn signatures() -> HashMap<String, Option<Signature>> {
    let (mut tokenizer, mut hasher) = (Tokenizer::new(), MinHasher::new());
    let (mut tokens, mut normal) = (Vec::new(), String::new());
    let mut of = |row: &Value| {
        simplify(row["text"].as_str().unwrap(), &mut normal);
        tokenizer.tokenize(&normal, &mut tokens);
        let signature = hasher.signature(&normal, &tokens);
        let hex = signature.as_ref().map(crate::text::hex);
        assert_eq!(row["signature"], Value::from(hex), "{}", row["id"]);
        (row["id"].as_str().unwrap().to_owned(), signature)
    };
    crate::text::rows("minhash_corpus.jsonl.gz")
        .iter()
        .map(&mut of)
        .collect()
}

/// The reading order of a run: ids of all files one after the other.
fn reading_order(run: &Value) -> Vec<String> {
    let files = run["files"].as_array().unwrap().iter();
    files
        .flat_map(|file| file.as_array().unwrap())
        .map(|id| id.as_str().unwrap().to_owned())
        .collect()
}

fn expected() -> Option<Value> {
    let data = crate::assay_data()?;
    Some(serde_json::from_slice(&fs_err::read(data.join("parity/minhash_removed.json")).unwrap()).unwrap())
}

#[test]
fn pairs_clusters_and_removed_ids_are_datatroves() {
    let Some(expected) = expected() else { return };
    let signatures = signatures();
    for run in ["four_files", "one_file"] {
        let run = &expected[run];
        let ids = reading_order(run);
        let in_order: Vec<_> = ids.iter().map(|id| signatures[id].clone()).collect();
        let id = |number: u32| ids[number as usize].as_str();
        let pairs = pairs_by_band(&in_order);
        let named: Vec<Vec<String>> = pairs
            .iter()
            .map(|band| {
                band.iter()
                    .map(|&(a, b)| format!("{} {}", id(a), id(b)))
                    .collect()
            })
            .collect();
        assert_eq!(run["pairs_by_bucket"], Value::from(named));
        let all = || pairs.iter().flatten().copied();
        let found = clusters(all(), Order::Datatrove);
        let listed: Vec<Value> = found
            .iter()
            .enumerate()
            .map(|(number, cluster)| {
                let members: Vec<&str> = cluster.members.iter().map(|&member| id(member)).collect();
                serde_json::json!({"cluster_id": number, "kept": id(cluster.kept), "size": members.len(), "members": members})
            })
            .collect();
        assert_eq!(run["clusters"], Value::from(listed));
        let gone = removed(&found);
        assert_eq!(
            run["removed"],
            Value::from(gone.iter().map(|&number| id(number)).collect::<Vec<_>>())
        );
        let keys: Vec<_> = in_order
            .iter()
            .map(|signature| signature.as_ref().map(band_keys))
            .collect();
        let by_key = pairs_by_key(&keys).into_iter().flatten();
        assert_eq!(
            clusters(by_key, Order::Canonical),
            clusters(all(), Order::Canonical)
        );
    }
}

#[test]
fn the_witness_rule_removes_315_of_482() {
    let Some(expected) = expected() else { return };
    let signatures = signatures();
    let mut unit = UnitDedup::new();
    let order = reading_order(&expected["one_file"]);
    let dropped = order.iter().enumerate().filter(|(idx, id)| {
        let bands = signatures[*id].as_ref().map(band_keys);
        bands
            .and_then(|bands| unit.observe(*idx as u32, &bands))
            .is_some()
    });
    assert_eq!(dropped.count(), 315);
}

//! What changed between two recipes, key by key.
//!
//! `assay recipe diff` prints it; values are shown as canonical TOML.

use crate::recipe::canonical::{entries, header_entries};
use crate::recipe::{Recipe, Step};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One key whose value differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecipeChange {
    /// Where: `name`, `read.mime`, `step.c4.sentences_min`, `steps` (their order), `artifact.domains.blake3`.
    pub path: String,
    /// The value in the first recipe, none if the key is not there.
    pub from: Option<String>,
    /// The value in the second recipe, none if the key is not there.
    pub to: Option<String>,
}

/// The keys in which `a` and `b` differ, by ascending path; none if their ids are equal.
pub fn diff(a: &Recipe, b: &Recipe) -> Vec<RecipeChange> {
    let (from, to) = (flat(a), flat(b));
    let paths: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    paths
        .into_iter()
        .filter(|path| from.get(*path) != to.get(*path))
        .map(|path| RecipeChange {
            path: path.clone(),
            from: from.get(path).cloned(),
            to: to.get(path).cloned(),
        })
        .collect()
}

/// Every key of a recipe with its canonical value. Steps go by kind, which stands once in a recipe.
fn flat(recipe: &Recipe) -> BTreeMap<String, String> {
    let order: Vec<&str> = recipe.steps.iter().map(Step::kind).collect();
    let mut all = BTreeMap::from([("steps".to_owned(), order.join(" "))]);
    let mut add = |prefix: String, entries: super::canonical::Entries| {
        all.extend(
            entries
                .into_iter()
                .map(|(key, value)| (format!("{prefix}{key}"), value)),
        );
    };
    add(String::new(), header_entries(recipe));
    add("read.".into(), entries(&mut recipe.read.clone()));
    add("extract.".into(), entries(&mut recipe.extract.clone()));
    for step in &recipe.steps {
        add(format!("step.{}.", step.kind()), entries(&mut step.clone()));
    }
    for artifact in &recipe.artifacts {
        add(
            format!("artifact.{}.", artifact.name),
            entries(&mut artifact.clone()),
        );
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{C4Params, fineweb_en_v1, fineweb_en_v1_nolang};

    #[test]
    fn a_changed_threshold_is_named() {
        let a = fineweb_en_v1();
        let mut b = a.clone();
        b.steps[4] = Step::C4(C4Params {
            sentences_min: 4,
            ..C4Params::default()
        });
        let change = RecipeChange {
            path: "step.c4.sentences_min".into(),
            from: Some("5".into()),
            to: Some("4".into()),
        };
        assert_eq!(diff(&a, &b), [change]);
        assert!(diff(&a, &a).is_empty());
    }

    #[test]
    fn a_missing_step_is_an_order_and_its_keys() {
        let paths: Vec<String> = diff(&fineweb_en_v1(), &fineweb_en_v1_nolang())
            .into_iter()
            .map(|change| change.path)
            .collect();
        assert_eq!(paths[0], "name");
        assert_eq!(
            paths[1..6],
            ["head_bytes", "keep", "letters_min", "model", "score_ppm"].map(|k| format!("step.language.{k}"))
        );
        assert_eq!(paths[6..], ["steps"]);
    }
}

//! The dataset card: the `README.md` that the Hub shows and that its loaders read.
//!
//! Made from a manifest, so that it says nothing that the files do not; published beside it.

use std::fmt::Write as _;

use assay_types::Manifest;

/// Bounds of the Hub's size categories in documents (huggingface_hub, "Dataset card").
const SIZES: [(u64, &str); 7] = [
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
    (1_000_000_000, "100M<n<1B"),
];

/// The card of a dataset: front matter that makes `load_dataset` find the documents, then what is in it and how to
/// check it.
#[must_use]
pub fn dataset_card(title: &str, manifest: &Manifest) -> String {
    let documents: u64 = manifest.units.iter().map(|unit| u64::from(unit.n_kept)).sum();
    let records: u64 = manifest.units.iter().map(|unit| u64::from(unit.n_records)).sum();
    let tokens = manifest
        .units
        .iter()
        .map(|unit| unit.n_tokens.0)
        .fold(0, u64::saturating_add);
    let size = SIZES
        .iter()
        .find(|(max, _)| documents < *max)
        .map_or("n>1B", |(_, name)| name);
    // A title comes from a command line: it must not end the front matter.
    let title: String = title
        .chars()
        .filter(|c| !c.is_control() && !matches!(c, '"' | '\\'))
        .collect();
    let mut card = format!(
        "---\npretty_name: \"{title}\"\nlicense: other\ntask_categories:\n- text-generation\nsize_categories:\n- {size}\n\
         configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: units/*/docs-*.parquet\n---\n\n\
         # {title}\n\n"
    );
    let _ = write!(
        card,
        "{documents} documents with {tokens} tokens (GPT-2), kept of {records} records of {} archives. Each row names the \
         byte range of the archive that it was made from and the recipe that made it, so anybody can recompute it:\n\n\
         ```\nassay dataset verify hf://NAMESPACE/NAME@REVISION\n```\n\n\
         | | |\n|---|---|\n| submission root | `{}` |\n| round | {} |\n| hotkey | `{}` |\n",
        manifest.units.len(),
        manifest.submission_root,
        manifest.round.0,
        manifest.hotkey,
    );
    let mut recipes: Vec<String> = manifest
        .units
        .iter()
        .map(|unit| unit.recipe_id.to_string())
        .collect();
    recipes.sort_unstable();
    recipes.dedup();
    for recipe in recipes {
        let _ = writeln!(card, "| recipe | `{recipe}` |");
    }
    card.push_str("\nThe pages are their authors'; the licence of each is not known.\n");
    card
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::Tool;

    #[test]
    fn a_card_has_front_matter_that_a_title_cannot_break() {
        let manifest = Manifest::local(Vec::new(), Tool::default(), "unspecified");
        let card = dataset_card("acme \"r1\"\n---\nlicense: mit", &manifest);
        let matter = card
            .strip_prefix("---\n")
            .unwrap()
            .split("\n---\n")
            .next()
            .unwrap();
        assert_eq!(
            matter.lines().next(),
            Some("pretty_name: \"acme r1---license: mit\"")
        );
        assert_eq!(
            matter.lines().filter(|line| line.starts_with("license:")).count(),
            1
        );
        assert!(
            matter.contains("size_categories:\n- n<1K") && matter.contains("path: units/*/docs-*.parquet")
        );
        assert!(card.contains(&manifest.submission_root.to_string()));
    }
}

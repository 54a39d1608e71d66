//! Recipes: any layout gives one canonical text, one id; every mistake is told with its key.

use crate::mutate;
use assay_types::recipe::{
    Artifact, ArtifactKind, ListArtifacts, assay_en_v2, assay_en_v2_high_yield, builtin, builtin_names,
    fineweb_en_v1, fineweb_en_v1_lists, fineweb_en_v1_nolang,
};
use assay_types::{Digest, Reason, Recipe, RecipeError, step_reason};
use proptest::prelude::*;

/// The committed canonical texts.
const FINEWEB_EN_V1: &str = include_str!("../../recipes/fineweb-en-v1.toml");
const FINEWEB_EN_V1_NOLANG: &str = include_str!("../../recipes/fineweb-en-v1-nolang.toml");
const ASSAY_EN_V2: &str = include_str!("../../recipes/assay-en-v2.toml");
const ASSAY_EN_V2_HIGH_YIELD: &str = include_str!("../../recipes/assay-en-v2-high-yield.toml");

#[test]
fn the_committed_recipes_are_the_built_in_ones() {
    assert_eq!(fineweb_en_v1().to_canonical(), FINEWEB_EN_V1);
    assert_eq!(fineweb_en_v1_nolang().to_canonical(), FINEWEB_EN_V1_NOLANG);
    assert_eq!(assay_en_v2().to_canonical(), ASSAY_EN_V2);
    assert_eq!(assay_en_v2_high_yield().to_canonical(), ASSAY_EN_V2_HIGH_YIELD);
    for name in builtin_names() {
        let recipe = builtin(name).unwrap();
        assert_eq!(recipe.name, name);
        assert_eq!(Recipe::parse_canonical(&recipe.to_canonical()), Ok(recipe));
    }
    assert_eq!(builtin("other"), None);
}

#[test]
fn ids_are_stable() {
    assert_eq!(
        fineweb_en_v1().id().to_string(),
        "85a853e9ba4cefd093c8c3616bb671490c782f177282c59cb497bf1f0756e18e"
    );
    assert_eq!(
        fineweb_en_v1_nolang().id().to_string(),
        "30ee55801024d23b0e2e4c384e75f1a96fbc2e673ee0653478a0e058c9b2e5bc"
    );
    assert_eq!(
        assay_en_v2().id().to_string(),
        "bad207b4f48ebe4c74339a61f76df69d0382aa9a5c31ef78c4b8e0c11b1c8605"
    );
    assert_eq!(
        assay_en_v2_high_yield().id().to_string(),
        "bd9980ef95f95d6b7eac2e4236f0ae7af72cd81d38afb967d8550c137164d49c"
    );
}

/// Made-up artifacts of the URL filter.
fn lists() -> ListArtifacts {
    let artifact = |name: &str, kind| {
        Some(Artifact {
            name: name.into(),
            kind,
            bytes: 3,
            blake3: Digest::of(name.as_bytes()),
        })
    };
    ListArtifacts {
        banned_subwords: artifact("banned_subwords", ArtifactKind::WordList),
        banned_words: artifact("banned_words", ArtifactKind::WordList),
        domains: artifact("domains", ArtifactKind::DomainHashes),
        soft_banned_words: artifact("soft_banned_words", ArtifactKind::WordList),
        urls: artifact("urls", ArtifactKind::DomainHashes),
    }
}

#[test]
fn lists_are_part_of_the_id() {
    let recipe = fineweb_en_v1_lists(lists());
    assert_eq!(recipe.check(), Ok(()));
    let mut other = lists();
    other.domains.as_mut().unwrap().blake3 = Digest::ZERO;
    assert_ne!(fineweb_en_v1_lists(other).id(), recipe.id());
    let text = recipe.to_canonical();
    assert!(text.contains("urls = \"urls\"\n") && text.contains("domains = \"domains\"\n"));
    assert!(text.ends_with("bytes = 3\nkind = \"domain_hashes\"\nname = \"urls\"\n"));
    assert_eq!(Recipe::parse_canonical(&text), Ok(recipe));
    let mut without = lists();
    without.urls = None;
    let text = fineweb_en_v1_lists(without).to_canonical();
    assert!(text.contains("urls = \"\"\n"));
    assert!(text.ends_with("bytes = 3\nkind = \"word_list\"\nname = \"soft_banned_words\"\n"));
}

/// Found by review: the list of addresses is written as hashes, and its recipe was refused.
#[test]
fn addresses_are_hashed_as_domains_are() {
    let mut lists = lists();
    lists.urls.as_mut().unwrap().kind = ArtifactKind::WordList;
    let error = fineweb_en_v1_lists(lists).check().unwrap_err().to_string();
    assert_eq!(
        error,
        "artifact `urls` is of another kind than step `url_filter` needs"
    );
}

#[test]
fn layout_and_omitted_defaults_do_not_change_the_id() {
    let loose = r#"
        # A comment
        name = 'fineweb-en-v1'
        licence = "MIT OR Apache-2.0"
        version = "1.0.0"
        engine = "2.0.0"
        format = 0x1
        extract = { profile = "precision" }
        [[step]]
        kind = "url_filter"
        [[step]]
        kind = "language"
        score_ppm = 650_000
        [[step]]
        kind = "gopher_repetition"
        [[step]]
        kind = "gopher_quality"
        [[step]]
        kind = "c4"
        [[step]]
        kind = "fineweb_quality"
        [[step]]
        kind = "minhash"
    "#;
    assert_eq!(Recipe::parse(loose).unwrap().id(), fineweb_en_v1().id());
    assert!(matches!(
        Recipe::parse_canonical(loose),
        Err(RecipeError::NotCanonical { line: 1 })
    ));
    let commented = FINEWEB_EN_V1.replacen("[read]", "# why\n[read]", 1);
    assert_eq!(
        Recipe::parse_canonical(&commented),
        Err(RecipeError::NotCanonical { line: 6 })
    );
}

/// Replaces `from` by `to` in the canonical text and expects an error that says `message`.
#[track_caller]
fn refused(from: &str, to: &str, message: &str) {
    let text = FINEWEB_EN_V1.replacen(from, to, 1);
    assert_ne!(text, FINEWEB_EN_V1, "{from}");
    let error = Recipe::parse(&text).unwrap_err().to_string();
    assert!(error.contains(message), "{error}");
}

#[test]
fn mistakes_are_named_with_the_nearest_key() {
    refused(
        "\nwords_min",
        "\nword_min",
        "unknown key `word_min` in [[step]] gopher_quality; did you mean `words_min`?",
    );
    refused(
        "\nbytes_max =",
        "\nbyte_max =",
        "unknown key `byte_max` in [extract]; did you mean `bytes_max`?",
    );
    refused(
        "[read]",
        "[reed]",
        "unknown key `reed` in the recipe's first lines; did you mean `read`?",
    );
    refused(
        "licence",
        "license",
        "unknown key `license` in the recipe's first lines; did you mean `licence`?",
    );
    refused("licence = \"MIT OR Apache-2.0\"\n", "", "missing key `licence`");
    refused(
        "\"c4\"",
        "\"c5\"",
        "`kind` in [[step]] is `c5`, not one of the known ones; did you mean `c4`?",
    );
    refused("\"precision\"", "\"precison\"", "did you mean `precision`?");
}

#[test]
fn values_out_of_range_or_form_are_named() {
    refused(
        "format = 1",
        "format = 2",
        "`format` in the recipe's first lines is 2, not in 1..=1",
    );
    refused(
        "char_dup_ppm = 10000",
        "char_dup_ppm = 0.01",
        "`char_dup_ppm` in [[step]] fineweb_quality is not an integer",
    );
    refused(
        "char_dup_ppm = 10000",
        "char_dup_ppm = 1000001",
        "is 1000001, not in 0..=1000000",
    );
    refused(
        "char_dup_ppm = 10000",
        "char_dup_ppm = -1",
        "is -1, not in 0..=1000000",
    );
    refused(
        "http_status = [200]",
        "http_status = [200, 200]",
        "repeats an element",
    );
    refused("http_status = [200]", "http_status = []", "is empty");
    refused(
        "\"meta\"",
        "\"guess\"",
        "`charset` in [read] is not a list of bom",
    );
    refused("engine = \"2.0.0\"", "engine = \"1\"", "is not a version");
    refused("name = \"fineweb-en-v1\"", "name = \"Fine Web\"", "is not a name");
    refused(
        "words_min = 50",
        "words_min = 100001",
        "`words_min` is above `words_max`",
    );
    refused(
        "kind = \"url_filter\"",
        "kind = \"c4\"",
        "unknown key `banned_subwords` in [[step]] c4",
    );
    refused(
        "domains = \"\"",
        "domains = \"lists\"",
        "artifact `lists` is named by step `url_filter` but not listed",
    );
    refused("engine", "engine = ", "recipe is not TOML");
}

#[test]
fn steps_and_artifacts_have_an_order() {
    let mut twice = fineweb_en_v1();
    twice.steps[0] = twice.steps[4].clone();
    assert_eq!(twice.check().unwrap_err().to_string(), "step `c4` stands twice");
    let mut moved = fineweb_en_v1();
    moved.steps.rotate_right(1);
    assert_eq!(
        moved.check().unwrap_err().to_string(),
        "step `minhash` is not the last one"
    );

    let mut lists = lists();
    lists.domains.as_mut().unwrap().kind = ArtifactKind::WordList;
    let wrong_kind = fineweb_en_v1_lists(lists.clone())
        .check()
        .unwrap_err()
        .to_string();
    assert!(wrong_kind.contains("another kind"), "{wrong_kind}");
    lists.domains.as_mut().unwrap().name = "banned_words".into();
    let same_name = fineweb_en_v1_lists(lists.clone())
        .check()
        .unwrap_err()
        .to_string();
    assert!(same_name.contains("stands twice"), "{same_name}");
    lists.domains.as_mut().unwrap().bytes = 64 << 20;
    lists.domains.as_mut().unwrap().name = "z".into();
    let large = fineweb_en_v1_lists(lists).check().unwrap_err().to_string();
    assert!(large.contains("above 64 MiB"), "{large}");
}

#[test]
fn sizes_are_bounded() {
    let long = "#".repeat((1 << 20) + 1);
    assert!(matches!(Recipe::parse(&long), Err(RecipeError::TooLong { .. })));
    let many = format!("{FINEWEB_EN_V1}{}", "[[artifact]]\n".repeat(65));
    assert!(matches!(
        Recipe::parse(&many),
        Err(RecipeError::List { key: "artifact", .. })
    ));
    let deep = format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(Recipe::parse(&deep), Err(RecipeError::Toml(_))));
    let long_key = format!("{FINEWEB_EN_V1}{} = 1\n", "k".repeat(1_000));
    assert!(Recipe::parse(&long_key).unwrap_err().to_string().len() < 200);
}

#[test]
fn reasons_are_named_by_steps() {
    let recipe = fineweb_en_v1();
    assert_eq!(recipe.step_index("gopher_repetition"), Some(2));
    assert_eq!(recipe.step_index("classifier"), None);
    let reason = step_reason(recipe.step_index("c4").unwrap());
    assert_eq!(reason.to_u8(), 20);
    assert_eq!(recipe.reason_name(reason), "c4");
    assert_eq!(recipe.reason_name(Reason::Step(63)), "unknown_step");
    assert_eq!(recipe.reason_name(Reason::Empty), "empty");
    assert_eq!(fineweb_en_v1_nolang().step_index("c4"), Some(3));
}

proptest! {
    #[test]
    fn a_damaged_recipe_is_refused_or_has_one_canonical_form(edits in mutate::edits()) {
        let text = fineweb_en_v1_lists(lists()).to_canonical();
        let damaged = mutate::apply(text.as_bytes(), &edits);
        if let Ok(recipe) = Recipe::parse(&String::from_utf8_lossy(&damaged)) {
            let canonical = recipe.to_canonical();
            let again = Recipe::parse_canonical(&canonical).unwrap();
            prop_assert_eq!(again.id(), recipe.id());
            prop_assert_eq!(again, recipe);
        }
    }

    #[test]
    fn thresholds_survive_the_round_trip(ppm in 0_u32..=1_000_000, words in 0_u32..=100_000, nodes in 1_u64..=1 << 24) {
        let mut recipe = fineweb_en_v1();
        recipe.extract.nodes_max = nodes;
        for step in &mut recipe.steps {
            if let assay_types::Step::GopherQuality(params) = step {
                (params.alpha_words_ppm, params.words_min) = (ppm, words);
            }
        }
        prop_assert_eq!(Recipe::parse_canonical(&recipe.to_canonical()).unwrap(), recipe);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>()) {
        prop_assert!(Recipe::parse(&text).is_err());
    }
}

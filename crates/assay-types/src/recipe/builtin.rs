//! The built-in recipes: FineWeb-en without third-party lists, with them, and without a language step; Assay's own two.
//!
//! `--recipe NAME` finds them here; their canonical texts are committed under `recipes/` and compared in a test.

use crate::recipe::{
    Artifact, ENGINE, ExtractParams, Profile, ReadParams, Recipe, STEP_KINDS, Step, UrlFilterParams,
};

/// Names of the recipes that need no artifact.
pub fn builtin_names() -> [&'static str; 4] {
    [
        "fineweb-en-v1",
        "fineweb-en-v1-nolang",
        "assay-en-v2",
        "assay-en-v2-high-yield",
    ]
}

/// The built-in recipe of a name that needs no artifact.
pub fn builtin(name: &str) -> Option<Recipe> {
    match name {
        "fineweb-en-v1" => Some(fineweb_en_v1()),
        "fineweb-en-v1-nolang" => Some(fineweb_en_v1_nolang()),
        "assay-en-v2" => Some(assay_en_v2()),
        "assay-en-v2-high-yield" => Some(assay_en_v2_high_yield()),
        _ => None,
    }
}

/// FineWeb's English recipe, with empty URL lists.
///
/// Order and thresholds: datatrove @a649de79, `examples/fineweb.py`.
pub fn fineweb_en_v1() -> Recipe {
    Recipe {
        name: "fineweb-en-v1".into(),
        version: "1.0.0".into(),
        engine: ENGINE.into(),
        licence: "MIT OR Apache-2.0".into(),
        read: ReadParams::default(),
        extract: ExtractParams::default(),
        steps: STEP_KINDS.into_iter().filter_map(Step::of_kind).collect(),
        artifacts: Vec::new(),
    }
}

/// [`fineweb_en_v1`] without the language step, for comparison with a datatrove that lacks its model.
pub fn fineweb_en_v1_nolang() -> Recipe {
    let mut recipe = fineweb_en_v1();
    recipe.name = "fineweb-en-v1-nolang".into();
    recipe.steps.retain(|step| !matches!(step, Step::Language(_)));
    recipe
}

/// [`fineweb_en_v1`] with the extractor's best profile and without C4, whose rule on curly braces drops every page with code
/// or mathematics.
pub fn assay_en_v2() -> Recipe {
    let mut recipe = fineweb_en_v1();
    recipe.name = "assay-en-v2".into();
    recipe.version = "2.0.0".into();
    recipe.extract.profile = Profile::Balanced;
    recipe.steps.retain(|step| !matches!(step, Step::C4(_)));
    recipe
}

/// [`assay_en_v2`] with every block that may be main text: more tokens a page, more of them beside the point.
pub fn assay_en_v2_high_yield() -> Recipe {
    let mut recipe = assay_en_v2();
    recipe.name = "assay-en-v2-high-yield".into();
    recipe.extract.profile = Profile::Union;
    recipe
}

/// The five lists of the URL filter; a list that is not there is an empty one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListArtifacts {
    /// Substrings of the squeezed URL (word list).
    pub banned_subwords: Option<Artifact>,
    /// Words of which one is enough (word list).
    pub banned_words: Option<Artifact>,
    /// Domains (domain hashes).
    pub domains: Option<Artifact>,
    /// Words of which two are enough (word list).
    pub soft_banned_words: Option<Artifact>,
    /// Whole URLs (hashed as domains are).
    pub urls: Option<Artifact>,
}

/// [`fineweb_en_v1`] with the third-party lists, which are named by digest and not part of this program.
///
/// `Recipe::check` says whether kinds and sizes are right.
pub fn fineweb_en_v1_lists(lists: ListArtifacts) -> Recipe {
    let mut recipe = fineweb_en_v1();
    recipe.name = "fineweb-en-v1-lists".into();
    let mut artifacts = Vec::new();
    let mut name = |artifact: Option<Artifact>| {
        artifact.map_or_else(String::new, |artifact| {
            let name = artifact.name.clone();
            artifacts.push(artifact);
            name
        })
    };
    let named = UrlFilterParams {
        banned_subwords: name(lists.banned_subwords),
        banned_words: name(lists.banned_words),
        domains: name(lists.domains),
        soft_banned_words: name(lists.soft_banned_words),
        urls: name(lists.urls),
        ..UrlFilterParams::default()
    };
    artifacts.sort_by(|a, b| a.name.cmp(&b.name));
    recipe.artifacts = artifacts;
    for step in &mut recipe.steps {
        if let Step::UrlFilter(params) = step {
            *params = named.clone();
        }
    }
    recipe
}

//! Recipes: which records are read, how text is found, which steps drop a document, under one content address.
//!
//! Recipes come from the built-ins or from TOML of users and authors; the engine runs them, rows and manifests
//! carry their id. Format of mechanism §3, thresholds of FineWeb as datatrove has them.

mod builtin;
mod canonical;
mod diff;
mod error;
mod fields;
mod model;
mod names;
mod parse;
mod steps;

pub use builtin::{
    ListArtifacts, assay_en_v2, assay_en_v2_high_yield, builtin, builtin_names, fineweb_en_v1,
    fineweb_en_v1_lists, fineweb_en_v1_nolang,
};
pub use diff::{RecipeChange, diff};
pub use error::RecipeError;
pub use model::{
    ARTIFACT_BYTES_MAX, ARTIFACTS_MAX, Artifact, ArtifactKind, CharsetStage, ENGINE, ExtractParams, Profile,
    RECIPE_BYTES_MAX, RECIPE_FORMAT, ReadParams, Recipe, TextOutput,
};
pub use steps::{
    C4Params, FinewebQualityParams, GopherQualityParams, GopherRepetitionParams, LanguageParams,
    MinhashParams, STEP_KINDS, Step, UrlFilterParams,
};

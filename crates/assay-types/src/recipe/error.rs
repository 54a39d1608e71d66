//! What can be wrong with a recipe, each with the key and, for a misspelt one, the nearest known name.
//!
//! Made by the parser; `assay recipe check` prints it beside the cure.

use thiserror::Error;

/// Why a text is no recipe.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecipeError {
    /// Too many bytes of TOML.
    #[error("recipe of {found} bytes exceeds {max}")]
    TooLong {
        /// Bytes given.
        found: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Not TOML.
    #[error("recipe is not TOML")]
    Toml(#[source] Box<toml::de::Error>),
    /// A key that the table does not have.
    #[error("unknown key `{key}` in {table}{}", did_you_mean(*nearest))]
    UnknownKey {
        /// The table, such as `[extract]` or `[[step]] c4`.
        table: String,
        /// Key found, cut to 64 characters.
        key: String,
        /// The known key with the fewest changed characters, if one is near.
        nearest: Option<&'static str>,
    },
    /// A key that must be there.
    #[error("missing key `{key}` in {table}")]
    MissingKey {
        /// The table.
        table: String,
        /// Key wanted.
        key: &'static str,
    },
    /// A value of another type.
    #[error("`{key}` in {table} is not {expected}")]
    Type {
        /// The table.
        table: String,
        /// The key.
        key: String,
        /// Type wanted.
        expected: &'static str,
    },
    /// An integer outside of its range.
    #[error("`{key}` in {table} is {found}, not in {min}..={max}")]
    Range {
        /// The table.
        table: String,
        /// The key.
        key: &'static str,
        /// Integer found.
        found: i64,
        /// Smallest allowed.
        min: u64,
        /// Largest allowed.
        max: u64,
    },
    /// A word that is not one of a closed list.
    #[error("`{key}` in {table} is `{found}`, not one of the known ones{}", did_you_mean(*nearest))]
    Choice {
        /// The table.
        table: String,
        /// The key.
        key: &'static str,
        /// Word found, cut to 64 characters.
        found: String,
        /// The known word with the fewest changed characters, if one is near.
        nearest: Option<&'static str>,
    },
    /// A text with illegal characters or length.
    #[error("`{key}` in {table} is not {expected}")]
    Text {
        /// The table.
        table: String,
        /// The key.
        key: &'static str,
        /// Form wanted.
        expected: &'static str,
    },
    /// A list with too many or repeated elements, or none.
    #[error("`{key}` in {table} is empty, too long or repeats an element")]
    List {
        /// The table.
        table: String,
        /// The key.
        key: &'static str,
    },
    /// Steps that repeat, are too many, or stand after `minhash`.
    #[error("step `{kind}` {what}")]
    StepOrder {
        /// Kind of the step.
        kind: &'static str,
        /// What is wrong with its place.
        what: &'static str,
    },
    /// Artifacts that repeat a name, are too large together, or are missing or of another kind than a step needs.
    #[error("artifact `{name}` {what}")]
    Artifact {
        /// Name of the artifact.
        name: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Lower bounds above upper bounds.
    #[error("`{low}` is above `{high}` in {table}")]
    Crossed {
        /// The table.
        table: String,
        /// Key of the lower bound.
        low: &'static str,
        /// Key of the upper bound.
        high: &'static str,
    },
    /// A recipe, but not spelt canonically.
    #[error("recipe is not in canonical form from line {line} on")]
    NotCanonical {
        /// First line that differs, from 1.
        line: usize,
    },
}

/// The end of a message about a misspelling.
fn did_you_mean(nearest: Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"))
}

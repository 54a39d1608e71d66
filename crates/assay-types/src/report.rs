//! The envelope of every `--json` output, and the data of `assay refine --json`.
//!
//! The command line fills and prints them; scripts and tests read them (cli §2). Time comes in as text: this
//! crate has no clock.

use crate::hash::Digest;
use crate::ids::{BlockNumber, Bytes, RecipeId, Tokens};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `schema` of a failure.
pub const ERROR_SCHEMA: &str = "assay.error/1";

/// `schema` of [`RefineReport`].
pub const REFINE_SCHEMA: &str = "assay.refine/1";

/// The state of the world that an answer describes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsOf {
    /// UTC time in ISO 8601, to the second.
    pub time: String,
    /// The block, where a chain was asked.
    pub block: Option<BlockNumber>,
}

/// A result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope<T> {
    /// Name and version of the form of `data`, such as `assay.refine/1`.
    pub schema: String,
    /// Whether the command did what it was asked; a check that failed is `false` with data.
    pub ok: bool,
    /// When.
    pub as_of: AsOf,
    /// The result.
    pub data: T,
    /// What a person should know and a script may ignore.
    pub warnings: Vec<String>,
}

impl<T> Envelope<T> {
    /// A success without warnings.
    pub fn ok(schema: &str, as_of: AsOf, data: T) -> Self {
        Self {
            schema: schema.to_owned(),
            ok: true,
            as_of,
            data,
            warnings: Vec::new(),
        }
    }
}

/// A failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorEnvelope {
    /// [`ERROR_SCHEMA`].
    pub schema: String,
    /// Always `false`.
    pub ok: bool,
    /// Stable `area/what`.
    pub code: String,
    /// What failed, with its causes, on one line.
    pub message: String,
    /// The cure, "" if none is known.
    pub help: String,
    /// Whether the same command may succeed later.
    pub retry: bool,
}

impl ErrorEnvelope {
    /// A failure that repeating does not cure.
    pub fn new(code: &str, message: &str, help: &str) -> Self {
        Self {
            schema: ERROR_SCHEMA.to_owned(),
            ok: false,
            code: code.to_owned(),
            message: message.to_owned(),
            help: help.to_owned(),
            retry: false,
        }
    }
}

/// The data of `assay refine --json`: all of it is about the units of this run's inputs, those finished by an earlier run
/// included. Units of other inputs that the folder holds are in its manifest only.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefineReport {
    /// Rows of all ledgers.
    pub records: u64,
    /// Kept rows.
    pub kept: u64,
    /// GPT-2 tokens of kept rows.
    pub tokens: Tokens,
    /// Archive bytes read, as they are stored.
    pub bytes_in: Bytes,
    /// UTF-8 bytes of kept texts.
    pub bytes_out: Bytes,
    /// Dropped records by `<step>.<reason>`.
    pub dropped: BTreeMap<String, u64>,
    /// User and system time of the process, seconds.
    pub cpu_seconds: f64,
    /// Time from start to end, seconds.
    pub wall_seconds: f64,
    /// The recipe.
    pub recipe_id: RecipeId,
    /// Roots of these units by ascending unit id.
    pub unit_roots: Vec<Digest>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_envelope_has_the_keys_of_the_convention() {
        let error = ErrorEnvelope::new("input/not-found", "no such file `x`", "check the path");
        let keys: Vec<String> = serde_json::to_value(error)
            .unwrap()
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert_eq!(keys.len(), 6);
        for key in ["schema", "ok", "code", "message", "help", "retry"] {
            assert!(keys.iter().any(|found| found == key), "{key}");
        }
    }

    #[test]
    fn a_report_is_read_as_written() {
        let report = RefineReport {
            records: 3,
            cpu_seconds: 0.5,
            ..RefineReport::default()
        };
        let envelope = Envelope::ok(REFINE_SCHEMA, AsOf::default(), report);
        let text = serde_json::to_string(&envelope).unwrap();
        assert_eq!(
            serde_json::from_str::<Envelope<RefineReport>>(&text).unwrap(),
            envelope
        );
    }
}

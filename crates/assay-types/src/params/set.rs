//! A parameter set as canonical TOML, and its digest.
//!
//! Text comes from the repository's history of sets or from a file; the digest is what the owner commits and what
//! every report names. UTF-8, LF, no comments; header keys, then `[values]`, each by ascending bytes.

use crate::hash::Digest;
use crate::ids::BlockNumber;
use crate::params::{PARAMETERS, ParamValues};
use std::fmt::Write as _;
use thiserror::Error;

/// Most bytes of a set's text.
pub const PARAMS_BYTES_MAX: usize = 64 << 10;

/// Blocks between the commitment of a set and its activation, at least (one day).
pub const PARAMS_NOTICE_BLOCKS: u32 = 7_200;

/// Longest name of a store.
const STORE_BYTES_MAX: usize = 256;

/// Why a text is no parameter set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParamError {
    /// Too many bytes.
    #[error("parameter set of `{found}` bytes exceeds {PARAMS_BYTES_MAX}")]
    TooLong {
        /// Bytes given.
        found: usize,
    },
    /// No TOML at all.
    #[error("parameter set is not TOML: {0}")]
    Toml(String),
    /// A key that no version has.
    #[error("parameter `{0}` is unknown")]
    Unknown(String),
    /// A key that is not there.
    #[error("parameter `{0}` is missing")]
    Missing(&'static str),
    /// A value of another type.
    #[error("parameter `{name}` must be {expected}")]
    Type {
        /// Its key.
        name: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A value out of its range.
    #[error("parameter `{name}` is `{found}`, must be {min} to {max}")]
    Range {
        /// Its key.
        name: &'static str,
        /// Value given.
        found: u64,
        /// Least value.
        min: u64,
        /// Greatest value.
        max: u64,
    },
    /// Two values that contradict each other.
    #[error("parameter `{name}` must {rule}")]
    Rule {
        /// The key to change.
        name: &'static str,
        /// The rule.
        rule: &'static str,
    },
    /// Another spelling than the canonical one.
    #[error("line {line} differs from the canonical form")]
    NotCanonical {
        /// First line that differs, from 1.
        line: usize,
    },
}

/// A versioned parameter set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamSet {
    /// Number of the set, from 1.
    pub version: u32,
    /// It applies to rounds that start at or after this block.
    pub activation_block: BlockNumber,
    /// Root of the corpus index.
    pub corpus_index_root: Digest,
    /// Digest of the removal list.
    pub removal_list: Digest,
    /// Where submissions are stored: `hf`, an S3 or HTTPS base URL, or a directory.
    pub store: String,
    /// The numbers.
    pub values: ParamValues,
}

impl Default for ParamSet {
    /// Version 1 of every network: defaults from block 0, no corpus yet.
    fn default() -> Self {
        Self {
            version: 1,
            activation_block: BlockNumber(0),
            corpus_index_root: Digest::ZERO,
            removal_list: Digest::ZERO,
            store: "hf".to_owned(),
            values: ParamValues::default(),
        }
    }
}

impl ParamSet {
    /// The canonical text.
    pub fn to_canonical(&self) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail; a store holds no character that TOML escapes.
        let _ = writeln!(out, "activation_block = {}", self.activation_block);
        let _ = writeln!(out, "corpus_index_root = \"{}\"", self.corpus_index_root);
        let _ = writeln!(out, "removal_list = \"{}\"", self.removal_list);
        let _ = writeln!(out, "store = \"{}\"", self.store);
        let _ = writeln!(out, "version = {}", self.version);
        out.push_str("[values]\n");
        let mut names: Vec<&str> = PARAMETERS.iter().map(|parameter| parameter.name).collect();
        names.sort_unstable();
        for name in names {
            let _ = writeln!(out, "{name} = {}", self.values.get(name).unwrap_or_default());
        }
        out
    }

    /// BLAKE3 of the canonical text.
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_canonical().as_bytes())
    }

    /// The set that a canonical text holds.
    ///
    /// # Errors
    /// [`ParamError`] naming the parameter and the rule it breaks.
    pub fn parse(text: &str) -> Result<Self, ParamError> {
        let set = Self::parse_any(text)?;
        let canonical = set.to_canonical();
        if canonical != text {
            let same = canonical
                .split('\n')
                .zip(text.split('\n'))
                .take_while(|(a, b)| a == b);
            return Err(ParamError::NotCanonical {
                line: same.count() + 1,
            });
        }
        Ok(set)
    }

    /// The set that a text of any spelling holds, such as one edited by hand.
    ///
    /// # Errors
    /// [`ParamError`] naming the parameter and the rule it breaks.
    pub fn parse_any(text: &str) -> Result<Self, ParamError> {
        if text.len() > PARAMS_BYTES_MAX {
            return Err(ParamError::TooLong { found: text.len() });
        }
        let mut table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| ParamError::Toml(error.message().to_owned()))?;
        let set = Self {
            version: small(&mut table, "version")?,
            activation_block: BlockNumber(small(&mut table, "activation_block")?),
            corpus_index_root: digest(&mut table, "corpus_index_root")?,
            removal_list: digest(&mut table, "removal_list")?,
            store: store(&mut table)?,
            values: values(&mut table)?,
        };
        if let Some(key) = table.keys().next() {
            return Err(ParamError::Unknown(key.chars().take(64).collect()));
        }
        Ok(set)
    }

    /// Whether the set applies to a round that starts at `start`.
    pub fn applies_to(&self, start: BlockNumber) -> bool {
        start >= self.activation_block
    }
}

fn wrong_type(name: &str, expected: &'static str) -> ParamError {
    ParamError::Type {
        name: name.to_owned(),
        expected,
    }
}

fn integer(value: &toml::Value, name: &str) -> Result<u64, ParamError> {
    value
        .as_integer()
        .and_then(|integer| u64::try_from(integer).ok())
        .ok_or_else(|| wrong_type(name, "a whole number, not negative"))
}

fn small(table: &mut toml::Table, name: &'static str) -> Result<u32, ParamError> {
    let value = table.remove(name).ok_or(ParamError::Missing(name))?;
    let found = integer(&value, name)?;
    u32::try_from(found).map_err(|_| ParamError::Range {
        name,
        found,
        min: 0,
        max: u64::from(u32::MAX),
    })
}

fn text(table: &mut toml::Table, name: &'static str) -> Result<String, ParamError> {
    match table.remove(name) {
        Some(toml::Value::String(text)) => Ok(text),
        Some(_) => Err(wrong_type(name, "a text")),
        None => Err(ParamError::Missing(name)),
    }
}

fn digest(table: &mut toml::Table, name: &'static str) -> Result<Digest, ParamError> {
    text(table, name)?
        .parse()
        .map_err(|_| wrong_type(name, "64 lower-case hexadecimal digits"))
}

fn store(table: &mut toml::Table) -> Result<String, ParamError> {
    let store = text(table, "store")?;
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    if store.is_empty() || store.len() > STORE_BYTES_MAX || !store.bytes().all(plain) {
        return Err(wrong_type(
            "store",
            "1 to 256 printable ASCII characters without spaces, quotes and backslashes",
        ));
    }
    Ok(store)
}

fn values(table: &mut toml::Table) -> Result<ParamValues, ParamError> {
    let mut found = match table.remove("values") {
        Some(toml::Value::Table(found)) => found,
        Some(_) => return Err(wrong_type("values", "a table")),
        None => return Err(ParamError::Missing("values")),
    };
    let mut values = ParamValues::default();
    for parameter in PARAMETERS {
        let value = found
            .remove(parameter.name)
            .ok_or(ParamError::Missing(parameter.name))?;
        values.set(parameter.name, integer(&value, parameter.name)?)?;
    }
    if let Some(key) = found.keys().next() {
        return Err(ParamError::Unknown(key.chars().take(64).collect()));
    }
    values.check()?;
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_default_set_is_read_as_written() {
        let set = ParamSet::default();
        let text = set.to_canonical();
        assert_eq!(ParamSet::parse(&text), Ok(set.clone()));
        assert_eq!(set.digest(), Digest::of(text.as_bytes()));
        assert!(set.applies_to(BlockNumber(0)));
    }

    /// Replaces text in the default set and expects an error that says `message`.
    #[track_caller]
    fn refused(from: &str, to: &str, message: &str) {
        let text = ParamSet::default().to_canonical();
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let error = ParamSet::parse(&changed).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }

    #[test]
    fn each_error_names_the_parameter_and_the_rule() {
        refused("alpha = 1073741824\n", "", "`alpha` is missing");
        refused("alpha = 1073741824", "alpha = 0", "`alpha` is `0`, must be 1 to");
        refused(
            "alpha = 1073741824",
            "alpha = -1",
            "`alpha` must be a whole number",
        );
        refused(
            "alpha = 1073741824",
            "alpha = 0.25",
            "`alpha` must be a whole number",
        );
        refused("alpha =", "alfa =", "`alpha` is missing");
        refused("[values]\n", "[values]\nzeta = 1\n", "`zeta` is unknown");
        refused("version = 1\n", "version = 1\nz = 1\n", "`z` is unknown");
        refused("version = 1", "version = 4294967296", "`version` is `4294967296`");
        refused("store = \"hf\"", "store = 1", "`store` must be a text");
        refused("store = \"hf\"", "store = \"\"", "`store` must be 1 to 256");
        refused("removal_list = \"0", "removal_list = \"A", "64 lower-case");
        refused(
            "publish_end = 600",
            "publish_end = 500",
            "`commit_offset` must come before",
        );
        refused("[values]", "[values", "not TOML");
        refused("version = 1", "version = 0x1", "line 5 differs");
        let long = "#".repeat(PARAMS_BYTES_MAX + 1);
        assert!(matches!(ParamSet::parse(&long), Err(ParamError::TooLong { .. })));
    }

    proptest! {
        #[test]
        fn any_value_in_range_survives_the_round_trip(which in any::<usize>(), value in any::<u64>()) {
            let parameter = PARAMETERS[which % PARAMETERS.len()];
            let span = parameter.max - parameter.min;
            let mut set = ParamSet::default();
            let value = parameter.min + value.checked_rem(span.saturating_add(1)).unwrap_or(0);
            set.values.set(parameter.name, value).unwrap();
            let parsed = ParamSet::parse(&set.to_canonical());
            match set.values.check() {
                Ok(()) => prop_assert_eq!(parsed, Ok(set)),
                Err(error) => prop_assert_eq!(parsed, Err(error)),
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,300}") {
            prop_assert!(ParamSet::parse(&text).is_err());
        }
    }
}

//! The name of a file inside a published revision: a relative path that means the same on every system.
//!
//! Made from what a publisher names and from what foreign indexes, listings and manifests claim; every store asks for
//! one, so that no text of a stranger reaches a file system or URL. Refused: what leaves the revision (`..`, absolute,
//! empty parts), what another system reads otherwise (drive letters, backslashes, device names, trailing dots and all
//! but plain ASCII, so that no two names look or normalise alike), and hidden names, which belong to the stores.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest path in bytes: below the 1,024 bytes of an S3 key with room for prefix, repository and revision.
pub const OBJECT_PATH_BYTES_MAX: usize = 512;

/// Longest part in bytes: what usual file systems take, less the `.partial` of an unfinished download.
pub const OBJECT_PART_BYTES_MAX: usize = 240;

/// Most parts of one path.
pub const OBJECT_PARTS_MAX: usize = 16;

/// Names that Windows gives to devices, with or without an ending.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Why a text is no path inside a revision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("path `{path}` {reason}")]
pub struct PathError {
    /// The path, cut and with control characters escaped.
    path: String,
    /// What is wrong with it.
    reason: &'static str,
}

/// A checked path: parts of `[A-Za-z0-9._=+@-]`, joined by `/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectPath(String);

impl ObjectPath {
    /// The path that `text` spells.
    ///
    /// # Errors
    /// [`PathError`] naming what is wrong.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        match fault(text) {
            None => Ok(Self(text.to_owned())),
            Some(reason) => Err(PathError {
                path: text.escape_debug().take(OBJECT_PART_BYTES_MAX).collect(),
                reason,
            }),
        }
    }

    /// The path with `/` between its parts.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts from the outermost on; never empty.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The last part.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for ObjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for ObjectPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for ObjectPath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        Self::parse(&text)
    }
}

impl From<ObjectPath> for String {
    fn from(path: ObjectPath) -> Self {
        path.0
    }
}

/// What is wrong with a path, if anything.
fn fault(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("is empty");
    }
    if text.len() > OBJECT_PATH_BYTES_MAX {
        return Some("is longer than 512 bytes");
    }
    if text.split('/').count() > OBJECT_PARTS_MAX {
        return Some("has more than 16 parts");
    }
    text.split('/').find_map(part_fault)
}

fn part_fault(part: &str) -> Option<&'static str> {
    let legal =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'=' | b'+' | b'@');
    if part.is_empty() {
        return Some("is absolute or has an empty part");
    }
    if part == "." || part == ".." {
        return Some("has a relative part");
    }
    if !part.bytes().all(legal) {
        return Some("has other characters than [A-Za-z0-9._=+@-]");
    }
    if part.starts_with('.') {
        return Some("has a hidden part");
    }
    if part.ends_with('.') {
        return Some("has a part that ends in a dot");
    }
    if part.len() > OBJECT_PART_BYTES_MAX {
        return Some("has a part longer than 240 bytes");
    }
    is_device(part).then_some("has a part that is a device on Windows")
}

fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).to_ascii_lowercase();
    let numbered = |name: &str| {
        stem.strip_prefix(name)
            .is_some_and(|digit| digit.len() == 1 && digit.bytes().all(|byte| byte.is_ascii_digit()))
    };
    DEVICES.contains(&stem.as_str()) || numbered("com") || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_of_datasets_are_taken() {
        for path in [
            "manifest.json",
            "OWNER.sig",
            "units/00ff/docs-00000.parquet",
            "dump=CC-MAIN-2024-42/a+b@c.zst",
            "console.txt",
            "a..b",
        ] {
            assert_eq!(ObjectPath::parse(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn tricks_are_refused_with_their_reason() {
        let long = "a".repeat(241);
        let longer = ["a"; 300].join("/");
        let deep = ["a"; 17].join("/");
        for (path, reason) in [
            ("", "is empty"),
            ("/etc/passwd", "is absolute"),
            ("a//b", "empty part"),
            ("a/", "empty part"),
            ("../../etc/passwd", "relative part"),
            ("units/../../x", "relative part"),
            ("./a", "relative part"),
            ("a\\..\\b", "other characters"),
            ("C:/x", "other characters"),
            ("a\0.parquet", "other characters"),
            ("a%2e%2e/b", "other characters"),
            ("a b", "other characters"),
            // FULLWIDTH FULL STOP and a right-to-left override.
            ("\u{ff0e}\u{ff0e}/x", "other characters"),
            ("a\u{202e}gpj.exe", "other characters"),
            (".index.json", "hidden part"),
            ("a/.git/config", "hidden part"),
            ("a./b", "ends in a dot"),
            ("units/NUL", "device"),
            ("com1.parquet", "device"),
            (long.as_str(), "longer than 240"),
            (longer.as_str(), "longer than 512"),
            (deep.as_str(), "more than 16"),
        ] {
            let error = ObjectPath::parse(path).expect_err(path).to_string();
            assert!(error.contains(reason), "{path:?}: {error}");
            assert!(!error.contains(['\0', '\u{202e}']), "{error:?}");
        }
        assert!(serde_json::from_str::<ObjectPath>("\"../x\"").is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_taken_stays_below_its_folder(text in "\\PC{0,40}") {
            if let Ok(path) = ObjectPath::parse(&text) {
                let joined = std::path::Path::new("base").join(path.as_str());
                prop_assert!(joined.starts_with("base"));
                prop_assert!(joined.components().all(|part| matches!(part, std::path::Component::Normal(_))));
            }
        }
    }
}

//! The index of a revision: its files with lengths and digests, written last, read first.
//!
//! Local and object stores put one beside a revision's files; where it is, the revision is whole. A foreign index is
//! parsed once, here, within bounds; the Hub's listing of a commit takes its place there.

use assay_types::{Revision, Sha256Digest};
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::path::ObjectPath;
use super::publication::FILES_MAX;

/// Name of the index; hidden, so that no published file can have it.
pub(super) const INDEX_FILE: &str = ".index.json";

/// Most bytes of an index: about 250 a file.
pub(super) const INDEX_BYTES_MAX: u64 = 32 << 20;

/// Longest entity tag: S3's have some forty bytes.
const TAG_BYTES_MAX: usize = 256;

/// Version of the index.
const INDEX_VERSION: u32 = 1;

/// One file of a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Where it is.
    pub path: ObjectPath,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 where the store knows it: always, but for small files of the Hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Digest>,
    /// The store's own tag of these bytes, with quotes, under which they are read back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

/// A revision's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Index {
    version: u32,
    /// The file whose BLAKE3 names the revision.
    pub(super) anchor: ObjectPath,
    /// The files by ascending path.
    pub(super) files: Vec<Entry>,
}

impl Index {
    /// The index of a revision's files, given by ascending path.
    pub(super) fn new(anchor: ObjectPath, files: Vec<Entry>) -> Self {
        Self {
            version: INDEX_VERSION,
            anchor,
            files,
        }
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, StoreError> {
        serde_json::to_vec(self).map_err(|error| StoreError::Unpublishable {
            what: format!("index: {error}"),
        })
    }

    /// The index that foreign bytes hold.
    pub(super) fn parse(bytes: &[u8], revision: &Revision) -> Result<Self, StoreError> {
        let bad = |what: String| StoreError::BadIndex {
            revision: *revision,
            what,
        };
        let index: Self = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
        if index.version != INDEX_VERSION {
            return Err(bad(format!("version {}", index.version)));
        }
        if index.files.len() > FILES_MAX {
            return Err(bad(format!("more than {FILES_MAX} files")));
        }
        if !index.files.is_sorted_by(|a, b| a.path < b.path) {
            return Err(bad("files are not in ascending order of their paths".to_owned()));
        }
        // A tag becomes a field of requests: one that cannot must not look like the reader's fault.
        let is_tag =
            |tag: &String| tag.len() <= TAG_BYTES_MAX && tag.bytes().all(|byte| byte.is_ascii_graphic());
        if let Some(entry) = index
            .files
            .iter()
            .find(|entry| !entry.etag.as_ref().is_none_or(is_tag))
        {
            return Err(bad(format!("the tag of `{}` is none", entry.path)));
        }
        if !index.files.iter().any(|entry| entry.path == index.anchor) {
            return Err(bad(format!("`{}` is not among the files", index.anchor)));
        }
        Ok(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_indexes_are_bounded_and_ordered() {
        let file = |path: &str| format!(r#"{{"path":"{path}","bytes":1}}"#);
        let index = |files: &[&str]| {
            let files: Vec<String> = files.iter().map(|path| file(path)).collect();
            format!(r#"{{"version":1,"anchor":"a","files":[{}]}}"#, files.join(","))
        };
        let parse = |text: &str| Index::parse(text.as_bytes(), &Revision::ZERO);
        assert_eq!(parse(&index(&["a", "b"])).unwrap().files.len(), 2);
        for (text, reason) in [
            (index(&["b"]), "not among"),
            (index(&["a", "a"]), "ascending"),
            (index(&["b", "a"]), "ascending"),
            (index(&["a", "../b"]), "relative part"),
            (
                index(&["a"]).replace("\"version\":1", "\"version\":2"),
                "version 2",
            ),
            (
                index(&["a"]).replace("\"bytes\":1", "\"bytes\":1,\"etag\":\"a\\nb\""),
                "the tag of `a` is none",
            ),
            ("{".to_owned(), "EOF"),
        ] {
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}

//! What the Hub answers, as far as it is used; keys that are not named here may come and go.
//!
//! Parsed by `api` from bounded bodies. Sources: the Hub's OpenAPI description and the Python client huggingface_hub
//! 2.4.0 (`hf_api.py`, `_commit_api.py`, `lfs.py`); Git LFS "Batch API" for the objects.

use std::collections::BTreeMap;

use assay_types::Sha256Digest;
use serde::{Deserialize, Serialize};

use super::super::index::Entry;
use super::super::path::ObjectPath;

/// `GET /api/datasets/{repo}/revision/{revision}`.
#[derive(Debug, Deserialize)]
pub(super) struct RepoInfo {
    /// The commit.
    pub(super) sha: String,
    /// Whether only those with access see the repository.
    #[serde(default)]
    pub(super) private: bool,
}

/// One item of `GET /api/datasets/{repo}/tree/{revision}`.
#[derive(Debug, Deserialize)]
pub(super) struct TreeItem {
    /// `file` or `directory`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// Digest of the git object.
    pub(super) oid: String,
    /// Bytes of the file itself, not of its pointer.
    #[serde(default)]
    pub(super) size: u64,
    /// Path from the root.
    pub(super) path: String,
    /// Where the file is a pointer: what it points to.
    #[serde(default)]
    pub(super) lfs: Option<LfsPointer>,
}

/// What a pointer file says.
#[derive(Debug, Deserialize)]
pub(super) struct LfsPointer {
    /// SHA-256 of the file.
    pub(super) oid: String,
}

impl TreeItem {
    /// The file as a reader sees it; none for folders, and for names that nobody can ask for.
    pub(super) fn entry(&self) -> Option<Entry> {
        if self.kind != "file" {
            return None;
        }
        Some(Entry {
            path: ObjectPath::parse(&self.path).ok()?,
            bytes: self.size,
            sha256: self.sha256(),
            etag: None,
        })
    }

    /// The file's digest, where the Hub gives it.
    pub(super) fn sha256(&self) -> Option<Sha256Digest> {
        self.lfs.as_ref()?.oid.parse().ok()
    }
}

/// One item of `GET /api/datasets/{repo}/commits/main`.
#[derive(Debug, Deserialize)]
pub(super) struct CommitItem {
    /// The commit.
    pub(super) id: String,
}

/// Answer to `POST …/preupload/main`.
#[derive(Debug, Deserialize)]
pub(super) struct Preupload {
    /// One a file.
    pub(super) files: Vec<PreuploadFile>,
}

/// How the Hub wants a file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PreuploadFile {
    /// The file.
    pub(super) path: String,
    /// `lfs` or `regular`.
    pub(super) upload_mode: String,
    /// Whether the repository's `.gitignore` names it.
    #[serde(default)]
    pub(super) should_ignore: bool,
}

/// Answer to `POST …/commit/main`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Committed {
    /// The new commit.
    pub(super) commit_oid: String,
}

/// Answer to the batch request of Git LFS.
#[derive(Debug, Deserialize)]
pub(super) struct Batch {
    /// One an object.
    pub(super) objects: Vec<BatchObject>,
}

/// What is to be done about an object.
#[derive(Debug, Deserialize)]
pub(super) struct BatchObject {
    /// SHA-256 of the object.
    pub(super) oid: Sha256Digest,
    /// Absent where the Hub has it.
    #[serde(default)]
    pub(super) actions: Option<Actions>,
    /// Why it is not taken.
    #[serde(default)]
    pub(super) error: Option<BatchError>,
}

/// Why an object is not taken.
#[derive(Debug, Deserialize)]
pub(super) struct BatchError {
    /// As an HTTP status.
    pub(super) code: u16,
}

/// Where an object goes.
#[derive(Debug, Deserialize)]
pub(super) struct Actions {
    /// Where the bytes go.
    #[serde(default)]
    pub(super) upload: Option<Action>,
    /// Whom to tell afterwards.
    #[serde(default)]
    pub(super) verify: Option<Action>,
}

/// One request.
#[derive(Debug, Deserialize)]
pub(super) struct Action {
    /// Where.
    pub(super) href: String,
    /// Header fields of a plain upload; `chunk_size` and one URL a part of one in parts.
    #[serde(default)]
    pub(super) header: BTreeMap<String, serde_json::Value>,
}

/// A part that was uploaded.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UploadedPart {
    /// From 1.
    pub(super) part_number: usize,
    /// The store's tag.
    pub(super) etag: String,
}

//! One publish to the Hub, from a private repository to a commit that holds exactly the publication's files.
//!
//! Called by the store after digests are known. Order: newest commit and its files; nothing to do if they are these;
//! how the Hub wants each file; large files through LFS; one commit on that parent. A commit whose answer was lost is
//! found by the first step of the repetition.

use std::collections::{BTreeMap, BTreeSet};

use assay_types::Revision;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use fs_err as fs;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use super::super::error::StoreError;
use super::super::index::Entry;
use super::super::path::ObjectPath;
use super::super::publication::{Body, Publication};
use super::super::view::on_disk;
use super::answers::{Committed, Preupload, TreeItem};
use super::api::Api;
use super::lfs;

/// Largest file that goes inside a commit request, in memory and as base64; larger ones go through LFS or not at all.
const REGULAR_BYTES_MAX: u64 = 5 << 20;

/// Bytes of all such files of one commit.
const REGULAR_BYTES_SUM_MAX: u64 = 32 << 20;

/// Files of one preupload request (huggingface_hub 2.4.0 `_commit_api.py`).
const PREUPLOAD_FILES: usize = 256;

/// First bytes of a file by which the Hub tells text from binary (huggingface_hub 2.4.0 `lfs.py`).
const SAMPLE_BYTES: usize = 512;

/// The one file of a repository that the Hub itself makes: which files are large.
const GIT_ATTRIBUTES: &str = ".gitattributes";

/// How often a publish starts over because somebody else committed.
const PARENTS_MAX: u32 = 3;

/// A publication on its way to the Hub.
#[derive(Debug)]
pub(super) struct Upload<'a> {
    api: &'a Api,
    publication: &'a Publication,
    entries: Vec<Entry>,
}

impl<'a> Upload<'a> {
    pub(super) fn new(api: &'a Api, publication: &'a Publication, entries: Vec<Entry>) -> Self {
        Self {
            api,
            publication,
            entries,
        }
    }

    /// Uploads and commits what is not there; gives the commit.
    pub(super) async fn run(&self) -> Result<Revision, StoreError> {
        let mut modes = None;
        for _ in 0..PARENTS_MAX {
            let (parent, tree) = self.newest().await?;
            if self.is_published(&tree).await? {
                return Ok(parent);
            }
            let modes = match &modes {
                Some(modes) => modes,
                None => modes.insert(self.send_files().await?),
            };
            if let Some(commit) = self.commit(&parent, &tree, modes).await? {
                return Ok(commit);
            }
        }
        Err(StoreError::Conflict {
            repo: self.publication.repo.clone(),
        })
    }

    async fn newest(&self) -> Result<(Revision, Vec<TreeItem>), StoreError> {
        const ACTION: &str = "asking for the newest commit";
        let gone = || self.api.error(ACTION, "the repository is not there", true);
        let repo = &self.publication.repo;
        let info = self.api.info(repo, "main").await?.ok_or_else(gone)?;
        let tree = self.api.tree(repo, &info.sha).await?.ok_or_else(gone)?;
        let parent = info
            .sha
            .parse()
            .map_err(|_| self.api.error(ACTION, "a commit that is no SHA-1", false))?;
        Ok((parent, tree))
    }

    /// Whether a commit holds these files and no others.
    async fn is_published(&self, tree: &[TreeItem]) -> Result<bool, StoreError> {
        let files: BTreeMap<&str, &TreeItem> = tree
            .iter()
            .filter(|item| item.kind == "file" && item.path != GIT_ATTRIBUTES)
            .map(|item| (item.path.as_str(), item))
            .collect();
        if files.len() != self.entries.len() {
            return Ok(false);
        }
        for entry in &self.entries {
            let same = match files.get(entry.path.as_str()) {
                Some(item) if item.size != entry.bytes => false,
                Some(item) if item.lfs.is_some() => item.sha256() == entry.sha256,
                Some(item) if entry.bytes <= REGULAR_BYTES_MAX => {
                    blob_id(&self.read(entry).await?) == item.oid
                }
                _ => false,
            };
            if !same {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Asks how the Hub wants the files, and uploads the large ones; gives the paths of those.
    async fn send_files(&self) -> Result<BTreeSet<ObjectPath>, StoreError> {
        let mut large = BTreeSet::new();
        for files in self.entries.chunks(PREUPLOAD_FILES) {
            self.modes(files, &mut large).await?;
        }
        let mut sum = 0;
        for entry in self.entries.iter().filter(|entry| !large.contains(&entry.path)) {
            sum += entry.bytes;
            if entry.bytes > REGULAR_BYTES_MAX || sum > REGULAR_BYTES_SUM_MAX {
                return Err(StoreError::Unpublishable {
                    what: format!(
                        "the Hub takes `{}` ({} bytes) only inside a commit request, where files have at most \
                         {REGULAR_BYTES_MAX} bytes, {REGULAR_BYTES_SUM_MAX} together; name its ending in {GIT_ATTRIBUTES}",
                        entry.path, entry.bytes
                    ),
                });
            }
        }
        let objects: Vec<(&Entry, &Body)> = self
            .entries
            .iter()
            .filter(|entry| large.contains(&entry.path))
            .filter_map(|entry| Some((entry, self.publication.files.get(&entry.path)?)))
            .collect();
        lfs::upload(self.api, &self.publication.repo, &objects).await?;
        Ok(large)
    }

    async fn modes(&self, files: &[Entry], large: &mut BTreeSet<ObjectPath>) -> Result<(), StoreError> {
        const ACTION: &str = "asking how to upload";
        let mut asked = Vec::with_capacity(files.len());
        for entry in files {
            let sample = BASE64.encode(self.sample(entry).await?);
            asked.push(json!({"path": entry.path, "size": entry.bytes, "sample": sample}));
        }
        let body = json!({ "files": asked }).to_string();
        let url = self.api.api_url(&self.publication.repo, "preupload/main");
        let make = |client: &Client| {
            let request = client.post(&url).header("content-type", "application/json");
            Ok(self.api.sign(request, &url).body(body.clone()))
        };
        let answer = self.api.call(ACTION, make).await?;
        let answer: Preupload = self.api.json(ACTION, answer)?;
        for entry in files {
            let mode = answer.files.iter().find(|file| file.path == entry.path.as_str());
            let mode = mode.ok_or_else(|| self.api.error(ACTION, "no answer for a file", false))?;
            if mode.should_ignore {
                return Err(StoreError::Unpublishable {
                    what: format!("`{}` is in the repository's .gitignore", entry.path),
                });
            }
            // Empty objects cannot be uploaded (huggingface_hub 2.4.0 `_commit_api.py`).
            if mode.upload_mode == "lfs" && entry.bytes > 0 {
                large.insert(entry.path.clone());
            }
        }
        Ok(())
    }

    /// One commit on `parent`; `None` if somebody else's came first, or this one's answer was lost.
    async fn commit(
        &self,
        parent: &Revision,
        tree: &[TreeItem],
        large: &BTreeSet<ObjectPath>,
    ) -> Result<Option<Revision>, StoreError> {
        const ACTION: &str = "committing";
        let body = self.lines(parent, tree, large).await?;
        let url = self.api.api_url(&self.publication.repo, "commit/main");
        let make = |client: &Client| {
            let request = client.post(&url).header("content-type", "application/x-ndjson");
            Ok(self.api.sign(request, &url).body(body.clone()))
        };
        let answer = self.api.call(ACTION, make).await?;
        if matches!(
            answer.status,
            StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED
        ) {
            return Ok(None);
        }
        let committed: Committed = self.api.json(ACTION, answer)?;
        let commit = committed.commit_oid.parse();
        commit
            .map(Some)
            .map_err(|_| self.api.error(ACTION, "a commit that is no SHA-1", false))
    }

    /// The commit as lines of JSON: header, files, pointers, and what is there but not published any more.
    async fn lines(
        &self,
        parent: &Revision,
        tree: &[TreeItem],
        large: &BTreeSet<ObjectPath>,
    ) -> Result<Vec<u8>, StoreError> {
        let summary = format!("publish {}", self.publication.anchor);
        let mut lines = vec![json!({"key": "header", "value": {
            "summary": summary, "description": "", "parentCommit": parent.to_string()}})];
        for entry in &self.entries {
            lines.push(if large.contains(&entry.path) {
                json!({"key": "lfsFile", "value": {
                    "path": entry.path, "algo": "sha256", "oid": entry.sha256, "size": entry.bytes}})
            } else {
                let content = BASE64.encode(self.read(entry).await?);
                json!({"key": "file", "value": {"content": content, "path": entry.path, "encoding": "base64"}})
            });
        }
        let published: BTreeSet<&str> = self.entries.iter().map(|entry| entry.path.as_str()).collect();
        for item in tree
            .iter()
            .filter(|item| item.kind == "file" && item.path != GIT_ATTRIBUTES)
        {
            if !published.contains(item.path.as_str()) {
                lines.push(json!({"key": "deletedFile", "value": {"path": item.path}}));
            }
        }
        let mut body = Vec::new();
        for line in &lines {
            body.extend_from_slice(Value::to_string(line).as_bytes());
            body.push(b'\n');
        }
        Ok(body)
    }

    /// A file of at most [`REGULAR_BYTES_MAX`] bytes.
    async fn read(&self, entry: &Entry) -> Result<Vec<u8>, StoreError> {
        self.head(entry, REGULAR_BYTES_MAX).await
    }

    async fn sample(&self, entry: &Entry) -> Result<Vec<u8>, StoreError> {
        self.head(entry, SAMPLE_BYTES as u64).await
    }

    /// The first bytes of a file.
    async fn head(&self, entry: &Entry, bytes_max: u64) -> Result<Vec<u8>, StoreError> {
        match self.publication.files.get(&entry.path) {
            None => Ok(Vec::new()),
            Some(Body::Bytes(bytes)) => {
                let len = bytes.len().min(bytes_max as usize);
                Ok(bytes.get(..len).unwrap_or_default().to_vec())
            }
            Some(Body::File(path)) => {
                let path = path.clone();
                on_disk(move || {
                    use std::io::Read as _;
                    let mut bytes = Vec::new();
                    fs::File::open(&path)
                        .and_then(|file| file.take(bytes_max).read_to_end(&mut bytes))
                        .map_err(|source| StoreError::File { path, source })?;
                    Ok(bytes)
                })
                .await
            }
        }
    }
}

/// The name git gives to a file's content.
fn blob_id(bytes: &[u8]) -> String {
    let mut hasher = Sha1::new();
    hasher.update(format!("blob {}\0", bytes.len()).as_bytes());
    hasher.update(bytes);
    assay_types::hex::encode(&hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_named_as_git_names_it() {
        // `printf hello | git hash-object --stdin`
        assert_eq!(blob_id(b"hello"), "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0");
    }
}

//! Large files to the Hub over Git LFS: one request a file, or in parts where the Hub says so; streamed from disk.
//!
//! Called by `commit` before the commit, which only names digests. What the Hub has already is not sent again. Upload
//! addresses are the Hub's to choose; they carry their own authorisation and never get the token unless they are the Hub.

use std::io::{Read as _, Seek as _, SeekFrom};

use assay_types::RepoName;
use bytes::Bytes;
use fs_err as fs;
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use reqwest::{Client, RequestBuilder};
use serde_json::json;

use super::super::error::StoreError;
use super::super::index::Entry;
use super::super::publication::Body;
use super::super::view::on_disk;
use super::answers::{Action, Batch, UploadedPart};
use super::api::Api;

/// Objects of one batch request.
const BATCH_OBJECTS: usize = 100;

/// Largest part that is held in memory; the Hub asks for some ten MiB.
const PART_BYTES_MAX: u64 = 256 << 20;

/// Media type of Git LFS ("Batch API").
const LFS_MEDIA: &str = "application/vnd.git-lfs+json";

/// Uploads the objects that the Hub does not have, in order.
pub(super) async fn upload(
    api: &Api,
    repo: &RepoName,
    objects: &[(&Entry, &Body)],
) -> Result<(), StoreError> {
    const ACTION: &str = "asking where to upload";
    for some in objects.chunks(BATCH_OBJECTS) {
        let named: Vec<_> = some
            .iter()
            .map(|(entry, _)| json!({"oid": entry.sha256, "size": entry.bytes}))
            .collect();
        let body = json!({"operation": "upload", "transfers": ["basic", "multipart"], "hash_algo": "sha256",
            "objects": named})
        .to_string();
        let url = api.batch_url(repo);
        let make = |client: &Client| Ok(api.sign(lfs(client.post(&url)), &url).body(body.clone()));
        let answer = api.call(ACTION, make).await?;
        let batch: Batch = api.json(ACTION, answer)?;
        for object in batch.objects {
            if let Some(error) = object.error {
                return Err(api.error(ACTION, &format!("an object is not taken ({})", error.code), false));
            }
            let known = some.iter().find(|(entry, _)| entry.sha256 == Some(object.oid));
            let (Some(actions), Some((entry, body))) = (object.actions, known) else {
                continue;
            };
            let file = LargeFile { api, entry, body };
            if let Some(action) = &actions.upload {
                file.send(action).await?;
            }
            if let Some(action) = &actions.verify {
                file.verify(action).await?;
            }
        }
    }
    Ok(())
}

fn lfs(request: RequestBuilder) -> RequestBuilder {
    request.header(ACCEPT, LFS_MEDIA).header(CONTENT_TYPE, LFS_MEDIA)
}

/// One file on its way.
struct LargeFile<'a> {
    api: &'a Api,
    entry: &'a Entry,
    body: &'a Body,
}

impl LargeFile<'_> {
    async fn send(&self, action: &Action) -> Result<(), StoreError> {
        match action.header.get("chunk_size") {
            Some(size) => self.send_parts(action, size).await,
            None => self.send_whole(action).await,
        }
    }

    async fn send_whole(&self, action: &Action) -> Result<(), StoreError> {
        const ACTION: &str = "uploading a file";
        let make = |client: &Client| {
            let mut request = client.put(&action.href).header(CONTENT_LENGTH, self.entry.bytes);
            for (name, value) in &action.header {
                if let Some(value) = value.as_str() {
                    request = request.header(name, value);
                }
            }
            Ok(self.api.sign(request, &action.href).body(self.stream()?))
        };
        let answer = self.api.call(ACTION, make).await?;
        self.api.good(ACTION, answer).map(|_| ())
    }

    /// The bytes as a request's body; opened anew for each attempt.
    fn stream(&self) -> Result<reqwest::Body, StoreError> {
        match self.body {
            Body::Bytes(bytes) => Ok(bytes.clone().into()),
            Body::File(path) => {
                let file = std::fs::File::open(path).map_err(|source| StoreError::File {
                    path: path.clone(),
                    source,
                })?;
                Ok(tokio::fs::File::from_std(file).into())
            }
        }
    }

    async fn send_parts(&self, action: &Action, size: &serde_json::Value) -> Result<(), StoreError> {
        const ACTION: &str = "uploading a file in parts";
        let refuse = |cause: &str| self.api.error(ACTION, cause, false);
        let size = size
            .as_str()
            .and_then(|text| text.parse().ok())
            .or_else(|| size.as_u64());
        let size = size
            .filter(|size| (1..=PART_BYTES_MAX).contains(size))
            .ok_or_else(|| refuse("a part size that is not possible"))?;
        let mut urls: Vec<(usize, &str)> = action
            .header
            .iter()
            .filter_map(|(number, url)| Some((number.parse().ok()?, url.as_str()?)))
            .collect();
        urls.sort_unstable();
        if urls.len() as u64 != self.entry.bytes.div_ceil(size) {
            return Err(refuse("another number of parts than the file has"));
        }
        let mut parts = Vec::with_capacity(urls.len());
        for ((_, url), part_number) in urls.into_iter().zip(1..) {
            let offset = (part_number as u64 - 1) * size;
            let bytes = self.part(offset, size.min(self.entry.bytes - offset)).await?;
            let make = |client: &Client| Ok(self.api.sign(client.put(url), url).body(bytes.clone()));
            let answer = self.api.good(ACTION, self.api.call(ACTION, make).await?)?;
            let etag = answer.headers.get(ETAG).and_then(|etag| etag.to_str().ok());
            let etag = etag.ok_or_else(|| refuse("a part without a tag"))?.to_owned();
            parts.push(UploadedPart { part_number, etag });
        }
        let body = json!({"oid": self.entry.sha256, "parts": parts}).to_string();
        let url = &action.href;
        let make = |client: &Client| Ok(self.api.sign(lfs(client.post(url)), url).body(body.clone()));
        let answer = self.api.call(ACTION, make).await?;
        self.api.good(ACTION, answer).map(|_| ())
    }

    async fn part(&self, offset: u64, len: u64) -> Result<Bytes, StoreError> {
        match self.body {
            Body::Bytes(bytes) => {
                let range = offset as usize..(offset + len) as usize;
                Ok(bytes.get(range).map(Bytes::copy_from_slice).unwrap_or_default())
            }
            Body::File(path) => {
                let path = path.clone();
                on_disk(move || {
                    let mut bytes = Vec::new();
                    fs::File::open(&path)
                        .and_then(|mut file| {
                            file.seek(SeekFrom::Start(offset))?;
                            file.take(len).read_to_end(&mut bytes)
                        })
                        .map_err(|source| StoreError::File { path, source })?;
                    Ok(bytes.into())
                })
                .await
            }
        }
    }

    async fn verify(&self, action: &Action) -> Result<(), StoreError> {
        const ACTION: &str = "having an upload verified";
        let body = json!({"oid": self.entry.sha256, "size": self.entry.bytes}).to_string();
        let url = &action.href;
        let make = |client: &Client| {
            let request = client.post(url).header(CONTENT_TYPE, "application/json");
            Ok(self.api.sign(request, url).body(body.clone()))
        };
        let answer = self.api.call(ACTION, make).await?;
        self.api.good(ACTION, answer).map(|_| ())
    }
}

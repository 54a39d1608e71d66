//! Writing to a bucket: small objects in one request, large ones in parts, what is there already not again.
//!
//! Called by the object store with keys below its prefix. A file streams from disk; memory is [`PARTS_AT_ONCE`] parts.
//! Requests are repeated by `object_store` within the bounds of the crate's options. An upload in parts that is never
//! completed is invisible; a lifecycle rule of the bucket removes its parts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fs_err as fs;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{HttpClient, HttpConnector};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, BackoffConfig, ClientOptions, GetOptions, ObjectStore as _, PutMultipartOptions,
    PutOptions, PutPayload, RetryConfig, WriteMultipart,
};

use super::super::error::StoreError;
use super::super::index::Entry;
use super::super::publication::Body;
use super::super::view::on_disk;
use crate::remote::{client, error_code};
use crate::{OpenOptions, Secret};

/// Files above this go in parts.
const SINGLE_BYTES_MAX: u64 = 8 << 20;

/// Least bytes of a part; more where a file would need more parts than S3 takes.
const PART_BYTES_MIN: u64 = 8 << 20;

/// Parts of one object: 10,000 (S3, "multipart upload limits").
const PARTS_MAX: u64 = 10_000;

/// Parts on the way at once.
const PARTS_AT_ONCE: usize = 4;

/// Longest silence while a part goes out: 8 MiB over a line of 0.3 Mbit/s.
const PART_MS_MAX: u64 = 240_000;

/// Longest time over all repetitions of one request: signatures are valid for five minutes.
const RETRY_TIME_MAX: Duration = Duration::from_secs(280);

/// Folders that one listing returns.
const FOLDERS_MAX: usize = 100_000;

/// Metadata of each file: its digest, by which a repeated publish knows what is uploaded.
const SHA256_KEY: &str = "assay-sha256";

/// A prefix of a bucket, with keys that may write.
#[derive(Clone)]
pub(super) struct Bucket {
    store: Arc<AmazonS3>,
    prefix: String,
    /// `s3://bucket/prefix`, for messages.
    name: String,
}

impl fmt::Debug for Bucket {
    /// Without the store, whose own form shows access keys and session tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bucket").field(&self.name).finish()
    }
}

impl Bucket {
    /// The bucket at `bucket/prefix`.
    pub(super) fn new(place: &str, options: &OpenOptions) -> Result<Self, StoreError> {
        let name = format!("s3://{place}");
        let bad = |reason: &str| StoreError::BadStore {
            store: name.clone(),
            reason: reason.to_owned(),
        };
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let is_bucket = bucket.starts_with(|c: char| c.is_ascii_alphanumeric()) && bucket.bytes().all(legal);
        if !is_bucket || Path::parse(prefix).is_err() {
            return Err(bad(
                "bucket is missing, or the prefix has empty or relative parts",
            ));
        }
        let (Some(id), Some(secret)) = (&options.s3.access_key_id, &options.s3.secret_access_key) else {
            return Err(bad("access key or secret key is missing"));
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(&options.s3.region)
            .with_access_key_id(id.reveal())
            .with_secret_access_key(secret.reveal())
            .with_client_options(ClientOptions::new().with_allow_http(true))
            .with_retry(retry(options))
            .with_http_connector(Connector(OpenOptions {
                idle_ms_max: options.idle_ms_max.max(PART_MS_MAX),
                ..options.clone()
            }));
        if let Some(endpoint) = &options.s3.endpoint {
            builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
        }
        if let Some(token) = options.s3.session_token.as_ref().map(Secret::reveal) {
            builder = builder.with_token(token);
        }
        let store = builder
            .build()
            .map_err(|_| bad("keys, region or endpoint are not of the form S3 wants"))?;
        Ok(Self {
            store: Arc::new(store),
            prefix: prefix.to_owned(),
            name,
        })
    }

    fn path(&self, key: &str) -> Result<Path, StoreError> {
        let whole = if self.prefix.is_empty() {
            key.to_owned()
        } else {
            format!("{}/{key}", self.prefix)
        };
        Path::parse(whole).map_err(|_| StoreError::BadStore {
            store: self.name.clone(),
            reason: format!("key `{key}` has empty or relative parts"),
        })
    }

    /// Whether an object is there.
    pub(super) async fn has(&self, key: &str) -> Result<bool, StoreError> {
        Ok(self.head(key).await?.is_some())
    }

    async fn head(&self, key: &str) -> Result<Option<object_store::GetResult>, StoreError> {
        let options = GetOptions {
            head: true,
            ..GetOptions::default()
        };
        match self.store.get_opts(&self.path(key)?, options).await {
            Ok(found) => Ok(Some(found)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.error("asking for an object", &error)),
        }
    }

    /// A small object, `None` if it is not there.
    pub(super) async fn get(&self, key: &str, bytes_max: u64) -> Result<Option<Bytes>, StoreError> {
        const ACTION: &str = "reading an object";
        match self.store.get_opts(&self.path(key)?, GetOptions::default()).await {
            Ok(found) if found.meta.size > bytes_max => Err(StoreError::Request {
                action: ACTION,
                store: self.name.clone(),
                cause: format!("`{key}` has more than {bytes_max} bytes"),
                passes: false,
            }),
            Ok(found) => Ok(Some(
                found.bytes().await.map_err(|error| self.error(ACTION, &error))?,
            )),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.error(ACTION, &error)),
        }
    }

    /// Writes a small object.
    pub(super) async fn put(&self, key: &str, bytes: Bytes) -> Result<(), StoreError> {
        let path = self.path(key)?;
        let put = self
            .store
            .put_opts(&path, PutPayload::from_bytes(bytes), PutOptions::default());
        put.await
            .map_err(|error| self.error("writing an object", &error))?;
        Ok(())
    }

    /// Uploads a file unless it is there with this digest; gives its entity tag.
    pub(super) async fn upload(
        &self,
        key: &str,
        entry: &Entry,
        body: &Body,
    ) -> Result<Option<String>, StoreError> {
        const ACTION: &str = "uploading a file";
        let digest = entry.sha256.map(|sha256| sha256.to_string()).unwrap_or_default();
        let attribute = Attribute::Metadata(SHA256_KEY.into());
        if let Some(found) = self.head(key).await? {
            let same = found
                .attributes
                .get(&attribute)
                .is_some_and(|value| value.as_ref() == digest);
            if same && found.meta.size == entry.bytes {
                return Ok(found.meta.e_tag);
            }
        }
        let path = self.path(key)?;
        let attributes = Attributes::from_iter([(attribute, digest)]);
        if let Body::File(file) = body
            && entry.bytes > SINGLE_BYTES_MAX
        {
            return self.upload_parts(&path, entry, file, attributes).await;
        }
        let bytes = match body {
            Body::Bytes(bytes) => bytes.clone(),
            Body::File(file) => read_small(file.clone(), entry.clone()).await?,
        };
        let options = PutOptions {
            attributes,
            ..PutOptions::default()
        };
        let put = self.store.put_opts(&path, PutPayload::from_bytes(bytes), options);
        Ok(put.await.map_err(|error| self.error(ACTION, &error))?.e_tag)
    }

    async fn upload_parts(
        &self,
        path: &Path,
        entry: &Entry,
        file: &std::path::Path,
        attributes: Attributes,
    ) -> Result<Option<String>, StoreError> {
        const ACTION: &str = "uploading a file in parts";
        let options = PutMultipartOptions {
            attributes,
            ..PutMultipartOptions::default()
        };
        let failed = |error: object_store::Error| self.error(ACTION, &error);
        let upload = self
            .store
            .put_multipart_opts(path, options)
            .await
            .map_err(failed)?;
        let part_bytes = PART_BYTES_MIN.max(entry.bytes.div_ceil(PARTS_MAX));
        let mut parts = WriteMultipart::new_with_chunk_size(upload, part_bytes as usize);
        match feed(&mut parts, entry, file, part_bytes).await {
            Ok(()) => Ok(parts.finish().await.map_err(failed)?.e_tag),
            Err(error) => {
                // What cannot be removed now is invisible, and the bucket's lifecycle rule removes it.
                let _ = parts.abort().await;
                Err(match error {
                    Fed::Store(error) => failed(error),
                    Fed::Source(error) => error,
                })
            }
        }
    }

    /// Names of the folders below a folder.
    pub(super) async fn folders(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let listed = self.store.list_with_delimiter(Some(&self.path(folder)?)).await;
        let listed = listed.map_err(|error| self.error("listing", &error))?;
        let names = listed.common_prefixes.iter().take(FOLDERS_MAX);
        Ok(names
            .filter_map(|path| path.filename().map(str::to_owned))
            .collect())
    }

    /// A failure without what might quote keys: the status and code that its text names.
    fn error(&self, action: &'static str, error: &object_store::Error) -> StoreError {
        let store = self.name.clone();
        match error {
            object_store::Error::PermissionDenied { .. } => StoreError::Refused {
                action,
                store,
                status: 403,
            },
            object_store::Error::Unauthenticated { .. } => StoreError::Refused {
                action,
                store,
                status: 401,
            },
            object_store::Error::NotFound { .. } => StoreError::Request {
                action,
                store,
                cause: "the bucket does not exist".to_owned(),
                passes: false,
            },
            other => {
                let text = crate::remote::causes(other);
                let code = error_code(text.as_bytes());
                let status = text
                    .split("status code: ")
                    .nth(1)
                    .and_then(|rest| rest.get(..3)?.parse().ok());
                StoreError::Request {
                    action,
                    store,
                    passes: status.is_none_or(crate::error::status_retryable),
                    cause: match (status, code) {
                        (Some(status), Some(code)) => format!("server answered {status} ({code})"),
                        (Some(status), None) => format!("server answered {status}"),
                        (None, _) => "no answer within the repetitions allowed".to_owned(),
                    },
                }
            }
        }
    }
}

/// Why a file was not fed.
enum Fed {
    Store(object_store::Error),
    Source(StoreError),
}

/// Reads a file part by part into an upload.
async fn feed(
    parts: &mut WriteMultipart,
    entry: &Entry,
    file: &std::path::Path,
    part_bytes: u64,
) -> Result<(), Fed> {
    use std::io::Read as _;
    let path = file.to_owned();
    let open = move || {
        fs::File::open(&path).map_err(|source| StoreError::File {
            path: path.clone(),
            source,
        })
    };
    let mut source = on_disk(open).await.map_err(Fed::Source)?;
    let mut fed = 0;
    while fed < entry.bytes {
        let path = file.to_owned();
        let read = move || {
            let mut part = Vec::new();
            match (&mut source).take(part_bytes).read_to_end(&mut part) {
                Ok(_) => Ok((source, part)),
                Err(source) => Err(StoreError::File { path, source }),
            }
        };
        let (back, part) = on_disk(read).await.map_err(Fed::Source)?;
        source = back;
        if part.is_empty() {
            return Err(Fed::Source(changed(entry)));
        }
        fed += part.len() as u64;
        parts.wait_for_capacity(PARTS_AT_ONCE).await.map_err(Fed::Store)?;
        parts.put(part.into());
    }
    if fed == entry.bytes {
        Ok(())
    } else {
        Err(Fed::Source(changed(entry)))
    }
}

async fn read_small(file: std::path::PathBuf, entry: Entry) -> Result<Bytes, StoreError> {
    on_disk(move || match fs::read(&file) {
        Ok(bytes) if bytes.len() as u64 == entry.bytes => Ok(bytes.into()),
        Ok(_) => Err(changed(&entry)),
        Err(source) => Err(StoreError::File { path: file, source }),
    })
    .await
}

fn changed(entry: &Entry) -> StoreError {
    StoreError::Unpublishable {
        what: format!("`{}` changed while it was published", entry.path),
    }
}

fn retry(options: &OpenOptions) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(options.backoff_ms_min.max(1)),
            max_backoff: Duration::from_millis(options.backoff_ms_max.max(1)),
            base: 2.0,
        },
        max_retries: options.attempts_max.saturating_sub(1) as usize,
        retry_timeout: RETRY_TIME_MAX,
    }
}

/// Gives `object_store` the crate's own client, and so its proxy and time-outs.
#[derive(Debug)]
struct Connector(OpenOptions);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        match client(&self.0) {
            Ok(client) => Ok(HttpClient::new(client)),
            Err(error) => Err(object_store::Error::Generic {
                store: "S3",
                source: Box::new(error),
            }),
        }
    }
}

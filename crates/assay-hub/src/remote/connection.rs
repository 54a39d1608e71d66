//! One remote object: completes ranges of it over as many requests as that takes.
//!
//! Used by `RemoteReader` for a whole object and by [`crate::Ranges`] for single records. Memory: the range asked
//! for. A request that breaks is repeated from the byte where it broke, after a pause; the version of the first
//! answer binds all later ones.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, IF_MATCH, RANGE, RETRY_AFTER};
use reqwest::{Client, Proxy, Response, StatusCode, redirect};
use tracing::warn;

use super::address::Address;
use super::answer::{Answer, Version, text};
use super::version::ObjectVersion;
use crate::error::status_retryable;
use crate::{DIRECT, HubError, OpenOptions, Secret};

/// Redirects that one request follows.
const REDIRECTS_MAX: usize = 5;

/// Attempts while no server has ever answered: a host that does not exist should say so in seconds.
const FIRST_CONTACT_ATTEMPTS_MAX: u32 = 3;

/// Bytes of an error answer that are read for its code.
const ERROR_BODY_BYTES_MAX: usize = 4 << 10;

/// Longest time for one body, whatever its length and the rate allowed.
const BODY_TIME_MAX: Duration = Duration::from_hours(24);

/// Header in which S3 names a bucket's region.
const REGION_HEADER: &str = "x-amz-bucket-region";

/// Header in which the Hugging Face hub names what is wrong.
const HUB_ERROR_HEADER: &str = "x-error-code";

/// A runtime for one thread: timers and sockets, no workers.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, HubError> {
    let client = |error: std::io::Error| HubError::Client {
        reason: error.to_string(),
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(client)
}

/// One remote object and what is known of it.
#[derive(Debug)]
pub(crate) struct Connection {
    client: Client,
    address: Address,
    /// The URL as errors show it.
    name: String,
    /// Sent to the first host only, never to one that it redirects to.
    bearer: Option<Secret>,
    options: OpenOptions,
    version: Option<Version>,
    total: Option<u64>,
    body: Option<Body>,
}

/// An answer whose body is being read.
#[derive(Debug)]
struct Body {
    response: Response,
    /// Offset in the object of the next byte.
    position: u64,
    /// Offset at which the body should end, if known.
    end: Option<u64>,
    /// Bytes received but not asked for yet.
    rest: Bytes,
}

/// Why an attempt failed.
enum Failure {
    /// Repeating does not help.
    Fatal(HubError),
    /// Repeat, not before the server's `Retry-After`.
    Again {
        cause: String,
        after: Option<Duration>,
        status: Option<HubError>,
    },
}

impl From<HubError> for Failure {
    fn from(error: HubError) -> Self {
        Self::Fatal(error)
    }
}

impl Connection {
    /// Prepares reading; no request is made yet.
    pub(crate) fn new(url: &str, name: &str, options: &OpenOptions) -> Result<Self, HubError> {
        let address = Address::new(url, &options.s3)?;
        Ok(Self::shared(client(options)?, address, name, options))
    }

    /// Prepares reading over a client that others use, too.
    pub(crate) fn shared(client: Client, address: Address, name: &str, options: &OpenOptions) -> Self {
        Self {
            client,
            address,
            name: name.to_owned(),
            bearer: None,
            options: options.clone(),
            version: None,
            total: None,
            body: None,
        }
    }

    /// Sends a token with every request.
    pub(crate) fn with_bearer(mut self, bearer: Option<Secret>) -> Self {
        self.bearer = bearer;
        self
    }

    /// Binds the object to a length and, if known, an entity tag before the first request.
    pub(crate) fn bound_to(mut self, total: u64, etag: Option<&str>) -> Self {
        self.total = Some(total);
        self.version = etag.map(Version::tagged);
        self
    }

    /// What the answers so far said of the object's version.
    pub(crate) fn object_version(&self) -> ObjectVersion {
        ObjectVersion {
            bytes: self.total,
            etag: self.version.as_ref().and_then(Version::etag).map(str::to_owned),
        }
    }

    /// The bytes `[from, from + len)`, fewer only where the object ends.
    pub(crate) async fn read(&mut self, from: u64, len: u64) -> Result<Vec<u8>, HubError> {
        let until = from.saturating_add(len);
        let mut bytes = Vec::new();
        let mut attempts = 0;
        loop {
            let failure = match self.advance(from + bytes.len() as u64, until, &mut bytes).await {
                Ok(true) => return Ok(bytes),
                // Progress within the rules, such as a part shorter than asked for.
                Ok(false) => continue,
                Err(failure) => failure,
            };
            self.body = None;
            let (cause, after, status) = match failure {
                Failure::Fatal(error) => return Err(error),
                Failure::Again { cause, after, status } => (cause, after, status),
            };
            attempts += 1;
            let offset = from + bytes.len() as u64;
            let met = self.version.is_some() || status.is_some();
            let limit = if met { u32::MAX } else { FIRST_CONTACT_ATTEMPTS_MAX };
            if attempts >= self.options.attempts_max.min(limit) {
                let broken = HubError::Broken {
                    url: self.name.clone(),
                    offset,
                    attempts,
                    cause,
                };
                return Err(status.unwrap_or(broken));
            }
            let pause = pause(&self.options, attempts, after);
            warn!(url = %self.name, offset, attempts, cause, pause_ms = pause.as_millis(), "reading broke, trying again");
            tokio::time::sleep(pause).await;
        }
    }

    /// Reads on at `next` and adds what comes before `until`: from the open body if it leads there, else from a new
    /// request. `true` when all is there or the object ends; `false` after progress that did not suffice.
    async fn advance(&mut self, next: u64, until: u64, bytes: &mut Vec<u8>) -> Result<bool, Failure> {
        if next >= until || self.total.is_some_and(|total| next >= total) {
            return Ok(true);
        }
        let open = self.body.take().filter(|body| body.leads_to(next));
        let mut body = match open {
            Some(body) => body,
            None => match self.request(next, until).await? {
                Some(body) => body,
                None => return Ok(true),
            },
        };
        let rate = self.options.rate_bytes_min.max(1);
        let slowest_ms = until.saturating_sub(body.position).saturating_mul(1_000) / rate;
        let allowed = Duration::from_millis(self.options.idle_ms_max.saturating_add(slowest_ms));
        let deadline = tokio::time::Instant::now() + allowed.min(BODY_TIME_MAX);
        let mut next = next;
        loop {
            body.give(&mut next, until, bytes);
            if next >= until {
                self.body = Some(body);
                return Ok(true);
            }
            if body.end.is_some_and(|end| body.position >= end) {
                return Ok(self.total == body.end);
            }
            let Ok(chunk) = tokio::time::timeout_at(deadline, body.response.chunk()).await else {
                return Err(again("the body came too slowly"));
            };
            match chunk {
                Ok(Some(chunk)) => body.rest = chunk,
                Ok(None) if body.end.is_some() => return Err(again("the body ended early")),
                // The end of a whole body of unknown length is the end of the object.
                Ok(None) => {
                    self.total = Some(body.position);
                    return Ok(true);
                }
                Err(error) => return Err(again(&causes(&error.without_url()))),
            }
        }
    }

    /// Asks for `[from, until)`; nothing if the object ends before.
    async fn request(&mut self, from: u64, until: u64) -> Result<Option<Body>, Failure> {
        let url = self.address.url(&self.name).await?;
        let mut request = self
            .client
            .get(url)
            .header(RANGE, format!("bytes={from}-{}", until - 1))
            .header(ACCEPT_ENCODING, "identity");
        if let Some(etag) = self.version.as_ref().and_then(Version::strong_etag) {
            request = request.header(IF_MATCH, etag);
        }
        if let Some(bearer) = &self.bearer {
            request = request.bearer_auth(bearer.reveal());
        }
        let response = request.send().await.map_err(|error| self.send_failure(error))?;
        let answer = Answer::judge(response.status(), response.headers(), from);
        if let Answer::Part { total, .. } | Answer::Whole { total } = answer {
            self.bind(Version::of(response.headers()), total, from)?;
        }
        match answer {
            Answer::Part { end, .. } => Ok(Some(Body::new(response, from, Some(end)))),
            Answer::Whole { total } => Ok(Some(Body::new(response, 0, total))),
            Answer::Beyond { total } if self.total.is_some() && total.is_some() && total != self.total => {
                Err(self.changed(from).into())
            }
            Answer::Beyond { total } => {
                self.total = Some(total.unwrap_or(from).min(from));
                Ok(None)
            }
            Answer::Changed => Err(self.changed(from).into()),
            Answer::OtherPart(what) => Err(Failure::Again {
                cause: format!("server sent {what}"),
                after: None,
                status: Some(HubError::BadResponse {
                    url: self.name.clone(),
                    what,
                }),
            }),
            Answer::Nonsense(what) => Err(HubError::BadResponse {
                url: self.name.clone(),
                what,
            }
            .into()),
            Answer::Error => Err(self.status_failure(response).await),
        }
    }

    /// Holds an answer against what the first one said.
    fn bind(&mut self, version: Version, total: Option<u64>, offset: u64) -> Result<(), HubError> {
        let other_total = matches!((self.total, total), (Some(a), Some(b)) if a != b);
        match &self.version {
            Some(first) if other_total || !first.agrees(&version) => return Err(self.changed(offset)),
            Some(_) => {}
            None => self.version = Some(version),
        }
        self.total = self.total.or(total);
        Ok(())
    }

    fn changed(&self, offset: u64) -> HubError {
        HubError::Changed {
            url: self.name.clone(),
            offset,
        }
    }

    fn send_failure(&self, error: reqwest::Error) -> Failure {
        let error = error.without_url();
        if error.is_builder() {
            let reason = causes(&error);
            return HubError::BadUrl {
                url: self.name.clone(),
                reason,
            }
            .into();
        }
        if error.is_redirect() {
            return HubError::BadResponse {
                url: self.name.clone(),
                what: "too many redirects",
            }
            .into();
        }
        again(&causes(&error))
    }

    async fn status_failure(&self, response: Response) -> Failure {
        let status = response.status().as_u16();
        if let Some(region) = response
            .headers()
            .get(REGION_HEADER)
            .and_then(|region| region.to_str().ok())
            && matches!(status, 301 | 307 | 400)
            && region != self.options.s3.region
        {
            return HubError::OtherRegion {
                url: self.name.clone(),
                region: region.to_owned(),
            }
            .into();
        }
        let after = retry_after(response.headers());
        let error = HubError::Status {
            url: self.name.clone(),
            status,
            code: error_code_of(response).await,
        };
        if !status_retryable(status) {
            return error.into();
        }
        Failure::Again {
            cause: format!("server answered {status}"),
            after,
            status: Some(error),
        }
    }
}

/// Doubles from attempt to attempt, with up to a quarter more so that readers do not come back together.
pub(crate) fn pause(options: &OpenOptions, attempts: u32, after: Option<Duration>) -> Duration {
    let doubled = options
        .backoff_ms_min
        .saturating_mul(1 << attempts.saturating_sub(1).min(20));
    let random = RandomState::new().hash_one(attempts) % (doubled / 4 + 1);
    let max = Duration::from_millis(options.backoff_ms_max);
    Duration::from_millis(doubled.saturating_add(random))
        .max(after.unwrap_or_default())
        .min(max)
}

/// What an answer says in `Retry-After`, if it says it in seconds.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = text(headers, RETRY_AFTER)?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

impl Body {
    fn new(response: Response, position: u64, end: Option<u64>) -> Self {
        Self {
            response,
            position,
            end,
            rest: Bytes::new(),
        }
    }

    /// Whether reading on reaches `next`: at once, or in a whole body after skipping.
    fn leads_to(&self, next: u64) -> bool {
        let reaches = self.end.is_none_or(|end| end > next);
        reaches && (self.position == next || (self.whole() && self.position < next))
    }

    fn whole(&self) -> bool {
        self.response.status() == StatusCode::OK
    }

    /// Moves the received bytes in `[next, until)` to `bytes` and drops those before; what lies beyond stays.
    fn give(&mut self, next: &mut u64, until: u64, bytes: &mut Vec<u8>) {
        let skipped = next.saturating_sub(self.position).min(self.rest.len() as u64);
        self.rest.advance(skipped as usize);
        self.position += skipped;
        let limit = until.min(self.end.unwrap_or(u64::MAX));
        let given = limit.saturating_sub(self.position).min(self.rest.len() as u64);
        if self.position == *next {
            bytes.extend_from_slice(&self.rest.split_to(given as usize));
            self.position += given;
            *next += given;
        }
    }
}

fn again(cause: &str) -> Failure {
    Failure::Again {
        cause: cause.to_owned(),
        after: None,
        status: None,
    }
}

/// An error and its causes in one line.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        line = format!("{line}: {cause}");
        next = cause.source();
    }
    line
}

/// The code that an error answer names, from the first bytes of its body.
pub(crate) async fn error_code_of(mut response: Response) -> Option<String> {
    if let Some(code) = response.headers().get(HUB_ERROR_HEADER) {
        return code.to_str().ok().filter(|code| is_code(code)).map(str::to_owned);
    }
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let len = chunk.len().min(ERROR_BODY_BYTES_MAX);
        body.extend_from_slice(chunk.get(..len).unwrap_or_default());
        if body.len() >= ERROR_BODY_BYTES_MAX {
            break;
        }
    }
    error_code(&body)
}

/// `NoSuchKey` of S3's `<Error><Code>NoSuchKey</Code>…`.
pub(crate) fn error_code(body: &[u8]) -> Option<String> {
    let body = String::from_utf8_lossy(body);
    let (code, _) = body.split_once("<Code>")?.1.split_once("</Code>")?;
    is_code(code).then(|| code.to_owned())
}

fn is_code(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A client as the options want it.
pub(crate) fn client(options: &OpenOptions) -> Result<Client, HubError> {
    let mut builder = Client::builder()
        .user_agent(concat!("assay/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_millis(options.connect_ms_max))
        .read_timeout(Duration::from_millis(options.idle_ms_max))
        .redirect(redirect::Policy::limited(REDIRECTS_MAX));
    match options.proxy.as_ref().map(Secret::reveal) {
        None => {}
        Some(DIRECT) => builder = builder.no_proxy(),
        Some(url) => {
            // The error would quote the URL, and so the password in it.
            let bad = |_| HubError::BadOption {
                option: "proxy",
                reason: "it is not a URL".to_owned(),
            };
            builder = builder.proxy(Proxy::all(url).map_err(bad)?);
        }
    }
    builder.build().map_err(|error| HubError::Client {
        reason: causes(&error.without_url()),
    })
}

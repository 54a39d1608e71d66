//! Requests to the Hub: each repeated within the crate's bounds, each answer read within a bound, no token in any error.
//!
//! Used by the store itself and by `commit` and `lfs`. Only the Hub's own host gets the token.

use std::fmt;

use assay_types::{RepoName, Revision};
use reqwest::header::{HeaderMap, LINK};
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::super::error::StoreError;
use super::super::publication::FILES_MAX;
use super::answers::{CommitItem, RepoInfo, TreeItem};
use crate::error::status_retryable;
use crate::remote::{causes, client, error_code, pause, retry_after};
use crate::source::public_url;
use crate::{OpenOptions, Secret};

/// Most bytes of one answer: a page of a tree has 1,000 items of about 300 bytes.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// Commits of a repository that are listed.
const COMMITS_MAX: usize = 100_000;

/// Longest silence while a file or part goes out.
const UPLOAD_MS_MAX: u64 = 600_000;

/// An answer whose body was read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The code that the Hub or the store behind it names.
    pub(super) fn code(&self) -> Option<String> {
        let named = self
            .headers
            .get("x-error-code")
            .and_then(|code| code.to_str().ok());
        named.map(str::to_owned).or_else(|| error_code(&self.body))
    }
}

/// A Hub and who asks.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    endpoint: String,
    token: Option<Secret>,
    options: OpenOptions,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Api").field(&self.address()).finish()
    }
}

impl Api {
    pub(super) fn new(
        endpoint: &str,
        token: Option<Secret>,
        options: &OpenOptions,
    ) -> Result<Self, StoreError> {
        let patient = OpenOptions {
            idle_ms_max: options.idle_ms_max.max(UPLOAD_MS_MAX),
            ..options.clone()
        };
        let used = if token.is_some() { &patient } else { options };
        Ok(Self {
            client: client(used)?,
            endpoint: endpoint.to_owned(),
            token,
            options: options.clone(),
        })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn address(&self) -> String {
        public_url(&self.endpoint)
    }

    pub(super) fn need_token(&self, action: &'static str) -> Result<(), StoreError> {
        match self.token {
            Some(_) => Ok(()),
            None => Err(StoreError::Refused {
                action,
                store: self.address(),
                status: 401,
            }),
        }
    }

    /// Base URL of a revision's files.
    pub(super) fn resolve_url(&self, repo: &RepoName, revision: &Revision) -> String {
        format!("{}/datasets/{}/resolve/{revision}", self.endpoint, repo.as_str())
    }

    /// URL below `/api/datasets/{repo}/`.
    pub(super) fn api_url(&self, repo: &RepoName, rest: &str) -> String {
        format!("{}/api/datasets/{}/{rest}", self.endpoint, repo.as_str())
    }

    /// URL of the batch requests of Git LFS.
    pub(super) fn batch_url(&self, repo: &RepoName) -> String {
        format!(
            "{}/datasets/{}.git/info/lfs/objects/batch",
            self.endpoint,
            repo.as_str()
        )
    }

    /// Adds the token if the request goes to the Hub itself.
    pub(super) fn sign(&self, request: RequestBuilder, url: &str) -> RequestBuilder {
        let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin());
        match &self.token {
            Some(token) if origin(url) == origin(&self.endpoint) => request.bearer_auth(token.reveal()),
            _ => request,
        }
    }

    /// Makes a request until it is answered for good, and reads the answer.
    ///
    /// # Errors
    /// [`StoreError::Request`] if no attempt was answered for good; what `make` says.
    pub(super) async fn call(
        &self,
        action: &'static str,
        make: impl Fn(&Client) -> Result<RequestBuilder, StoreError>,
    ) -> Result<Answer, StoreError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (cause, after) = match read(make(&self.client)?).await {
                Ok(answer) if !status_retryable(answer.status.as_u16()) => return Ok(answer),
                Ok(answer) => {
                    let cause = format!("server answered {}", answer.status.as_u16());
                    (cause, retry_after(&answer.headers))
                }
                Err(Unread::TooLong) => return Err(self.error(action, "an answer too long", false)),
                Err(Unread::Broken(error)) => (causes(&error.without_url()), None),
            };
            if attempts >= self.options.attempts_max {
                return Err(self.error(action, &format!("{cause}, {attempts} attempts"), true));
            }
            let pause = pause(&self.options, attempts, after);
            tracing::warn!(
                action,
                attempts,
                cause,
                pause_ms = pause.as_millis(),
                "request failed, trying again"
            );
            tokio::time::sleep(pause).await;
        }
    }

    /// The answer if it is a success.
    pub(super) fn good(&self, action: &'static str, answer: Answer) -> Result<Answer, StoreError> {
        let status = answer.status.as_u16();
        if answer.status.is_success() {
            return Ok(answer);
        }
        if matches!(status, 401 | 403) {
            return Err(StoreError::Refused {
                action,
                store: self.address(),
                status,
            });
        }
        let cause = match answer.code() {
            Some(code) => format!("server answered {status} ({code})"),
            None => format!("server answered {status}"),
        };
        Err(self.error(action, &cause, false))
    }

    /// The JSON of a successful answer.
    pub(super) fn json<T: DeserializeOwned>(
        &self,
        action: &'static str,
        answer: Answer,
    ) -> Result<T, StoreError> {
        let answer = self.good(action, answer)?;
        serde_json::from_slice(&answer.body).map_err(|error| {
            self.error(
                action,
                &format!("an answer that is not understood: {error}"),
                false,
            )
        })
    }

    pub(super) fn error(&self, action: &'static str, cause: &str, passes: bool) -> StoreError {
        StoreError::Request {
            action,
            store: self.address(),
            cause: cause.to_owned(),
            passes,
        }
    }

    async fn get(&self, action: &'static str, url: &str) -> Result<Answer, StoreError> {
        self.call(action, |client| Ok(self.sign(client.get(url), url)))
            .await
    }

    /// Whether the Hub says that there is no such thing, or that it is not for this reader.
    fn is_absent(&self, answer: &Answer) -> bool {
        match answer.status.as_u16() {
            404 | 410 => true,
            401 | 403 => self.token.is_none(),
            _ => false,
        }
    }

    /// What a revision is, `None` if it is not there or not for this reader.
    pub(super) async fn info(&self, repo: &RepoName, revision: &str) -> Result<Option<RepoInfo>, StoreError> {
        const ACTION: &str = "asking for a revision";
        let answer = self
            .get(ACTION, &self.api_url(repo, &format!("revision/{revision}")))
            .await?;
        if self.is_absent(&answer) {
            return Ok(None);
        }
        self.json(ACTION, answer).map(Some)
    }

    /// The files of a revision, `None` if it is not there or not for this reader.
    pub(super) async fn tree(
        &self,
        repo: &RepoName,
        revision: &str,
    ) -> Result<Option<Vec<TreeItem>>, StoreError> {
        const ACTION: &str = "listing a revision";
        let first = self.api_url(repo, &format!("tree/{revision}?recursive=true&expand=false"));
        self.pages(ACTION, first, FILES_MAX).await
    }

    /// The commits of the branch `main`.
    pub(super) async fn commits(&self, repo: &RepoName) -> Result<Vec<Revision>, StoreError> {
        const ACTION: &str = "listing commits";
        let first = self.api_url(repo, "commits/main");
        let items: Option<Vec<CommitItem>> = self.pages(ACTION, first, COMMITS_MAX).await?;
        let ids = items
            .into_iter()
            .flatten()
            .filter_map(|item| item.id.parse().ok());
        Ok(ids.collect())
    }

    /// All items of a listing that comes in pages (`Link: <…>; rel="next"`).
    async fn pages<T: DeserializeOwned>(
        &self,
        action: &'static str,
        first: String,
        items_max: usize,
    ) -> Result<Option<Vec<T>>, StoreError> {
        let mut items = Vec::new();
        let mut next = Some(first);
        while let Some(url) = next {
            let answer = self.get(action, &url).await?;
            if self.is_absent(&answer) {
                return Ok(None);
            }
            let page_after = next_page(&answer.headers);
            let page: Vec<T> = self.json(action, answer)?;
            if page.is_empty() || items.len() + page.len() > items_max {
                let is_whole = page.is_empty();
                return if is_whole {
                    Ok(Some(items))
                } else {
                    Err(self.error(action, "more items than are read", false))
                };
            }
            items.extend(page);
            next = page_after;
        }
        Ok(Some(items))
    }

    /// Makes a private dataset repository, unless there is one.
    pub(super) async fn create(&self, repo: &RepoName) -> Result<(), StoreError> {
        const ACTION: &str = "creating a repository";
        let (organization, name) = repo.as_str().split_once('/').unwrap_or_default();
        let body =
            json!({"name": name, "organization": organization, "type": "dataset", "visibility": "private"});
        let url = format!("{}/api/repos/create", self.endpoint);
        let make = |client: &Client| {
            let request = client.post(&url).header("content-type", "application/json");
            Ok(self.sign(request, &url).body(body.to_string()))
        };
        let answer = self.call(ACTION, make).await?;
        if answer.status == StatusCode::CONFLICT {
            return Ok(());
        }
        self.good(ACTION, answer).map(|_| ())
    }

    /// Opens a repository to everybody.
    pub(super) async fn make_public(&self, repo: &RepoName) -> Result<(), StoreError> {
        const ACTION: &str = "opening a repository";
        let url = self.api_url(repo, "settings");
        let make = |client: &Client| {
            let request = client.put(&url).header("content-type", "application/json");
            Ok(self
                .sign(request, &url)
                .body(json!({"visibility": "public"}).to_string()))
        };
        let answer = self.call(ACTION, make).await?;
        self.good(ACTION, answer).map(|_| ())
    }
}

/// Why there is no answer.
enum Unread {
    TooLong,
    Broken(reqwest::Error),
}

async fn read(request: RequestBuilder) -> Result<Answer, Unread> {
    let mut response = request.send().await.map_err(Unread::Broken)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Unread::Broken)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Unread::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status: response.status(),
        headers: response.headers().clone(),
        body,
    })
}

fn next_page(headers: &HeaderMap) -> Option<String> {
    let links = headers.get(LINK)?.to_str().ok()?;
    links.split(',').find_map(|link| {
        let (url, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
        rest.contains("rel=\"next\"").then(|| url.to_owned())
    })
}

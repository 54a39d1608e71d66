//! One bounded HTTP exchange with a service: method, target, headers and body out; status, headers and body back.
//!
//! For callers that sign requests: the target goes out exactly as given, nothing is redirected, repeated or unpacked, and a
//! longer answer than asked for is an error.

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Url};
use std::time::Duration;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// An address or target that cannot be asked.
    #[error("cannot ask `{url}`: {reason}")]
    Address {
        /// The service, without credentials.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// No answer, or a longer one than asked for; asking again may help.
    #[error("no answer from `{url}`: {reason}")]
    Failed {
        /// The service, without credentials.
        url: String,
        /// What went wrong.
        reason: String,
    },
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct ExchangeRequest<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// Most bytes of the answer.
    pub bytes_max: usize,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeAnswer {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl ExchangeAnswer {
    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A service at a base address.
#[derive(Debug, Clone)]
pub struct Exchange {
    client: reqwest::Client,
    base: Url,
}

impl Exchange {
    /// A service at `base`, `http://` or `https://` with a host and without path; every exchange ends within `time_max`.
    ///
    /// # Errors
    /// [`ExchangeError::Address`] for another address.
    pub fn new(base: &str, time_max: Duration) -> Result<Self, ExchangeError> {
        let bad = |reason: &str| ExchangeError::Address {
            url: crate::source::public_url(base),
            reason: reason.to_owned(),
        };
        let parsed = Url::parse(base).map_err(|error| bad(&error.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() || parsed.path() != "/" {
            return Err(bad("give http:// or https:// with a host and without path"));
        }
        let client = reqwest::Client::builder()
            .timeout(time_max)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| bad(&error.to_string()))?;
        Ok(Self { client, base: parsed })
    }

    /// The address, without credentials.
    #[must_use]
    pub fn shown(&self) -> String {
        crate::source::public_url(self.base.as_str())
    }

    /// One exchange.
    ///
    /// # Errors
    /// [`ExchangeError::Address`] for a target that would not go out as given, [`ExchangeError::Failed`] for a failed connection or an
    /// answer that is too long.
    pub async fn send(&self, request: ExchangeRequest<'_>) -> Result<ExchangeAnswer, ExchangeError> {
        let bad = |reason: &str| ExchangeError::Address {
            url: self.shown(),
            reason: reason.to_owned(),
        };
        let url = self
            .base
            .join(request.target)
            .map_err(|error| bad(&error.to_string()))?;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        if format!("{}{query}", url.path()) != request.target || url.host() != self.base.host() {
            return Err(bad("the target is not in its canonical form"));
        }
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| bad("no such method"))?;
        let mut builder = self.client.request(method, url).body(request.body);
        for (name, value) in request.headers {
            let value = HeaderValue::from_str(&value).map_err(|_| bad("a header's value is no text"))?;
            builder = builder.header(HeaderName::from_static(name), value);
        }
        let failed = |error: reqwest::Error| ExchangeError::Failed {
            url: self.shown(),
            reason: reason_of(&error),
        };
        let mut response = builder.send().await.map_err(failed)?;
        let headers = response
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
        let (status, headers) = (response.status().as_u16(), headers.collect());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > request.bytes_max {
                return Err(ExchangeError::Failed {
                    url: self.shown(),
                    reason: format!("the answer is longer than {} bytes", request.bytes_max),
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(ExchangeAnswer {
            status,
            headers,
            body,
        })
    }
}

/// The error with its causes, without the address, which may hold credentials.
fn reason_of(error: &reqwest::Error) -> String {
    let mut reason = if error.is_timeout() {
        "timed out".to_owned()
    } else {
        "connection failed".to_owned()
    };
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        reason.push_str(": ");
        reason.push_str(&error.to_string());
        cause = error.source();
    }
    reason
}

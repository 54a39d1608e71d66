//! What handlers take from a request, with a problem document where it does not fit.

use crate::app::App;
use crate::auth::{Caller, Question, authenticate, sign_answer};
use crate::failure::Failure;
use crate::limit::HotkeyStanding;
use crate::store::{PageSize, Signed, Write};
use assay_types::Hotkey;
use assay_types::api::{Answer, BODY_BYTES_MAX, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX, ProblemKind, Source};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::net::IpAddr;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Address of the client, put there by the connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

/// Values of the path.
#[derive(Debug)]
pub(crate) struct PathOf<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<App>> for PathOf<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        match Path::from_request_parts(parts, app).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(Failure::new(ProblemKind::Invalid, rejection.body_text())),
        }
    }
}

/// Values of the query; unknown ones are ignored.
#[derive(Debug)]
pub(crate) struct QueryOf<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<App>> for QueryOf<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        match Query::from_request_parts(parts, app).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(Failure::new(ProblemKind::Invalid, rejection.body_text())),
        }
    }
}

/// Documents of a page, bytes as they are stored; what is longer goes on at `next`. Their JSON is at most twice as long, and one
/// document more than this at most 1 MiB, so that clients that read 16 MiB read every page.
const PAGE_BYTES_MAX: u64 = 4 << 20;

/// Which page of a list.
#[derive(Debug, Clone, serde::Deserialize, IntoParams)]
pub(crate) struct PageQuery {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, at most 500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

impl PageQuery {
    /// How many rows.
    pub(crate) fn limit(&self) -> Result<u32, Failure> {
        match self.limit.unwrap_or(PAGE_ROWS_DEFAULT) {
            limit @ 1..=PAGE_ROWS_MAX => Ok(limit),
            _ => Err(Failure::new(
                ProblemKind::Invalid,
                format!("`limit` is 1 to {PAGE_ROWS_MAX}"),
            )),
        }
    }

    /// How many rows of documents that may be long.
    pub(crate) fn size(&self) -> Result<PageSize, Failure> {
        Ok(PageSize {
            rows: self.limit()?,
            bytes: PAGE_BYTES_MAX,
        })
    }

    /// Where the page begins, a number.
    pub(crate) fn position(&self) -> Result<u64, Failure> {
        let Some(cursor) = &self.cursor else { return Ok(0) };
        let position: u64 = cursor.parse().map_err(|_| wrong_cursor())?;
        i64::try_from(position).map_err(|_| wrong_cursor())?;
        Ok(position)
    }

    /// Where the page begins, a key in hexadecimal.
    pub(crate) fn key(&self) -> Result<&str, Failure> {
        let cursor = self.cursor.as_deref().unwrap_or_default();
        let is_key = cursor.len() <= 64 && cursor.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_key.then_some(cursor).ok_or_else(wrong_cursor)
    }
}

fn wrong_cursor() -> Failure {
    Failure::new(
        ProblemKind::Invalid,
        "`cursor` is the `next` of a page before, unchanged",
    )
}

/// The body of a request as a value.
pub(crate) fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        let kind = match error.classify() {
            serde_json::error::Category::Data if text.starts_with("unknown field") => {
                ProblemKind::UnknownField
            }
            serde_json::error::Category::Data => ProblemKind::Invalid,
            _ => ProblemKind::MalformedBody,
        };
        Failure::new(kind, text)
    })
}

/// A signed request of a registered hotkey.
#[derive(Debug)]
pub(crate) struct SignedRequest {
    pub(crate) app: Arc<App>,
    pub(crate) caller: Caller,
    pub(crate) body: Bytes,
    method: String,
    target: String,
}

impl FromRequest<Arc<App>> for SignedRequest {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, BODY_BYTES_MAX)
            .await
            .map_err(|_| Failure::new(ProblemKind::TooLarge, format!("at most {BODY_BYTES_MAX} bytes")))?;
        check_content(&parts, &body)?;
        let caller = authenticate(app, &parts, &body)?;
        let standing = app
            .rates
            .hotkey(caller.hotkey, caller.nonce, app.clock().now_ms())?;
        if let Some(told) = parts.extensions.get::<HotkeyStanding>() {
            told.tell(standing);
        }
        let view = app.view();
        if view.metagraph.is_none() {
            return Err(
                Failure::new(ProblemKind::NotReady, "try again when `/v1/ready` says so").retry_after(5),
            );
        }
        if view.neuron(&caller.hotkey).is_none() {
            return Err(ProblemKind::NotRegistered.into());
        }
        Ok(Self {
            app: Arc::clone(app),
            caller,
            body,
            method: parts.method.as_str().to_owned(),
            target: parts
                .uri
                .path_and_query()
                .map_or("/", |target| target.as_str())
                .to_owned(),
        })
    }
}

/// JSON, as it is: a compressed body could not be hashed before it is unpacked.
fn check_content(parts: &Parts, body: &[u8]) -> Result<(), Failure> {
    if parts.headers.contains_key(header::CONTENT_ENCODING) {
        return Err(Failure::new(ProblemKind::MediaType, "send the body uncompressed"));
    }
    let kind = parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if body.is_empty() || essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Failure::new(
        ProblemKind::MediaType,
        "send `content-type: application/json`",
    ))
}

impl SignedRequest {
    /// The body as a value.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        read_json(&self.body)
    }

    /// Refuses a body where none belongs.
    pub(crate) fn no_body(&self) -> Result<(), Failure> {
        if self.body.is_empty() {
            return Ok(());
        }
        Err(Failure::new(
            ProblemKind::UnknownField,
            "this request has no body",
        ))
    }

    /// Runs an operation; refuses a replay.
    pub(crate) async fn write<W: Write>(&self, write: W) -> Result<W::Out, Failure> {
        let signed = Signed {
            hotkey: self.caller.hotkey,
            nonce: self.caller.nonce,
            write,
        };
        Ok(self.app.writer().write(signed).await??)
    }

    /// Refuses a hotkey without validator permit.
    pub(crate) fn permit(&self) -> Result<(), Failure> {
        let view = self.app.view();
        match view.neuron(&self.caller.hotkey) {
            Some(neuron) if neuron.permit => Ok(()),
            _ => Err(ProblemKind::NotPermitted.into()),
        }
    }

    /// The signed answer.
    pub(crate) fn answer<T: Serialize + ToSchema>(&self, data: T) -> Result<Response, Failure> {
        let answer: Answer<T> = self.app.answer(Source::Observed, data);
        let question = Question {
            method: &self.method,
            target: &self.target,
            nonce: &self.caller.nonce_text,
        };
        signed_json(&self.app, question, encode(&answer)?)
    }

    /// Who asks.
    pub(crate) const fn hotkey(&self) -> Hotkey {
        self.caller.hotkey
    }
}

/// JSON of an answer.
pub(crate) fn encode<T: Serialize>(answer: &T) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(answer)
        .map_err(|_| Failure::new(ProblemKind::Internal, "the answer cannot be written"))
}

/// A signed answer of these bytes.
pub(crate) fn signed_json(app: &App, question: Question<'_>, body: Vec<u8>) -> Result<Response, Failure> {
    let mut headers = axum::http::HeaderMap::new();
    sign_answer(app, question, 200, &body, &mut headers)?;
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok((headers, Body::from(body)).into_response())
}

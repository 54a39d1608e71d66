//! btauth/1 on the server: who asks, in which order it is checked, and signatures over answers.
//!
//! Order: shape, receiver, time, signature; replay is decided where the request's effect is stored
//! ([`crate::store::Signed`]); registration and permits by the newest metagraph. Layout: docs/api.md, "Signed requests".

use crate::app::App;
use crate::failure::Failure;
use assay_chain::wallet::{SIGNATURE_BYTES, Scheme, verify};
use assay_types::api::{
    AuthScheme, HEADER_CRYPTO, HEADER_HOTKEY, HEADER_NONCE, HEADER_RECEIVER, HEADER_SERVER,
    HEADER_SERVER_SIGNATURE, HEADER_SIGNATURE, HEADER_VERSION, NONCE_AGE_MS_MAX, NONCE_AHEAD_MS_MAX,
    ProblemKind, RequestToSign, ResponseToSign,
};
use assay_types::{Hotkey, Sha256Digest, hex};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};

/// Nanoseconds of a millisecond.
const NS_A_MS: u64 = 1_000_000;

/// Who made a request; its nonce is not yet known to be new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The hotkey.
    pub(crate) hotkey: Hotkey,
    /// Unix nanoseconds.
    pub(crate) nonce: i64,
    /// The nonce as sent.
    pub(crate) nonce_text: String,
}

/// SHA-256 of a body.
pub(crate) fn body_digest(body: &[u8]) -> Sha256Digest {
    Sha256Digest(Sha256::digest(body).into())
}

/// Checks shape, receiver, time and signature.
pub(crate) fn authenticate(app: &App, parts: &Parts, body: &[u8]) -> Result<Caller, Failure> {
    let headers = &parts.headers;
    let get = |name: &'static str| one(headers, name);
    if headers.get(HEADER_SIGNATURE).is_none() && headers.get(HEADER_HOTKEY).is_none() {
        return Err(ProblemKind::Unsigned.into());
    }
    if get(HEADER_VERSION)? != Some("1") {
        return Err(malformed(HEADER_VERSION, "must be `1`"));
    }
    let scheme = AuthScheme::parse(get(HEADER_CRYPTO)?)
        .ok_or_else(|| malformed(HEADER_CRYPTO, "must be absent, `sr25519` or `ed25519`"))?;
    let sender = get(HEADER_HOTKEY)?.ok_or_else(|| malformed(HEADER_HOTKEY, "is missing"))?;
    let hotkey =
        Hotkey::from_ss58(sender).map_err(|_| malformed(HEADER_HOTKEY, "must be an SS58 address"))?;
    let nonce_text = get(HEADER_NONCE)?.ok_or_else(|| malformed(HEADER_NONCE, "is missing"))?;
    let nonce =
        nonce_of(nonce_text).ok_or_else(|| malformed(HEADER_NONCE, "must be Unix nanoseconds, decimal"))?;
    let signature = get(HEADER_SIGNATURE)?
        .and_then(|text| text.strip_prefix("0x"))
        .and_then(|text| hex::decode::<SIGNATURE_BYTES>(&text.to_ascii_lowercase()).ok())
        .ok_or_else(|| malformed(HEADER_SIGNATURE, "must be `0x` and 128 hexadecimal digits"))?;
    let receiver = get(HEADER_RECEIVER)?.unwrap_or("-");
    if receiver != app.server_address() {
        return Err(Failure::new(
            ProblemKind::WrongReceiver,
            format!("sign for receiver `{}`", app.server_address()),
        ));
    }
    check_time(nonce, app.clock().now_ms())?;
    let request = RequestToSign {
        scheme,
        method: parts.method.as_str(),
        target: parts.uri.path_and_query().map_or("/", |target| target.as_str()),
        body: body_digest(body),
        nonce: nonce_text,
        sender,
        receiver,
    };
    let key_scheme = match scheme {
        AuthScheme::Sr25519 => Scheme::Sr25519,
        AuthScheme::Ed25519 => Scheme::Ed25519,
    };
    if !verify(key_scheme, &hotkey.0, request.text().as_bytes(), &signature) {
        return Err(Failure::new(
            ProblemKind::BadSignature,
            "sign method, path with query, SHA-256 of the body, nonce, sender and receiver, as docs/api.md shows",
        ));
    }
    Ok(Caller {
        hotkey,
        nonce,
        nonce_text: nonce_text.to_owned(),
    })
}

/// The one value of a header; two would let two readers see two requests.
fn one<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Failure> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(malformed(name, "is there twice"));
    }
    first
        .map(|value| value.to_str().map_err(|_| malformed(name, "is no text")))
        .transpose()
}

fn malformed(header: &str, rule: &str) -> Failure {
    Failure::new(ProblemKind::MalformedAuth, format!("header `{header}` {rule}"))
}

/// The nonce of its one decimal spelling.
fn nonce_of(text: &str) -> Option<i64> {
    let is_canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    is_canonical.then(|| text.parse().ok()).flatten()
}

/// At most 10 s old and 2 s ahead.
fn check_time(nonce: i64, now_ms: u64) -> Result<(), Failure> {
    let nonce_ms = u64::try_from(nonce).unwrap_or(0) / NS_A_MS;
    let oldest = now_ms.saturating_sub(NONCE_AGE_MS_MAX);
    let newest = now_ms.saturating_add(NONCE_AHEAD_MS_MAX);
    if (oldest..=newest).contains(&nonce_ms) {
        return Ok(());
    }
    Err(Failure::new(
        ProblemKind::StaleRequest,
        format!("the server's clock says {now_ms} ms, the nonce {nonce_ms} ms: set the clock, sign anew"),
    ))
}

/// The nonces before this one are too old to be accepted, so they need not be remembered.
pub(crate) fn oldest_nonce(now_ms: u64) -> i64 {
    // Twice the age: a clock that is set back a little opens no door.
    let oldest_ms = now_ms.saturating_sub(2 * (NONCE_AGE_MS_MAX + NONCE_AHEAD_MS_MAX));
    i64::try_from(oldest_ms.saturating_mul(NS_A_MS)).unwrap_or(i64::MAX)
}

/// What an answer is the answer to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) nonce: &'a str,
}

/// Adds the server's signature over an answer.
pub(crate) fn sign_answer(
    app: &App,
    question: Question<'_>,
    status: u16,
    body: &[u8],
    headers: &mut HeaderMap,
) -> Result<(), Failure> {
    let text = ResponseToSign {
        method: question.method,
        target: question.target,
        status,
        body: body_digest(body),
        nonce: question.nonce,
        server: app.server_address(),
    }
    .text();
    let internal = |_| Failure::new(ProblemKind::Internal, "the server cannot sign its answer");
    let signature = app.key().sign(text.as_bytes()).map_err(internal)?;
    let value = |text: &str| HeaderValue::from_str(text).map_err(|_| Failure::from(ProblemKind::Internal));
    headers.insert(HEADER_SERVER, value(app.server_address())?);
    headers.insert(
        HEADER_SERVER_SIGNATURE,
        value(&format!("0x{}", hex::encode(&signature)))?,
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_of_the_protocol() {
        let body = br#"{"hello":"assay"}"#;
        let request = RequestToSign {
            scheme: AuthScheme::Sr25519,
            method: "POST",
            target: "/v1/tasks?limit=2",
            body: body_digest(body),
            nonce: "1750000000000000000",
            sender: "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
            receiver: "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty",
        };
        let text = request.text();
        assert_eq!(
            body_digest(text.as_bytes()).to_string(),
            "c85fac7583da9f7fe9b2759d6119b6ab9a6371cdd1d254a1bbe7f76ad1f2e090"
        );
        let signature = hex::decode(
            "6285eafae2890e30c582b07c75c7c1340563458bc2119f9dd9f333bc6f61977747e349bb4db40251d05498f976dfc6aa22bf03f3253f26d0d3585b7ac9f9da81",
        )
        .unwrap();
        let alice = Hotkey::from_ss58(request.sender).unwrap();
        assert!(verify(Scheme::Sr25519, &alice.0, text.as_bytes(), &signature));
        assert!(!verify(Scheme::Sr25519, &alice.0, b"other", &signature));
    }

    #[test]
    fn a_nonce_has_one_spelling_and_one_moment() {
        assert_eq!(nonce_of("1750000000000000000"), Some(1_750_000_000_000_000_000));
        for wrong in ["", "01", "+1", "-1", "1.0", "99999999999999999999", " 1"] {
            assert_eq!(nonce_of(wrong), None, "{wrong}");
        }
        let at = |ms: i64| check_time(ms * 1_000_000, 100_000).is_ok();
        assert!(at(90_000) && at(102_000));
        assert!(!at(89_999) && !at(102_001));
    }
}

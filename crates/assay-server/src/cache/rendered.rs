//! One rendered answer, as it is sent: whole, compressed, or not at all to who has it.

use assay_types::Digest;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use std::io::Write as _;

/// Brotli's effort: 5 of 11.
const BROTLI_QUALITY: u32 = 5;
/// log2 of brotli's window, bytes.
const BROTLI_WINDOW: u32 = 20;
/// Bodies below this are not compressed.
const COMPRESSED_BYTES_MIN: usize = 512;

/// A rendered answer.
#[derive(Debug)]
pub(crate) struct Rendered {
    kind: &'static str,
    etag: HeaderValue,
    plain: Bytes,
    brotli: Option<Bytes>,
    /// When its making began.
    pub(super) made_ms: u64,
}

impl Rendered {
    /// Bytes of a media type, whose making began at `made_ms`.
    pub(crate) fn new(kind: &'static str, plain: Vec<u8>, made_ms: u64) -> Self {
        let etag = format!("\"{}\"", Digest::of(&plain).truncated());
        let is_packed = kind == "image/png";
        let brotli = (plain.len() >= COMPRESSED_BYTES_MIN && !is_packed)
            .then(|| compress(&plain))
            .flatten();
        Self {
            kind,
            etag: HeaderValue::from_str(&etag).unwrap_or(HeaderValue::from_static("\"\"")),
            plain: Bytes::from(plain),
            brotli: brotli.map(Bytes::from),
            made_ms,
        }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.plain.len() + self.brotli.as_ref().map_or(0, Bytes::len)
    }

    /// The answer to a request with these headers: unchanged, compressed or plain.
    pub(crate) fn respond(&self, asked: &HeaderMap) -> Response {
        let is_known = asked
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| tag.trim().trim_start_matches("W/").as_bytes() == self.etag.as_bytes());
        let brotli = self.brotli.as_ref().filter(|_| takes_brotli(asked));
        let mut response = match (is_known, brotli) {
            (true, _) => StatusCode::NOT_MODIFIED.into_response(),
            (false, Some(bytes)) => Body::from(bytes.clone()).into_response(),
            (false, None) => Body::from(self.plain.clone()).into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if !is_known {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
            if brotli.is_some() {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
            }
        }
        response
    }
}

fn compress(plain: &[u8]) -> Option<Vec<u8>> {
    let mut compressed = Vec::with_capacity(plain.len() / 4);
    let mut writer = brotli::CompressorWriter::new(&mut compressed, 4_096, BROTLI_QUALITY, BROTLI_WINDOW);
    writer.write_all(plain).ok()?;
    drop(writer);
    (compressed.len() < plain.len()).then_some(compressed)
}

/// Whether `Accept-Encoding` names brotli and does not rule it out.
fn takes_brotli(asked: &HeaderMap) -> bool {
    asked
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            parts.next() == Some("br")
                && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brotli_is_for_who_takes_it() {
        let takes = |value: &'static str| {
            let asked = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            takes_brotli(&asked)
        };
        assert!(takes("gzip, br;q=0.9") && takes("br"));
        assert!(!takes("br;q=0, gzip") && !takes("gzip"));
    }
}

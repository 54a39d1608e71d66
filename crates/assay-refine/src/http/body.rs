//! The body of a response as the page's author wrote it: transfer encoding, then content encodings, undone.

use std::borrow::Cow;

use super::chunked;
use super::codings::{self, Coding};
use super::response::HttpResponse;
use crate::warc::ReadLimits;

/// Why a body cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// A content encoding of this kind is damaged or not known.
    #[error("the body's content encoding is `{0}`")]
    Malformed(&'static str),
    /// The decoded body is longer than `bytes_max`.
    #[error("the decoded body is over budget")]
    OverBudget,
}

/// Content encodings undone one after the other: more than a client would ever accept is an attack.
const CODINGS_MAX: usize = 4;

/// The decoded body, borrowed where there is nothing to undo.
///
/// Chunked bodies are joined (a malformed size means that the body is not chunked any more), then the content encodings
/// are undone from right to left. Common Crawl stores decoded bodies and renames these headers, so nothing is undone
/// twice; elsewhere a body without the encoding's first bytes is taken as it stands. A body cut by the crawler gives what
/// can be decoded.
///
/// # Errors
/// `Malformed` for an encoding that is not known or damaged at its start, `OverBudget` beyond `bytes_max` at any stage.
pub fn decoded_body<'a>(
    response: &HttpResponse<'a>,
    limits: &ReadLimits,
) -> Result<Cow<'a, [u8]>, BodyError> {
    let chunked = tokens(response, "Transfer-Encoding").any(|token| token.eq_ignore_ascii_case("chunked"));
    let mut body = Cow::Borrowed(response.body);
    if chunked && let Some(payload) = chunked::decode(response.body) {
        body = Cow::Owned(payload);
    }
    let mut encodings: Vec<Coding> = Vec::new();
    for token in tokens(response, "Content-Encoding") {
        let coding = Coding::parse(token).ok_or(BodyError::Malformed("unknown"))?;
        if encodings.len() == CODINGS_MAX {
            return Err(BodyError::Malformed("too many"));
        }
        encodings.push(coding);
    }
    for coding in encodings.into_iter().rev() {
        if let Some(decoded) = codings::decode(coding, &body, limits.bytes_max)? {
            body = Cow::Owned(decoded);
        }
    }
    if body.len() as u64 > limits.bytes_max {
        Err(BodyError::OverBudget)
    } else {
        Ok(body)
    }
}

/// The comma-separated words of all fields of this name.
fn tokens<'r>(response: &'r HttpResponse<'_>, name: &'r str) -> impl Iterator<Item = &'r str> {
    response
        .headers
        .all(name)
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::http::parse_response;

    fn body(header: &str, payload: &[u8]) -> Result<Vec<u8>, BodyError> {
        let block = [format!("HTTP/1.1 200 OK\r\n{header}\r\n\r\n").as_bytes(), payload].concat();
        let limits = ReadLimits {
            bytes_max: 1 << 20,
            ..ReadLimits::default()
        };
        decoded_body(&parse_response(&block, &limits).unwrap(), &limits).map(Cow::into_owned)
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    /// A brotli stream of one uncompressed block holding `hello`, by RFC 7932 §9.2.
    const BROTLI_HELLO: [u8; 10] = [0x0b, 0x02, 0x80, b'h', b'e', b'l', b'l', b'o', 0x03, 0];

    #[test]
    fn each_encoding_alone_and_in_order() {
        let text = b"some text, some text";
        let raw = zlib(text)[2..].to_vec();
        let zstd = zstd::bulk::compress(text, 3).unwrap();
        let cases: [(&str, Vec<u8>); 9] = [
            ("Content-Encoding: gzip", gzip(text)),
            ("content-encoding: X-GZIP", gzip(text)),
            ("Content-Encoding: deflate", zlib(text)),
            ("Content-Encoding: deflate", raw),
            ("Content-Encoding: zstd", zstd.clone()),
            ("Content-Encoding: identity", text.to_vec()),
            ("Content-Encoding: zstd, gzip", gzip(&zstd)),
            ("Content-Encoding: zstd\r\nContent-Encoding: gzip", gzip(&zstd)),
            ("X-Crawler-content-encoding: gzip", text.to_vec()),
        ];
        for (header, payload) in cases {
            assert_eq!(body(header, &payload).as_deref(), Ok(&text[..]), "{header}");
        }
        assert_eq!(
            body("Content-Encoding: br", &BROTLI_HELLO[..9]).as_deref(),
            Ok(&b"hello"[..])
        );
        // The large-window extension (a first byte of 0x11, then 30 bits of window) does not exist in HTTP.
        assert_eq!(
            body("Content-Encoding: br", &[0x11, 30, 0x0b, 0x02, 0x80, 0]),
            Err(BodyError::Malformed("br"))
        );
        let two = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(
            body("Content-Encoding: gzip", &two).as_deref(),
            Ok(&b"one two"[..])
        );
    }

    #[test]
    fn chunked_then_gzip_and_already_decoded() {
        let packed = gzip(b"text");
        let chunked = [
            format!("{:x}\r\n", packed.len()).as_bytes(),
            &packed,
            b"\r\n0\r\n\r\n",
        ]
        .concat();
        let header = "Transfer-Encoding: chunked\r\nContent-Encoding: gzip";
        assert_eq!(body(header, &chunked).as_deref(), Ok(&b"text"[..]));
        assert_eq!(body(header, b"<html>").as_deref(), Ok(&b"<html>"[..]));
    }

    #[test]
    fn damaged_cut_unknown_and_bombs() {
        let packed = gzip(&vec![b'x'; 100_000]);
        assert!(
            body("Content-Encoding: gzip", &packed[..packed.len() - 20]).is_ok_and(|body| !body.is_empty())
        );
        let mut damaged = packed.clone();
        damaged[10] = 0xff;
        assert_eq!(
            body("Content-Encoding: gzip", &damaged),
            Err(BodyError::Malformed("gzip"))
        );
        assert_eq!(
            body("Content-Encoding: aes128gcm", b"x"),
            Err(BodyError::Malformed("unknown"))
        );
        assert_eq!(
            body("Content-Encoding: gzip,gzip,gzip,gzip,gzip", b"x"),
            Err(BodyError::Malformed("too many"))
        );
        let bomb = gzip(&vec![0; 64 << 20]);
        assert_eq!(body("Content-Encoding: gzip", &bomb), Err(BodyError::OverBudget));
        assert_eq!(
            body("Content-Encoding: gzip, gzip", &gzip(&bomb)),
            Err(BodyError::OverBudget)
        );
        let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 3).unwrap();
        assert_eq!(body("Content-Encoding: zstd", &bomb), Err(BodyError::OverBudget));
        assert_eq!(body("A: b", &vec![0; (1 << 20) + 1]), Err(BodyError::OverBudget));
    }
}

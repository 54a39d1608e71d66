//! Chunked transfer encoding, undone leniently: extensions, trailers, bare line feeds, a cut end.

/// Digits of a chunk size: more cannot fit an archive record.
const SIZE_DIGITS_MAX: usize = 15;

/// The payload of a chunked body; none if a chunk size is malformed, which means that the body is not chunked (any more):
/// crawlers often store it decoded under the old header. A body cut inside a chunk gives what there is.
pub(super) fn decode(body: &[u8]) -> Option<Vec<u8>> {
    let mut payload = Vec::new();
    let mut rest = body;
    loop {
        let Some(end) = memchr::memchr(b'\n', rest) else {
            // Cut inside a size line: chunked only if chunks came before.
            return (!payload.is_empty()).then_some(payload);
        };
        let (line, after) = rest.split_at_checked(end + 1)?;
        let size = size(line)?;
        if size == 0 {
            return Some(payload);
        }
        let Some((chunk, after)) = after.split_at_checked(size) else {
            payload.extend_from_slice(after);
            return Some(payload);
        };
        payload.extend_from_slice(chunk);
        if after.is_empty() {
            return Some(payload);
        }
        rest = after
            .strip_prefix(b"\r\n")
            .or_else(|| after.strip_prefix(b"\n"))?;
    }
}

/// The size in a size line; none if it is malformed.
fn size(line: &[u8]) -> Option<usize> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
    if digits.is_empty() || digits.len() > SIZE_DIGITS_MAX || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_with_extensions_trailers_and_line_feeds() {
        let cases: [(&str, Option<&str>); 12] = [
            (
                "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: z\r\n\r\n",
                Some("abcde"),
            ),
            ("3\nabc\n0\n\n", Some("abc")),
            ("  A \r\n0123456789\r\n0\r\n\r\n", Some("0123456789")),
            ("0\r\n\r\n", Some("")),
            ("5\r\nab", Some("ab")),
            ("2\r\nab\r\n", Some("ab")),
            ("2\r\nab", Some("ab")),
            ("2\r\nabX\r\n", None),
            ("<!doctype html>\n", None),
            ("-1\r\nab", None),
            ("ffffffffffffffffffff\r\nab", None),
            ("", None),
        ];
        for (body, expected) in cases {
            let payload = decode(body.as_bytes()).map(|payload| String::from_utf8(payload).unwrap());
            assert_eq!(payload.as_deref(), expected, "{body:?}");
        }
        assert_eq!(decode(b"fffffffffffffff\r\nab").as_deref(), Some(&b"ab"[..]));
    }
}

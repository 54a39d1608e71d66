//! What kind of document a body is: HTML, XHTML, plain text, or nothing the refinery reads.
//!
//! Deviation D2 of the recipe: the archive's identified type decides, else the response's `Content-Type`, else the
//! first 1,445 bytes by the rules of the WHATWG MIME Sniffing Standard §7.1.

/// Bytes of a body that are sniffed: the resource header of the MIME Sniffing Standard §5.2.
const SNIFF_BYTES: usize = 1_445;

/// The kind of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Media {
    /// `text/html`.
    Html,
    /// `application/xhtml+xml`.
    Xhtml,
    /// `text/plain`.
    PlainText,
    /// Anything else.
    Other,
}

impl Media {
    /// The media type, or the empty string for `Other`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Html => "text/html",
            Self::Xhtml => "application/xhtml+xml",
            Self::PlainText => "text/plain",
            Self::Other => "",
        }
    }
}

/// The kind of a body: from `WARC-Identified-Payload-Type`, else `Content-Type`, else its first bytes. A type without a
/// slash and the placeholders `unknown/unknown`, `application/unknown`, `*/*` count as none.
pub fn media_type(identified: Option<&str>, content_type: Option<&str>, body: &[u8]) -> Media {
    identified
        .and_then(from_label)
        .or_else(|| content_type.and_then(from_label))
        .unwrap_or_else(|| sniff(body.get(..SNIFF_BYTES).unwrap_or(body)))
}

fn from_label(label: &str) -> Option<Media> {
    let essence = label
        .split([';', ','])
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match essence.as_str() {
        "text/html" => Some(Media::Html),
        "application/xhtml+xml" => Some(Media::Xhtml),
        "text/plain" => Some(Media::PlainText),
        "unknown/unknown" | "application/unknown" | "*/*" => None,
        other => other.contains('/').then_some(Media::Other),
    }
}

/// Starts of HTML, upper case, each followed by a space or `>`: MIME Sniffing Standard §7.1, first table.
const HTML_STARTS: [&[u8]; 16] = [
    b"<!DOCTYPE HTML",
    b"<HTML",
    b"<HEAD",
    b"<SCRIPT",
    b"<IFRAME",
    b"<H1",
    b"<DIV",
    b"<FONT",
    b"<TABLE",
    b"<A",
    b"<STYLE",
    b"<TITLE",
    b"<B",
    b"<BODY",
    b"<BR",
    b"<P",
];

/// Starts of formats that hold no text of ours even where their first bytes look like text.
const OTHER_STARTS: [&[u8]; 3] = [b"<?xml", b"%PDF-", b"%!PS-Adobe-"];

/// Marks of UTF-16 and UTF-8.
const BYTE_ORDER_MARKS: [&[u8]; 3] = [b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf"];

fn sniff(head: &[u8]) -> Media {
    let is_space = |byte: &u8| matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ');
    let start = head.iter().position(|byte| !is_space(byte)).unwrap_or(head.len());
    let text = head.get(start..).unwrap_or_default();
    if text.starts_with(b"<!--") || HTML_STARTS.iter().any(|tag| begins_with_tag(text, tag)) {
        return Media::Html;
    }
    if OTHER_STARTS.iter().any(|start| text.starts_with(start)) {
        return Media::Other;
    }
    if BYTE_ORDER_MARKS.iter().any(|mark| head.starts_with(mark)) {
        return Media::PlainText;
    }
    // Binary data bytes, MIME Sniffing Standard §3.
    let binary = |byte: &u8| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    if head.iter().any(binary) {
        Media::Other
    } else {
        Media::PlainText
    }
}

fn begins_with_tag(text: &[u8], tag: &[u8]) -> bool {
    let Some((start, rest)) = text.split_at_checked(tag.len()) else {
        return false;
    };
    start.eq_ignore_ascii_case(tag) && matches!(rest.first(), Some(b' ' | b'>'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_before_bytes() {
        let body = b"<html>";
        assert_eq!(
            media_type(Some("application/xhtml+xml"), Some("text/html"), body),
            Media::Xhtml
        );
        assert_eq!(
            media_type(None, Some(" Text/HTML ;charset=x"), b"\0"),
            Media::Html
        );
        assert_eq!(media_type(Some(""), Some("image/png"), body), Media::Other);
        assert_eq!(media_type(None, Some("text/plain"), body), Media::PlainText);
        assert_eq!(media_type(None, Some("*/*"), body), Media::Html);
        assert_eq!(media_type(None, Some("html"), body), Media::Html);
    }

    #[test]
    fn bytes_as_the_standard_sniffs_them() {
        let cases: [(&[u8], Media); 12] = [
            (b" \n<!doctype html>", Media::Html),
            (b"<!-- x", Media::Html),
            (b"<p>", Media::Html),
            (b"<pre>", Media::PlainText),
            (b"<a href", Media::Html),
            (b"<html", Media::PlainText),
            (b"<?xml version", Media::Other),
            (b"%PDF-1.4", Media::Other),
            (b"\xef\xbb\xbf\0", Media::PlainText),
            (b"plain words", Media::PlainText),
            (b"\x89PNG\r\n\x1a\n", Media::Other),
            (b"", Media::PlainText),
        ];
        for (body, expected) in cases {
            assert_eq!(media_type(None, None, body), expected, "{body:?}");
        }
    }
}

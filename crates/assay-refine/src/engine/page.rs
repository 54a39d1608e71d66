//! From a WARC record to readable text: record type, HTTP status, media type, body, character set.
//!
//! Takes one [`ArchiveRecord`]'s content; gives a [`Page`] or the reason why there is none. What is accepted stands
//! in the recipe's `[read]` table.

use std::borrow::Cow;

use assay_types::Reason;
use assay_types::recipe::ReadParams;

use super::outcome::Drop;
use crate::charset::{self, DecodedText};
use crate::http;
use crate::media::{self, Media};
use crate::warc::{ReadLimits, RecordContent, RecordKind, WarcRecord};

/// Stage name of drops while reading.
const READ: &str = "read";

/// Text of a record, before extraction.
#[derive(Debug)]
pub(super) struct Page<'b> {
    /// Markup to extract from; otherwise `decoded` is plain text already.
    pub(super) is_html: bool,
    /// The decoded body.
    pub(super) decoded: DecodedText<'b>,
}

/// What was found on the way to a record's characters, each as far as the way led; for people.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct ReadFacts {
    pub(super) http_status: Option<u16>,
    pub(super) media_type: Option<&'static str>,
    /// Whether the record is a conversion (WET), which may be plain text.
    pub(super) is_conversion: bool,
    /// Length of the body, in bytes.
    pub(super) bytes: Option<u64>,
    /// Whether the body was left undecoded at its budget, so that its length is not known.
    pub(super) is_over_bytes: bool,
    pub(super) characters: Option<u64>,
    pub(super) replacements: Option<u64>,
}

fn dropped(reason: Reason, why: &'static str) -> Drop {
    Drop {
        reason,
        step: READ,
        why,
    }
}

/// The WARC record inside `content`, if it is of a type that holds content.
pub(super) fn content_record(content: &RecordContent) -> Result<&WarcRecord, Drop> {
    let record = match content {
        RecordContent::Record(record) => record,
        RecordContent::Malformed(kind) => return Err(dropped(Reason::Malformed, kind.name())),
        RecordContent::OverBudget(budget) => return Err(dropped(Reason::OverBudget, budget.name())),
    };
    let why = match record.kind {
        RecordKind::Response | RecordKind::Resource | RecordKind::Conversion => return Ok(record),
        RecordKind::Request => "request",
        RecordKind::Metadata => "metadata",
        RecordKind::Warcinfo => "warcinfo",
        RecordKind::Revisit => "revisit",
        RecordKind::Other => "other_type",
    };
    Err(dropped(Reason::NotContent, why))
}

/// A record's body after HTTP, before its characters are decoded.
#[derive(Debug)]
pub(super) struct Body<'r> {
    bytes: Cow<'r, [u8]>,
    content_type: Option<String>,
    is_html: bool,
}

impl Body<'_> {
    /// Bytes of the body.
    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// Opens the HTTP message (of a response) and checks status and media type.
pub(super) fn body<'r>(
    record: &'r WarcRecord,
    rules: &ReadParams,
    limits: &ReadLimits,
    facts: &mut ReadFacts,
) -> Result<Body<'r>, Drop> {
    let (bytes, content_type) = if record.kind == RecordKind::Response && is_http(record) {
        http_body(record, rules, limits, facts)?
    } else {
        (
            Cow::Borrowed(record.block.as_slice()),
            record.content_type().map(str::to_owned),
        )
    };
    facts.bytes = Some(bytes.len() as u64);
    if bytes.len() as u64 > limits.bytes_max {
        return Err(dropped(Reason::OverBudget, "bytes"));
    }
    let media = media::media_type(record.identified_payload_type(), content_type.as_deref(), &bytes);
    facts.media_type = Some(media.name());
    facts.is_conversion = record.kind == RecordKind::Conversion;
    let accepted = |names: &[String], name: &str| names.iter().any(|known| known == name);
    let is_html = match media {
        Media::Html => accepted(&rules.mime, "text/html"),
        Media::Xhtml => accepted(&rules.mime, "application/xhtml+xml"),
        Media::PlainText | Media::Other => false,
    };
    // Plain text is what a conversion (WET) is made of; elsewhere it is no page (docs/reading.md).
    let is_text = record.kind == RecordKind::Conversion
        && media == Media::PlainText
        && accepted(&rules.mime_conversion, "text/plain");
    if !is_html && !is_text {
        return Err(dropped(Reason::NotText, "media_type"));
    }
    Ok(Body {
        bytes,
        content_type,
        is_html,
    })
}

fn http_body<'r>(
    record: &'r WarcRecord,
    rules: &ReadParams,
    limits: &ReadLimits,
    facts: &mut ReadFacts,
) -> Result<(Cow<'r, [u8]>, Option<String>), Drop> {
    let response = http::parse_response(&record.block, limits).map_err(|error| match error {
        http::HttpError::OverBudget => dropped(Reason::OverBudget, error.name()),
        _ => dropped(Reason::Malformed, error.name()),
    })?;
    facts.http_status = Some(response.status);
    if !rules.http_status.contains(&u64::from(response.status)) {
        return Err(dropped(Reason::NotText, "http_status"));
    }
    let content_type = response.content_type().map(str::to_owned);
    let bytes = http::decoded_body(&response, limits).map_err(|error| match error {
        http::BodyError::Malformed(_) => dropped(Reason::Malformed, "content_encoding"),
        http::BodyError::OverBudget => {
            facts.is_over_bytes = true;
            dropped(Reason::OverBudget, "bytes")
        }
    })?;
    Ok((bytes, content_type))
}

/// Responses to other schemes (`dns:`, `ftp:`) hold no HTTP message.
fn is_http(record: &WarcRecord) -> bool {
    record
        .content_type()
        .is_none_or(|value| value.to_ascii_lowercase().contains("http"))
}

/// Decodes a body's characters and refuses one with too many replaced ones.
pub(super) fn decode<'b>(
    body: &'b Body<'_>,
    url: &str,
    rules: &ReadParams,
    facts: &mut ReadFacts,
) -> Result<Page<'b>, Drop> {
    let decoded = charset::decode(&body.bytes, body.content_type.as_deref(), top_level_domain(url));
    facts.characters = Some(u64::from(decoded.chars));
    facts.replacements = Some(u64::from(decoded.replacements));
    let replaced = u128::from(decoded.replacements) * 1_000_000;
    if replaced > u128::from(rules.replacement_ppm) * u128::from(decoded.chars.max(1)) {
        return Err(dropped(Reason::NotText, "replacement_characters"));
    }
    Ok(Page {
        is_html: body.is_html,
        decoded,
    })
}

/// The last label of the URL's host, a hint for character set detection; none for addresses without letters.
fn top_level_domain(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    let label = host.rsplit('.').next()?;
    (label.len() < host.len() && !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .then_some(label)
}

#[cfg(test)]
mod tests {
    use super::top_level_domain;

    #[test]
    fn top_level_domains_of_urls() {
        for (url, expected) in [
            ("https://user@www.example.jp:80/x", Some("jp")),
            ("http://example.de?x", Some("de")),
            ("http://127.0.0.1/", None),
            ("http://localhost/", None),
            ("http://[::1]/", None),
            ("no url", None),
        ] {
            assert_eq!(top_level_domain(url), expected, "{url}");
        }
    }
}

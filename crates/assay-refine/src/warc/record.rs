//! One WARC record: version line, header fields and block, parsed from exactly its bytes.
//!
//! `parse` is the only place where bytes become a record: the reader calls it on a member's content or on a stretch
//! of a plain file, re-execution on the bytes of one ledger row. WARC 0.17, 0.18, 1.0 and 1.1.

use super::fields::{self, Fields};
use super::limits::{Budget, MalformedKind, ReadLimits};

/// The kind of a record, from `WARC-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordKind {
    /// An HTTP response, headers and body.
    Response,
    /// A resource without HTTP headers.
    Resource,
    /// A converted form, such as WET's plain text.
    Conversion,
    /// An HTTP request.
    Request,
    /// Facts about another record.
    Metadata,
    /// Facts about the file.
    Warcinfo,
    /// A pointer to an earlier, equal capture.
    Revisit,
    /// Any other type, or none.
    Other,
}

impl RecordKind {
    fn parse(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "response" => Self::Response,
            "resource" => Self::Resource,
            "conversion" => Self::Conversion,
            "request" => Self::Request,
            "metadata" => Self::Metadata,
            "warcinfo" => Self::Warcinfo,
            "revisit" => Self::Revisit,
            _ => Self::Other,
        }
    }
}

/// What the bytes of one row hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordContent {
    /// A complete record.
    Record(WarcRecord),
    /// No record, and why.
    Malformed(MalformedKind),
    /// A record over a budget.
    OverBudget(Budget),
}

/// A complete WARC record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarcRecord {
    /// The version behind `WARC/`, such as `1.0`.
    pub version: String,
    /// The header fields in order.
    pub headers: Fields,
    /// The kind, from `WARC-Type`.
    pub kind: RecordKind,
    /// The `Content-Length` bytes behind the header.
    pub block: Vec<u8>,
    /// The value of `WARC-Truncated`: the crawler cut the record for this reason.
    pub truncated: Option<String>,
}

impl WarcRecord {
    /// `WARC-Record-ID` as it stands, angle brackets included.
    pub fn id(&self) -> Option<&str> {
        self.headers.get("WARC-Record-ID")
    }

    /// `WARC-Target-URI` without the angle brackets that some writers add; spaces are kept.
    pub fn target_uri(&self) -> Option<&str> {
        let uri = self.headers.get("WARC-Target-URI")?;
        Some(
            uri.strip_prefix('<')
                .and_then(|rest| rest.strip_suffix('>'))
                .unwrap_or(uri),
        )
    }

    /// `WARC-Date` as it stands.
    pub fn date(&self) -> Option<&str> {
        self.headers.get("WARC-Date")
    }

    /// `WARC-Identified-Payload-Type`, none if empty.
    pub fn identified_payload_type(&self) -> Option<&str> {
        self.headers
            .get("WARC-Identified-Payload-Type")
            .filter(|value| !value.is_empty())
    }

    /// `Content-Type` of the block: `application/http` for responses, the media type itself for resources.
    pub fn content_type(&self) -> Option<&str> {
        self.headers.get("Content-Type")
    }
}

/// Whether `bytes` begins with a version line: `WARC/`, digits, a dot, digits, spaces, line end. `None` if more bytes
/// are needed to tell.
pub(crate) fn is_version_line(bytes: &[u8]) -> Option<bool> {
    let magic = b"WARC/";
    let Some(rest) = bytes.strip_prefix(magic) else {
        return (!magic.starts_with(bytes)).then_some(false);
    };
    let mut dot = false;
    let mut digits = 0;
    for (at, &byte) in rest.iter().enumerate() {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'.' if !dot && digits > 0 => (dot, digits) = (true, 0),
            b'\r' | b'\n' | b' ' => return Some(dot && digits > 0),
            _ => return Some(false),
        }
        if at >= VERSION_BYTES_MAX {
            return Some(false);
        }
    }
    None
}

/// Digits and dot of a version, at most.
const VERSION_BYTES_MAX: usize = 8;

/// Bytes that tell a version line for certain.
pub(crate) const VERSION_LINE_BYTES: usize = 5 + VERSION_BYTES_MAX + 2;

/// Why there is no header block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeadError {
    Malformed(MalformedKind),
    OverBudget(Budget),
}

impl From<HeadError> for RecordContent {
    fn from(error: HeadError) -> Self {
        match error {
            HeadError::Malformed(kind) => Self::Malformed(kind),
            HeadError::OverBudget(budget) => Self::OverBudget(budget),
        }
    }
}

/// A header block and where it ends.
pub(crate) struct Head {
    pub(crate) version: String,
    pub(crate) headers: Fields,
    /// Bytes of version line, fields and blank line.
    pub(crate) length: usize,
    /// `Content-Length`.
    pub(crate) block_length: u64,
}

/// Parses the header block at the start of `bytes`.
pub(crate) fn head(bytes: &[u8], limits: &ReadLimits) -> Result<Head, HeadError> {
    if is_version_line(bytes) != Some(true) {
        return Err(HeadError::Malformed(MalformedKind::NotWarc));
    }
    let within = bytes.get(..limits.warc_header_bytes_max).unwrap_or(bytes);
    let missing_end = || {
        if bytes.len() > within.len() {
            HeadError::OverBudget(Budget::WarcHeader)
        } else {
            HeadError::Malformed(MalformedKind::Header)
        }
    };
    let (first, first_length) = fields::line(within).ok_or_else(missing_end)?;
    let rest = within.get(first_length..).unwrap_or_default();
    let (headers, rest_length) = fields::parse(rest).ok_or_else(missing_end)?;
    let block_length = headers
        .get("Content-Length")
        .filter(|value| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()))
        .ok_or(HeadError::Malformed(MalformedKind::ContentLength))?
        .parse()
        .unwrap_or(u64::MAX);
    let version = String::from_utf8_lossy(first.get(5..).unwrap_or_default().trim_ascii()).into_owned();
    Ok(Head {
        version,
        headers,
        length: first_length + rest_length,
        block_length,
    })
}

/// Parses the record at the start of `bytes`; what follows the block is ignored.
pub(crate) fn parse(bytes: &[u8], limits: &ReadLimits) -> RecordContent {
    head(bytes, limits).map_or_else(RecordContent::from, |head| with_block(head, bytes, limits))
}

/// Parses a gzip member's content in a file of one record a member.
pub(crate) fn parse_member(bytes: &[u8], limits: &ReadLimits) -> RecordContent {
    let head = match head(bytes, limits) {
        Ok(head) => head,
        Err(error) => return error.into(),
    };
    let end = head
        .length
        .saturating_add(usize::try_from(head.block_length).unwrap_or(usize::MAX));
    let rest = bytes.get(end..).unwrap_or_default();
    if is_version_line(rest.trim_ascii_start()) == Some(true) {
        return RecordContent::Malformed(MalformedKind::SeveralRecords);
    }
    with_block(head, bytes, limits)
}

/// The record of this header block, whose bytes are `bytes`.
pub(crate) fn with_block(head: Head, bytes: &[u8], limits: &ReadLimits) -> RecordContent {
    if head.block_length.saturating_add(head.length as u64) > limits.inflated_bytes_max {
        return RecordContent::OverBudget(Budget::RecordBytes);
    }
    let end = head.length.saturating_add(head.block_length as usize);
    let Some(block) = bytes.get(head.length..end) else {
        return RecordContent::Malformed(MalformedKind::ShortBlock);
    };
    let kind = head
        .headers
        .get("WARC-Type")
        .map_or(RecordKind::Other, RecordKind::parse);
    let truncated = head.headers.get("WARC-Truncated").map(str::to_owned);
    RecordContent::Record(WarcRecord {
        version: head.version,
        headers: head.headers,
        kind,
        block: block.to_vec(),
        truncated,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(bytes: &[u8]) -> RecordContent {
        parse(bytes, &ReadLimits::default())
    }

    #[test]
    fn a_record_with_spaces_brackets_and_any_case() {
        let bytes = b"WARC/1.1\r\nwarc-type: Response\r\nWARC-Target-URI: <http://a b/ c>\r\n\
                      content-length: 5\r\nWARC-Truncated: length\r\n\r\nhello\r\n\r\n";
        let RecordContent::Record(record) = content(bytes) else {
            panic!("no record")
        };
        assert_eq!(
            (record.version.as_str(), record.kind),
            ("1.1", RecordKind::Response)
        );
        assert_eq!(record.target_uri(), Some("http://a b/ c"));
        assert_eq!(
            (record.block.as_slice(), record.truncated.as_deref()),
            (&b"hello"[..], Some("length"))
        );
    }

    #[test]
    fn lying_lengths_are_malformed_or_over_budget() {
        let with = |value: &str, rest: &str| {
            content(format!("WARC/1.0\nContent-Length: {value}\n\n{rest}").as_bytes())
        };
        for value in ["-1", "", "0x10", "1 2", "+3"] {
            assert_eq!(
                with(value, "abc"),
                RecordContent::Malformed(MalformedKind::ContentLength),
                "{value}"
            );
        }
        assert_eq!(
            with("4", "abc"),
            RecordContent::Malformed(MalformedKind::ShortBlock)
        );
        for value in ["99999999", "99999999999999999999999999"] {
            assert_eq!(
                with(value, "abc"),
                RecordContent::OverBudget(Budget::RecordBytes),
                "{value}"
            );
        }
        let RecordContent::Record(record) = with("2", "abc") else {
            panic!("no record")
        };
        assert_eq!(record.block, b"ab");
    }

    #[test]
    fn headers_without_end() {
        let long = [b"WARC/1.0\r\nA: ".as_slice(), &vec![b'x'; 70_000]].concat();
        assert_eq!(content(&long), RecordContent::OverBudget(Budget::WarcHeader));
        assert_eq!(
            content(b"WARC/1.0\r\nA: b\r\n"),
            RecordContent::Malformed(MalformedKind::Header)
        );
        for bytes in [
            &b""[..],
            b"WARC",
            b"WARC/",
            b"WARC/1.0",
            b"WARC/x",
            b"WARC/1\n",
            b"<html>",
        ] {
            assert_eq!(content(bytes), RecordContent::Malformed(MalformedKind::NotWarc));
        }
    }

    #[test]
    fn two_records_in_a_member_are_said() {
        let one = "WARC/1.0\r\nContent-Length: 1\r\n\r\nx\r\n\r\n";
        let two = parse_member(one.repeat(2).as_bytes(), &ReadLimits::default());
        assert_eq!(two, RecordContent::Malformed(MalformedKind::SeveralRecords));
    }
}

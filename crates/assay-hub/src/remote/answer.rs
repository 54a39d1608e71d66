//! What a server's answer to a range request says: which bytes come, of how many, of which version of the object.
//!
//! Made from status and header fields by `Connection`; pure, so that each case is a test.

use reqwest::StatusCode;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, LAST_MODIFIED};

/// The version of an object: entity tag and date, as far as the server sends them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Version {
    etag: Option<String>,
    modified: Option<String>,
}

impl Version {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self {
            etag: text(headers, ETAG),
            modified: text(headers, LAST_MODIFIED),
        }
    }

    /// A version of which only the tag is known.
    pub(crate) fn tagged(etag: &str) -> Self {
        Self {
            etag: Some(etag.to_owned()),
            modified: None,
        }
    }

    /// Whether both can be the same bytes: equal tags decide, without tags equal dates.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        match (&self.etag, &other.etag) {
            (Some(a), Some(b)) => a == b,
            _ => match (&self.modified, &other.modified) {
                (Some(a), Some(b)) => a == b,
                _ => true,
            },
        }
    }

    /// The tag, strong or weak.
    pub(crate) fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// The tag if `If-Match` may carry it: weak ones never match (RFC 9110 §13.1.1).
    pub(crate) fn strong_etag(&self) -> Option<&str> {
        self.etag.as_deref().filter(|etag| etag.starts_with('"'))
    }
}

/// What comes in the body, judged by status and headers alone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The bytes from the asked offset up to `end`, of `total` if the server says.
    Part { end: u64, total: Option<u64> },
    /// The whole object from byte 0: the server does not read ranges.
    Whole { total: Option<u64> },
    /// The object ends at or before the asked offset.
    Beyond { total: Option<u64> },
    /// The object is not the one asked for under `If-Match`.
    Changed,
    /// An error status.
    Error,
    /// A part that is not the one asked for; a cache on the way may be confused, so it is asked again.
    OtherPart(&'static str),
    /// An answer that contradicts itself.
    Nonsense(&'static str),
}

impl Answer {
    /// Judges the answer to a request for the bytes from `from`.
    pub(crate) fn judge(status: StatusCode, headers: &HeaderMap, from: u64) -> Self {
        match status {
            StatusCode::PARTIAL_CONTENT => part(headers, from),
            StatusCode::OK => Self::Whole {
                total: text(headers, CONTENT_LENGTH).and_then(|n| n.parse().ok()),
            },
            StatusCode::RANGE_NOT_SATISFIABLE => Self::Beyond {
                total: text(headers, CONTENT_RANGE).and_then(|range| {
                    range
                        .trim()
                        .strip_prefix("bytes")?
                        .trim()
                        .strip_prefix("*/")?
                        .parse()
                        .ok()
                }),
            },
            StatusCode::PRECONDITION_FAILED => Self::Changed,
            _ if status.is_success() => Self::Nonsense("a success without the object"),
            _ => Self::Error,
        }
    }
}

/// `Content-Range: bytes first-last/total` (RFC 9110 §14.4).
fn part(headers: &HeaderMap, from: u64) -> Answer {
    let Some(range) = text(headers, CONTENT_RANGE) else {
        return Answer::OtherPart("a part that does not say which");
    };
    let fields = range.trim().strip_prefix("bytes").and_then(|range| {
        let (range, total) = range.trim().split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let total = if total.trim() == "*" {
            None
        } else {
            Some(total.trim().parse::<u64>().ok()?)
        };
        Some((
            first.trim().parse::<u64>().ok()?,
            last.trim().parse::<u64>().ok()?.checked_add(1)?,
            total,
        ))
    });
    match fields {
        Some((first, end, total))
            if first == from && end > from && total.is_none_or(|total| end <= total) =>
        {
            Answer::Part { end, total }
        }
        Some(_) => Answer::OtherPart("another part than the one asked for"),
        None => Answer::OtherPart("a part that does not say which"),
    }
}

/// A header field as text, if it is there and is text.
pub(crate) fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(status: u16, fields: &[(HeaderName, &str)], from: u64) -> Answer {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.insert(name.clone(), value.parse().unwrap());
        }
        Answer::judge(StatusCode::from_u16(status).unwrap(), &headers, from)
    }

    #[test]
    fn answers_are_judged_by_status_and_fields() {
        let range = |value| [(CONTENT_RANGE, value)];
        assert_eq!(
            judge(206, &range("bytes 5-9/20"), 5),
            Answer::Part {
                end: 10,
                total: Some(20)
            }
        );
        assert_eq!(
            judge(206, &range("bytes 5-9/*"), 5),
            Answer::Part { end: 10, total: None }
        );
        for bad in ["bytes 0-9/20", "bytes 5-4/20", "bytes 5-30/20"] {
            assert_eq!(
                judge(206, &range(bad), 5),
                Answer::OtherPart("another part than the one asked for"),
                "{bad}"
            );
        }
        for bad in [
            "bytes",
            "5-9/20",
            "bytes 5-18446744073709551615/*",
            "items 5-9/20",
        ] {
            assert_eq!(
                judge(206, &range(bad), 5),
                Answer::OtherPart("a part that does not say which"),
                "{bad}"
            );
        }
        assert_eq!(
            judge(200, &[(CONTENT_LENGTH, "7")], 5),
            Answer::Whole { total: Some(7) }
        );
        assert_eq!(
            judge(416, &range("bytes */3"), 5),
            Answer::Beyond { total: Some(3) }
        );
        assert_eq!(judge(416, &[], 5), Answer::Beyond { total: None });
        assert_eq!(judge(412, &[], 5), Answer::Changed);
        assert_eq!(
            judge(204, &[], 5),
            Answer::Nonsense("a success without the object")
        );
        assert_eq!(judge(404, &[], 5), Answer::Error);
    }

    #[test]
    fn versions_compare_tags_first_then_dates() {
        let version = |etag: Option<&str>, modified: Option<&str>| Version {
            etag: etag.map(str::to_owned),
            modified: modified.map(str::to_owned),
        };
        assert!(version(Some("\"a\""), Some("1")).agrees(&version(Some("\"a\""), Some("2"))));
        assert!(!version(Some("\"a\""), Some("1")).agrees(&version(Some("\"b\""), Some("1"))));
        assert!(!version(None, Some("1")).agrees(&version(Some("\"b\""), Some("2"))));
        assert!(version(None, None).agrees(&version(Some("\"b\""), None)));
        assert_eq!(version(Some("W/\"a\""), None).strong_etag(), None);
    }
}

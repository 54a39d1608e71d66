//! The head of an HTTP response: status line and fields, leniently, as crawlers stored them.

use crate::warc::{Fields, ReadLimits, fields};

/// Why a block is no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The first line is no status line.
    #[error("the block does not begin with an HTTP status line")]
    StatusLine,
    /// The header block does not end within the block.
    #[error("the HTTP header block has no end")]
    HeaderEnd,
    /// The header block is longer than `http_header_bytes_max`.
    #[error("the HTTP header block is over budget")]
    OverBudget,
}

impl HttpError {
    /// The sub-reason under which the record is counted.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StatusLine => "http_status_line",
            Self::HeaderEnd => "http_header_end",
            Self::OverBudget => "http_header",
        }
    }
}

/// A response whose body is still encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse<'a> {
    /// The status code, such as 200.
    pub status: u16,
    /// The header fields in order.
    pub headers: Fields,
    /// What follows the header block.
    pub body: &'a [u8],
}

impl HttpResponse<'_> {
    /// The last `Content-Type` that is not empty, as browsers take it.
    pub fn content_type(&self) -> Option<&str> {
        self.headers
            .all("Content-Type")
            .filter(|value| !value.is_empty())
            .last()
    }
}

/// Splits a block into status, fields and body. Status lines are `HTTP/1.1 200 OK`, `HTTP/2 200`, `ICY 200 OK`; line
/// ends LF or CRLF. `Content-Length` is not believed: the body is the rest of the block.
///
/// # Errors
/// `StatusLine` if the block does not begin with one, `HeaderEnd` without a blank line, `OverBudget` if that does not
/// come within `http_header_bytes_max`.
pub fn parse_response<'a>(block: &'a [u8], limits: &ReadLimits) -> Result<HttpResponse<'a>, HttpError> {
    if !(block.starts_with(b"HTTP/") || block.starts_with(b"ICY ")) {
        return Err(HttpError::StatusLine);
    }
    let within = block.get(..limits.http_header_bytes_max).unwrap_or(block);
    let no_end = if block.len() > within.len() {
        HttpError::OverBudget
    } else {
        HttpError::HeaderEnd
    };
    let (line, line_length) = fields::line(within).ok_or(no_end)?;
    let status = status(line).ok_or(HttpError::StatusLine)?;
    let rest = within.get(line_length..).unwrap_or_default();
    let (headers, length) = fields::parse(rest).ok_or(no_end)?;
    let body = block.get(line_length + length..).unwrap_or_default();
    Ok(HttpResponse {
        status,
        headers,
        body,
    })
}

/// The second word of the status line, if it is a number of three digits.
fn status(line: &[u8]) -> Option<u16> {
    let mut words = line
        .split(|byte| matches!(byte, b' ' | b'\t'))
        .filter(|word| !word.is_empty());
    words.next()?;
    let code = words.next()?;
    if code.len() != 3 {
        return None;
    }
    std::str::from_utf8(code)
        .ok()?
        .parse()
        .ok()
        .filter(|code| *code >= 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(block: &str) -> Result<HttpResponse<'_>, HttpError> {
        parse_response(block.as_bytes(), &ReadLimits::default())
    }

    #[test]
    fn status_lines_of_all_ages() {
        for line in [
            "HTTP/1.1 200 OK",
            "HTTP/2 200",
            "ICY 200 OK",
            "HTTP/1.0  200",
            "HTTP/1.1 200 ",
        ] {
            assert_eq!(
                parse(&format!("{line}\r\n\r\nx")).map(|response| response.status),
                Ok(200),
                "{line}"
            );
        }
        for line in [
            "HTTP/1.1",
            "HTTP/1.1 20",
            "HTTP/1.1 +20",
            "HTTP/1.1 099",
            "GET / HTTP/1.1",
            "",
        ] {
            assert_eq!(
                parse(&format!("{line}\r\n\r\nx")),
                Err(HttpError::StatusLine),
                "{line}"
            );
        }
    }

    #[test]
    fn last_content_type_wins_and_folds_join() {
        let response = parse(
            "HTTP/1.1 200 OK\nContent-Type: text/plain\nContent-Type: text/html;\n charset=x\nContent-Type:\n\nbody",
        )
        .unwrap();
        assert_eq!(response.content_type(), Some("text/html; charset=x"));
        assert_eq!(response.body, b"body");
    }

    #[test]
    fn heads_without_end() {
        assert_eq!(parse("HTTP/1.1 200 OK\r\nA: b\r\n"), Err(HttpError::HeaderEnd));
        let long = format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "x".repeat(300_000));
        assert_eq!(parse(&long), Err(HttpError::OverBudget));
    }
}

//! Records one behind the other in a stream of plain bytes: a plain file, or what a compressed one inflates to.
//!
//! A row is a record with the blank lines behind it, or a stretch up to the next line that is a version line. A
//! `Content-Length` is believed if another record, or the end, follows its block; if not, and a version line stands
//! inside the block, the record was cut there. So a lying length costs its own record only.
//! A break of the stream (a damaged frame of a compressed file) is a row without bytes, so that nothing is lost silently.

use std::io;

use super::limits::{Budget, MalformedKind, ReadLimits, WINDOW_BYTES};
use super::record::{self, Head, HeadError, RecordContent, VERSION_LINE_BYTES, is_version_line};
use super::window::{Row, Source, Window};

/// Line ends behind a block that belong to its record; two CRLF are the rule.
const TRAILING_BYTES_MAX: usize = 64;

/// Bytes looked at in one step of a search.
const STEP_BYTES: usize = 64 << 10;

/// The rows of such a stream.
#[derive(Debug)]
pub(crate) struct Lines<S> {
    window: Window<S>,
    limits: ReadLimits,
    /// Breaks met whose rows are still to come.
    breaks: u32,
}

/// Where the row at the window's front ends.
enum Found {
    /// Here, and this is its content.
    Row(usize, RecordContent),
    /// At the next version line from here on.
    Stretch(usize, RecordContent),
}

impl<S: Source> Lines<S> {
    pub(crate) fn new(window: Window<S>, limits: ReadLimits) -> Self {
        Self {
            window,
            limits,
            breaks: 0,
        }
    }

    /// Whether a version line comes within the first `search_bytes`; nothing leaves.
    pub(crate) fn looks_like_warc(&mut self, search_bytes: usize) -> io::Result<bool> {
        while self.window.fill(search_bytes)?.is_empty() {
            if !self.window.resume() {
                return Ok(false);
            }
            self.breaks += 1;
        }
        let bytes = self.window.bytes();
        let bytes = bytes.get(..search_bytes).unwrap_or(bytes);
        Ok(is_version_line(bytes) == Some(true) || find_version_line(bytes, 1, true).is_ok())
    }

    /// The next row, none at the end of the stream.
    pub(crate) fn next_row(&mut self) -> io::Result<Option<(Row, RecordContent)>> {
        if self
            .window
            .fill(self.limits.warc_header_bytes_max + 1)?
            .is_empty()
            && self.breaks == 0
        {
            if !self.window.resume() {
                return Ok(None);
            }
            self.breaks = 1;
        }
        if let Some(breaks) = self.breaks.checked_sub(1) {
            self.breaks = breaks;
            let damaged = RecordContent::Malformed(MalformedKind::Frame);
            return Ok(Some((self.window.finish_row(), damaged)));
        }
        let found = match record::head(self.window.bytes(), &self.limits) {
            Ok(head) => self.block(head)?,
            Err(error @ HeadError::Malformed(MalformedKind::NotWarc)) => Found::Stretch(1, error.into()),
            Err(error) => Found::Stretch(VERSION_LINE_BYTES.min(self.window.bytes().len()), error.into()),
        };
        let content = match found {
            Found::Row(end, content) => {
                self.window.consume(end);
                content
            }
            Found::Stretch(from, content) => self.leave(from, content)?,
        };
        Ok(Some((self.window.finish_row(), content)))
    }

    /// Finds the end of the record with this header.
    fn block(&mut self, head: Head) -> io::Result<Found> {
        let start = head.length;
        if head.block_length.saturating_add(start as u64) > self.limits.inflated_bytes_max {
            return Ok(Found::Stretch(
                start,
                RecordContent::OverBudget(Budget::RecordBytes),
            ));
        }
        let end = start + head.block_length as usize;
        let bytes = self.window.fill(end + TRAILING_BYTES_MAX + VERSION_LINE_BYTES)?;
        let short = RecordContent::Malformed(MalformedKind::ShortBlock);
        let Some(after) = bytes.get(end..) else {
            return Ok(Found::Stretch(start, short));
        };
        let trailing = after
            .iter()
            .take(TRAILING_BYTES_MAX)
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        let next = after.get(trailing..).unwrap_or_default();
        if !next.is_empty() && is_version_line(next) != Some(true) {
            // A version line may begin inside the block and end behind it.
            let inside = bytes.get(..end + VERSION_LINE_BYTES).unwrap_or(bytes);
            if let Some(cut) = find_version_line(inside, start, true)
                .ok()
                .filter(|cut| *cut < end)
            {
                return Ok(Found::Stretch(cut, short));
            }
        }
        let content = record::with_block(head, bytes, &self.limits);
        Ok(Found::Row(end + trailing, content))
    }

    /// Lets a row leave that ends at the next version line from `from` on; gives its content.
    fn leave(&mut self, from: usize, content: RecordContent) -> io::Result<RecordContent> {
        let mut at = from;
        let end = loop {
            self.window.fill(at + STEP_BYTES)?;
            let ended = self.window.at_end();
            let bytes = self.window.bytes();
            let room = self
                .limits
                .row_bytes_max
                .saturating_sub(self.window.row_length())
                .max(1) as usize;
            let found = find_version_line(bytes, at, ended);
            let (Ok(end) | Err(end)) = found;
            if end >= room {
                let next = self.window.fill(room + 1)?.get(room);
                // The rest of the stretch must not look like a record.
                break if next == Some(&b'W') { room + 1 } else { room };
            }
            if found.is_ok() {
                break end;
            }
            if ended {
                break bytes.len();
            }
            at = end;
            if at > WINDOW_BYTES {
                // One byte stays: a version line counts only behind a line feed.
                self.window.consume(at - 1);
                at = 1;
            }
        };
        let whole = self.window.row_length() == 0;
        let content = match self.window.bytes().get(..end) {
            Some(row) if whole => record::parse(row, &self.limits),
            _ => content,
        };
        self.window.consume(end);
        Ok(content)
    }
}

/// The first place from `from` on, behind a line feed, where a version line starts; else the place up to which there
/// is none. `ended`: nothing follows `bytes`.
fn find_version_line(bytes: &[u8], from: usize, ended: bool) -> Result<usize, usize> {
    let mut at = from;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(found) = memchr::memmem::find(rest, b"WARC/") else {
            return Err(bytes.len().saturating_sub(4).max(at.min(bytes.len())));
        };
        at += found;
        let behind_line = at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'\n');
        let here = bytes.get(at..).unwrap_or_default();
        match is_version_line(here) {
            Some(true) if behind_line => return Ok(at),
            None if !ended => return Err(at),
            _ => at += 1,
        }
    }
}

//! An archive of one record a gzip member: every row is a member, or a stretch that is none.
//!
//! `Codec::content` says what the bytes of one row hold and is all that re-execution needs. `Members` finds the rows:
//! the end of a sound member by inflating it, the end of a damaged one by searching for the next member whose
//! content begins with `WARC/`, from the second byte of the damaged one on, so a cut download loses one row.
//! A bomb is inflated up to `inflated_bytes_max`, skipped while it inflates less than `INFLATE_RATIO_MAX` times, and
//! then left for the next such member.
//!
//! Equal by construction: whenever a row was not ended by a sound member and is still in the window, its content is
//! computed again by `Codec::content` from exactly its bytes.

use std::io::{self, Read};

use flate2::Decompress;

use super::gzip::{self, Exact, FOOTER_BYTES, Step, Stream};
use super::limits::{Budget, INFLATE_RATIO_MAX, MalformedKind, ReadLimits, WINDOW_BYTES};
use super::record::{self, RecordContent};
use super::window::{Raw, Row, Window};

/// Compressed bytes fed at once, counted from the member's start: the same steps whatever the input's reads.
const CHUNK_BYTES: usize = 64 << 10;

/// Guesses of a member's end that libdeflate may try before the stream decides.
const GUESSES_MAX: usize = 4;

/// Compressed bytes looked at to see whether a member begins with `WARC/`.
const PROBE_BYTES: usize = 1 << 10;

/// Work (bytes in and out) on damaged members that may be repeated, beyond `REWORK_RATIO_MAX` times the archive's
/// bytes so far: nested damaged members would otherwise cost the square of their size.
const REWORK_BYTES_MAX: u64 = 1 << 28;

/// See `REWORK_BYTES_MAX`.
const REWORK_RATIO_MAX: u64 = 64;

/// What a wrong guess is counted as, times its bytes: it may have inflated to many times them.
const GUESS_RATIO: u64 = 64;

const DAMAGED: RecordContent = RecordContent::Malformed(MalformedKind::Gzip);
const BOMB: RecordContent = RecordContent::OverBudget(Budget::RecordBytes);

/// The inflaters, reused from member to member.
pub(crate) struct Codec {
    exact: Exact,
    stream: Stream,
    probe: Decompress,
}

impl Codec {
    pub(crate) fn new() -> Self {
        Self {
            exact: Exact::new(),
            stream: Stream::new(),
            probe: Decompress::new(false),
        }
    }

    /// What the bytes of one row hold.
    pub(crate) fn content(&mut self, bytes: &[u8], limits: &ReadLimits) -> RecordContent {
        let Some(header) = gzip::header_length(bytes) else {
            return RecordContent::Malformed(MalformedKind::NotGzip);
        };
        if let Some(content) = self.exact_content(bytes, limits) {
            return content;
        }
        self.begin(limits);
        let mut at = header;
        while let Some((taken, step)) = self.feed_at(bytes, at) {
            if self.stream.over_budget() {
                return BOMB;
            }
            at += taken;
            match step {
                Step::More => {}
                Step::Corrupt => return DAMAGED,
                Step::DataEnd => {
                    let footer = bytes.get(at..).unwrap_or_default();
                    let sound = footer.len() == FOOTER_BYTES && self.stream.footer_fits(footer);
                    return if sound {
                        record::parse_member(self.stream.output(), limits)
                    } else {
                        DAMAGED
                    };
                }
            }
        }
        DAMAGED
    }

    pub(crate) fn begin(&mut self, limits: &ReadLimits) {
        self.stream.begin(limits.inflated_bytes_max);
    }

    /// What the running member gave so far.
    pub(crate) fn inflated(&self) -> &[u8] {
        self.stream.output()
    }

    pub(crate) fn over_budget(&self) -> bool {
        self.stream.over_budget()
    }

    pub(crate) fn footer_fits(&self, footer: &[u8]) -> bool {
        self.stream.footer_fits(footer)
    }

    /// Feeds the chunk at `at`, none at the end of `bytes`.
    pub(crate) fn feed_at(&mut self, bytes: &[u8], at: usize) -> Option<(usize, Step)> {
        chunk_at(bytes, at).map(|chunk| self.feed_chunk(chunk))
    }

    /// Feeds one chunk until it is taken, the data end, or the budget is met.
    fn feed_chunk(&mut self, chunk: &[u8]) -> (usize, Step) {
        let mut taken = 0;
        loop {
            let (count, step) = self.stream.feed(chunk.get(taken..).unwrap_or_default());
            taken += count;
            if step != Step::More || taken >= chunk.len() || self.stream.over_budget() {
                return (taken, step);
            }
        }
    }

    fn exact_content(&mut self, bytes: &[u8], limits: &ReadLimits) -> Option<RecordContent> {
        if bytes.len() > WINDOW_BYTES {
            return None;
        }
        let content = self.exact.inflate(bytes, limits.inflated_bytes_max)?;
        Some(record::parse_member(content, limits))
    }

    /// Whether a member starts here whose content begins with `WARC/`.
    pub(crate) fn begins_warc(&mut self, bytes: &[u8]) -> bool {
        let bytes = bytes.get(..PROBE_BYTES).unwrap_or(bytes);
        let Some(data) = gzip::header_length(bytes).and_then(|header| bytes.get(header..)) else {
            return false;
        };
        self.probe.reset(false);
        let mut output = [0; 8];
        let (_, written, _) = gzip::inflate_step(&mut self.probe, data, &mut output);
        output
            .get(..written)
            .is_some_and(|content| content.starts_with(b"WARC/"))
    }

    /// The first place from `from` on where such a member starts; else the place up to which there is none, for
    /// which `bytes` must be longer. `ended`: nothing follows `bytes`.
    pub(crate) fn find_warc(&mut self, bytes: &[u8], from: usize, ended: bool) -> Result<usize, usize> {
        let mut at = from;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(found) = memchr::memmem::find(rest, &gzip::MAGIC) else {
                return Err(bytes.len().saturating_sub(gzip::MAGIC.len() - 1).max(at));
            };
            at += found;
            let here = bytes.get(at..).unwrap_or_default();
            if here.len() < PROBE_BYTES && !ended {
                return Err(at);
            }
            if self.begins_warc(here) {
                return Ok(at);
            }
            at += 1;
        }
    }
}

/// The chunk at `at`, none at the end.
fn chunk_at(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
    Some(rest.get(..CHUNK_BYTES).unwrap_or(rest))
}

/// How the search for a member's end went; places count from the window's front.
enum Outcome {
    /// A sound member ends here.
    End(usize, RecordContent),
    /// No end; the next member may start here or later.
    Lost(usize, RecordContent),
}

/// The rows of such an archive.
pub(crate) struct Members<R> {
    window: Window<Raw<R>>,
    codec: Codec,
    limits: ReadLimits,
    /// Bytes in and out of members that then turned out damaged.
    rework_bytes: u64,
    offset: u64,
}

impl<R: Read> Members<R> {
    pub(crate) fn new(window: Window<Raw<R>>, codec: Codec, limits: ReadLimits) -> Self {
        Self {
            window,
            codec,
            limits,
            rework_bytes: 0,
            offset: 0,
        }
    }

    /// The next row, none at the end of the archive.
    pub(crate) fn next_row(&mut self) -> io::Result<Option<(Row, RecordContent)>> {
        let bytes = self.window.fill(gzip::HEADER_BYTES_MAX)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let outcome = match gzip::header_length(bytes) {
            None => Outcome::Lost(1, RecordContent::Malformed(MalformedKind::NotGzip)),
            Some(header) => match self.guess_end(header)? {
                Some((end, content)) => Outcome::End(end, content),
                None => self.stream_end(header)?,
            },
        };
        let content = match outcome {
            Outcome::End(end, content) => {
                self.window.consume(end);
                content
            }
            Outcome::Lost(from, content) => self.leave(from, content)?,
        };
        let row = self.window.finish_row();
        self.offset += row.length;
        Ok(Some((row, content)))
    }

    /// Tries libdeflate on the places where the member may end: before the next magic or at the archive's end.
    fn guess_end(&mut self, header: usize) -> io::Result<Option<(usize, RecordContent)>> {
        let mut from = header;
        for _ in 0..GUESSES_MAX {
            if !self.may_rework() {
                return Ok(None);
            }
            let Some(end) = self.next_magic(from)? else {
                return Ok(None);
            };
            let bytes = self.window.bytes().get(..end).unwrap_or_default();
            if let Some(content) = self.codec.exact_content(bytes, &self.limits) {
                return Ok(Some((end, content)));
            }
            self.rework_bytes += GUESS_RATIO * end as u64;
            from = end + 1;
        }
        Ok(None)
    }

    /// The next magic from `from` on, or the archive's end, if it is not beyond the window.
    fn next_magic(&mut self, from: usize) -> io::Result<Option<usize>> {
        let mut at = from;
        loop {
            let bytes = self.window.bytes();
            if let Some(found) = bytes
                .get(at..)
                .and_then(|rest| memchr::memmem::find(rest, &gzip::MAGIC))
            {
                return Ok(Some(at + found).filter(|end| *end <= WINDOW_BYTES));
            }
            let held = bytes.len();
            if self.window.at_end() || held > WINDOW_BYTES {
                return Ok(Some(held).filter(|end| *end >= from && *end <= WINDOW_BYTES));
            }
            at = held.saturating_sub(gzip::MAGIC.len() - 1).max(from);
            self.window.fill(held + CHUNK_BYTES)?;
        }
    }

    /// Inflates the member piece by piece.
    fn stream_end(&mut self, header: usize) -> io::Result<Outcome> {
        let bytes_max = self.limits.inflated_bytes_max;
        self.codec.stream.begin(bytes_max);
        let mut at = header;
        // Where the budget was met: a row must reach this far to be over budget by itself.
        let mut over_at = None;
        loop {
            let bytes = self.window.fill(at + CHUNK_BYTES)?;
            let Some(chunk) = chunk_at(bytes, at) else { break };
            let (taken, step) = self.codec.feed_chunk(chunk);
            at += taken;
            let out = self.codec.stream.total_out();
            if self.codec.stream.over_budget() && over_at.is_none() {
                over_at = Some(at);
            }
            match step {
                Step::Corrupt => break,
                Step::DataEnd => {
                    let footer = self.window.fill(at + FOOTER_BYTES)?.get(at..).unwrap_or_default();
                    if !self.codec.stream.footer_fits(footer) {
                        break;
                    }
                    let content = if over_at.is_some() {
                        BOMB
                    } else {
                        record::parse_member(self.codec.stream.output(), &self.limits)
                    };
                    return Ok(Outcome::End(at + FOOTER_BYTES, content));
                }
                Step::More => {}
            }
            let read = self.window.row_length() + at as u64;
            if out > bytes_max + INFLATE_RATIO_MAX * read || read > self.limits.row_bytes_max {
                break;
            }
            if at > WINDOW_BYTES {
                self.window.consume(at);
                over_at = over_at.map(|_| 0);
                at = 0;
            }
        }
        Ok(self.lost(at, over_at))
    }

    /// From where to search after a damaged member or a bomb.
    fn lost(&mut self, at: usize, over_at: Option<usize>) -> Outcome {
        let whole = self.window.row_length() == 0;
        if let Some(over_at) = over_at {
            return Outcome::Lost(over_at.max(usize::from(whole)), BOMB);
        }
        self.rework_bytes += at as u64 + self.codec.stream.total_out();
        Outcome::Lost(
            if whole && self.may_rework() {
                1
            } else {
                at.max(usize::from(whole))
            },
            DAMAGED,
        )
    }

    fn may_rework(&self) -> bool {
        self.rework_bytes <= REWORK_BYTES_MAX + REWORK_RATIO_MAX * self.offset
    }

    /// Lets a row leave that ends where the next member begins with `WARC/`; gives its content.
    fn leave(&mut self, from: usize, content: RecordContent) -> io::Result<RecordContent> {
        let mut at = from;
        let end = loop {
            self.window.fill(at + CHUNK_BYTES)?;
            let ended = self.window.at_end();
            let bytes = self.window.bytes();
            let room = self
                .limits
                .row_bytes_max
                .saturating_sub(self.window.row_length())
                .max(1) as usize;
            let found = self.codec.find_warc(bytes, at, ended);
            let (Ok(end) | Err(end)) = found;
            if end >= room {
                let next = self.window.fill(room + 1)?.get(room);
                // The rest of the stretch must not look like a member.
                break if next == gzip::MAGIC.first() {
                    room + 1
                } else {
                    room
                };
            }
            if found.is_ok() {
                break end;
            }
            if ended {
                break bytes.len();
            }
            at = end;
            if at > WINDOW_BYTES {
                self.window.consume(at);
                at = 0;
            }
        };
        let bytes = self.window.bytes();
        let whole = self.window.row_length() == 0 && end <= WINDOW_BYTES;
        let content = match bytes.get(..end) {
            Some(row) if whole => self.codec.content(row, &self.limits),
            _ => content,
        };
        self.window.consume(end);
        Ok(content)
    }
}

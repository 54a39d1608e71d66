//! Gzip members: where one ends and what it holds.
//!
//! Two ways give the same answer. `exact` hands a whole member to libdeflate, which is fast but does not say where the
//! member ended; `Stream` feeds zlib-rs piece by piece and knows. `exact` therefore takes a guess of the end and
//! proves it: libdeflate found a footer (CRC-32 and length of the output) somewhere in the bytes, and if these eight
//! bytes stand at the guessed end and nowhere before, the member ends there.

use flate2::{Crc, Decompress, FlushDecompress, Status};

/// The first bytes of a member: magic and "deflate".
pub(crate) const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// Bytes of CRC-32 and length behind a member's data.
pub(crate) const FOOTER_BYTES: usize = 8;

/// A member's header is at most this long: 10 fixed bytes and extra field, name and comment.
pub(crate) const HEADER_BYTES_MAX: usize = 64 << 10;

/// Deflate's limit: 258 bytes from two bits.
const DEFLATE_RATIO_MAX: usize = 1_032;

/// Bytes of one output step while a stream is only skipped.
const SKIP_BYTES: usize = 64 << 10;

const RESERVED: u8 = 0xe0;
const HEADER_CRC: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;

/// Length of the member header at the start of `bytes`; none if there is no complete one.
pub(crate) fn header_length(bytes: &[u8]) -> Option<usize> {
    let bytes = bytes.get(..HEADER_BYTES_MAX).unwrap_or(bytes);
    if !bytes.starts_with(&MAGIC) {
        return None;
    }
    let flags = *bytes.get(3)?;
    if flags & RESERVED != 0 {
        return None;
    }
    let mut at = 10;
    if flags & EXTRA != 0 {
        let length = u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]);
        at += 2 + usize::from(length);
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            at += memchr::memchr(0, bytes.get(at..)?)? + 1;
        }
    }
    if flags & HEADER_CRC != 0 {
        at += 2;
    }
    (at <= bytes.len()).then_some(at)
}

/// CRC-32 and length of a footer.
fn footer(bytes: &[u8]) -> Option<(u32, u32)> {
    let (crc, length) = bytes.split_at_checked(4)?;
    Some((
        u32::from_le_bytes(crc.try_into().ok()?),
        u32::from_le_bytes(length.try_into().ok()?),
    ))
}

/// Inflates one member at libdeflate's speed into a buffer that is kept.
pub(crate) struct Exact {
    inflater: libdeflater::Decompressor,
    output: Vec<u8>,
}

impl Exact {
    pub(crate) fn new() -> Self {
        Self {
            inflater: libdeflater::Decompressor::new(),
            output: Vec::new(),
        }
    }

    /// The content of `bytes` if they are exactly one sound member of at most `bytes_max` inflated bytes whose end is
    /// certain; none if not, or if this cannot be told.
    pub(crate) fn inflate(&mut self, bytes: &[u8], bytes_max: u64) -> Option<&[u8]> {
        let header = header_length(bytes)?;
        let data = bytes.get(header..bytes.len().checked_sub(FOOTER_BYTES)?)?;
        let end = bytes.get(header + data.len()..)?;
        let (_, length) = footer(end)?;
        let length = length as usize;
        if length as u64 > bytes_max || length > data.len().saturating_mul(DEFLATE_RATIO_MAX) {
            return None;
        }
        if self.output.len() < length {
            self.output.resize(length, 0);
        }
        let written = self
            .inflater
            .gzip_decompress(bytes, self.output.get_mut(..length)?)
            .ok()?;
        if written != length {
            return None;
        }
        let before = bytes.get(header..bytes.len() - 1)?;
        if memchr::memmem::find(before, end).is_some() {
            return None;
        }
        self.output.get(..length)
    }
}

/// How a step of a stream went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// All input was taken.
    More,
    /// The deflate data ended; the footer follows.
    DataEnd,
    /// No deflate data.
    Corrupt,
}

/// A deflate stream fed in pieces, keeping the first bytes of its output.
pub(crate) struct Stream {
    inflater: Decompress,
    crc: Crc,
    output: Vec<u8>,
    bytes_max: usize,
    skipped: Vec<u8>,
}

impl Stream {
    pub(crate) fn new() -> Self {
        Self {
            inflater: Decompress::new(false),
            crc: Crc::new(),
            output: Vec::new(),
            bytes_max: 0,
            skipped: Vec::new(),
        }
    }

    /// Begins a new member of which `bytes_max` bytes are kept.
    pub(crate) fn begin(&mut self, bytes_max: u64) {
        self.inflater.reset(false);
        self.crc.reset();
        self.output.clear();
        self.bytes_max = bytes_max as usize;
    }

    /// Bytes inflated so far, kept or not.
    pub(crate) fn total_out(&self) -> u64 {
        self.inflater.total_out()
    }

    /// Whether the member is longer than what is kept.
    pub(crate) fn over_budget(&self) -> bool {
        self.total_out() > self.bytes_max as u64
    }

    /// The kept bytes.
    pub(crate) fn output(&self) -> &[u8] {
        &self.output
    }

    /// Feeds `input` once; gives the bytes taken and how it went. Call again with the rest while it says `More` and
    /// takes some; one call writes at most `SKIP_BYTES`.
    pub(crate) fn feed(&mut self, input: &[u8]) -> (usize, Step) {
        self.skipped.resize(SKIP_BYTES, 0);
        let (taken, written, step) = inflate_step(&mut self.inflater, input, &mut self.skipped);
        let fresh = self.skipped.get(..written).unwrap_or_default();
        self.crc.update(fresh);
        let room = self.bytes_max.saturating_sub(self.output.len());
        self.output.extend_from_slice(fresh.get(..room).unwrap_or(fresh));
        (taken, step)
    }

    /// Whether the footer `bytes` names what was inflated.
    pub(crate) fn footer_fits(&self, bytes: &[u8]) -> bool {
        footer_fits(&self.crc, bytes)
    }
}

/// One call of the inflater: bytes taken, bytes written, and how it went.
pub(crate) fn inflate_step(
    inflater: &mut Decompress,
    input: &[u8],
    output: &mut [u8],
) -> (usize, usize, Step) {
    let (in_before, out_before) = (inflater.total_in(), inflater.total_out());
    let status = inflater.decompress(input, output, FlushDecompress::None);
    let taken = (inflater.total_in() - in_before) as usize;
    let written = (inflater.total_out() - out_before) as usize;
    let step = match status {
        Ok(Status::StreamEnd) => Step::DataEnd,
        Ok(Status::Ok) => Step::More,
        Ok(Status::BufError) if taken + written > 0 || input.is_empty() => Step::More,
        Ok(Status::BufError) | Err(_) => Step::Corrupt,
    };
    (taken, written, step)
}

/// Whether the footer `bytes` names this output.
pub(crate) fn footer_fits(crc: &Crc, bytes: &[u8]) -> bool {
    footer(bytes.get(..FOOTER_BYTES).unwrap_or_default()) == Some((crc.sum(), crc.amount()))
}

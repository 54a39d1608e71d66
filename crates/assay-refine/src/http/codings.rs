//! Content encodings undone within a budget: gzip, deflate, br, zstd.
//!
//! All four stream into a buffer that grows with what really came out; none allocates by a length that the body claims.

use std::io::Read;

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::Decompress;

use super::body::BodyError;
use crate::warc::{GzipStep, gzip_header_length, inflate_step};

/// Bytes of one output step.
const STEP_BYTES: usize = 64 << 10;

/// The largest zstd window in HTTP: 8 MiB, RFC 9659 §3.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// First bytes of a zstd frame.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Bytes of a gzip member's footer.
const GZIP_FOOTER_BYTES: usize = 8;

/// A content encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    /// The encoding of this name; labels that mean "none" are identity.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "identity" | "none" | "utf-8" | "utf8" => Self::Identity,
            "gzip" | "x-gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            "br" => Self::Brotli,
            "zstd" => Self::Zstd,
            _ => return None,
        })
    }
}

/// The decoded body, or none if it stands as it is.
pub(super) fn decode(coding: Coding, body: &[u8], bytes_max: u64) -> Result<Option<Vec<u8>>, BodyError> {
    if body.is_empty() {
        return Ok(None);
    }
    match coding {
        Coding::Identity => Ok(None),
        Coding::Gzip => gzip(body, bytes_max),
        Coding::Deflate => deflate(body, bytes_max).map(Some),
        Coding::Brotli => brotli(body, bytes_max),
        Coding::Zstd => zstd(body, bytes_max),
    }
}

/// Collects output up to a budget.
struct Output {
    bytes: Vec<u8>,
    step: Vec<u8>,
    bytes_max: u64,
}

impl Output {
    fn new(bytes_max: u64) -> Self {
        Self {
            bytes: Vec::new(),
            step: vec![0; STEP_BYTES],
            bytes_max,
        }
    }

    /// Takes the first `count` bytes of the step.
    fn take(&mut self, count: usize) -> Result<(), BodyError> {
        self.bytes
            .extend_from_slice(self.step.get(..count).unwrap_or(&self.step));
        if self.bytes.len() as u64 > self.bytes_max {
            Err(BodyError::OverBudget)
        } else {
            Ok(())
        }
    }
}

/// Inflates deflate data; gives the bytes taken. Cut data gives what there is, damaged data an error.
fn inflate(
    inflater: &mut Decompress,
    data: &[u8],
    output: &mut Output,
    name: &'static str,
) -> Result<usize, BodyError> {
    let mut at = 0;
    loop {
        let input = data.get(at..).unwrap_or_default();
        let (taken, written, step) = inflate_step(inflater, input, &mut output.step);
        at += taken;
        output.take(written)?;
        match step {
            GzipStep::DataEnd => return Ok(at),
            GzipStep::Corrupt => return Err(BodyError::Malformed(name)),
            GzipStep::More if at >= data.len() && written < output.step.len() => return Ok(at),
            GzipStep::More => {}
        }
    }
}

/// All members; what follows the last is left out, and checksums are not checked, as browsers do it.
fn gzip(body: &[u8], bytes_max: u64) -> Result<Option<Vec<u8>>, BodyError> {
    let mut output = Output::new(bytes_max);
    let mut inflater = Decompress::new(false);
    let mut rest = body;
    let mut members = 0_u32;
    while let Some(header) = gzip_header_length(rest) {
        inflater.reset(false);
        let data = rest.get(header..).unwrap_or_default();
        let taken = match inflate(&mut inflater, data, &mut output, "gzip") {
            Err(BodyError::Malformed(_)) if members > 0 => break,
            taken => taken?,
        };
        members += 1;
        rest = data.get(taken + GZIP_FOOTER_BYTES..).unwrap_or_default();
    }
    Ok((members > 0).then_some(output.bytes))
}

/// Zlib if the header is one, else raw deflate, as HTTP clients must take it; text is left as it is.
fn deflate(body: &[u8], bytes_max: u64) -> Result<Vec<u8>, BodyError> {
    let is_zlib = match body {
        [method, flags, ..] => method & 15 == 8 && (u16::from(*method) * 256 + u16::from(*flags)) % 31 == 0,
        _ => false,
    };
    if is_zlib {
        let mut output = Output::new(bytes_max);
        // The header's two bytes are left out, the checksum behind the data is not looked at.
        let data = body.get(2..).unwrap_or_default();
        match inflate(&mut Decompress::new(false), data, &mut output, "deflate") {
            Err(BodyError::Malformed(_)) => {}
            done => return done.map(|_| output.bytes),
        }
    }
    let mut output = Output::new(bytes_max);
    match inflate(&mut Decompress::new(false), body, &mut output, "deflate") {
        Err(BodyError::Malformed(_)) if looks_like_text(body) => Ok(body.to_vec()),
        done => done.map(|_| output.bytes),
    }
}

/// Brotli has no magic: text is left as it is if it does not decode. The strict state refuses the large-window extension,
/// which HTTP does not have and which may ask for a window of 1 GiB.
fn brotli(body: &[u8], bytes_max: u64) -> Result<Option<Vec<u8>>, BodyError> {
    let mut output = Output::new(bytes_max);
    let mut state = BrotliState::new_strict(
        StandardAlloc::default(),
        StandardAlloc::default(),
        StandardAlloc::default(),
    );
    let (mut left, mut at, mut total) = (body.len(), 0, 0);
    loop {
        let (mut room, mut written) = (output.step.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut at,
            body,
            &mut room,
            &mut written,
            &mut output.step,
            &mut total,
            &mut state,
        );
        output.take(written)?;
        match result {
            BrotliResult::ResultSuccess => return Ok(Some(output.bytes)),
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::NeedsMoreInput if !output.bytes.is_empty() => return Ok(Some(output.bytes)),
            _ if looks_like_text(body) => return Ok(None),
            _ => return Err(BodyError::Malformed("br")),
        }
    }
}

fn zstd(body: &[u8], bytes_max: u64) -> Result<Option<Vec<u8>>, BodyError> {
    if !body.starts_with(&ZSTD_MAGIC) {
        return Ok(None);
    }
    let damaged = |_| BodyError::Malformed("zstd");
    let mut output = Output::new(bytes_max);
    let mut reader = zstd::stream::read::Decoder::with_buffer(body).map_err(damaged)?;
    reader.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(damaged)?;
    loop {
        match reader.read(&mut output.step) {
            Ok(0) => return Ok(Some(output.bytes)),
            Ok(count) => output.take(count)?,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof && !output.bytes.is_empty() => {
                return Ok(Some(output.bytes));
            }
            Err(error) => return Err(damaged(error)),
        }
    }
}

/// Whether a body under an encoding without magic is in truth text: its first bytes open a tag, or are ASCII.
fn looks_like_text(body: &[u8]) -> bool {
    let head = body.get(..64).unwrap_or(body);
    head.trim_ascii_start().starts_with(b"<")
        || head
            .iter()
            .all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e))
}

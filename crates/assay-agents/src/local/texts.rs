//! Given texts: JSON Lines from a file or stdin, plain or gzip, one bounded line at a time.
//!
//! Read by `assay filter` and `assay dedup`. Lines end at the byte 0x0A only: texts may hold other line separators.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use fs_err as fs;
use serde::Deserialize;

use super::error::LocalError;

/// Longest line read, in bytes.
pub(super) const LINE_BYTES_MAX: u64 = 64 << 20;

/// One given text.
#[derive(Debug, Clone, Deserialize)]
pub struct GivenText {
    /// Whatever names the text; printed back as it is.
    #[serde(default)]
    pub id: serde_json::Value,
    /// The text.
    pub text: String,
    /// Where it comes from; empty if unknown.
    #[serde(default)]
    pub url: String,
    /// The input file it belongs to, for deduplication in several files.
    #[serde(default)]
    pub file: Option<serde_json::Value>,
}

/// One line: a text, or why it is none.
#[derive(Debug)]
pub struct Line {
    /// Line number, from 1.
    pub number: u64,
    /// The text, or what is wrong with the line.
    pub text: Result<Box<GivenText>, LineError>,
}

/// Why a line is no text.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// Not a JSON object with a `text`.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// Longer than 64 MiB.
    #[error("longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
}

/// Reads texts line by line.
pub struct TextReader {
    input: Box<dyn BufRead + Send>,
    name: String,
    number: u64,
}

impl std::fmt::Debug for TextReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextReader")
            .field("name", &self.name)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl TextReader {
    /// Opens a file, or stdin for `None` and `-`.
    pub fn open(path: Option<&Path>) -> Result<Self, LocalError> {
        let (name, raw): (String, Box<dyn Read + Send>) = match path.filter(|path| *path != Path::new("-")) {
            Some(path) => (
                path.display().to_string(),
                Box::new(fs::File::open(path).map_err(LocalError::io(path))?),
            ),
            None => ("stdin".to_owned(), Box::new(io::stdin())),
        };
        let input = inflated(raw).map_err(LocalError::io(&name))?;
        Ok(Self {
            input,
            name,
            number: 0,
        })
    }

    /// The next line that is not blank.
    pub fn next_line(&mut self) -> Result<Option<Line>, LocalError> {
        loop {
            let mut bytes = Vec::new();
            let mut limited = (&mut self.input).take(LINE_BYTES_MAX);
            let read = limited
                .read_until(b'\n', &mut bytes)
                .map_err(LocalError::io(&self.name))?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if read as u64 == LINE_BYTES_MAX && bytes.last() != Some(&b'\n') {
                self.skip_line()?;
                return Ok(Some(Line {
                    number: self.number,
                    text: Err(LineError::TooLong),
                }));
            }
            if bytes.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let text = serde_json::from_slice(&bytes)
                .map(Box::new)
                .map_err(LineError::Json);
            return Ok(Some(Line {
                number: self.number,
                text,
            }));
        }
    }

    fn skip_line(&mut self) -> Result<(), LocalError> {
        loop {
            let buffer = self.input.fill_buf().map_err(LocalError::io(&self.name))?;
            let (length, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), buffer.is_empty()),
            };
            self.input.consume(length);
            if ended {
                return Ok(());
            }
        }
    }
}

/// A buffered reader that inflates gzip (any number of members) if the first bytes say so.
pub(super) fn inflated(raw: Box<dyn Read + Send>) -> io::Result<Box<dyn BufRead + Send>> {
    let mut buffered = BufReader::with_capacity(1 << 17, raw);
    let is_gzip = buffered.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    if is_gzip {
        Ok(Box::new(BufReader::with_capacity(
            1 << 17,
            flate2::bufread::MultiGzDecoder::new(buffered),
        )))
    } else {
        Ok(Box::new(buffered))
    }
}

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

/// First bytes of a zstd frame (RFC 8878 §3.1.1).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// One given text.
#[derive(Debug, Clone, Deserialize)]
pub struct GivenText {
    /// A string, number, truth value or null that names the text; printed back as it is.
    #[serde(default, deserialize_with = "scalar")]
    pub id: serde_json::Value,
    /// The text.
    pub text: String,
    /// Where it comes from; empty if unknown or null.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub url: String,
}

fn null_is_empty<'de, D: serde::Deserializer<'de>>(value: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(value)?.unwrap_or_default())
}

/// A name that takes no more memory than its line: nested values would take fifteen times as much.
fn scalar<'de, D: serde::Deserializer<'de>>(value: D) -> Result<serde_json::Value, D::Error> {
    struct Scalar;
    impl serde::de::Visitor<'_> for Scalar {
        type Value = serde_json::Value;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a string or a number")
        }
        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(text.into())
        }
        fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
            Ok(number.into())
        }
        fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
            Ok(number.into())
        }
        fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
            Ok(number.into())
        }
        fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
            Ok(truth.into())
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(serde_json::Value::Null)
        }
    }
    value.deserialize_any(Scalar)
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
    /// Not a JSON object.
    #[error("no JSON object")]
    NoObject,
    /// An object that is broken or has no string `text`.
    #[error("{what} at byte {column}")]
    Json {
        /// What is wrong.
        what: String,
        /// Where in the line, in bytes from 1.
        column: usize,
    },
    /// Longer than 64 MiB.
    #[error("longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
}

impl From<serde_json::Error> for LineError {
    fn from(error: serde_json::Error) -> Self {
        let message = error.to_string();
        // serde_json counts lines inside what it was given, which is one line of the file.
        let what = message
            .split_once(" at line ")
            .map_or(message.as_str(), |(what, _)| what);
        Self::Json {
            what: what.to_owned(),
            column: error.column(),
        }
    }
}

/// Lines of a file that hold no text: how many, and the first one.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Number of such lines.
    pub lines: u64,
    first: Option<String>,
}

impl Unreadable {
    /// Counts a line of the file called `name` if it holds no text.
    pub(super) fn see(&mut self, name: &str, line: &Line) {
        if let Err(error) = &line.text {
            self.lines += 1;
            self.first
                .get_or_insert_with(|| format!("`{name}` line {}: {error}", line.number));
        }
    }

    /// A sentence for people that names the first such line; `None` if all lines hold texts.
    pub fn warning(&self) -> Option<String> {
        let first = self.first.as_ref()?;
        let count = self.lines;
        Some(format!(
            "lines without a text: {count}; the first is {first} (a line is a JSON object with a string `text`)"
        ))
    }
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
                Box::new(fs::File::open(path).map_err(LocalError::read(path))?),
            ),
            None => ("stdin".to_owned(), Box::new(io::stdin())),
        };
        let input = inflated(raw).map_err(LocalError::read(&name))?;
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
                .map_err(LocalError::read(&self.name))?;
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
            return Ok(Some(Line {
                number: self.number,
                text: parse(&bytes),
            }));
        }
    }

    /// What the input is called in messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn skip_line(&mut self) -> Result<(), LocalError> {
        loop {
            let buffer = self.input.fill_buf().map_err(LocalError::read(&self.name))?;
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

/// The text of one line; a byte order mark before it is passed over.
fn parse(line: &[u8]) -> Result<Box<GivenText>, LineError> {
    let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err(LineError::NoObject);
    }
    Ok(Box::new(serde_json::from_slice(line)?))
}

/// A buffered reader that inflates gzip (any number of members) or zstd if the first bytes say so.
pub(super) fn inflated(raw: Box<dyn Read + Send>) -> io::Result<Box<dyn BufRead + Send>> {
    let mut buffered = BufReader::with_capacity(1 << 17, raw);
    let first = buffered.fill_buf()?;
    if first.starts_with(&[0x1f, 0x8b]) {
        Ok(Box::new(BufReader::with_capacity(
            1 << 17,
            flate2::bufread::MultiGzDecoder::new(buffered),
        )))
    } else if first.starts_with(&ZSTD_MAGIC) {
        // The decoder refuses windows above 128 MiB by itself.
        let decoder = zstd::stream::read::Decoder::with_buffer(buffered)?;
        Ok(Box::new(BufReader::with_capacity(1 << 17, decoder)))
    } else {
        Ok(Box::new(buffered))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (Vec<Result<GivenText, String>>, Unreadable) {
        let mut reader = TextReader {
            input: inflated(Box::new(io::Cursor::new(bytes.to_vec()))).unwrap(),
            name: "in".to_owned(),
            number: 0,
        };
        let (mut lines, mut unreadable) = (Vec::new(), Unreadable::default());
        while let Some(line) = reader.next_line().unwrap() {
            unreadable.see("in", &line);
            lines.push(line.text.map(|text| *text).map_err(|error| error.to_string()));
        }
        (lines, unreadable)
    }

    #[test]
    fn a_byte_order_mark_blank_lines_and_carriage_returns_are_passed_over() {
        let (lines, unreadable) =
            read(b"\xef\xbb\xbf{\"id\":1,\"text\":\"a\"}\r\n\r\n \n {\"text\":\"b\",\"url\":null}");
        let texts: Vec<_> = lines.iter().map(|line| line.as_ref().unwrap()).collect();
        assert_eq!((texts[0].text.as_str(), texts[1].text.as_str()), ("a", "b"));
        assert_eq!((&texts[0].id, texts[1].url.as_str()), (&serde_json::json!(1), ""));
        assert_eq!(unreadable.warning(), None);
    }

    #[test]
    fn lines_without_a_text_say_what_is_wrong_and_where() {
        let (lines, unreadable) =
            read(b"{\"text\":\"a\"}\nnonsense\n[1,\"b\",\"c\",2]\n{\"text\":5}\n{\"id\":1}\n");
        let wrong: Vec<_> = lines.into_iter().filter_map(Result::err).collect();
        assert_eq!(wrong[..2], ["no JSON object", "no JSON object"]);
        assert_eq!(
            wrong[2..],
            [
                "invalid type: integer `5`, expected a string at byte 9",
                "missing field `text` at byte 8"
            ]
        );
        let warning = unreadable.warning().unwrap();
        assert!(
            warning.starts_with("lines without a text: 4; the first is `in` line 2: no JSON object"),
            "{warning}"
        );
    }

    /// Found by review: a short line of nested brackets as an id took fifteen times its size.
    #[test]
    fn ids_are_scalars() {
        let (lines, _) =
            read(b"{\"id\":\"a\",\"text\":\"\"}\n{\"id\":-1.5,\"text\":\"\"}\n{\"id\":null,\"text\":\"\"}\n{\"id\":[[]],\"text\":\"\"}");
        let ids: Vec<String> = lines[..3]
            .iter()
            .map(|line| line.as_ref().unwrap().id.to_string())
            .collect();
        assert_eq!(ids, ["\"a\"", "-1.5", "null"]);
        assert!(lines[3].as_ref().unwrap_err().contains("a string or a number"));
    }
}

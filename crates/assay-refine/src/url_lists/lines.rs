//! Lines of a list file, one at a time in bounded memory, cut and trimmed as datatrove's `parse_list` does.
//!
//! In: the bytes of a list file. Out: each entry, handed to the set that stores it.
use std::io::{BufRead, BufReader, Read};

use super::UrlListError;
use crate::text::python;

/// Longest line of a list file, in bytes; the longest of datatrove's lists has 463.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// Most lines of a list file; datatrove's `domains` has 4,558,940.
pub const LIST_LINES_MAX: usize = 16_000_000;

/// Calls `entry` with every line that does not start with `#`, stripped of white space at both ends.
///
/// Lines end at `\n`, `\r\n` or `\r` (Python's text mode); a blank line is the entry "".
/// Source: datatrove `pipeline/filters/url_filter.py` @a649de79, `parse_list`.
///
/// # Errors
/// A read error, a line that is not UTF-8 or longer than [`LINE_BYTES_MAX`], more than [`LIST_LINES_MAX`] lines.
pub(super) fn for_each_entry(source: impl Read, mut entry: impl FnMut(&str)) -> Result<(), UrlListError> {
    let mut reader = BufReader::with_capacity(LINE_BYTES_MAX, source);
    let mut line = Vec::new();
    let mut number = 0usize;
    loop {
        line.clear();
        let taken = reader
            .by_ref()
            .take(LINE_BYTES_MAX as u64 + 1)
            .read_until(b'\n', &mut line)?;
        if taken == 0 {
            return Ok(());
        }
        if taken > LINE_BYTES_MAX {
            return Err(UrlListError::LineTooLong { line: number + 1 });
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        for part in text.split(|&byte| byte == b'\r') {
            number += 1;
            if number > LIST_LINES_MAX {
                return Err(UrlListError::TooManyLines { max: LIST_LINES_MAX });
            }
            let part = std::str::from_utf8(part).map_err(|_| UrlListError::NotUtf8 { line: number })?;
            if !part.starts_with('#') {
                entry(python::strip(part));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &[u8]) -> Result<Vec<String>, UrlListError> {
        let mut found = Vec::new();
        for_each_entry(text, |entry| found.push(entry.to_owned()))?;
        Ok(found)
    }

    #[test]
    fn lines_are_cut_as_python_does() {
        assert_eq!(
            entries(b"a\r\n#c\n b \n\nd\re").unwrap(),
            ["a", "b", "", "d", "e"]
        );
        assert!(entries(b"").unwrap().is_empty());
        assert_eq!(entries(b"#x\n #y").unwrap(), ["#y"]);
    }

    #[test]
    fn foreign_bytes_give_errors_with_the_line() {
        assert!(matches!(
            entries(b"a\n\xff\n"),
            Err(UrlListError::NotUtf8 { line: 2 })
        ));
        let long = vec![b'x'; LINE_BYTES_MAX + 1];
        assert!(matches!(
            entries(&long),
            Err(UrlListError::LineTooLong { line: 1 })
        ));
    }
}

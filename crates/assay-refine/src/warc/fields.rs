//! A block of `Name: value` lines up to a blank line, as WARC and HTTP headers share it.
//!
//! Takes the bytes after the version or status line and gives ordered fields that are looked up without regard to
//! case. Lenient as archives need it: LF or CRLF, folded lines are joined with one space, a line without a colon is
//! skipped, bytes that are no UTF-8 become U+FFFD.

use std::ops::Range;

/// Ordered header fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// All names and values behind each other: one allocation a header.
    text: String,
    places: Vec<(Range<usize>, Range<usize>)>,
}

impl Fields {
    /// The first value of the field, names compared without regard to ASCII case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All values of the field in order.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Name and value of every field in the order of the header.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.places.iter().map(|(name, value)| {
            (
                self.text.get(name.clone()).unwrap_or_default(),
                self.text.get(value.clone()).unwrap_or_default(),
            )
        })
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn push(&mut self, line: &[u8]) {
        let Some(colon) = memchr::memchr(b':', line) else {
            return;
        };
        let (name, rest) = line.split_at(colon);
        let name = self.append(name.trim_ascii());
        let value = self.append(rest.get(1..).unwrap_or_default().trim_ascii());
        self.places.push((name, value));
    }

    fn fold(&mut self, line: &[u8]) {
        if self.places.is_empty() {
            return;
        }
        self.text.push(' ');
        let end = self.append(line.trim_ascii()).end;
        if let Some((_, value)) = self.places.last_mut() {
            value.end = end;
        }
    }

    fn append(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(&String::from_utf8_lossy(bytes));
        start..self.text.len()
    }
}

/// The first line of `bytes` without its line end, and the length with it; none without a line end.
pub(crate) fn line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let end = memchr::memchr(b'\n', bytes)?;
    let line = bytes.get(..end)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), end + 1))
}

/// Reads fields up to the blank line; gives them with the number of bytes read, the blank line included, or none if
/// there is no blank line.
pub(crate) fn parse(bytes: &[u8]) -> Option<(Fields, usize)> {
    let mut fields = Fields::default();
    let mut at = 0;
    loop {
        let (line, length) = line(bytes.get(at..)?)?;
        at += length;
        match line.first() {
            None => return Some((fields, at)),
            Some(b' ' | b'\t') if line.trim_ascii().is_empty() && fields.is_empty() => {}
            Some(b' ' | b'\t') => fields.fold(line),
            Some(_) => fields.push(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_repeats_and_odd_lines() {
        let (fields, length) =
            parse(b"A: 1\r\nno colon\nb:2\n\t more \r\na:  3 \r\nBad: \xff\r\n\r\nrest").unwrap();
        let all: Vec<_> = fields.iter().collect();
        assert_eq!(
            all,
            [("A", "1"), ("b", "2 more"), ("a", "3"), ("Bad", "\u{fffd}")]
        );
        assert_eq!(
            (fields.get("a"), fields.all("A").last(), length),
            (Some("1"), Some("3"), 46)
        );
        assert_eq!(parse(b"A: 1\r\n"), None);
        assert_eq!(
            parse(b"\nx").map(|(fields, length)| (fields.len(), length)),
            Some((0, 1))
        );
    }
}

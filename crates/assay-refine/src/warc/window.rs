//! A bounded look into an archive: bytes come from a source, are looked at as one slice, and leave from the front.
//!
//! What leaves is added to the running row (offset, length, BLAKE3), so every byte of an archive belongs to exactly
//! one row whatever the parsers do. Memory grows with the bytes that really arrived, never with a length that
//! the archive claims.

use std::io::{self, Read};

/// Bytes asked of the source at once.
const READ_BYTES: usize = 256 << 10;

/// What one read from a source gave.
pub(crate) enum Piece {
    /// So many bytes were written.
    Bytes(usize),
    /// The stream is broken here; what follows it does not join on to what came before.
    Break,
    /// The end.
    End,
}

/// Where a window's bytes come from.
pub(crate) trait Source {
    /// Writes the next bytes to `into`, which is not empty.
    fn read_piece(&mut self, into: &mut [u8]) -> io::Result<Piece>;
}

/// The archive's own bytes.
#[derive(Debug)]
pub(crate) struct Raw<R>(pub(crate) R);

impl<R: Read> Source for Raw<R> {
    fn read_piece(&mut self, into: &mut [u8]) -> io::Result<Piece> {
        loop {
            match self.0.read(into) {
                Ok(0) => return Ok(Piece::End),
                Ok(n) => return Ok(Piece::Bytes(n)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Place and digest of a finished row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) digest: [u8; 16],
}

/// The first 16 bytes of BLAKE3, as `mechanism.md` §6.3 uses them for records.
pub(crate) fn digest16(hash: &blake3::Hash) -> [u8; 16] {
    let mut digest = [0; 16];
    for (to, from) in digest.iter_mut().zip(hash.as_bytes()) {
        *to = *from;
    }
    digest
}

/// The look into the archive; see the module.
pub(crate) struct Window<S> {
    source: S,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The source has no more bytes, or none before the break.
    dry: bool,
    broken: bool,
    row_offset: u64,
    row_length: u64,
    /// None where nobody asks for a digest: compressed bytes behind an inflated window.
    row_hash: Option<blake3::Hasher>,
    /// Bytes moved to the front so far.
    #[cfg(test)]
    moved: u64,
}

impl<S> std::fmt::Debug for Window<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Window")
            .field("row_offset", &self.row_offset)
            .field("row_length", &self.row_length)
            .field("bytes", &(self.end - self.start))
            .finish_non_exhaustive()
    }
}

impl<S: Source> Window<S> {
    pub(crate) fn new(source: S) -> Self {
        Self {
            row_hash: Some(blake3::Hasher::new()),
            ..Self::without_digest(source)
        }
    }

    /// A window whose rows have no digest.
    pub(crate) fn without_digest(source: S) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            dry: false,
            broken: false,
            row_offset: 0,
            row_length: 0,
            row_hash: None,
            #[cfg(test)]
            moved: 0,
        }
    }

    /// The bytes at hand.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Reads until `wanted` bytes are at hand or the source ends or breaks; returns all bytes at hand.
    pub(crate) fn fill(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while self.end - self.start < wanted && !self.dry {
            self.make_room(wanted);
            let end = self.end;
            let Some(into) = self.buffer.get_mut(end..).filter(|into| !into.is_empty()) else {
                break;
            };
            match self.source.read_piece(into)? {
                Piece::Bytes(n) => self.end += n.min(into.len()),
                Piece::Break => (self.dry, self.broken) = (true, true),
                Piece::End => self.dry = true,
            }
        }
        Ok(self.bytes())
    }

    /// Moves what is at hand to the front and grows the buffer by at most its double.
    ///
    /// There is always room for half of what was moved, so that small rows in front of a large look-ahead cost a move
    /// only once in so many bytes read: the whole stays linear.
    fn make_room(&mut self, wanted: usize) {
        let held = self.end - self.start;
        if self.buffer.len() - self.end >= READ_BYTES.min(wanted.saturating_sub(held).max(1)) {
            return;
        }
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, held);
        let size = wanted
            .min((2 * held).max(READ_BYTES))
            .max(held + (held / 2).max(READ_BYTES))
            .next_multiple_of(READ_BYTES);
        #[cfg(test)]
        {
            self.moved += held as u64;
        }
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        }
    }

    /// The source ended or broke right behind the bytes at hand.
    pub(crate) fn at_end(&self) -> bool {
        self.dry
    }

    /// Goes on behind a break, once everything before it has left; true if there was one.
    pub(crate) fn resume(&mut self) -> bool {
        let broken = self.broken && self.start == self.end;
        if broken {
            (self.dry, self.broken) = (false, false);
        }
        broken
    }

    /// Lets `count` bytes leave into the row.
    pub(crate) fn consume(&mut self, count: usize) {
        let until = (self.start + count).min(self.end);
        let leaving = self.buffer.get(self.start..until).unwrap_or_default();
        if let Some(hash) = &mut self.row_hash {
            hash.update(leaving);
        }
        self.row_length += leaving.len() as u64;
        self.start = until;
    }

    /// Bytes that left since the last row was finished.
    pub(crate) fn row_length(&self) -> u64 {
        self.row_length
    }

    /// Ends the row of everything that left since the last one.
    pub(crate) fn finish_row(&mut self) -> Row {
        let digest = self.row_hash.as_mut().map_or([0; 16], |hash| {
            let digest = digest16(&hash.finalize());
            hash.reset();
            digest
        });
        let row = Row {
            offset: self.row_offset,
            length: self.row_length,
            digest,
        };
        self.row_offset += self.row_length;
        self.row_length = 0;
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by review: a length claim just below a multiple of the read size left no slack, and each row moved it all.
    #[test]
    fn small_rows_before_a_large_look_ahead_are_moved_rarely() {
        let data = vec![7; 4 << 20];
        for look in [1 << 20, (1 << 20) - 1, (1 << 20) + 1] {
            let mut window = Window::new(Raw(data.as_slice()));
            let mut rows = 0_u64;
            while !window.fill(look).unwrap().is_empty() {
                window.consume(35);
                rows += window.finish_row().length;
            }
            assert_eq!(rows, data.len() as u64);
            assert!(
                window.moved < 6 * data.len() as u64,
                "{look}: {} bytes moved",
                window.moved
            );
        }
    }

    #[test]
    fn every_byte_belongs_to_one_row_and_memory_follows_what_arrived() {
        let data: Vec<u8> = (0..600_000_u32).map(|i| (i % 251) as u8).collect();
        let mut window = Window::new(Raw(data.as_slice()));
        assert_eq!(window.fill(10).unwrap().first(), Some(&0));
        window.consume(7);
        let first = window.finish_row();
        assert_eq!((first.offset, first.length), (0, 7));
        assert_eq!(first.digest, digest16(&blake3::hash(&data[..7])));
        assert_eq!(window.fill(usize::MAX / 4).unwrap(), &data[7..]);
        assert!(window.buffer.len() < 4 * data.len());
        window.consume(data.len());
        let second = window.finish_row();
        assert_eq!((second.offset, second.length), (7, data.len() as u64 - 7));
        assert!(window.at_end() && window.bytes().is_empty() && !window.resume());
    }
}

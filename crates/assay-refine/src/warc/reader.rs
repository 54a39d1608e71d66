//! An archive as a sequence of rows: each with its place, its digest and what it holds.
//!
//! Takes any `Read` and gives one `ArchiveRecord` per record or unreadable stretch, in file order and without gaps: the
//! first offset is 0, each row starts where the one before ends. Memory is bounded by the window (4 MiB of compressed
//! bytes) and one record (`inflated_bytes_max`). `record_from_range` repeats one row from its bytes alone.

use std::io::{self, Read};

use super::frames::{self, GzipFrames, ZstdFrames};
use super::gzip;
use super::inflate::Inflated;
use super::limits::ReadLimits;
use super::lines::Lines;
use super::members::{Codec, Members};
use super::record::{self, RecordContent};
use super::sniff::{self, Compression};
use super::window::{Raw, Window};

/// Bytes searched for the first record of a file that does not begin with one: 1 MiB.
const SEARCH_BYTES_MAX: usize = 1 << 20;

/// Bytes that tell the compression.
const SNIFF_BYTES: usize = 16;

/// Why an input cannot be read as an archive at all. What is wrong later in a file is a row, not an error.
#[derive(Debug, thiserror::Error)]
pub enum WarcError {
    /// There is not one byte.
    #[error("the input is empty")]
    Empty,
    /// No record begins in the first mebibyte.
    #[error("not a WARC: the input looks like `{found}`")]
    NotWarc {
        /// What it looks like.
        found: &'static str,
    },
    /// Reading failed.
    #[error("reading the archive failed")]
    Io(#[from] io::Error),
}

/// One row of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveRecord {
    /// Place in the sequence, from 0.
    pub idx: u32,
    /// First byte; see `Compression::addressing` for what is counted.
    pub offset: u64,
    /// Bytes up to the next row.
    pub length: u64,
    /// First 16 bytes of BLAKE3 over the row's bytes.
    pub digest: [u8; 16],
    /// What the bytes hold.
    pub content: RecordContent,
}

enum Rows<R> {
    Plain(Box<Lines<Raw<R>>>),
    Members(Box<Members<R>>),
    Gzip(Box<Lines<Inflated<R, GzipFrames>>>),
    Zstd(Box<Lines<Inflated<R, ZstdFrames>>>),
}

/// Reads the rows of one archive.
pub struct ArchiveReader<R> {
    rows: Rows<R>,
    next_idx: u32,
}

impl<R> std::fmt::Debug for ArchiveReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArchiveReader")
            .field("next_idx", &self.next_idx)
            .finish_non_exhaustive()
    }
}

impl<R: Read> ArchiveReader<R> {
    /// Looks at the first bytes of `input` and makes ready to read its rows.
    ///
    /// # Errors
    /// `Empty` and `NotWarc` for inputs that are none, `Io` if reading fails.
    pub fn new(input: R, limits: ReadLimits) -> Result<Self, WarcError> {
        let mut window = Window::new(Raw(input));
        let bytes = window.fill(SNIFF_BYTES)?;
        if bytes.is_empty() {
            return Err(WarcError::Empty);
        }
        let found = looks_like(bytes);
        let rows = if bytes.starts_with(&gzip::MAGIC) {
            Self::gzip(window, limits)?
        } else if frames::is_zstd(bytes) {
            Self::zstd(window, limits)?
        } else {
            let mut lines = Lines::new(window, limits);
            lines
                .looks_like_warc(SEARCH_BYTES_MAX)?
                .then(|| Rows::Plain(Box::new(lines)))
        };
        let rows = rows.ok_or(WarcError::NotWarc { found })?;
        Ok(Self { rows, next_idx: 0 })
    }

    fn gzip(mut window: Window<Raw<R>>, limits: ReadLimits) -> io::Result<Option<Rows<R>>> {
        let mut codec = Codec::new();
        Ok(match sniff::gzip_kind(&mut window, &mut codec, &limits)? {
            Some(Compression::GzipMembers) => {
                Some(Rows::Members(Box::new(Members::new(window, codec, limits))))
            }
            Some(_) => {
                let source = Inflated::new(window, GzipFrames::new(), limits);
                Some(Rows::Gzip(Box::new(Lines::new(Window::new(source), limits))))
            }
            None => None,
        })
    }

    fn zstd(mut window: Window<Raw<R>>, limits: ReadLimits) -> io::Result<Option<Rows<R>>> {
        let mut dictionary = Vec::new();
        if let Some(length) = frames::dictionary_frame(window.bytes()) {
            let bytes = window.fill(length)?;
            dictionary = bytes
                .get(..length)
                .and_then(frames::dictionary)
                .unwrap_or_default();
        }
        let source = Inflated::new(window, ZstdFrames::new(&dictionary), limits);
        let mut lines = Lines::new(Window::new(source), limits);
        Ok(lines
            .looks_like_warc(SEARCH_BYTES_MAX)?
            .then(|| Rows::Zstd(Box::new(lines))))
    }

    /// How the archive is compressed.
    pub fn compression(&self) -> Compression {
        match &self.rows {
            Rows::Plain(_) => Compression::Plain,
            Rows::Members(_) => Compression::GzipMembers,
            Rows::Gzip(_) => Compression::GzipSingle,
            Rows::Zstd(_) => Compression::Zstd,
        }
    }

    /// The next row, none behind the last.
    ///
    /// # Errors
    /// Only those of the input itself, and more than 2^32 − 1 rows.
    pub fn next_record(&mut self) -> io::Result<Option<ArchiveRecord>> {
        let row = match &mut self.rows {
            Rows::Plain(lines) => lines.next_row(),
            Rows::Members(members) => members.next_row(),
            Rows::Gzip(lines) => lines.next_row(),
            Rows::Zstd(lines) => lines.next_row(),
        }?;
        let Some((row, content)) = row else {
            return Ok(None);
        };
        let idx = self.next_idx;
        self.next_idx = idx
            .checked_add(1)
            .ok_or_else(|| io::Error::other("an archive of more than 2^32 rows"))?;
        let (offset, length, digest) = (row.offset, row.length, row.digest);
        Ok(Some(ArchiveRecord {
            idx,
            offset,
            length,
            digest,
            content,
        }))
    }
}

impl<R: Read> Iterator for ArchiveReader<R> {
    type Item = io::Result<ArchiveRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_record().transpose()
    }
}

/// Repeats one row: what exactly these bytes hold. `raw` are the archive's bytes `[offset, offset + length)`, in an
/// archive of inflated addressing those of what it inflates to. Equals what `ArchiveReader` gave for the row.
pub fn record_from_range(raw: &[u8], compression: Compression, limits: &ReadLimits) -> RecordContent {
    match compression {
        Compression::GzipMembers => Codec::new().content(raw, limits),
        Compression::Plain | Compression::GzipSingle | Compression::Zstd => record::parse(raw, limits),
    }
}

/// What kind of file the first bytes belong to, for the error message.
fn looks_like(bytes: &[u8]) -> &'static str {
    const KINDS: [(&[u8], &str); 11] = [
        (
            b"PK\x03\x04",
            "a zip archive (a WACZ holds its WARC files under archive/)",
        ),
        (&gzip::MAGIC, "gzip of something else"),
        (&frames::ZSTD_MAGIC, "zstd of something else"),
        (b"PAR1", "Parquet"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ", "xz"),
        (b"%PDF", "PDF"),
        (b"filedesc:", "ARC, the format before WARC"),
        (b"<", "HTML or XML"),
        (b"{", "JSON"),
        (b"\0", "binary data"),
    ];
    let text = bytes.trim_ascii_start();
    KINDS
        .iter()
        .find(|(start, _)| text.starts_with(start))
        .map_or("something else", |(_, name)| name)
}

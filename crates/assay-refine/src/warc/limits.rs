//! The budgets of reading: how many bytes of a record, a header block or a bomb are looked at before it is given up.
//!
//! The recipe's `[read]` and `[extract]` tables set them; every parser of `warc` and `http` takes them. All are counters,
//! so the same bytes meet the same budget on every machine.

/// Bytes of compressed input that are kept at hand: members up to this size are inflated in one piece by libdeflate,
/// and a damaged member of this size is searched again from its second byte.
pub(crate) const WINDOW_BYTES: usize = 4 << 20;

/// A stretch of compressed bytes may inflate to `inflated_bytes_max` plus this many times its size before it counts
/// as a bomb. Deflate reaches 1,032, zstd and brotli far more; built-train.warc.gz has 5.3.
pub(crate) const INFLATE_RATIO_MAX: u64 = 200;

/// What a record may hold beside its body: headers and chunk sizes, 2 MiB.
pub const RECORD_OVERHEAD_BYTES: u64 = 2 << 20;

/// Budgets of reading one archive; `Default` is the reference recipe's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// Bytes of a decoded body (after transfer and content encodings): 20,000,000, trafilatura's `MAX_FILE_SIZE`.
    pub bytes_max: u64,
    /// Bytes of a record's WARC header block, its blank line included: 64 KiB.
    pub warc_header_bytes_max: usize,
    /// Bytes of a response's HTTP header block, its blank line included: 256 KiB.
    pub http_header_bytes_max: usize,
    /// Bytes of one record, inflated, headers and block: `bytes_max` and 2 MiB for headers and chunk sizes.
    pub inflated_bytes_max: u64,
    /// Bytes of one row in the archive: 2^32 − 2^24, since the ledger's `length` is a u32. A longer stretch becomes
    /// several rows; one may overrun it by a few MiB of window.
    pub row_bytes_max: u64,
}

impl Default for ReadLimits {
    fn default() -> Self {
        let bytes_max = 20_000_000;
        Self {
            bytes_max,
            warc_header_bytes_max: 64 << 10,
            http_header_bytes_max: 256 << 10,
            inflated_bytes_max: bytes_max + RECORD_OVERHEAD_BYTES,
            row_bytes_max: u64::from(u32::MAX) + 1 - (1 << 24),
        }
    }
}

/// The budget a record ran over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// `inflated_bytes_max`: the record, or what its member inflates to, is too long.
    RecordBytes,
    /// `warc_header_bytes_max`: no end of the WARC header block within it.
    WarcHeader,
}

impl Budget {
    /// The sub-reason under which the record is counted.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RecordBytes => "record_bytes",
            Self::WarcHeader => "warc_header",
        }
    }
}

/// Why a stretch of an archive is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MalformedKind {
    /// It does not begin with `WARC/` and a version.
    NotWarc,
    /// Where a gzip member should begin is none.
    NotGzip,
    /// A gzip member that is cut, does not inflate, or whose checksum or length is wrong.
    Gzip,
    /// The header block does not end within the record.
    Header,
    /// `Content-Length` is missing or no number.
    ContentLength,
    /// The block is shorter than `Content-Length`.
    ShortBlock,
    /// A frame of a compressed stream that is cut, damaged or a bomb; its row holds no bytes, since offsets count those
    /// that were inflated.
    Frame,
    /// A gzip member that holds more than one record in a file of one record a member.
    SeveralRecords,
}

impl MalformedKind {
    /// The sub-reason under which the row is counted.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotWarc => "not_warc",
            Self::NotGzip => "not_gzip",
            Self::Gzip => "gzip",
            Self::Header => "header",
            Self::ContentLength => "content_length",
            Self::ShortBlock => "short_block",
            Self::Frame => "frame",
            Self::SeveralRecords => "several_records",
        }
    }
}

//! WARC files: any archive bytes to rows that cover it without a gap, and back to one row from its bytes alone.
//!
//! Flow: `reader` asks `sniff` for the compression, then takes rows from `members` (gzip, one record a member) or `lines`
//! (plain bytes, or what `inflate` makes of other compressed files); both parse with `record`. `write` makes archives.
//!
//! Architecture invariants: every byte belongs to exactly one row; no record, however broken, is an error; memory
//! is bounded by `ReadLimits` and never follows a length the archive claims; a row depends on the archive's bytes only,
//! not on how the input was cut into reads; `record_from_range` gives for a row's bytes what the reader gave.

pub(crate) mod fields;
mod frames;
mod gzip;
mod inflate;
mod limits;
mod lines;
mod members;
mod probe;
mod reader;
mod record;
mod sniff;
mod window;
mod write;

pub use fields::Fields;
pub(crate) use gzip::{Step as GzipStep, header_length as gzip_header_length, inflate_step};
pub use limits::{Budget, MalformedKind, RECORD_OVERHEAD_BYTES, ReadLimits};
pub use probe::first_record;
pub use reader::{ArchiveReader, ArchiveRecord, WarcError, record_from_range};
pub use record::{RecordContent, RecordKind, WarcRecord};
pub use sniff::{Addressing, Compression};
pub use write::{Page, PageRecords, WarcWriter, WriteError};

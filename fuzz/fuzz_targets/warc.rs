//! Any bytes as an archive: rows without a gap, each repeated from its bytes, the same for any cut into reads.

#![no_main]

use std::io::Read;

use assay_refine::warc::{
    Addressing, ArchiveReader, ArchiveRecord, Compression, MalformedKind, ReadLimits, RecordContent, record_from_range,
};
use libfuzzer_sys::fuzz_target;

/// Small budgets, so that the fuzzer meets them.
fn limits() -> ReadLimits {
    ReadLimits {
        bytes_max: 20_000,
        warc_header_bytes_max: 600,
        http_header_bytes_max: 600,
        inflated_bytes_max: 30_000,
        row_bytes_max: 40_000,
    }
}

struct Small<'a>(&'a [u8]);

impl Read for Small<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let size = into.len().min(3);
        self.0.read(&mut into[..size])
    }
}

fn rows(input: impl Read) -> Option<(Compression, Vec<ArchiveRecord>)> {
    let reader = ArchiveReader::new(input, limits()).ok()?;
    Some((reader.compression(), reader.map(|row| row.expect("memory does not fail")).collect()))
}

fuzz_target!(|data: &[u8]| {
    let found = rows(data);
    assert_eq!(found, rows(Small(data)));
    let Some((compression, rows)) = found else { return };
    let mut end = 0;
    for row in &rows {
        let is_frame = row.content == RecordContent::Malformed(MalformedKind::Frame);
        assert!(row.offset == end && (row.length > 0 || is_frame));
        end += row.length;
        if compression.addressing() == Addressing::Member {
            let raw = &data[row.offset as usize..end as usize];
            assert_eq!(row.digest, blake3::hash(raw).as_bytes()[..16]);
            assert_eq!(record_from_range(raw, compression, &limits()), row.content);
        }
    }
    assert!(compression.addressing() == Addressing::Inflated || end == data.len() as u64);
});

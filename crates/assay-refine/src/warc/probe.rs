//! Finds where a record begins inside bytes cut out of an archive anywhere.
//!
//! A window of archive bytes comes in, the place of the first record in it goes out. Used by byte probes
//! (docs/verify.md): a page may hold bytes that look like a record, so whoever calls checks what covers the place.

use flate2::{Decompress, FlushDecompress};

use super::sniff::Compression;

/// What every record begins with, whatever its version (0.17 to 1.1 are `WARC/0.` and `WARC/1.`).
const MARK: &[u8] = b"WARC/";

/// Gzip, deflate.
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b, 0x08];

/// Bytes inflated of a member to see what it holds.
const HEAD_BYTES: usize = 64;

/// Members tried in one window: more are bytes that only look like members.
const TRIED_MAX: usize = 4_096;

/// The place of the first record that begins in `window`, for archives whose records can be found without reading them from
/// the start; none for the others.
pub fn first_record(window: &[u8], compression: Compression) -> Option<usize> {
    match compression {
        Compression::GzipMembers => memchr::memmem::find_iter(window, GZIP_MAGIC)
            .take(TRIED_MAX)
            .find(|&at| window.get(at..).is_some_and(begins_record)),
        Compression::Plain => memchr::memmem::find_iter(window, MARK).find(|&at| {
            at == 0
                || window
                    .get(..at)
                    .is_some_and(|before| before.ends_with(b"\n\r\n") || before.ends_with(b"\n\n"))
        }),
        Compression::GzipSingle | Compression::Zstd => None,
    }
}

/// Whether a gzip member begins here whose content begins like a record.
fn begins_record(member: &[u8]) -> bool {
    let Some(header) = super::gzip::header_length(member) else {
        return false;
    };
    let Some(deflated) = member.get(header..) else {
        return false;
    };
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let mut inflater = Decompress::new(false);
    // Too few bytes or a broken stream: what came out so far decides.
    let _ = inflater.decompress_vec(deflated, &mut head, FlushDecompress::Sync);
    head.starts_with(MARK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn member(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn the_next_member_is_found_from_any_byte() {
        let record = [
            b"WARC/1.0\r\nWARC-Type: response\r\n\r\n".as_slice(),
            &[b'x'; 500],
        ]
        .concat();
        let first = member(&record);
        let archive = [first.clone(), member(b"no record"), member(&record)].concat();
        let second = archive.len() - first.len();
        assert_eq!(first_record(&archive, Compression::GzipMembers), Some(0));
        for from in 1..=second {
            let found = first_record(&archive[from..], Compression::GzipMembers);
            assert_eq!(found.map(|at| at + from), Some(second), "from byte {from}");
        }
        assert_eq!(
            first_record(&archive[second + 1..], Compression::GzipMembers),
            None
        );
        assert_eq!(first_record(&archive, Compression::GzipSingle), None);
    }

    #[test]
    fn plain_records_begin_after_an_empty_line() {
        let archive = b"WARC/1.0\r\nA: b\r\n\r\nabout WARC/1.0 \r\n\r\nWARC/1.1\r\n";
        assert_eq!(first_record(archive, Compression::Plain), Some(0));
        assert_eq!(first_record(&archive[1..], Compression::Plain), Some(36));
        assert_eq!(first_record(b"", Compression::Plain), None);
    }
}

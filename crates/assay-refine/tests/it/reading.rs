//! Reading real archives: record counts, rows without gaps, each row repeated from its bytes alone.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use assay_refine::warc::Compression::{GzipMembers, GzipSingle, Plain};
use assay_refine::warc::{
    Addressing, ArchiveReader, ArchiveRecord, Compression, ReadLimits, RecordContent, RecordKind,
    record_from_range,
};

/// Records of an archive by kind.
#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
struct Counts {
    response: u32,
    request: u32,
    metadata: u32,
    warcinfo: u32,
    revisit: u32,
    resource: u32,
    conversion: u32,
    malformed: u32,
}

/// Response, request, metadata, warcinfo.
const fn usual(response: u32, request: u32, metadata: u32, warcinfo: u32) -> Counts {
    Counts {
        response,
        request,
        metadata,
        warcinfo,
        revisit: 0,
        resource: 0,
        conversion: 0,
        malformed: 0,
    }
}

fn counts(rows: &[ArchiveRecord]) -> Counts {
    let mut counts = Counts::default();
    for row in rows {
        let RecordContent::Record(record) = &row.content else {
            counts.malformed += 1;
            continue;
        };
        match record.kind {
            RecordKind::Response => counts.response += 1,
            RecordKind::Request => counts.request += 1,
            RecordKind::Metadata => counts.metadata += 1,
            RecordKind::Warcinfo => counts.warcinfo += 1,
            RecordKind::Revisit => counts.revisit += 1,
            RecordKind::Resource => counts.resource += 1,
            RecordKind::Conversion => counts.conversion += 1,
            RecordKind::Other => counts.malformed += 1,
        }
    }
    counts
}

/// Nothing.
const NONE: Counts = usual(0, 0, 0, 0);

/// Every archive of the test data with its compression and its records by warcio and fastwarc. The clipped file's one
/// response is incomplete: both libraries hand it out, here it is a malformed row.
#[rustfmt::skip]
const ARCHIVES: [(&str, Compression, Counts); 17] = [
    ("warc/aut-example.warc.gz", GzipMembers, usual(299, 261, 261, 1)),
    ("warc/aut-issue-493.warc", Plain, Counts { revisit: 5, ..usual(10, 15, 0, 2) }),
    ("warc/built-train.warc.gz", GzipMembers, usual(1_398, 1_398, 0, 1)),
    ("warc/commoncrawl-whirlwind.warc.gz", GzipMembers, usual(1, 1, 1, 1)),
    ("warc/dolma-sample-0000.warc.gz", GzipMembers, Counts { resource: 2, ..usual(22, 22, 1, 1) }),
    ("warc/resiliparse-clipped.warc.gz", GzipMembers, Counts { malformed: 1, ..NONE }),
    ("warc/resiliparse-clueweb-quirk.warc.gz", GzipMembers, usual(29, 0, 0, 1)),
    ("warc/warcio-example-bad-non-chunked.warc.gz", GzipSingle, Counts { revisit: 1, ..usual(1, 2, 0, 2) }),
    ("warc/warcio-example-iana.org-chunked.warc", Plain, usual(1, 1, 0, 1)),
    ("warc/warcio-example-space-in-target-uri.warc.gz", GzipMembers, Counts { resource: 1, warcinfo: 1, ..NONE }),
    ("warc/warcio-example-wrong-chunks.warc.gz", GzipSingle, usual(1, 1, 0, 0)),
    ("warc/warcio-example.warc.gz", GzipMembers, Counts { revisit: 1, ..usual(1, 2, 0, 2) }),
    ("warc/warclight-steacie-2015.warc.gz", GzipMembers, usual(37, 33, 33, 1)),
    ("sources/wacz/example-collection-with-lists.warc", GzipMembers, usual(18, 18, 0, 2)),
    ("sources/commoncrawl/whirlwind.warc.gz", GzipMembers, usual(1, 1, 1, 1)),
    ("sources/commoncrawl/whirlwind.warc.wet.gz", GzipMembers, Counts { conversion: 1, warcinfo: 1, ..NONE }),
    ("sources/commoncrawl/whirlwind.warc.wat.gz", GzipMembers, usual(0, 0, 1, 1)),
];

fn archives(data: &Path) -> impl Iterator<Item = (PathBuf, Compression, Counts)> {
    ARCHIVES
        .into_iter()
        .map(|(name, compression, counts)| (data.join(name), compression, counts))
}

fn read_all(bytes: impl Read) -> (Compression, Vec<ArchiveRecord>) {
    let reader = ArchiveReader::new(bytes, ReadLimits::default()).unwrap();
    let compression = reader.compression();
    (compression, reader.map(Result::unwrap).collect())
}

/// Rows cover `addressed` without a gap, and each is what its bytes alone give.
fn check_rows(addressed: &[u8], compression: Compression, rows: &[ArchiveRecord]) {
    let mut end = 0;
    for (idx, row) in rows.iter().enumerate() {
        assert_eq!((row.idx, row.offset), (u32::try_from(idx).unwrap(), end));
        assert!(row.length > 0);
        end += row.length;
        let raw = &addressed[usize::try_from(row.offset).unwrap()..usize::try_from(end).unwrap()];
        assert_eq!(row.digest, blake3::hash(raw).as_bytes()[..16], "row {idx}");
        let again = record_from_range(raw, compression, &ReadLimits::default());
        assert!(again == row.content, "row {idx} repeats otherwise: {again:?}");
    }
    assert_eq!(end, addressed.len() as u64);
}

#[test]
fn every_archive_gives_its_records_without_gap_and_each_row_repeats() {
    let Some(data) = crate::assay_data() else { return };
    let mut seen = BTreeMap::new();
    for (path, compression, expected) in archives(&data) {
        let bytes = fs_err::read(&path).unwrap();
        let (found, rows) = read_all(bytes.as_slice());
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!((found, counts(&rows)), (compression, expected), "{name}");
        let inflated = match compression.addressing() {
            Addressing::Member => bytes,
            Addressing::Inflated => {
                let mut inflated = Vec::new();
                flate2::read::MultiGzDecoder::new(bytes.as_slice())
                    .read_to_end(&mut inflated)
                    .unwrap();
                inflated
            }
        };
        check_rows(&inflated, compression, &rows);
        seen.insert(name, rows.len());
    }
    for entry in fs_err::read_dir(data.join("warc")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(
            name == "README.md" || seen.contains_key(&name),
            "`{name}` has no expected counts"
        );
    }
}

/// Gives at most so many bytes a read, as sockets do.
struct Trickle<'a> {
    bytes: &'a [u8],
    sizes: &'a [usize],
    turn: usize,
}

impl Read for Trickle<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()].min(into.len());
        self.turn += 1;
        self.bytes.read(&mut into[..size])
    }
}

#[test]
fn the_input_s_reads_change_nothing() {
    let Some(data) = crate::assay_data() else { return };
    for (path, ..) in archives(&data) {
        let bytes = fs_err::read(&path).unwrap();
        if bytes.len() > 3_000_000 {
            continue;
        }
        let whole = read_all(bytes.as_slice());
        for sizes in [&[1][..], &[7, 4_096, 1, 100_000], &[65_536]] {
            if sizes == [1] && bytes.len() > 300_000 {
                continue;
            }
            assert!(
                read_all(Trickle {
                    bytes: &bytes,
                    sizes,
                    turn: 0
                }) == whole,
                "{}",
                path.display()
            );
        }
    }
}

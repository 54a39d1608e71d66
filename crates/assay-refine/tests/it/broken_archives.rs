//! Archives that are wrong in every way: no panic, no gap, no endless loop, no memory by claimed lengths.

use std::io::{Read, Write};

use assay_refine::warc::{
    Addressing, ArchiveReader, ArchiveRecord, Budget, Compression, MalformedKind, ReadLimits, RecordContent,
    WarcError, record_from_range,
};
use proptest::prelude::*;

fn record(block: &[u8]) -> Vec<u8> {
    let head = format!(
        "WARC/1.0\r\nWARC-Type: resource\r\nContent-Length: {}\r\n\r\n",
        block.len()
    );
    [head.as_bytes(), block, b"\r\n\r\n"].concat()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A member of one stored block: what it holds stands readable in the archive.
fn stored(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn small() -> ReadLimits {
    ReadLimits {
        inflated_bytes_max: 100_000,
        row_bytes_max: 50_000,
        ..ReadLimits::default()
    }
}

/// Reads an archive and checks what holds for every input; none if it is no archive.
fn check(bytes: &[u8], limits: ReadLimits) -> Option<(Compression, Vec<ArchiveRecord>)> {
    let reader = match ArchiveReader::new(bytes, limits) {
        Ok(reader) => reader,
        Err(WarcError::Empty | WarcError::NotWarc { .. }) => return None,
        Err(WarcError::Io(error)) => panic!("{error}"),
    };
    let compression = reader.compression();
    let rows: Vec<ArchiveRecord> = reader.map(Result::unwrap).collect();
    let mut end = 0;
    for (idx, row) in rows.iter().enumerate() {
        assert_eq!((row.idx as usize, row.offset), (idx, end), "{compression:?}");
        // Only a damaged frame of a compressed stream may have no bytes of its own.
        let is_frame = row.content == RecordContent::Malformed(MalformedKind::Frame);
        assert!(row.length > 0 || (is_frame && compression.addressing() == Addressing::Inflated));
        end += row.length;
        if compression.addressing() == Addressing::Member {
            let raw = &bytes[usize::try_from(row.offset).unwrap()..usize::try_from(end).unwrap()];
            assert_eq!(row.digest, blake3::hash(raw).as_bytes()[..16]);
            assert_eq!(
                record_from_range(raw, compression, &limits),
                row.content,
                "row {idx} of {compression:?}"
            );
        }
    }
    if compression.addressing() == Addressing::Member {
        assert_eq!(end, bytes.len() as u64);
    }
    Some((compression, rows))
}

fn kinds(rows: &[ArchiveRecord]) -> Vec<&'static str> {
    rows.iter()
        .map(|row| match &row.content {
            RecordContent::Record(_) => "record",
            RecordContent::Malformed(kind) => kind.name(),
            RecordContent::OverBudget(budget) => budget.name(),
        })
        .collect()
}

fn check_kinds(bytes: &[u8], compression: Compression, expected: &[&str]) {
    let (found, rows) = check(bytes, ReadLimits::default()).unwrap();
    assert_eq!((found, kinds(&rows)), (compression, expected.to_vec()));
}

#[test]
fn empty_and_foreign_inputs_are_told_apart() {
    let error = |bytes: &[u8]| ArchiveReader::new(bytes, ReadLimits::default()).unwrap_err();
    assert!(matches!(error(b""), WarcError::Empty));
    for bytes in [
        b"<html>".to_vec(),
        b"PK\x03\x04".to_vec(),
        vec![0; 5_000_000],
        gzip(b"text"),
        b"\x1f\x8b\x08".to_vec(),
        zstd::bulk::compress(b"text", 1).unwrap(),
        b"see WARC/1.0 ".to_vec(),
    ] {
        assert!(
            matches!(error(&bytes), WarcError::NotWarc { .. }),
            "{:?}",
            &bytes[..3]
        );
    }
}

#[test]
fn lying_lengths_cost_their_own_record_in_plain_files() {
    use Compression::Plain;
    let good = record(b"abc");
    let with = |length: &str| format!("WARC/1.0\r\nContent-Length: {length}\r\n\r\nabc\r\n\r\n").into_bytes();
    for length in ["9", "100", "9999999"] {
        check_kinds(
            &[with(length), good.clone(), good.clone()].concat(),
            Plain,
            &["short_block", "record", "record"],
        );
    }
    check_kinds(
        &[with("2"), good.clone()].concat(),
        Plain,
        &["record", "not_warc", "record"],
    );
    for length in ["-3", "", "3x"] {
        check_kinds(
            &[with(length), good.clone()].concat(),
            Plain,
            &["content_length", "record"],
        );
    }
    for length in ["99999999999", "999999999999999999999999999"] {
        check_kinds(
            &[with(length), good.clone()].concat(),
            Plain,
            &["record_bytes", "record"],
        );
    }
    check_kinds(
        &[b"WARC/1.0\r\nA: b\r\n".to_vec(), good.clone()].concat(),
        Plain,
        &["record"],
    );
    check_kinds(b"WARC/1.0\r\nA: b\r\n", Plain, &["header"]);
    let endless = [
        b"WARC/1.0\r\nA: ".to_vec(),
        vec![b'x'; 100_000],
        b"\r\n".to_vec(),
        good.clone(),
    ]
    .concat();
    check_kinds(&endless, Plain, &["warc_header", "record"]);
    check_kinds(
        &[b"noise\n".to_vec(), good.clone(), good[..30].to_vec()].concat(),
        Plain,
        &["not_warc", "record", "header"],
    );
    let lines = good
        .iter()
        .copied()
        .filter(|byte| *byte != b'\r')
        .collect::<Vec<_>>();
    check_kinds(&lines.repeat(3), Plain, &["record"; 3]);
    check_kinds(
        &[&good[..good.len() - 4], &good[..good.len() - 4]].concat(),
        Plain,
        &["record"; 2],
    );
}

#[test]
fn damaged_members_cost_one_row() {
    use Compression::GzipMembers;
    let good = gzip(&record(b"some words of a page"));
    for cut in [1, 4, 9, 10, 11, 20, good.len() - 9, good.len() - 1] {
        let bytes = [&good[..], &good[..cut], &good[..]].concat();
        let (compression, rows) = check(&bytes, ReadLimits::default()).unwrap();
        assert_eq!((compression, rows.len()), (GzipMembers, 3), "{cut}");
        assert!(matches!(rows[1].content, RecordContent::Malformed(_)), "{cut}");
    }
    check_kinds(
        &[&good[..], &good[..40]].concat(),
        GzipMembers,
        &["record", "gzip"],
    );
    check_kinds(
        &[&good[..], b"\0\0\0\0"].concat(),
        GzipMembers,
        &["record", "not_gzip"],
    );
    check_kinds(
        &[&good[..], &gzip(b"no record")[..], &good].concat(),
        GzipMembers,
        &["record", "not_warc", "record"],
    );
    let two = gzip(&record(b"x").repeat(2));
    check_kinds(
        &[&good[..], &two[..], &good].concat(),
        GzipMembers,
        &["record", "several_records", "record"],
    );
}

#[test]
fn members_that_hold_members_and_false_ends_read_as_streamed() {
    use Compression::GzipMembers;
    let inner = gzip(&record(b"inner"));
    let outer = stored(&record(&[&inner[..], b"\x1f\x8b\x08\0", &inner[..]].concat()));
    check_kinds(
        &[&outer[..], &inner[..]].concat(),
        GzipMembers,
        &["record", "record"],
    );
    // A copy of the footer behind foreign bytes must not move the member's end.
    let footer = &inner[inner.len() - 8..];
    let forged = [&inner[..], b"foreign", footer, &inner[..]].concat();
    let (_, rows) = check(&forged, ReadLimits::default()).unwrap();
    assert_eq!(kinds(&rows), ["record", "not_gzip", "record"]);
    assert_eq!(rows[0].length, inner.len() as u64);
}

#[test]
fn bombs_are_left_at_their_budget_and_the_next_record_is_found() {
    let good = gzip(&record(b"good"));
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(9));
    bomb.write_all(b"WARC/1.0\r\nContent-Length: 3000000000\r\n\r\n")
        .unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..3_000 {
        bomb.write_all(&zeros).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    let bytes = [&good[..], &bomb[..], &good[..]].concat();
    check_kinds(
        &bytes,
        Compression::GzipMembers,
        &["record", "record_bytes", "record"],
    );
    // The same as one stream: what is inflated within the budget is a row, the bomb leaves another, and reading goes on.
    let single = [&gzip(&record(b"x").repeat(2))[..], &bomb[..], &good[..]].concat();
    check_kinds(
        &single,
        Compression::GzipSingle,
        &["record", "record", "record_bytes", "frame", "record"],
    );
    let mut zstd_bomb = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    zstd_bomb
        .write_all(b"WARC/1.0\r\nContent-Length: 3000000000\r\n\r\n")
        .unwrap();
    for _ in 0..3_000 {
        zstd_bomb.write_all(&zeros).unwrap();
    }
    let good = zstd::bulk::compress(&record(b"good"), 1).unwrap();
    let bytes = [&good[..], &zstd_bomb.finish().unwrap(), &good].concat();
    check_kinds(
        &bytes,
        Compression::Zstd,
        &["record", "record_bytes", "frame", "record"],
    );
}

#[test]
fn a_member_over_budget_that_is_no_bomb_is_one_row() {
    let mut noise = vec![0; 300_000];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    let good = gzip(&record(b"good"));
    let long = gzip(&record(&noise));
    let limits = ReadLimits {
        row_bytes_max: 1 << 30,
        ..small()
    };
    let (_, rows) = check(&[&good[..], &long[..], &good[..]].concat(), limits).unwrap();
    assert_eq!(rows[1].content, RecordContent::OverBudget(Budget::RecordBytes));
    assert_eq!((rows.len(), rows[1].length), (3, long.len() as u64));
    // A row has an end even where the archive gives none.
    let (_, rows) = check(&[&good[..], &noise[..], &good[..]].concat(), small()).unwrap();
    assert!(rows.len() >= 8 && rows.iter().all(|row| row.length <= 50_001));
    assert_eq!(rows[1].content, RecordContent::Malformed(MalformedKind::NotGzip));
    let (_, rows) = check(
        &[&record(b"x")[..], &noise[..], &record(b"x")[..]].concat(),
        small(),
    )
    .unwrap();
    assert!(rows.len() >= 8 && rows.iter().all(|row| row.length <= 50_001));
}

#[test]
fn nested_damaged_members_stay_linear() {
    // Each member's stored block claims the next 60 kB and then fails.
    let start = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0];
    let mut bytes = gzip(&record(b"x"));
    for _ in 0..40_000 {
        bytes.extend_from_slice(&start);
        bytes.extend_from_slice(b"WARC/1.0\r\n\r\n");
    }
    let (_, rows) = check(&bytes, ReadLimits::default()).unwrap();
    assert!(rows.len() > 2);
}

#[test]
fn zstd_with_and_without_a_dictionary() {
    let words = record(b"the words of the dictionary are the words of the page");
    let frames = |dictionary: &[u8]| {
        let mut bytes = Vec::new();
        for _ in 0..3 {
            let mut packer = zstd::bulk::Compressor::with_dictionary(3, dictionary).unwrap();
            bytes.extend(packer.compress(&words).unwrap());
        }
        bytes
    };
    let skippable = |kind: u8, content: &[u8]| {
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        [&[kind, 0x2a, 0x4d, 0x18][..], &length, content].concat()
    };
    check_kinds(&frames(b""), Compression::Zstd, &["record"; 3]);
    let dictionary = words.repeat(3);
    let packed = zstd::bulk::compress(&dictionary, 3).unwrap();
    for stored in [&dictionary, &packed] {
        let bytes = [
            skippable(0x5d, stored),
            frames(&dictionary),
            skippable(0x50, b"skipped"),
        ]
        .concat();
        check_kinds(&bytes, Compression::Zstd, &["record"; 3]);
    }
    let cut = frames(b"");
    let (_, rows) = check(&cut[..cut.len() - 10], ReadLimits::default()).unwrap();
    assert_eq!(kinds(&rows)[..2], ["record", "record"]);
    let one_frame = zstd::bulk::compress(&words.repeat(4), 3).unwrap();
    check_kinds(&one_frame, Compression::Zstd, &["record"; 4]);
}

/// Found by review: a damaged frame in the middle of a compressed stream left no trace.
#[test]
fn a_damaged_frame_leaves_a_row() {
    let noise: Vec<u8> = (0..4_000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let damage = |mut frame: Vec<u8>| {
        let middle = frame.len() / 2;
        frame[middle..].iter_mut().for_each(|byte| *byte = !*byte);
        frame
    };
    let zstd = |data: &[u8]| zstd::bulk::compress(data, 1).unwrap();
    let sound = zstd(&record(b"text"));
    let bytes = [&sound[..], &damage(zstd(&record(&noise))), &sound].concat();
    let (_, rows) = check(&bytes, ReadLimits::default()).unwrap();
    assert!(kinds(&rows).contains(&"frame"), "{:?}", kinds(&rows));
    assert_eq!(kinds(&rows).iter().filter(|kind| **kind == "record").count(), 2);

    let two = gzip(&[record(b"one"), record(b"two")].concat());
    let broken = damage(gzip(&[record(&noise), record(&noise)].concat()));
    let bytes = [&two[..], &broken, &two].concat();
    let (compression, rows) = check(&bytes, ReadLimits::default()).unwrap();
    assert_eq!(compression, Compression::GzipSingle);
    assert!(kinds(&rows).contains(&"frame"), "{:?}", kinds(&rows));
    assert_eq!(kinds(&rows).iter().filter(|kind| **kind == "record").count(), 4);
}

/// Found by a random archive: a frame whose first bytes inflate to `WARC/` and whose first step fails was met for ever.
#[test]
fn a_frame_that_begins_well_and_fails_at_once_is_left() {
    let sound = zstd::bulk::compress(&record(b"text"), 1).unwrap();
    let noise: Vec<u8> = (0..3_000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let whole = zstd::bulk::compress(&record(&noise), 1).unwrap();
    for at in (4..whole.len()).step_by(7) {
        let mut broken = whole.clone();
        broken[at..].iter_mut().for_each(|byte| *byte ^= 0x5a);
        let bytes = [&sound[..], &broken, &sound].concat();
        let (_, rows) = check(&bytes, ReadLimits::default()).unwrap();
        assert!(rows.len() < 20, "{at}: {} rows", rows.len());
    }
}

/// An archive of several records in one of the forms.
fn archive(form: u8, blocks: &[Vec<u8>]) -> Vec<u8> {
    let records: Vec<Vec<u8>> = blocks.iter().map(|block| record(block)).collect();
    match form {
        0 => records.concat(),
        1 => records.iter().flat_map(|record| gzip(record)).collect(),
        2 => gzip(&records.concat()),
        3 => records
            .iter()
            .flat_map(|record| zstd::bulk::compress(record, 1).unwrap())
            .collect(),
        _ => records.iter().flat_map(|record| stored(record)).collect(),
    }
}

/// Blocks that try to look like what they stand in.
fn block() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        Just(record(b"inside")),
        Just(gzip(&record(b"inside"))),
        Just(b"\x1f\x8b\x08\0\0\0\0\0\0\0WARC/1.0\r\n\nWARC/1.1\n".to_vec()),
        (0_usize..200_000).prop_map(|size| vec![b'z'; size]),
    ]
}

#[derive(Debug, Clone)]
enum Change {
    Flip(usize, u8),
    Cut(usize),
    Insert(usize, Vec<u8>),
    Remove(usize, usize),
    Repeat(usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<usize>;
    prop_oneof![
        (place(), 1_u8..=255).prop_map(|(at, bits)| Change::Flip(at, bits)),
        place().prop_map(Change::Cut),
        (place(), proptest::collection::vec(any::<u8>(), 1..40))
            .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (place(), 1_usize..60).prop_map(|(at, count)| Change::Remove(at, count)),
        (place(), 1_usize..200).prop_map(|(at, count)| Change::Repeat(at, count)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: Change) {
    let place = |at: usize, bytes: &[u8]| at % (bytes.len() + 1);
    match change {
        Change::Flip(at, bits) => {
            let at = place(at, bytes);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= bits;
            }
        }
        Change::Cut(at) => bytes.truncate(place(at, bytes)),
        Change::Insert(at, inserted) => {
            let at = place(at, bytes);
            bytes.splice(at..at, inserted);
        }
        Change::Remove(at, count) => {
            let at = place(at, bytes);
            bytes.drain(at..(at + count).min(bytes.len()));
        }
        Change::Repeat(at, count) => {
            let at = place(at, bytes);
            let again = bytes[at..(at + count).min(bytes.len())].to_vec();
            bytes.splice(at..at, again);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn changed_archives_keep_their_rows_without_gap(
        form in 0_u8..5,
        blocks in proptest::collection::vec(block(), 1..6),
        changes in proptest::collection::vec(change(), 0..4),
        tight in any::<bool>(),
        sizes in proptest::collection::vec(1_usize..5_000, 1..5),
    ) {
        let mut bytes = archive(form, &blocks);
        let unchanged = changes.is_empty();
        for change in changes {
            apply(&mut bytes, change);
        }
        let limits = if tight { small() } else { ReadLimits::default() };
        let rows = check(&bytes, limits);
        if unchanged && !tight {
            let records = rows.as_ref().map_or(0, |(_, rows)| rows.len());
            prop_assert!(records == blocks.len());
        }
        let mut reads = sizes.iter().cycle();
        let mut rest = bytes.as_slice();
        let trickle = std::iter::from_fn(|| Some(*reads.next()?)).map(|size| {
            let (now, later) = rest.split_at(size.min(rest.len()));
            rest = later;
            now
        });
        let again = ArchiveReader::new(Pieces(trickle), limits).ok();
        let again = again.map(|reader| (reader.compression(), reader.map(Result::unwrap).collect::<Vec<_>>()));
        prop_assert!(again == rows);
    }
}

/// Reads that give these pieces; an empty one is the end.
struct Pieces<I>(I);

impl<'a, I: Iterator<Item = &'a [u8]>> Read for Pieces<I> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let piece = self.0.next().unwrap_or_default();
        into[..piece.len()].copy_from_slice(piece);
        Ok(piece.len())
    }
}

//! Tests of the tables: what is written comes back, the schema stays, damage is found.
//!
//! Test code only; the tables' own files stay short.

use assay_types::{BandKeys, BandRow, Decision, Digest16, DocsRow, LedgerRow, Reason, RecipeId, blake3_16};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::printer::print_schema;

use super::*;

/// The library reads from its own reference-counted bytes.
fn bytes(vec: Vec<u8>) -> bytes::Bytes {
    vec.into()
}

fn ledger_rows(n: u32) -> Vec<LedgerRow> {
    (0..n)
        .map(|idx| LedgerRow {
            idx,
            offset: u64::from(idx) * 100,
            length: 100,
            record_digest: Digest16([idx as u8; 16]),
            decision: if idx % 3 == 0 {
                Decision::Keep
            } else {
                Decision::Drop
            },
            reason: match idx % 3 {
                0 => Reason::Kept,
                1 => Reason::Duplicate,
                _ => Reason::Step(4),
            },
            dup_of: (idx % 3 == 1).then(|| idx - 1),
            text_hash: Digest16([7; 16]),
            n_tokens: idx,
        })
        .collect()
}

fn write_ledger(rows: &[LedgerRow]) -> Vec<u8> {
    let mut writer = LedgerWriter::new(Vec::new()).unwrap();
    for row in rows {
        writer.push(*row).unwrap();
    }
    writer.finish().unwrap()
}

fn document(at: u32) -> DocsRow {
    DocsRow {
        text: format!("text {at}"),
        id: format!("<urn:uuid:{at}>"),
        dump: String::new(),
        url: format!("http://a.b/{at}"),
        date: "2024-01-01T00:00:00Z".into(),
        file_path: "x.warc.gz".into(),
        language: "en".into(),
        language_score: 65_535 - at,
        token_count: i64::from(at),
        warc_offset: u64::from(at),
        warc_length: at,
        record_digest: Digest16([1; 16]),
        recipe_id: RecipeId::default(),
    }
}

fn schema_of(file: Vec<u8>) -> String {
    let reader = SerializedFileReader::new(bytes(file)).unwrap();
    let mut out = Vec::new();
    print_schema(&mut out, reader.metadata().file_metadata().schema());
    String::from_utf8(out).unwrap()
}

#[test]
fn ledgers_come_back_and_bytes_repeat() {
    for n in [0, 1, 9_999, 10_000, 10_001] {
        let rows = ledger_rows(n);
        let file = write_ledger(&rows);
        assert_eq!(file, write_ledger(&rows));
        assert_eq!(read_ledger(bytes(file), u64::MAX).unwrap(), rows, "{n} rows");
    }
    insta::assert_snapshot!("ledger_schema", schema_of(write_ledger(&ledger_rows(1))));
}

#[test]
fn bands_come_back() {
    let rows: Vec<BandRow> = (0..10_001)
        .map(|idx| BandRow {
            idx,
            bands: BandKeys(std::array::from_fn(|k| u64::from(idx) << k)),
        })
        .collect();
    let mut writer = BandsWriter::new(Vec::new()).unwrap();
    for row in &rows {
        writer.push(*row).unwrap();
    }
    let file = writer.finish().unwrap();
    insta::assert_snapshot!("bands_schema", schema_of(file.clone()));
    assert_eq!(read_bands(bytes(file.clone()), 10_001).unwrap(), rows);
    let error = read_bands(bytes(file), 10_000).unwrap_err();
    assert!(
        matches!(
            error,
            TableError::Limit {
                limit: "rows",
                found: 10_001,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn documents_come_back_in_groups_of_a_thousand() {
    let rows: Vec<DocsRow> = (0..2_500).map(document).collect();
    let mut writer = DocsWriter::new(Vec::new()).unwrap();
    for row in &rows {
        writer.push(row.clone()).unwrap();
    }
    assert_eq!(writer.rows(), 2_500);
    let file = writer.finish().unwrap();
    insta::assert_snapshot!("docs_schema", schema_of(file.clone()));
    let reader = SerializedFileReader::new(bytes(file.clone())).unwrap();
    let groups: Vec<i64> = reader
        .metadata()
        .row_groups()
        .iter()
        .map(parquet::file::metadata::RowGroupMetaData::num_rows)
        .collect();
    assert_eq!(groups, [1000, 1000, 500]);
    assert_eq!(read_docs(bytes(file)).unwrap(), rows);
}

#[test]
fn large_documents_come_back_in_one_group() {
    // Digests do not compress below what a foreign file may claim.
    let noise =
        |at: u32| (0..40_000).map(move |n: u32| blake3_16(&[at.to_le_bytes(), n.to_le_bytes()].concat()));
    let row = |at: u32| DocsRow {
        text: noise(at).map(|digest| digest.to_string()).collect(),
        ..document(at)
    };
    let rows: Vec<DocsRow> = (10..20).map(row).collect();
    let mut writer = DocsWriter::new(Vec::new()).unwrap();
    for row in &rows {
        writer.push(row.clone()).unwrap();
    }
    let file = writer.finish().unwrap();
    let reader = SerializedFileReader::new(bytes(file.clone())).unwrap();
    assert_eq!(reader.metadata().num_row_groups(), 1);
    assert_eq!(read_docs(bytes(file)).unwrap(), rows);
}

#[test]
fn another_schema_is_named() {
    let error = read_bands(bytes(write_ledger(&ledger_rows(3))), u64::MAX).unwrap_err();
    assert!(
        matches!(error, TableError::Schema { table: "bands", .. }),
        "{error}"
    );
}

#[test]
fn damaged_files_are_errors_and_never_panic() {
    let file = write_ledger(&ledger_rows(500));
    for length in [0, 1, 7, 8, 100, file.len() / 2, file.len() - 1] {
        assert!(
            read_ledger(bytes(file[..length].to_vec()), u64::MAX).is_err(),
            "cut to {length} bytes"
        );
    }
    for at in (0..file.len()).step_by(7) {
        let mut damaged = file.clone();
        damaged[at] ^= 0x55;
        // A flipped bit in a value may read as another value; what counts is that it returns.
        let _ = read_ledger(bytes(damaged), u64::MAX);
    }
    let mut huge = file.clone();
    let at = huge.len() - 8;
    huge[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(
        read_ledger(bytes(huge), u64::MAX),
        Err(TableError::Limit {
            limit: "footer bytes",
            ..
        })
    ));
}

#[test]
fn features_are_nullable_integers() {
    let mut row = FeatureRow::default();
    row.dropped_by = Some("c4.too_few_sentences".into());
    row.set("c4_sentences", 4);
    row.set("c4_sentences", 3);
    assert_eq!((row.get("c4_sentences"), row.get("c4_lines")), (Some(3), None));
    let mut writer = FeaturesWriter::new(Vec::new()).unwrap();
    writer.push(5, row).unwrap();
    insta::assert_snapshot!("features_schema", schema_of(writer.finish().unwrap()));
}

//! Entries of the exploit diary that live in files: `verify` meets them in a dataset sealed by its forger.
//!
//! The other entries, which scores and admission answer, stand in `assay-mechanism`'s `tests/it/diary.rs`.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use assay_types::FaultKind;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};

use super::check::{CLEAN, check, verify};
use super::forge::{Forgery, sealed};
use crate::support::folder;

/// Writes the documents anew with other batches and properties, and makes the manifest fit.
fn rewrite(
    forgery: &mut Forgery,
    properties: WriterPropertiesBuilder,
    change: impl Fn(RecordBatch) -> RecordBatch,
) {
    let path = forgery.folder.join(&forgery.manifest.units[0].docs[0].path);
    let file = fs_err::File::open(&path).unwrap().into_file();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap()
        .build()
        .unwrap();
    let batches: Vec<RecordBatch> = reader.map(|batch| change(batch.unwrap())).collect();
    let mut writer = ArrowWriter::try_new(Vec::new(), batches[0].schema(), Some(properties.build())).unwrap();
    for batch in &batches {
        writer.write(batch).unwrap();
    }
    let bytes = writer.into_inner().unwrap();
    let entry = &mut forgery.unit().docs[0];
    (entry.bytes, entry.sha256) = sealed(&bytes, &path);
    forgery.seal_manifest();
}

fn zstd() -> WriterPropertiesBuilder {
    WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()))
}

/// A batch with one column replaced.
fn with_column(batch: &RecordBatch, name: &str, column: &ArrayRef) -> RecordBatch {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, old)| {
        let new = if field.name() == name { column } else { old };
        (field.name().clone(), Arc::clone(new))
    });
    RecordBatch::try_from_iter(columns).unwrap()
}

#[test]
fn diary_04_fabricated_metadata_is_named_row_by_row() {
    check(
        |forgery| {
            for row in &mut forgery.docs {
                row.url = format!("https://user{}.example/post/99999", row.url.len());
            }
            forgery.seal();
        },
        &[FaultKind::ColumnWrong],
        &[assay_types::FraudKind::ColumnWrong],
    );
}

#[test]
fn diary_07_uncompressed_padding_changes_no_count_and_a_bomb_is_not_opened() {
    let folder = folder();
    let mut forgery = Forgery::open(&CLEAN.dataset, &folder.path().join("padded"));
    let (before, tokens) = (forgery.unit().docs[0].bytes, forgery.unit().n_tokens);
    let padding = parquet::file::metadata::KeyValue::new("padding".to_owned(), "x".repeat(1 << 16));
    let plain = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_key_value_metadata(Some(vec![padding]));
    rewrite(&mut forgery, plain, |batch| batch);
    assert!(
        forgery.unit().docs[0].bytes.0 > before.0 + (1 << 16),
        "the file grew"
    );
    // The rows are right, so nothing is wrong; what is paid is the archive's volume, which did not change.
    let proof = folder.path().join("proofs.json");
    verify(&forgery.folder, &proof, "").with_code(0);
    assert_eq!(forgery.unit().n_tokens, tokens);
    check(
        |forgery| {
            rewrite(forgery, zstd(), |batch| {
                let bomb = StringArray::from_iter_values((0..batch.num_rows()).map(|_| "a".repeat(1 << 20)));
                with_column(&batch, "text", &(Arc::new(bomb) as ArrayRef))
            });
        },
        &[FaultKind::Unreadable],
        &[],
    );
}

#[test]
fn diary_08_row_groups_of_one_row_are_refused() {
    check(
        |forgery| {
            rewrite(forgery, zstd().set_max_row_group_row_count(Some(1)), |batch| {
                batch
            });
        },
        &[FaultKind::Unreadable],
        &[],
    );
}

#[test]
fn diary_09_a_lie_about_row_counts_is_named() {
    check(
        |forgery| {
            forgery.unit().docs[0].rows += 2_000_000;
            forgery.seal_manifest();
        },
        &[FaultKind::CountLied, FaultKind::RootMismatch],
        &[],
    );
}

#[test]
fn diary_10_a_column_of_another_type_is_a_fault_and_skips_nothing() {
    check(
        |forgery| {
            rewrite(forgery, zstd(), |batch| {
                let tokens = StringArray::from_iter_values((0..batch.num_rows()).map(|at| at.to_string()));
                with_column(&batch, "token_count", &(Arc::new(tokens) as ArrayRef))
            });
        },
        &[FaultKind::Unreadable],
        &[],
    );
}

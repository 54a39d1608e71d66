//! Writes one unit: deduplicates records in ledger order and files them into ledger, bands and documents.
//!
//! Takes [`Refined`] records, gives Parquet bytes to the files of a [`UnitFiles`] and returns the unit's manifest
//! entry. Memory: three open row groups plus 14 band keys (about 24 bytes each) a passed record.

use std::io::{self, Write};

use assay_types::{
    Addressing, BandRow, Bytes, Decision, Digest, Digest16, DocsEntry, DocsRow, FileEntry, LedgerEntry,
    LedgerRow, ManifestUnit, MerkleBuilder, Reason, RecipeId, Tokens, UnitId,
};

use super::counts::Counts;
use super::documents::{DocumentFile, Format};
use crate::engine::{Document, Drop, Outcome, Refined};
use crate::minhash::UnitDedup;
use crate::output::{BandsWriter, DigestingWriter, FeaturesWriter, LedgerWriter, TableError};

/// File names within a unit.
const LEDGER: &str = "ledger.parquet";
const BANDS: &str = "bands.parquet";
const FEATURES: &str = "features.parquet";

/// What a record is dropped as when an earlier one of its unit shares a band.
const DUPLICATE: Drop = Drop {
    reason: Reason::Duplicate,
    step: "minhash",
    why: "duplicate",
};

/// A documents file is closed at the first full row group past this many bytes (limit: 1 GiB, docs/format.md).
const DOCS_FILE_BYTES: u64 = 512 << 20;

/// Opens and closes the files of one unit; the shell's part of [`UnitWriter`].
pub trait UnitFiles {
    /// An open file.
    type File: Write + Send;
    /// Opens `name` (no directory part) for writing.
    fn create(&mut self, name: &str) -> io::Result<Self::File>;
    /// Makes a completely written file durable.
    fn close(&mut self, file: Self::File) -> io::Result<()>;
}

/// Why a unit could not be written.
#[derive(Debug, thiserror::Error)]
pub enum UnitError {
    /// A table could not be written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A file could not be opened, written or closed.
    #[error("write `{name}`: {source}")]
    Io {
        /// File name within the unit.
        name: String,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

impl UnitError {
    pub(super) fn io(name: &str) -> impl FnOnce(io::Error) -> Self {
        let name = name.to_owned();
        move |source| Self::Io { name, source }
    }
}

/// What a unit is called and made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitIdentity {
    /// `file`, `http`, `cc`, …
    pub source: String,
    /// File name, URL or path within the crawl.
    pub path: String,
    /// Crawl id if the path names one (`CC-MAIN-2024-42`), else empty.
    pub dump: String,
    /// The recipe applied.
    pub recipe_id: RecipeId,
}

impl UnitIdentity {
    /// Path of one of the unit's files within the dataset.
    pub fn path_of(&self, name: &str) -> String {
        format!("units/{}/{name}", self.unit_id())
    }

    /// The unit's id: the tagged hash of `<source>:<path>`.
    pub fn unit_id(&self) -> UnitId {
        UnitId::of(&self.source, &self.path)
    }
}

/// A finished unit.
#[derive(Debug, Clone)]
pub struct UnitSummary {
    /// The manifest's entry.
    pub entry: ManifestUnit,
    /// Counts for the funnel.
    pub counts: Counts,
    /// `features.parquet`, which no manifest names, if it was written.
    pub features: Option<FileEntry>,
}

/// Writes one unit record by record.
pub struct UnitWriter<F: UnitFiles> {
    files: F,
    identity: UnitIdentity,
    format: Format,
    ledger: LedgerWriter<DigestingWriter<F::File>>,
    bands: BandsWriter<DigestingWriter<F::File>>,
    docs: DocumentFile<DigestingWriter<F::File>>,
    docs_done: Vec<DocsEntry>,
    features: Option<FeaturesWriter<DigestingWriter<F::File>>>,
    leaves: MerkleBuilder,
    dedup: UnitDedup,
    counts: Counts,
    end: u64,
}

impl<F: UnitFiles> std::fmt::Debug for UnitWriter<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnitWriter")
            .field("identity", &self.identity)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

impl<F: UnitFiles> UnitWriter<F> {
    /// Opens the unit's files. `stages` are those of the engine.
    pub fn new(
        mut files: F,
        identity: UnitIdentity,
        format: Format,
        with_features: bool,
        stages: &[&str],
    ) -> Result<Self, UnitError> {
        let ledger = LedgerWriter::new(DigestingWriter::new(create(&mut files, LEDGER)?))?;
        let bands = BandsWriter::new(DigestingWriter::new(create(&mut files, BANDS)?))?;
        let docs = open_docs(&mut files, format, 0)?;
        let features = if with_features {
            Some(FeaturesWriter::new(DigestingWriter::new(create(
                &mut files, FEATURES,
            )?))?)
        } else {
            None
        };
        Ok(Self {
            files,
            identity,
            format,
            ledger,
            bands,
            docs,
            docs_done: Vec::new(),
            features,
            leaves: MerkleBuilder::default(),
            dedup: UnitDedup::new(),
            counts: Counts::new(stages),
            end: 0,
        })
    }

    /// Files the next record; records come in ledger order.
    ///
    /// Returns whether it is kept.
    pub fn push(&mut self, refined: Refined) -> Result<bool, UnitError> {
        let mut row = LedgerRow {
            idx: refined.idx,
            offset: refined.offset,
            length: refined.length,
            record_digest: refined.record_digest,
            decision: Decision::Drop,
            reason: Reason::Kept,
            dup_of: None,
            text_hash: Digest16::ZERO,
            n_tokens: 0,
        };
        let mut kept_bytes = None;
        let document = self.decide(&refined, &mut row)?;
        if let Some(document) = document {
            kept_bytes = Some(document.text.len() as u64);
            self.keep(&row, document)?;
        }
        self.counts.observe(&refined, kept_bytes);
        if let (Some(writer), Some(features)) = (&mut self.features, refined.features) {
            writer.push(refined.idx, features)?;
        }
        self.end = refined.offset + u64::from(refined.length);
        self.leaves.push(row.leaf(&self.identity.unit_id()));
        self.ledger.push(row)?;
        Ok(kept_bytes.is_some())
    }

    /// Fills the decision into `row`; gives back the document if it stays.
    fn decide<'r>(
        &mut self,
        refined: &'r Refined,
        row: &mut LedgerRow,
    ) -> Result<Option<&'r Document>, UnitError> {
        let document = match &refined.outcome {
            Outcome::Dropped(drop) => {
                row.reason = drop.reason;
                self.counts.drop(drop.key());
                return Ok(None);
            }
            Outcome::Passed(document) => document,
        };
        row.text_hash = document.text_hash;
        if let Some(bands) = &document.bands {
            self.bands.push(BandRow {
                idx: refined.idx,
                bands: *bands,
            })?;
            if let Some(earlier) = self.dedup.observe(refined.idx, &bands.0) {
                row.reason = Reason::Duplicate;
                row.dup_of = Some(earlier);
                self.counts.drop(DUPLICATE.key());
                return Ok(None);
            }
        }
        row.decision = Decision::Keep;
        row.n_tokens = document.token_count;
        Ok(Some(document))
    }

    fn keep(&mut self, row: &LedgerRow, document: &Document) -> Result<(), UnitError> {
        self.counts.kept += 1;
        self.counts.tokens += u64::from(document.token_count);
        self.counts.text_bytes += document.text.len() as u64;
        self.docs.push(DocsRow {
            text: document.text.clone(),
            id: document.id.clone(),
            dump: self.identity.dump.clone(),
            url: document.url.clone(),
            date: document.date.clone(),
            file_path: self.identity.path.clone(),
            language: document.language.to_owned(),
            language_score: document.language_score,
            token_count: i64::from(document.token_count),
            warc_offset: row.offset,
            warc_length: row.length,
            record_digest: row.record_digest,
            recipe_id: self.identity.recipe_id,
        })?;
        if self.docs.is_full(DOCS_FILE_BYTES) {
            self.next_docs_file()?;
        }
        Ok(())
    }

    fn next_docs_file(&mut self) -> Result<(), UnitError> {
        let next = open_docs(&mut self.files, self.format, self.docs_done.len() + 1)?;
        let done = std::mem::replace(&mut self.docs, next);
        let entry = close_docs(&mut self.files, &self.identity, self.docs_done.len(), done)?;
        self.docs_done.push(entry);
        Ok(())
    }

    /// Closes all files and sums the unit up; the archive ends where the last record ended.
    pub fn finish(self, addressing: Addressing) -> Result<(UnitSummary, F), UnitError> {
        let Self {
            mut files,
            identity,
            ledger,
            bands,
            docs,
            mut docs_done,
            features,
            leaves,
            counts,
            end,
            ..
        } = self;
        docs_done.push(close_docs(&mut files, &identity, docs_done.len(), docs)?);
        let (file, ledger) = ledger.finish()?.finish();
        files.close(file).map_err(UnitError::io(LEDGER))?;
        let (file, bands) = bands.finish()?.finish();
        files.close(file).map_err(UnitError::io(BANDS))?;
        let features = match features {
            Some(writer) => {
                let (file, digested) = writer.finish()?.finish();
                files.close(file).map_err(UnitError::io(FEATURES))?;
                Some(FileEntry {
                    path: identity.path_of(FEATURES),
                    bytes: Bytes(digested.bytes),
                    sha256: digested.sha256,
                })
            }
            None => None,
        };
        let unit_id = identity.unit_id();
        let mut entry = ManifestUnit {
            unit_id,
            source: identity.source.clone(),
            warc_path: identity.path.clone(),
            warc_len: Bytes(end),
            addressing,
            recipe_id: identity.recipe_id,
            n_records: leaves.len() as u32,
            n_kept: counts.kept as u32,
            n_tokens: Tokens(counts.tokens),
            ledger: LedgerEntry {
                path: identity.path_of(LEDGER),
                bytes: Bytes(ledger.bytes),
                sha256: ledger.sha256,
                root: leaves.root(),
            },
            bands: FileEntry {
                path: identity.path_of(BANDS),
                bytes: Bytes(bands.bytes),
                sha256: bands.sha256,
            },
            docs: docs_done,
            unit_root: Digest::ZERO,
        };
        entry.unit_root = entry.expected_root();
        let summary = UnitSummary {
            entry,
            counts,
            features,
        };
        Ok((summary, files))
    }
}

fn create<F: UnitFiles>(files: &mut F, name: &str) -> Result<F::File, UnitError> {
    files.create(name).map_err(UnitError::io(name))
}

fn open_docs<F: UnitFiles>(
    files: &mut F,
    format: Format,
    number: usize,
) -> Result<DocumentFile<DigestingWriter<F::File>>, UnitError> {
    let name = format.file_name(number);
    let file = DigestingWriter::new(create(files, &name)?);
    DocumentFile::new(format, &name, file)
}

fn close_docs<F: UnitFiles>(
    files: &mut F,
    identity: &UnitIdentity,
    number: usize,
    file: DocumentFile<DigestingWriter<F::File>>,
) -> Result<DocsEntry, UnitError> {
    let name = file.format().file_name(number);
    let rows = file.rows() as u32;
    let (inner, digested) = file.finish(&name)?.finish();
    files.close(inner).map_err(UnitError::io(&name))?;
    Ok(DocsEntry {
        path: identity.path_of(&name),
        bytes: Bytes(digested.bytes),
        rows,
        sha256: digested.sha256,
    })
}

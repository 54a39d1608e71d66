//! What a unit's tables say, and whether they agree with each other and with the manifest.
//!
//! Ledger, bands and documents come from [`crate::output`]; faults go to the verifier's report. No archive is needed
//! here, so these checks are cheap and come first.

use std::collections::BTreeMap;

use assay_types::{
    BandKeys, BandRow, DOCS_COLUMNS, Decision, DocsRow, Fault, FaultKind, LedgerRow, ManifestUnit,
    MerkleBuilder, Reason, blake3_16, check_contiguous,
};

use crate::minhash::UnitDedup;

/// 64-bit digests of a document's columns, in the order of [`DOCS_COLUMNS`]; enough to name the one that differs
/// without holding the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns(pub [u64; DOCS_COLUMNS.len()]);

impl Columns {
    /// The columns of a document.
    pub fn of(row: &DocsRow) -> Self {
        let short = |bytes: &[u8]| {
            let digest = blake3_16(bytes);
            digest
                .as_bytes()
                .iter()
                .take(8)
                .fold(0u64, |all, byte| all << 8 | u64::from(*byte))
        };
        Self([
            short(row.text.as_bytes()),
            short(row.id.as_bytes()),
            short(row.dump.as_bytes()),
            short(row.url.as_bytes()),
            short(row.date.as_bytes()),
            short(row.file_path.as_bytes()),
            short(row.language.as_bytes()),
            u64::from(row.language_score),
            row.token_count as u64,
            row.warc_offset,
            u64::from(row.warc_length),
            short(row.record_digest.as_bytes()),
            short(row.recipe_id.as_bytes()),
        ])
    }

    /// Names of the columns in which two documents differ.
    pub fn differing(&self, other: &Self) -> Vec<&'static str> {
        let pairs = self.0.iter().zip(&other.0);
        DOCS_COLUMNS
            .iter()
            .zip(pairs)
            .filter(|(_, (a, b))| a != b)
            .map(|((name, _), _)| *name)
            .collect()
    }
}

/// The fault a differing column is.
pub(super) fn column_fault(column: &str) -> FaultKind {
    match column {
        "text" => FaultKind::TextChanged,
        "token_count" => FaultKind::CountLied,
        "recipe_id" => FaultKind::OtherRecipe,
        "warc_offset" | "warc_length" => FaultKind::OffsetMoved,
        "record_digest" => FaultKind::DigestWrong,
        _ => FaultKind::ColumnWrong,
    }
}

/// One unit's tables, documents reduced to digests of their columns.
#[derive(Debug)]
pub struct UnitTables {
    /// The manifest's entry.
    pub entry: ManifestUnit,
    /// The ledger.
    pub ledger: Vec<LedgerRow>,
    bands: BTreeMap<u32, BandKeys>,
    /// Digests of the documents' columns by ledger `idx`.
    documents: BTreeMap<u32, Columns>,
    faults: Vec<Fault>,
    kept: std::vec::IntoIter<u32>,
}

impl UnitTables {
    /// Takes ledger and bands and checks them; documents follow with [`Self::add_document`].
    pub fn new(entry: ManifestUnit, ledger: Vec<LedgerRow>, bands: Vec<BandRow>) -> Self {
        let kept: Vec<u32> = (0u32..)
            .zip(&ledger)
            .filter(|(_, row)| row.decision == Decision::Keep)
            .map(|(at, _)| at)
            .collect();
        let mut tables = Self {
            entry,
            ledger,
            bands: BTreeMap::new(),
            documents: BTreeMap::new(),
            faults: Vec::new(),
            kept: kept.into_iter(),
        };
        tables.check_ledger();
        tables.check_counts();
        tables.take_bands(bands);
        tables
    }

    /// The row at a place of the ledger.
    pub fn row(&self, at: u32) -> Option<&LedgerRow> {
        self.ledger.get(at as usize)
    }

    /// Band keys filed for a row.
    pub fn bands(&self, idx: u32) -> Option<&BandKeys> {
        self.bands.get(&idx)
    }

    /// Column digests of a row's document.
    pub fn document(&self, idx: u32) -> Option<&Columns> {
        self.documents.get(&idx)
    }

    /// Number of a kept row's document among the unit's documents, from 0.
    pub fn document_number(&self, at: u32) -> Option<u64> {
        let earlier = self.ledger.get(..at as usize)?;
        (self.row(at)?.decision == Decision::Keep).then(|| {
            earlier
                .iter()
                .filter(|row| row.decision == Decision::Keep)
                .count() as u64
        })
    }

    /// A fault of this unit.
    pub fn fault(&self, kind: FaultKind, row: Option<(u32, u64)>, expected: String, found: String) -> Fault {
        let (idx, offset) = row.unzip();
        Fault {
            kind,
            unit: self.entry.unit_id,
            idx,
            offset,
            expected,
            found,
        }
    }

    fn push(&mut self, kind: FaultKind, row: Option<(u32, u64)>, expected: String, found: String) {
        let fault = self.fault(kind, row, expected, found);
        self.faults.push(fault);
    }

    fn check_ledger(&mut self) {
        let mut leaves = MerkleBuilder::default();
        self.ledger
            .iter()
            .for_each(|row| leaves.push(row.leaf(&self.entry.unit_id)));
        let root = leaves.root();
        if root != self.entry.ledger.root {
            self.push(
                FaultKind::RootMismatch,
                None,
                format!("ledger root {root}"),
                self.entry.ledger.root.to_string(),
            );
        }
        let expected = self.entry.expected_root();
        if expected != self.entry.unit_root {
            self.push(
                FaultKind::RootMismatch,
                None,
                format!("unit root {expected}"),
                self.entry.unit_root.to_string(),
            );
        }
        if let Err(error) = check_contiguous(&self.ledger, self.entry.warc_len.0) {
            self.push(
                FaultKind::from(&error),
                None,
                "rows that follow each other to the archive's end".to_owned(),
                error.to_string(),
            );
        }
    }

    fn check_counts(&mut self) {
        let kept = self
            .ledger
            .iter()
            .filter(|row| row.decision == Decision::Keep)
            .count() as u64;
        let tokens: u64 = self.ledger.iter().map(|row| u64::from(row.n_tokens)).sum();
        for (name, expected, found) in [
            (
                "n_records",
                self.ledger.len() as u64,
                u64::from(self.entry.n_records),
            ),
            ("n_kept", kept, u64::from(self.entry.n_kept)),
            ("n_tokens", tokens, self.entry.n_tokens.0),
        ] {
            if expected != found {
                self.push(
                    FaultKind::CountLied,
                    None,
                    format!("{name} {expected}"),
                    format!("{name} {found}"),
                );
            }
        }
    }

    /// Files the bands and replays the deduplication they imply.
    fn take_bands(&mut self, bands: Vec<BandRow>) {
        let mut dedup = UnitDedup::new();
        let mut last = None;
        for band in bands {
            let passed = self
                .row(band.idx)
                .is_some_and(|row| matches!(row.reason, Reason::Kept | Reason::Duplicate));
            if !passed || last.is_some_and(|last| last >= band.idx) {
                let row = self.row(band.idx).map(|row| (row.idx, row.offset));
                self.push(
                    FaultKind::BandsWrong,
                    row,
                    "band keys of passed records in ledger order".to_owned(),
                    format!("row {}", band.idx),
                );
                continue;
            }
            last = Some(band.idx);
            let dup_of = dedup.observe(band.idx, &band.bands.0);
            self.bands.insert(band.idx, band.bands);
            let Some(row) = self.row(band.idx).copied() else {
                continue;
            };
            if row.dup_of != dup_of {
                let shown = |dup: Option<u32>| {
                    dup.map_or("no duplicate".to_owned(), |of| format!("duplicate of row {of}"))
                };
                self.push(
                    FaultKind::DupWrong,
                    Some((row.idx, row.offset)),
                    shown(dup_of),
                    shown(row.dup_of),
                );
            }
        }
        let without: Vec<(u32, u64)> = (0u32..)
            .zip(&self.ledger)
            .filter(|(at, row)| row.reason == Reason::Duplicate && !self.bands.contains_key(at))
            .map(|(_, row)| (row.idx, row.offset))
            .collect();
        for row in without {
            let expected = "band keys, of which one is its witness's".to_owned();
            self.push(FaultKind::BandsWrong, Some(row), expected, "no keys".to_owned());
        }
    }

    /// Compares the rows counted in each documents file with the manifest's.
    pub fn check_documents(&mut self, rows: &[u64]) {
        let declared = self.entry.docs.clone();
        for (entry, counted) in declared.iter().zip(rows) {
            let rows = u64::from(entry.rows);
            if rows != *counted {
                let shown = |rows: u64| format!("{rows} rows in `{}`", entry.path);
                self.push(FaultKind::CountLied, None, shown(*counted), shown(rows));
            }
        }
    }

    /// Takes the next document; documents come in file order.
    pub fn add_document(&mut self, document: &DocsRow) {
        let Some(at) = self.kept.next() else {
            self.push(
                FaultKind::RowAdded,
                None,
                "one document a kept row".to_owned(),
                format!("another document `{}`", document.id),
            );
            return;
        };
        let Some(row) = self.row(at).copied() else { return };
        let place = Some((row.idx, row.offset));
        let text_hash = blake3_16(document.text.as_bytes());
        if text_hash != row.text_hash {
            self.push(
                FaultKind::TextChanged,
                place,
                format!("text of hash {}", row.text_hash),
                text_hash.to_string(),
            );
        }
        if document.token_count != i64::from(row.n_tokens) {
            self.push(
                FaultKind::CountLied,
                place,
                format!("{} tokens", row.n_tokens),
                document.token_count.to_string(),
            );
        }
        if (document.warc_offset, document.warc_length) != (row.offset, row.length) {
            let found = format!("{}+{}", document.warc_offset, document.warc_length);
            self.push(
                FaultKind::OffsetMoved,
                place,
                format!("{}+{}", row.offset, row.length),
                found,
            );
        }
        if document.record_digest != row.record_digest {
            self.push(
                FaultKind::DigestWrong,
                place,
                row.record_digest.to_string(),
                document.record_digest.to_string(),
            );
        }
        if document.recipe_id != self.entry.recipe_id {
            self.push(
                FaultKind::OtherRecipe,
                place,
                self.entry.recipe_id.to_string(),
                document.recipe_id.to_string(),
            );
        }
        self.documents.insert(at, Columns::of(document));
    }

    /// Ends the documents and gives the faults found so far.
    pub fn take_faults(&mut self) -> Vec<Fault> {
        let missing: Vec<u32> = self.kept.by_ref().collect();
        if let Some(first) = missing.first() {
            let row = self.row(*first).map(|row| (row.idx, row.offset));
            let found = format!("{} documents missing from here on", missing.len());
            self.push(
                FaultKind::RowHidden,
                row,
                "one document a kept row".to_owned(),
                found,
            );
        }
        std::mem::take(&mut self.faults)
    }
}

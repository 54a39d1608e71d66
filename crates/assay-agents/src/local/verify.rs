//! `assay verify`: recomputes a dataset's rows from its archives and names every difference.
//!
//! Tables come from [`Dataset`], archives from assay-hub, records from the same [`Engine`] that made them; comparison and
//! proofs are in [`assay_refine::verify`].

use std::collections::{BTreeMap, BTreeSet};

use assay_hub::{HubError, OpenOptions, Source};
use assay_refine::engine::{Detail, Engine, Refined, Scratch};
use assay_refine::parallel::{self, Flow};
use assay_refine::verify::{Finding, Recheck, UnitTables, proofs};
use assay_refine::warc::{
    ArchiveReader, ArchiveRecord, Compression, ReadLimits, RecordContent, record_from_range,
};
use assay_types::{
    Addressing, Draws, Fault, FaultKind, FraudProof, LedgerRow, Manifest, ManifestUnit, Reason, UnitId,
    blake3_16, tagged_hash,
};

use super::dataset::Dataset;
use super::error::LocalError;
use super::findings::CheckedUnit;
use super::probe;
use super::refine::{addressing_of, archive_error, identity_of, read_error};
use super::steady;

/// How many rows of a unit to recompute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample<'a> {
    /// Every record of the archive, in order; finds hidden records, too.
    All,
    /// This many rows of each unit, drawn by the seed.
    Rows(u64),
    /// These places, drawn by a beacon; units without any are left out.
    Places(&'a BTreeMap<UnitId, Places>),
}

/// Places of one unit to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Rows to recompute, by number.
    pub rows: BTreeSet<u32>,
    /// Bytes of the archive: the first record that begins at or behind each must have a row.
    pub offsets: BTreeSet<u64>,
    /// Bytes looked at behind each of them.
    pub window_bytes: u64,
}

/// What to verify, and how.
#[derive(Debug)]
pub struct VerifyJob<'a> {
    /// The dataset.
    pub dataset: &'a Dataset,
    /// The archives it was made from, in any order; more may be given.
    pub archives: &'a [Source],
    /// How to open them.
    pub open: &'a OpenOptions,
    /// The recipe of the dataset, ready to run.
    pub engine: &'a Engine,
    /// Other recipes to try on rows that differ, to name the one that was really used.
    pub others: &'a [Engine],
    /// How many rows.
    pub sample: Sample<'a>,
    /// Seed of the sample.
    pub seed: u64,
    /// Whether a unit may end before its archive does.
    pub prefix: bool,
    /// Worker threads, at least 1.
    pub threads: usize,
}

/// What was verified.
#[derive(Debug, Default)]
pub struct Verified {
    /// Units of the dataset.
    pub units: u64,
    /// Records recomputed.
    pub checked: u64,
    /// Every difference, by unit and place.
    pub faults: Vec<Fault>,
    /// Proofs of them, as far as one row and its Merkle path can prove them.
    pub proofs: Vec<FraudProof>,
    /// Units with differences that were made of the beginning of their archive (`--limit`), as their completion markers say.
    pub limited: Vec<UnitId>,
}

/// Verifies every unit of a dataset.
///
/// # Errors
/// If a file of the dataset or an archive cannot be read, or there is nothing to verify. Differences are no errors.
pub fn verify(job: &VerifyJob<'_>) -> Result<Verified, LocalError> {
    let manifest = &job.dataset.manifest;
    let mut verified = Verified {
        units: manifest.units.len() as u64,
        ..Verified::default()
    };
    if let Err(error) = manifest.validate() {
        verified.faults.push(manifest_fault(manifest, &error.to_string()));
    }
    if let Sample::Places(places) = job.sample {
        for unit in manifest
            .units
            .iter()
            .filter(|unit| places.contains_key(&unit.unit_id))
        {
            verify_unit(job, unit, &mut verified)?;
        }
        return Ok(verified);
    }
    verified.faults.extend(job.dataset.unlisted()?);
    if manifest.units.is_empty() && verified.faults.is_empty() {
        return Err(job.dataset.no_units());
    }
    for unit in &manifest.units {
        let before = verified.faults.len();
        verify_unit(job, unit, &mut verified)?;
        let differs = verified.faults.len() > before;
        if differs && !job.prefix && job.dataset.is_limited(unit) {
            verified.limited.push(unit.unit_id);
        }
    }
    Ok(verified)
}

fn manifest_fault(manifest: &Manifest, found: &str) -> Fault {
    let unit = manifest
        .units
        .first()
        .map_or_else(UnitId::default, |unit| unit.unit_id);
    let expected = "a consistent manifest".to_owned();
    Fault {
        kind: FaultKind::RootMismatch,
        unit,
        idx: None,
        offset: None,
        expected,
        found: found.to_owned(),
    }
}

fn verify_unit(job: &VerifyJob<'_>, unit: &ManifestUnit, verified: &mut Verified) -> Result<(), LocalError> {
    let fault = |kind, expected: String, found: String| Fault {
        kind,
        unit: unit.unit_id,
        idx: None,
        offset: None,
        expected,
        found,
    };
    if let Err(error) = unit.check_paths() {
        // Nothing is opened: the path is a stranger's.
        let expected = "files in the unit's folder".to_owned();
        verified
            .faults
            .push(fault(FaultKind::Unreadable, expected, error.to_string()));
        return Ok(());
    }
    verified.faults.extend(job.dataset.file_faults(unit)?);
    if unit.recipe_id != job.engine.recipe_id() {
        let found = unit.recipe_id.to_string();
        verified.faults.push(fault(
            FaultKind::OtherRecipe,
            job.engine.recipe_id().to_string(),
            found,
        ));
    }
    let mut tables = match load(job.dataset, unit) {
        Ok(tables) => tables,
        Err(error @ (LocalError::Table { .. } | LocalError::Io { .. } | LocalError::Read { .. })) => {
            verified.faults.push(fault(
                FaultKind::Unreadable,
                "readable tables".to_owned(),
                error.to_string(),
            ));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    verified.faults.extend(tables.take_faults());
    let archive = archive_of(job, unit)?;
    verified.faults.extend(length_fault(job, unit, archive));
    let compression = steady_compression(job, unit, archive)?;
    let addressing = addressing_of(compression);
    if unit.addressing != addressing {
        let [expected, found] = [addressing, unit.addressing].map(|kind| format!("{kind:?} offsets"));
        verified
            .faults
            .push(fault(FaultKind::SourceMismatch, expected, found));
    }
    let (checked, mut findings) = recompute(job, &tables, (archive, compression), &mut verified.faults)?;
    verified.checked += checked;
    let unit = CheckedUnit {
        job,
        tables: &tables,
        archive,
    };
    unit.complete(&mut findings)?;
    verified.faults.extend(unit.other_recipe(&findings)?);
    verified
        .proofs
        .extend(proofs(&job.dataset.manifest, &tables, &findings));
    verified
        .faults
        .extend(findings.into_iter().map(|finding| finding.fault));
    Ok(())
}

/// Recomputes what the job's sample asks for; records without a row that byte probes meet go to `faults`.
fn recompute(
    job: &VerifyJob<'_>,
    tables: &UnitTables,
    (archive, compression): (&Source, Compression),
    faults: &mut Vec<Fault>,
) -> Result<Checked, LocalError> {
    let place = (archive, compression);
    match job.sample {
        Sample::Rows(rows) if addressing_of(compression) == Addressing::Member => {
            check_sample(job, tables, place, &sampled(tables, job.seed, rows))
        }
        Sample::Places(places) => {
            let places = places.get(&tables.entry.unit_id).cloned().unwrap_or_default();
            faults.extend(probe::hidden(job, tables, place, &places)?);
            let is_drawn = |row: &&LedgerRow| places.rows.contains(&row.idx);
            let rows: Vec<LedgerRow> = tables.ledger.iter().filter(is_drawn).copied().collect();
            check_sample(job, tables, place, &rows)
        }
        _ => check_all(job, tables, archive),
    }
}

pub(super) fn archive_of<'a>(job: &VerifyJob<'a>, unit: &ManifestUnit) -> Result<&'a Source, LocalError> {
    job.archives
        .iter()
        .find(|source| source.source == unit.source && source.path == unit.warc_path)
        .ok_or_else(|| LocalError::NoArchive {
            path: unit.warc_path.clone(),
        })
}

/// An archive of another length than the unit's rows cover.
fn length_fault(job: &VerifyJob<'_>, unit: &ManifestUnit, archive: &Source) -> Option<Fault> {
    let bytes = archive.bytes.filter(|_| unit.addressing == Addressing::Member)?;
    let is_wrong = bytes < unit.warc_len.0 || (bytes > unit.warc_len.0 && !job.prefix);
    is_wrong.then(|| Fault {
        kind: FaultKind::SourceMismatch,
        unit: unit.unit_id,
        idx: None,
        offset: None,
        expected: format!("an archive of {} bytes", unit.warc_len.0),
        found: format!("{bytes} bytes"),
    })
}

pub(super) fn load(dataset: &Dataset, unit: &ManifestUnit) -> Result<UnitTables, LocalError> {
    let mut tables = UnitTables::new(unit.clone(), dataset.ledger(unit)?, dataset.bands(unit)?);
    let rows = dataset.documents(unit, |row| tables.add_document(&row))?;
    tables.check_documents(&rows);
    Ok(tables)
}

type Checked = (u64, Vec<Finding>);

/// Streams the archive once and compares every record.
fn check_all(job: &VerifyJob<'_>, tables: &UnitTables, archive: &Source) -> Result<Checked, LocalError> {
    let input = assay_hub::open(archive, job.open)?;
    let mut recheck = Recheck::new(tables, identity_of(archive, job.engine));
    let mut reader = ArchiveReader::new(input, job.engine.read_limits()).map_err(archive_error(archive))?;
    // A prefix ends where its manifest says; everything behind it belongs to nobody.
    let end = if job.prefix {
        tables.entry.warc_len.0
    } else {
        u64::MAX
    };
    let mut at = 0;
    let flow = VerifyFlow { engine: job.engine };
    parallel::ordered(
        &flow,
        job.threads,
        || {
            if at >= end {
                return Ok(None);
            }
            let record = reader.next_record().map_err(read_error(archive))?;
            at = record.as_ref().map_or(at, |record| record.offset + record.length);
            Ok(record)
        },
        |refined: Refined| {
            recheck.next(&refined);
            Ok(())
        },
    )?;
    recheck.end(at);
    Ok(recheck.finish())
}

/// Reads and compares single rows, drawn by the seed.
fn check_sample(
    job: &VerifyJob<'_>,
    tables: &UnitTables,
    (archive, compression): (&Source, Compression),
    rows: &[LedgerRow],
) -> Result<Checked, LocalError> {
    let mut recheck = Recheck::new(tables, identity_of(archive, job.engine));
    let mut scratch = Scratch::new();
    for row in rows {
        match record_of(job, archive, compression, row)? {
            InRange::Record(_, others @ 1..) => {
                recheck.misplaced(row, FaultKind::RowHidden, format!("{} records", others + 1));
            }
            InRange::Record(record, _) => {
                recheck.row(row, &job.engine.refine(&mut scratch, &record, Detail::Decision));
            }
            InRange::Short => {
                let found = "bytes behind the archive's end".to_owned();
                recheck.misplaced(row, FaultKind::OffsetMoved, found);
            }
            InRange::TooLong(0) => {}
            InRange::TooLong(others) => {
                recheck.misplaced(row, FaultKind::RowHidden, format!("{others} more records"));
            }
        }
    }
    Ok(recheck.finish())
}

/// Rows drawn without repetition: half from the kept ones, a quarter from all rows, and a quarter by drawing bytes of the
/// archive and taking the rows that cover them, so that a row that swallows many records is found by its size.
fn sampled(tables: &UnitTables, seed: u64, rows: u64) -> Vec<LedgerRow> {
    let root = tables.entry.unit_root;
    let seed = tagged_hash("assay/local-sample/1", &[&seed.to_le_bytes(), root.as_bytes()]);
    let mut draws = Draws::new(seed.as_bytes());
    let mut chosen = BTreeSet::new();
    let kept: Vec<LedgerRow> = tables
        .ledger
        .iter()
        .filter(|row| row.reason == Reason::Kept)
        .copied()
        .collect();
    let mut take = |from: &[LedgerRow], count: u64| {
        for at in draws.partial_fisher_yates(from.len() as u64, count.min(from.len() as u64)) {
            if let Some(row) = from.get(at as usize) {
                chosen.insert(row.idx);
            }
        }
    };
    take(&kept, rows.div_ceil(2));
    take(&tables.ledger, (rows / 2).div_ceil(2));
    let end = tables.ledger.last().map_or(0, LedgerRow::end);
    for _ in 0..(rows / 4).min(tables.ledger.len() as u64) {
        let byte = if end == 0 { 0 } else { draws.draw(end) };
        let behind = tables.ledger.partition_point(|row| row.offset <= byte);
        if let Some(row) = behind.checked_sub(1).and_then(|at| tables.ledger.get(at)) {
            chosen.insert(row.idx);
        }
    }
    tables
        .ledger
        .iter()
        .filter(|row| chosen.contains(&row.idx))
        .copied()
        .collect()
}

/// How the archive is compressed: its first bytes tell, a single record's do not.
pub(super) fn compression_of(job: &VerifyJob<'_>, archive: &Source) -> Result<Compression, LocalError> {
    let input = assay_hub::open(archive, job.open)?;
    let reader = ArchiveReader::new(input, job.engine.read_limits()).map_err(archive_error(archive))?;
    Ok(reader.compression())
}

/// The same, looked at again where it is not what the unit says of it.
fn steady_compression(
    job: &VerifyJob<'_>,
    unit: &ManifestUnit,
    archive: &Source,
) -> Result<Compression, LocalError> {
    let first = compression_of(job, archive)?;
    if addressing_of(first) == unit.addressing || steady::is_steady(archive) {
        return Ok(first);
    }
    let second = compression_of(job, archive)?;
    if second == first || addressing_of(second) == unit.addressing {
        return Ok(second);
    }
    Err(LocalError::Unsteady {
        input: archive.name.clone(),
        offset: 0,
    })
}

/// What lies in a row's range of the archive.
pub(super) enum InRange {
    /// A record, and how many further ones begin inside the range.
    Record(Box<ArchiveRecord>, usize),
    /// The archive ends before the range does.
    Short,
    /// More bytes than are read at once, and how many records begin inside the first of them: only reading the whole
    /// archive judges such a row.
    TooLong(usize),
}

/// Reads a row's range.
pub(super) fn record_of(
    job: &VerifyJob<'_>,
    archive: &Source,
    compression: Compression,
    row: &LedgerRow,
) -> Result<InRange, LocalError> {
    let is_named = |bytes: &[u8]| blake3_16(bytes) == row.record_digest;
    let place = (row.offset, u64::from(row.length));
    let raw = match steady::range((archive, job.open), place, is_named) {
        Ok(raw) => raw,
        Err(LocalError::Hub(HubError::ShortRange { .. })) => return Ok(InRange::Short),
        Err(LocalError::Hub(HubError::RangeTooLong { .. })) => {
            return match assay_hub::open_range(archive, job.open, row.offset, LONG_ROW_BYTES) {
                Err(HubError::ShortRange { .. }) => Ok(InRange::Short),
                raw => Ok(InRange::TooLong(others_in(
                    &raw?,
                    compression,
                    &job.engine.read_limits(),
                ))),
            };
        }
        Err(error) => return Err(error),
    };
    let limits = job.engine.read_limits();
    let record = ArchiveRecord {
        idx: row.idx,
        offset: row.offset,
        length: u64::from(row.length),
        digest: blake3_16(&raw).0,
        content: record_from_range(&raw, compression, &limits),
    };
    let others = others_in(&raw, compression, &limits);
    Ok(InRange::Record(Box::new(record), others))
}

/// Bytes looked at of a row that is longer than one read.
const LONG_ROW_BYTES: u64 = 32 << 20;

/// How many records (at most three) begin behind the first byte of a row's range. A member that holds several records is
/// one malformed row of its archive, so the range must look like an archive of the same compression.
fn others_in(raw: &[u8], compression: Compression, limits: &ReadLimits) -> usize {
    match ArchiveReader::new(raw, *limits) {
        Ok(reader) if reader.compression() == compression => reader
            .map_while(Result::ok)
            .filter(|found| found.offset > 0 && matches!(found.content, RecordContent::Record(_)))
            .take(3)
            .count(),
        _ => 0,
    }
}

struct VerifyFlow<'a> {
    engine: &'a Engine,
}

impl Flow for VerifyFlow<'_> {
    type Item = ArchiveRecord;
    type Output = Refined;
    type Worker = Scratch;
    type Error = LocalError;

    fn worker(&self) -> Scratch {
        Scratch::new()
    }

    fn work(&self, scratch: &mut Scratch, record: ArchiveRecord) -> Refined {
        self.engine.refine(scratch, &record, Detail::Decision)
    }

    fn weight(&self, refined: &Refined) -> usize {
        refined.weight()
    }
}

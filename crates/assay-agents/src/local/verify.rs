//! `assay verify`: recomputes a dataset's rows from its archives and names every difference.
//!
//! Tables come from [`Dataset`], archives from assay-hub, records from the same [`Engine`] that made them; comparison and
//! proofs are in [`assay_refine::verify`].

use std::collections::BTreeSet;
use std::io;

use assay_hub::{OpenOptions, Source};
use assay_refine::engine::{Detail, Engine, Refined, Scratch};
use assay_refine::parallel::{self, Flow};
use assay_refine::verify::{Finding, Recheck, UnitTables, proofs};
use assay_refine::warc::{ArchiveReader, ArchiveRecord, Compression, record_from_range};
use assay_types::{
    Addressing, Draws, Fault, FaultKind, FraudProof, LedgerRow, Manifest, ManifestUnit, Reason, UnitId,
    blake3_16, tagged_hash,
};

use super::dataset::Dataset;
use super::error::LocalError;
use super::refine::{archive_error, identity_of, read_error};

/// How many rows of a unit to recompute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// Every record of the archive, in order; finds hidden records, too.
    All,
    /// This many rows of each unit, drawn by the seed.
    Rows(u64),
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
    pub sample: Sample,
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
}

/// Verifies every unit of a dataset.
///
/// # Errors
/// If a file of the dataset or an archive cannot be read. Differences are no errors.
pub fn verify(job: &VerifyJob<'_>) -> Result<Verified, LocalError> {
    let manifest = &job.dataset.manifest;
    let mut verified = Verified {
        units: manifest.units.len() as u64,
        ..Verified::default()
    };
    if let Err(error) = manifest.validate() {
        verified.faults.push(manifest_fault(manifest, &error.to_string()));
    }
    for unit in &manifest.units {
        verify_unit(job, unit, &mut verified)?;
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
    verified.faults.extend(job.dataset.file_faults(unit)?);
    let fault = |kind, expected: String, found: String| Fault {
        kind,
        unit: unit.unit_id,
        idx: None,
        offset: None,
        expected,
        found,
    };
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
        Err(error @ (LocalError::Table { .. } | LocalError::Io { .. })) => {
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
    let archive = job
        .archives
        .iter()
        .find(|source| source.source == unit.source && source.path == unit.warc_path);
    let archive = archive.ok_or_else(|| LocalError::NoArchive {
        path: unit.warc_path.clone(),
    })?;
    if let Some(bytes) = archive.bytes
        && unit.addressing == Addressing::Member
        && (bytes < unit.warc_len.0 || (bytes > unit.warc_len.0 && !job.prefix))
    {
        let found = format!("{bytes} bytes");
        verified.faults.push(fault(
            FaultKind::SourceMismatch,
            format!("an archive of {} bytes", unit.warc_len.0),
            found,
        ));
    }
    let (checked, findings) = match job.sample {
        Sample::Rows(rows) if unit.addressing == Addressing::Member => {
            check_sample(job, &tables, archive, rows)?
        }
        _ => check_all(job, &tables, archive)?,
    };
    verified.checked += checked;
    verified
        .faults
        .extend(other_recipe(job, &tables, archive, &findings)?);
    verified
        .proofs
        .extend(proofs(&job.dataset.manifest, &tables, &findings));
    verified
        .faults
        .extend(findings.into_iter().map(|finding| finding.fault));
    Ok(())
}

fn load(dataset: &Dataset, unit: &ManifestUnit) -> Result<UnitTables, LocalError> {
    let mut tables = UnitTables::new(unit.clone(), dataset.ledger(unit)?, dataset.bands(unit)?);
    dataset.documents(unit, |row| tables.add_document(&row))?;
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
    recheck.end();
    Ok(recheck.finish())
}

/// Reads and compares single rows, drawn by the seed.
fn check_sample(
    job: &VerifyJob<'_>,
    tables: &UnitTables,
    archive: &Source,
    rows: u64,
) -> Result<Checked, LocalError> {
    let mut recheck = Recheck::new(tables, identity_of(archive, job.engine));
    let mut scratch = Scratch::new();
    let compression = compression_of(job, archive)?;
    for row in sampled(tables, job.seed, rows) {
        let (record, others) = match record_of(job, archive, compression, &row) {
            Ok(found) => found,
            Err(error) if is_short(&error) => {
                recheck.misplaced(
                    &row,
                    FaultKind::OffsetMoved,
                    "bytes behind the archive's end".to_owned(),
                );
                continue;
            }
            Err(error) => return Err(error),
        };
        if others > 0 && row.reason != Reason::Malformed {
            recheck.misplaced(&row, FaultKind::RowHidden, format!("{} records", others + 1));
        } else {
            recheck.row(&row, &job.engine.refine(&mut scratch, &record, Detail::Decision));
        }
    }
    Ok(recheck.finish())
}

/// Rows drawn without repetition: half from the kept ones, the rest from all that hold content.
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
    let content: Vec<LedgerRow> = tables
        .ledger
        .iter()
        .filter(|row| row.reason != Reason::NotContent)
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
    take(&content, rows / 2);
    tables
        .ledger
        .iter()
        .filter(|row| chosen.contains(&row.idx))
        .copied()
        .collect()
}

/// How the archive is compressed: its first bytes tell, a single record's do not.
fn compression_of(job: &VerifyJob<'_>, archive: &Source) -> Result<Compression, LocalError> {
    let input = assay_hub::open(archive, job.open)?;
    let reader = ArchiveReader::new(input, job.engine.read_limits()).map_err(archive_error(archive))?;
    Ok(reader.compression())
}

/// The record of a row's range, and how many further records begin inside it.
fn record_of(
    job: &VerifyJob<'_>,
    archive: &Source,
    compression: Compression,
    row: &LedgerRow,
) -> Result<(ArchiveRecord, usize), LocalError> {
    let raw = assay_hub::open_range(archive, job.open, row.offset, u64::from(row.length))?;
    let limits = job.engine.read_limits();
    let record = ArchiveRecord {
        idx: row.idx,
        offset: row.offset,
        length: u64::from(row.length),
        digest: blake3_16(&raw).0,
        content: record_from_range(&raw, compression, &limits),
    };
    let mut others = 0;
    if let Ok(mut reader) = ArchiveReader::new(io::Cursor::new(raw), limits) {
        while let Ok(Some(found)) = reader.next_record() {
            others += usize::from(found.offset > 0);
            if others > 2 {
                break;
            }
        }
    }
    Ok((record, others))
}

fn is_short(error: &LocalError) -> bool {
    matches!(error, LocalError::Hub(assay_hub::HubError::ShortRange { .. }))
}

/// Most differing rows that are tried with other recipes.
const OTHERS_TRIED_MAX: usize = 32;

/// If another recipe gives exactly the rows that differ, that is what happened.
fn other_recipe(
    job: &VerifyJob<'_>,
    tables: &UnitTables,
    archive: &Source,
    findings: &[Finding],
) -> Result<Option<Fault>, LocalError> {
    let decided = [
        FaultKind::ReasonChanged,
        FaultKind::DecisionChanged,
        FaultKind::TextChanged,
        FaultKind::DupWrong,
    ];
    let rows: BTreeSet<u32> = findings
        .iter()
        .filter(|finding| decided.contains(&finding.fault.kind))
        .filter_map(|finding| finding.row)
        .collect();
    if rows.is_empty() || tables.entry.addressing != Addressing::Member {
        return Ok(None);
    }
    let compression = compression_of(job, archive)?;
    let mut scratch = Scratch::new();
    for other in job
        .others
        .iter()
        .filter(|other| other.recipe_id() != job.engine.recipe_id())
    {
        let mut agree = true;
        for row in rows
            .iter()
            .take(OTHERS_TRIED_MAX)
            .filter_map(|at| tables.row(*at))
        {
            let (record, _) = record_of(job, archive, compression, row)?;
            let refined = other.refine(&mut scratch, &record, Detail::Decision);
            let expected = assay_refine::verify::expected_row(&refined, row.dup_of);
            agree &= (expected.reason, expected.text_hash, expected.n_tokens)
                == (row.reason, row.text_hash, row.n_tokens);
        }
        if agree {
            let found = format!("rows of recipe `{}` ({})", other.recipe().name, other.recipe_id());
            let expected = format!("rows of recipe {}", job.engine.recipe_id());
            return Ok(Some(tables.fault(FaultKind::OtherRecipe, None, expected, found)));
        }
    }
    Ok(None)
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

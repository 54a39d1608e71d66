//! `assay refine`: archives in, a dataset out; one unit after the other, the records of a unit in parallel.
//!
//! Sources come from assay-hub, the [`Engine`] decides, [`OutputDir`] writes. A failing input is reported and the
//! others go on; a failing output ends the run. What is finished stays.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use assay_hub::{HubError, Input, OpenOptions, Source};
use assay_refine::engine::{Detail, Engine, Refined, Scratch};
use assay_refine::parallel::{self, Flow};
use assay_refine::unit::{Counts, Format, UnitIdentity, UnitSummary, UnitWriter};
use assay_refine::warc::{self, ArchiveReader, ArchiveRecord, Compression, WarcError};
use assay_types::{Addressing, Digest, Manifest, ManifestUnit};

use super::error::LocalError;
use super::hashed::{Hashed, HashedSoFar, file_digest};
use super::output::{OutputDir, PartialUnit, UnitSettings};

/// What to refine, and how.
#[derive(Debug)]
pub struct RefineJob<'a> {
    /// Archives; each becomes a unit.
    pub sources: &'a [Source],
    /// How to open them.
    pub open: &'a OpenOptions,
    /// Output folder.
    pub out: PathBuf,
    /// The recipe, ready to run.
    pub engine: &'a Engine,
    /// Worker threads, at least 1.
    pub threads: usize,
    /// Most records read from each archive.
    pub limit: Option<u64>,
    /// Format of the documents.
    pub format: Format,
    /// Whether to write `features.parquet`.
    pub features: bool,
    /// What is done to each record before it is filed; honest work has nothing here.
    pub alter: Option<&'a dyn Alter>,
}

/// Changes what is filed: how the dishonest miners of a local network differ from honest ones, in nothing else.
pub trait Alter: Sync + std::fmt::Debug {
    /// What to file for a record, in ledger order of each unit; none leaves it out.
    fn alter(&self, refined: Refined) -> Option<Refined>;
}

/// Who watches a run; called from worker threads, in ledger order.
pub trait Progress: Sync {
    /// A unit begins; `bytes` is the archive's length if known.
    fn unit(&self, name: &str, bytes: Option<u64>);
    /// One more record of the unit is written; `read` bytes of the archive, as it is stored, lead to its end or lie not far
    /// behind it.
    fn record(&self, read: u64, kept: bool);
    /// The unit was finished in an earlier run.
    fn resumed(&self, name: &str);
    /// An input failed.
    fn failed(&self, input: &FailedInput);
}

/// Nobody watches.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn unit(&self, _: &str, _: Option<u64>) {}
    fn record(&self, _: u64, _: bool) {}
    fn resumed(&self, _: &str) {}
    fn failed(&self, _: &FailedInput) {}
}

/// An input that could not be refined.
#[derive(Debug)]
pub struct FailedInput {
    /// Its name.
    pub input: String,
    /// Why.
    pub error: LocalError,
}

/// What a run did.
#[derive(Debug)]
pub struct RunReport {
    /// Added up over this run's units, earlier finished ones included.
    pub counts: Counts,
    /// Units taken over from an earlier run.
    pub resumed: usize,
    /// Roots of this run's units by ascending unit id: those that `counts` counts.
    pub unit_roots: Vec<Digest>,
    /// The manifest written; it names all units of the folder, also those of inputs that this run was not given.
    pub manifest: Manifest,
    /// Inputs that failed.
    pub failed: Vec<FailedInput>,
}

/// Refines every source into `job.out` and writes the manifest.
///
/// # Errors
/// If the output cannot be written or belongs to another recipe. Failing inputs are in the report.
pub fn refine(job: &RefineJob<'_>, progress: &dyn Progress) -> Result<RunReport, LocalError> {
    let out = OutputDir::open(&job.out)?;
    out.check_recipe(&job.engine.recipe_id())?;
    let mut counts = Counts::new(&job.engine.stages());
    let mut resumed = 0;
    let mut failed = Vec::new();
    let mut roots = BTreeMap::new();
    for source in job.sources {
        match refine_source(job, &out, source, progress) {
            Ok(unit) => {
                counts.add(&unit.counts);
                roots.insert(unit.entry.unit_id, unit.entry.unit_root);
                resumed += usize::from(unit.is_resumed);
            }
            Err(error @ (LocalError::Hub(_) | LocalError::Archive { .. } | LocalError::Input { .. })) => {
                let input = FailedInput {
                    input: source.name.clone(),
                    error,
                };
                progress.failed(&input);
                failed.push(input);
            }
            Err(error) => return Err(error),
        }
    }
    let manifest = out.write_manifest()?;
    Ok(RunReport {
        counts,
        resumed,
        unit_roots: roots.into_values().collect(),
        manifest,
        failed,
    })
}

/// A unit that is finished, now or before.
struct FinishedUnit {
    entry: ManifestUnit,
    counts: Counts,
    is_resumed: bool,
}

fn refine_source(
    job: &RefineJob<'_>,
    out: &OutputDir,
    source: &Source,
    progress: &dyn Progress,
) -> Result<FinishedUnit, LocalError> {
    let identity = identity_of(source, job.engine);
    let unit_id = identity.unit_id();
    let settings = UnitSettings {
        limit: job.limit,
        jsonl: job.format == Format::Jsonl,
        features: job.features,
        input_bytes: source.bytes,
        input_blake3: None,
        input_read_bytes: None,
        input_etag: None,
    };
    if let Some(marker) = out.finished(&unit_id, &job.engine.recipe_id(), &settings)? {
        check_input((source, job.open), &marker.settings, &out.unit_path(&unit_id))?;
        progress.resumed(&source.name);
        return Ok(FinishedUnit {
            entry: marker.entry,
            counts: marker.counts,
            is_resumed: true,
        });
    }
    let (input, version) = assay_hub::open_version(source, job.open)?;
    progress.unit(&source.name, source.bytes.or(version.bytes));
    let (input, hashed) = Hashed::new(input);
    let reader = ArchiveReader::new(input, job.engine.read_limits()).map_err(archive_error(source))?;
    let files = out.begin(&unit_id)?;
    let folder = files.folder().to_owned();
    let unit_error = |error| LocalError::Unit {
        path: folder.clone(),
        source: error,
    };
    let writer = UnitWriter::new(files, identity, job.format, job.features, &job.engine.stages())
        .map_err(unit_error)?;
    let (summary, files) = write_unit(job, source, (reader, &hashed), writer, progress)?;
    let is_file = matches!(source.input, Input::File(_));
    let settings = UnitSettings {
        input_bytes: settings.input_bytes.or(version.bytes),
        input_blake3: is_file.then(|| hashed.digest()),
        input_read_bytes: is_file.then(|| hashed.bytes()),
        input_etag: version.etag,
        ..settings
    };
    files.commit(&summary, settings)?;
    Ok(FinishedUnit {
        entry: summary.entry,
        counts: summary.counts,
        is_resumed: false,
    })
}

/// Whether a finished unit was made from this very input. A file must have the same bytes where they were read; of a remote
/// object length and entity tag must be the same, as far as its server tells them now and told them then; standard input
/// cannot be asked. An object that cannot be reached is known by its address alone.
fn check_input(
    (source, open): (&Source, &OpenOptions),
    settings: &UnitSettings,
    unit: &Path,
) -> Result<(), LocalError> {
    let other = |setting| LocalError::OtherSettings {
        path: unit.to_owned(),
        setting,
    };
    match &source.input {
        Input::Stdin => Err(other("standard input")),
        // A pipe cannot be read twice.
        Input::File(path) if path.is_file() => match (settings.input_blake3, settings.input_read_bytes) {
            (Some(known), Some(bytes)) => {
                let now = file_digest(path, bytes).map_err(|error| input_error(&source.name, error))?;
                if now == known {
                    Ok(())
                } else {
                    Err(other("content of the input"))
                }
            }
            _ => Ok(()),
        },
        Input::File(_) => Ok(()),
        Input::Url(_) => {
            let Ok(now) = assay_hub::version(source, open) else {
                return Ok(());
            };
            if matches!((now.bytes, settings.input_bytes), (Some(now), Some(then)) if now != then) {
                return Err(other("length of the input"));
            }
            match (now.etag, &settings.input_etag) {
                (Some(now), Some(then)) if now != *then => Err(other("entity tag of the input")),
                _ => Ok(()),
            }
        }
    }
}

fn write_unit<R: std::io::Read + Send>(
    job: &RefineJob<'_>,
    source: &Source,
    (mut reader, hashed): (ArchiveReader<R>, &HashedSoFar),
    mut writer: UnitWriter<PartialUnit>,
    progress: &dyn Progress,
) -> Result<(UnitSummary, PartialUnit), LocalError> {
    let folder = job.out.clone();
    let unit_error = |error| LocalError::Unit {
        path: folder.clone(),
        source: error,
    };
    let addressing = addressing_of(reader.compression());
    let mut left = job.limit.unwrap_or(u64::MAX);
    let read = || {
        if left == 0 {
            return Ok(None);
        }
        left -= 1;
        reader.next_record().map_err(read_error(source))
    };
    let write = |refined: Refined| {
        let read = match addressing {
            Addressing::Member => refined.offset + u64::from(refined.length),
            // Offsets count what the archive inflates to, and nobody knows how much that will be.
            Addressing::Inflated => hashed.bytes(),
        };
        let refined = match job.alter {
            None => refined,
            Some(alter) => match alter.alter(refined) {
                Some(refined) => refined,
                None => return Ok(()),
            },
        };
        let kept = writer.push(refined).map_err(unit_error)?;
        progress.record(read, kept);
        Ok(())
    };
    let flow = RefineFlow {
        engine: job.engine,
        detail: if job.features {
            Detail::Features
        } else {
            Detail::Decision
        },
    };
    parallel::ordered(&flow, job.threads, read, write)?;
    let (mut summary, files) = writer.finish(addressing).map_err(unit_error)?;
    if addressing == Addressing::Inflated {
        summary.counts.archive_bytes = hashed.bytes();
    }
    Ok((summary, files))
}

/// Where offsets point: into the archive, or into what its single member inflates to.
pub(super) fn addressing_of(compression: Compression) -> Addressing {
    match compression.addressing() {
        warc::Addressing::Member => Addressing::Member,
        warc::Addressing::Inflated => Addressing::Inflated,
    }
}

/// An input that is no archive, or broke while its first bytes were read.
pub(super) fn archive_error(source: &Source) -> impl Fn(WarcError) -> LocalError {
    let input = source.name.clone();
    move |source| match source {
        WarcError::Io(error) => input_error(&input, error),
        source => LocalError::Archive {
            input: input.clone(),
            source,
        },
    }
}

/// An input that broke while it was read.
pub(super) fn read_error(source: &Source) -> impl Fn(io::Error) -> LocalError {
    let input = source.name.clone();
    move |error| input_error(&input, error)
}

fn input_error(input: &str, error: io::Error) -> LocalError {
    match error.downcast::<HubError>() {
        Ok(hub) => LocalError::Hub(hub),
        Err(source) => LocalError::Input {
            input: input.to_owned(),
            source,
        },
    }
}

struct RefineFlow<'a> {
    engine: &'a Engine,
    detail: Detail,
}

impl Flow for RefineFlow<'_> {
    type Item = ArchiveRecord;
    type Output = Refined;
    type Worker = Scratch;
    type Error = LocalError;

    fn worker(&self) -> Scratch {
        Scratch::new()
    }

    fn work(&self, scratch: &mut Scratch, record: ArchiveRecord) -> Refined {
        self.engine.refine(scratch, &record, self.detail)
    }

    fn weight(&self, refined: &Refined) -> usize {
        refined.weight()
    }
}

/// The unit a source becomes.
pub(super) fn identity_of(source: &Source, engine: &Engine) -> UnitIdentity {
    UnitIdentity {
        source: source.source.clone(),
        path: source.path.clone(),
        dump: crawl_of(&source.path).to_owned(),
        recipe_id: engine.recipe_id(),
    }
}

/// The Common Crawl id a path names (`CC-MAIN-2024-42`), else nothing.
fn crawl_of(path: &str) -> &str {
    const PREFIX: &str = "CC-MAIN-";
    path.match_indices(PREFIX)
        .find_map(|(at, _)| {
            // `CC-MAIN-` + four digits of the year + `-` + two of the week.
            let id = path.get(at..at + PREFIX.len() + 7)?;
            let (year, week) = id.get(PREFIX.len()..)?.split_once('-')?;
            let digits =
                |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
            let ends = path
                .get(at + id.len()..)?
                .bytes()
                .next()
                .is_none_or(|byte| !byte.is_ascii_alphanumeric());
            (digits(year, 4) && digits(week, 2) && ends).then_some(id)
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::crawl_of;

    #[test]
    fn crawl_ids_are_found_in_paths() {
        for (path, crawl) in [
            (
                "crawl-data/CC-MAIN-2024-42/segments/1.2/warc/CC-MAIN-20241003-00000.warc.gz",
                "CC-MAIN-2024-42",
            ),
            ("https://host/CC-MAIN-2024-42", "CC-MAIN-2024-42"),
            ("CC-MAIN-20241003094020-20241003124020-00000.warc.gz", ""),
            ("CC-MAIN-2024-421/x", ""),
            ("CC-MAIN-", ""),
            ("pages.warc.gz", ""),
        ] {
            assert_eq!(crawl_of(path), crawl, "{path}");
        }
    }
}

//! `assay refine`: archives in, a dataset out; one unit after the other, the records of a unit in parallel.
//!
//! Sources come from assay-hub, the [`Engine`] decides, [`OutputDir`] writes. A failing input is reported and the
//! others go on; a failing output ends the run. What is finished stays.

use std::io;
use std::path::{Path, PathBuf};

use assay_hub::{HubError, Input, OpenOptions, Source};
use assay_refine::engine::{Detail, Engine, Refined, Scratch};
use assay_refine::parallel::{self, Flow};
use assay_refine::unit::{Counts, Format, UnitIdentity, UnitSummary, UnitWriter};
use assay_refine::warc::{self, ArchiveReader, ArchiveRecord, Compression, WarcError};
use assay_types::{Addressing, Manifest};

use super::error::LocalError;
use super::hashed::{Hashed, file_digest};
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
    /// One more record of the unit is written, ending at archive byte `end`.
    fn record(&self, end: u64, kept: bool);
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
    /// The manifest written.
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
    for source in job.sources {
        match refine_source(job, &out, source, progress) {
            Ok(Unit::Written(unit)) => counts.add(&unit),
            Ok(Unit::Resumed(unit)) => {
                counts.add(&unit);
                resumed += 1;
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
        manifest,
        failed,
    })
}

enum Unit {
    Written(Counts),
    Resumed(Counts),
}

fn refine_source(
    job: &RefineJob<'_>,
    out: &OutputDir,
    source: &Source,
    progress: &dyn Progress,
) -> Result<Unit, LocalError> {
    let identity = identity_of(source, job.engine);
    let unit_id = identity.unit_id();
    let settings = UnitSettings {
        limit: job.limit,
        jsonl: job.format == Format::Jsonl,
        features: job.features,
        input_bytes: source.bytes,
        input_blake3: None,
    };
    if let Some(marker) = out.finished(&unit_id, &job.engine.recipe_id(), &settings)? {
        check_input(source, &marker.settings, &out.unit_path(&unit_id))?;
        progress.resumed(&source.name);
        return Ok(Unit::Resumed(marker.counts));
    }
    progress.unit(&source.name, source.bytes);
    let (input, hashed) = Hashed::new(assay_hub::open(source, job.open)?);
    let reader = ArchiveReader::new(input, job.engine.read_limits()).map_err(archive_error(source))?;
    let files = out.begin(&unit_id)?;
    let folder = files.folder().to_owned();
    let unit_error = |error| LocalError::Unit {
        path: folder.clone(),
        source: error,
    };
    let writer = UnitWriter::new(files, identity, job.format, job.features, &job.engine.stages())
        .map_err(unit_error)?;
    let (summary, files) = write_unit(job, source, reader, writer, progress)?;
    let is_whole_file = job.limit.is_none() && matches!(source.input, Input::File(_));
    let settings = UnitSettings {
        input_blake3: is_whole_file.then(|| hashed.digest()),
        ..settings
    };
    files.commit(&summary, settings)?;
    Ok(Unit::Written(summary.counts))
}

/// Whether a finished unit was made from this very input: a file must have the same bytes, and standard input cannot be
/// asked. A remote object is known by its address and length.
fn check_input(source: &Source, settings: &UnitSettings, unit: &Path) -> Result<(), LocalError> {
    let other = |setting| LocalError::OtherSettings {
        path: unit.to_owned(),
        setting,
    };
    match (&source.input, settings.input_blake3) {
        (Input::Stdin, _) => Err(other("standard input")),
        // A pipe cannot be read twice.
        (Input::File(path), Some(known)) if path.is_file() && file_digest(path)? != known => {
            Err(other("content of the input"))
        }
        _ => Ok(()),
    }
}

fn write_unit<R: std::io::Read + Send>(
    job: &RefineJob<'_>,
    source: &Source,
    mut reader: ArchiveReader<R>,
    mut writer: UnitWriter<PartialUnit>,
    progress: &dyn Progress,
) -> Result<(UnitSummary, PartialUnit), LocalError> {
    let folder = job.out.clone();
    let unit_error = |error| LocalError::Unit {
        path: folder.clone(),
        source: error,
    };
    let mut left = job.limit.unwrap_or(u64::MAX);
    let read = || {
        if left == 0 {
            return Ok(None);
        }
        left -= 1;
        reader.next_record().map_err(read_error(source))
    };
    let write = |refined: Refined| {
        let end = refined.offset + u64::from(refined.length);
        let refined = match job.alter {
            None => refined,
            Some(alter) => match alter.alter(refined) {
                Some(refined) => refined,
                None => return Ok(()),
            },
        };
        let kept = writer.push(refined).map_err(unit_error)?;
        progress.record(end, kept);
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
    let addressing = addressing_of(reader.compression());
    writer.finish(addressing).map_err(unit_error)
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

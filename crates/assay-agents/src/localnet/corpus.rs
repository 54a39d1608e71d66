//! The localnet's work: archives cut into many small units, members copied as they are.

use std::io::Write as _;
use std::path::Path;

use assay_hub::{OpenOptions, Source};
use assay_refine::warc::{ArchiveReader, Compression, ReadLimits, RecordContent, RecordKind};
use assay_types::{Bytes, WorkUnit};
use fs_err as fs;

use crate::local::{LocalError, pack_sample};
use crate::subnet::AgentError;

/// Pages of a unit.
const PAGES_PER_UNIT: usize = 12;

/// Most bytes of a unit, unless one record is longer.
const UNIT_BYTES_MAX: usize = 2 << 20;

/// Most units cut.
const UNITS_MAX: usize = 4_096;

/// Largest record that is taken over.
const RECORD_BYTES_MAX: u64 = 16 << 20;

/// Cuts `archives`, or the documentation on this machine, into units in `folder`; gives them and the number of pages.
pub(super) fn cut(folder: &Path, archives: &[Source]) -> Result<(Vec<WorkUnit>, usize), AgentError> {
    fs::create_dir_all(folder).map_err(AgentError::file(folder))?;
    let sample = folder.with_file_name("sample.warc.gz");
    let own;
    let archives = if archives.is_empty() {
        pack_sample(&sample)?;
        let bytes = fs::metadata(&sample).map_err(AgentError::file(&sample))?.len();
        own = [Source::file(sample.clone(), Some(bytes)).map_err(LocalError::from)?];
        own.as_slice()
    } else {
        archives
    };
    let mut cutter = Cutter {
        folder,
        units: Vec::new(),
        unit: Vec::new(),
        pages: 0,
        all_pages: 0,
    };
    for archive in archives {
        cutter.take(archive)?;
    }
    cutter.close()?;
    if cutter.units.is_empty() {
        return Err(AgentError::Unexpected {
            what: "input",
            reason: "it holds no record that can be cut out; give gzip archives with one record a member"
                .to_owned(),
        });
    }
    Ok((cutter.units, cutter.all_pages))
}

struct Cutter<'a> {
    folder: &'a Path,
    units: Vec<WorkUnit>,
    unit: Vec<u8>,
    pages: usize,
    all_pages: usize,
}

impl Cutter<'_> {
    fn take(&mut self, archive: &Source) -> Result<(), AgentError> {
        let open = OpenOptions::default();
        let input = assay_hub::open(archive, &open).map_err(LocalError::from)?;
        let limits = ReadLimits::default();
        let failed = |error: &dyn std::fmt::Display| AgentError::Unexpected {
            what: "input",
            reason: format!("{}: {error}", archive.shown()),
        };
        let mut reader = ArchiveReader::new(input, limits).map_err(|error| failed(&error))?;
        if !matches!(reader.compression(), Compression::GzipMembers) {
            return Ok(());
        }
        while let Some(record) = reader.next_record().map_err(|error| failed(&error))? {
            let is_page = matches!(&record.content, RecordContent::Record(found) if matches!(found.kind, RecordKind::Response | RecordKind::Resource));
            if !is_page || record.length > RECORD_BYTES_MAX || self.units.len() >= UNITS_MAX {
                continue;
            }
            let member = assay_hub::open_range(archive, &open, record.offset, record.length);
            self.add(&member.map_err(LocalError::from)?)?;
        }
        Ok(())
    }

    fn add(&mut self, member: &[u8]) -> Result<(), AgentError> {
        let is_full = self.pages >= PAGES_PER_UNIT || self.unit.len() + member.len() > UNIT_BYTES_MAX;
        if is_full && self.pages > 0 {
            self.close()?;
        }
        self.unit.extend_from_slice(member);
        self.pages += 1;
        self.all_pages += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), AgentError> {
        if self.pages == 0 {
            return Ok(());
        }
        let name = format!("unit-{:05}.warc.gz", self.units.len());
        let path = self.folder.join(&name);
        let write = || -> std::io::Result<()> {
            let mut file = fs::File::create(&path)?;
            file.write_all(&self.unit)?;
            file.sync_all()
        };
        write().map_err(AgentError::file(&path))?;
        let unit = WorkUnit::new("file", &name, Bytes(self.unit.len() as u64));
        self.units
            .push(unit.map_err(|error| AgentError::invalid(&path, error))?);
        self.unit.clear();
        self.pages = 0;
        Ok(())
    }
}

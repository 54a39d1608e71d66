//! The localnet's work: archives cut into many small units, members copied as they are.

use std::io::{self, Read, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

/// Most bytes of an archive kept behind the reader: a longer stretch is no record that is taken over.
const KEPT_BYTES_MAX: usize = 64 << 20;

/// Cuts `archives`, or the documentation on this machine, into at most so many units in `folder`; gives them and the number
/// of pages. What is not needed is not read.
pub(super) fn cut(
    folder: &Path,
    (archives, open): (&[Source], &OpenOptions),
    units_max: usize,
) -> Result<(Vec<WorkUnit>, usize), AgentError> {
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
        open,
        units_max: units_max.min(UNITS_MAX),
        units: Vec::new(),
        unit: Vec::new(),
        pages: 0,
        all_pages: 0,
    };
    for archive in archives {
        if cutter.is_enough() {
            break;
        }
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
    open: &'a OpenOptions,
    units_max: usize,
    units: Vec<WorkUnit>,
    unit: Vec<u8>,
    pages: usize,
    all_pages: usize,
}

impl Cutter<'_> {
    fn take(&mut self, archive: &Source) -> Result<(), AgentError> {
        let (input, kept) = Keeping::of(assay_hub::open(archive, self.open).map_err(LocalError::from)?);
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
            let member = kept.take(record.offset, record.length);
            let is_page = matches!(&record.content, RecordContent::Record(found) if matches!(found.kind, RecordKind::Response | RecordKind::Resource));
            if let Some(member) = member.filter(|_| is_page && record.length <= RECORD_BYTES_MAX) {
                self.add(&member)?;
            }
            if self.is_enough() {
                break;
            }
        }
        Ok(())
    }

    fn is_enough(&self) -> bool {
        self.units.len() >= self.units_max
    }

    fn add(&mut self, member: &[u8]) -> Result<(), AgentError> {
        let is_full = self.pages >= PAGES_PER_UNIT || self.unit.len() + member.len() > UNIT_BYTES_MAX;
        if is_full && self.pages > 0 {
            self.close()?;
            if self.is_enough() {
                return Ok(());
            }
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

/// A reader that keeps what it gave until it is taken: members are copied as they are, and read once.
struct Keeping<R> {
    input: R,
    kept: Arc<Mutex<Kept>>,
}

/// Bytes given and not taken.
#[derive(Debug, Default)]
struct Kept {
    start: u64,
    bytes: Vec<u8>,
}

/// What takes them.
struct Taker(Arc<Mutex<Kept>>);

impl<R: Read> Keeping<R> {
    fn of(input: R) -> (Self, Taker) {
        let kept = Arc::<Mutex<Kept>>::default();
        let taker = Taker(Arc::clone(&kept));
        (Self { input, kept }, taker)
    }
}

fn locked(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<R: Read> Read for Keeping<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(into)?;
        let mut kept = locked(&self.kept);
        kept.bytes
            .extend_from_slice(into.get(..count).unwrap_or_default());
        if kept.bytes.len() > KEPT_BYTES_MAX {
            let dropped = kept.bytes.len() / 2;
            kept.drop_first(dropped);
        }
        Ok(count)
    }
}

impl Kept {
    fn drop_first(&mut self, count: usize) {
        let count = count.min(self.bytes.len());
        self.bytes.drain(..count);
        self.start = self.start.saturating_add(count as u64);
    }
}

impl Taker {
    /// The `len` bytes at `offset`, if they are still kept; everything before their end is dropped.
    fn take(&self, offset: u64, len: u64) -> Option<Vec<u8>> {
        let mut kept = locked(&self.0);
        let first = usize::try_from(offset.checked_sub(kept.start)?).ok()?;
        let end = first.checked_add(usize::try_from(len).ok()?)?;
        let bytes = kept.bytes.get(first..end)?.to_vec();
        kept.drop_first(end);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_refine::warc::{Page, PageRecords, WarcWriter};

    /// An archive of so many pages of so many bytes, which do not compress.
    fn archive(path: &Path, pages: u64, bytes: u64) {
        let mut writer = WarcWriter::new(Vec::new());
        for page in 0..pages {
            let words = (0..bytes / 64).map(|at| {
                let place = [page.to_le_bytes(), at.to_le_bytes()].concat();
                assay_types::tagged_hash("assay/test/word", &[&place]).to_string()
            });
            let body = format!("<p>{}</p>", words.collect::<String>());
            let page = Page {
                uri: &format!("https://example.org/{page}"),
                date: "2026-01-01T00:00:00Z",
                content_type: "text/html",
                body: body.as_bytes(),
            };
            writer.page(page, PageRecords::Response).unwrap();
        }
        fs::write(path, writer.finish().unwrap()).unwrap();
    }

    fn pages_in(path: &Path) -> usize {
        let reader = ArchiveReader::new(fs::File::open(path).unwrap(), ReadLimits::default()).unwrap();
        let records = reader.map(Result::unwrap);
        records
            .filter(|record| matches!(&record.content, RecordContent::Record(found) if matches!(found.kind, RecordKind::Response)))
            .count()
    }

    #[test]
    fn members_are_copied_into_units_and_no_more_than_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pages.warc.gz");
        archive(&file, 50, 100_000);
        let source = [Source::file(file, None).unwrap()];
        let open = OpenOptions::default();
        for (wanted, counts) in [(100, vec![12, 12, 12, 12, 2]), (2, vec![12, 12])] {
            let place = folder.path().join(format!("units-{wanted}"));
            let (units, pages) = cut(&place, (&source, &open), wanted).unwrap();
            let found: Vec<usize> = units
                .iter()
                .map(|unit| pages_in(&place.join(&unit.path)))
                .collect();
            let found = found.get(..counts.len()).unwrap();
            assert_eq!(found, counts, "{wanted}");
            assert!(units.len() <= wanted);
            assert!(pages <= 50);
        }
    }

    #[test]
    fn what_is_too_long_to_keep_is_not_taken_and_what_follows_is() {
        let bytes: Vec<u8> = (0..KEPT_BYTES_MAX + 1_000).map(|at| (at % 251) as u8).collect();
        let (mut input, taker) = Keeping::of(bytes.as_slice());
        io::copy(&mut input, &mut io::sink()).unwrap();
        assert_eq!(taker.take(0, 10), None, "dropped");
        let end = bytes.len() as u64;
        assert_eq!(
            taker.take(end - 20, 10).unwrap(),
            bytes[bytes.len() - 20..bytes.len() - 10]
        );
        assert_eq!(taker.take(end - 20, 10), None, "taken once");
        assert_eq!(taker.take(end - 10, 11), None, "not there yet");
        assert_eq!(taker.take(end - 10, 10).unwrap().len(), 10);
    }
}

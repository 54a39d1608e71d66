//! What whoever watches a run is told: stored bytes of the archive, however it is compressed.

use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;

use assay_agents::local::{FailedInput, Progress, RefineJob, refine};
use assay_hub::{OpenOptions, Source};
use assay_refine::engine::Engine;
use assay_refine::unit::Format;
use assay_refine::url_lists::UrlLists;
use assay_types::recipe::builtin;

/// Length of the archive as announced, and where the reading was at each record.
#[derive(Default)]
struct Seen {
    bytes: Mutex<Option<u64>>,
    reads: Mutex<Vec<u64>>,
}

impl Progress for Seen {
    fn unit(&self, _: &str, bytes: Option<u64>) {
        *self.bytes.lock().unwrap() = bytes;
    }
    fn record(&self, read: u64, _: bool) {
        self.reads.lock().unwrap().push(read);
    }
    fn resumed(&self, _: &str) {}
    fn failed(&self, input: &FailedInput) {
        panic!("{input:?}");
    }
}

fn watch(folder: &Path, name: &str, archive: &[u8]) -> (u64, Vec<u64>) {
    let path = folder.join(name);
    std::fs::write(&path, archive).unwrap();
    let source = Source::file(path, Some(archive.len() as u64)).unwrap();
    let engine = Engine::new(builtin("fineweb-en-v1").unwrap(), &UrlLists::default()).unwrap();
    let job = RefineJob {
        sources: &[source],
        open: &OpenOptions::default(),
        out: folder.join(format!("{name}-out")),
        engine: &engine,
        threads: 1,
        limit: None,
        format: Format::Parquet,
        features: false,
        alter: None,
    };
    let seen = Seen::default();
    let run = refine(&job, &seen).unwrap();
    assert_eq!(run.counts.archive_bytes, archive.len() as u64, "{name}");
    let bytes = seen.bytes.into_inner().unwrap().unwrap();
    (bytes, seen.reads.into_inner().unwrap())
}

/// Found by review: one member for all was measured by what it inflates to, against its stored length.
#[test]
fn progress_counts_stored_bytes_and_ends_with_the_archive() {
    let record =
        b"WARC/1.0\r\nWARC-Type: resource\r\nContent-Type: text/html\r\nContent-Length: 4000\r\n\r\n";
    let record = [record.as_slice(), &[b'x'; 4_000], b"\r\n\r\n"].concat();
    let plain = record.repeat(200);
    let mut single = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    single.write_all(&plain).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, archive) in [
        ("plain.warc", plain),
        ("single.warc.gz", single.finish().unwrap()),
    ] {
        let (bytes, reads) = watch(folder.path(), name, &archive);
        assert_eq!((bytes, reads.len()), (archive.len() as u64, 200), "{name}");
        assert!(
            reads.is_sorted() && reads.iter().all(|read| *read <= bytes),
            "{name}: {reads:?}"
        );
        assert_eq!(reads.last(), Some(&bytes), "{name}");
    }
}

//! Finished units of remote archives: taken over while the object is the same, as far as its server tells.

use std::path::Path;
use std::sync::{Arc, Mutex};

use assay_agents::local::{LocalError, RefineJob, RunReport, Silent, refine};
use assay_hub::Source;
use assay_refine::engine::Engine;
use assay_refine::unit::Format;
use assay_refine::url_lists::UrlLists;
use assay_refine::warc::{Page, PageRecords, WarcWriter};
use assay_types::recipe::builtin;

use crate::server::{Reply, Server, quick};

/// An archive of one short page.
fn archive(text: &str) -> Vec<u8> {
    let mut writer = WarcWriter::new(Vec::new());
    let page = Page {
        uri: "https://example.org/",
        date: "2024-05-01T12:00:00Z",
        content_type: "text/html",
        body: text.as_bytes(),
    };
    writer.page(page, PageRecords::Response).unwrap();
    writer.finish().unwrap()
}

fn run(source: &Source, out: &Path, limit: Option<u64>) -> Result<RunReport, LocalError> {
    let engine = Engine::new(builtin("fineweb-en-v1").unwrap(), &UrlLists::default()).unwrap();
    let job = RefineJob {
        sources: std::slice::from_ref(source),
        open: &quick(10_000),
        out: out.to_owned(),
        engine: &engine,
        threads: 1,
        limit,
        format: Format::Parquet,
        features: false,
        alter: None,
    };
    refine(&job, &Silent)
}

#[test]
fn a_remote_archive_that_changed_is_not_taken_over() {
    let first = archive("<p>One page");
    let longer = archive("<p>One page and a little more");
    // What the server has, and under which tag; nothing while it is away.
    let object = Arc::new(Mutex::new(Some((first.clone(), "v1"))));
    let served = Arc::clone(&object);
    let server = Server::start(move |request| match &*served.lock().unwrap() {
        Some((bytes, tag)) => Reply::part(request, bytes, tag),
        None => Reply::status(503),
    });
    let put = |now: Option<(Vec<u8>, &'static str)>| *object.lock().unwrap() = now;
    let folder = tempfile::tempdir().unwrap();
    for limit in [None, Some(1)] {
        let out = folder.path().join(format!("{limit:?}"));
        put(Some((first.clone(), "v1")));
        let source = server.source();
        assert_eq!(run(&source, &out, limit).unwrap().resumed, 0);
        assert_eq!(run(&source, &out, limit).unwrap().resumed, 1);
        for (bytes, tag, setting) in [
            (&longer, "v1", "length of the input"),
            (&first, "v2", "entity tag of the input"),
        ] {
            put(Some((bytes.clone(), tag)));
            match run(&source, &out, limit) {
                Err(LocalError::OtherSettings { setting: found, .. }) => assert_eq!(found, setting),
                other => panic!("{setting}: {other:?}"),
            }
        }
        // Who cannot be asked contradicts nothing: what is finished stays.
        put(None);
        assert_eq!(run(&source, &out, limit).unwrap().resumed, 1);
    }
}

//! Archives of a crawl: its list read from a server of our own.

use std::io::Write as _;

use assay_agents::local::LocalError;
use assay_agents::localnet::crawl_archives;

use crate::server::{Reply, Server, quick};

/// Serves this list of paths, as gzip unless it is none.
fn serve(list: &[u8]) -> Server {
    let list = list.to_vec();
    Server::start(move |request| match request.target.as_str() {
        "/base/crawl-data/CC-MAIN-2024-42/warc.paths.gz" => Reply::part(request, &list, "v"),
        _ => Reply::status(404),
    })
}

fn packed(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

fn named(server: &Server, crawl: &str, files: u16) -> Result<Vec<String>, LocalError> {
    let sources = crawl_archives(&server.url("/base/"), crawl, files, &quick(1 << 20))?;
    Ok(sources
        .into_iter()
        .map(|source| source.name.replace(&server.url(""), ""))
        .collect())
}

#[test]
fn the_first_archives_of_the_list_are_taken_from_where_the_list_is() {
    let server = serve(&packed(
        "crawl-data/CC-MAIN-2024-42/a.warc.gz\n\ncrawl-data/b.warc.gz\nc\n",
    ));
    let two = named(&server, "CC-MAIN-2024-42", 2).unwrap();
    assert_eq!(
        two,
        [
            "/base/crawl-data/CC-MAIN-2024-42/a.warc.gz",
            "/base/crawl-data/b.warc.gz"
        ]
    );
    assert_eq!(
        named(&server, "CC-MAIN-2024-42", 9).unwrap().len(),
        3,
        "as many as there are"
    );
}

#[test]
fn what_names_no_crawl_or_lists_no_archives_is_said() {
    let is_hubs = |error: &LocalError| matches!(error, LocalError::Hub(_));
    let server = serve(&packed("a.warc.gz\n"));
    for name in ["2024-42", "CC-MAIN-2024/../42", "CC-MAIN-", ""] {
        let error = named(&server, name, 1).unwrap_err();
        assert_eq!(is_hubs(&error), name == "CC-MAIN-", "{name}: {error}");
        assert!(error.help().is_some());
    }
    assert!(is_hubs(&named(&server, "CC-MAIN-2024-43", 1).unwrap_err()));
    let not_text: &[u8] = &[0xff; 40];
    for list in [
        packed(""),
        packed("a/../b\n"),
        packed("https://else.example/x\n"),
        not_text.to_vec(),
    ] {
        let error = named(&serve(&list), "CC-MAIN-2024-42", 1).unwrap_err();
        assert!(matches!(error, LocalError::Crawl { .. }), "{error}");
    }
}

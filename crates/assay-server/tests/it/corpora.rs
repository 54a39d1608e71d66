//! Corpora: from folders, lists and addresses, by the administrator; what would change the index is refused with the cure.

use crate::database::dump;
use crate::requeue::administer;
use crate::world::{Place, Subnet, World, corpus, params};
use assay_hub::OpenOptions;
use assay_server::admin::AdminRequest;
use assay_server::corpus::read_corpus;
use assay_server::follow::{FollowError, catch_up};
use assay_server::store::{self, AddCorpora, CorpusRefusal, NamedUnits};
use assay_types::{Digest, Round, WorkUnit, corpus_index_root};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;

fn add(spec: &Path, name: Option<&str>) -> AdminRequest {
    AdminRequest::AddCorpus {
        spec: spec.display().to_string(),
        name: name.map(str::to_owned),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_added_by_the_administrator_once_and_never_changed() {
    let world = World::new(&Place::Sqlite, &["miner-a"]).await;
    let folder = tempfile::tempdir().unwrap();
    let archives = folder.path().join("archives");
    fs_err::create_dir(&archives).unwrap();
    for (name, bytes) in [("b.warc.gz", 7), ("a.warc", 5), ("notes.md", 3)] {
        fs_err::write(archives.join(name), vec![b'x'; bytes]).unwrap();
    }
    let answer = administer(&world, folder.path(), add(&archives, None))
        .await
        .unwrap();
    assert_eq!(answer.message, "corpus `archives` added");
    assert_eq!(
        (
            &answer.data["first"],
            &answer.data["units"],
            &answer.data["bytes"]
        ),
        (&200.into(), &2.into(), &12.into())
    );
    let readers = world.app.database().readers();
    let units = store::corpus_units(readers, 200, 9).await.unwrap();
    let shown: Vec<_> = units
        .iter()
        .map(|(place, unit)| (*place, unit.source.as_str(), unit.path.as_str(), unit.bytes.0))
        .collect();
    assert_eq!(shown, [(200, "file", "a.warc", 5), (201, "file", "b.warc.gz", 7)]);
    let whole: Vec<WorkUnit> = corpus(200)
        .into_iter()
        .chain(units.iter().map(|(_, unit)| unit.clone()))
        .collect();
    assert_eq!(
        store::index_root(readers).await.unwrap(),
        corpus_index_root(&whole)
    );
    let again = administer(&world, folder.path(), add(&archives, None))
        .await
        .unwrap();
    assert_eq!(again.message, "corpus `archives` known already");

    // The folder has grown: neither under its name nor under another one does anything get lost silently.
    let before = dump(world.app.database()).await;
    fs_err::write(archives.join("c.warc"), "new").unwrap();
    let changed = administer(&world, folder.path(), add(&archives, None))
        .await
        .unwrap_err();
    let text = changed.to_string();
    let given = read_corpus(&archives.display().to_string(), &OpenOptions::default()).unwrap();
    for part in [
        "`archives`",
        &corpus_index_root(&given).to_string(),
        answer.data["root"].as_str().unwrap(),
        "--name",
    ] {
        assert!(text.contains(part), "`{part}` in {text}");
    }
    let overlapping = administer(&world, folder.path(), add(&archives, Some("more")))
        .await
        .unwrap_err();
    assert_eq!(
        overlapping.to_string(),
        "`file:a.warc` of corpus `more` is in corpus `archives` already: each archive is one unit; leave it out of the list"
    );
    assert!(
        before == dump(world.app.database()).await,
        "a refused corpus has changed something"
    );
    // What is new as a corpus of its own.
    fs_err::create_dir(folder.path().join("later")).unwrap();
    fs_err::rename(archives.join("c.warc"), folder.path().join("later/c.warc")).unwrap();
    let later = administer(&world, folder.path(), add(&folder.path().join("later"), None)).await;
    assert_eq!(later.unwrap().data["first"], 202);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_corpora_are_added_together_or_not_at_all() {
    let world = World::new(&Place::Sqlite, &["miner-a"]).await;
    let before = dump(world.app.database()).await;
    let named = |name: &str, paths: &[&str]| NamedUnits {
        name: name.to_owned(),
        units: paths
            .iter()
            .map(|path| WorkUnit::new("cc", path, assay_types::Bytes(1)).unwrap())
            .collect(),
    };
    let add = |corpora: Vec<NamedUnits>, pinned| AddCorpora {
        corpora,
        pinned,
        now_ms: 1,
    };
    let twice = add(
        vec![named("x", &["1", "2"]), named("y", &["3", "1"])],
        Digest::ZERO,
    );
    let refused = world.app.writer().write(twice).await.unwrap().unwrap_err();
    assert!(
        matches!(&refused, CorpusRefusal::Taken { unit, name, holder }
            if (unit.as_str(), name.as_str(), holder.as_str()) == ("cc:1", "y", "x")),
        "{refused}"
    );
    assert!(before == dump(world.app.database()).await);
    let namesakes = add(vec![named("x", &["1"]), named("x", &["2"])], Digest::ZERO);
    let refused = world.app.writer().write(namesakes).await.unwrap().unwrap_err();
    assert!(
        matches!(&refused, CorpusRefusal::OtherRoot { name, .. } if name == "x"),
        "{refused}"
    );
    let whole: Vec<WorkUnit> = [corpus(200), named("", &["1", "2", "3"]).units].concat();
    let pinned = corpus_index_root(&whole);
    let both = vec![named("x", &["1", "2"]), named("y", &["3"])];
    let refused = add(both.clone(), Digest([7; 32]));
    let refused = world.app.writer().write(refused).await.unwrap().unwrap_err();
    assert_eq!(
        refused,
        CorpusRefusal::Pinned {
            pinned: Digest([7; 32]),
            found: pinned
        }
    );
    assert!(before == dump(world.app.database()).await);
    for is_new in [true, false] {
        let views = world
            .app
            .writer()
            .write(add(both.clone(), pinned))
            .await
            .unwrap()
            .unwrap();
        let shown: Vec<_> = views.iter().map(|(view, new)| (view.first, *new)).collect();
        assert_eq!(shown, [(200, is_new), (202, is_new)]);
        assert_eq!(views[1].0.index_root, pinned);
    }
    world.stop().await;
}

/// A web server that answers one file, whole or in part.
fn serve_list(list: &'static [u8]) -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut from = 0;
            for line in BufReader::new(&stream).lines() {
                let line = line.unwrap().to_ascii_lowercase();
                if let Some(range) = line.strip_prefix("range: bytes=") {
                    from = range.split('-').next().unwrap().parse::<usize>().unwrap();
                }
                if line.is_empty() {
                    break;
                }
            }
            let part = &list[from.min(list.len())..];
            let head = format!(
                "HTTP/1.1 206 x\r\nConnection: close\r\nContent-Range: bytes {from}-{}/{}\r\nContent-Length: {}\r\n\r\n",
                list.len() - 1,
                list.len(),
                part.len()
            );
            // A reader that goes away is no failure.
            let _ = stream
                .write_all(head.as_bytes())
                .and_then(|()| stream.write_all(part));
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_read_from_an_address() {
    let address = serve_list(b"cc:crawl/1.warc.gz\t10\ncc:crawl/2.warc.gz\t20\n");
    let spec = format!("http://{address}/units.tsv");
    let read = tokio::task::spawn_blocking(move || read_corpus(&spec, &OpenOptions::default()));
    let units = read.await.unwrap().unwrap();
    let shown: Vec<_> = units
        .iter()
        .map(|unit| (unit.path.as_str(), unit.bytes.0))
        .collect();
    assert_eq!(shown, [("crawl/1.warc.gz", 10), ("crawl/2.warc.gz", 20)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_round_is_assigned_from_another_index_than_the_pinned_one() {
    let mut pinned = params();
    let whole: Vec<WorkUnit> = [corpus(200), corpus(201)[200..].to_vec()].concat();
    pinned.corpus_index_root = corpus_index_root(&whole);
    let subnet = Subnet {
        params: pinned.clone(),
        ..Subnet::default()
    };
    let world = World::build(&Place::Sqlite, &["miner-a"], subnet, |_| 8).await;
    let start = world.rounds().start(Round(0)).0;
    world.node.seal(start + 2).await.unwrap();
    let (_stop, shutdown) = tokio::sync::watch::channel(false);
    let error = catch_up(&world.app, &world.chain, &shutdown).await.unwrap_err();
    assert!(
        matches!(&error, FollowError::OtherIndex { pinned: expected, found }
            if *expected == pinned.corpus_index_root && *found == corpus_index_root(&corpus(200))),
        "{error}"
    );
    let readers = world.app.database().readers();
    assert_eq!(store::newest_round(readers).await.unwrap(), None);
    // A unit that is not the missing one is refused; with the missing one the server goes on where it was.
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("rest.tsv");
    fs_err::write(&list, "file:archive-0201.warc\t1201\n").unwrap();
    let refused = administer(&world, folder.path(), add(&list, None))
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("pins the corpus index"), "{refused}");
    fs_err::write(&list, "file:archive-0200.warc\t1200\n").unwrap();
    administer(&world, folder.path(), add(&list, None)).await.unwrap();
    catch_up(&world.app, &world.chain, &shutdown).await.unwrap();
    let served = world.client("anybody").assignment(Round(0)).await.unwrap().0;
    assert_eq!(served.header.index_root, pinned.corpus_index_root);
    world.stop().await;
}

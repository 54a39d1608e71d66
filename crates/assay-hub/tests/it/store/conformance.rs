//! What every store promises, as a suite over the trait: `suite` is called once for each implementation.

use std::future::Future;
use std::task::Poll;

use assay_hub::store::{Body, Publication, Side, Store, StoreError, Visibility};
use assay_types::{RepoName, Revision};

use super::{path, publication, repo};
use crate::server::object;

/// A store under test: as its publisher sees it, and as everybody else does.
pub(super) struct Stand<'a> {
    pub(super) publisher: &'a dyn Store,
    pub(super) reader: &'a dyn Store,
}

/// A file of a publication in memory.
type NamedBytes = (&'static str, &'static [u8]);

/// Everything below, one after the other.
pub(super) async fn suite(stand: &Stand<'_>) {
    a_revision_is_sealed_then_public(stand).await;
    calls_may_be_repeated(stand).await;
    files_are_read_whole_in_ranges_and_downloaded(stand).await;
    downloads_are_taken_up_and_checked(stand).await;
    revisions_stand_side_by_side(stand).await;
    what_is_not_there_is_named(stand).await;
    a_failed_publish_leaves_nothing_and_is_repeated(stand).await;
    unpublishable_sets_are_refused(stand).await;
    a_publisher_killed_anywhere_leaves_all_or_nothing(stand).await;
}

/// Polls a future so many times at most, then drops it, as a killed process would.
async fn killed_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

async fn public(stand: &Stand<'_>, publication: &Publication) -> Revision {
    let revision = stand.publisher.publish(publication).await.unwrap();
    stand
        .publisher
        .reveal(&publication.repo, &revision)
        .await
        .unwrap();
    revision
}

async fn visibility(stand: &Stand<'_>, repo: &RepoName, revision: &Revision) -> Visibility {
    stand.publisher.visibility(repo, revision).await.unwrap()
}

async fn a_revision_is_sealed_then_public(stand: &Stand<'_>) {
    let repo = repo("sealed");
    let files: [(&str, &[u8]); 2] = [("manifest.json", b"{\"sealed\":1}"), ("units/a/x.bin", b"x")];
    let revision = stand
        .publisher
        .publish(&publication(&repo, &files))
        .await
        .unwrap();
    assert_eq!(visibility(stand, &repo, &revision).await, Visibility::Sealed);
    let error = stand.reader.open(&repo, &revision).await.unwrap_err();
    assert!(matches!(error, StoreError::NotPublished { .. }), "{error:?}");
    assert!(
        !stand
            .publisher
            .revisions(&repo)
            .await
            .unwrap_or_default()
            .contains(&revision)
    );
    stand.publisher.reveal(&repo, &revision).await.unwrap();
    assert_eq!(visibility(stand, &repo, &revision).await, Visibility::Public);
    let view = stand.reader.open(&repo, &revision).await.unwrap();
    assert_eq!(view.get(&path("units/a/x.bin"), 10).await.unwrap(), b"x");
}

async fn calls_may_be_repeated(stand: &Stand<'_>) {
    let repo = repo("twice");
    let publication = publication(&repo, &[("manifest.json", b"{\"twice\":1}")]);
    let first = stand.publisher.publish(&publication).await.unwrap();
    assert_eq!(stand.publisher.publish(&publication).await.unwrap(), first);
    stand.publisher.reveal(&repo, &first).await.unwrap();
    stand.publisher.reveal(&repo, &first).await.unwrap();
    // Also from the start, as after a crash that lost the journal.
    assert_eq!(public(stand, &publication).await, first);
    assert!(stand.reader.open(&repo, &first).await.is_ok());
}

async fn files_are_read_whole_in_ranges_and_downloaded(stand: &Stand<'_>) {
    let repo = repo("reads");
    let big = object(700_000);
    let files: [(&str, &[u8]); 4] = [
        ("manifest.json", b"{\"reads\":1}"),
        ("units/00/docs-00000.parquet", &big),
        ("units/00/empty.bin", b""),
        ("README.md", b"# card\n"),
    ];
    let revision = public(stand, &publication(&repo, &files)).await;
    let view = stand.reader.open(&repo, &revision).await.unwrap();
    assert_eq!((view.repo(), view.revision()), (&repo, &revision));
    let listed: Vec<&str> = view.list("").map(|entry| entry.path.as_str()).collect();
    let mut expected: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    expected.sort_unstable();
    assert_eq!(listed, expected);
    assert_eq!(view.list("units/00/d").count(), 1);
    for (name, bytes) in files {
        assert_eq!(view.head(&path(name)).unwrap().bytes, bytes.len() as u64);
        assert!(view.get(&path(name), 1 << 20).await.unwrap() == bytes, "{name}");
    }
    let docs = path("units/00/docs-00000.parquet");
    assert!(view.get_range(&docs, 123_456, 7_000).await.unwrap() == big[123_456..130_456]);
    assert!(view.get_range(&docs, 700_000, 0).await.unwrap().is_empty());
    let error = view.get_range(&docs, 699_999, 2).await.unwrap_err();
    assert!(
        matches!(error, StoreError::OutOfRange { bytes: 700_000, .. }),
        "{error:?}"
    );
    let error = view.get(&docs, 699_999).await.unwrap_err();
    assert!(
        matches!(error, StoreError::TooLarge { limit: 699_999, .. }),
        "{error:?}"
    );
}

async fn downloads_are_taken_up_and_checked(stand: &Stand<'_>) {
    let repo = repo("downloads");
    let big = object(400_000);
    let files: [(&str, &[u8]); 2] = [("manifest.json", b"{\"downloads\":1}"), ("big.bin", &big)];
    let revision = public(stand, &publication(&repo, &files)).await;
    let view = stand.reader.open(&repo, &revision).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (target, partial) = (dir.path().join("a/big.bin"), dir.path().join("a/big.bin.partial"));
    let entry = path("big.bin");
    assert_eq!(view.download(&entry, &target).await.unwrap(), 400_000);
    assert!(std::fs::read(&target).unwrap() == big && !partial.exists());
    assert_eq!(
        view.download(&entry, &target).await.unwrap(),
        0,
        "it is there already"
    );

    std::fs::remove_file(&target).unwrap();
    std::fs::write(&partial, &big[..300_000]).unwrap();
    assert_eq!(view.download(&entry, &target).await.unwrap(), 100_000, "taken up");
    assert!(std::fs::read(&target).unwrap() == big);

    std::fs::write(&target, b"another file").unwrap();
    std::fs::write(&partial, vec![0; 300_000]).unwrap();
    assert_eq!(
        view.download(&entry, &target).await.unwrap(),
        500_000,
        "once wrong, once right"
    );
    assert!(std::fs::read(&target).unwrap() == big && !partial.exists());
}

async fn revisions_stand_side_by_side(stand: &Stand<'_>) {
    let repo = repo("many");
    let first = public(
        stand,
        &publication(&repo, &[("manifest.json", b"{\"many\":1}"), ("x.bin", b"one")]),
    )
    .await;
    let old = stand.reader.open(&repo, &first).await.unwrap();
    let second = public(
        stand,
        &publication(&repo, &[("manifest.json", b"{\"many\":2}"), ("y.bin", b"two")]),
    )
    .await;
    assert_ne!(first, second);
    let again = stand.reader.open(&repo, &first).await.unwrap();
    for view in [old, again] {
        assert_eq!(view.get(&path("x.bin"), 10).await.unwrap(), b"one");
        assert!(view.head(&path("y.bin")).is_err());
    }
    let new = stand.reader.open(&repo, &second).await.unwrap();
    assert_eq!(new.get(&path("y.bin"), 10).await.unwrap(), b"two");
    assert!(
        new.head(&path("x.bin")).is_err(),
        "a revision holds what was published and nothing older"
    );
    let listed = stand.publisher.revisions(&repo).await.unwrap();
    assert!(listed.contains(&first) && listed.contains(&second), "{listed:?}");
}

async fn what_is_not_there_is_named(stand: &Stand<'_>) {
    let (here, nowhere) = (repo("here"), repo("nowhere"));
    let revision = public(stand, &publication(&here, &[("manifest.json", b"{\"here\":1}")])).await;
    let unknown = Revision([7; 20]);
    for (repo, revision) in [(&here, unknown), (&nowhere, revision)] {
        let error = stand.reader.open(repo, &revision).await.unwrap_err();
        assert!(matches!(error, StoreError::NotPublished { .. }), "{error:?}");
        assert_eq!(error.side(), Side::Publisher);
        assert!(!error.retry_is_safe());
        let error = stand.publisher.reveal(repo, &revision).await.unwrap_err();
        assert!(matches!(error, StoreError::NotPublished { .. }), "{error:?}");
        assert_eq!(visibility(stand, repo, &revision).await, Visibility::Absent);
    }
    assert_eq!(stand.publisher.revisions(&nowhere).await.unwrap(), []);
    let view = stand.reader.open(&here, &revision).await.unwrap();
    let error = view.get(&path("manifest.jsonl"), 10).await.unwrap_err();
    assert!(matches!(error, StoreError::NoFile { .. }), "{error:?}");
}

async fn a_failed_publish_leaves_nothing_and_is_repeated(stand: &Stand<'_>) {
    let repo = repo("failed");
    let dir = tempfile::tempdir().unwrap();
    let late = dir.path().join("z.bin");
    let publication = publication(&repo, &[("manifest.json", b"{\"failed\":1}"), ("a.bin", b"a")])
        .with(path("z.bin"), Body::File(late.clone()));
    let error = stand.publisher.publish(&publication).await.unwrap_err();
    assert!(matches!(error, StoreError::File { .. }), "{error:?}");
    assert_eq!(stand.publisher.revisions(&repo).await.unwrap(), []);
    std::fs::write(&late, object(200_000)).unwrap();
    let revision = public(stand, &publication).await;
    let view = stand.reader.open(&repo, &revision).await.unwrap();
    assert!(view.get(&path("z.bin"), 200_000).await.unwrap() == object(200_000));
}

async fn unpublishable_sets_are_refused(stand: &Stand<'_>) {
    let repo = repo("refused");
    let sets: [(&[NamedBytes], &str); 2] = [
        (
            &[("manifest.json", b"{}"), ("a", b""), ("a/b", b"")],
            "both a file and a folder",
        ),
        (
            &[("manifest.json", b"{}"), ("a", b""), ("A", b"")],
            "differ only in case",
        ),
    ];
    for (files, reason) in sets {
        let error = stand
            .publisher
            .publish(&publication(&repo, files))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
    let error = stand
        .publisher
        .publish(&Publication::new(repo, path("manifest.json")))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("not among the files"), "{error}");
}

async fn a_publisher_killed_anywhere_leaves_all_or_nothing(stand: &Stand<'_>) {
    let big = object(150_000);
    for polls in [0, 1, 2, 4, 7, 11, 16, 24, 40] {
        let repo = repo(&format!("killed{polls}"));
        let files: [(&str, &[u8]); 3] = [
            ("manifest.json", b"{\"killed\":1}"),
            ("a.bin", b"a"),
            ("big.bin", &big),
        ];
        let publication = publication(&repo, &files);
        let done = killed_after(polls, stand.publisher.publish(&publication)).await;
        assert_eq!(
            stand.publisher.revisions(&repo).await.unwrap(),
            [],
            "{polls}: {done:?}"
        );
        // The next process, which may find the killed one's disk work still running.
        let revision = loop {
            match stand.publisher.publish(&publication).await {
                Err(StoreError::Busy { .. }) => tokio::task::yield_now().await,
                other => break other.unwrap(),
            }
        };
        assert_eq!(visibility(stand, &repo, &revision).await, Visibility::Sealed);
        stand.publisher.reveal(&repo, &revision).await.unwrap();
        let view = stand.reader.open(&repo, &revision).await.unwrap();
        for (name, bytes) in files {
            assert!(
                view.get(&path(name), 1 << 20).await.unwrap() == bytes,
                "{polls}: {name}"
            );
        }
    }
}

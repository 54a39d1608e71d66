//! The store in a directory: the suite, killed publishers, and files that change behind a reader's back.

use std::path::PathBuf;

use assay_hub::store::{Body, LocalStore, Side, Store as _, StoreError, View, Visibility};
use assay_types::{Digest, Revision};

use super::conformance::{Stand, suite};
use super::{path, publication, repo, wait};

#[test]
fn the_suite_holds() {
    let dir = tempfile::tempdir().unwrap();
    let store = LocalStore::new(dir.path().join("store"));
    wait(suite(&Stand {
        publisher: &store,
        reader: &store,
    }));
}

/// A public revision, where it lies, and an open view of it.
fn published(store: &LocalStore, root: &std::path::Path) -> (Revision, PathBuf, View) {
    let repo = repo("r1");
    let files: [(&str, &[u8]); 2] = [("manifest.json", b"{}"), ("units/a/docs.bin", b"0123456789")];
    let revision = wait(store.publish(&publication(&repo, &files))).unwrap();
    wait(store.reveal(&repo, &revision)).unwrap();
    let view = wait(store.open(&repo, &revision)).unwrap();
    let folder = root.join("acme/r1").join(revision.to_string());
    (revision, folder, view)
}

#[test]
fn a_revision_is_the_digest_of_its_manifest() {
    let dir = tempfile::tempdir().unwrap();
    let (revision, ..) = published(&LocalStore::new(dir.path()), dir.path());
    assert_eq!(revision.0, Digest::of(b"{}").0[..20]);
}

#[test]
fn what_a_killed_publisher_left_is_removed_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let store = LocalStore::new(dir.path());
    let partial = dir.path().join("acme/r1/.partial/units/a");
    std::fs::create_dir_all(&partial).unwrap();
    std::fs::write(partial.join("docs.bin"), b"01234").unwrap();
    assert_eq!(wait(store.revisions(&repo("r1"))).unwrap(), []);
    let (_, folder, view) = published(&store, dir.path());
    assert_eq!(
        wait(view.get(&path("units/a/docs.bin"), 10)).unwrap(),
        b"0123456789"
    );
    assert!(folder.is_dir() && !dir.path().join("acme/r1/.partial").exists());
}

#[test]
fn a_second_publisher_waits_outside() {
    let dir = tempfile::tempdir().unwrap();
    let store = LocalStore::new(dir.path());
    std::fs::create_dir_all(dir.path().join("acme/r1")).unwrap();
    let lock = std::fs::File::create(dir.path().join("acme/r1/.lock")).unwrap();
    lock.lock().unwrap();
    let publication = publication(&repo("r1"), &[("manifest.json", b"{}")]);
    let error = wait(store.publish(&publication)).unwrap_err();
    assert!(
        matches!(error, StoreError::Busy { .. }) && error.retry_is_safe(),
        "{error:?}"
    );
    lock.unlock().unwrap();
    assert!(wait(store.publish(&publication)).is_ok());
}

#[test]
fn a_file_changed_behind_an_open_view_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let (_, folder, view) = published(&LocalStore::new(dir.path()), dir.path());
    let file = folder.join("units/a/docs.bin");
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, b"9876543210").unwrap();
    for error in [
        wait(view.get(&path("units/a/docs.bin"), 10)).unwrap_err(),
        wait(view.get_range(&path("units/a/docs.bin"), 2, 3)).unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Differs { .. }), "{error:?}");
        assert_eq!(error.side(), Side::Publisher);
    }
}

#[test]
fn a_revision_changed_while_nobody_looked_is_found_on_reading() {
    let dir = tempfile::tempdir().unwrap();
    let store = LocalStore::new(dir.path());
    let (revision, folder, _) = published(&store, dir.path());
    let file = folder.join("units/a/docs.bin");
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, b"9876543210").unwrap();
    let view = wait(store.open(&repo("r1"), &revision)).unwrap();
    let error = wait(view.get(&path("units/a/docs.bin"), 10)).unwrap_err();
    assert!(error.to_string().contains("expected sha256"), "{error}");
    assert!(wait(view.download(&path("units/a/docs.bin"), &dir.path().join("out"))).is_err());
    assert!(!dir.path().join("out").exists());

    std::fs::remove_file(folder.join("manifest.json")).unwrap();
    std::fs::write(folder.join("manifest.json"), b"[]").unwrap();
    let error = wait(store.open(&repo("r1"), &revision)).unwrap_err();
    assert!(
        error.to_string().contains("expected the revision's digest"),
        "{error}"
    );
    std::fs::remove_file(&file).unwrap();
    let error = wait(store.open(&repo("r1"), &revision)).unwrap_err();
    assert!(matches!(error, StoreError::Gone { .. }), "{error:?}");
}

#[cfg(unix)]
#[test]
fn links_lead_nowhere_and_pipes_do_not_hang() {
    let dir = tempfile::tempdir().unwrap();
    let store = LocalStore::new(dir.path());
    let (revision, folder, view) = published(&store, dir.path());
    let file = folder.join("units/a/docs.bin");
    std::fs::remove_file(&file).unwrap();
    let outside = dir.path().join("secret");
    std::fs::write(&outside, b"0123456789").unwrap();
    std::os::unix::fs::symlink(&outside, &file).unwrap();
    assert!(wait(view.get(&path("units/a/docs.bin"), 10)).is_err());
    assert!(wait(store.open(&repo("r1"), &revision)).is_err());
    std::fs::remove_file(&file).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
    assert!(made.success());
    assert!(wait(view.get(&path("units/a/docs.bin"), 10)).is_err());
    assert!(wait(store.open(&repo("r1"), &revision)).is_err());
}

#[test]
fn foreign_indexes_are_judged_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let store = LocalStore::new(dir.path());
    let (revision, folder, _) = published(&store, dir.path());
    let index = folder.join(".index.json");
    let honest = std::fs::read_to_string(&index).unwrap();
    for (from, to, reason) in [
        ("units/a/docs.bin", "../../../secret", "relative part"),
        ("\"version\":1", "\"version\":9", "version 9"),
        (
            "\"bytes\":10",
            "\"bytes\":11",
            "expected 11 bytes, found 10 bytes",
        ),
    ] {
        std::fs::remove_file(&index).unwrap();
        std::fs::write(&index, honest.replace(from, to)).unwrap();
        let error = wait(store.open(&repo("r1"), &revision)).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(error.side(), Side::Publisher);
    }
    std::fs::remove_file(&index).unwrap();
    assert!(
        wait(store.open(&repo("r1"), &revision)).is_err(),
        "without an index nothing is whole"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_source_that_changes_while_it_is_published_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let store = LocalStore::new(dir.path().join("store"));
    // Gives other bytes of the same length each time it is read.
    let source = PathBuf::from("/proc/sys/kernel/random/uuid");
    let publication =
        publication(&repo("r1"), &[("manifest.json", b"{}")]).with(path("x.bin"), Body::File(source));
    let error = wait(store.publish(&publication)).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`x.bin` changed while it was published"),
        "{error}"
    );
    let revision = Revision(std::array::from_fn(|at| Digest::of(b"{}").0[at]));
    assert_eq!(
        wait(store.visibility(&repo("r1"), &revision)).unwrap(),
        Visibility::Absent
    );
}

#[test]
fn a_folder_that_holds_nothing_of_anybody_says_nothing_about_a_publisher() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    let store = LocalStore::new(&root);
    let out_of_reach = |what: &str| {
        let error = wait(store.open(&repo("r1"), &Revision([7; 20]))).unwrap_err();
        assert!(
            matches!(error, StoreError::OutOfReach { .. }),
            "{what}: {error:?}"
        );
        assert_eq!(
            (error.side(), error.retry_is_safe()),
            (Side::Reader, true),
            "{what}"
        );
    };
    out_of_reach("no folder");
    std::fs::create_dir(&root).unwrap();
    out_of_reach("an empty folder, as where something is to be mounted");
    let (revision, _, view) = published(&store, &root);
    let error = wait(store.open(&repo("r1"), &Revision([7; 20]))).unwrap_err();
    assert_eq!(error.side(), Side::Publisher, "others are there: {error:?}");
    // Taken away while somebody reads, then back again.
    let away = folder.path().join("away");
    std::fs::rename(&root, &away).unwrap();
    let file = view.list("").next().unwrap().path.clone();
    let error = wait(view.get(&file, 1 << 20)).unwrap_err();
    assert!(matches!(error, StoreError::OutOfReach { .. }), "{error:?}");
    std::fs::rename(&away, &root).unwrap();
    assert!(wait(store.open(&repo("r1"), &revision)).is_ok());
    assert!(wait(view.get(&file, 1 << 20)).is_ok());
}

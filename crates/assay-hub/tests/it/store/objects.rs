//! The object store on `moto`: the suite read by S3 and by HTTP, uploads in parts, keys that show nowhere.

use assay_hub::store::{Body, ObjectStore, Publication, Side, Store as _, StoreError};
use assay_hub::{OpenOptions, Secret};

use super::conformance::{Stand, suite};
use super::{path, publication, repo, wait};
use crate::s3::{moto, options};
use crate::server::{Reply, Server, object, quick};

#[test]
fn the_suite_holds_on_s3_and_https() {
    let Some(moto) = moto() else { return };
    for (prefix, reader) in [
        ("by-s3", "s3://sets/by-s3".to_owned()),
        ("by-https", format!("{}/sets/by-https/", moto.url)),
    ] {
        let publisher = format!("s3://sets/{prefix}");
        wait(suite(&Stand {
            publisher: &ObjectStore::new(&publisher, &options(&moto.url, true)).unwrap(),
            reader: &ObjectStore::new(&reader, &options(&moto.url, false)).unwrap(),
        }));
    }
}

#[test]
fn large_files_go_in_parts_and_are_not_sent_twice() {
    let Some(moto) = moto() else { return };
    let dir = tempfile::tempdir().unwrap();
    let big = object((20 << 20) + 12_345);
    let file = dir.path().join("big");
    std::fs::write(&file, &big).unwrap();
    let store = ObjectStore::new("s3://sets", &options(&moto.url, true)).unwrap();
    let missing = dir.path().join("later");
    let set = publication(&repo("parts"), &[("manifest.json", b"{\"parts\":1}")])
        .with(path("big.bin"), Body::File(file))
        .with(path("later.bin"), Body::File(missing.clone()));
    std::fs::write(&missing, b"late").unwrap();
    let revision = wait(store.publish(&set)).unwrap();
    wait(store.reveal(&repo("parts"), &revision)).unwrap();
    let view = wait(store.open(&repo("parts"), &revision)).unwrap();
    let tag = view.head(&path("big.bin")).unwrap().etag.clone().unwrap();
    assert!(tag.ends_with("-3\""), "three parts: {tag}");
    let target = dir.path().join("out");
    assert_eq!(
        wait(view.download(&path("big.bin"), &target)).unwrap(),
        big.len() as u64
    );
    assert!(std::fs::read(target).unwrap() == big);
}

#[test]
fn a_file_overwritten_in_the_bucket_is_refused() {
    let Some(moto) = moto() else { return };
    let options = options(&moto.url, true);
    let store = ObjectStore::new("s3://sets/over", &options).unwrap();
    let set = publication(&repo("r1"), &[("manifest.json", b"{}"), ("x.bin", b"first")]);
    let revision = wait(store.publish(&set)).unwrap();
    wait(store.reveal(&repo("r1"), &revision)).unwrap();
    let view = wait(store.open(&repo("r1"), &revision)).unwrap();
    assert_eq!(wait(view.get(&path("x.bin"), 9)).unwrap(), b"first");
    // Another store whose root is the revision's folder overwrites the file: nobody but the owner of the bucket can.
    let status = std::process::Command::new(std::env::var_os("ASSAY_PYTHON").unwrap())
        .args([
            "-c",
            OVERWRITE,
            &moto.url,
            &format!("over/acme/r1/{revision}/x.bin"),
        ])
        .status()
        .unwrap();
    assert!(status.success());
    for error in [
        wait(view.get(&path("x.bin"), 9)).unwrap_err(),
        wait(
            wait(store.open(&repo("r1"), &revision))
                .unwrap()
                .get_range(&path("x.bin"), 0, 2),
        )
        .unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Differs { .. }), "{error:?}");
        assert_eq!(error.side(), Side::Publisher);
    }
}

const OVERWRITE: &str = r#"
import sys, boto3
s3 = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="AKIATEST", aws_secret_access_key="hidden")
s3.put_object(Bucket="sets", Key=sys.argv[2], Body=b"other")
"#;

#[test]
fn a_missing_bucket_and_missing_keys_are_named() {
    let Some(moto) = moto() else { return };
    let set = publication(&repo("r1"), &[("manifest.json", b"{}")]);
    let store = ObjectStore::new("s3://nobucket/x", &options(&moto.url, true)).unwrap();
    let error = wait(store.publish(&set)).unwrap_err();
    assert!(
        !error.retry_is_safe() && error.to_string().contains("s3://nobucket/x"),
        "{error}"
    );
    let store = ObjectStore::new("s3://sets/x", &options(&moto.url, false)).unwrap();
    let error = wait(store.publish(&set)).unwrap_err();
    assert!(matches!(error, StoreError::Unsupported { .. }), "{error:?}");
}

#[test]
fn failures_of_writing_are_repeated_then_reported_without_keys() {
    let server = Server::start(|request| match request.number {
        0 => Reply::status(503),
        _ => Reply {
            body: b"<Error><Code>InvalidAccessKeyId</Code><AWSAccessKeyId>AKIATEST</AWSAccessKeyId></Error>"
                .to_vec(),
            ..Reply::status(403)
        },
    });
    let store = ObjectStore::new("s3://sets/x", &options(&server.url(""), true)).unwrap();
    let set = publication(&repo("r1"), &[("manifest.json", b"{}")]);
    let error = wait(store.publish(&set)).unwrap_err();
    assert!(
        matches!(error, StoreError::Refused { status: 403, .. }),
        "{error:?}"
    );
    assert_eq!(server.requests().len(), 2);
    let server = Server::start(|_| Reply::status(500));
    let store = ObjectStore::new("s3://sets/x", &options(&server.url(""), true)).unwrap();
    let error = wait(store.publish(&set)).unwrap_err();
    assert!(error.retry_is_safe(), "{error:?}");
    assert_eq!(server.requests().len(), 4);
    let shown = format!("{error} {error:?} {store:?}");
    assert!(
        !shown.contains("hidden") && !shown.contains("AKIATEST"),
        "{shown}"
    );
}

#[test]
fn bad_addresses_are_refused() {
    let options = OpenOptions::default();
    let mut keys = quick(100);
    keys.s3.access_key_id = Some(Secret::new("AKIA"));
    keys.s3.secret_access_key = Some(Secret::new("hidden"));
    for address in ["s3://", "s3://../x", "s3://b/../x", "ftp:/x", "https://"] {
        let error = ObjectStore::new(address, &keys).unwrap_err();
        assert!(matches!(error, StoreError::BadStore { .. }), "{error:?}");
    }
    let mut half = quick(100);
    half.s3.access_key_id = Some(Secret::new("AKIA"));
    assert!(ObjectStore::new("s3://b/x", &half).is_err());
    let empty = Publication::new(repo("r1"), path("manifest.json"));
    let store = ObjectStore::new("https://u:hunter2@h/x", &options).unwrap();
    assert_eq!(store.address(), "https://h/x");
    let error = wait(store.publish(&empty)).unwrap_err();
    assert!(
        !format!("{error:?} {store:?}").contains("hunter2"),
        "{error:?} {store:?}"
    );
}

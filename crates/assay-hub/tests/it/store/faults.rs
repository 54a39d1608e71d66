//! Reading a store over a bad network or from a bad server: repeated within bounds, then an error that says whose side.

use std::time::Duration;

use assay_hub::OpenOptions;
use assay_hub::store::{ObjectStore, Side, Store as _, StoreError, View};
use assay_types::{Digest, Revision};

use super::{path, repo, wait};
use crate::server::{Reply, Request, Server, object, quick};

const MANIFEST: &[u8] = b"{\"faults\":1}";
const BYTES: usize = 50_000;

/// Serves one revision with the file `x.bin`, whose answers pass through `fault` with their number from 0.
fn serve(fault: impl Fn(usize, &Request, Reply) -> Reply + Send + 'static) -> Server {
    let body = object(BYTES);
    let sha256 = sha256_hex(&body);
    let index = format!(
        r#"{{"version":1,"anchor":"manifest.json","files":[{{"path":"manifest.json","bytes":{}}},{{"path":"x.bin","bytes":{BYTES},"sha256":"{sha256}","etag":"\"v1\""}}]}}"#,
        MANIFEST.len()
    );
    let asked = std::sync::atomic::AtomicUsize::new(0);
    Server::start(move |request| match request.target.rsplit('/').next().unwrap() {
        ".index.json" => Reply::part(request, index.as_bytes(), "i"),
        "manifest.json" => Reply::part(request, MANIFEST, "m"),
        "x.bin" => {
            let number = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            fault(number, request, Reply::part(request, &body, "v1"))
        }
        _ => Reply::status(404),
    })
}

fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    assay_types::hex::encode(&sha2::Sha256::digest(bytes))
}

fn view(server: &Server, options: &OpenOptions) -> View {
    let store = ObjectStore::new(&server.url("/base"), options).unwrap();
    let revision = Revision(std::array::from_fn(|at| Digest::of(MANIFEST).0[at]));
    wait(store.open(&repo("r1"), &revision)).unwrap()
}

/// Reads the file over a faulty server: the result, and how often it was asked for.
fn read(
    fault: impl Fn(usize, &Request, Reply) -> Reply + Send + 'static,
) -> (Result<Vec<u8>, StoreError>, usize) {
    let server = serve(fault);
    let options = OpenOptions {
        idle_ms_max: 1_000,
        rate_bytes_min: 1 << 30,
        ..quick(1 << 20)
    };
    let view = view(&server, &options);
    let read = wait(view.get(&path("x.bin"), BYTES as u64));
    let asked = server
        .requests()
        .iter()
        .filter(|request| request.target.ends_with("x.bin"))
        .count();
    (read, asked)
}

/// The fault hits twice; then the file is whole, after `asked` requests.
fn passes(asked: usize, fault: impl Fn(&Request, Reply) -> Reply + Send + 'static) {
    let (bytes, found) =
        read(move |number, request, reply| if number < 2 { fault(request, reply) } else { reply });
    assert!(bytes.unwrap() == object(BYTES));
    assert_eq!(found, asked);
}

/// The fault stays: an error of that side after `asked` requests.
fn stays(side: Side, asked: usize, fault: impl Fn(&Request, Reply) -> Reply + Send + 'static) -> StoreError {
    let (bytes, found) = read(move |_, request, reply| fault(request, reply));
    let error = bytes.unwrap_err();
    assert_eq!((error.side(), found), (side, asked), "{error:?}");
    assert!(!error.help().is_empty());
    error
}

#[test]
fn an_overloaded_server_is_asked_again_then_was_the_readers_side() {
    for status in [429, 500, 503] {
        let overloaded = move |_: &Request, _| Reply::status(status).field("Retry-After", "1");
        passes(3, overloaded);
        assert!(stays(Side::Reader, 4, overloaded).retry_is_safe());
    }
}

#[test]
fn truncated_bodies_and_closed_connections_are_taken_up() {
    passes(3, |_, reply| reply.cut(10_000));
    passes(3, |_, _| Reply::reset());
    assert!(stays(Side::Reader, 4, |_, reply| reply.cut(0)).retry_is_safe());
    assert!(stays(Side::Reader, 4, |_, _| Reply::reset()).retry_is_safe());
}

#[test]
fn a_body_that_trickles_does_not_hold_the_reader() {
    let trickle = |_: &Request, reply: Reply| reply.slow(Duration::from_millis(20));
    passes(3, trickle);
    let start = std::time::Instant::now();
    let error = stays(Side::Reader, 4, trickle);
    assert!(error.retry_is_safe() && start.elapsed() < Duration::from_secs(30));
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("too slowly"), "{cause}");
}

#[test]
fn another_part_than_asked_for_is_asked_again_and_never_taken() {
    let wrong = |_: &Request, mut reply: Reply| {
        reply.fields = vec![("Content-Range", format!("bytes 5-{}/{BYTES}", BYTES + 4))];
        reply
    };
    passes(3, wrong);
    let error = stays(Side::Reader, 4, wrong);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("another part than the one asked for"), "{cause}");
}

#[test]
fn wrong_bytes_are_read_again_and_then_the_publishers() {
    let wrong = |_: &Request, mut reply: Reply| {
        reply.body[7] ^= 1;
        reply
    };
    passes(3, wrong);
    let error = stays(Side::Publisher, 3, wrong);
    assert!(error.to_string().contains("expected sha256"), "{error}");
}

#[test]
fn what_is_gone_refused_or_replaced_is_the_publishers() {
    for status in [404, 410, 403] {
        let error = stays(Side::Publisher, 1, move |_, _| Reply::status(status));
        assert!(
            matches!(error, StoreError::Gone { .. }) && !error.retry_is_safe(),
            "{error:?}"
        );
    }
    let replaced = |request: &Request, _| Reply::part(request, &object(BYTES), "v2");
    assert!(matches!(
        stays(Side::Publisher, 1, replaced),
        StoreError::Differs { .. }
    ));
    let longer = |request: &Request, _| Reply::part(request, &object(BYTES + 1), "v1");
    assert!(matches!(
        stays(Side::Publisher, 1, longer),
        StoreError::Differs { .. }
    ));
}

#[test]
fn wrong_keys_of_the_reader_are_the_readers_side() {
    let skewed = |_: &Request, _| Reply {
        body: b"<Error><Code>RequestTimeTooSkewed</Code></Error>".to_vec(),
        ..Reply::status(403)
    };
    assert!(matches!(stays(Side::Reader, 1, skewed), StoreError::Read(_)));
}

#[test]
fn an_index_of_another_revision_or_of_garbage_is_refused() {
    let server = serve(|_, _, reply| reply);
    let store = ObjectStore::new(&server.url("/base"), &quick(1_000)).unwrap();
    let error = wait(store.open(&repo("r1"), &Revision([9; 20]))).unwrap_err();
    assert!(matches!(error, StoreError::Differs { .. }), "{error:?}");
    let garbage = Server::start(|_| Reply::whole(b"<html>"));
    let store = ObjectStore::new(&garbage.url(""), &quick(1_000)).unwrap();
    let error = wait(store.open(&repo("r1"), &Revision([9; 20]))).unwrap_err();
    assert!(matches!(error, StoreError::BadIndex { .. }), "{error:?}");
    assert_eq!(error.side(), Side::Publisher);
}

#[test]
fn a_dead_host_is_the_readers_side() {
    let store = ObjectStore::new("http://127.0.0.1:1/base", &quick(1_000)).unwrap();
    let error = wait(store.open(&repo("r1"), &Revision([9; 20]))).unwrap_err();
    assert!(error.retry_is_safe() && error.side() == Side::Reader, "{error:?}");
}

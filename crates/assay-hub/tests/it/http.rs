//! Reading over HTTP: ranges, fallback, errors and their messages.

use std::io::Read;
use std::sync::mpsc::channel;
use std::time::Duration;

use assay_hub::{HubError, OpenOptions, Ranges, Source, open, open_range};

use crate::server::{Reply, Server, object, quick};

/// All bytes of a source, or the hub's error from opening or reading.
pub(crate) fn read_all(source: &Source, options: &OpenOptions) -> Result<Vec<u8>, HubError> {
    let mut bytes = Vec::new();
    let mut reader = open(source, options)?;
    match reader.read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => {
            // A reader that failed goes on failing: a broken object never looks like a finished one.
            assert!(reader.read(&mut [0; 16]).is_err());
            Err(*error.into_inner().unwrap().downcast().unwrap())
        }
    }
}

#[test]
fn a_good_server_is_read_in_growing_ranges() {
    let body = object(3 << 20);
    let served = body.clone();
    let server = Server::start(move |request| Reply::part(request, &served, "v1"));
    assert!(read_all(&server.source(), &quick(1 << 20)).unwrap() == body);
    let ranges: Vec<(u64, u64)> = server
        .requests()
        .iter()
        .filter_map(super::server::Request::range)
        .collect();
    let kib = |n: u64| n << 10;
    let starts = [0, kib(256), kib(1280), kib(2304)];
    assert_eq!(ranges.iter().map(|range| range.0).collect::<Vec<_>>(), starts);
    assert!(ranges.iter().all(|(first, last)| last - first < 1 << 20));
    let later = &server.requests()[1..];
    assert!(later.iter().all(|request| request.fields["if-match"] == "\"v1\""));
    assert_eq!(server.requests()[0].fields["accept-encoding"], "identity");
}

#[test]
fn empty_objects_are_empty() {
    let ranged = Server::start(|request| Reply::part(request, b"", "v1"));
    assert!(read_all(&ranged.source(), &quick(100)).unwrap().is_empty());
    let whole = Server::start(|_| Reply::whole(b""));
    assert!(read_all(&whole.source(), &quick(100)).unwrap().is_empty());
}

#[test]
fn a_server_without_ranges_is_read_in_one_stream() {
    let body = object(100_000);
    let served = body.clone();
    let server = Server::start(move |_| Reply::whole(&served).field("ETag", "\"v1\""));
    assert!(read_all(&server.source(), &quick(7_000)).unwrap() == body);
    assert_eq!(server.requests().len(), 1);
    assert_eq!(
        open_range(&server.source(), &quick(7_000), 90_000, 9).unwrap(),
        &body[90_000..90_009]
    );
}

#[test]
fn errors_that_stay_are_reported_at_once() {
    for (status, code, message) in [
        (404, "", "server answered 404"),
        (
            403,
            "<Error><Code>AccessDenied</Code></Error>",
            "server answered 403 (AccessDenied)",
        ),
        (410, "<Code>bad code</Code>", "server answered 410"),
        (204, "", "server sent a success without the object"),
    ] {
        let server = Server::start(move |_| Reply {
            body: code.into(),
            ..Reply::status(status)
        });
        let error = read_all(&server.source(), &quick(100)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("`{}`: {message}", server.url("/dir/x.warc.gz"))
        );
        assert!(!error.retryable() && error.help().is_some());
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn errors_that_pass_are_tried_again_until_the_limit() {
    let body = object(5_000);
    let served = body.clone();
    let server = Server::start(move |request| match request.number {
        0 => Reply::status(500),
        1 => Reply::status(503).field("Retry-After", "1000"),
        _ => Reply::part(request, &served, "v1"),
    });
    assert!(read_all(&server.source(), &quick(10_000)).unwrap() == body);
    assert_eq!(server.requests().len(), 3);

    let server = Server::start(|_| Reply::status(503));
    let error = read_all(&server.source(), &quick(10_000)).unwrap_err();
    assert!(matches!(error, HubError::Status { status: 503, .. }) && error.retryable());
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_body_that_always_breaks_ends_with_the_place() {
    let served = object(5_000);
    let server = Server::start(move |request| match request.range() {
        Some((first, _)) if first < 1_000 => Reply::part(request, &served, "v1").cut(1_000 - first as usize),
        _ => Reply::part(request, &served, "v1").cut(0),
    });
    let error = read_all(&server.source(), &quick(2_000)).unwrap_err();
    assert!(
        matches!(
            error,
            HubError::Broken {
                offset: 1_000,
                attempts: 4,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.retryable());
}

#[test]
fn an_object_that_changes_is_an_error() {
    let (old, new) = (object(5_000), vec![7; 5_000]);
    // One server checks `If-Match`, one ignores it, one only moves the date, one grows.
    for kind in 0..4 {
        let (old, new) = (old.clone(), new.clone());
        let server = Server::start(move |request| {
            let mut plain = request.clone();
            plain.fields.remove("if-match");
            match (request.number, kind) {
                (0, 2) => {
                    let mut reply = Reply::part(request, &old, "v1")
                        .field("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT");
                    reply.fields.retain(|(name, _)| *name != "ETag");
                    reply
                }
                (0, _) => Reply::part(request, &old, "v1"),
                (_, 0) => Reply::part(request, &new, "v2"),
                (_, 1) => Reply::part(&plain, &new, "v2"),
                (_, 2) => {
                    Reply::part(request, &new, "v2").field("Last-Modified", "Tue, 02 Jan 2024 00:00:00 GMT")
                }
                _ => Reply::part(request, &[&old[..], &new[..]].concat(), "v1"),
            }
        });
        let error = read_all(&server.source(), &quick(2_000)).unwrap_err();
        assert!(
            matches!(error, HubError::Changed { offset: 2_000, .. }),
            "{kind} {error:?}"
        );
    }
}

#[test]
fn a_part_that_is_another_one_is_an_error() {
    let server = Server::start(|_| {
        Reply {
            body: vec![0; 10],
            ..Reply::status(206)
        }
        .field("Content-Range", "bytes 5-14/20")
    });
    let error = read_all(&server.source(), &quick(100)).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("server sent another part than the one asked for")
    );
}

#[test]
fn credentials_are_in_no_error_but_reach_the_server() {
    let server = Server::start(|_| Reply::status(403));
    let url = server
        .url("/x?X-Amz-Signature=hidden&part=1")
        .replace("http://", "http://user:hidden@");
    let error = read_all(&Source::url(&url).unwrap(), &quick(100)).unwrap_err();
    let shown = format!("{error} {error:?} {:?}", error.help());
    assert!(!shown.contains("hidden") && shown.contains("part=1"), "{shown}");
    let request = &server.requests()[0];
    assert!(request.target.contains("X-Amz-Signature=hidden"));
    assert!(request.fields["authorization"].starts_with("Basic "));
}

#[test]
fn redirects_are_followed_up_to_a_limit() {
    let body = object(900);
    let served = body.clone();
    let server = Server::start(move |request| match request.target.as_str() {
        "/dir/x.warc.gz" => Reply::status(302).field("Location", "/there"),
        "/loop" => Reply::status(302).field("Location", "/loop"),
        _ => Reply::part(request, &served, "v1"),
    });
    assert!(read_all(&server.source(), &quick(400)).unwrap() == body);
    let error = read_all(&Source::url(&server.url("/loop")).unwrap(), &quick(400)).unwrap_err();
    assert!(
        error.to_string().ends_with("server sent too many redirects"),
        "{error}"
    );
}

#[test]
fn a_host_that_refuses_is_given_up_soon() {
    let server = Server::start(|_| Reply::status(500));
    let source = server.source();
    drop(server);
    let error = read_all(&source, &quick(100)).unwrap_err();
    assert!(
        matches!(
            error,
            HubError::Broken {
                offset: 0,
                attempts: 3,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.to_string().to_lowercase().contains("connect"), "{error}");
}

#[test]
fn a_silent_server_breaks_after_the_idle_time() {
    let (hold, held) = channel::<()>();
    let server = Server::start(move |_| {
        let _ = held.recv_timeout(Duration::from_secs(20));
        Reply::status(500)
    });
    let options = OpenOptions {
        idle_ms_max: 50,
        attempts_max: 1,
        ..quick(100)
    };
    let error = read_all(&server.source(), &options).unwrap_err();
    drop(hold);
    assert!(matches!(error, HubError::Broken { attempts: 1, .. }), "{error:?}");
}

#[test]
fn a_dropped_reader_stops_its_thread_in_a_request() {
    let served = object(600 << 10);
    let (hold, held) = channel::<()>();
    let server = Server::start(move |request| {
        if request.number > 0 {
            let _ = held.recv_timeout(Duration::from_secs(20));
        }
        Reply::part(request, &served, "v1")
    });
    let mut reader = open(&server.source(), &quick(1 << 20)).unwrap();
    reader.read_exact(&mut [0; 10]).unwrap();
    // Joins the thread, which waits for an answer that does not come.
    let start = std::time::Instant::now();
    drop(reader);
    assert!(start.elapsed() < Duration::from_secs(10));
    drop(hold);
}

#[test]
fn ranges_share_what_is_known_of_the_object() {
    let body = object(10_000);
    let served = body.clone();
    let server = Server::start(move |request| Reply::part(request, &served, "v1"));
    let mut ranges = Ranges::open(&server.source(), &quick(100)).unwrap();
    for (offset, len) in [(9_000, 1_000), (0, 1), (5_000, 3_000), (17, 0)] {
        assert!(ranges.read(offset, len).unwrap() == body[offset as usize..(offset + len) as usize]);
    }
    assert_eq!(server.requests().len(), 3);
    assert!(matches!(
        ranges.read(9_999, 2),
        Err(HubError::ShortRange { got: 1, .. })
    ));
    assert!(matches!(
        ranges.read(20_000, 2),
        Err(HubError::ShortRange { got: 0, .. })
    ));
}

#[test]
fn reading_works_inside_another_runtime() {
    let body = object(1_000);
    let served = body.clone();
    let server = Server::start(move |request| Reply::part(request, &served, "v1"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        assert!(read_all(&server.source(), &quick(300)).unwrap() == body);
        assert!(open_range(&server.source(), &quick(300), 10, 20).unwrap() == body[10..30]);
    });
}

#[test]
fn an_object_tells_its_version_when_it_is_read_and_later() {
    let (old, new) = (object(5_000), object(6_000));
    let server = Server::start(move |request| match request.number {
        0..=5 => Reply::part(request, &old, "v1"),
        6 => Reply::part(request, &new, "v2"),
        _ => Reply::status(503),
    });
    let source = server.source();
    let (mut reader, first) = assay_hub::open_version(&source, &quick(1_000)).unwrap();
    assert_eq!(
        (first.bytes, first.etag.as_deref()),
        (Some(5_000), Some("\"v1\""))
    );
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len(), 5_000);
    drop(reader);
    assert_eq!(server.requests().len(), 5);
    assert_eq!(assay_hub::version(&source, &quick(1_000)).unwrap(), first);
    let later = assay_hub::version(&source, &quick(1_000)).unwrap();
    assert_eq!(
        (later.bytes, later.etag.as_deref()),
        (Some(6_000), Some("\"v2\""))
    );
    // One attempt: whoever only asks does not wait.
    assert!(assay_hub::version(&source, &quick(1_000)).is_err());
    assert_eq!(server.requests().len(), 8);
}

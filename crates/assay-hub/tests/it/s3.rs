//! Reading from S3 as `moto` serves it, anonymously and with keys; needs a Python with `moto[server]`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use assay_hub::{HubError, OpenOptions, Ranges, Secret, Source};

use crate::http::read_all;
use crate::server::{Reply, Server, object, quick};

/// Starts moto on a free port with a bucket of one object and a bucket for stores that everybody may read, says where, and waits for standard input to close.
const SERVE: &str = r#"
import sys, json, logging, boto3
from moto.server import ThreadedMotoServer
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
server.start()
host, port = server.get_host_and_port()
url = f"http://127.0.0.1:{port}"
s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="AKIATEST", aws_secret_access_key="hidden")
s3.create_bucket(Bucket="crawl")
body = bytes(((i * 0x9e3779b97f4a7c15) & (2**64 - 1)) >> 56 for i in range(300000))
s3.put_object(Bucket="crawl", Key="dir/a b.warc.gz", Body=body, ACL="public-read")
s3.create_bucket(Bucket="sets")
s3.put_bucket_policy(Bucket="sets", Policy=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::sets/*"}]}))
print(url, flush=True)
sys.stdin.read()
server.stop()
"#;

pub(crate) struct Moto {
    pub(crate) url: String,
    process: Child,
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A running moto, or a printed line that the test is skipped.
pub(crate) fn moto() -> Option<Moto> {
    let Some(python) = std::env::var_os("ASSAY_PYTHON") else {
        assert!(
            std::env::var_os("ASSAY_REQUIRE").is_none(),
            "ASSAY_PYTHON is not set: a Python with moto[server,s3]"
        );
        eprintln!("skipped: ASSAY_PYTHON (a Python with moto[server,s3]) is not set");
        return None;
    };
    let mut command = Command::new(python);
    command
        .args(["-c", SERVE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    // Only the loopback address: whatever proxy or profile the machine has is not meant.
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "AWS_PROFILE",
    ] {
        command.env_remove(name);
    }
    let mut process = command.spawn().unwrap();
    // The server prints lines of its own first.
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let url = lines
        .map_while(Result::ok)
        .find(|line| line.starts_with("http://"));
    let url = url.expect("moto did not start: is moto[server,s3] installed?");
    Some(Moto { url, process })
}

pub(crate) fn options(endpoint: &str, keys: bool) -> OpenOptions {
    let mut options = quick(100_000);
    options.s3.endpoint = Some(endpoint.to_owned());
    if keys {
        options.s3.access_key_id = Some(Secret::new("AKIATEST"));
        options.s3.secret_access_key = Some(Secret::new("hidden"));
    }
    options
}

#[test]
fn objects_are_read_anonymously_and_with_keys() {
    let Some(moto) = moto() else { return };
    let body = object(300_000);
    let source = Source::url("s3://crawl/dir/a b.warc.gz").unwrap();
    for keys in [false, true] {
        let options = options(&moto.url, keys);
        assert!(read_all(&source, &options).unwrap() == body, "keys {keys}");
        let mut ranges = Ranges::open(&source, &options).unwrap();
        assert!(ranges.read(299_000, 1_000).unwrap() == body[299_000..]);
        let missing = Source::url("s3://crawl/dir/none.warc.gz").unwrap();
        let error = read_all(&missing, &options).unwrap_err();
        let HubError::Status {
            status: 404,
            code: Some(code),
            ..
        } = &error
        else {
            panic!("{error:?}")
        };
        assert_eq!(code, "NoSuchKey");
        let bucket = Source::url("s3://nobucket/x").unwrap();
        assert!(
            read_all(&bucket, &options)
                .unwrap_err()
                .to_string()
                .ends_with("404 (NoSuchBucket)")
        );
    }
}

#[test]
fn keys_sign_every_range_and_show_nowhere() {
    let body = object(250_000);
    let served = body.clone();
    let server = Server::start(move |request| {
        if request.target.contains("X-Amz-Signature=") && request.target.starts_with("/crawl/dir/x.gz?") {
            Reply::part(request, &served, "v1")
        } else {
            Reply::status(403)
        }
    });
    let source = Source::url("s3://crawl/dir/x.gz").unwrap();
    assert!(read_all(&source, &options(&server.url(""), true)).unwrap() == body);
    assert_eq!(server.requests().len(), 3);
    let error = read_all(&source, &options(&server.url(""), false)).unwrap_err();
    assert_eq!(error.to_string(), "`s3://crawl/dir/x.gz`: server answered 403");
}

#[test]
fn a_bucket_elsewhere_names_its_region() {
    let server = Server::start(|_| Reply::status(301).field("x-amz-bucket-region", "eu-west-1"));
    let error = read_all(
        &Source::url("s3://crawl/x").unwrap(),
        &options(&server.url(""), false),
    )
    .unwrap_err();
    assert_eq!(error.help().unwrap(), "set the option `s3.region` to `eu-west-1`");
}

#[test]
fn a_mirror_serves_a_bucket_to_anonymous_readers() {
    let server = Server::start(|request| match request.target.as_str() {
        "/base/crawl-data/x.gz" => Reply::part(request, b"mirrored", "v1"),
        _ => Reply::status(404),
    });
    let mut options = quick(100);
    options
        .s3
        .public_mirrors
        .insert("commoncrawl".to_owned(), server.url("/base/"));
    let source = Source::url("s3://commoncrawl/crawl-data/x.gz").unwrap();
    assert_eq!(read_all(&source, &options).unwrap(), b"mirrored");
}

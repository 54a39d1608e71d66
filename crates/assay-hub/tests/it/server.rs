//! A small HTTP server whose every answer a test decides: cut short, wrong, late in another version.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use assay_hub::{DIRECT, OpenOptions, Secret, Source};

/// One request as the server saw it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// How many came before, over all connections.
    pub(crate) number: usize,
    pub(crate) target: String,
    /// Field names in lower case.
    pub(crate) fields: BTreeMap<String, String>,
}

impl Request {
    /// First and last byte of the `Range` field.
    pub(crate) fn range(&self) -> Option<(u64, u64)> {
        let (first, last) = self
            .fields
            .get("range")?
            .strip_prefix("bytes=")?
            .split_once('-')?;
        Some((first.parse().unwrap(), last.parse().unwrap()))
    }
}

/// What the server sends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// Close the connection after that many bytes of the body, though `Content-Length` promises all.
    pub(crate) cut: Option<usize>,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// The whole object, whatever was asked.
    pub(crate) fn whole(body: &[u8]) -> Self {
        Self {
            status: 200,
            body: body.to_vec(),
            ..Self::default()
        }
    }

    /// The asked part of the object, as a good server sends it.
    pub(crate) fn part(request: &Request, body: &[u8], etag: &str) -> Self {
        let total = body.len() as u64;
        let tag = ("ETag", format!("\"{etag}\""));
        if request
            .fields
            .get("if-match")
            .is_some_and(|wanted| *wanted != tag.1)
        {
            return Self::status(412);
        }
        let (first, last) = request.range().unwrap();
        if first >= total {
            return Self {
                fields: vec![("Content-Range", format!("bytes */{total}"))],
                ..Self::status(416)
            };
        }
        let end = (last + 1).min(total);
        let fields = vec![
            tag,
            ("Content-Range", format!("bytes {first}-{}/{total}", end - 1)),
        ];
        Self {
            status: 206,
            fields,
            body: body[first as usize..end as usize].to_vec(),
            cut: None,
        }
    }

    pub(crate) fn cut(mut self, after: usize) -> Self {
        self.cut = Some(after);
        self
    }

    pub(crate) fn field(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, value.to_owned()));
        self
    }
}

/// A running server; ends when dropped.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves on a free port of the loopback address; connections one after the other, a request each.
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stopped = Arc::new(AtomicBool::new(false));
        let (seen, stop) = (Arc::clone(&requests), Arc::clone(&stopped));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let Some((stream, request)) = receive(stream.unwrap(), seen.lock().unwrap().len()) else {
                    continue;
                };
                seen.lock().unwrap().push(request.clone());
                // A reader that has gone away is part of some tests.
                let _ = send(stream, &answer(&request));
            }
        });
        Self {
            address,
            requests,
            stopped,
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    pub(crate) fn source(&self) -> Source {
        Source::url(&self.url("/dir/x.warc.gz")).unwrap()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn receive(stream: TcpStream, number: usize) -> Option<(TcpStream, Request)> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let target = lines.next()?.ok()?.split(' ').nth(1)?.to_owned();
    let mut fields = BTreeMap::new();
    for line in lines {
        match line.ok()?.split_once(':') {
            Some((name, value)) => fields.insert(name.to_ascii_lowercase(), value.trim().to_owned()),
            None => break,
        };
    }
    Some((
        stream,
        Request {
            number,
            target,
            fields,
        },
    ))
}

fn send(mut stream: TcpStream, reply: &Reply) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {} x\r\nConnection: close\r\n", reply.status)?;
    for (name, value) in &reply.fields {
        write!(stream, "{name}: {value}\r\n")?;
    }
    write!(stream, "Content-Length: {}\r\n\r\n", reply.body.len())?;
    stream.write_all(&reply.body[..reply.cut.unwrap_or(reply.body.len()).min(reply.body.len())])
}

/// Options without pauses or proxies, with small ranges.
pub(crate) fn quick(range_bytes_max: u64) -> OpenOptions {
    OpenOptions {
        range_bytes_max,
        attempts_max: 4,
        backoff_ms_min: 0,
        backoff_ms_max: 1,
        proxy: Some(Secret::new(DIRECT)),
        ..OpenOptions::default()
    }
}

/// Bytes that differ from place to place.
pub(crate) fn object(len: usize) -> Vec<u8> {
    (0..len as u64)
        .map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect()
}

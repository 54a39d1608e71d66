//! A small HTTP server whose every answer a test decides: cut short, wrong, late in another version. Tests of the agents
//! use it, too.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use assay_hub::{DIRECT, OpenOptions, Secret, Source};

/// One request as the server saw it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// How many came before, over all connections.
    pub(crate) number: usize,
    pub(crate) method: String,
    pub(crate) target: String,
    /// Field names in lower case.
    pub(crate) fields: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
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
    /// Send the body byte by byte, with such a pause between two, until the reader goes away.
    pub(crate) pause: Option<Duration>,
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
            ..Self::default()
        }
    }

    pub(crate) fn cut(mut self, after: usize) -> Self {
        self.cut = Some(after);
        self
    }

    /// No answer at all: the connection closes.
    pub(crate) fn reset() -> Self {
        Self::default()
    }

    /// An object as JSON.
    pub(crate) fn json(body: &serde_json::Value) -> Self {
        Self::whole(body.to_string().as_bytes()).field("Content-Type", "application/json")
    }

    pub(crate) fn slow(mut self, pause: Duration) -> Self {
        self.pause = Some(pause);
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
                let _ = send(stream, request.method == "HEAD", &answer(&request));
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
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = || -> Option<String> {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut fields = BTreeMap::new();
    while let Some((name, value)) = line()?.split_once(':') {
        fields.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    if fields.contains_key("expect") {
        (&stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    let mut body = Vec::new();
    if fields
        .get("transfer-encoding")
        .is_some_and(|value| value == "chunked")
    {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = u64::from_str_radix(size.trim(), 16).ok()?;
            (&mut reader).take(size).read_to_end(&mut body).ok()?;
            reader.read_line(&mut String::new()).ok()?;
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = fields.get("content-length") {
        (&mut reader)
            .take(length.parse().ok()?)
            .read_to_end(&mut body)
            .ok()?;
    }
    let request = Request {
        number,
        method,
        target,
        fields,
        body,
    };
    Some((stream, request))
}

fn send(mut stream: TcpStream, is_head: bool, reply: &Reply) -> std::io::Result<()> {
    if reply.status == 0 {
        return Ok(());
    }
    write!(stream, "HTTP/1.1 {} x\r\nConnection: close\r\n", reply.status)?;
    for (name, value) in &reply.fields {
        write!(stream, "{name}: {value}\r\n")?;
    }
    if !reply.fields.iter().any(|(name, _)| *name == "Content-Length") {
        write!(stream, "Content-Length: {}\r\n", reply.body.len())?;
    }
    stream.write_all(b"\r\n")?;
    if is_head {
        return Ok(());
    }
    let body = &reply.body[..reply.cut.unwrap_or(reply.body.len()).min(reply.body.len())];
    let Some(pause) = reply.pause else {
        return stream.write_all(body);
    };
    for byte in body {
        stream.write_all(&[*byte])?;
        std::thread::sleep(pause);
    }
    Ok(())
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

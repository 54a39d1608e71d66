//! A web server over a folder on the loopback address: whole files and ranges, whatever the query.

use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A web server over a folder: whole files and ranges, nothing else.
pub(crate) struct WebServer {
    pub(crate) address: std::net::SocketAddr,
    stopped: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl WebServer {
    pub(crate) fn start(folder: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                // A reader that goes away is no failure.
                let _ = serve(&folder, &stream.unwrap());
            }
        });
        Self {
            address,
            stopped,
            thread: Some(thread),
        }
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn serve(folder: &Path, mut stream: &TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let target = first
        .split(' ')
        .nth(1)
        .unwrap_or("/")
        .split('?')
        .next()
        .unwrap_or_default()
        .trim_start_matches('/')
        .to_owned();
    let mut range = None;
    for field in lines {
        let field = field?;
        if field.is_empty() {
            break;
        }
        if let Some((from, to)) = field
            .to_ascii_lowercase()
            .strip_prefix("range: bytes=")
            .and_then(|r| r.split_once('-'))
        {
            range = Some((from.parse::<u64>().unwrap(), to.parse::<u64>().unwrap()));
        }
    }
    let Ok(mut file) = std::fs::File::open(folder.join(&target)) else {
        return stream.write_all(b"HTTP/1.1 404 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    };
    let total = file.metadata()?.len();
    let (from, to) = range.unwrap_or((0, total - 1));
    if from >= total {
        return write!(
            stream,
            "HTTP/1.1 416 x\r\nConnection: close\r\nContent-Range: bytes */{total}\r\nContent-Length: 0\r\n\r\n"
        );
    }
    let to = to.min(total - 1);
    write!(
        stream,
        "HTTP/1.1 206 x\r\nConnection: close\r\nContent-Range: bytes {from}-{to}/{total}\r\nContent-Length: {}\r\n\r\n",
        to + 1 - from
    )?;
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.take(to + 1 - from).read_to_end(&mut bytes)?;
    stream.write_all(&bytes)
}

//! A remote object as a blocking reader: one thread fetches the next range while the current one is read.
//!
//! Takes ranges from `Connection`, gives bytes to whoever holds the `Read`. Two ranges are in memory. Dropping the
//! reader stops a request under way and ends the thread.

use std::future::{Future, poll_fn};
use std::io::{self, Read};
use std::pin::pin;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::connection::{Connection, runtime};
use super::version::ObjectVersion;
use crate::{HubError, OpenOptions};

/// Bytes of the first range: work starts after one round trip, and a small object costs one request.
const FIRST_RANGE_BYTES: u64 = 256 << 10;

/// Factor from range to range up to the full size.
const RANGE_GROWTH: u64 = 4;

/// One range, empty at the end of the object; or why there is none.
type Chunk = Result<Vec<u8>, HubError>;

/// A blocking reader of a remote object.
#[derive(Debug)]
pub(crate) struct RemoteReader {
    name: String,
    chunk: Vec<u8>,
    read: usize,
    ended: bool,
    version: Arc<OnceLock<ObjectVersion>>,
    chunks: Option<Receiver<Chunk>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl RemoteReader {
    /// Starts reading and waits for the first range, so that a missing object is an error here.
    pub(crate) fn open(url: &str, name: &str, options: &OpenOptions) -> Result<Self, HubError> {
        // No buffer: the thread holds one finished range at most.
        let (sender, chunks) = sync_channel(0);
        let (stop, stopped) = oneshot::channel();
        let version = Arc::default();
        let job = Job {
            version: Arc::clone(&version),
            url: url.to_owned(),
            name: name.to_owned(),
            options: options.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("assay-hub".to_owned())
            .spawn(move || job.fetch_all(&sender, stopped))
            .map_err(|error| HubError::Client {
                reason: error.to_string(),
            })?;
        let mut reader = Self {
            name: name.to_owned(),
            chunk: Vec::new(),
            read: 0,
            ended: false,
            version,
            chunks: Some(chunks),
            stop: Some(stop),
            thread: Some(thread),
        };
        reader.next_chunk()?;
        Ok(reader)
    }

    /// What the first answer said of the object's version.
    pub(crate) fn version(&self) -> ObjectVersion {
        self.version.get().cloned().unwrap_or_default()
    }

    fn next_chunk(&mut self) -> Result<(), HubError> {
        // A thread that is gone has failed before, and said so, or has crashed: never the end of the object.
        let gone = || {
            Err(HubError::Client {
                reason: format!("reading of `{}` failed before", self.name),
            })
        };
        let chunk = self
            .chunks
            .as_ref()
            .and_then(|chunks| chunks.recv().ok())
            .unwrap_or_else(gone)?;
        self.ended = chunk.is_empty();
        self.chunk = chunk;
        self.read = 0;
        Ok(())
    }
}

impl Read for RemoteReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.read >= self.chunk.len() && !self.ended {
            self.next_chunk().map_err(HubError::into_io)?;
        }
        let mut rest = self.chunk.get(self.read..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.read += count;
        Ok(count)
    }
}

impl Drop for RemoteReader {
    fn drop(&mut self) {
        // First the two things the thread may wait for, then the thread.
        self.chunks = None;
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A crash of the thread was reported when its chunk was missing.
            let _ = thread.join();
        }
    }
}

/// What the thread owns.
struct Job {
    version: Arc<OnceLock<ObjectVersion>>,
    url: String,
    name: String,
    options: OpenOptions,
}

impl Job {
    fn fetch_all(self, chunks: &SyncSender<Chunk>, mut stopped: oneshot::Receiver<()>) {
        let runtime = match runtime() {
            Ok(runtime) => runtime,
            Err(error) => {
                let _ = chunks.send(Err(error));
                return;
            }
        };
        runtime.block_on(async {
            let mut connection = match Connection::new(&self.url, &self.name, &self.options) {
                Ok(connection) => connection,
                Err(error) => {
                    let _ = chunks.send(Err(error));
                    return;
                }
            };
            let range_bytes_max = self.options.range_bytes_max.max(1);
            let (mut offset, mut len) = (0, FIRST_RANGE_BYTES.min(range_bytes_max));
            while let Some(chunk) = unless_stopped(&mut stopped, connection.read(offset, len)).await {
                if chunk.is_ok() {
                    self.version.get_or_init(|| connection.object_version());
                }
                let read = chunk.as_ref().map_or(0, |bytes| bytes.len() as u64);
                // The reader is gone, or has the end or the error it needs.
                if chunks.send(chunk).is_err() || read == 0 {
                    return;
                }
                offset += read;
                len = len.saturating_mul(RANGE_GROWTH).min(range_bytes_max);
            }
        });
        // A name look-up cannot be stopped; it ends on its own.
        runtime.shutdown_background();
    }
}

/// The future's value, or nothing as soon as the other end of `stopped` is dropped.
async fn unless_stopped<T>(
    stopped: &mut oneshot::Receiver<()>,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = pin!(future);
    let mut stopped = pin!(stopped);
    poll_fn(|context| {
        if stopped.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        future.as_mut().poll(context).map(Some)
    })
    .await
}

//! Events: the audit log as it grows, for those who listen.

use crate::app::App;
use crate::config::Limits;
use crate::failure::Failure;
use crate::store::{audit_entries, last_sequence};
use assay_types::api::{AuditEntry, EventKind, ProblemKind};
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;

/// Events a slow reader may lag behind before it is cut off.
const LAG_MAX: usize = 1_024;
/// Events a reconnecting reader is given from the past.
const RESUME_MAX: u64 = 10_000;
/// Entries read at a time.
const PAGE: u32 = 500;
/// Time between signs of life.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// An event as it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    sequence: u64,
    kind: EventKind,
    text: Bytes,
}

impl Event {
    fn new(entry: &AuditEntry) -> Self {
        let text = format!(
            "id: {}\nevent: {}\ndata: {}\n\n",
            entry.sequence,
            entry.kind.name(),
            entry.document
        );
        Self {
            sequence: entry.sequence,
            kind: entry.kind,
            text: Bytes::from(text),
        }
    }
}

/// Who listens.
#[derive(Debug)]
pub(crate) struct Events {
    sender: broadcast::Sender<Event>,
    open: Mutex<HashMap<IpAddr, usize>>,
    streams_max: usize,
    address_max: usize,
}

impl Events {
    /// Nobody yet.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            sender: broadcast::channel(LAG_MAX).0,
            open: Mutex::default(),
            streams_max: limits.streams_max,
            address_max: limits.address_streams_max,
        }
    }

    /// Streams open.
    pub(crate) fn count(&self) -> usize {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .sum()
    }

    fn enter(&self, address: IpAddr) -> Result<(), Failure> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let own = open.entry(address).or_default();
        if all >= self.streams_max || *own >= self.address_max {
            return Err(Failure::new(
                ProblemKind::TooManyStreams,
                format!(
                    "at most {} streams an address and {} in all; close one",
                    self.address_max, self.streams_max
                ),
            )
            .retry_after(30));
        }
        *own += 1;
        Ok(())
    }

    fn leave(&self, address: IpAddr) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&address) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                open.remove(&address);
            }
        }
    }
}

/// Sends every new entry of the audit log to who listens, and lets the cache forget older states; until `app` ends.
pub(crate) async fn publish(
    app: Arc<App>,
    mut shutdown: tokio::sync::watch::Receiver<bool>,
) -> Result<(), Failure> {
    let mut commits = app.writer().commits();
    let mut views = app.view_changes();
    let mut last = last_sequence(app.database().readers()).await?;
    let pause = Duration::from_millis(app.limits().snapshot_ms_min);
    loop {
        tokio::select! {
            changed = commits.changed() => if changed.is_err() { return Ok(()) },
            changed = views.changed() => if changed.is_err() { return Ok(()) },
            _ = shutdown.changed() => return Ok(()),
        }
        loop {
            let entries = audit_entries(app.database().readers(), last, PAGE).await?;
            let Some(newest) = entries.last() else { break };
            last = newest.sequence;
            for entry in &entries {
                // Nobody may listen.
                let _ = app.events.sender.send(Event::new(entry));
            }
        }
        app.cache.advance();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = shutdown.changed() => return Ok(()),
        }
    }
}

/// What a listener asks for.
#[derive(Debug, Clone)]
pub(crate) struct Listen {
    pub(crate) address: IpAddr,
    pub(crate) topics: BTreeSet<EventKind>,
    pub(crate) last_id: Option<u64>,
}

/// An open stream; leaves when dropped.
struct Listener {
    app: Arc<App>,
    listen: Listen,
    live: broadcast::Receiver<Event>,
    sent: u64,
    past: std::collections::VecDeque<Bytes>,
    is_caught_up: bool,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.app.events.leave(self.listen.address);
    }
}

impl Listener {
    /// The next bytes; none when the reader is too slow or the server ends.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.past.pop_front() {
                return Some(bytes);
            }
            if !self.is_caught_up {
                self.read_past().await.ok()?;
                continue;
            }
            match tokio::time::timeout(HEARTBEAT, self.live.recv()).await {
                Err(_) => return Some(Bytes::from_static(b": alive\n\n")),
                Ok(Err(_)) => return None,
                Ok(Ok(event)) if event.sequence <= self.sent || !self.wants(event.kind) => {}
                Ok(Ok(event)) => {
                    self.sent = event.sequence;
                    return Some(event.text);
                }
            }
        }
    }

    fn wants(&self, kind: EventKind) -> bool {
        self.listen.topics.is_empty() || self.listen.topics.contains(&kind)
    }

    async fn read_past(&mut self) -> Result<(), Failure> {
        let entries = audit_entries(self.app.database().readers(), self.sent, PAGE).await?;
        self.is_caught_up = entries.is_empty();
        for entry in &entries {
            self.sent = entry.sequence;
            if self.wants(entry.kind) {
                self.past.push_back(Event::new(entry).text);
            }
        }
        Ok(())
    }
}

/// A stream of events: from the one after `last_id`, or from now on.
pub(crate) async fn listen(app: Arc<App>, listen: Listen) -> Result<Response, Failure> {
    app.events.enter(listen.address)?;
    let mut listener = Listener {
        live: app.events.sender.subscribe(),
        app: Arc::clone(&app),
        sent: 0,
        past: std::collections::VecDeque::from([Bytes::from_static(b"retry: 3000\n\n")]),
        is_caught_up: true,
        listen,
    };
    let newest = last_sequence(app.database().readers()).await?;
    match listener.listen.last_id {
        None => listener.sent = newest,
        Some(id) if id <= newest && newest - id <= RESUME_MAX => {
            listener.sent = id;
            listener.is_caught_up = false;
        }
        Some(_) => {
            listener.sent = newest;
            let reset = format!("id: {newest}\nevent: reset\ndata: {{}}\n\n");
            listener.past.push_back(Bytes::from(reset));
        }
    }
    let chunks = stream::unfold(listener, |mut listener| async move {
        let bytes = listener.next().await?;
        Some((Ok::<_, std::convert::Infallible>(bytes), listener))
    });
    let mut response = Body::from_stream(chunks).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

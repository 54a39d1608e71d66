//! Events: the audit log as it grows, for those who listen.

use crate::app::App;
use crate::config::Limits;
use crate::failure::Failure;
use crate::limit::network_of;
use crate::store::{Parts, audit_entries, last_sequence};
use assay_types::api::{AuditEntry, EventKind, ProblemKind};
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{broadcast, watch};

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
    /// Streams of each network.
    open: Mutex<HashMap<IpAddr, usize>>,
    streams_max: usize,
    address_max: usize,
    closing: watch::Sender<bool>,
}

impl Events {
    /// Nobody yet.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            sender: broadcast::channel(LAG_MAX).0,
            open: Mutex::default(),
            streams_max: limits.streams_max,
            address_max: limits.address_streams_max,
            closing: watch::channel(false).0,
        }
    }

    /// Ends every stream, and those to come: their readers try again where they were, at the next server.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
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
        let network = network_of(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let own = open.get(&network).copied().unwrap_or_default();
        if all >= self.streams_max || own >= self.address_max {
            return Err(Failure::new(
                ProblemKind::TooManyStreams,
                format!(
                    "at most {} streams an address and {} in all; close one",
                    self.address_max, self.streams_max
                ),
            )
            .retry_after(30));
        }
        open.insert(network, own + 1);
        Ok(())
    }

    fn leave(&self, address: IpAddr) {
        let network = network_of(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&network) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                open.remove(&network);
            }
        }
    }
}

/// Parts of the store that an entry of the audit log tells of.
const fn parts_of(kind: EventKind) -> Parts {
    match kind {
        EventKind::Block | EventKind::Weights => Parts::CHAIN,
        EventKind::Round => Parts::ROUNDS.and(Parts::VERDICTS),
        EventKind::Health => Parts::ALL,
        EventKind::Submission => Parts::SUBMISSIONS,
        EventKind::Report | EventKind::Proof => Parts::EVIDENCE,
        EventKind::Duel => Parts::DUELS,
        EventKind::Release => Parts::RELEASES,
    }
}

/// Sends every new entry of the audit log to who listens, and lets the cache forget older states; until `app` ends.
pub(crate) async fn publish(app: Arc<App>, mut shutdown: watch::Receiver<bool>) -> Result<(), Failure> {
    let mut commits = app.writer().commits();
    let mut views = app.view_changes();
    let mut last = last_sequence(app.database().readers()).await?;
    // Another server may have written before: what was read until now, while this one started, may be old.
    app.writer().changes().count(Parts::ALL);
    let pause = Duration::from_millis(app.limits().snapshot_ms_min);
    // What another run of this loop was about to tell.
    app.cache.forget();
    loop {
        tokio::select! {
            changed = commits.changed() => if changed.is_err() { return Ok(()) },
            changed = views.changed() => if changed.is_err() { return Ok(()) },
            _ = shutdown.changed() => return Ok(()),
        }
        app.cache.advance(app.clock().now_ms());
        loop {
            let entries = audit_entries(app.database().readers(), last, PAGE).await?;
            let Some(newest) = entries.last() else { break };
            last = newest.sequence;
            // Another server may have written it.
            let changed = entries
                .iter()
                .fold(Parts::NONE, |all, entry| all.and(parts_of(entry.kind)));
            app.writer().changes().count(changed);
            // Before anybody is told: who asks because of an event gets the state with it.
            app.cache.advance(app.clock().now_ms());
            if entries.iter().any(|entry| entry.kind == EventKind::Health) {
                // A takedown is one: what it hides was on pages of states before.
                app.cache.forget();
            }
            for entry in &entries {
                // Nobody may listen.
                let _ = app.events.sender.send(Event::new(entry));
            }
        }
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
    closing: watch::Receiver<bool>,
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
            if *self.closing.borrow() {
                return None;
            }
            if let Some(bytes) = self.past.pop_front() {
                return Some(bytes);
            }
            if !self.is_caught_up {
                self.read_past().await.ok()?;
                continue;
            }
            let waited = tokio::select! {
                waited = tokio::time::timeout(HEARTBEAT, self.live.recv()) => waited,
                _ = self.closing.changed() => return None,
            };
            match waited {
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
        closing: app.events.closing.subscribe(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_counted_by_network_and_a_refusal_leaves_nothing() {
        let events = Events::new(&Limits {
            streams_max: 3,
            address_streams_max: 2,
            ..Limits::default()
        });
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        // Whoever has one address of a /64 has them all.
        events.enter(address("2001:db8::1")).unwrap();
        events.enter(address("2001:db8::2")).unwrap();
        let refused = events.enter(address("2001:db8::3")).unwrap_err();
        assert_eq!(refused.problem.code, "limit/streams");
        events.enter(address("192.0.2.1")).unwrap();
        for other in 2..200 {
            assert!(events.enter(address(&format!("192.0.2.{other}"))).is_err());
        }
        assert_eq!(events.count(), 3);
        assert_eq!(
            events.open.lock().unwrap().len(),
            2,
            "only who listens is remembered"
        );
        events.leave(address("2001:db8::9"));
        events.leave(address("2001:db8::1"));
        events.leave(address("192.0.2.1"));
        assert!(events.open.lock().unwrap().is_empty());
    }
}

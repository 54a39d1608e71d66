//! Rendered answers, once for each state of the store: body, compressed body, ETag. Few are rendered at once.
//!
//! While miners work the state is another one every second, and a site that rendered each page anew for whoever comes first
//! would make visitors wait for the database all the time. So who only follows a link is answered with what was rendered
//! seconds before, and the page is rendered again behind his back; who was told of an event, reloads or asks the API gets the
//! newest state (docs/website.md, "How fresh a page is").

mod rendered;
mod stands;

pub(crate) use rendered::Rendered;
pub(crate) use stands::Stands;

use crate::failure::Failure;
use assay_types::api::ProblemKind;
use axum::http::HeaderMap;
use axum::response::Response;
use stands::{PAGE_MS_AGAIN, PAGE_MS_AGAIN_CHANGED};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, OnceCell, Semaphore};

/// Answers that are rendered at once; each reads the database and then computes for milliseconds.
const RENDERS_MAX: usize = 16;
/// Answers that may wait for their turn. At 50 ms each the last one waits for a second.
const WAITING_MAX: usize = 320;
/// Seconds after which who was turned away tries again.
const RETRY_SECONDS: u32 = 2;

/// Pages that wait to be rendered again; one beyond them is rendered when it is too old to be given at all.
const QUEUE_MAX: usize = 1_024;
/// Longest key that is rendered again: a longer query is read in part only, and would be another page's.
const QUEUED_BYTES_MAX: usize = 2_048;

type Slot = Arc<OnceCell<Arc<Rendered>>>;

/// An answer of the newest state, and the last one before it.
#[derive(Debug, Default)]
struct Entry {
    now: Slot,
    last: Option<Arc<Rendered>>,
    /// Whether it waits to be rendered again.
    is_queued: bool,
}

impl Entry {
    /// What was rendered is the last one of a state before. Gives the bytes of what was the last one until now.
    fn age(&mut self) -> usize {
        let now = std::mem::take(&mut self.now);
        now.get().map_or(0, |rendered| self.put_last(rendered))
    }

    fn put_last(&mut self, rendered: &Arc<Rendered>) -> usize {
        let before = self.last.replace(Arc::clone(rendered));
        before.map_or(0, |before| before.bytes())
    }
}

#[derive(Debug, Default)]
struct Slots {
    /// Grows whenever the state is another.
    version: u64,
    /// How often everything was forgotten.
    forgotten: u64,
    bytes: usize,
    by_key: HashMap<String, Entry>,
    /// Keys to be rendered again.
    queue: VecDeque<String>,
}

/// Where an answer comes from.
enum Found {
    /// It is here.
    Rendered(Arc<Rendered>),
    /// It is rendered by who comes first.
    Slot(Slot),
}

/// Answers of the newest state.
#[derive(Debug)]
pub(crate) struct SnapshotCache {
    bytes_max: usize,
    /// Turns to render.
    turns: Semaphore,
    /// Places of those who render or wait for a turn.
    places: Semaphore,
    slots: Mutex<Slots>,
    /// Told of each key in the queue.
    queued: Notify,
}

impl SnapshotCache {
    /// A cache of so many bytes.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self::with_turns(bytes_max, (RENDERS_MAX, WAITING_MAX))
    }

    fn with_turns(bytes_max: usize, (renders, waiting): (usize, usize)) -> Self {
        Self {
            bytes_max,
            turns: Semaphore::new(renders),
            places: Semaphore::new(renders + waiting),
            slots: Mutex::default(),
            queued: Notify::new(),
        }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state is another at `now_ms`: what was rendered is given to nobody who wants the newest, and to nobody at all when it is
    /// too old.
    pub(crate) fn advance(&self, now_ms: u64) {
        let mut slots = self.slots();
        slots.version += 1;
        slots.by_key.retain(|_, entry| {
            // All bytes are counted anew below.
            let _ = entry.age();
            let stands = |last: &Arc<Rendered>| Stands::Recent(now_ms).is_met(last);
            entry.last.as_ref().is_some_and(stands)
        });
        let bytes =
            |(key, entry): (&String, &Entry)| key.len() + entry.last.as_ref().map_or(0, |last| last.bytes());
        slots.bytes = slots.by_key.iter().map(bytes).sum();
    }

    /// The state is another, and nothing of the one before may be shown again.
    pub(crate) fn forget(&self) {
        let mut slots = self.slots();
        *slots = Slots {
            version: slots.version + 1,
            forgotten: slots.forgotten.wrapping_add(1),
            ..Slots::default()
        };
    }

    /// A number that grows whenever the state is another.
    pub(crate) fn version(&self) -> u64 {
        self.slots().version
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.slots().bytes
    }

    /// The next key whose answer is to be rendered again; [`Self::rendered_again`] tells that it was.
    pub(crate) async fn next_queued(&self) -> String {
        loop {
            let queued = self.queued.notified();
            if let Some(key) = self.slots().queue.pop_front() {
                return key;
            }
            queued.await;
        }
    }

    /// A key of the queue was done.
    pub(crate) fn rendered_again(&self, key: &str) {
        if let Some(entry) = self.slots().by_key.get_mut(key) {
            entry.is_queued = false;
        }
    }

    /// What there is under a key, and how often everything was forgotten.
    fn find(&self, key: &str, stands: Stands) -> (u64, Found) {
        let mut slots = self.slots();
        if slots.bytes > self.bytes_max {
            slots.by_key.clear();
            slots.queue.clear();
            slots.bytes = 0;
        }
        let Slots {
            forgotten,
            bytes,
            by_key,
            queue,
            ..
        } = &mut *slots;
        let entry = if let Some(entry) = by_key.get_mut(key) {
            entry
        } else {
            *bytes += key.len();
            by_key.entry(key.to_owned()).or_default()
        };
        if let Some(now) = entry.now.get() {
            if stands.is_met(now) {
                let now = Arc::clone(now);
                if matches!(stands, Stands::Recent(_)) && stands.age_ms(&now) > PAGE_MS_AGAIN {
                    self.queue(entry, queue, key);
                }
                return (*forgotten, Found::Rendered(now));
            }
            *bytes = bytes.saturating_sub(entry.age());
        }
        let last = entry.last.clone().filter(|last| stands.is_met(last));
        if let (Stands::Recent(_), Some(last)) = (stands, last) {
            if stands.age_ms(&last) > PAGE_MS_AGAIN_CHANGED {
                self.queue(entry, queue, key);
            }
            return (*forgotten, Found::Rendered(last));
        }
        (*forgotten, Found::Slot(Arc::clone(&entry.now)))
    }

    fn queue(&self, entry: &mut Entry, queue: &mut VecDeque<String>, key: &str) {
        if !entry.is_queued && queue.len() < QUEUE_MAX && key.len() <= QUEUED_BYTES_MAX {
            entry.is_queued = true;
            queue.push_back(key.to_owned());
            self.queued.notify_one();
        }
    }

    /// Keeps what was rendered: for those who take the last one too, if the state is another by now.
    fn keep(&self, key: &str, forgotten: u64, (slot, rendered): (&Slot, &Arc<Rendered>)) {
        let mut slots = self.slots();
        if slots.forgotten != forgotten {
            return;
        }
        let Slots { bytes, by_key, .. } = &mut *slots;
        let entry = by_key.entry(key.to_owned()).or_insert_with(|| {
            *bytes += key.len();
            Entry::default()
        });
        let mut freed = 0;
        if !Arc::ptr_eq(&entry.now, slot) {
            if entry
                .last
                .as_ref()
                .is_some_and(|last| last.made_ms > rendered.made_ms)
            {
                return;
            }
            freed = entry.put_last(rendered);
        }
        *bytes = (*bytes + rendered.bytes()).saturating_sub(freed);
    }

    /// The JSON under `key`, see [`Self::answer_as`].
    pub(crate) async fn answer<F>(&self, key: &str, asked: &HeaderMap, render: F) -> Result<Response, Failure>
    where
        F: Future<Output = Result<Vec<u8>, Failure>>,
    {
        self.answer_as((key, "application/json"), (asked, Stands::State), render)
            .await
    }

    /// The answer under `key`, rendered by `render` if there is none that stands; many who ask at once wait for one.
    /// What could not be rendered is not kept. [`ProblemKind::Busy`] where too many other answers are being rendered.
    pub(crate) async fn answer_as<F, E>(
        &self,
        (key, kind): (&str, &'static str),
        (asked, stands): (&HeaderMap, Stands),
        render: F,
    ) -> Result<Response, E>
    where
        F: Future<Output = Result<Vec<u8>, E>>,
        E: From<Failure>,
    {
        let (forgotten, found) = self.find(key, stands);
        let slot = match found {
            Found::Rendered(rendered) => return Ok(rendered.respond(asked)),
            Found::Slot(slot) => slot,
        };
        let rendered = slot
            .get_or_try_init(|| async {
                let busy = || Failure::from(ProblemKind::Busy).retry_after(RETRY_SECONDS);
                let _place = self.places.try_acquire().map_err(|_| busy())?;
                let _turn = self.turns.acquire().await.map_err(|_| busy())?;
                let rendered = Arc::new(Rendered::new(kind, render.await?, stands.now_ms()));
                self.keep(key, forgotten, (&slot, &rendered));
                Ok::<_, E>(rendered)
            })
            .await?;
        Ok(rendered.respond(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderValue, StatusCode, header};

    fn asked(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[tokio::test]
    async fn one_state_is_rendered_once_and_known_answers_are_not_sent() {
        let cache = SnapshotCache::new(1 << 20);
        let body = vec![b'x'; 4_096];
        let first = cache
            .answer("/a", &HeaderMap::new(), async { Ok(body.clone()) })
            .await
            .unwrap();
        let etag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        let never = async { panic!("rendered twice") };
        let known = cache
            .answer("/a", &asked(header::IF_NONE_MATCH, &etag), never)
            .await
            .unwrap();
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
        let never = async { panic!("rendered twice") };
        let small = cache
            .answer("/a", &asked(header::ACCEPT_ENCODING, "gzip, br;q=0.9"), never)
            .await
            .unwrap();
        assert_eq!(small.headers()[header::CONTENT_ENCODING], "br");
        cache.advance(0);
        let stale = asked(header::IF_NONE_MATCH, &etag);
        let changed = cache.answer("/a", &stale, async { Ok(b"y".to_vec()) });
        assert_eq!(changed.await.unwrap().status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn few_render_few_wait_and_others_are_turned_away() {
        let cache = SnapshotCache::with_turns(1 << 20, (1, 1));
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        let headers = HeaderMap::new();
        let slow = cache.answer("/slow", &headers, async {
            let _ = gone.await;
            Ok(b"slow".to_vec())
        });
        let waits = cache.answer("/waits", &headers, async { Ok(b"waits".to_vec()) });
        let too_many = async {
            let refused = cache
                .answer("/more", &headers, async { panic!("rendered") })
                .await;
            let problem = refused.unwrap_err().problem;
            assert_eq!(
                (problem.code.as_str(), problem.retry_after),
                ("limit/busy", Some(RETRY_SECONDS))
            );
            go.send(()).unwrap();
        };
        let (slow, waits, ()) = tokio::join!(slow, waits, too_many);
        assert_eq!(
            (slow.unwrap().status(), waits.unwrap().status()),
            (StatusCode::OK, StatusCode::OK)
        );
        // What is here is answered without a turn, and a turned-away answer can be had later.
        let later = cache
            .answer("/more", &headers, async { Ok(b"more".to_vec()) })
            .await;
        assert_eq!(later.unwrap().status(), StatusCode::OK);
    }

    const PAGE: (&str, &str) = ("/page auto", "text/html");

    /// The page as it is given, rendered as `body` if it has to be.
    async fn page(cache: &SnapshotCache, stands: Stands, body: &str) -> String {
        let headers = HeaderMap::new();
        let render = async { Ok::<_, Failure>(body.as_bytes().to_vec()) };
        let answer = cache.answer_as(PAGE, (&headers, stands), render).await.unwrap();
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 10).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    fn queue(cache: &SnapshotCache) -> Vec<String> {
        cache.slots().queue.iter().cloned().collect()
    }

    #[tokio::test]
    async fn who_follows_a_link_gets_the_last_page_while_it_is_rendered_again() {
        let cache = SnapshotCache::new(1 << 20);
        assert_eq!(page(&cache, Stands::Recent(10_000), "one").await, "one");
        cache.advance(10_500);
        assert_eq!(page(&cache, Stands::Recent(11_000), "two").await, "one");
        assert!(queue(&cache).is_empty(), "too young to be rendered again");
        for _ in 0..3 {
            assert_eq!(page(&cache, Stands::Recent(12_000), "two").await, "one");
        }
        assert_eq!(cache.next_queued().await, PAGE.0);
        assert!(queue(&cache).is_empty(), "queued once");
        assert_eq!(page(&cache, Stands::Again(12_500), "two").await, "two");
        cache.rendered_again(PAGE.0);
        assert_eq!(page(&cache, Stands::Recent(13_000), "three").await, "two");
        // A reload, and the script behind an event, get the newest state, once rendered.
        cache.advance(13_500);
        assert_eq!(page(&cache, Stands::Newest(13_600), "three").await, "three");
        assert_eq!(page(&cache, Stands::Newest(13_700), "four").await, "three");
    }

    #[tokio::test]
    async fn a_page_stands_for_seconds_whatever_happens() {
        let cache = SnapshotCache::new(1 << 20);
        assert_eq!(page(&cache, Stands::Recent(10_000), "one").await, "one");
        assert_eq!(page(&cache, Stands::Recent(12_600), "two").await, "one");
        assert_eq!(queue(&cache), [PAGE.0], "rendered again before it is too old");
        assert_eq!(page(&cache, Stands::Recent(15_000), "two").await, "one");
        assert_eq!(page(&cache, Stands::Recent(15_001), "two").await, "two");
        cache.advance(20_001);
        assert_eq!(page(&cache, Stands::Recent(20_001), "three").await, "two");
        cache.advance(20_002);
        assert_eq!(cache.bytes(), 0, "nobody is given it again");
        assert_eq!(page(&cache, Stands::Recent(20_002), "three").await, "three");
    }

    #[tokio::test]
    async fn what_is_forgotten_is_shown_to_nobody_even_if_it_was_being_rendered() {
        let cache = SnapshotCache::new(1 << 20);
        assert_eq!(page(&cache, Stands::Recent(10_000), "shown").await, "shown");
        cache.forget();
        assert_eq!(page(&cache, Stands::Recent(10_001), "hidden").await, "hidden");
        cache.forget();
        let headers = HeaderMap::new();
        let slow = async {
            cache.forget();
            Ok::<_, Failure>(b"shown".to_vec())
        };
        let slow = cache.answer_as(PAGE, (&headers, Stands::Recent(10_002)), slow);
        assert_eq!(slow.await.unwrap().status(), StatusCode::OK);
        assert_eq!(page(&cache, Stands::Recent(10_003), "hidden").await, "hidden");
        // One that a new state overtakes is the last one.
        let overtaken = async {
            cache.advance(30_000);
            Ok::<_, Failure>(b"overtaken".to_vec())
        };
        let overtaken = cache.answer_as(PAGE, (&headers, Stands::Recent(30_000)), overtaken);
        assert_eq!(overtaken.await.unwrap().status(), StatusCode::OK);
        assert_eq!(page(&cache, Stands::Recent(30_500), "new").await, "overtaken");
        assert_eq!(page(&cache, Stands::Newest(30_500), "new").await, "new");
    }

    #[tokio::test]
    async fn a_full_cache_forgets() {
        let cache = SnapshotCache::new(10_000);
        for at in 0..50 {
            let body = vec![at; 600];
            cache
                .answer(&format!("/{at}"), &HeaderMap::new(), async { Ok(body) })
                .await
                .unwrap();
            assert!(cache.bytes() < 12_000, "{}", cache.bytes());
        }
    }
}

//! Rendered answers, once for each state of the store: body, compressed body, ETag. Few are rendered at once.

use crate::failure::Failure;
use assay_types::Digest;
use assay_types::api::ProblemKind;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OnceCell, Semaphore};

/// Brotli's effort: 5 of 11.
const BROTLI_QUALITY: u32 = 5;
/// log2 of brotli's window, bytes.
const BROTLI_WINDOW: u32 = 20;
/// Bodies below this are not compressed.
const COMPRESSED_BYTES_MIN: usize = 512;

/// A rendered answer.
#[derive(Debug)]
pub(crate) struct Rendered {
    kind: &'static str,
    etag: HeaderValue,
    plain: Bytes,
    brotli: Option<Bytes>,
}

impl Rendered {
    /// Bytes of a media type.
    pub(crate) fn new(kind: &'static str, plain: Vec<u8>) -> Self {
        let etag = format!("\"{}\"", Digest::of(&plain).truncated());
        let is_packed = kind == "image/png";
        let brotli = (plain.len() >= COMPRESSED_BYTES_MIN && !is_packed)
            .then(|| compress(&plain))
            .flatten();
        Self {
            kind,
            etag: HeaderValue::from_str(&etag).unwrap_or(HeaderValue::from_static("\"\"")),
            plain: Bytes::from(plain),
            brotli: brotli.map(Bytes::from),
        }
    }

    fn bytes(&self) -> usize {
        self.plain.len() + self.brotli.as_ref().map_or(0, Bytes::len)
    }

    /// The answer to a request with these headers: unchanged, compressed or plain.
    pub(crate) fn respond(&self, asked: &HeaderMap) -> Response {
        let is_known = asked
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| tag.trim().trim_start_matches("W/").as_bytes() == self.etag.as_bytes());
        let brotli = self.brotli.as_ref().filter(|_| takes_brotli(asked));
        let mut response = match (is_known, brotli) {
            (true, _) => StatusCode::NOT_MODIFIED.into_response(),
            (false, Some(bytes)) => Body::from(bytes.clone()).into_response(),
            (false, None) => Body::from(self.plain.clone()).into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if !is_known {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
            if brotli.is_some() {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
            }
        }
        response
    }
}

fn compress(plain: &[u8]) -> Option<Vec<u8>> {
    let mut compressed = Vec::with_capacity(plain.len() / 4);
    let mut writer = brotli::CompressorWriter::new(&mut compressed, 4_096, BROTLI_QUALITY, BROTLI_WINDOW);
    writer.write_all(plain).ok()?;
    drop(writer);
    (compressed.len() < plain.len()).then_some(compressed)
}

/// Whether `Accept-Encoding` names brotli and does not rule it out.
fn takes_brotli(asked: &HeaderMap) -> bool {
    asked
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            parts.next() == Some("br")
                && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
}

/// Answers that are rendered at once; each reads the database and then computes for milliseconds.
const RENDERS_MAX: usize = 16;
/// Answers that may wait for their turn. At 50 ms each the last one waits for a second.
const WAITING_MAX: usize = 320;
/// Seconds after which who was turned away tries again.
const RETRY_SECONDS: u32 = 2;

type Slot = Arc<OnceCell<Arc<Rendered>>>;

#[derive(Debug, Default)]
struct Slots {
    version: u64,
    bytes: usize,
    by_key: HashMap<String, Slot>,
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
        }
    }

    /// Forgets what was rendered: the state is another. What is being rendered is answered once more, but not kept.
    pub(crate) fn advance(&self) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        *slots = Slots {
            version: slots.version.wrapping_add(1),
            ..Slots::default()
        };
    }

    /// A number that changes with the state.
    pub(crate) fn version(&self) -> u64 {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).version
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    fn slot(&self, key: &str) -> (u64, Slot) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.bytes > self.bytes_max {
            slots.by_key.clear();
            slots.bytes = 0;
        }
        let version = slots.version;
        if let Some(slot) = slots.by_key.get(key) {
            return (version, Arc::clone(slot));
        }
        slots.bytes += key.len();
        let slot = Slot::default();
        slots.by_key.insert(key.to_owned(), Arc::clone(&slot));
        (version, slot)
    }

    fn count(&self, version: u64, bytes: usize) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.version == version {
            slots.bytes += bytes;
        }
    }

    /// The JSON under `key`, see [`Self::answer_as`].
    pub(crate) async fn answer<F>(&self, key: &str, asked: &HeaderMap, render: F) -> Result<Response, Failure>
    where
        F: Future<Output = Result<Vec<u8>, Failure>>,
    {
        self.answer_as((key, "application/json"), asked, render).await
    }

    /// The answer under `key`, rendered by `render` if the newest state has none yet; many who ask at once wait for one.
    /// What could not be rendered is not kept. [`ProblemKind::Busy`] where too many other answers are being rendered.
    pub(crate) async fn answer_as<F, E>(
        &self,
        (key, kind): (&str, &'static str),
        asked: &HeaderMap,
        render: F,
    ) -> Result<Response, E>
    where
        F: Future<Output = Result<Vec<u8>, E>>,
        E: From<Failure>,
    {
        let (version, slot) = self.slot(key);
        let rendered = slot
            .get_or_try_init(|| async {
                let busy = || Failure::from(ProblemKind::Busy).retry_after(RETRY_SECONDS);
                let _place = self.places.try_acquire().map_err(|_| busy())?;
                let _turn = self.turns.acquire().await.map_err(|_| busy())?;
                let rendered = Arc::new(Rendered::new(kind, render.await?));
                self.count(version, rendered.bytes());
                Ok::<_, E>(rendered)
            })
            .await?;
        Ok(rendered.respond(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        cache.advance();
        let stale = asked(header::IF_NONE_MATCH, &etag);
        let changed = cache.answer("/a", &stale, async { Ok(b"y".to_vec()) });
        assert_eq!(changed.await.unwrap().status(), StatusCode::OK);
        assert!(!takes_brotli(&asked(header::ACCEPT_ENCODING, "br;q=0, gzip")));
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

//! What was read of the store and computed of it, kept until the parts of the store that it comes from change.
//!
//! Pages are rendered anew every second while miners report progress, but verdicts change once a round and recipes once a
//! week: without this a page of a full subnet reads thousands of rows each time (docs/performance.md, "Pages").

use crate::store::{Changes, Parts};
use assay_types::Round;
use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;

/// Answers kept; beyond them all are forgotten.
const ANSWERS_MAX: usize = 256;

/// The place where an answer comes to be, and until then the one before it.
#[derive(Debug)]
struct Cell<T> {
    answer: OnceCell<Arc<T>>,
    before: Mutex<Option<Arc<T>>>,
}

impl<T> Cell<T> {
    fn before(&self) -> MutexGuard<'_, Option<Arc<T>>> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest answer there is.
    fn newest(&self) -> Option<Arc<T>> {
        self.answer.get().cloned().or_else(|| self.before().clone())
    }
}

/// An answer's place with the state it is of.
#[derive(Debug)]
struct Kept {
    state: u64,
    cell: Arc<dyn Any + Send + Sync>,
}

/// Answers by the question.
#[derive(Debug)]
pub(crate) struct Memo {
    changes: Arc<Changes>,
    kept: Mutex<HashMap<String, Kept>>,
}

impl Memo {
    /// Over the changes that a writer counts.
    pub(crate) fn new(changes: Arc<Changes>) -> Self {
        Self {
            changes,
            kept: Mutex::default(),
        }
    }

    /// The state of some parts: a number that grows with each change of one. Asked for before anything is read, so that a change
    /// in between makes the answer old.
    pub(crate) fn of(&self, parts: Parts) -> u64 {
        self.changes.of(parts)
    }

    /// The state of some parts as of a round: behind it the answer of the round before is not kept.
    pub(crate) fn as_of(&self, parts: Parts, round: Round) -> u64 {
        u64::from(round.0) << 32 | (self.of(parts) & u64::from(u32::MAX))
    }

    /// The answer to `question` in a state; many who ask at once wait for one, and one of another state is replaced. A question
    /// has one type of answer. What cannot be read is not kept.
    pub(crate) fn get<T, E, F>(
        &self,
        state: u64,
        question: String,
        read: F,
    ) -> impl Future<Output = Result<Arc<T>, E>>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T, E>>,
    {
        // On the heap: it is mostly not needed.
        let read = Box::pin(read);
        self.carry(state, question, |_| read)
    }

    /// The same where an answer can be made from the one before it, of whatever state that is.
    pub(crate) fn carry<T, E, F, R>(
        &self,
        state: u64,
        question: String,
        read: R,
    ) -> impl Future<Output = Result<Arc<T>, E>>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T, E>>,
        R: FnOnce(Option<Arc<T>>) -> F,
    {
        let cell = self.cell::<T>(question, state);
        async move {
            let read = async || {
                let before = cell.before().clone();
                let answer = Arc::new(Box::pin(read(before)).await?);
                drop(cell.before().take());
                Ok::<_, E>(answer)
            };
            Ok(Arc::clone(cell.answer.get_or_try_init(read).await?))
        }
    }

    fn cell<T: Send + Sync + 'static>(&self, question: String, state: u64) -> Arc<Cell<T>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept
            .get(&question)
            .and_then(|found| Some((found.state, Arc::clone(&found.cell).downcast::<Cell<T>>().ok()?)));
        let before = match found {
            Some((of, cell)) if of == state => return cell,
            Some((_, cell)) => cell.newest(),
            None => None,
        };
        if kept.len() >= ANSWERS_MAX && !kept.contains_key(&question) {
            kept.clear();
        }
        let cell = Arc::new(Cell {
            answer: OnceCell::new(),
            before: Mutex::new(before),
        });
        let new = Kept {
            state,
            cell: Arc::<Cell<T>>::clone(&cell),
        };
        kept.insert(question, new);
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::scratch::Scratch;
    use crate::store::{NonceOnly, Signed};
    use assay_types::Hotkey;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn an_answer_holds_until_its_parts_change() {
        let store = Scratch::new().await;
        let writer = &store.writer;
        let memo = Memo::new(writer.changes());
        let read = AtomicU32::new(0);
        let ask = async |parts: Parts| {
            let count = async { Ok::<_, ()>(read.fetch_add(1, Ordering::Relaxed)) };
            *memo
                .get(memo.of(parts), format!("{parts:?}"), count)
                .await
                .unwrap()
        };
        assert_eq!((ask(Parts::VERDICTS).await, ask(Parts::VERDICTS).await), (0, 0));
        assert_eq!(ask(Parts::RELEASES).await, 1);
        // Progress of a miner changes nothing of it.
        let progress = Signed {
            hotkey: Hotkey([1; 32]),
            nonce: 1,
            write: NonceOnly,
        };
        writer.write(progress).await.unwrap().unwrap();
        assert_eq!((ask(Parts::VERDICTS).await, ask(Parts::RELEASES).await), (0, 1));
        let recipe = crate::store::AddRecipeText {
            recipe_id: assay_types::recipe::fineweb_en_v1().id(),
            author: None,
            toml: assay_types::recipe::fineweb_en_v1().to_canonical(),
            now_ms: 1,
        };
        writer.write(recipe).await.unwrap();
        assert_eq!((ask(Parts::VERDICTS).await, ask(Parts::RELEASES).await), (0, 2));
        let fails = memo.get(0, "fails".to_owned(), async { Err::<u32, _>("away") });
        assert_eq!(fails.await.unwrap_err(), "away");
        let works = memo.get(0, "fails".to_owned(), async { Ok::<_, ()>(7_u32) });
        assert_eq!(*works.await.unwrap(), 7);
    }

    #[tokio::test]
    async fn an_answer_is_made_from_the_one_before_also_behind_an_error() {
        let memo = Memo::new(Arc::default());
        let add = async |state: u64, fails: bool| {
            let read = |before: Option<Arc<u64>>| async move {
                let sum = before.map_or(0, |before| *before) + state;
                if fails { Err("away") } else { Ok(sum) }
            };
            memo.carry(state, "sum".to_owned(), read).await.map(|sum| *sum)
        };
        assert_eq!(add(1, false).await, Ok(1));
        assert_eq!(add(2, true).await, Err("away"));
        assert_eq!(add(2, false).await, Ok(3));
        assert_eq!(add(2, false).await, Ok(3), "kept");
        assert_eq!(add(3, true).await, Err("away"));
        assert_eq!(add(4, false).await, Ok(7), "3 was never there");
    }
}

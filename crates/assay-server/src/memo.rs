//! What was read of the store and computed of it, kept until the parts of the store that it comes from change.
//!
//! Pages are rendered anew every second while miners report progress, but verdicts change once a round and recipes once a
//! week: without this a page of a full subnet reads thousands of rows each time (docs/performance.md, "Pages").

use crate::store::{Changes, Parts};
use assay_types::Round;
use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// Answers kept; beyond them all are forgotten.
const ANSWERS_MAX: usize = 256;

/// An answer, or the place where it comes to be, with the state it is of.
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
        let cell = self.cell::<T>(question, state);
        // On the heap: it is mostly not needed.
        let read = Box::pin(read);
        async move {
            let answer = cell
                .get_or_try_init(|| async { Ok::<_, E>(Arc::new(read.await?)) })
                .await?;
            Ok(Arc::clone(answer))
        }
    }

    fn cell<T: Send + Sync + 'static>(&self, question: String, state: u64) -> Arc<OnceCell<Arc<T>>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(&question).filter(|found| found.state == state);
        if let Some(cell) = found.and_then(|found| Arc::clone(&found.cell).downcast().ok()) {
            return cell;
        }
        if kept.len() >= ANSWERS_MAX {
            kept.clear();
        }
        let cell = Arc::<OnceCell<Arc<T>>>::default();
        let new = Kept {
            state,
            cell: Arc::<OnceCell<Arc<T>>>::clone(&cell),
        };
        kept.insert(question, new);
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Database, NonceOnly, Signed, Writer};
    use assay_types::Hotkey;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn an_answer_holds_until_its_parts_change() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("assay.sqlite").display().to_string();
        let database = Database::open(&place, "test").await.unwrap();
        let (writer, _task) = Writer::start(&database);
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
}

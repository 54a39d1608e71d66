//! One task that writes: it takes what waits, runs it in one transaction, commits, then answers everyone.
//!
//! A commit costs a sync of the disk whatever is in it, so under load many operations share one. An operation that fails
//! takes nobody with it: the group is rolled back and each of it is tried alone.

use super::{Changes, Database, Parts, StoreError};
use futures_util::future::BoxFuture;
use sqlx::{AnyConnection, Connection as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{mpsc, oneshot, watch};

/// Operations that may wait.
const WAITING_MAX: usize = 4_096;
/// Operations of one commit.
const GROUP_MAX: usize = 512;

/// An operation on the database. It may run twice if the first try is rolled back, so it only reads itself.
pub trait Write: Send + Sync + 'static {
    /// What it answers; a refusal is an answer, not an error.
    type Out: Send + 'static;

    /// Parts of the store that it may change.
    fn touches(&self) -> Parts {
        Parts::ALL
    }

    /// Runs within a transaction.
    fn apply<'a>(&'a self, connection: &'a mut AnyConnection)
    -> BoxFuture<'a, Result<Self::Out, StoreError>>;
}

/// An operation with its answer's address, of any kind.
trait Job: Send {
    fn touches(&self) -> Parts;
    fn run<'a>(&'a mut self, connection: &'a mut AnyConnection) -> BoxFuture<'a, Result<(), StoreError>>;
    fn finish(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Typed<W: Write> {
    write: W,
    out: Option<W::Out>,
    reply: oneshot::Sender<Result<W::Out, StoreError>>,
}

impl<W: Write> Job for Typed<W> {
    fn touches(&self) -> Parts {
        self.write.touches()
    }

    fn run<'a>(&'a mut self, connection: &'a mut AnyConnection) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.out = Some(self.write.apply(connection).await?);
            Ok(())
        })
    }

    fn finish(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { out, reply, .. } = *self;
        // Who asked may have gone away.
        let _ = reply.send(committed.and_then(|()| out.ok_or(StoreError::Closed)));
    }
}

/// The handle of the writing task.
#[derive(Clone)]
pub struct Writer {
    jobs: mpsc::Sender<Box<dyn Job>>,
    commits: watch::Receiver<u64>,
    changes: Arc<Changes>,
    full: Arc<AtomicBool>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("commits", &*self.commits.borrow())
            .finish_non_exhaustive()
    }
}

impl Writer {
    /// Starts the task; it ends when every handle is gone and all that waited is written.
    pub fn start(database: &Database) -> (Self, tokio::task::JoinHandle<()>) {
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let (counted, commits) = watch::channel(0);
        let full = Arc::new(AtomicBool::new(false));
        let changes = Arc::<Changes>::default();
        let writing = Writing {
            database: database.clone(),
            commits: counted,
            changes: Arc::clone(&changes),
            full: Arc::clone(&full),
        };
        let task = tokio::spawn(writing.write_all(waiting));
        let writer = Self {
            jobs,
            commits,
            changes,
            full,
        };
        (writer, task)
    }

    /// Runs an operation and answers after its commit.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if too much waits, [`StoreError::Full`] without room, or what the database says.
    pub async fn write<W: Write>(&self, write: W) -> Result<W::Out, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Typed {
            write,
            out: None,
            reply,
        });
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// A counter that changes with every commit.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.clone()
    }

    /// How often each part of the store has changed: counted before who wrote is answered.
    pub fn changes(&self) -> Arc<Changes> {
        Arc::clone(&self.changes)
    }

    /// Whether the last write failed for want of room.
    pub fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }
}

/// What the task holds.
struct Writing {
    database: Database,
    commits: watch::Sender<u64>,
    changes: Arc<Changes>,
    full: Arc<AtomicBool>,
}

impl Writing {
    async fn write_all(self, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
        let mut group: Vec<Box<dyn Job>> = Vec::new();
        while waiting.recv_many(&mut group, GROUP_MAX).await > 0 {
            let result = self.commit(&mut group).await;
            if result.is_err() && group.len() > 1 {
                for job in std::mem::take(&mut group) {
                    let mut alone = vec![job];
                    let result = self.commit(&mut alone).await;
                    self.answer(alone, result);
                }
            } else {
                self.answer(std::mem::take(&mut group), result);
            }
            self.commits.send_modify(|count| *count += 1);
        }
    }

    /// Runs a group in one transaction.
    async fn commit(&self, group: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
        let mut connection = self.database.writer().acquire().await?;
        let mut transaction = connection.begin().await?;
        for job in group.iter_mut() {
            job.run(&mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Tells everyone of a group how it went; an error is told in full to the first and by its kind to the rest.
    fn answer(&self, group: Vec<Box<dyn Job>>, result: Result<(), StoreError>) {
        let is_full = matches!(result, Err(StoreError::Full));
        self.full.store(is_full, Ordering::Relaxed);
        // What is stale is computed again by its caller.
        if let Err(error) = &result
            && !matches!(error, StoreError::Stale)
        {
            tracing::error!(error = error as &dyn std::error::Error, "a write failed");
        }
        // Also behind an error: a commit whose answer was lost may stand.
        let touched = group.iter().fold(Parts::NONE, |all, job| all.and(job.touches()));
        self.changes.count(touched);
        let mut result = Some(result);
        for job in group {
            job.finish(result.take().unwrap_or(Ok(())));
        }
    }
}

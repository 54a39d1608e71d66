//! Ordered parallel map: items of one sequential source go through worker threads and reach one sink in source order.
//!
//! The source (an archive reader) and the sink (the unit writer) are sequential by nature; the work between them is
//! not. Whoever finishes the item that is next in order empties the queue into the sink, so there is no extra
//! thread, and with one thread nothing is ever queued. The number of threads changes no output: the sink sees the
//! same items in the same order.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Finished items waiting for an earlier one may weigh this many bytes before workers pause reading.
pub const PENDING_BYTES_MAX: usize = 64 << 20;

/// Most finished items that may wait for an earlier one, whatever their weight.
pub const PENDING_ITEMS_MAX: usize = 4096;

/// What the three parts of a run do: `read` gives the next item, `work` maps it, `write` takes results in order.
pub trait Flow: Sync {
    /// One unit of input.
    type Item: Send;
    /// Its result.
    type Output: Send;
    /// State of one worker thread (scratch buffers, memos); never shared.
    type Worker: Send;
    /// What reading or writing may fail with; the first failure ends the run.
    type Error: Send;

    /// A fresh worker state, made once per thread.
    fn worker(&self) -> Self::Worker;
    /// Maps one item. Must be a pure function of the item.
    fn work(&self, worker: &mut Self::Worker, item: Self::Item) -> Self::Output;
    /// Bytes a waiting output holds, for the bound on memory.
    fn weight(&self, output: &Self::Output) -> usize;
}

struct Queue<O> {
    /// Finished outputs that wait for an earlier one.
    waiting: BTreeMap<u64, O>,
    /// Sequence number the sink expects next.
    next: u64,
    bytes: usize,
    stopped: bool,
}

struct Source<R> {
    read: R,
    next: u64,
    ended: bool,
}

struct Shared<R, W, O, E> {
    source: Mutex<Source<R>>,
    sink: Mutex<W>,
    queue: Mutex<Queue<O>>,
    room: Condvar,
    failure: Mutex<Option<E>>,
}

/// A poisoned lock means another worker panicked; the scope re-raises that panic, so the data is not used further.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `flow` over everything `read` gives, with `threads` workers (0 counts as 1), and hands every output to `write`
/// in the order of reading.
///
/// # Errors
/// The first error of `read` or `write`; outputs before it have been written.
pub fn ordered<F, R, W>(flow: &F, threads: usize, mut read: R, mut write: W) -> Result<(), F::Error>
where
    F: Flow,
    R: FnMut() -> Result<Option<F::Item>, F::Error> + Send,
    W: FnMut(F::Output) -> Result<(), F::Error> + Send,
{
    if threads <= 1 {
        let mut worker = flow.worker();
        while let Some(item) = read()? {
            write(flow.work(&mut worker, item))?;
        }
        return Ok(());
    }
    let shared = Shared {
        source: Mutex::new(Source {
            read,
            next: 0,
            ended: false,
        }),
        sink: Mutex::new(write),
        queue: Mutex::new(Queue {
            waiting: BTreeMap::new(),
            next: 0,
            bytes: 0,
            stopped: false,
        }),
        room: Condvar::new(),
        failure: Mutex::new(None),
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| run_worker(flow, &shared));
        }
        run_worker(flow, &shared);
    });
    match lock(&shared.failure).take() {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

fn run_worker<F, R, W>(flow: &F, shared: &Shared<R, W, F::Output, F::Error>)
where
    F: Flow,
    R: FnMut() -> Result<Option<F::Item>, F::Error> + Send,
    W: FnMut(F::Output) -> Result<(), F::Error> + Send,
{
    // A panicking worker would leave the others waiting for its item for ever: stop them on unwind.
    let guard = StopOnPanic(shared);
    let mut worker = flow.worker();
    while let Some((sequence, item)) = next_item::<F, R, W>(shared) {
        let output = flow.work(&mut worker, item);
        {
            let mut queue = lock(&shared.queue);
            queue.bytes += flow.weight(&output);
            queue.waiting.insert(sequence, output);
        }
        drain(flow, shared);
    }
    std::mem::forget(guard);
}

struct StopOnPanic<'a, R, W, O, E>(&'a Shared<R, W, O, E>);

impl<R, W, O, E> Drop for StopOnPanic<'_, R, W, O, E> {
    fn drop(&mut self) {
        lock(&self.0.queue).stopped = true;
        self.0.room.notify_all();
    }
}

/// The next item and its sequence number, or `None` at the end or after a failure. Waits while too much is queued:
/// the item the sink waits for is then in another worker's hands, so somebody always makes progress.
fn next_item<F, R, W>(shared: &Shared<R, W, F::Output, F::Error>) -> Option<(u64, F::Item)>
where
    F: Flow,
    R: FnMut() -> Result<Option<F::Item>, F::Error>,
{
    {
        let mut queue = lock(&shared.queue);
        while !queue.stopped
            && !queue.waiting.contains_key(&queue.next)
            && (queue.bytes > PENDING_BYTES_MAX || queue.waiting.len() >= PENDING_ITEMS_MAX)
        {
            queue = shared.room.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if queue.stopped {
            return None;
        }
    }
    let mut source = lock(&shared.source);
    if source.ended {
        return None;
    }
    match (source.read)() {
        Ok(Some(item)) => {
            let sequence = source.next;
            source.next += 1;
            Some((sequence, item))
        }
        Ok(None) => {
            source.ended = true;
            None
        }
        Err(error) => {
            source.ended = true;
            drop(source);
            // Items read before the failure are still written: only reading stops.
            lock(&shared.failure).get_or_insert(error);
            None
        }
    }
}

/// Writes what is next in order, as long as there is any and nobody else is writing.
fn drain<F, R, W>(flow: &F, shared: &Shared<R, W, F::Output, F::Error>)
where
    F: Flow,
    W: FnMut(F::Output) -> Result<(), F::Error>,
{
    loop {
        let Ok(mut sink) = shared.sink.try_lock() else {
            return;
        };
        while let Some(output) = pop_next(flow, shared) {
            if let Err(error) = sink(output) {
                lock(&shared.failure).get_or_insert(error);
                lock(&shared.queue).stopped = true;
                shared.room.notify_all();
                return;
            }
        }
        drop(sink);
        // An output that came between the last look and the unlock found the sink taken: look once more.
        let queue = lock(&shared.queue);
        if queue.stopped || !queue.waiting.contains_key(&queue.next) {
            return;
        }
    }
}

fn pop_next<F, R, W>(flow: &F, shared: &Shared<R, W, F::Output, F::Error>) -> Option<F::Output>
where
    F: Flow,
{
    let mut queue = lock(&shared.queue);
    if queue.stopped {
        return None;
    }
    let next = queue.next;
    let output = queue.waiting.remove(&next)?;
    queue.bytes = queue.bytes.saturating_sub(flow.weight(&output));
    queue.next += 1;
    drop(queue);
    shared.room.notify_all();
    Some(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Square {
        made: AtomicUsize,
    }

    impl Flow for Square {
        type Item = u64;
        type Output = (u64, u64);
        type Worker = ();
        type Error = &'static str;
        fn worker(&self) {
            self.made.fetch_add(1, Ordering::SeqCst);
        }
        fn work(&self, (): &mut (), item: u64) -> (u64, u64) {
            // Uneven work, so that later items overtake earlier ones.
            let mut x = item;
            for _ in 0..(item % 7) * 1000 {
                x = std::hint::black_box(x.wrapping_mul(3).wrapping_add(1));
            }
            std::hint::black_box(x);
            (item, item * item)
        }
        fn weight(&self, _: &(u64, u64)) -> usize {
            PENDING_BYTES_MAX / 4
        }
    }

    fn run(
        threads: usize,
        items: u64,
        fail_read: u64,
        fail_write: u64,
    ) -> (Result<(), &'static str>, Vec<u64>) {
        let mut next = 0;
        let mut written = Vec::new();
        let result = ordered(
            &Square {
                made: AtomicUsize::new(0),
            },
            threads,
            || {
                if next == fail_read {
                    return Err("read");
                }
                next += 1;
                Ok((next <= items).then_some(next - 1))
            },
            |(item, square)| {
                if item == fail_write {
                    return Err("write");
                }
                assert_eq!(square, item * item);
                written.push(item);
                Ok(())
            },
        );
        (result, written)
    }

    #[test]
    fn order_does_not_depend_on_threads() {
        let expected: Vec<u64> = (0..2000).collect();
        for threads in [0, 1, 2, 3, 8] {
            assert_eq!(
                run(threads, 2000, u64::MAX, u64::MAX),
                (Ok(()), expected.clone()),
                "{threads} threads"
            );
        }
    }

    #[test]
    fn errors_end_the_run_and_keep_what_came_before() {
        for threads in [1, 4] {
            assert_eq!(
                run(threads, 2000, 50, u64::MAX),
                (Err("read"), (0..50).collect()),
                "{threads} threads"
            );
            assert_eq!(
                run(threads, 2000, u64::MAX, 70),
                (Err("write"), (0..70).collect()),
                "{threads} threads"
            );
        }
    }
}

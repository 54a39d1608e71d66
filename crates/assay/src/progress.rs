//! Progress of a run on stderr: a bar with rate and time left on a terminal, a plain line every ten seconds elsewhere.
//!
//! Fed by the local driver, record by record.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use assay_agents::local::{FailedInput, Progress};
use assay_refine::report;
use indicatif::{ProgressBar, ProgressStyle};

use crate::console::Console;

/// Seconds between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows a run.
pub(crate) struct RunProgress<'a> {
    console: &'a Console,
    bar: Mutex<ProgressBar>,
    lines: Mutex<Lines>,
    records: AtomicU64,
    kept: AtomicU64,
}

struct Lines {
    name: String,
    /// Length of the archive, if known.
    bytes: Option<u64>,
    started: Instant,
    last: Instant,
}

impl<'a> RunProgress<'a> {
    pub(crate) fn new(console: &'a Console) -> Self {
        let now = Instant::now();
        Self {
            console,
            bar: Mutex::new(ProgressBar::hidden()),
            lines: Mutex::new(Lines {
                name: String::new(),
                bytes: None,
                started: now,
                last: now,
            }),
            records: AtomicU64::new(0),
            kept: AtomicU64::new(0),
        }
    }

    /// Takes the bar off the screen.
    pub(crate) fn finish(&self) {
        self.bar().finish_and_clear();
    }

    fn bar(&self) -> std::sync::MutexGuard<'_, ProgressBar> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn message(&self) -> String {
        let records = self.records.load(Ordering::Relaxed);
        let kept = self.kept.load(Ordering::Relaxed);
        format!(
            "{} records, {} kept ({})",
            report::count(records),
            report::count(kept),
            report::share(kept, records)
        )
    }
}

impl Progress for RunProgress<'_> {
    fn unit(&self, name: &str, bytes: Option<u64>) {
        self.records.store(0, Ordering::Relaxed);
        self.kept.store(0, Ordering::Relaxed);
        if self.console.has_progress() {
            let template = if bytes.is_some() {
                "{prefix} {bar:24} {bytes}/{total_bytes} {bytes_per_sec} eta {eta} · {msg}"
            } else {
                "{prefix} {spinner} {bytes} {bytes_per_sec} · {msg}"
            };
            let style =
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = bytes
                .map_or_else(ProgressBar::new_spinner, ProgressBar::new)
                .with_style(style);
            bar.set_prefix(name.to_owned());
            let old = std::mem::replace(&mut *self.bar(), bar);
            old.finish_and_clear();
        }
        let now = Instant::now();
        *self.lines.lock().unwrap_or_else(PoisonError::into_inner) = Lines {
            name: name.to_owned(),
            bytes,
            started: now,
            last: now,
        };
    }

    fn record(&self, read: u64, kept: bool) {
        let records = self.records.fetch_add(1, Ordering::Relaxed) + 1;
        if kept {
            self.kept.fetch_add(1, Ordering::Relaxed);
        }
        // Drawing costs more than a small record: look at the clock only now and then.
        if !records.is_multiple_of(64) {
            return;
        }
        if self.console.has_progress() {
            let bar = self.bar();
            bar.set_position(read);
            bar.set_message(self.message());
        } else if self.console.has_progress_lines() {
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.last.elapsed() >= LINE_EVERY {
                lines.last = Instant::now();
                let pace = pace(read, lines.bytes, lines.started.elapsed());
                self.console
                    .note(&format!("{}: {pace}, {}", lines.name, self.message()));
            }
        }
    }

    fn resumed(&self, name: &str) {
        self.console.note(&format!("{name}: finished before, taken over"));
    }

    fn failed(&self, input: &FailedInput) {
        self.bar()
            .suspend(|| self.console.note(&format!("{}: {}", input.input, input.error)));
    }
}

/// How far a reading is: `12.0 MB of 48.0 MB read, 1.2 MB/s, 30 s left`; without a length only what was read and how fast.
fn pace(read: u64, bytes: Option<u64>, elapsed: Duration) -> String {
    let rate = read / elapsed.as_secs().max(1);
    let (read_shown, rate_shown) = (report::bytes(read), report::bytes(rate));
    let Some(bytes) = bytes else {
        return format!("{read_shown} read, {rate_shown}/s");
    };
    let left = bytes.saturating_sub(read).checked_div(rate).map(time);
    format!(
        "{read_shown} of {} read, {rate_shown}/s, {} left",
        report::bytes(bytes),
        left.unwrap_or_else(|| "unknown time".to_owned())
    )
}

/// `59 s`, `12 min`, `3 h 05 min`.
fn time(seconds: u64) -> String {
    match (seconds / 3_600, seconds / 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {:02} min", minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_time_is_left() {
        let after = Duration::from_secs;
        for (read, bytes, elapsed, line) in [
            (
                12_000_000,
                Some(48_000_000),
                10,
                "12.0 MB of 48.0 MB read, 1.2 MB/s, 30 s left",
            ),
            (
                10_000_000,
                Some(1_000_000_000),
                10,
                "10.0 MB of 1.0 GB read, 1.0 MB/s, 16 min left",
            ),
            (
                1_000_000,
                Some(10_000_000_000),
                1,
                "1.0 MB of 10.0 GB read, 1.0 MB/s, 2 h 46 min left",
            ),
            (50, Some(48), 0, "50 B of 48 B read, 50 B/s, 0 s left"),
            (0, Some(48), 10, "0 B of 48 B read, 0 B/s, unknown time left"),
            (12_000_000, None, 10, "12.0 MB read, 1.2 MB/s"),
        ] {
            assert_eq!(pace(read, bytes, after(elapsed)), line);
        }
    }
}

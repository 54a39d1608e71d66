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
            started: now,
            last: now,
        };
    }

    fn record(&self, end: u64, kept: bool) {
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
            bar.set_position(end);
            bar.set_message(self.message());
        } else if self.console.has_progress_lines() {
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.last.elapsed() >= LINE_EVERY {
                lines.last = Instant::now();
                let seconds = lines.started.elapsed().as_secs().max(1);
                let rate = report::bytes(end / seconds);
                self.console.note(&format!(
                    "{}: {} read, {rate}/s, {}",
                    lines.name,
                    report::bytes(end),
                    self.message()
                ));
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

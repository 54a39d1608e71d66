//! Progress of training on stderr: a bar with time left on a terminal, a plain line every ten seconds elsewhere.
//!
//! Fed by the threads of the local driver, step by step.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use assay_agents::local::TrainingProgress;
use indicatif::{ProgressBar, ProgressStyle};

use crate::console::Console;

/// Time between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows how far training is.
pub(crate) struct TrainingBar<'a> {
    console: &'a Console,
    shown: Mutex<Shown>,
}

struct Shown {
    bar: ProgressBar,
    /// When the first step of these models was seen, and how many were done by then.
    started: Option<(Instant, u64)>,
    last: Instant,
    steps_all: u64,
}

impl<'a> TrainingBar<'a> {
    pub(crate) fn new(console: &'a Console) -> Self {
        Self {
            console,
            shown: Mutex::new(Shown {
                bar: ProgressBar::hidden(),
                started: None,
                last: Instant::now(),
                steps_all: 0,
            }),
        }
    }

    /// Takes what the driver says.
    pub(crate) fn show(&self, progress: TrainingProgress) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if shown.steps_all != progress.steps_all || shown.started.is_none() {
            shown.steps_all = progress.steps_all;
            shown.started = Some((now, progress.steps));
            if self.console.has_progress() {
                let template = "training {bar:24} {pos}/{len} steps eta {eta} · {msg}";
                let style = ProgressStyle::with_template(template);
                shown.bar.finish_and_clear();
                shown.bar = ProgressBar::new(progress.steps_all);
                shown
                    .bar
                    .set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            }
        }
        let models = format!("{} of {} models", progress.models, progress.models_all);
        shown.bar.set_position(progress.steps);
        shown.bar.set_message(models.clone());
        if self.console.has_progress_lines() && now.duration_since(shown.last) >= LINE_EVERY {
            shown.last = now;
            let left = shown.started.and_then(|(started, from)| {
                let done = progress.steps.saturating_sub(from);
                let left = progress.steps_all.saturating_sub(progress.steps);
                (done > 0).then(|| now.duration_since(started).as_secs() * left / done)
            });
            let left = left.map_or(String::new(), |seconds| format!(", {seconds} s left"));
            self.console.note(&format!(
                "training: {} of {} steps, {models}{left}",
                progress.steps, progress.steps_all
            ));
        }
    }

    /// Takes the bar off the screen.
    pub(crate) fn finish(&self) {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.bar.finish_and_clear();
    }
}

//! What operators of miners and validators want beside the work: a port with metrics and health, a call when something went
//! wrong, a unit file for systemd.

mod notify;
mod unit_file;
mod vitals;

use std::sync::Arc;

use assay_agents::subnet::{AgentError, Tracker};
use assay_types::{BlockNumber, Hotkey, Round};

pub(super) use notify::{Event, Webhook};
pub(super) use unit_file::unit_file;
pub(super) use vitals::Vitals;

use crate::cli::AgentArgs;
use crate::console::Console;

/// Up to where results were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    NotYet,
    UpTo(Option<Round>),
}

/// Watches over one agent.
pub(super) struct Operator<'a> {
    kind: &'static str,
    hotkey: Hotkey,
    vitals: Arc<Vitals>,
    webhook: Option<Webhook>,
    /// Newest round settled that was told of, or known at the start.
    seen: Seen,
    console: &'a Console,
}

impl<'a> Operator<'a> {
    /// Opens the port and the webhook that the arguments name.
    pub(super) async fn start(
        args: &AgentArgs,
        kind: &'static str,
        hotkey: Hotkey,
        console: &'a Console,
    ) -> anyhow::Result<Self> {
        let vitals = Arc::new(Vitals::new(kind));
        if let Some(address) = args.metrics_listen {
            let (metrics, health) = (Arc::clone(&vitals), Arc::clone(&vitals));
            let (bound, answering) = assay_server::probe(
                address,
                Arc::new(move || metrics.render()),
                Arc::new(move || health.judge()),
            )
            .await?;
            tokio::spawn(answering);
            console.note(&format!(
                "metrics at http://{bound}/metrics, health at http://{bound}/health"
            ));
        }
        Ok(Self {
            kind,
            hotkey,
            vitals,
            webhook: args.webhook.as_deref().map(Webhook::new).transpose()?,
            seen: Seen::NotYet,
            console,
        })
    }

    /// A step begins.
    pub(super) fn begins(&self) {
        self.vitals.begins();
    }

    /// A step at `block` went well and did so many things of each name.
    pub(super) fn stepped(&self, block: BlockNumber, did: impl IntoIterator<Item = &'static str>) {
        self.vitals.stepped(block, did);
    }

    /// A step failed.
    pub(super) fn failed(&self, error: &AgentError) {
        self.vitals.failed(&error.to_string());
    }

    /// Tells of rounds settled since the last look in which this hotkey was found at fault or missing.
    pub(super) async fn look(&mut self, tracker: &Tracker) {
        let newest = tracker.all_results().map(|(round, _)| round).last();
        let seen = std::mem::replace(&mut self.seen, Seen::UpTo(newest));
        // What was settled before this process began is no news.
        let Seen::UpTo(since) = seen else { return };
        let events: Vec<Event> = tracker
            .all_results()
            .filter(|(round, _)| Some(*round) > since)
            .flat_map(|(round, results)| results.iter().map(move |one| (round, one)))
            .filter(|(_, one)| one.hotkey == self.hotkey)
            .filter_map(|(round, one)| Event::of_result(round, one))
            .collect();
        for event in events {
            self.vitals.faulted();
            self.tell(&event).await;
        }
    }

    /// Tells the operator, by the log and the webhook.
    pub(super) async fn tell(&self, event: &Event) {
        self.console.note(&format!("{}: {}", event.name, event.detail));
        let Some(webhook) = &self.webhook else { return };
        if let Err(error) = webhook.post(self.kind, &self.hotkey, event).await {
            self.console
                .note(&format!("the webhook was not reached: {error}"));
        }
    }
}

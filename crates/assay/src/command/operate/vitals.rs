//! How an agent is, as numbers for Prometheus and as one answer: well or not, and why.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use assay_types::BlockNumber;

/// Age of the newest block from which an agent is not well: twenty-five blocks.
const BLOCK_AGE_MAX: Duration = Duration::from_mins(5);

/// How long a step may take: refining what one hotkey may hold, or auditing everybody, before it counts as stuck.
const STEP_MAX: Duration = Duration::from_hours(3);

/// How an agent is.
#[derive(Debug)]
pub(crate) struct Vitals {
    kind: &'static str,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    block: u32,
    seen: Instant,
    did: BTreeMap<&'static str, u64>,
    faults: u64,
    errors: u64,
    /// The error of the newest step; empty if it went well.
    trouble: String,
    /// Since when a step goes on.
    working: Option<Instant>,
}

impl Vitals {
    pub(crate) fn new(kind: &'static str) -> Self {
        Self {
            kind,
            state: Mutex::new(State {
                block: 0,
                seen: Instant::now(),
                did: BTreeMap::new(),
                faults: 0,
                errors: 0,
                trouble: String::new(),
                working: None,
            }),
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn begins(&self) {
        self.with(|state| state.working = Some(Instant::now()));
    }

    pub(super) fn stepped(&self, block: BlockNumber, did: impl IntoIterator<Item = &'static str>) {
        self.with(|state| {
            state.block = block.0;
            state.seen = Instant::now();
            state.trouble.clear();
            state.working = None;
            for name in did {
                *state.did.entry(name).or_default() += 1;
            }
        });
    }

    pub(super) fn failed(&self, error: &str) {
        self.with(|state| {
            state.errors += 1;
            error.clone_into(&mut state.trouble);
            state.working = None;
        });
    }

    pub(super) fn faulted(&self) {
        self.with(|state| state.faults += 1);
    }

    /// The text that Prometheus reads.
    pub(crate) fn render(&self) -> String {
        let kind = self.kind;
        self.with(|state| {
            let mut out = String::new();
            let mut gauge = |name: &str, kind_of: &str, value: &dyn std::fmt::Display| {
                // Writing to a String cannot fail.
                let _ = writeln!(out, "# TYPE {name} {kind_of}\n{name}{{agent=\"{kind}\"}} {value}");
            };
            gauge("assay_agent_block", "gauge", &state.block);
            let age = state.seen.elapsed().as_secs_f64();
            gauge("assay_agent_block_age_seconds", "gauge", &age);
            gauge("assay_agent_rounds_at_fault_total", "counter", &state.faults);
            gauge("assay_agent_step_errors_total", "counter", &state.errors);
            let _ = writeln!(out, "# TYPE assay_agent_actions_total counter");
            for (name, count) in &state.did {
                let _ = writeln!(
                    out,
                    "assay_agent_actions_total{{agent=\"{kind}\",action=\"{name}\"}} {count}"
                );
            }
            out
        })
    }

    /// Whether the agent is well, and why.
    pub(crate) fn judge(&self) -> (bool, String) {
        self.with(|state| {
            if let Some(since) = state.working.map(|since| since.elapsed())
                && since < STEP_MAX
            {
                return (true, format!("at work for {} s\n", since.as_secs()));
            }
            let age = state.seen.elapsed();
            if age > BLOCK_AGE_MAX {
                return (false, format!("no new block for {} s\n", age.as_secs()));
            }
            if state.trouble.is_empty() {
                (true, format!("well at block {}\n", state.block))
            } else {
                (false, format!("the last step failed: {}\n", state.trouble))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_judgement_follow_the_steps() {
        let vitals = Vitals::new("miner");
        vitals.stepped(BlockNumber(7), ["refined", "refined"]);
        vitals.faulted();
        let text = vitals.render();
        for line in [
            "assay_agent_block{agent=\"miner\"} 7",
            "assay_agent_rounds_at_fault_total{agent=\"miner\"} 1",
            "assay_agent_actions_total{agent=\"miner\",action=\"refined\"} 2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
        assert_eq!(vitals.judge(), (true, "well at block 7\n".to_owned()));
        vitals.failed("the node is away");
        let (is_well, why) = vitals.judge();
        assert!(!is_well && why.contains("the node is away"), "{why}");
        vitals.begins();
        assert!(
            vitals.judge().1.starts_with("at work"),
            "a long step is no illness"
        );
        vitals.stepped(BlockNumber(8), []);
        assert!(vitals.judge().0);
    }
}

//! `assay doctor`: whether this machine can do the work, each check with what was found and the cure; exit status 4 on a
//! failure.
//!
//! The subnet's file is read first; then checks run at once, each in a thread with its own deadline. Nothing outside the
//! machine is asked unless an argument or `ASSAY_NETWORK` names it. Nothing is changed.

mod machine;
mod remote;
mod report;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::cli::{DoctorArgs, Role};
use crate::console::Console;
use crate::exit::Status;

/// How long a check may take that only asks.
const ASK_MAX: Duration = Duration::from_secs(8);
/// How long the reference records may take.
const WORK_MAX: Duration = Duration::from_mins(1);

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// As it should be.
    Ok,
    /// Not asked for.
    Skip,
    /// Works, but not well.
    Warn,
    /// Does not work.
    Fail,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skip => "skip",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What a check found.
#[derive(Debug, Clone, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    cure: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self::new(name, State::Ok, found, None)
    }

    fn skip(name: &'static str, found: impl Into<String>) -> Self {
        Self::new(name, State::Skip, found, None)
    }

    fn bad(name: &'static str, state: State, found: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::new(name, state, found, Some(cure.into()))
    }

    fn new(name: &'static str, state: State, found: impl Into<String>, cure: Option<String>) -> Self {
        Self {
            name,
            state,
            found: found.into(),
            cure,
        }
    }
}

/// A check that runs on its own.
struct Job {
    name: &'static str,
    time_max: Duration,
    work: Box<dyn FnOnce() -> Vec<Check> + Send>,
}

impl Job {
    fn new(
        name: &'static str,
        time_max: Duration,
        work: impl FnOnce() -> Vec<Check> + Send + 'static,
    ) -> Self {
        Self {
            name,
            time_max,
            work: Box::new(work),
        }
    }
}

pub(super) fn run(args: DoctorArgs, console: &Console) -> anyhow::Result<Status> {
    let (role, wants_report) = (args.role, args.report);
    let checks = all(jobs(args));
    let worst = checks.iter().map(|check| check.state).max().unwrap_or(State::Ok);
    if wants_report {
        report::print(&checks, console)?;
    } else {
        console.outcome("assay.doctor/1", worst != State::Fail, &checks, || {
            text(&checks, next_step(role, worst))
        })?;
    }
    Ok(if worst == State::Fail {
        Status::CheckFailed
    } else {
        Status::Ok
    })
}

fn jobs(args: DoctorArgs) -> Vec<Job> {
    let (dir, want) = (args.dir.clone(), args.want);
    let (subnet, found) = remote::load(args.subnet.as_deref());
    let bytes = subnet.as_deref().and_then(remote::unit_bytes);
    let role = args.role;
    let mut jobs = vec![
        Job::new("version", ASK_MAX, || vec![machine::version()]),
        Job::new("bits", WORK_MAX, || vec![machine::bits()]),
        Job::new("cores", ASK_MAX, || vec![machine::cores()]),
        Job::new("memory", ASK_MAX, || vec![machine::memory()]),
        Job::new("disk", ASK_MAX, move || vec![machine::disk(&dir, want, bytes)]),
        Job::new("token", ASK_MAX, move || vec![machine::token(role)]),
    ];
    jobs.push(Job::new("subnet", ASK_MAX, move || vec![found]));
    jobs.extend(remote::jobs(args, subnet, ASK_MAX));
    jobs
}

/// Runs all at once and gives what they found, in their order.
fn all(jobs: Vec<Job>) -> Vec<Check> {
    let begun = Instant::now();
    let running: Vec<_> = jobs
        .into_iter()
        .map(|job| {
            let (sender, receiver) = mpsc::channel();
            let work = job.work;
            // Whoever is too late sends to nobody.
            std::thread::spawn(move || drop(sender.send(work())));
            (job.name, job.time_max, receiver)
        })
        .collect();
    let mut checks = Vec::new();
    for (name, time_max, receiver) in running {
        let left = time_max.saturating_sub(begun.elapsed());
        checks.extend(receiver.recv_timeout(left).unwrap_or_else(|_| {
            let found = format!("no result within {} s", time_max.as_secs());
            vec![Check::bad(
                name,
                State::Fail,
                found,
                "try again; if it stays, send `assay doctor --report`",
            )]
        }));
    }
    checks
}

fn next_step(role: Option<Role>, worst: State) -> &'static str {
    match (worst, role) {
        (State::Fail, _) => "cure what failed, then `assay doctor` again",
        (_, Some(Role::Miner)) => "`assay miner up --dry-run` refines one round and sends nothing",
        (_, Some(Role::Validator)) => "`assay validator up`",
        (_, Some(Role::Serve)) => "`assay serve`",
        (_, None) => "`assay refine --sample --out demo`, then `assay localnet`",
    }
}

fn text(checks: &[Check], next: &str) -> String {
    let mut lines = Vec::new();
    for check in checks {
        let state = check.state.name();
        lines.push(format!("{state:<5} {:<8} {}", check.name, check.found));
        lines.extend(check.cure.iter().map(|cure| format!("{:15}cure: {cure}", "")));
    }
    lines.push(format!("next: {next}\n"));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_hangs_or_dies_is_a_failure_and_order_is_kept() {
        let short = Duration::from_millis(50);
        let checks = all(vec![
            Job::new("hangs", short, || {
                std::thread::sleep(Duration::from_secs(5));
                vec![Check::ok("hangs", "late")]
            }),
            Job::new("dies", ASK_MAX, || panic!("on purpose")),
            Job::new("works", ASK_MAX, || vec![Check::ok("works", "fine")]),
        ]);
        let found: Vec<_> = checks.iter().map(|check| (check.name, check.state)).collect();
        assert_eq!(
            found,
            [
                ("hangs", State::Fail),
                ("dies", State::Fail),
                ("works", State::Ok)
            ]
        );
        let shown = text(&checks, next_step(None, State::Fail));
        assert!(
            shown.contains("fail  hangs    no result within 0 s\n               cure: try again"),
            "{shown}"
        );
    }
}

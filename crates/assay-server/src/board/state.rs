//! A verdict in words, with how it is to be taken.

use assay_types::Verdict;

/// How a state is to be taken; it decides the look, the words say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StateKind {
    /// Good.
    Ok,
    /// Not decided.
    Wait,
    /// Failed.
    Bad,
    /// Nothing to say.
    Nil,
}

/// Words for the newest verdict on a miner.
pub(crate) fn verdict_words(newest: Option<(Verdict, u32)>, immunity_left: u32) -> (StateKind, String) {
    let (kind, words) = match newest {
        None if immunity_left > 0 => (StateKind::Nil, "New, immune"),
        None => (StateKind::Nil, "No round yet"),
        Some((Verdict::Pass, _)) => (StateKind::Ok, "Passed"),
        Some((Verdict::OneFault, _)) => (StateKind::Bad, "1 fault, unpaid"),
        Some((Verdict::Fraud, faults)) => {
            return (StateKind::Bad, format!("Fraud, {faults} faults"));
        }
        Some((Verdict::NoShow, _)) => (StateKind::Bad, "No show"),
        Some((Verdict::Unpaid, _)) => (StateKind::Wait, "No evidence"),
        Some((Verdict::Skipped, _)) => (StateKind::Wait, "Not judged"),
        Some((Verdict::Idle, _)) => (StateKind::Nil, "Idle"),
    };
    (kind, words.to_owned())
}

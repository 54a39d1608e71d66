//! A look in words: what the panel and the lines both say.

use std::fmt::Write as _;

use assay_agents::api::Look;
use assay_types::api::{MinerRow, PhaseName, RoundView};
use assay_types::{BlockNumber, Hotkey, Q32, Verdict};

use crate::command::chain::table::table;

/// Characters shown at each end of a key.
const KEY_END_CHARS: usize = 4;
/// 1 in a share of the chain.
const SHARE_ONE: f64 = 65_535.0;

/// The lines that are printed where there is no terminal.
pub(super) fn of(look: &Look) -> String {
    let mut text = format!("{}\n{}\n{}\n", network(look), round(look), weights(look));
    for problem in &look.health.problems {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "problem: {problem}");
    }
    let rows: Vec<Vec<String>> = look.miners.iter().map(|row| miner(look, row).to_vec()).collect();
    if rows.is_empty() {
        text.push_str("no miner is registered\n");
    } else {
        text.push_str(&table(&HEAD, &rows));
    }
    text
}

/// Names of the columns of [`miner`].
pub(super) const HEAD: [&str; 8] = [
    "rank",
    "miner",
    "uid",
    "units",
    "C",
    "verdicts",
    "incentive",
    "faults",
];

/// Subnet, block and its age.
pub(super) fn network(look: &Look) -> String {
    let health = &look.health;
    if look.as_of.time_ms == 0 {
        return format!("subnet {}: no block of the chain was read yet", health.netuid);
    }
    format!(
        "subnet {}, block {}, read {} s ago, {}",
        health.netuid,
        health.block.0,
        health.block_age_ms / 1_000,
        health.status
    )
}

/// The round, its phase and what is left of it.
pub(super) fn round(look: &Look) -> String {
    let Some(round) = &look.round else {
        return "no round is assigned yet".to_owned();
    };
    format!(
        "round {}: {}, {} units, {} submissions, {} reports{}",
        round.round.0,
        phase(round, look.health.block),
        round.units,
        round.submissions,
        round.reports,
        if round.settled { ", settled" } else { "" }
    )
}

fn phase(round: &RoundView, now: BlockNumber) -> String {
    let until = |block: BlockNumber| block.0.saturating_sub(now.0);
    match round.phase {
        PhaseName::Ahead => format!("begins in {} blocks", until(round.start_block)),
        PhaseName::Work => format!("work, {} blocks left", until(round.deadline_block)),
        PhaseName::Publish => format!(
            "publish, reports close in {} blocks",
            until(round.report_cutoff_block)
        ),
        PhaseName::Audit => format!("audit, {} blocks left", until(round.report_cutoff_block)),
        PhaseName::Settle => format!("settles, counts in {} blocks", until(round.effective_block)),
        PhaseName::Effective => "counts".to_owned(),
    }
}

/// Share of the round's blocks that have passed, 0 to 1.
pub(super) fn passed(look: &Look) -> f64 {
    look.round.as_ref().map_or(0.0, |round| {
        let length = round.effective_block.0.saturating_sub(round.start_block.0);
        let done = look.health.block.0.saturating_sub(round.start_block.0);
        if length == 0 {
            return 0.0;
        }
        (f64::from(done) / f64::from(length)).clamp(0.0, 1.0)
    })
}

/// How fresh weights are.
pub(super) fn weights(look: &Look) -> String {
    let count = look.validators.len();
    match look.weights_age_blocks() {
        None => "weights: no validator".to_owned(),
        Some(newest) => {
            let oldest = look.validators.iter().map(|row| row.weights_age_blocks).max();
            format!(
                "weights: newest {newest} blocks ago, oldest {} of {count} validators",
                oldest.unwrap_or(newest)
            )
        }
    }
}

/// The cells of a miner, as [`HEAD`] names them.
pub(super) fn miner(look: &Look, row: &MinerRow) -> [String; 8] {
    [
        row.rank.to_string(),
        short(&row.hotkey),
        row.uid.0.to_string(),
        row.units.to_string(),
        format!("{:.3}", row.credibility().0 as f64 / Q32::ONE.0 as f64),
        row.verdicts.iter().rev().map(|verdict| sign(*verdict)).collect(),
        format!("{:.2} %", f64::from(row.incentive) / SHARE_ONE * 100.0),
        faults(look, &row.hotkey),
    ]
}

fn faults(look: &Look, hotkey: &Hotkey) -> String {
    let found = look
        .faults
        .as_ref()
        .and_then(|(round, by)| Some((round, by.get(hotkey)?)));
    found.map_or_else(String::new, |(round, names)| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        format!("{} (round {})", names.join(", "), round.0)
    })
}

/// One sign a verdict, oldest first: they differ by shape, not by colour alone.
pub(super) const fn sign(verdict: Verdict) -> char {
    match verdict {
        Verdict::Pass => '●',
        Verdict::OneFault => '▲',
        Verdict::Fraud => '✕',
        Verdict::NoShow => '○',
        Verdict::Unpaid | Verdict::Skipped | Verdict::Idle => '·',
    }
}

/// Both ends of a key.
fn short(key: &Hotkey) -> String {
    let text = key.to_ss58();
    let (begin, end) = (
        text.get(..KEY_END_CHARS),
        text.get(text.len().saturating_sub(KEY_END_CHARS)..),
    );
    format!("{}…{}", begin.unwrap_or_default(), end.unwrap_or_default())
}

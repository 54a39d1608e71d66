//! What validators' findings about one hotkey add up to, by stake.
//!
//! Votes come in, the finding that counts and stake shares go out; [`crate::network`] judges by them. Findings on the common
//! sample must be equal to add up; whether an earlier submission is still there is a vote of its own.

use crate::network::{Found, Vote};
use crate::verdict::StakeShare;
use assay_types::{Fault, FaultKind, Hotkey};

/// What votes say about a hotkey.
pub(crate) struct Heard<'a> {
    /// What most stake found, and the stake that could not read the submission.
    pub(crate) agreed: (Option<&'a Found>, StakeShare),
    /// An earlier submission that is gone, and the stake that says so.
    pub(crate) gone: (Option<&'a Fault>, StakeShare),
}

impl<'a> Heard<'a> {
    pub(crate) fn of(hotkey: &Hotkey, votes: &[Vote<'a>]) -> Self {
        Self {
            agreed: agree(hotkey, votes),
            gone: gone(hotkey, votes),
        }
    }
}

/// What most stake found about a hotkey among those who could read it, and the stake of those who could not.
///
/// A finding needs half of the stake of all who reported on the round, also of those who are silent about this hotkey (their
/// own side failed): few voices must not decide where many could not judge. Nobody's finding with that much stake: no
/// judgement.
///
/// Findings on the common sample are equal for honest validators, so a minority never changes a verdict. Equal stakes: the
/// findings whose smallest voter is smaller.
fn agree<'a>(hotkey: &Hotkey, votes: &[Vote<'a>]) -> (Option<&'a Found>, StakeShare) {
    let mut share = StakeShare::default();
    let mut opinions: Vec<(u64, Hotkey, &'a Found)> = Vec::new();
    let mut votes: Vec<&Vote<'a>> = votes.iter().collect();
    votes.sort_unstable_by_key(|vote| vote.validator);
    let all = votes
        .iter()
        .fold(0_u64, |sum, vote| sum.saturating_add(vote.stake));
    for vote in votes {
        let Some(found) = vote.findings.iter().find(|found| found.hotkey == *hotkey) else {
            continue;
        };
        share.whole = share.whole.saturating_add(vote.stake);
        if found.unreachable {
            share.part = share.part.saturating_add(vote.stake);
            continue;
        }
        match opinions.iter_mut().find(|(_, _, known)| is_same(known, found)) {
            Some((stake, _, _)) => *stake = stake.saturating_add(vote.stake),
            None => opinions.push((vote.stake, vote.validator, found)),
        }
    }
    let best = opinions
        .into_iter()
        .max_by_key(|(stake, first, _)| (*stake, std::cmp::Reverse(*first)))
        .filter(|(stake, _, _)| u128::from(stake.saturating_add(share.part)) * 2 >= u128::from(all));
    if best.is_none() && u128::from(share.part) * 2 < u128::from(all) {
        return (None, StakeShare::default());
    }
    (best.map(|(_, _, found)| found), share)
}

/// Faults of the round's own files. Those of earlier submissions are a vote of their own: who validates since yesterday knows
/// fewer of them.
pub(crate) fn audited(found: &Found) -> impl Iterator<Item = &Fault> {
    let faults = found.faults.iter();
    faults.filter(|fault| fault.kind != FaultKind::NotRetained)
}

/// Whether two findings say the same of the round's own files.
fn is_same(a: &Found, b: &Found) -> bool {
    (a.submission_root, a.unreachable, &a.delivered) == (b.submission_root, b.unreachable, &b.delivered)
        && audited(a).eq(audited(b))
}

/// An earlier submission that is gone by the stake that says so, of all who reported on the round: one who could not look
/// does not say so.
fn gone<'a>(hotkey: &Hotkey, votes: &[Vote<'a>]) -> (Option<&'a Fault>, StakeShare) {
    let mut share = StakeShare::default();
    let mut first: Option<(Hotkey, &'a Fault)> = None;
    for vote in votes {
        share.whole = share.whole.saturating_add(vote.stake);
        let mut about = vote.findings.iter().filter(|found| found.hotkey == *hotkey);
        let fault = about.find_map(|found| {
            let mut faults = found.faults.iter();
            faults.find(|fault| fault.kind == FaultKind::NotRetained)
        });
        let Some(fault) = fault else { continue };
        share.part = share.part.saturating_add(vote.stake);
        if first.is_none_or(|(validator, _)| vote.validator < validator) {
            first = Some((vote.validator, fault));
        }
    }
    (first.map(|(_, fault)| fault), share)
}

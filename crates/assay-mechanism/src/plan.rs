//! The assignment of a round from everything it follows from, as the document that server and clients share.
//!
//! Inputs come in as a header without result, with the fresh units behind its cursor; entries and the cursor after the
//! round go out (docs/mechanism.md, "Assignment"). [`recompute`] is the check of somebody else's document.

use crate::assign::{Assigned, Candidate, Offer, give};
use assay_types::api::{Assignment, AssignmentCandidate, AssignmentEntry, AssignmentHeader};
use assay_types::{BlockNumber, Hotkey, Message, ParamValues, UnitId};
use std::collections::BTreeMap;

/// How many places of the corpus index a round may look at: every slot filled, and the reserved units passed over.
///
/// A run of reserved units longer than eight times their mean distance has a chance below e^−8 for each slot; a plan that
/// runs out of units that are shown to it gives fewer, and the rest comes in the next round.
pub fn fresh_window(candidates: &[AssignmentCandidate]) -> u64 {
    let slots: u64 = candidates
        .iter()
        .map(|candidate| u64::from(Candidate::from(candidate).slots))
        .sum();
    slots.saturating_mul(2).saturating_add(512)
}

/// The assignment that follows from a header (whose `next_cursor` does not matter) and the units from its cursor on, in
/// the order of the index, at least [`fresh_window`] of them or up to the end of the index.
pub fn plan(header: &AssignmentHeader, fresh: &[UnitId], values: &ParamValues) -> Assignment {
    let window = usize::try_from(fresh_window(&header.candidates)).unwrap_or(usize::MAX);
    let fresh = fresh.get(..window).unwrap_or(fresh);
    let waiting = header.requeued.iter().cloned().map(Offer::from).collect();
    let candidates: Vec<Candidate> = header.candidates.iter().map(Candidate::from).collect();
    let (given, passed) = give(&header.beacon.0, waiting, fresh, &candidates, values);
    Assignment {
        header: AssignmentHeader {
            next_cursor: header.cursor.saturating_add(passed as u64),
            ..header.clone()
        },
        entries: given.iter().map(entry).collect(),
    }
}

/// Whether a document is what its own header and the corpus index give.
pub fn recompute(document: &Assignment, fresh: &[UnitId], values: &ParamValues) -> bool {
    plan(&document.header, fresh, values) == *document
}

/// What each hotkey wants: `want_next` of its newest submission or `want` of its newest join message, whichever is newer.
///
/// Messages are what the chain holds in the clear or has opened at the block of the beacon, as (hotkey, block, bytes); of
/// two of one block the later in the order given counts. Other messages and unknown bytes say nothing.
pub fn latest_wants<'a>(
    messages: impl IntoIterator<Item = (Hotkey, BlockNumber, &'a [u8])>,
) -> BTreeMap<Hotkey, (BlockNumber, u16)> {
    let mut wants = BTreeMap::<Hotkey, (BlockNumber, u16)>::new();
    for (hotkey, block, bytes) in messages {
        let want = match Message::parse(bytes) {
            Ok(Message::Submission(pointer)) => pointer.want_next,
            Ok(Message::Join { want, .. }) => want,
            _ => continue,
        };
        let newest = wants.entry(hotkey).or_insert((block, want));
        if block >= newest.0 {
            *newest = (block, want);
        }
    }
    wants
}

/// The entry of an assigned unit.
pub fn entry(assigned: &Assigned) -> AssignmentEntry {
    AssignmentEntry {
        unit: assigned.unit,
        holder: assigned.holder,
        replica: assigned.replica,
        replicated: assigned.replicated,
    }
}

/// The assigned unit of an entry.
pub fn assigned(entry: &AssignmentEntry) -> Assigned {
    Assigned {
        unit: entry.unit,
        holder: entry.holder,
        replica: entry.replica,
        replicated: entry.replicated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::api::{ASSIGNMENT_VERSION, RequeuedUnit};
    use assay_types::{BlockNumber, Coldkey, Digest, Hotkey, NetUid, Round};
    use proptest::prelude::*;

    fn header(wants: &[u16], requeued: &[UnitId]) -> AssignmentHeader {
        AssignmentHeader {
            version: ASSIGNMENT_VERSION,
            genesis: Digest::ZERO,
            netuid: NetUid(1),
            round: Round(3),
            params: Digest::ZERO,
            block: BlockNumber(9),
            beacon: Digest([0xA1; 32]),
            index_root: Digest::ZERO,
            cursor: 10,
            next_cursor: 0,
            candidates: (1_u8..)
                .zip(wants)
                .map(|(byte, want)| AssignmentCandidate {
                    hotkey: Hotkey([byte; 32]),
                    coldkey: Coldkey([byte; 32]),
                    registered: BlockNumber(1),
                    want: *want,
                    cap: 4,
                })
                .collect(),
            requeued: requeued
                .iter()
                .map(|unit| RequeuedUnit {
                    unit: *unit,
                    failed: vec![Hotkey([1; 32])],
                })
                .collect(),
        }
    }

    fn units(count: usize) -> Vec<UnitId> {
        (0..count).map(|i| UnitId::of("cc", &format!("{i}"))).collect()
    }

    #[test]
    fn the_cursor_stands_behind_the_last_unit_given() {
        let values = ParamValues::default();
        let again = UnitId::of("cc", "again");
        let plan = plan(&header(&[2, 1], &[again]), &units(50), &values);
        assert_eq!(plan.entries.first().map(|entry| entry.unit), Some(again));
        assert_eq!(plan.entries[0].holder, Hotkey([2; 32]), "hotkey 1 failed it");
        let last = plan.entries.last().unwrap().unit;
        let at = units(50).iter().position(|unit| *unit == last).unwrap() as u64;
        assert_eq!(plan.header.next_cursor, 10 + at + 1);
        let nobody = super::plan(&header(&[0], &[]), &units(50), &values);
        assert_eq!((nobody.header.next_cursor, nobody.entries.len()), (10, 0));
    }

    #[test]
    fn the_newest_message_says_what_is_wanted() {
        let join = |want| {
            Message::Join {
                round: Round(1),
                want,
            }
            .encode()
        };
        let (a, b) = (Hotkey([1; 32]), Hotkey([2; 32]));
        let (old, new) = (join(3), join(8));
        let messages = [
            (a, BlockNumber(9), new.as_slice()),
            (a, BlockNumber(5), old.as_slice()),
            (b, BlockNumber(5), b"\x7fnothing".as_slice()),
        ];
        let wants = latest_wants(messages);
        assert_eq!(wants.get(&a), Some(&(BlockNumber(9), 8)));
        assert_eq!(wants.get(&b), None);
    }

    proptest! {
        #[test]
        fn a_document_with_one_changed_value_is_not_recomputed(
            wants in proptest::collection::vec(0_u16..6, 1..6),
            at in 0_usize..64,
            lie in 0_u8..4,
        ) {
            let values = ParamValues::default();
            let fresh = units(64);
            let honest = plan(&header(&wants, &[]), &fresh, &values);
            prop_assert!(recompute(&honest, &fresh, &values));
            prop_assume!(!honest.entries.is_empty());
            let mut lying = honest.clone();
            let at = at % lying.entries.len();
            match lie {
                0 => lying.entries[at].holder = Hotkey([0xEE; 32]),
                1 => { lying.entries.remove(at); }
                2 => lying.header.next_cursor += 1,
                _ => lying.entries[at].replicated ^= true,
            }
            prop_assert!(!recompute(&lying, &fresh, &values));
        }
    }
}

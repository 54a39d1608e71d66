//! Whether a server's assignment is the one that follows from the chain; if not, what it lies about.

use assay_mechanism::plan::recompute;
use assay_types::api::{Assignment, AssignmentCandidate, RequeuedUnit};
use assay_types::{BlockNumber, Digest, Hotkey, NetUid, ParamSet, Round, UnitId};
use std::collections::BTreeMap;
use thiserror::Error;

/// What a checked document must agree with; all of it the checker's own knowledge.
#[derive(Debug, Clone)]
pub struct Expected<'a> {
    /// Genesis hash of the chain.
    pub genesis: Digest,
    /// The subnet.
    pub netuid: NetUid,
    /// The round.
    pub round: Round,
    /// The parameter set.
    pub params: &'a ParamSet,
    /// Block of the beacon.
    pub block: BlockNumber,
    /// Its hash.
    pub beacon: Digest,
    /// Who wants how many units, from the chain; caps as the checker knows them.
    pub candidates: &'a [AssignmentCandidate],
    /// Caps the checker has computed itself, by hotkey and registration block; others are not compared, only bounded.
    pub caps: &'a BTreeMap<(Hotkey, BlockNumber), u32>,
    /// Root of the checker's copy of the corpus index; none if it has none.
    pub index_root: Option<Digest>,
    /// `next_cursor` of the round before; none if it is not known.
    pub cursor: Option<u64>,
    /// Units that come back, as the checker has settled the rounds before; none if it has not.
    pub requeued: Option<&'a [RequeuedUnit]>,
    /// Units from the document's cursor on, in the order of the checker's copy of the index.
    pub fresh: &'a [UnitId],
}

/// The first thing a server's assignment is wrong about.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AssignmentLie {
    /// Another chain, subnet, round or parameter set.
    #[error("the assignment's `{0}` is not the one asked for")]
    Identity(&'static str),
    /// Another beacon than the chain's.
    #[error("the assignment's beacon is not the hash of block {0}")]
    Beacon(BlockNumber),
    /// A candidate who is none, is missing, or has another owner, registration or wish on the chain.
    #[error("candidate `{0}` is not as on the chain")]
    Candidate(Hotkey),
    /// A cap that is not the one earned.
    #[error("cap {found} of `{hotkey}` is not {expected}")]
    Cap {
        /// Whose.
        hotkey: Hotkey,
        /// Claimed.
        found: u32,
        /// Earned, or the most anyone may have.
        expected: u32,
    },
    /// Another corpus index.
    #[error("the assignment's corpus index is `{0}`")]
    Index(Digest),
    /// A cursor that skips or repeats units.
    #[error("the assignment's cursor is {found}, not {expected}")]
    Cursor {
        /// Claimed.
        found: u64,
        /// Where the round before ended.
        expected: u64,
    },
    /// Units that come back without having failed, or do not come back though they have.
    #[error("the units that come back are not those that failed")]
    Requeued,
    /// Another list than the inputs give.
    #[error("the list of units and holders does not follow from its inputs")]
    List,
}

/// Checks a document against what the checker knows.
///
/// # Errors
/// [`AssignmentLie`]: together with the server's signature it is proof against the server.
pub fn check_assignment(document: &Assignment, expected: &Expected<'_>) -> Result<(), AssignmentLie> {
    let header = &document.header;
    for (field, agrees) in [
        ("genesis", header.genesis == expected.genesis),
        ("netuid", header.netuid == expected.netuid),
        ("round", header.round == expected.round),
        ("params", header.params == expected.params.digest()),
        ("block", header.block == expected.block),
    ] {
        if !agrees {
            return Err(AssignmentLie::Identity(field));
        }
    }
    if header.beacon != expected.beacon {
        return Err(AssignmentLie::Beacon(expected.block));
    }
    check_candidates(&header.candidates, expected)?;
    let pinned = Some(expected.params.corpus_index_root).filter(|root| !root.is_zero());
    for root in [pinned, expected.index_root].into_iter().flatten() {
        if header.index_root != root {
            return Err(AssignmentLie::Index(header.index_root));
        }
    }
    if let Some(cursor) = expected.cursor.filter(|cursor| *cursor != header.cursor) {
        return Err(AssignmentLie::Cursor {
            found: header.cursor,
            expected: cursor,
        });
    }
    if expected
        .requeued
        .is_some_and(|requeued| requeued != header.requeued)
    {
        return Err(AssignmentLie::Requeued);
    }
    if recompute(document, expected.fresh, &expected.params.values) {
        Ok(())
    } else {
        Err(AssignmentLie::List)
    }
}

fn check_candidates(found: &[AssignmentCandidate], expected: &Expected<'_>) -> Result<(), AssignmentLie> {
    let on_chain =
        |candidate: &AssignmentCandidate| (candidate.coldkey, candidate.registered, candidate.want);
    let wanted: BTreeMap<Hotkey, _> = expected
        .candidates
        .iter()
        .map(|candidate| (candidate.hotkey, on_chain(candidate)))
        .collect();
    let claimed: BTreeMap<Hotkey, _> = found
        .iter()
        .map(|candidate| (candidate.hotkey, on_chain(candidate)))
        .collect();
    let differs = wanted
        .keys()
        .chain(claimed.keys())
        .find(|hotkey| wanted.get(hotkey) != claimed.get(hotkey));
    if let Some(hotkey) = differs {
        return Err(AssignmentLie::Candidate(*hotkey));
    }
    if let Some(twice) = found.windows(2).find_map(|pair| match pair {
        [a, b] if a.hotkey >= b.hotkey => Some(b.hotkey),
        _ => None,
    }) {
        return Err(AssignmentLie::Candidate(twice));
    }
    let cap_max = u32::try_from(expected.params.values.cap_max).unwrap_or(u32::MAX);
    for candidate in found {
        let earned = expected
            .caps
            .get(&(candidate.hotkey, candidate.registered))
            .copied();
        if earned.map_or(candidate.cap > cap_max, |earned| earned != candidate.cap) {
            return Err(AssignmentLie::Cap {
                hotkey: candidate.hotkey,
                found: candidate.cap,
                expected: earned.unwrap_or(cap_max),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_mechanism::plan::plan;
    use assay_types::Coldkey;
    use assay_types::api::{ASSIGNMENT_VERSION, AssignmentHeader};

    fn params() -> ParamSet {
        ParamSet::default()
    }

    fn candidate(byte: u8) -> AssignmentCandidate {
        AssignmentCandidate {
            hotkey: Hotkey([byte; 32]),
            coldkey: Coldkey([byte; 32]),
            registered: BlockNumber(3),
            want: 2,
            cap: 4,
        }
    }

    fn fresh() -> Vec<UnitId> {
        (0..40).map(|i| UnitId::of("cc", &i.to_string())).collect()
    }

    fn honest() -> Assignment {
        let header = AssignmentHeader {
            version: ASSIGNMENT_VERSION,
            genesis: Digest([1; 32]),
            netuid: NetUid(7),
            round: Round(2),
            params: params().digest(),
            block: BlockNumber(1_430),
            beacon: Digest([2; 32]),
            index_root: Digest([3; 32]),
            cursor: 5,
            next_cursor: 0,
            candidates: vec![candidate(1), candidate(2)],
            requeued: Vec::new(),
        };
        plan(&header, &fresh(), &params().values)
    }

    fn check(document: &Assignment) -> Result<(), AssignmentLie> {
        let (params, fresh) = (params(), fresh());
        let caps = BTreeMap::from([((Hotkey([1; 32]), BlockNumber(3)), 4)]);
        let expected = Expected {
            genesis: Digest([1; 32]),
            netuid: NetUid(7),
            round: Round(2),
            params: &params,
            block: BlockNumber(1_430),
            beacon: Digest([2; 32]),
            candidates: &[candidate(1), candidate(2)],
            caps: &caps,
            index_root: Some(Digest([3; 32])),
            cursor: Some(5),
            requeued: Some(&[]),
            fresh: &fresh,
        };
        check_assignment(document, &expected)
    }

    /// The document that a server computes honestly from a changed header.
    fn from_lie(change: impl FnOnce(&mut AssignmentHeader)) -> Assignment {
        let mut header = honest().header;
        change(&mut header);
        plan(&header, &fresh(), &params().values)
    }

    #[test]
    fn every_lie_is_named() {
        assert_eq!(check(&honest()), Ok(()));
        let lie = from_lie(|header| header.beacon = Digest([9; 32]));
        assert_eq!(check(&lie), Err(AssignmentLie::Beacon(BlockNumber(1_430))));
        let lie = from_lie(|header| header.candidates[1].want = 3);
        assert_eq!(check(&lie), Err(AssignmentLie::Candidate(Hotkey([2; 32]))));
        let lie = from_lie(|header| header.candidates.push(candidate(9)));
        assert_eq!(check(&lie), Err(AssignmentLie::Candidate(Hotkey([9; 32]))));
        let lie = from_lie(|header| {
            header.candidates.remove(0);
        });
        assert_eq!(check(&lie), Err(AssignmentLie::Candidate(Hotkey([1; 32]))));
        let lie = from_lie(|header| header.candidates[0].cap = 5);
        assert!(matches!(
            check(&lie),
            Err(AssignmentLie::Cap {
                found: 5,
                expected: 4,
                ..
            })
        ));
        let lie = from_lie(|header| header.candidates[1].cap = 257);
        assert!(matches!(
            check(&lie),
            Err(AssignmentLie::Cap { expected: 256, .. })
        ));
        let lie = from_lie(|header| header.cursor = 6);
        assert!(matches!(check(&lie), Err(AssignmentLie::Cursor { .. })));
        let lie = from_lie(|header| {
            header.requeued.push(RequeuedUnit {
                unit: UnitId::of("cc", "again"),
                failed: vec![Hotkey([1; 32])],
            });
        });
        assert_eq!(check(&lie), Err(AssignmentLie::Requeued));
        let lie = from_lie(|header| header.index_root = Digest([8; 32]));
        assert!(matches!(check(&lie), Err(AssignmentLie::Index(_))));
        let lie = from_lie(|header| header.round = Round(3));
        assert_eq!(check(&lie), Err(AssignmentLie::Identity("round")));
        let mut lie = honest();
        lie.entries.swap(0, 1);
        assert_eq!(check(&lie), Err(AssignmentLie::List));
        let mut lie = honest();
        lie.entries[0].holder = Hotkey([2; 32]);
        lie.entries[0].replica = None;
        if lie != honest() {
            assert_eq!(check(&lie), Err(AssignmentLie::List));
        }
    }
}

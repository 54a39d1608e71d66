//! What an assignment follows from, read from the chain at the block of its beacon.

use assay_chain::{At, Chain, ChainError, members};
use assay_mechanism::clock::Clock;
use assay_mechanism::network::Member;
use assay_types::api::{ASSIGNMENT_VERSION, AssignmentCandidate, AssignmentHeader};
use assay_types::{BlockNumber, Digest, Hotkey, NetUid, ParamSet, Round};
use std::collections::BTreeMap;

/// Block, beacon and who wants how many units, at the block that assigns a round.
///
/// Caps are those of newcomers; `caps` replaces them where more is known, keyed by hotkey and registration block.
///
/// # Errors
/// [`ChainError`] if the chain does not answer, or no longer has the state of that block.
pub async fn read_chain(
    chain: &dyn Chain,
    (netuid, round): (NetUid, Round),
    params: &ParamSet,
    caps: &BTreeMap<(Hotkey, BlockNumber), u32>,
) -> Result<(BlockNumber, Digest, Vec<AssignmentCandidate>), ChainError> {
    let block = Clock::new(&params.values).assignment_block(round);
    let head = chain.head(At::Number(block)).await?;
    let at = At::Hash(head.hash);
    let metagraph = chain.metagraph(netuid, at).await?;
    let standing = chain.commitments(netuid, at).await?;
    let opened = chain.revealed_commitments(netuid, at).await?;
    let cap_first = u32::try_from(params.values.cap_first).unwrap_or(u32::MAX);
    Ok((
        block,
        head.hash,
        candidates(members(&metagraph, &standing, &opened), cap_first, caps),
    ))
}

/// Members that want something, by ascending hotkey.
fn candidates(
    members: Vec<Member>,
    cap_first: u32,
    caps: &BTreeMap<(Hotkey, BlockNumber), u32>,
) -> Vec<AssignmentCandidate> {
    let wanting = members.into_iter().filter(|member| member.want > 0);
    let mut candidates: Vec<AssignmentCandidate> = wanting
        .map(|member| AssignmentCandidate {
            hotkey: member.hotkey,
            coldkey: member.coldkey,
            registered: member.registered,
            want: member.want,
            cap: caps
                .get(&(member.hotkey, member.registered))
                .copied()
                .unwrap_or(cap_first),
        })
        .collect();
    candidates.sort_by_key(|candidate| candidate.hotkey);
    candidates
}

/// The header of a round that is assigned from the chain alone: no unit comes back, the cursor is given.
pub fn assigned_header(
    (genesis, netuid, round): (Digest, NetUid, Round),
    params: &ParamSet,
    (block, beacon, candidates): (BlockNumber, Digest, Vec<AssignmentCandidate>),
    (index_root, cursor): (Digest, u64),
) -> AssignmentHeader {
    AssignmentHeader {
        version: ASSIGNMENT_VERSION,
        genesis,
        netuid,
        round,
        params: params.digest(),
        block,
        beacon,
        index_root,
        cursor,
        next_cursor: 0,
        candidates,
        requeued: Vec::new(),
    }
}

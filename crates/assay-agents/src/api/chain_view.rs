//! What an assignment follows from, read from the chain at the block of its beacon.

use assay_chain::{At, Chain, ChainError, Commitment, CommitmentField, Metagraph, RevealedCommitment};
use assay_mechanism::clock::Clock;
use assay_mechanism::plan::latest_wants;
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
        candidates(&metagraph, (&standing, &opened), cap_first, caps),
    ))
}

fn candidates(
    metagraph: &Metagraph,
    (standing, opened): (&[Commitment], &[RevealedCommitment]),
    cap_first: u32,
    caps: &BTreeMap<(Hotkey, BlockNumber), u32>,
) -> Vec<AssignmentCandidate> {
    let plain = standing.iter().flat_map(|commitment| {
        commitment.fields.iter().filter_map(move |field| match field {
            CommitmentField::Plain(bytes) => Some((commitment.hotkey, commitment.block, bytes.as_slice())),
            _ => None,
        })
    });
    let opened = opened
        .iter()
        .map(|opened| (opened.hotkey, opened.block, opened.bytes.as_slice()));
    let wants = latest_wants(plain.chain(opened));
    let mut candidates: Vec<AssignmentCandidate> = metagraph
        .neurons
        .iter()
        .filter_map(|neuron| {
            let (_, want) = wants
                .get(&neuron.hotkey)
                .filter(|(block, _)| *block >= neuron.registered)?;
            (*want > 0).then(|| AssignmentCandidate {
                hotkey: neuron.hotkey,
                coldkey: neuron.coldkey,
                registered: neuron.registered,
                want: *want,
                cap: caps
                    .get(&(neuron.hotkey, neuron.registered))
                    .copied()
                    .unwrap_or(cap_first),
            })
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

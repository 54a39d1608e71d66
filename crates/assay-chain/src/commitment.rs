//! Commitments: the bytes a hotkey leaves on the chain, plain, hashed or sealed until a drand round.
//!
//! Limits: opentensor/subtensor 14bc6f9, `pallets/commitments` (types.rs); docs/chain.md lists the layouts.

use crate::metagraph::Metagraph;
use assay_mechanism::contest::Offer;
use assay_mechanism::network::Member;
use assay_mechanism::plan::latest_wants;
use assay_mechanism::registry::Author;
use assay_types::{BlockNumber, Hotkey, Message, Round, UnitId};
use serde::{Deserialize, Serialize};

/// Most fields of one commitment.
pub const FIELDS_MAX: usize = 3;
/// Most bytes of a `Raw` field.
pub const RAW_BYTES_MAX: usize = 128;
/// Most bytes of a `BigRaw` field.
pub const BIG_RAW_BYTES_MAX: usize = 512;
/// Most bytes of a timelocked ciphertext.
pub const TIMELOCKED_BYTES_MAX: usize = 1024;

/// One field of a commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CommitmentField {
    /// Bytes in the clear: `Raw` up to 128, `BigRaw` up to 512.
    Plain(Vec<u8>),
    /// BLAKE2b-256 of bytes kept back (salt them: short messages can be guessed).
    Blake2(assay_types::Digest),
    /// A ciphertext ([`crate::timelock`]) that the chain opens when the pulse of `reveal_round` is there.
    Timelocked {
        /// Inner blob, without the portable envelope.
        ciphertext: Vec<u8>,
        /// drand round.
        reveal_round: u64,
    },
}

/// What a hotkey has committed; a new one replaces it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitment {
    /// Who.
    pub hotkey: Hotkey,
    /// Block it was made in.
    pub block: BlockNumber,
    /// Fields, at most [`FIELDS_MAX`].
    pub fields: Vec<CommitmentField>,
}

/// A timelocked field the chain has opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevealedCommitment {
    /// Who.
    pub hotkey: Hotkey,
    /// Block it was opened in.
    pub block: BlockNumber,
    /// Plaintext.
    pub bytes: Vec<u8>,
}

/// What hotkeys say in the clear at a block, as (hotkey, block, bytes): plain fields that stand, then what the chain has
/// opened.
pub fn messages<'a>(
    standing: &'a [Commitment],
    opened: &'a [RevealedCommitment],
) -> impl Iterator<Item = (Hotkey, BlockNumber, &'a [u8])> {
    let plain = standing.iter().flat_map(|commitment| {
        commitment.fields.iter().filter_map(move |field| match field {
            CommitmentField::Plain(bytes) => Some((commitment.hotkey, commitment.block, bytes.as_slice())),
            _ => None,
        })
    });
    let opened = opened
        .iter()
        .map(|opened| (opened.hotkey, opened.block, opened.bytes.as_slice()));
    plain.chain(opened)
}

/// The dead letters that the subnet's owner gives new attempts with the assignment of `round`, by what stands in the clear at
/// its assignment block: those named, all for an empty list; none if the owner says nothing about the round.
pub fn requeued(metagraph: &Metagraph, standing: &[Commitment], round: Round) -> Option<Vec<UnitId>> {
    let owner = metagraph.owner_hotkey?;
    let mut of_owner = messages(standing, &[]).filter(|(hotkey, _, _)| *hotkey == owner);
    of_owner.find_map(|(_, _, bytes)| match Message::parse(bytes) {
        Ok(Message::Requeue { round: about, units }) if about == round => Some(units),
        _ => None,
    })
}

/// The recipes that neurons of a metagraph offer at a block, among what stands in the clear or was opened: since when, and
/// what. A sealed offer counts from the block that opened it. What a hotkey said before its registration was said by
/// somebody else.
pub fn offers(metagraph: &Metagraph, standing: &[Commitment], opened: &[RevealedCommitment]) -> Vec<Offer> {
    let offer = |(hotkey, block, bytes): (Hotkey, BlockNumber, &[u8])| {
        let Ok(Message::Recipe(message)) = Message::parse(bytes) else {
            return None;
        };
        let neuron = metagraph
            .neuron(&hotkey)
            .filter(|neuron| neuron.registered <= block)?;
        let author = Author {
            hotkey,
            coldkey: neuron.coldkey,
            block,
        };
        Some(Offer { author, message })
    };
    messages(standing, opened).filter_map(offer).collect()
}

/// The neurons of a metagraph as an assignment sees them, by uid: what each wants is the newest thing it has said since its
/// registration, among what stands or was opened at the same block.
pub fn members(metagraph: &Metagraph, standing: &[Commitment], opened: &[RevealedCommitment]) -> Vec<Member> {
    let wants = latest_wants(messages(standing, opened));
    let want = |hotkey: &Hotkey, registered: BlockNumber| {
        let newest = wants.get(hotkey).filter(|(block, _)| *block >= registered);
        newest.map_or(0, |(_, want)| *want)
    };
    metagraph
        .neurons
        .iter()
        .map(|neuron| Member {
            hotkey: neuron.hotkey,
            coldkey: neuron.coldkey,
            registered: neuron.registered,
            want: want(&neuron.hotkey, neuron.registered),
        })
        .collect()
}

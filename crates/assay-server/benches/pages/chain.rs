//! What the chain shows of the history's subnet.

use crate::history::{MINERS, NETUID, TEMPO, VALIDATORS, hotkey};
use assay_chain::{Metagraph, Neuron, WeightRow};
use assay_types::{BlockNumber, Coldkey, Digest, Rao, Uid, Weight};

/// The subnet at a block: all places held, pay that moves a little.
pub(crate) fn metagraph(block: u32) -> Metagraph {
    let neuron = |uid: u16| {
        let is_validator = uid >= MINERS;
        let swing = (block / TEMPO + u32::from(uid)) % 16;
        let pay = if is_validator { 0 } else { 480 - uid + swing as u16 };
        Neuron {
            uid: Uid(uid),
            hotkey: hotkey(uid),
            coldkey: Coldkey([uid as u8; 32]),
            stake: Rao(if is_validator {
                900_000_000_000 - u64::from(uid)
            } else {
                0
            }),
            permit: is_validator,
            active: true,
            incentive: pay,
            dividends: if is_validator { 8_191 } else { 0 },
            consensus: pay,
            vtrust: if is_validator { 64_000 } else { 0 },
            emission: Rao(u64::from(pay) * 10_000),
            last_update: BlockNumber(block / TEMPO * TEMPO),
            registered: BlockNumber(10 + u32::from(uid)),
            immunity_left: 0,
            axon: None,
        }
    };
    Metagraph {
        netuid: NETUID,
        block: BlockNumber(block),
        hash: Digest::of(&block.to_le_bytes()),
        owner_hotkey: None,
        owner_coldkey: None,
        neurons: (0..MINERS + VALIDATORS).map(neuron).collect(),
    }
}

/// What validators set.
pub(crate) fn weights(block: u32) -> Vec<WeightRow> {
    let swing = (block / TEMPO) as u16 % 16;
    (MINERS..MINERS + VALIDATORS)
        .map(|uid| WeightRow {
            uid: Uid(uid),
            weights: (0..MINERS)
                .map(|target| (Uid(target), Weight(65_000 - target * 100 + swing)))
                .collect(),
        })
        .collect()
}

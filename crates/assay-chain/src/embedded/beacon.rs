//! The embedded chain's beacon: which rounds a block stores, and signatures computed when somebody needs them.
//!
//! A local key pair stands in for drand quicknet, with the same curve, domain and clock, so that ciphertexts differ only in
//! whose key they are sealed to. The state keeps round numbers; a pulse is a function of the seed and its round.

use std::collections::BTreeMap;

use assay_types::Digest;

use crate::timelock::{self, LocalBeacon};

/// Rounds the chain keeps: 7.5 days of one each three seconds.
pub(crate) const ROUNDS_KEPT: u64 = 216_000;

/// Signatures of one block's rounds, each computed once.
#[derive(Debug)]
pub(crate) struct Signatures {
    beacon: Option<LocalBeacon>,
    known: BTreeMap<u64, Vec<u8>>,
}

impl Signatures {
    /// Of the beacon of `seed`.
    pub(crate) fn new(seed: &Digest) -> Self {
        Self {
            beacon: LocalBeacon::from_seed(seed.as_bytes()).ok(),
            known: BTreeMap::new(),
        }
    }

    /// What a ciphertext holds, if this beacon's round opens it.
    pub(crate) fn open(&mut self, ciphertext: &[u8], round: u64) -> Option<Vec<u8>> {
        if !self.known.contains_key(&round) {
            let pulse = self.beacon.as_ref()?.pulse(round).ok()?;
            self.known.insert(round, pulse.signature);
        }
        timelock::open(ciphertext, self.known.get(&round)?).ok()
    }
}

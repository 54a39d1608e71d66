//! A chain of epochs for the tests: storage goes in, an epoch runs, what it stores is kept.

use assay_mechanism::yuma::{Neuron, Outcome, Stake, Subnet, YumaParams, epoch};
use assay_types::BlockNumber;

pub(super) const EMISSION: u64 = 1_000_000_000;
pub(super) const FULL: u16 = u16::MAX;

/// A subnet that lives from epoch to epoch.
pub(super) struct Chain(pub(super) Subnet);

impl Chain {
    /// `stakes` in rao; the first `validators` uids hold permits; registrations at block 0.
    pub(super) fn new(stakes: &[u64], validators: usize, params: YumaParams) -> Self {
        let neuron = |(uid, &rao): (usize, &u64)| Neuron {
            stake: Stake::from_rao(rao),
            permit: uid < validators,
            ..Neuron::default()
        };
        Self(Subnet {
            tempo: 1,
            params,
            neurons: stakes.iter().enumerate().map(neuron).collect(),
            ..Subnet::default()
        })
    }

    pub(super) fn set(&mut self, uid: usize, weights: &[(u16, u16)]) {
        let block = self.0.block;
        let neuron = &mut self.0.neurons[uid];
        neuron.weights = weights.to_vec();
        neuron.last_update = block;
    }

    pub(super) fn at(&mut self, block: u32) {
        self.0.block = BlockNumber(block);
    }

    pub(super) fn run(&mut self) -> Vec<Outcome> {
        let outcomes = epoch(&self.0, EMISSION);
        for (neuron, outcome) in self.0.neurons.iter_mut().zip(&outcomes) {
            neuron.permit = outcome.permit;
            neuron.bonds = outcome.bonds.clone();
        }
        outcomes
    }
}

pub(super) fn emission(outcomes: &[Outcome]) -> Vec<u64> {
    outcomes.iter().map(|outcome| outcome.emission).collect()
}

pub(super) fn bonds_to(outcomes: &[Outcome], uid: u16, rows: usize) -> Vec<u16> {
    let bond = |outcome: &Outcome| {
        let found = outcome.bonds.iter().find(|(to, _)| *to == uid);
        found.map_or(0, |(_, bond)| *bond)
    };
    outcomes.iter().take(rows).map(bond).collect()
}

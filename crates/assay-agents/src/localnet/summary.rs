//! What a run was: per miner what it did, what it was caught for and what it earned.

use std::collections::BTreeSet;

use assay_chain::{At, Chain as _, Metagraph, WeightRow};
use assay_types::{Hotkey, MechId, Q32, Round, Uid};
use serde::Serialize;

use super::Play;
use super::duel::DuelSummary;
use super::world::World;
use crate::subnet::AgentError;

/// A run, added up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Rounds settled.
    pub rounds: u32,
    /// Real time, seconds.
    pub seconds: f64,
    /// Real time until the first unit had passed.
    pub first_score_s: Option<f64>,
    /// Real time until the first weights were on the chain.
    pub first_weights_s: Option<f64>,
    /// Whether all validators' rows are equal, bit for bit.
    pub validators_equal: bool,
    /// Whether the Task API came to the same verdicts as the chain's readers; none if it did not answer.
    pub server_equal: Option<bool>,
    /// Miners in the order of their names.
    pub miners: Vec<MinerSummary>,
    /// Incentive of the burn uid, share of all.
    pub burn: f64,
    /// What the stages of duels decided; empty on a localnet without.
    pub duels: Vec<DuelSummary>,
    /// The recipe that reigns at the end; none on a localnet without duels.
    pub champion: Option<String>,
}

/// One miner.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MinerSummary {
    /// Name.
    pub name: String,
    /// Kind.
    pub strategy: String,
    /// Address.
    pub hotkey: String,
    /// Units that passed.
    pub verified_units: u32,
    /// Records of units that passed.
    pub verified_records: u64,
    /// Names of its faults, each once.
    pub faults: Vec<String>,
    /// Round of its first fault.
    pub caught_in: Option<u32>,
    /// Fraud proofs against it that the Task API has recomputed and listed; none if it does not answer.
    pub proofs: Option<u32>,
    /// Credibility, 0 to 1.
    pub credibility: f64,
    /// Weight in the last row, of 65,535.
    pub weight: u16,
    /// Incentive, share of all.
    pub incentive: f64,
}

impl Play<'_> {
    /// Adds the run up at the newest block, and asks the server what it has come to.
    pub(super) async fn summary(&self, world: &World, rounds: u32) -> Result<Summary, AgentError> {
        let (metagraph, rows) = self.chain_now().await?;
        let mut summary = Summary {
            server_equal: self.server_equal(world, rounds).await,
            ..self.added_up(world, rounds, (&metagraph, &rows))
        };
        let listed = self.api.fraud_proofs().await.ok();
        for miner in &mut summary.miners {
            miner.proofs = listed.as_ref().map(|listed| {
                let against = listed
                    .iter()
                    .filter(|proof| proof.hotkey.to_ss58() == miner.hotkey);
                u32::try_from(against.count()).unwrap_or(u32::MAX)
            });
        }
        Ok(summary)
    }

    /// Metagraph and weights at the newest block.
    pub(super) async fn chain_now(&self) -> Result<(Metagraph, Vec<WeightRow>), AgentError> {
        let netuid = self.setup.netuid;
        let metagraph = self.chain.metagraph(netuid, At::Head).await?;
        let rows = self.chain.weights(netuid, MechId(0), At::Head).await?;
        Ok((metagraph, rows))
    }

    /// Adds the run up by what the chain says; what the server says is not asked.
    pub(super) fn added_up(
        &self,
        world: &World,
        rounds: u32,
        (metagraph, rows): (&Metagraph, &[WeightRow]),
    ) -> Summary {
        let validators: BTreeSet<Uid> = world
            .validators
            .iter()
            .filter_map(|person| Some(metagraph.neuron(&person.hotkey)?.uid))
            .collect();
        let rows: Vec<_> = rows.iter().filter(|row| validators.contains(&row.uid)).collect();
        let first = rows.first().map(|row| row.weights.clone()).unwrap_or_default();
        let validators_equal =
            rows.len() == world.validators.len() && rows.iter().all(|row| row.weights == first);
        let total: u64 = metagraph
            .neurons
            .iter()
            .map(|neuron| u64::from(neuron.incentive))
            .sum();
        let share = |incentive: u16| f64::from(incentive) / total.max(1) as f64;
        let mut miners = Vec::new();
        for person in &world.miners {
            let Some(role) = person.role else { continue };
            let neuron = metagraph.neuron(&person.hotkey);
            let uid = neuron.map(|neuron| neuron.uid);
            let weight = first.iter().find(|(target, _)| Some(*target) == uid);
            let (faults, caught_in) = self.faults(&person.hotkey);
            let (verified_units, verified_records) = self.verified(&person.hotkey);
            let known = self.tracker.state().miners.get(&person.hotkey);
            let credibility = known.map_or(Q32::ZERO, |known| known.state.credibility);
            miners.push(MinerSummary {
                name: person.name.clone(),
                strategy: role.name().to_owned(),
                hotkey: person.hotkey.to_ss58(),
                verified_units,
                verified_records,
                faults,
                caught_in,
                proofs: None,
                credibility: credibility.0 as f64 / Q32::ONE.0 as f64,
                weight: weight.map_or(0, |(_, weight)| weight.0),
                incentive: neuron.map_or(0.0, |neuron| share(neuron.incentive)),
            });
        }
        Summary {
            rounds: self.tracker.state().settled.min(rounds),
            seconds: self.began.elapsed().as_secs_f64(),
            first_score_s: self.first_score_s,
            first_weights_s: self.first_weights_s,
            validators_equal,
            server_equal: None,
            miners,
            duels: self.duels().0,
            champion: self.duels().1,
            burn: metagraph.burn().map_or(0.0, |neuron| share(neuron.incentive)),
        }
    }

    /// Compares the server's verdicts, credibilities and averages with the driver's, round by round.
    async fn server_equal(&self, world: &World, rounds: u32) -> Option<bool> {
        for person in &world.miners {
            let told = self.api.miner_rounds(&person.hotkey).await.ok()?;
            for (round, results) in self.tracker.all_results() {
                let Some(own) = results.iter().find(|one| one.hotkey == person.hotkey) else {
                    continue;
                };
                let theirs = told.iter().find(|one| one.round == round);
                let is_equal = theirs.is_some_and(|one| {
                    one.verdict == own.verdict
                        && one.units as usize == own.passed.len()
                        && one.credibility_q32 == own.after.credibility.0
                        && one.average_q32 == own.after.average.0
                });
                // Rounds played are effective for some tempos by now; younger ones the server may still have to settle.
                if !is_equal && (theirs.is_some() || round.0 < rounds) {
                    return Some(false);
                }
            }
            if told.is_empty() {
                return Some(false);
            }
        }
        Some(true)
    }

    /// Names of a miner's faults, and the round of the first.
    fn faults(&self, hotkey: &Hotkey) -> (Vec<String>, Option<u32>) {
        let mut names = BTreeSet::new();
        let mut first: Option<Round> = None;
        for (round, results) in self.tracker.all_results() {
            for fault in results
                .iter()
                .filter(|one| one.hotkey == *hotkey)
                .flat_map(|one| &one.faults)
            {
                names.insert(fault.kind.name().to_owned());
                first = first.or(Some(round));
            }
        }
        (names.into_iter().collect(), first.map(|round| round.0))
    }

    /// Units of a miner that passed, and their records.
    fn verified(&self, hotkey: &Hotkey) -> (u32, u64) {
        let results = self.tracker.all_results();
        let own = results.flat_map(|(_, results)| results.iter().filter(|one| one.hotkey == *hotkey));
        own.fold((0, 0), |(units, records), one| {
            (units + one.passed.len() as u32, records + one.records)
        })
    }
}

//! A localnet at a moment, for whoever watches it live.

use assay_chain::{At, Chain as _, CommitmentField};
use assay_types::{BlockNumber, Message, Round, Verdict};

use super::Play;
use super::summary::MinerSummary;
use super::world::World;
use crate::miner::{RoundJournal, Stage};
use crate::subnet::AgentError;

/// The moment.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Real time since the start, seconds.
    pub seconds: f64,
    /// Newest block.
    pub block: BlockNumber,
    /// The round whose work goes on; none before round 0.
    pub round: Option<Round>,
    /// Its phase: `work`, `publish`, `audit`, `settle` or `effective`.
    pub phase: String,
    /// Share of the round's blocks that have passed.
    pub passed: f64,
    /// Rounds settled, and to be played.
    pub settled: u32,
    /// Rounds to be played.
    pub rounds: u32,
    /// Miners in the order of their names.
    pub miners: Vec<MinerLook>,
    /// Validators: name, newest round reported on, whether weights stand on the chain.
    pub validators: Vec<(String, Option<Round>, bool)>,
    /// Incentive of the burn uid, share of all.
    pub burn: f64,
    /// Address of the Task API and website.
    pub api: String,
}

/// A miner at that moment.
#[derive(Debug, Clone, PartialEq)]
pub struct MinerLook {
    /// What it has come to so far.
    pub so_far: MinerSummary,
    /// Its newest round's stage.
    pub stage: Option<Stage>,
    /// Verdicts by round, the newest last.
    pub verdicts: Vec<Verdict>,
}

impl Play<'_> {
    /// The view at the newest block.
    pub(super) async fn view(&self, world: &World, rounds: u32) -> Result<View, AgentError> {
        let head = self.chain.head(At::Head).await?.number;
        let clock = &self.setup.clock;
        let round = clock.round_of(head);
        let (metagraph, rows) = self.chain_now().await?;
        let summary = self.added_up(world, rounds, (&metagraph, &rows));
        let commitments = self.chain.commitments(self.setup.netuid, At::Head).await?;
        let reported = |hotkey: &assay_types::Hotkey| {
            let own = commitments.iter().filter(|one| one.hotkey == *hotkey);
            own.flat_map(|one| &one.fields)
                .filter_map(|field| match field {
                    CommitmentField::Plain(bytes) => Message::parse(bytes).ok(),
                    _ => None,
                })
                .find_map(|message| match message {
                    Message::Reports { round, .. } => Some(round),
                    _ => None,
                })
        };
        let has_weights = |hotkey: &assay_types::Hotkey| {
            let uid = metagraph.neuron(hotkey).map(|neuron| neuron.uid);
            rows.iter()
                .any(|row| Some(row.uid) == uid && !row.weights.is_empty())
        };
        let into_round = round.map_or(0, |round| head.0.saturating_sub(clock.start(round).0));
        let length = self.setup.params.values.round_blocks.max(1);
        Ok(View {
            seconds: self.began.elapsed().as_secs_f64(),
            block: head,
            round,
            phase: round
                .and_then(|round| clock.phase(round, head))
                .map_or_else(String::new, |phase| format!("{phase:?}").to_lowercase()),
            passed: f64::from(into_round) / length as f64,
            settled: self.tracker.state().settled,
            rounds,
            miners: world
                .miners
                .iter()
                .zip(summary.miners)
                .map(|(person, so_far)| MinerLook {
                    stage: self.stage(&person.name),
                    verdicts: self
                        .tracker
                        .all_results()
                        .filter_map(|(_, results)| results.iter().find(|one| one.hotkey == person.hotkey))
                        .map(|one| one.verdict)
                        .collect(),
                    so_far,
                })
                .collect(),
            validators: world
                .validators
                .iter()
                .map(|person| {
                    (
                        person.name.clone(),
                        reported(&person.hotkey),
                        has_weights(&person.hotkey),
                    )
                })
                .collect(),
            burn: summary.burn,
            api: self.address.clone(),
        })
    }

    /// Stage of a miner's newest round, as its journal says; a file being replaced is looked at the next time.
    fn stage(&self, name: &str) -> Option<Stage> {
        let journals = RoundJournal::all(&self.folder.join("agents").join(name)).ok()?;
        journals.last().map(|journal| journal.stage)
    }
}

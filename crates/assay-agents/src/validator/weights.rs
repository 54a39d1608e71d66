//! A validator's weights: the row of the newest effective round, set once a tempo, and looked for once it should be opened.

use assay_chain::subtensor::Committed;
use assay_chain::{At, Call, Neuron};
use assay_mechanism::network::NetworkState;
use assay_types::{BlockNumber, Hotkey, MechId, Round, Uid, Weight};
use fs_err as fs;

use super::{Did, Validator};
use crate::local::{read_bounded, write_atomically};
use crate::subnet::{AgentError, SetWeights, is_pruned, set_weights};

/// Most bytes of a row of weights.
const ROW_BYTES_MAX: u64 = 1 << 20;

impl Validator<'_> {
    /// Sets the weights of the newest effective round: once when it becomes effective, then once a tempo.
    pub(super) async fn set_weights(&mut self, block: BlockNumber) -> Result<Option<Did>, AgentError> {
        let Some(round) = self.setup.clock.latest_effective(block) else {
            return Ok(None);
        };
        let parameters = self.chain.hyperparameters(self.setup.netuid, At::Head).await?;
        let tempo = u32::from(parameters.tempo.max(1));
        if self.set.is_none() {
            self.set = self.set_before(round).await?;
        }
        let is_set = self
            .set
            .is_some_and(|(known, at)| known == round && block.0.saturating_sub(at.0) < tempo);
        let Some(state) = self.tracker.settled_state(round).filter(|_| !is_set) else {
            return Ok(None);
        };
        let Some(row) = self.row(round, state).await? else {
            return Ok(None);
        };
        let wanted = SetWeights {
            netuid: self.setup.netuid,
            mecid: MechId(0),
            weights: &row,
            version_key: None,
        };
        let sent = match set_weights(self.chain, wanted, &self.options.signer.0).await {
            Ok(call) => {
                let receipt = self.chain.submit(&call, &self.options.signer.0).await;
                receipt.map(|receipt| (call, receipt)).map_err(AgentError::from)
            }
            Err(error) => Err(error),
        };
        match sent {
            Ok((call, receipt)) => {
                self.set = Some((round, receipt.block));
                if let Call::CommitTimelockedWeights {
                    commit, reveal_round, ..
                } = &call
                {
                    let committed = Committed::new(
                        (self.setup.netuid, MechId(0)),
                        self.options.signer.hotkey(),
                        commit,
                        (receipt.block, *reveal_round),
                        &row,
                    );
                    self.reveals.committed(round, committed)?;
                }
                Ok(Some(Did::Weights { round, row }))
            }
            // The rate limit, or weights of a run before a restart: the next block is soon enough.
            Err(error) if error.retry_is_safe() => {
                // Those may be of this round: the chain is asked again.
                self.set = None;
                tracing::debug!(%error, "weights wait");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// What the chain says of weights that were set before this process began: those of `round`, if they are of its time.
    async fn set_before(&self, round: Round) -> Result<Option<(Round, BlockNumber)>, AgentError> {
        let metagraph = self.chain.metagraph(self.setup.netuid, At::Head).await?;
        let own = metagraph.neuron(&self.options.signer.hotkey());
        let effective = self.setup.clock.effective_block(round);
        let is_of_round =
            |neuron: &&Neuron| neuron.last_update > neuron.registered && neuron.last_update >= effective;
        Ok(own.filter(is_of_round).map(|neuron| (round, neuron.last_update)))
    }

    /// Rounds whose weights the chain has dropped instead of opening them.
    pub(super) async fn unrevealed(&mut self) -> Result<Vec<Did>, AgentError> {
        let head = self.chain.head(At::Head).await?;
        let dropped = self.reveals.look(self.chain, &head).await?;
        let told = dropped.into_iter().map(|(round, reason)| {
            tracing::warn!(round = round.0, reason, "weights were not opened");
            Did::Unrevealed { round }
        });
        Ok(told.collect())
    }

    /// The row of a round, by the members at its effective block: the same for every validator, so it is kept once made.
    /// None for whoever was away until that block's state was forgotten: the next round's row is soon there.
    async fn row(
        &self,
        round: Round,
        state: &NetworkState,
    ) -> Result<Option<Vec<(Uid, Weight)>>, AgentError> {
        let path = self.options.folder.join("rows").join(format!("{}.json", round.0));
        if path.exists() {
            let bytes = read_bounded(&path, ROW_BYTES_MAX).map_err(AgentError::file(&path))?;
            let row = serde_json::from_slice(&bytes).map_err(|error| AgentError::invalid(&path, error))?;
            return Ok(Some(row));
        }
        let at = At::Number(self.setup.clock.effective_block(round));
        let metagraph = match self
            .chain
            .metagraph(self.setup.netuid, at)
            .await
            .map_err(AgentError::from)
        {
            Err(error) if is_pruned(&error) => return Ok(None),
            metagraph => metagraph?,
        };
        let burn = metagraph.burn().map_or(Uid(0), |neuron| neuron.uid);
        let members: Vec<(Uid, Hotkey, BlockNumber)> = metagraph
            .neurons
            .iter()
            .map(|neuron| (neuron.uid, neuron.hotkey, neuron.registered))
            .collect();
        let row = state.weights(&members, burn, &self.setup.params.values);
        fs::create_dir_all(self.options.folder.join("rows")).map_err(AgentError::file(&path))?;
        let bytes = serde_json::to_vec(&row).map_err(|error| AgentError::invalid(&path, error))?;
        write_atomically(&path, &bytes)?;
        Ok(Some(row))
    }
}

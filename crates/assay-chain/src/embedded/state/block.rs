//! One block: what it holds, and the order in which it changes the state.
//!
//! Order (docs/embedded-chain.md): price decay, reveal of timelocked weights, emission and epochs, reveal of commitments,
//! inherents (pulses come in as the runtime's unsigned transactions do), then signed transactions.

use assay_types::{Coldkey, Hotkey, NetUid, Rao};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::weights::{NewCommit, WeightsVector};
use super::{DispatchError, Event, ROOT, State};
use crate::Call;
use crate::embedded::beacon::{ROUNDS_KEPT, Signatures};

/// What enters a block without a signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "inherent", rename_all = "snake_case")]
pub(crate) enum Inherent {
    /// Pulses up to a round, but for those that are missing.
    Pulses {
        /// Newest round.
        through: u64,
        /// Rounds that did not come.
        missing: Vec<u64>,
    },
    /// A pulse that was missing.
    LatePulse {
        /// Its round.
        round: u64,
    },
    /// New TAO for an account.
    Fund {
        /// Account.
        account: Coldkey,
        /// Amount.
        amount: Rao,
    },
    /// Another runtime from here on.
    Upgrade {
        /// `spec_version`.
        spec_version: u32,
    },
    /// Another emission from here on.
    AlphaPerBlock {
        /// Rao of alpha a block.
        amount: u64,
    },
}

/// How a transaction ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Why it failed.
    pub(crate) error: Option<DispatchError>,
    /// What it did.
    pub(crate) events: Vec<Event>,
}

impl State {
    /// Starts a block: everything that happens before its transactions.
    pub(crate) fn initialize(&mut self, number: u32, time_ms: u64) -> Vec<Event> {
        self.block = number;
        self.time_ms = time_ms;
        let netuids: Vec<NetUid> = self
            .subnets
            .keys()
            .copied()
            .filter(|&netuid| netuid != ROOT)
            .collect();
        for &netuid in &netuids {
            if let Ok(subnet) = self.subnet_mut(netuid) {
                subnet.decay_burn();
            }
        }
        let mut pulses = Signatures::new(&self.genesis.beacon_seed);
        let mut events = Vec::new();
        for &netuid in &netuids {
            events.extend(self.reveal_weights(netuid, &mut pulses));
        }
        events.extend(self.coinbase());
        for &netuid in &netuids {
            events.extend(self.reveal_commitments(netuid, &mut pulses));
        }
        events
    }

    /// Takes in an inherent.
    pub(crate) fn include(&mut self, inherent: &Inherent) -> Vec<Event> {
        match inherent {
            Inherent::Pulses { through, missing } => {
                self.missing_rounds.extend(missing);
                self.last_round = self.last_round.max(*through);
                let oldest = self.last_round.saturating_sub(ROUNDS_KEPT);
                self.first_round = self.first_round.max(oldest);
                self.missing_rounds = self.missing_rounds.split_off(&self.first_round);
                vec![Event::new("Drand.NewPulse", json!({"rounds": [through]}))]
            }
            Inherent::LatePulse { round } => {
                self.missing_rounds.remove(round);
                vec![Event::new("Drand.NewPulse", json!({"rounds": [round]}))]
            }
            Inherent::Fund { account, amount } => {
                self.mint(*account, amount.0);
                let fields = json!({"account": account, "amount": amount});
                vec![Event::new("Balances.Minted", fields)]
            }
            Inherent::Upgrade { spec_version } => {
                self.spec_version = *spec_version;
                vec![Event::new("System.CodeUpdated", json!({}))]
            }
            Inherent::AlphaPerBlock { amount } => {
                std::sync::Arc::make_mut(&mut self.genesis).alpha_per_block = *amount;
                Vec::new()
            }
        }
    }

    /// Runs a transaction whose nonce is the account's: it is used up whether or not the call succeeds.
    pub(crate) fn apply(&mut self, signer: Coldkey, call: &Call) -> Outcome {
        let account = self.account_mut(signer);
        account.nonce = account.nonce.saturating_add(1);
        match self.dispatch(signer, call) {
            Ok(mut events) => {
                events.push(Event::new("System.ExtrinsicSuccess", json!({})));
                Outcome { error: None, events }
            }
            Err(error) => Outcome {
                events: vec![Event::new(
                    "System.ExtrinsicFailed",
                    json!({"pallet": error.pallet, "name": error.name}),
                )],
                error: Some(error),
            },
        }
    }

    fn dispatch(&mut self, signer: Coldkey, call: &Call) -> Result<Vec<Event>, DispatchError> {
        // The same 32 bytes are a hotkey for calls that hotkeys sign.
        let hotkey = Hotkey(signer.0);
        match call {
            Call::SetCommitment { netuid, fields } => self.set_commitment(hotkey, *netuid, fields),
            Call::SetWeights {
                netuid,
                mecid,
                weights,
                version_key,
            } => {
                let vector = WeightsVector {
                    netuid: *netuid,
                    mecid: *mecid,
                    weights: weights.clone(),
                    version_key: *version_key,
                };
                self.set_weights(hotkey, &vector)
            }
            Call::CommitTimelockedWeights {
                netuid,
                mecid,
                commit,
                reveal_round,
                version,
            } => {
                let new = NewCommit {
                    netuid: *netuid,
                    mecid: *mecid,
                    commit,
                    reveal_round: *reveal_round,
                    version: *version,
                };
                self.commit_weights(hotkey, &new)
            }
            Call::Register {
                netuid,
                hotkey,
                limit_price,
            } => self.register(signer, *netuid, *hotkey, *limit_price),
            Call::ServeAxon { netuid, address } => self.serve_axon(hotkey, *netuid, *address),
            Call::RegisterNetwork { hotkey, identity } => {
                self.register_network(signer, *hotkey, identity.as_ref())
            }
            Call::StartCall { netuid } => self.start_call(signer, *netuid),
            Call::SetSubnetIdentity { netuid, identity } => {
                self.set_subnet_identity(signer, *netuid, identity)
            }
            Call::AddStake {
                hotkey,
                netuid,
                amount,
            } => self.add_stake(signer, *hotkey, *netuid, *amount),
            Call::SetHyperparameter { netuid, name, value } => {
                self.set_hyperparameter(signer, *netuid, name, *value)
            }
        }
    }
}

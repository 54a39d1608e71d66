//! Reads of the embedded chain as values: what is asked, what is answered, and how the state answers.
//!
//! The same [`Query`] and [`Answer`] are function arguments in-process and JSON over the socket.

use assay_types::{BlockNumber, Coldkey, Digest, MechId, NetUid, Rao, Uid, Weight};
use serde::{Deserialize, Serialize};

use super::state::{Event, Neuron, Subnet, Totals, immunity_left};
use super::view::{Sealed, View};
use crate::timelock::LocalBeacon;
use crate::{
    At, ChainErrorKind, Commitment, EpochState, Head, Hyperparameters, Metagraph, PendingCommit, Pulse,
    RevealedCommitment, SubnetIdentity, WeightRow,
};

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "read", rename_all = "snake_case")]
pub(crate) enum Query {
    Runtime,
    Head,
    Metagraph { netuid: NetUid },
    Hyperparameters { netuid: NetUid },
    Commitments { netuid: NetUid },
    Revealed { netuid: NetUid },
    Weights { netuid: NetUid, mecid: MechId },
    Bonds { netuid: NetUid, mecid: MechId },
    EpochState { netuid: NetUid },
    PendingCommits { netuid: NetUid, mecid: MechId },
    Pulse { round: u64 },
    LastRound,
    Balance { account: Coldkey },
    Burn { netuid: NetUid },
    LockCost,
    Identity { netuid: NetUid },
    Events,
    Totals,
    Inclusion { extrinsic: Digest },
}

impl Query {
    /// What it does, for errors.
    pub(crate) fn operation(&self) -> String {
        match self {
            Self::Runtime => "read the runtime".to_owned(),
            Self::Head => "read a head".to_owned(),
            Self::Metagraph { netuid } => format!("read the metagraph of subnet {netuid}"),
            Self::Hyperparameters { netuid } => format!("read the hyper-parameters of subnet {netuid}"),
            Self::Commitments { netuid } => format!("read the commitments of subnet {netuid}"),
            Self::Revealed { netuid } => format!("read the revealed commitments of subnet {netuid}"),
            Self::Weights { netuid, .. } => format!("read the weights of subnet {netuid}"),
            Self::Bonds { netuid, .. } => format!("read the bonds of subnet {netuid}"),
            Self::EpochState { netuid } => format!("read the epoch of subnet {netuid}"),
            Self::PendingCommits { netuid, .. } => format!("read the open commits of subnet {netuid}"),
            Self::Pulse { round } => format!("read pulse {round}"),
            Self::LastRound => "read the newest pulse".to_owned(),
            Self::Balance { .. } => "read a balance".to_owned(),
            Self::Burn { netuid } => format!("read the price of subnet {netuid}"),
            Self::LockCost => "read the price of a subnet".to_owned(),
            Self::Identity { netuid } => format!("read the identity of subnet {netuid}"),
            Self::Events => "read events".to_owned(),
            Self::Totals => "read totals".to_owned(),
            Self::Inclusion { .. } => "find a transaction".to_owned(),
        }
    }
}

/// What a client must know before it signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Runtime {
    /// Genesis hash.
    pub(crate) genesis: Digest,
    /// `spec_version`.
    pub(crate) spec_version: u32,
    /// The beacon's public key, hexadecimal.
    pub(crate) beacon: String,
    /// Time between blocks, milliseconds.
    pub(crate) block_time_ms: u64,
}

/// Where a transaction is and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inclusion {
    /// Block.
    pub(crate) head: Head,
    /// Pallet and name of its error.
    pub(crate) error: Option<(String, String)>,
    /// Names of its events.
    pub(crate) events: Vec<String>,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Runtime(Runtime),
    Head(Head),
    Metagraph(Metagraph),
    Hyperparameters(Hyperparameters),
    Commitments(Vec<Commitment>),
    Revealed(Vec<RevealedCommitment>),
    Rows(Vec<WeightRow>),
    EpochState(EpochState),
    PendingCommits(Vec<PendingCommit>),
    Pulse(Option<Pulse>),
    Number(u64),
    Identity(Option<SubnetIdentity>),
    Events(Vec<Event>),
    Totals(Totals),
    Inclusion(Option<Inclusion>),
}

impl View {
    /// Answers a read.
    pub(crate) fn answer(&self, query: &Query, at: At, genesis: Digest) -> Result<Answer, ChainErrorKind> {
        match (query, at) {
            (Query::Inclusion { extrinsic }, _) => return Ok(Answer::Inclusion(self.inclusion(extrinsic))),
            // Heads are kept longer than states.
            (Query::Head, At::Number(number)) => {
                let head = self.head(number.0).ok_or_else(|| ChainErrorKind::NotFound {
                    what: format!("block {number}"),
                })?;
                return Ok(Answer::Head(*head));
            }
            _ => {}
        }
        let sealed = self.at(at)?;
        match query {
            Query::Runtime => Ok(Answer::Runtime(sealed.runtime(genesis)?)),
            Query::Head => Ok(Answer::Head(sealed.head)),
            Query::Pulse { round } => Ok(Answer::Pulse(sealed.pulse(*round)?)),
            Query::LastRound => Ok(Answer::Number(sealed.state.last_round)),
            Query::Balance { account } => Ok(Answer::Number(sealed.state.account(account).free)),
            Query::LockCost => Ok(Answer::Number(sealed.state.lock_cost())),
            Query::Events => Ok(Answer::Events(sealed.all_events())),
            Query::Totals => Ok(Answer::Totals(sealed.state.totals())),
            Query::Metagraph { netuid }
            | Query::Hyperparameters { netuid }
            | Query::Commitments { netuid }
            | Query::Revealed { netuid }
            | Query::Weights { netuid, .. }
            | Query::Bonds { netuid, .. }
            | Query::EpochState { netuid }
            | Query::PendingCommits { netuid, .. }
            | Query::Burn { netuid }
            | Query::Identity { netuid } => {
                let subnet = sealed
                    .state
                    .subnet(*netuid)
                    .ok_or_else(|| ChainErrorKind::NotFound {
                        what: format!("subnet {netuid}"),
                    })?;
                Ok(sealed.answer_subnet(subnet, query))
            }
            Query::Inclusion { .. } => Ok(Answer::Inclusion(None)),
        }
    }

    fn inclusion(&self, extrinsic: &Digest) -> Option<Inclusion> {
        let (sealed, included) = self.find(extrinsic)?;
        let error = included.error.as_ref();
        Some(Inclusion {
            head: sealed.head,
            error: error.map(|error| (error.pallet.to_string(), error.name.to_string())),
            events: included.events.iter().map(|event| event.name.clone()).collect(),
        })
    }
}

impl Sealed {
    fn runtime(&self, genesis: Digest) -> Result<Runtime, ChainErrorKind> {
        let beacon = LocalBeacon::from_seed(self.state.genesis.beacon_seed.as_bytes())
            .map_err(|error| unusable(&error))?;
        Ok(Runtime {
            genesis,
            spec_version: self.state.spec_version,
            beacon: assay_types::hex::encode(&beacon.beacon().public_key),
            block_time_ms: self.state.genesis.block_time_ms,
        })
    }

    fn pulse(&self, round: u64) -> Result<Option<Pulse>, ChainErrorKind> {
        if !self.state.has_round(round) {
            return Ok(None);
        }
        let beacon = LocalBeacon::from_seed(self.state.genesis.beacon_seed.as_bytes())
            .map_err(|error| unusable(&error))?;
        beacon.pulse(round).map(Some).map_err(|error| unusable(&error))
    }

    fn all_events(&self) -> Vec<Event> {
        let included = self.included.values().flat_map(|included| &included.events);
        self.events.iter().chain(included).cloned().collect()
    }

    fn answer_subnet(&self, subnet: &Subnet, query: &Query) -> Answer {
        match query {
            Query::Metagraph { .. } => Answer::Metagraph(self.metagraph(subnet)),
            Query::Hyperparameters { .. } => Answer::Hyperparameters(subnet.hyperparameters()),
            Query::Commitments { .. } => Answer::Commitments(commitments(subnet)),
            Query::Revealed { .. } => Answer::Revealed(revealed(subnet)),
            Query::Weights { mecid, .. } => Answer::Rows(rows(subnet, *mecid, |row| &row.weights)),
            Query::Bonds { mecid, .. } => Answer::Rows(rows(subnet, *mecid, |row| &row.bonds)),
            Query::EpochState { .. } => Answer::EpochState(subnet.epoch_state(self.head.number.0)),
            Query::PendingCommits { mecid, .. } => Answer::PendingCommits(pending(subnet, *mecid)),
            Query::Identity { .. } => Answer::Identity(subnet.identity.clone()),
            _ => Answer::Number(subnet.burn),
        }
    }

    fn metagraph(&self, subnet: &Subnet) -> Metagraph {
        let neuron = |(uid, neuron): (u16, &std::sync::Arc<Neuron>)| crate::Neuron {
            uid: Uid(uid),
            hotkey: neuron.hotkey,
            coldkey: self.state.owner_of(&neuron.hotkey).unwrap_or_default(),
            stake: Rao(self.state.stake_of(subnet.netuid, &neuron.hotkey).rao()),
            permit: neuron.permit,
            active: neuron.active,
            incentive: neuron.rows.first().map_or(0, |row| row.incentive),
            dividends: neuron.dividends,
            consensus: neuron.consensus,
            vtrust: neuron.vtrust,
            emission: Rao(neuron.emission),
            last_update: BlockNumber(neuron.rows.first().map_or(0, |row| row.last_update)),
            registered: BlockNumber(neuron.registered),
            immunity_left: immunity_left(subnet, neuron, self.head.number.0),
            axon: neuron.axon.map(|(address, _)| address),
        };
        Metagraph {
            netuid: subnet.netuid,
            block: self.head.number,
            hash: self.head.hash,
            owner_hotkey: subnet.owner.map(|(hotkey, _)| hotkey),
            owner_coldkey: subnet.owner.map(|(_, coldkey)| coldkey),
            neurons: (0_u16..).zip(&subnet.neurons).map(neuron).collect(),
        }
    }
}

fn unusable(error: &crate::timelock::TimelockError) -> ChainErrorKind {
    ChainErrorKind::State {
        reason: format!("the beacon's seed: {error}"),
    }
}

fn commitments(subnet: &Subnet) -> Vec<Commitment> {
    let commitment = |(hotkey, record): (&_, &std::sync::Arc<super::state::Record>)| Commitment {
        hotkey: *hotkey,
        block: BlockNumber(record.block),
        fields: record.fields.clone(),
    };
    subnet.commitments.iter().map(commitment).collect()
}

fn revealed(subnet: &Subnet) -> Vec<RevealedCommitment> {
    let of = |hotkey: &assay_types::Hotkey, (block, bytes): &(u32, Vec<u8>)| RevealedCommitment {
        hotkey: *hotkey,
        block: BlockNumber(*block),
        bytes: bytes.clone(),
    };
    let all = subnet.revealed.iter();
    all.flat_map(|(hotkey, list)| list.iter().map(move |entry| of(hotkey, entry)))
        .collect()
}

fn rows(
    subnet: &Subnet,
    mecid: MechId,
    values: impl Fn(&super::state::Row) -> &Vec<(u16, u16)>,
) -> Vec<WeightRow> {
    let row = |(uid, neuron): (u16, &std::sync::Arc<Neuron>)| {
        let values = values(neuron.rows.get(usize::from(mecid.0))?);
        (!values.is_empty()).then(|| WeightRow {
            uid: Uid(uid),
            weights: values
                .iter()
                .map(|&(uid, value)| (Uid(uid), Weight(value)))
                .collect(),
        })
    };
    (0_u16..).zip(&subnet.neurons).filter_map(row).collect()
}

fn pending(subnet: &Subnet, mecid: MechId) -> Vec<PendingCommit> {
    let Some(epochs) = subnet.commits.get(&mecid.0) else {
        return Vec::new();
    };
    let commits = epochs
        .iter()
        .flat_map(|(epoch, commits)| commits.iter().map(move |commit| (*epoch, commit)));
    commits
        .map(|(epoch, commit)| PendingCommit {
            hotkey: commit.hotkey,
            epoch,
            block: BlockNumber(commit.block),
            commit: commit.digest,
            reveal_round: commit.reveal_round,
        })
        .collect()
}

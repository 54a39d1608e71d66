//! A round as the chain shows it: beacons, deadlines, members, sealed and opened pointers, digests of reports.
//!
//! Reads only, each at the block that decides it; answers are values for assay-mechanism (docs/mechanism.md, "Rounds").

use assay_chain::sealed::{Seal, sealed_field};
use assay_chain::timelock::{Beacon, Entropy};
use assay_chain::{
    At, Chain, ChainErrorKind, Commitment, CommitmentField, Pulse, RevealedCommitment, members, messages,
    offers, requeued,
};
use assay_mechanism::admit::{Refusal, find_pointer};
use assay_mechanism::clock::Clock;
use assay_mechanism::contest::Offer;
use assay_mechanism::network::Member;
use assay_types::{BlockNumber, Coldkey, Digest, Hotkey, Message, NetUid, Pointer, Round, UnitId};

use super::error::AgentError;

/// What a round's assignment follows from, beside its beacon.
#[derive(Debug, Clone)]
pub struct Said {
    /// All neurons, by uid.
    pub members: Vec<Member>,
    /// Recipes that want to duel.
    pub offers: Vec<Offer>,
    /// Dead letters that the owner gives new attempts; none if it says nothing about the round.
    pub requeued: Option<Vec<UnitId>>,
}

/// A validator whose reports count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reporter {
    /// Who.
    pub hotkey: Hotkey,
    /// Its owner.
    pub coldkey: Coldkey,
    /// Stake at the cutoff, rao.
    pub stake: u64,
}

/// Whether the reports on a round can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// With this pulse.
    Pulse(Pulse),
    /// Once the chain has stored the pulse of this round.
    Awaited(u64),
    /// The round is effective without its pulse: what is sealed to it does not count.
    Missed,
    /// The chain has no pulses: nothing is sealed.
    NoBeacon,
}

/// The rounds of one subnet on one chain.
#[derive(Debug, Clone, Copy)]
pub struct Rounds<'a> {
    /// The chain.
    pub chain: &'a dyn Chain,
    /// The subnet.
    pub netuid: NetUid,
    /// Its clock.
    pub clock: Clock,
}

impl Rounds<'_> {
    /// `A_t`: the hash of the assignment block.
    ///
    /// # Errors
    /// [`AgentError::Chain`].
    pub async fn assignment_beacon(&self, round: Round) -> Result<[u8; 32], AgentError> {
        let at = At::Number(self.clock.assignment_block(round));
        Ok(self.chain.head(at).await?.hash.0)
    }

    /// `R_t`: the pulse that opens the round's pointers.
    ///
    /// # Errors
    /// [`AgentError::Chain`] before the round starts; [`AgentError::Unexpected`] for a chain older than drand.
    pub async fn reveal_round(&self, round: Round) -> Result<u64, AgentError> {
        let start = self.chain.head(At::Number(self.clock.start(round))).await?;
        let deadline = self.clock.deadline_seconds(start.time_ms / 1_000);
        Clock::pulse_after(deadline).ok_or_else(|| AgentError::Unexpected {
            what: "deadline",
            reason: format!("{deadline} is before the first pulse"),
        })
    }

    /// `S_t`: the randomness of pulse `R_t`, once the chain has stored it. On a runtime without drand it is made of the hash
    /// of the last block in which repositories become public, once that block is final: the same for every validator
    /// (docs/mechanism.md, "A round").
    ///
    /// # Errors
    /// [`AgentError::Chain`], or [`AgentError::Unexpected`] for a pulse that is not the beacon's.
    pub async fn audit_beacon(&self, round: Round) -> Result<Option<Digest>, AgentError> {
        let expected = self.reveal_round(round).await?;
        let pulse = match self.chain.pulse(expected, At::Head).await {
            Ok(None) => return Ok(None),
            Ok(Some(pulse)) => Some(pulse),
            Err(error) if matches!(error.kind, ChainErrorKind::Unsupported { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let finalized = self.chain.head(At::Finalized).await?;
        let fallback = match (&pulse, self.clock.publish_end(round)) {
            // A pulse decides alone.
            (Some(_), _) => finalized,
            (None, block) if finalized.number < block => return Ok(None),
            (None, block) => self.chain.head(At::Number(block)).await?,
        };
        let beacon = self.chain.beacon(At::Head).await?;
        let seed = assay_chain::drand::audit_seed(&beacon, expected, pulse.as_ref(), &fallback);
        let seed = seed.map_err(|error| AgentError::Unexpected {
            what: "pulse",
            reason: error.to_string(),
        })?;
        Ok(Some(seed.seed))
    }

    /// How the reports on a round are read at block `newest`.
    ///
    /// # Errors
    /// [`AgentError::Chain`] before the round starts; [`AgentError::Unexpected`] for a chain older than drand.
    pub async fn opening(&self, round: Round, newest: BlockNumber) -> Result<Opening, AgentError> {
        let start = self.chain.head(At::Number(self.clock.start(round))).await?;
        let seconds = self.clock.opening_seconds(start.time_ms / 1_000);
        let expected = Clock::pulse_after(seconds).ok_or_else(|| AgentError::Unexpected {
            what: "cutoff",
            reason: format!("{seconds} is before the first pulse"),
        })?;
        let effective = self.clock.effective_block(round);
        // What the effective block holds decides, whenever it is looked at: a pulse that comes later is too late for everybody.
        let at = if newest < effective {
            At::Head
        } else {
            At::Number(effective)
        };
        let pulse = match self.chain.pulse(expected, at).await {
            Ok(Some(pulse)) => pulse,
            Ok(None) if newest < effective => return Ok(Opening::Awaited(expected)),
            Ok(None) => return Ok(Opening::Missed),
            Err(error) if matches!(error.kind, ChainErrorKind::Unsupported { .. }) => {
                return Ok(Opening::NoBeacon);
            }
            Err(error) => return Err(error.into()),
        };
        let beacon = self.chain.beacon(At::Head).await?;
        beacon.verify(&pulse).map_err(|error| AgentError::Unexpected {
            what: "pulse",
            reason: error.to_string(),
        })?;
        Ok(Opening::Pulse(pulse))
    }

    /// What the chain says at a round's assignment block.
    ///
    /// # Errors
    /// [`AgentError::Chain`].
    pub async fn said(&self, round: Round) -> Result<Said, AgentError> {
        let at = At::Number(self.clock.assignment_block(round));
        let metagraph = self.chain.metagraph(self.netuid, at).await?;
        let commitments = self.chain.commitments(self.netuid, at).await?;
        let opened = self.chain.revealed_commitments(self.netuid, at).await?;
        Ok(Said {
            members: members(&metagraph, &commitments, &opened),
            offers: offers(&metagraph, &commitments, &opened),
            requeued: requeued(&metagraph, &commitments, round),
        })
    }

    /// Pointers committed in time and opened, by hotkey: the pointer, or why what is there is none.
    ///
    /// What a hotkey had sealed at the deadline is what counts; a runtime keeps the block of the commit only until it is
    /// opened, so it is read at the deadline's block.
    ///
    /// # Errors
    /// [`AgentError::Chain`].
    pub async fn pointer(
        &self,
        round: Round,
        hotkey: &Hotkey,
    ) -> Result<Result<Pointer, Refusal>, AgentError> {
        let reveal = self.reveal_round(round).await?;
        let deadline = self.clock.deadline_block(round);
        let sealed = self.chain.commitments(self.netuid, At::Number(deadline)).await?;
        if !is_committed(&sealed, hotkey, reveal) {
            return Ok(Err(Refusal::Absent));
        }
        let opened = self.chain.revealed_commitments(self.netuid, At::Head).await?;
        let mut found = Err(Refusal::Absent);
        let of_hotkey = |one: &&RevealedCommitment| one.hotkey == *hotkey && one.block > deadline;
        for one in opened.iter().filter(of_hotkey) {
            match find_pointer(std::slice::from_ref(&one.bytes)) {
                Ok(pointer) if pointer.round == round => return Ok(Ok(pointer)),
                Ok(pointer) => {
                    found = Err(Refusal::Round {
                        expected: round,
                        found: pointer.round,
                    });
                }
                Err(refusal) => found = Err(refusal),
            }
        }
        Ok(found)
    }

    /// Digests of the reports on `round` that were on the chain at its cutoff, with who made them.
    ///
    /// # Errors
    /// [`AgentError::Chain`].
    pub async fn report_digests(&self, round: Round) -> Result<Vec<(Reporter, Digest)>, AgentError> {
        let at = At::Number(self.clock.report_cutoff(round));
        let metagraph = self.chain.metagraph(self.netuid, at).await?;
        let commitments = self.chain.commitments(self.netuid, at).await?;
        let mut found = Vec::new();
        for (hotkey, _, bytes) in messages(&commitments, &[]) {
            let Ok(Message::Reports { round: about, digest }) = Message::parse(bytes) else {
                continue;
            };
            let neuron = metagraph.neuron(&hotkey).filter(|neuron| neuron.permit);
            if let Some(neuron) = neuron.filter(|_| about == round) {
                let reporter = Reporter {
                    hotkey,
                    coldkey: neuron.coldkey,
                    stake: neuron.stake.0,
                };
                found.push((reporter, digest));
            }
        }
        Ok(found)
    }
}

/// Whether a hotkey has a field sealed to pulse `reveal` among `commitments`.
#[must_use]
pub fn is_committed(commitments: &[Commitment], hotkey: &Hotkey, reveal: u64) -> bool {
    let of_hotkey = commitments
        .iter()
        .filter(|commitment| commitment.hotkey == *hotkey);
    of_hotkey.flat_map(|commitment| &commitment.fields).any(
        |field| matches!(field, CommitmentField::Timelocked { reveal_round, .. } if *reveal_round == reveal),
    )
}

/// The fields that commit a pointer: one field sealed to pulse `reveal`.
///
/// # Errors
/// [`AgentError::Unexpected`] if the system gives no randomness.
pub fn sealed_fields(
    pointer: &Pointer,
    beacon: &Beacon,
    reveal: u64,
) -> Result<Vec<CommitmentField>, AgentError> {
    let unexpected = |reason: String| AgentError::Unexpected {
        what: "seal the pointer",
        reason,
    };
    let entropy = Entropy::random().map_err(|error| unexpected(error.to_string()))?;
    let seal = Seal {
        beacon,
        round: reveal,
    };
    let field = sealed_field(&pointer.encode(), seal, &entropy);
    Ok(vec![field.map_err(|error| unexpected(error.to_string()))?])
}

/// Whether an error says that a block's state is no longer kept.
pub(crate) fn is_pruned(error: &AgentError) -> bool {
    matches!(error, AgentError::Chain(error) if matches!(error.kind, ChainErrorKind::NotFound { .. } | ChainErrorKind::Answer { .. }))
}

//! The validator: every submission of a round audited, reports published and put on the chain, weights set.
//!
//! ```text
//! pointers ─► manifests ─► files ─► worker: drawn rows recomputed ─► findings ─► batch ─► chain
//! stage of a duel ─► worker: archives refined, models trained ─► cells ──────────┘
//! batches of all validators ─► Tracker ─► averages ─► weights ─► chain (sealed)
//! ```
//!
//! What is found depends on chain data and published bytes alone, so honest validators report the same and set the same
//! weights. Each effect can be repeated: a batch that is on the chain is not made again, weights are set once a tempo.

mod audit;
mod duel;
mod evidence;
mod look;
mod measure;
mod novelty;
mod outbox;
mod private;
mod report;
mod retention;
mod reveals;
mod submission;
mod weights;
mod worker;

use std::path::PathBuf;

use assay_chain::{At, Chain, CommitmentField};
use assay_types::{BlockNumber, FraudKind, Hotkey, Message, Round, Uid, Weight};
use fs_err as fs;

pub use audit::{AuditError, AuditJob, Audited, audit, drawn_units};
pub use measure::{MeasureJob, measure};
pub use private::PrivateAudit;
pub use worker::Worker;

use crate::api::TaskApi;
use crate::subnet::{AgentError, Courier, OnItsWay, Rounds, Sending, Setup, Signer, Tracker};
use duel::Duels;
use evidence::Evidence;
use novelty::Novelty;
use outbox::{Kind, Outbox, When};
use private::Queue;
use report::Audits;
use retention::Retention;
use reveals::Reveals;

/// Blocks before the cutoff in which no audit begins any more: its report would come too late.
const REPORT_MARGIN_BLOCKS: u32 = 4;

/// What a round's reports are remembered as while their digest is on its way.
fn reports_on(round: Round) -> String {
    format!("reports on round {round}")
}

/// Who validates, and how.
#[derive(Debug, Clone)]
pub struct ValidatorOptions {
    /// Folder of state, reports and files being audited.
    pub folder: PathBuf,
    /// The hotkey.
    pub signer: Signer,
    /// Where foreign files are read.
    pub worker: Worker,
    /// What is looked at beside the common sample.
    pub private: PrivateAudit,
}

/// A validator at work.
#[derive(Debug)]
pub struct Validator<'a> {
    chain: &'a dyn Chain,
    setup: &'a Setup,
    options: ValidatorOptions,
    tracker: Tracker,
    novelty: Novelty,
    retention: Retention,
    /// Round whose weights were set last, and the block.
    set: Option<(Round, BlockNumber)>,
    outbox: Outbox,
    samples: Outbox,
    evidence: Evidence,
    queue: Queue,
    duels: Duels,
    /// What the audits of a round gave while its report waits for cells.
    audited: Option<(Round, Audits)>,
    courier: Option<Courier>,
    reveals: Reveals,
    sending: Sending,
}

/// What a step did, for logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Did {
    /// Reported on a round, with so many miners and faults.
    Reported {
        /// Round.
        round: Round,
        /// Miners looked at.
        miners: usize,
        /// Faults found.
        faults: usize,
    },
    /// Looked at a submission by its own seed, after the report.
    Audited {
        /// Round.
        round: Round,
        /// Whose.
        miner: Hotkey,
        /// Faults found, whether the common sample met them or not.
        faults: usize,
    },
    /// Signed a proof of a fault: for whoever wants to see it, and for the Task API.
    Proved {
        /// Round.
        round: Round,
        /// Whose fault.
        miner: Hotkey,
        /// Its kind.
        kind: FraudKind,
    },
    /// Set weights by a round.
    Weights {
        /// Round.
        round: Round,
        /// The row.
        row: Vec<(Uid, Weight)>,
    },
    /// Found that the chain did not open the weights made of a round.
    Unrevealed {
        /// Round.
        round: Round,
    },
}

impl Did {
    /// The stable name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Reported { .. } => "reported",
            Self::Audited { .. } => "audited_privately",
            Self::Proved { .. } => "proved",
            Self::Weights { .. } => "weights",
            Self::Unrevealed { .. } => "unrevealed",
        }
    }
}

impl<'a> Validator<'a> {
    /// Opens the validator's folder.
    ///
    /// # Errors
    /// [`AgentError`] for a folder of another subnet, or one that cannot be used.
    pub fn open(
        chain: &'a dyn Chain,
        setup: &'a Setup,
        options: ValidatorOptions,
    ) -> Result<Self, AgentError> {
        fs::create_dir_all(&options.folder).map_err(AgentError::file(&options.folder))?;
        setup.keep_learned(&options.folder.join("recipes"));
        Ok(Self {
            chain,
            setup,
            tracker: Tracker::open(&options.folder, setup)?,
            novelty: Novelty::open(&options.folder.join("novelty"))?,
            retention: Retention::open(&options.folder.join("retention"))?,
            outbox: Outbox::new(&options.folder, Kind::Reports),
            samples: Outbox::new(&options.folder, Kind::Samples),
            evidence: Evidence::new(&options.folder),
            queue: Queue::open(&options.folder)?,
            duels: Duels::new(&options.folder),
            audited: None,
            sending: Sending::open(&options.folder)?,
            reveals: Reveals::open(&options.folder)?,
            options,
            set: None,
            courier: None,
        })
    }

    /// Hands reports in at a Task API, and compares what it assigns.
    #[must_use]
    pub fn with_courier(self, courier: Courier) -> Self {
        Self {
            courier: Some(courier),
            ..self
        }
    }

    /// Where the subnet is, as the validator knows it.
    #[must_use]
    pub fn tracker(&self) -> &Tracker {
        &self.tracker
    }

    /// Does everything that is due at `block`.
    ///
    /// # Errors
    /// [`AgentError`] of the first thing that failed.
    pub async fn step(&mut self, block: BlockNumber) -> Result<Vec<Did>, AgentError> {
        self.tracker.advance(self.chain, self.setup, block).await?;
        self.measure(block).await;
        let mut did = Vec::new();
        let newest = self.tracker.state().assigned;
        for round in (newest.saturating_sub(3)..newest).map(Round) {
            if self.is_due(round, block).await? {
                did.extend(self.report(round, block).await?);
            }
        }
        self.tell(block).await?;
        did.extend(self.set_weights(block).await?);
        did.extend(self.unrevealed().await?);
        did.extend(self.audit_privately().await?);
        Ok(did)
    }

    /// Compares the newest assignment of the server and hands in what waits for it; nothing depends on it.
    async fn tell(&mut self, block: BlockNumber) -> Result<(), AgentError> {
        let newest = Round(self.tracker.state().assigned.saturating_sub(1));
        self.show_recipes().await;
        let Some(courier) = &mut self.courier else {
            return Ok(());
        };
        courier.compare(newest, &self.tracker).await?;
        let clock = &self.setup.clock;
        // Not before the cutoff: whoever runs the server, or reads it, could report the same.
        let when = |round| match round {
            _ if block <= clock.report_cutoff(round) => When::Later,
            _ if clock.effective_block(round) < block => When::Never,
            _ => When::Now,
        };
        self.outbox.clear(courier, when).await?;
        // Nothing depends on what people look at.
        if let Err(error) = self.samples.clear(courier, when).await {
            tracing::warn!(%error, "rows to look at were not handed in");
        }
        self.evidence.send(courier, (&self.setup.clock, block)).await
    }

    /// The Task API, unless it did not answer a moment ago.
    fn api(&self) -> Option<&TaskApi> {
        self.courier.as_ref().and_then(Courier::api)
    }

    fn rounds(&self) -> Rounds<'_> {
        Rounds {
            chain: self.chain,
            netuid: self.setup.netuid,
            clock: self.setup.clock,
        }
    }

    /// Whether a round's submissions are public and its report is still to be made: neither on the chain nor on its way.
    async fn is_due(&mut self, round: Round, block: BlockNumber) -> Result<bool, AgentError> {
        let last = self
            .setup
            .clock
            .report_cutoff(round)
            .0
            .saturating_sub(REPORT_MARGIN_BLOCKS);
        if block <= self.setup.clock.publish_end(round) || block.0 >= last {
            return Ok(false);
        }
        let commitments = self.chain.commitments(self.setup.netuid, At::Head).await?;
        let own = commitments
            .iter()
            .filter(|one| one.hotkey == self.options.signer.hotkey());
        let reported = own.flat_map(|one| &one.fields).any(|field| {
            matches!(field, CommitmentField::Plain(bytes)
                if matches!(Message::parse(bytes), Ok(Message::Reports { round: about, .. }) if about >= round))
        });
        let what = reports_on(round);
        if reported {
            if self.sending.holds(&what) {
                self.sending.forget()?;
            }
            return Ok(false);
        }
        let who = (self.setup.netuid, &self.options.signer.0);
        let taken_up = self
            .sending
            .take_up(self.chain, who, (&what, BlockNumber(last)))
            .await?;
        Ok(taken_up == OnItsWay::No)
    }
}

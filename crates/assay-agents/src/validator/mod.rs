//! The validator: every submission of a round audited, reports published and put on the chain, weights set.
//!
//! ```text
//! pointers ─► manifests ─► files ─► worker: drawn rows recomputed ─► findings ─► batch ─► chain
//! batches of all validators ─► Tracker ─► averages ─► weights ─► chain (sealed)
//! ```
//!
//! What is found depends on chain data and published bytes alone, so honest validators report the same and set the same
//! weights. Each effect can be repeated: a batch that is on the chain is not made again, weights are set once a tempo.

mod audit;
mod novelty;
mod outbox;
mod reveals;
mod submission;
mod weights;
mod worker;

use std::collections::BTreeMap;
use std::path::PathBuf;

use assay_chain::{At, Call, Chain, CommitmentField};
use assay_mechanism::network::{Found, NetworkState};
use assay_mechanism::novelty::tie_break;
use assay_mechanism::score::MinerState;
use assay_types::{
    AUDIT_REPORT_VERSION, AuditReport, BlockNumber, Delivered, Digest, Hotkey, Message, Probe, Q32, Round,
    Uid, Verdict, Weight,
};
use fs_err as fs;

pub use audit::{AuditError, AuditJob, Audited, audit, drawn_units};
pub use worker::Worker;

use crate::subnet::{AgentError, Batch, Courier, Rounds, Setup, Signer, Tracker};
use novelty::Novelty;
use outbox::Outbox;
use reveals::Reveals;
use submission::{Outcome, Submission, absent};

/// Blocks before the cutoff in which no audit begins any more: its report would come too late.
const REPORT_MARGIN_BLOCKS: u32 = 4;

/// Who validates, and how.
#[derive(Debug, Clone)]
pub struct ValidatorOptions {
    /// Folder of state, reports and files being audited.
    pub folder: PathBuf,
    /// The hotkey.
    pub signer: Signer,
    /// Where foreign files are read.
    pub worker: Worker,
}

/// A validator at work.
#[derive(Debug)]
pub struct Validator<'a> {
    chain: &'a dyn Chain,
    setup: &'a Setup,
    options: ValidatorOptions,
    tracker: Tracker,
    novelty: Novelty,
    /// Round whose weights were set last, and the block.
    set: Option<(Round, BlockNumber)>,
    outbox: Outbox,
    courier: Option<Courier>,
    reveals: Reveals,
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
        Ok(Self {
            chain,
            setup,
            tracker: Tracker::open(&options.folder, setup)?,
            novelty: Novelty::open(&options.folder.join("novelty"))?,
            outbox: Outbox::new(&options.folder),
            options,
            set: None,
            courier: None,
            reveals: Reveals::default(),
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
        let mut did = Vec::new();
        let newest = self.tracker.state().assigned;
        for round in (newest.saturating_sub(3)..newest).map(Round) {
            if self.is_due(round, block).await? {
                did.push(self.report(round).await?);
            }
        }
        self.tell(block).await?;
        did.extend(self.set_weights(block).await?);
        did.extend(self.unrevealed(block).await?);
        Ok(did)
    }

    /// Compares the newest assignment of the server and hands in what waits for it; nothing depends on it.
    async fn tell(&mut self, block: BlockNumber) -> Result<(), AgentError> {
        let newest = Round(self.tracker.state().assigned.saturating_sub(1));
        let Some(courier) = &mut self.courier else {
            return Ok(());
        };
        if let Some(own) = self.tracker.assignment(newest) {
            courier.compare(newest, own).await?;
        }
        for round in self.outbox.rounds()? {
            if self.setup.clock.effective_block(round) < block {
                self.outbox.forget(round)?;
            } else {
                self.outbox.send(round, courier).await?;
            }
        }
        Ok(())
    }

    fn rounds(&self) -> Rounds<'_> {
        Rounds {
            chain: self.chain,
            netuid: self.setup.netuid,
            clock: self.setup.clock,
        }
    }

    /// Whether a round's submissions are public and its report is still to be made.
    async fn is_due(&self, round: Round, block: BlockNumber) -> Result<bool, AgentError> {
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
        Ok(!reported)
    }

    /// Audits a round, publishes the reports and puts their digest on the chain.
    async fn report(&mut self, round: Round) -> Result<Did, AgentError> {
        let Some(beacon) = self.rounds().audit_beacon(round).await? else {
            return Err(AgentError::Unexpected {
                what: "pulse",
                reason: format!("that of round {round} is not stored yet"),
            });
        };
        let (findings, probes) = self.findings(round, beacon).await?;
        let state = self.tracker.checkpoint(round).cloned().unwrap_or_default();
        let batch = Batch::new(self.audit_reports((round, &state), findings, probes)?)?;
        let validator = self.options.signer.hotkey();
        batch
            .publish(self.setup.store.as_ref(), &validator, &state)
            .await?;
        if self.courier.is_some() {
            self.outbox.put(round, &batch.reports)?;
        }
        let call = Call::SetCommitment {
            netuid: self.setup.netuid,
            fields: vec![CommitmentField::Plain(
                Message::Reports {
                    round,
                    digest: batch.digest,
                }
                .encode(),
            )],
        };
        self.chain.submit(&call, &self.options.signer.0).await?;
        Ok(Did::Reported {
            round,
            miners: batch.reports.len(),
            faults: batch.reports.iter().map(|report| report.faults.len()).sum(),
        })
    }

    /// Findings about every holder of the round, in the order of hotkeys, with the rows recomputed of each.
    async fn findings(
        &mut self,
        round: Round,
        beacon: Digest,
    ) -> Result<(Vec<Found>, BTreeMap<Hotkey, Vec<Probe>>), AgentError> {
        let assignment = self.tracker.assignment(round).unwrap_or_default().to_vec();
        let mut holders: Vec<Hotkey> = assignment
            .iter()
            .flat_map(|one| std::iter::once(one.holder).chain(one.replica))
            .collect();
        // The order in the novelty index is that of a beacon nobody knew.
        holders.sort_unstable_by_key(|hotkey| tie_break(&beacon.0, hotkey));
        holders.dedup();
        self.novelty.begin(round)?;
        let (mut findings, mut probes) = (Vec::new(), BTreeMap::new());
        for hotkey in holders {
            let pointer = match self.rounds().pointer(round, &hotkey).await? {
                Ok(pointer) => pointer,
                Err(refusal) => {
                    tracing::info!(miner = %hotkey.to_ss58(), round = round.0, %refusal, "no submission");
                    findings.push(absent(hotkey, None, false));
                    continue;
                }
            };
            let submission = Submission {
                setup: self.setup,
                round,
                hotkey,
                pointer: &pointer,
                assignment: &assignment,
                known: self.known(round, &hotkey),
                beacon,
            };
            let folder = self.options.folder.join("audit");
            match submission.look(&folder, &self.options.worker).await {
                Ok(Outcome::Admitted(looked)) => {
                    probes.insert(hotkey, looked.audited.probes.clone());
                    findings.push(self.found(hotkey, &looked)?);
                }
                Ok(Outcome::Refused(reason)) => {
                    tracing::info!(miner = %hotkey.to_ss58(), round = round.0, reason, "submission refused");
                    findings.push(absent(hotkey, Some(&pointer), false));
                }
                Ok(Outcome::Unreachable(reason)) => {
                    tracing::info!(miner = %hotkey.to_ss58(), round = round.0, reason, "submission unreachable");
                    findings.push(absent(hotkey, Some(&pointer), true));
                }
                // The validator's own side: others' findings about this miner decide.
                Err(error) => {
                    tracing::warn!(miner = %hotkey.to_ss58(), round = round.0, %error, "submission not audited");
                }
            }
        }
        findings.sort_unstable_by_key(|found| found.hotkey);
        Ok((findings, probes))
    }

    /// What is known of a miner when the round is audited.
    fn known(&self, round: Round, hotkey: &Hotkey) -> MinerState {
        let checkpoint = self.tracker.checkpoint(round);
        let known = checkpoint.and_then(|state| state.miners.get(hotkey));
        known.map_or_else(
            || MinerState::newcomer(&self.setup.params.values),
            |known| known.state,
        )
    }

    /// The finding about an admitted submission; its bands enter the novelty index if it is clean.
    fn found(&mut self, hotkey: Hotkey, looked: &submission::Looked) -> Result<Found, AgentError> {
        let values = &self.setup.params.values;
        let mut delivered = Vec::with_capacity(looked.manifest.units.len());
        for unit in &looked.manifest.units {
            let keys = looked
                .audited
                .keys
                .get(&unit.unit_id)
                .cloned()
                .unwrap_or_default();
            let keys: Vec<u64> = keys.into_iter().collect();
            // A file without rows is the same in every unit that keeps nothing, and no copy.
            let files = unit.docs.iter().filter(|docs| docs.rows > 0);
            let files: Vec<_> = files.map(|docs| docs.sha256).collect();
            delivered.push(Delivered {
                unit: unit.unit_id,
                records: unit.n_records,
                novelty: self.novelty.look(unit.unit_id, &keys, &files, values),
                gain: self.setup.gain(&unit.recipe_id).unwrap_or(Q32::ZERO),
            });
            if looked.audited.faults.is_empty() {
                self.novelty.add(unit.unit_id, keys, files)?;
            }
        }
        Ok(Found {
            hotkey,
            submission_root: looked.manifest.submission_root,
            unreachable: false,
            delivered,
            faults: looked.audited.faults.clone(),
        })
    }

    /// The reports, one a miner, each naming the digest of the one before it and of the state they start from.
    fn audit_reports(
        &self,
        (round, state): (Round, &NetworkState),
        findings: Vec<Found>,
        mut probes: BTreeMap<Hotkey, Vec<Probe>>,
    ) -> Result<Vec<AuditReport>, AgentError> {
        let bad = |error: assay_types::ReportError| AgentError::Unexpected {
            what: "report",
            reason: error.to_string(),
        };
        let checkpoint = state.digest().map_err(|error| AgentError::Unexpected {
            what: "state",
            reason: error.to_string(),
        })?;
        let mut previous = Digest::ZERO;
        let mut reports = Vec::with_capacity(findings.len());
        for found in findings {
            let mut report = AuditReport {
                version: AUDIT_REPORT_VERSION,
                netuid: self.setup.netuid,
                round,
                validator: self.options.signer.hotkey(),
                miner: found.hotkey,
                submission_root: found.submission_root,
                params: self.setup.params_digest,
                previous,
                checkpoint,
                verdict: verdict(&found),
                delivered: found.delivered,
                probes: probes.remove(&found.hotkey).unwrap_or_default(),
                faults: found.faults,
                unreachable: found.unreachable,
                signature: String::new(),
            };
            let digest = report.signed_digest().map_err(bad)?;
            report.signature = self.options.signer.sign(digest.as_bytes());
            previous = report.digest().map_err(bad)?;
            reports.push(report);
        }
        Ok(reports)
    }
}

/// What a finding alone says, before others' are heard.
fn verdict(found: &Found) -> Verdict {
    match found.faults.len() {
        _ if found.unreachable => Verdict::NoShow,
        0 if found.delivered.is_empty() => Verdict::NoShow,
        0 => Verdict::Pass,
        1 => Verdict::OneFault,
        _ => Verdict::Fraud,
    }
}

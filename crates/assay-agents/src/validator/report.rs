//! A round's report: every holder's submission audited, earlier ones looked at, one signed line a miner.

use std::collections::BTreeMap;
use std::path::Path;

use assay_chain::sealed::Seal;
use assay_chain::{At, CommitmentField};
use assay_mechanism::network::{Found, NetworkState};
use assay_mechanism::novelty::tie_break;
use assay_mechanism::score::MinerState;
use assay_types::{
    AUDIT_REPORT_VERSION, AUDIT_SAMPLE_VERSION, AuditReport, AuditSample, BlockNumber, Composition,
    Delivered, Digest, EvaluationReport, FraudProof, Hotkey, Message, Pointer, Probe, Q32, RecipeId, Round,
    SampleRow, UnitId, Verdict,
};

use super::retention::Look;
use super::submission::{Looked, Outcome, Sampled, Submission, absent};
use super::{Did, Validator, reports_on};
use crate::subnet::{AgentError, Batch, Opening};

/// Looks at earlier submissions that may come to nothing in a round before no more are tried: the store is out of reach.
const UNKNOWN_MAX: u32 = 3;

/// Whose submission, its root, what its units are made of, and rows.
type Shown = (Hotkey, Digest, Option<Composition>, Vec<SampleRow>);

/// What a round's audits give.
#[derive(Debug, Default)]
pub(super) struct Audits {
    findings: Vec<Found>,
    /// Rows recomputed.
    probes: BTreeMap<Hotkey, Vec<Probe>>,
    /// Submissions without a fault, with their first units.
    clean: Vec<(Hotkey, Pointer, UnitId)>,
    /// Proofs of faults.
    proofs: Vec<(Pointer, Vec<FraudProof>)>,
    /// What is shown of each submission.
    shown: Vec<Shown>,
    /// Submissions that the common sample leaves without two faults.
    unproven: Vec<(Hotkey, Pointer)>,
}

impl Audits {
    /// What follows from an audit beside the finding.
    fn note(&mut self, hotkey: Hotkey, pointer: &Pointer, looked: Looked) {
        let audited = looked.audited;
        let first = looked.manifest.units.first().map(|unit| unit.unit_id);
        if let Some(unit) = first.filter(|_| audited.faults.is_empty()) {
            self.clean.push((hotkey, pointer.clone(), unit));
        }
        if audited.faults.len() < 2 {
            self.unproven.push((hotkey, pointer.clone()));
        }
        let root = looked.manifest.submission_root;
        self.shown.push((hotkey, root, audited.composition, audited.rows));
        self.proofs.push((pointer.clone(), audited.proofs));
    }
}

impl Validator<'_> {
    /// Audits a round, uploads the reports sealed and puts their digest on the chain.
    pub(super) async fn report(&mut self, round: Round, block: BlockNumber) -> Result<Vec<Did>, AgentError> {
        let Some(beacon) = self.rounds().audit_beacon(round).await? else {
            // Not an error: weights are set and looked after all the same, and the next step tries again.
            tracing::warn!(
                round = round.0,
                "the pulse that draws the audits is not stored yet"
            );
            return Ok(Vec::new());
        };
        let mut audits = match self.audited.take() {
            Some((of, audits)) if of == round => audits,
            _ => {
                let mut audits = self.findings(round, beacon).await?;
                self.look_back(round, &beacon, &mut audits.findings).await;
                audits
            }
        };
        if self.waits_for_cells(round, block) {
            self.audited = Some((round, audits));
            return Ok(Vec::new());
        }
        let state = self.tracker.checkpoint(round).cloned().unwrap_or_default();
        let reports = self.audit_reports((round, &state), audits.findings, audits.probes)?;
        let batch = self
            .sealed((round, block), Batch::new(reports, self.cells(round)?)?)
            .await?;
        let validator = self.options.signer.hotkey();
        batch
            .publish(self.setup.store.as_ref(), &validator, &state)
            .await?;
        if self.courier.is_some() {
            let lines = batch.reports.iter().map(AuditReport::to_canonical_bytes);
            let cells = batch.cells.iter().map(EvaluationReport::to_canonical_bytes);
            self.outbox.put(round, lines.chain(cells))?;
            self.show(round, std::mem::take(&mut audits.shown));
        }
        let message = Message::Reports {
            round,
            digest: batch.digest,
        };
        let values = &self.setup.params.values;
        let clean = audits.clean.iter();
        let clean = clean.map(|(hotkey, pointer, unit)| (*hotkey, pointer, *unit));
        self.retention.remember(round, clean, values)?;
        if self.options.private.units > 0 {
            self.queue.add(round, beacon, audits.unproven)?;
        }
        let mut did = vec![Did::Reported {
            round,
            miners: batch.reports.len(),
            faults: batch.reports.iter().map(|report| report.faults.len()).sum(),
        }];
        for (pointer, proofs) in audits.proofs {
            did.extend(self.prove(&pointer, proofs)?);
        }
        // Last: what comes before can be repeated, and is if this does not happen.
        let fields = vec![CommitmentField::Plain(message.encode())];
        let who = (self.setup.netuid, &self.options.signer.0);
        self.sending
            .send(self.chain, who, (&reports_on(round), fields))
            .await?;
        Ok(did)
    }

    /// A batch sealed to the pulse that opens the round's reports; in the clear on a chain without pulses.
    async fn sealed(&self, (round, block): (Round, BlockNumber), batch: Batch) -> Result<Batch, AgentError> {
        let pulse = match self.rounds().opening(round, block).await? {
            Opening::Awaited(pulse) => pulse,
            // Later than it should be: readable at once, and the same for every reader.
            Opening::Pulse(pulse) => pulse.round,
            Opening::Missed | Opening::NoBeacon => return Ok(batch),
        };
        let beacon = self.chain.beacon(At::Head).await?;
        batch.sealed(Seal {
            beacon: &beacon,
            round: pulse,
        })
    }

    /// Looks at an earlier submission of everybody whose newest could be read, and adds what is gone to the findings.
    async fn look_back(&self, round: Round, beacon: &Digest, findings: &mut [Found]) {
        let (store, values) = (self.setup.store.as_ref(), &self.setup.params.values);
        let mut unknown = 0;
        for found in findings.iter_mut().filter(|found| !found.unreachable) {
            let miner = found.hotkey;
            match self.retention.look(store, (round, miner), beacon, values).await {
                Look::There => {}
                Look::Gone(fault) => {
                    tracing::info!(miner = %miner.to_ss58(), round = round.0, %fault, "an earlier submission is gone");
                    found.faults.push(fault);
                }
                // The validator's own side, or nobody's: nothing is said.
                Look::Unknown(reason) => {
                    tracing::warn!(miner = %miner.to_ss58(), round = round.0, reason, "an earlier submission was not looked at");
                    unknown += 1;
                    if unknown == UNKNOWN_MAX {
                        return;
                    }
                }
            }
        }
    }

    /// Signs and keeps proofs of one submission's faults; what was proved before is not proved again.
    pub(super) fn prove(&self, pointer: &Pointer, proofs: Vec<FraudProof>) -> Result<Vec<Did>, AgentError> {
        let values = &self.setup.params.values;
        let mut did = Vec::new();
        for proof in proofs {
            let (round, miner, kind) = (proof.round, proof.hotkey, proof.kind);
            if self.evidence.keep(proof, pointer, &self.options.signer, values)? {
                did.push(Did::Proved { round, miner, kind });
            }
        }
        Ok(did)
    }

    /// Findings about every holder of the round, in the order of hotkeys, with what follows from them.
    async fn findings(&mut self, round: Round, beacon: Digest) -> Result<Audits, AgentError> {
        let assignment = self.tracker.assignment(round).unwrap_or_default().to_vec();
        let mut holders: Vec<Hotkey> = assignment
            .iter()
            .flat_map(|one| std::iter::once(one.holder).chain(one.replica))
            .collect();
        // The order in the novelty index is that of a beacon nobody knew.
        holders.sort_unstable_by_key(|hotkey| tie_break(&beacon.0, hotkey));
        holders.dedup();
        let active = self.active(round).await;
        self.novelty.begin(round)?;
        let mut audits = Audits::default();
        for hotkey in holders {
            let pointer = match self.rounds().pointer(round, &hotkey).await? {
                Ok(pointer) => pointer,
                Err(refusal) => {
                    tracing::info!(miner = %hotkey.to_ss58(), round = round.0, %refusal, "no submission");
                    audits.findings.push(absent(hotkey, None, false));
                    continue;
                }
            };
            let submission = Submission {
                setup: self.setup,
                round,
                hotkey,
                pointer: &pointer,
                assignment: &assignment,
                active: &active,
                sample: Sampled::Common {
                    known: self.known(round, &hotkey),
                },
                beacon,
                show: self.courier.is_some(),
            };
            let folder = self.options.folder.join("audit");
            match self.look_patiently(&submission, &folder).await {
                Ok(Outcome::Admitted(looked)) => {
                    let mut looked = *looked;
                    audits.findings.push(self.found((round, hotkey), &looked)?);
                    audits
                        .probes
                        .insert(hotkey, std::mem::take(&mut looked.audited.probes));
                    audits.note(hotkey, &pointer, looked);
                }
                Ok(Outcome::Refused(reason)) => {
                    tracing::info!(miner = %hotkey.to_ss58(), round = round.0, reason, "submission refused");
                    audits.findings.push(absent(hotkey, Some(&pointer), false));
                }
                Ok(Outcome::Unreachable(reason)) => {
                    tracing::info!(miner = %hotkey.to_ss58(), round = round.0, reason, "submission unreachable");
                    audits.findings.push(absent(hotkey, Some(&pointer), true));
                }
                // The validator's own side: others' findings about this miner decide.
                Err(error) => {
                    tracing::warn!(miner = %hotkey.to_ss58(), round = round.0, %error, "submission not audited");
                }
            }
        }
        audits.findings.sort_unstable_by_key(|found| found.hotkey);
        Ok(audits)
    }

    /// Looks again at a submission whose store does not give what it should: what a network spoils is not the miner's.
    async fn look_patiently(
        &self,
        submission: &Submission<'_>,
        folder: &Path,
    ) -> Result<Outcome, AgentError> {
        let mut tries = 1;
        loop {
            match submission.look(folder, &self.options.worker).await {
                Ok(Outcome::Unreachable(_)) if tries < self.setup.params.values.retries => tries += 1,
                looked => return looked,
            }
        }
    }

    /// Recipes that a submission of the round may use, their texts read; one whose text cannot be read is tried again with the
    /// next round, and until then its users are left to other validators.
    pub(super) async fn active(&self, round: Round) -> Vec<RecipeId> {
        let contest = self.tracker.contest(round);
        let active = self.setup.active(contest, round);
        if let Some(contest) = contest
            && let Err(error) = self.setup.learn(contest, &active, self.api()).await
        {
            tracing::warn!(round = round.0, %error, "an active recipe cannot be read");
        }
        active
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
    fn found(&mut self, (round, hotkey): (Round, Hotkey), looked: &Looked) -> Result<Found, AgentError> {
        let values = &self.setup.params.values;
        let contest = self.tracker.contest(round);
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
                gain: self.setup.gain(contest, &unit.recipe_id).unwrap_or(Q32::ZERO),
                recipe_id: unit.recipe_id,
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

impl Validator<'_> {
    /// Keeps what is shown of a round's submissions, signed, for the server; what cannot be kept is not shown, and nothing
    /// depends on it.
    fn show(&self, round: Round, shown: Vec<Shown>) {
        let sign = |(miner, submission_root, composition, rows)| {
            let sample = AuditSample {
                version: AUDIT_SAMPLE_VERSION,
                netuid: self.setup.netuid,
                round,
                validator: self.options.signer.hotkey(),
                miner,
                submission_root,
                composition,
                rows,
                signature: String::new(),
            };
            let mut sample = sample.fitted()?;
            let digest = sample.signed_digest().ok()?;
            sample.signature = self.options.signer.sign(digest.as_bytes());
            sample.to_canonical_bytes().ok()
        };
        let lines = shown.into_iter().filter_map(sign).map(Ok);
        if let Err(error) = self.samples.put(round, lines) {
            tracing::warn!(round = round.0, %error, "rows to look at were not kept");
        }
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

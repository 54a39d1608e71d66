//! A validator's reports on one round as one file, a signed line a miner and one a cell of a duel that it measured, and
//! beside it the state they start from.
//!
//! ```text
//! lines ─seal─► file ─publish─► store        BLAKE3 of the file ─► chain (message 0x81)
//!                                 └─ the pulse behind the cutoff opens it: nobody can report what others found
//! ```
//!
//! Readers find the file by the revision the digest begins with, so nobody can show two readers different reports, and
//! nobody can keep a file that is there from being opened. Reports name the digest of the state.

use assay_chain::sealed::Seal;
use assay_chain::timelock::{FILE_OVERHEAD_BYTES, TimelockError, open_file, round_of_file, seal_file};
use assay_hub::store::{Body, ObjectPath, Publication, Store, View};
use assay_mechanism::contest::CELLS_MAX;
use assay_mechanism::network::{Found, NetworkState};
use assay_mechanism::reports::{Line, REPORTS_MAX, check_log};
use assay_types::canonical_json::{emit, parse_as};
use assay_types::{
    AuditReport, Digest, EvaluationReport, Hotkey, NetUid, RepoName, Revision, Round, batch_digest,
};
use subxt_signer::sr25519::{PublicKey, Signature, verify};

use super::error::AgentError;
use super::rounds::Opening;

/// Name of the file of reports on a chain without pulses.
pub const BATCH_FILE: &str = "reports.jsonl";

/// Name of the file of reports that is sealed.
pub const SEALED_FILE: &str = "reports.sealed";

/// Name of the file of the state.
const STATE_FILE: &str = "state.json";

/// Most bytes of the reports: 256 miners at 256 units each and as many probes as a report may have.
const BATCH_BYTES_MAX: usize = 64 << 20;

/// Most bytes of the state.
const STATE_BYTES_MAX: usize = 64 << 20;

/// The reports of one validator on one round, in the order of their log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The reports, each naming the one before it.
    pub reports: Vec<AuditReport>,
    /// Cells of duels, behind the reports, in the order of their lines.
    pub cells: Vec<EvaluationReport>,
    /// What the chain carries.
    pub digest: Digest,
    /// The file, if it is to be published sealed.
    sealed: Option<Vec<u8>>,
}

/// What a batch must be about to count.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Subnet.
    pub netuid: NetUid,
    /// Digest of the parameter set.
    pub params: Digest,
    /// Whose reports.
    pub validator: Hotkey,
    /// Round.
    pub round: Round,
}

impl Batch {
    /// A batch of signed reports and cells, which are put in their order, in the clear.
    ///
    /// # Errors
    /// [`AgentError::Unexpected`] if a number is too large for canonical JSON.
    pub fn new(reports: Vec<AuditReport>, mut cells: Vec<EvaluationReport>) -> Result<Self, AgentError> {
        cells.sort_by_cached_key(|cell| cell.to_canonical_bytes().unwrap_or_default());
        let mut batch = Self {
            reports,
            cells,
            digest: Digest::ZERO,
            sealed: None,
        };
        batch.digest = Digest::of(&batch.bytes()?);
        Ok(batch)
    }

    /// The same under a seal.
    ///
    /// # Errors
    /// [`AgentError::Unexpected`] if the system gives no randomness.
    pub fn sealed(self, seal: Seal<'_>) -> Result<Self, AgentError> {
        let sealed = seal_file(seal.beacon, seal.round, &self.bytes()?);
        let sealed = sealed.map_err(|error| bad(error.to_string()))?;
        Ok(Self {
            digest: Digest::of(&sealed),
            sealed: Some(sealed),
            ..self
        })
    }

    /// The batch in a file with `digest`, if it is what it must be.
    ///
    /// # Errors
    /// [`AgentError::Unexpected`] naming what is wrong: then it counts as if there were none.
    pub fn parse(bytes: &[u8], digest: &Digest, about: &About) -> Result<Self, AgentError> {
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        if batch_digest(lines.clone()) != *digest {
            return Err(bad("the file has another digest than the chain".to_owned()));
        }
        if lines.clone().count() > REPORTS_MAX + CELLS_MAX {
            return Err(bad(format!("it has more than {} lines", REPORTS_MAX + CELLS_MAX)));
        }
        let (mut reports, mut cells) = (Vec::new(), Vec::new());
        for line in lines {
            match Line::parse(line).map_err(|error| bad(error.to_string()))? {
                Line::Audit(report) => reports.push(about.check_audit(report)?),
                Line::Cell(cell) => cells.push(about.check_cell(cell)?),
            }
        }
        if reports.len() > REPORTS_MAX || cells.len() > CELLS_MAX {
            return Err(bad(format!(
                "it has more than {REPORTS_MAX} reports or {CELLS_MAX} cells"
            )));
        }
        check_log(&reports).map_err(|error| bad(error.to_string()))?;
        let batch = Self::new(reports, cells)?;
        if batch.digest != *digest {
            return Err(bad(
                "its lines are not in their order, or not canonical".to_owned()
            ));
        }
        Ok(batch)
    }

    /// The file: a line a report, then a line a cell.
    fn bytes(&self) -> Result<Vec<u8>, AgentError> {
        let reports = self.reports.iter().map(AuditReport::to_canonical_bytes);
        let cells = self.cells.iter().map(EvaluationReport::to_canonical_bytes);
        let mut out = Vec::new();
        for line in reports.chain(cells) {
            out.extend_from_slice(&line.map_err(|error| bad(error.to_string()))?);
            out.push(b'\n');
        }
        Ok(out)
    }

    /// The lines, as a server keeps them.
    ///
    /// # Errors
    /// [`AgentError::Unexpected`] if a number is too large for canonical JSON.
    pub fn lines(&self) -> Result<Vec<String>, AgentError> {
        let text = String::from_utf8(self.bytes()?).map_err(|error| bad(error.to_string()))?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// What the reports settle a round by.
    #[must_use]
    pub fn findings(&self) -> Vec<Found> {
        self.reports.iter().cloned().map(Found::from).collect()
    }

    /// Digest of the state that the reports start from; none if there are none.
    #[must_use]
    pub fn checkpoint(&self) -> Option<Digest> {
        self.reports.first().map(|report| report.checkpoint)
    }

    /// Publishes the reports and the state they name.
    ///
    /// # Errors
    /// [`AgentError::Store`].
    pub async fn publish(
        &self,
        store: &dyn Store,
        validator: &Hotkey,
        state: &NetworkState,
    ) -> Result<(), AgentError> {
        let repo = batch_repo(validator)?;
        let (anchor, file) = match &self.sealed {
            Some(sealed) => (path(SEALED_FILE)?, sealed.clone()),
            None => (path(BATCH_FILE)?, self.bytes()?),
        };
        let state = emit(state).map_err(|error| bad(error.to_string()))?;
        let publication = Publication::new(repo.clone(), anchor.clone())
            .with(anchor, Body::Bytes(file.into()))
            .with(path(STATE_FILE)?, Body::Bytes(state.into()));
        let revision = store.publish(&publication).await?;
        store.reveal(&repo, &revision).await?;
        Ok(())
    }

    /// Reads the reports a validator put on the chain.
    ///
    /// # Errors
    /// [`AgentError::Store`] if they cannot be read, [`AgentError::Unexpected`] if they are not what the chain says, or sealed to
    /// another pulse than the round's.
    pub async fn fetch(
        store: &dyn Store,
        digest: &Digest,
        about: &About,
        opening: &Opening,
    ) -> Result<Self, AgentError> {
        let view = open(store, &about.validator, digest).await?;
        let sealed = path(SEALED_FILE)?;
        if view.head(&sealed).is_err() {
            let bytes = view.get(&path(BATCH_FILE)?, BATCH_BYTES_MAX as u64).await?;
            return Self::parse(&bytes, digest, about);
        }
        let bytes_max = BATCH_BYTES_MAX.saturating_add(FILE_OVERHEAD_BYTES);
        let bytes = view.get(&sealed, bytes_max as u64).await?;
        Self::unseal(&bytes, digest, about, opening)
    }

    /// The batch in a sealed file with `digest`.
    fn unseal(bytes: &[u8], digest: &Digest, about: &About, opening: &Opening) -> Result<Self, AgentError> {
        if Digest::of(bytes) != *digest {
            return Err(bad("the file has another digest than the chain".to_owned()));
        }
        let Opening::Pulse(pulse) = opening else {
            return Err(bad("the chain has no pulse that opens it".to_owned()));
        };
        let timelock = |error: TimelockError| bad(error.to_string());
        let sealed_to = round_of_file(bytes).map_err(timelock)?;
        if sealed_to != pulse.round {
            return Err(bad(format!(
                "it is sealed to pulse {sealed_to}, the round's is {}",
                pulse.round
            )));
        }
        let lines = open_file(bytes, &pulse.signature).map_err(timelock)?;
        let batch = Self::parse(&lines, &Digest::of(&lines), about)?;
        Ok(Self {
            digest: *digest,
            ..batch
        })
    }

    /// Reads the state that the reports name.
    ///
    /// # Errors
    /// [`AgentError::Store`] if it cannot be read, [`AgentError::Unexpected`] if it has another digest.
    pub async fn fetch_state(
        &self,
        store: &dyn Store,
        validator: &Hotkey,
    ) -> Result<NetworkState, AgentError> {
        let view = open(store, validator, &self.digest).await?;
        let bytes = view.get(&path(STATE_FILE)?, STATE_BYTES_MAX as u64).await?;
        if self.checkpoint() != Some(Digest::of(&bytes)) {
            return Err(bad(
                "the state has another digest than the reports name".to_owned()
            ));
        }
        parse_as(&bytes, STATE_BYTES_MAX).map_err(|error| bad(error.to_string()))
    }
}

impl About {
    /// The report, if it is the validator's on the round.
    fn check_audit(&self, report: AuditReport) -> Result<AuditReport, AgentError> {
        let of_this = report.validator == self.validator && report.round == self.round;
        if !of_this || report.params != self.params || report.netuid != self.netuid {
            return Err(bad("it is not this validator's report on this round".to_owned()));
        }
        let digest = report.signed_digest().map_err(|error| bad(error.to_string()))?;
        self.check_signature(&digest, &report.signature)?;
        Ok(report)
    }

    /// The cell, if it is the validator's; which stage it belongs to, and whether that is on, is looked at where it counts.
    fn check_cell(&self, cell: EvaluationReport) -> Result<EvaluationReport, AgentError> {
        if cell.validator != self.validator || cell.params != self.params || cell.netuid != self.netuid {
            return Err(bad("it is not this validator's cell on this subnet".to_owned()));
        }
        let digest = cell.signed_digest().map_err(|error| bad(error.to_string()))?;
        self.check_signature(&digest, &cell.signature)?;
        Ok(cell)
    }

    fn check_signature(&self, digest: &Digest, signature: &str) -> Result<(), AgentError> {
        let key = PublicKey(self.validator.0);
        let is_signed = assay_types::hex::decode::<64>(signature)
            .is_ok_and(|signature| verify(&Signature(signature), digest.as_bytes(), &key));
        if !is_signed {
            return Err(bad("a report is not signed by its validator".to_owned()));
        }
        Ok(())
    }
}

fn path(name: &str) -> Result<ObjectPath, AgentError> {
    Ok(ObjectPath::parse(name).map_err(assay_hub::store::StoreError::from)?)
}

/// Where a validator's reports are: `v-<first 32 hex digits of the hotkey>/reports`.
///
/// # Errors
/// Never for a hotkey; the name's own rules are checked all the same.
pub fn batch_repo(validator: &Hotkey) -> Result<RepoName, AgentError> {
    let (head, _) = validator.0.split_at(16);
    let name = format!("v-{}/reports", assay_types::hex::encode(head));
    RepoName::parse(&name).map_err(|error| bad(error.to_string()))
}

/// The revision that a digest names.
async fn open(store: &dyn Store, validator: &Hotkey, digest: &Digest) -> Result<View, AgentError> {
    let mut revision = [0; 20];
    let (head, _) = digest.as_bytes().split_at(revision.len());
    revision.copy_from_slice(head);
    Ok(store.open(&batch_repo(validator)?, &Revision(revision)).await?)
}

fn bad(reason: String) -> AgentError {
    AgentError::Unexpected {
        what: "report batch",
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subnet::Signer;
    use assay_types::{AUDIT_REPORT_VERSION, Verdict};
    use subxt_signer::sr25519::dev;

    fn about(round: u32) -> About {
        About {
            netuid: NetUid(2),
            params: Digest([4; 32]),
            validator: Hotkey(dev::alice().public_key().0),
            round: Round(round),
        }
    }

    /// A report signed by `signer`, whoever it names.
    fn report(about: &About, signer: &Signer) -> AuditReport {
        let mut report = AuditReport {
            version: AUDIT_REPORT_VERSION,
            netuid: about.netuid,
            round: about.round,
            validator: about.validator,
            miner: Hotkey([5; 32]),
            submission_root: Digest::ZERO,
            params: about.params,
            previous: Digest::ZERO,
            checkpoint: Digest([8; 32]),
            delivered: Vec::new(),
            probes: Vec::new(),
            faults: Vec::new(),
            unreachable: false,
            verdict: Verdict::NoShow,
            signature: String::new(),
        };
        report.signature = signer.sign(report.signed_digest().unwrap().as_bytes());
        report
    }

    #[test]
    fn a_signed_batch_is_read_back_and_a_changed_one_is_not() {
        let about = about(3);
        let batch = Batch::new(vec![report(&about, &Signer(dev::alice()))], Vec::new()).unwrap();
        let bytes = batch.bytes().unwrap();
        assert_eq!(Batch::parse(&bytes, &batch.digest, &about).unwrap(), batch);
        assert_eq!(batch.checkpoint(), Some(Digest([8; 32])));
        for other in [
            About {
                round: Round(4),
                ..about
            },
            About {
                netuid: NetUid(3),
                ..about
            },
            About {
                params: Digest::ZERO,
                ..about
            },
            About {
                validator: Hotkey([1; 32]),
                ..about
            },
        ] {
            assert!(Batch::parse(&bytes, &batch.digest, &other).is_err(), "{other:?}");
        }
        let mut longer = bytes.clone();
        longer.extend_from_slice(b"{}\n");
        assert!(
            Batch::parse(&longer, &batch.digest, &about).is_err(),
            "another digest"
        );
        let forged = Batch::new(vec![report(&about, &Signer(dev::bob()))], Vec::new()).unwrap();
        let bytes = forged.bytes().unwrap();
        assert!(
            Batch::parse(&bytes, &forged.digest, &about).is_err(),
            "not signed"
        );
    }
}

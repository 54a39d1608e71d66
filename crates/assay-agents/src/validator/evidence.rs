//! Fraud proofs on their way to the Task API: signed, kept as files until the server has taken or refused them.
//!
//! ```text
//! audit ─► proof, signed ─► proofs/waiting ─► Task API ─► proofs/filed | proofs/refused
//! ```
//!
//! Without a server they wait, for whoever runs the validator: `assay verify --proof` makes the same ones. A proof is made
//! once: its name is that of what it shows.

use std::path::{Path, PathBuf};

use assay_mechanism::clock::Clock;
use assay_types::api::ProblemKind;
use assay_types::{BlockNumber, Digest, FraudProof, ParamValues, Pointer, Round, hex};
use fs_err as fs;

use crate::local::{read_bounded, write_atomically};
use crate::subnet::{AgentError, Courier, Signer};

/// Folders by what became of a proof.
const WAITING: &str = "waiting";
const FILED: &str = "filed";
const REFUSED: &str = "refused";

/// Most bytes of a proof.
const PROOF_BYTES_MAX: u64 = 4 << 20;

/// Proofs handed in at a step.
const SENT_MAX: usize = 4;

/// Where proofs are.
#[derive(Debug)]
pub(super) struct Evidence {
    folder: PathBuf,
}

impl Evidence {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.join("proofs"),
        }
    }

    /// Signs a proof and keeps it, unless it was made before; whether it is new. Forgets those whose time is over.
    pub(super) fn keep(
        &self,
        proof: FraudProof,
        pointer: &Pointer,
        signer: &Signer,
        values: &ParamValues,
    ) -> Result<bool, AgentError> {
        let invalid = |error: assay_types::FraudError| AgentError::invalid(&self.folder, error);
        let round = proof.round;
        let mut proof = FraudProof {
            payload: hex::encode(&pointer.encode()),
            prover: signer.hotkey(),
            signature: String::new(),
            ..proof
        };
        let unsigned = proof.signed_bytes().map_err(invalid)?;
        let shows = Digest::of(&unsigned).truncated();
        let name = format!("{}-{shows}.json", round.0);
        if [WAITING, FILED, REFUSED]
            .iter()
            .any(|state| self.path(state, &name).exists())
        {
            return Ok(false);
        }
        self.forget(round, values)?;
        proof.signature = signer.sign(&unsigned);
        let bytes = proof.to_canonical_bytes().map_err(invalid)?;
        for state in [WAITING, FILED, REFUSED] {
            let folder = self.folder.join(state);
            fs::create_dir_all(&folder).map_err(AgentError::file(&folder))?;
        }
        write_atomically(&self.path(WAITING, &name), &bytes)?;
        Ok(true)
    }

    fn path(&self, state: &str, name: &str) -> PathBuf {
        self.folder.join(state).join(name)
    }

    /// Drops proofs about rounds that `round` leaves behind.
    fn forget(&self, round: Round, values: &ParamValues) -> Result<(), AgentError> {
        let oldest = u64::from(round.0).saturating_sub(values.retention);
        for state in [WAITING, FILED, REFUSED] {
            for (of, name) in self.names(state)? {
                if u64::from(of.0) < oldest {
                    let path = self.path(state, &name);
                    fs::remove_file(&path).map_err(AgentError::file(&path))?;
                }
            }
        }
        Ok(())
    }

    /// Rounds and names of the proofs in a folder, oldest first.
    fn names(&self, state: &str) -> Result<Vec<(Round, String)>, AgentError> {
        let folder = self.folder.join(state);
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).map_err(AgentError::file(&folder))? {
            let name = entry.map_err(AgentError::file(&folder))?.file_name();
            let name = name.to_string_lossy().into_owned();
            let round = name.strip_suffix(".json").and_then(|name| name.split_once('-'));
            if let Some(round) = round.and_then(|(round, _)| round.parse().ok()) {
                names.push((Round(round), name));
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Hands in what waits.
    pub(super) async fn send(
        &self,
        courier: &mut Courier,
        (clock, block): (&Clock, BlockNumber),
    ) -> Result<(), AgentError> {
        // A proof says what a report says: not before the round's cutoff.
        let is_due = |(round, _): &(Round, String)| clock.report_cutoff(*round) < block;
        for (round, name) in self.names(WAITING)?.into_iter().filter(is_due).take(SENT_MAX) {
            let path = self.path(WAITING, &name);
            let bytes = read_bounded(&path, PROOF_BYTES_MAX).map_err(AgentError::file(&path))?;
            let proof = FraudProof::parse(&bytes).map_err(|error| AgentError::invalid(&path, error))?;
            let Some(api) = courier.api() else { return Ok(()) };
            let state = match api.fraud_proof(&proof).await {
                Ok(_) => FILED,
                // The server may be some blocks behind, and not know the submission yet.
                Err(error)
                    if error.kind() == Some(ProblemKind::ProofInvalid)
                        && block < clock.effective_block(round) =>
                {
                    courier.pause();
                    return Ok(());
                }
                Err(error) if courier.is_final("fraud proof", &error) => REFUSED,
                Err(_) => return Ok(()),
            };
            let to = self.path(state, &name);
            fs::rename(&path, &to).map_err(AgentError::file(&path))?;
        }
        Ok(())
    }
}

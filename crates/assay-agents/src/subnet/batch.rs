//! A validator's reports on one round as one file: findings and checkpoint first, then a signed line a miner.
//!
//! The file's BLAKE3 is what the validator puts on the chain (message 0x81), so readers find it by the revision the digest
//! begins with, and nobody can show two readers different reports. Line 1 carries what [`assay_mechanism::network`] settles
//! by; the lines behind it are the audit reports for people and the Task API.

use assay_hub::store::{Body, ObjectPath, Publication, Store};
use assay_mechanism::network::{Found, NetworkState};
use assay_types::canonical_json::{emit, parse_as};
use assay_types::{
    AuditReport, Digest, Hotkey, NetUid, RepoName, Revision, Round, batch_digest, tagged_hash,
};
use serde::{Deserialize, Serialize};
use subxt_signer::sr25519::{PublicKey, Signature, verify};

use super::error::AgentError;
use super::signer::Signer;

/// Version of the first line.
pub const BATCH_VERSION: u32 = 1;

/// Name of the file.
pub const BATCH_FILE: &str = "reports.jsonl";

/// Most bytes of the file: 256 miners at 256 units each and as many probes as a report may have.
const BATCH_BYTES_MAX: usize = 64 << 20;

/// Most bytes of the first line.
const HEADER_BYTES_MAX: usize = 32 << 20;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// [`BATCH_VERSION`].
    pub version: u32,
    /// Subnet.
    pub netuid: NetUid,
    /// Round the findings are about.
    pub round: Round,
    /// Whose they are.
    pub validator: Hotkey,
    /// Digest of the parameter set.
    pub params: Digest,
    /// The state right after the round was assigned.
    pub state: NetworkState,
    /// One for each miner that held units.
    pub findings: Vec<Found>,
    /// sr25519 over `H("assay/report/1", canonical bytes with an empty signature)`, hexadecimal.
    pub signature: String,
}

impl Batch {
    fn signed_digest(&self) -> Result<Digest, AgentError> {
        let unsigned = Self {
            signature: String::new(),
            ..self.clone()
        };
        let bytes = emit(&unsigned).map_err(|error| bad(error.to_string()))?;
        Ok(tagged_hash("assay/report/1", &[&bytes]))
    }

    /// Signs it.
    ///
    /// # Errors
    /// [`AgentError::Unexpected`] if a number is too large for canonical JSON.
    pub fn sign(&mut self, signer: &Signer) -> Result<(), AgentError> {
        let digest = self.signed_digest()?;
        self.signature = signer.sign(digest.as_bytes());
        Ok(())
    }

    fn is_signed(&self) -> bool {
        let Ok(signature) = assay_types::hex::decode::<64>(&self.signature) else {
            return false;
        };
        let digest = self.signed_digest();
        digest.is_ok_and(|digest| {
            verify(
                &Signature(signature),
                digest.as_bytes(),
                &PublicKey(self.validator.0),
            )
        })
    }

    /// The file: this line and one for each report.
    ///
    /// # Errors
    /// [`AgentError::Unexpected`] if a number is too large for canonical JSON.
    pub fn to_bytes(&self, reports: &[AuditReport]) -> Result<Vec<u8>, AgentError> {
        let mut out = emit(self).map_err(|error| bad(error.to_string()))?;
        out.push(b'\n');
        for report in reports {
            let line = report
                .to_canonical_bytes()
                .map_err(|error| bad(error.to_string()))?;
            out.extend_from_slice(&line);
            out.push(b'\n');
        }
        Ok(out)
    }

    /// The first line of a file with `digest`, if it is `validator`'s report on `round`.
    ///
    /// # Errors
    /// [`AgentError::Unexpected`] naming what is wrong: then it counts as if there were none.
    pub fn parse(
        bytes: &[u8],
        digest: &Digest,
        validator: &Hotkey,
        round: Round,
    ) -> Result<Self, AgentError> {
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let mut lines = text.split(|&byte| byte == b'\n');
        if batch_digest(lines.clone()) != *digest {
            return Err(bad("the file has another digest than the chain".to_owned()));
        }
        let header = lines.next().unwrap_or_default();
        let batch: Self = parse_as(header, HEADER_BYTES_MAX).map_err(|error| bad(error.to_string()))?;
        let fits = batch.version == BATCH_VERSION && batch.validator == *validator && batch.round == round;
        if !fits || !batch.is_signed() {
            return Err(bad("it is not this validator's report on this round".to_owned()));
        }
        Ok(batch)
    }

    /// Publishes a file of reports; gives its digest.
    ///
    /// # Errors
    /// [`AgentError::Store`].
    pub async fn publish(
        store: &dyn Store,
        validator: &Hotkey,
        bytes: Vec<u8>,
    ) -> Result<Digest, AgentError> {
        let digest = Digest::of(&bytes);
        let repo = batch_repo(validator)?;
        let anchor = ObjectPath::parse(BATCH_FILE).map_err(assay_hub::store::StoreError::from)?;
        let publication =
            Publication::new(repo.clone(), anchor.clone()).with(anchor, Body::Bytes(bytes.into()));
        let revision = store.publish(&publication).await?;
        store.reveal(&repo, &revision).await?;
        Ok(digest)
    }

    /// Reads the reports a validator put on the chain.
    ///
    /// # Errors
    /// [`AgentError::Store`] if they cannot be read, [`AgentError::Unexpected`] if they are not what the chain says.
    pub async fn fetch(
        store: &dyn Store,
        validator: &Hotkey,
        round: Round,
        digest: &Digest,
    ) -> Result<Self, AgentError> {
        let mut revision = [0; 20];
        let (head, _) = digest.as_bytes().split_at(revision.len());
        revision.copy_from_slice(head);
        let view = store.open(&batch_repo(validator)?, &Revision(revision)).await?;
        let path = ObjectPath::parse(BATCH_FILE).map_err(assay_hub::store::StoreError::from)?;
        let bytes = view.get(&path, BATCH_BYTES_MAX as u64).await?;
        Self::parse(&bytes, digest, validator, round)
    }
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

fn bad(reason: String) -> AgentError {
    AgentError::Unexpected {
        what: "report batch",
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use subxt_signer::sr25519::dev;

    fn batch() -> Batch {
        Batch {
            version: BATCH_VERSION,
            netuid: NetUid(2),
            round: Round(3),
            validator: Hotkey(dev::alice().public_key().0),
            params: Digest([4; 32]),
            state: NetworkState::default(),
            findings: Vec::new(),
            signature: String::new(),
        }
    }

    #[test]
    fn a_signed_batch_is_read_back_and_a_changed_one_is_not() {
        let mut batch = batch();
        batch.sign(&Signer(dev::alice())).unwrap();
        let bytes = batch.to_bytes(&[]).unwrap();
        let digest = Digest::of(&bytes);
        let me = batch.validator;
        assert_eq!(Batch::parse(&bytes, &digest, &me, Round(3)).unwrap(), batch);
        assert!(
            Batch::parse(&bytes, &digest, &me, Round(4)).is_err(),
            "another round"
        );
        assert!(
            Batch::parse(&bytes, &digest, &Hotkey([1; 32]), Round(3)).is_err(),
            "another validator"
        );
        let mut other = bytes.clone();
        other.extend_from_slice(b"{}\n");
        assert!(
            Batch::parse(&other, &digest, &me, Round(3)).is_err(),
            "another digest"
        );
        batch.round = Round(9);
        let bytes = batch.to_bytes(&[]).unwrap();
        assert!(
            Batch::parse(&bytes, &Digest::of(&bytes), &me, Round(9)).is_err(),
            "not signed"
        );
    }
}

//! Signed, mortal transactions, made offline from a runtime's metadata.
//!
//! Signed extensions come from the metadata: subxt's defaults serve every one of the runtimes 365 and 393, and an
//! extension it cannot fill is an error before anything is sent.

use assay_types::BlockNumber;
use subxt::OfflineClient;
use subxt::config::substrate::{SpecVersionForRange, SubstrateConfig, SubstrateExtrinsicParamsBuilder};
use subxt::tx::dynamic;
use subxt::utils::H256;
use subxt_signer::sr25519::Keypair;

use crate::subtensor::encode::Candidate;
use crate::subtensor::runtime::{Runtime, answer};
use crate::{BlockHash, ChainErrorKind};

/// Blocks a transaction is valid for; a power of two, as eras are. Long enough for a few full blocks, short enough that
/// a lost one is known to be lost within seven minutes.
pub const ERA_BLOCKS: u32 = 32;

/// What a transaction is signed over, besides the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signing {
    /// Genesis of the chain.
    pub genesis: BlockHash,
    /// Block its era begins with.
    pub birth: BlockNumber,
    /// Hash of that block.
    pub birth_hash: BlockHash,
    /// Nonce of the signer.
    pub nonce: u64,
}

impl Signing {
    /// The last block the transaction can be in.
    pub const fn era_end(&self) -> BlockNumber {
        BlockNumber(self.birth.0.saturating_add(ERA_BLOCKS - 1))
    }
}

/// The transaction's bytes, as `author_submitExtrinsic` takes them.
///
/// # Errors
/// [`ChainErrorKind::Answer`] where the runtime wants what is not known here.
pub fn sign(
    candidate: &Candidate,
    runtime: &Runtime,
    signing: &Signing,
    signer: &Keypair,
) -> Result<Vec<u8>, ChainErrorKind> {
    let failed = |error: String| {
        answer(format!(
            "cannot sign for runtime {}: {error}",
            runtime.spec_version()
        ))
    };
    let versions = SpecVersionForRange {
        block_range: 0..u64::MAX,
        spec_version: runtime.spec_version(),
        transaction_version: runtime.transaction_version(),
    };
    let config = SubstrateConfig::builder()
        .set_genesis_hash(H256(signing.genesis.0))
        .set_metadata_for_spec_versions([(runtime.spec_version(), runtime.metadata().clone())])
        .set_spec_version_for_block_ranges([versions])
        .build();
    let params = SubstrateExtrinsicParamsBuilder::<SubstrateConfig>::new()
        .mortal_from_unchecked(
            u64::from(ERA_BLOCKS),
            u64::from(signing.birth.0),
            H256(signing.birth_hash.0),
        )
        .nonce(signing.nonce)
        .build();
    let payload = dynamic(candidate.pallet, &candidate.name, candidate.arguments.clone());
    let client = OfflineClient::new_with_config(config)
        .at_block(signing.birth.0)
        .map_err(|error| failed(error.to_string()))?;
    let transactions = client.transactions();
    let mut signable = transactions
        .create_signable_offline(&payload, params)
        .map_err(|error| failed(error.to_string()))?;
    let signed = signable.sign(signer).map_err(|error| failed(error.to_string()))?;
    Ok(signed.encoded().to_vec())
}

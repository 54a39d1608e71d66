//! Blocks and runtimes of a node: which block a read is made at, and the metadata to decode it with.
//!
//! Every read asks for the runtime of its block, so an upgrade is met with the block it takes effect in.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde_json::{Value as Json, json};
use subxt::ext::codec::{Compact, Decode as _};

use crate::network::Network;
use crate::subtensor::check::Check;
use crate::subtensor::connection::Connection;
use crate::subtensor::header::{RawHead, hex0x, unhex};
use crate::subtensor::runtime::{Runtime, answer};
use crate::subtensor::timing::Timing;
use crate::subtensor::view::View;
use crate::{At, BlockHash, ChainError, ChainErrorKind};
use assay_types::Digest;

/// Runtimes kept; an operator meets two at an upgrade, a reader of history some more.
const RUNTIMES_MAX: usize = 8;
/// Newest metadata version that is read; the unstable one has the number 2^32 - 1.
const METADATA_VERSION_MAX: u32 = 16;

/// A node with what is known of its runtimes.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) connection: Connection,
    pub(crate) genesis: BlockHash,
    network: Network,
    runtimes: Mutex<BTreeMap<u32, Arc<Runtime>>>,
    check: Mutex<Check>,
}

/// The part of `state_getRuntimeVersion` that is used.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    spec_version: u32,
    #[serde(default)]
    transaction_version: u32,
}

impl Client {
    /// Connects and checks the runtime of the newest block.
    ///
    /// # Errors
    /// Of the connection; [`ChainErrorKind::Unsupported`] with every missing name that nothing works without.
    pub(crate) async fn connect(
        network: Network,
        genesis: Option<BlockHash>,
        timing: Timing,
    ) -> Result<Self, ChainError> {
        let connection = Connection::open(&network, genesis, timing).await?;
        let operation = format!("connect to {network}");
        let genesis: String = connection
            .read(&operation, "chain_getBlockHash", &[json!(0)])
            .await?;
        let client = Self {
            connection,
            genesis: hash(&operation, &genesis)?,
            network,
            runtimes: Mutex::default(),
            check: Mutex::default(),
        };
        let runtime = client.view(&operation, At::Head).await?.runtime;
        let check = Check::of(&runtime);
        if !check.required.is_empty() {
            let kind = ChainErrorKind::Unsupported {
                spec_version: check.spec_version,
                missing: check.required,
            };
            return Err(ChainError::new(operation, kind));
        }
        Ok(client)
    }

    /// The network, as people name it.
    pub(crate) const fn network(&self) -> &Network {
        &self.network
    }

    /// What the newest runtime lacks.
    pub(crate) fn check(&self) -> Check {
        self.check.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The block `at` means now.
    pub(crate) async fn raw_head(&self, operation: &str, at: At) -> Result<RawHead, ChainError> {
        let wanted = match at {
            At::Head => None,
            At::Finalized => {
                let found: String = self
                    .connection
                    .read(operation, "chain_getFinalizedHead", &[])
                    .await?;
                Some(hash(operation, &found)?)
            }
            At::Hash(hash) => Some(hash),
            At::Number(number) => {
                let found: Option<String> = self
                    .connection
                    .read(operation, "chain_getBlockHash", &[json!(number.0)])
                    .await?;
                let found = found.ok_or_else(|| not_found(operation, format!("block {number}")))?;
                Some(hash(operation, &found)?)
            }
        };
        let params: Vec<Json> = wanted.iter().map(|hash| json!(hex0x(&hash.0))).collect();
        let header: Option<Json> = self
            .connection
            .read(operation, "chain_getHeader", &params)
            .await?;
        let header = header.ok_or_else(|| {
            let what = wanted.map_or_else(|| "head".to_owned(), |hash| hex0x(&hash.0));
            not_found(operation, format!("block {what}"))
        })?;
        let head = RawHead::read(&header).map_err(|reason| ChainError::new(operation, answer(reason)))?;
        let number_is_wrong = matches!(at, At::Number(number) if number != head.number);
        if number_is_wrong || wanted.is_some_and(|wanted| wanted != head.hash) {
            let reason = format!("asked for {at:?}, got block {} {}", head.number, head.hash);
            return Err(ChainError::new(operation, answer(reason)));
        }
        Ok(head)
    }

    /// Everything that is read at one block.
    pub(crate) async fn view(&self, operation: &str, at: At) -> Result<View<'_>, ChainError> {
        let head = self.raw_head(operation, at).await?;
        let runtime = self
            .runtime_at(operation, head.hash, matches!(at, At::Head))
            .await?;
        Ok(View {
            connection: &self.connection,
            runtime,
            head,
            operation: operation.to_owned(),
        })
    }

    /// A block with the runtime that ran it, which is that of its parent's state and wrote its events.
    pub(crate) async fn executed(&self, operation: &str, head: RawHead) -> Result<View<'_>, ChainError> {
        let ran_by = if head.number.0 == 0 {
            head.hash
        } else {
            head.parent
        };
        let runtime = self.runtime_at(operation, ran_by, false).await?;
        Ok(View {
            connection: &self.connection,
            runtime,
            head,
            operation: operation.to_owned(),
        })
    }

    /// The runtime whose state block `hash` has; `newest` tells that the self-check is to follow it.
    pub(crate) async fn runtime_at(
        &self,
        operation: &str,
        hash: BlockHash,
        newest: bool,
    ) -> Result<Arc<Runtime>, ChainError> {
        let at = json!(hex0x(&hash.0));
        let version: Version = self
            .connection
            .read(operation, "state_getRuntimeVersion", &[at])
            .await?;
        let known = self
            .runtimes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&version.spec_version)
            .cloned();
        let runtime = match known {
            Some(runtime) => runtime,
            None => self.learn(operation, hash, &version).await?,
        };
        if newest {
            self.follow(&runtime);
        }
        Ok(runtime)
    }

    /// Repeats the self-check when the newest runtime is another than before, and tells what it found.
    fn follow(&self, runtime: &Runtime) {
        let mut check = self.check.lock().unwrap_or_else(PoisonError::into_inner);
        if check.spec_version == runtime.spec_version() {
            return;
        }
        let found = Check::of(runtime);
        if found.required.is_empty() {
            tracing::info!(spec_version = found.spec_version, lacks = ?found.optional, "runtime checked");
        } else {
            tracing::error!(spec_version = found.spec_version, missing = ?found.required, "runtime lacks needed names");
        }
        *check = found;
    }

    async fn learn(
        &self,
        operation: &str,
        hash: BlockHash,
        version: &Version,
    ) -> Result<Arc<Runtime>, ChainError> {
        let bytes = self.metadata(operation, hash).await?;
        let runtime = Runtime::decode(version.spec_version, version.transaction_version, &bytes)
            .map_err(|kind| ChainError::new(operation, kind))?;
        let runtime = Arc::new(runtime);
        let mut runtimes = self.runtimes.lock().unwrap_or_else(PoisonError::into_inner);
        while runtimes.len() >= RUNTIMES_MAX {
            runtimes.pop_first();
        }
        runtimes.insert(version.spec_version, Arc::clone(&runtime));
        Ok(runtime)
    }

    /// Metadata in the newest stable version; version 14, which has no runtime APIs, where nothing newer is offered.
    async fn metadata(&self, operation: &str, hash: BlockHash) -> Result<Vec<u8>, ChainError> {
        let wrong = |reason: String| ChainError::new(operation, answer(format!("metadata: {reason}")));
        let at = hex0x(&hash.0);
        let call = |method: &'static str, argument: String| {
            let params = [json!(method), json!(argument), json!(at.clone())];
            async move {
                let text: String = self.connection.read(operation, "state_call", &params).await?;
                unhex(&text).map_err(wrong)
            }
        };
        let versions = call("Metadata_metadata_versions", "0x".to_owned()).await;
        let newest = match versions {
            Ok(bytes) => Vec::<u32>::decode(&mut bytes.as_slice())
                .map_err(|error| wrong(error.to_string()))?
                .into_iter()
                .filter(|version| *version <= METADATA_VERSION_MAX)
                .max(),
            // A node that refuses the question has an old runtime; a lost one is an error.
            Err(error) if matches!(error.kind, ChainErrorKind::Answer { .. }) => None,
            Err(error) => return Err(error),
        };
        if let Some(version) = newest.filter(|version| *version > 14) {
            let bytes = call("Metadata_metadata_at_version", hex0x(&version.to_le_bytes())).await?;
            let input = &mut bytes.as_slice();
            let some = u8::decode(input).map_err(|error| wrong(error.to_string()))?;
            let Compact(length) = Compact::<u32>::decode(input).map_err(|error| wrong(error.to_string()))?;
            if some != 1 || u32::try_from(input.len()).ok() != Some(length) {
                return Err(wrong(format!("{length} bytes announced, {} sent", input.len())));
            }
            return Ok(input.to_vec());
        }
        let text: String = self
            .connection
            .read(operation, "state_getMetadata", &[json!(at)])
            .await?;
        unhex(&text).map_err(wrong)
    }
}

/// A block hash that a node sent.
pub(crate) fn hash(operation: &str, text: &str) -> Result<BlockHash, ChainError> {
    unhex(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .map(Digest)
        .ok_or_else(|| ChainError::new(operation, answer(format!("`{text:.80}` is no block hash"))))
}

/// Something that is not there.
pub(crate) fn not_found(operation: &str, what: impl Into<String>) -> ChainError {
    ChainError::new(operation, ChainErrorKind::NotFound { what: what.into() })
}

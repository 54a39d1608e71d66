//! Transactions that wait for a block: which are refused at once, and in what order the others go in.
//!
//! Codes and words are those of a node's `author_submitExtrinsic` (docs/embedded-chain.md): clients meet the same errors
//! here. Priority is flat: a waiting transaction cannot be replaced. One with a nonce still to come waits for those before it.

use std::collections::{BTreeMap, BTreeSet};

use assay_types::{Coldkey, Digest};

use super::extrinsic::{Extrinsic, Signed};
use super::state::State;
use crate::{Call, ChainError, ChainErrorKind};

/// Most transactions waiting.
const POOL_MAX: usize = 8_192;
/// Most transactions of a block.
pub(crate) const BLOCK_EXTRINSICS_MAX: usize = 4_096;

/// Why a transaction does not enter the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// Its bytes are no transaction.
    Malformed,
    /// Its nonce is used, or its era over.
    Stale,
    /// It was born at a block nobody remembers.
    AncientBirth,
    /// Its signature is not its signer's, for this chain and runtime.
    BadProof,
    /// It is here already.
    AlreadyImported,
    /// Another one of this nonce waits.
    LowPriority,
    /// No room.
    Full,
    /// A check of the runtime's own.
    Custom(u8, &'static str),
}

impl Invalid {
    /// As a client sees it.
    pub(crate) fn to_error(self, call: &str) -> ChainError {
        let (code, message) = match self {
            Self::Malformed => (1002, "Verification Error: bytes are no transaction".to_owned()),
            Self::Stale => (1010, "Invalid Transaction: Transaction is outdated".to_owned()),
            Self::AncientBirth => (
                1010,
                "Invalid Transaction: Transaction has an ancient birth block".to_owned(),
            ),
            Self::BadProof => (
                1010,
                "Invalid Transaction: Transaction has a bad signature".to_owned(),
            ),
            Self::AlreadyImported => (1013, "Transaction Already Imported".to_owned()),
            Self::LowPriority => (1014, "Priority is too low".to_owned()),
            Self::Full => (1016, "Immediately Dropped: the pool is full".to_owned()),
            Self::Custom(number, name) => (
                1010,
                format!("Invalid Transaction: Custom error: {number} ({name})"),
            ),
        };
        let custom = match self {
            Self::Custom(number, _) => Some(number),
            _ => None,
        };
        ChainError::new(
            call,
            ChainErrorKind::Pool {
                code,
                custom,
                message,
            },
        )
    }
}

/// A transaction that waits, with what its signature was checked for.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    /// The transaction.
    pub(crate) extrinsic: Extrinsic,
    /// What it is valid for.
    pub(crate) signed: Signed,
}

/// Transactions by signer and nonce.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    waiting: BTreeMap<(Coldkey, u32), (u64, Waiting)>,
    hashes: BTreeSet<Digest>,
    arrivals: u64,
}

impl Pool {
    /// Takes in a transaction whose signature holds.
    pub(crate) fn insert(&mut self, state: &State, waiting: Waiting) -> Result<(), Invalid> {
        let extrinsic = &waiting.extrinsic;
        let hash = extrinsic.hash();
        let key = (extrinsic.signer, extrinsic.order.nonce);
        if self.hashes.contains(&hash) {
            return Err(Invalid::AlreadyImported);
        }
        if key.1 < state.account(&key.0).nonce {
            return Err(Invalid::Stale);
        }
        check_call(state, extrinsic)?;
        if self.waiting.contains_key(&key) {
            return Err(Invalid::LowPriority);
        }
        if self.waiting.len() >= POOL_MAX {
            return Err(Invalid::Full);
        }
        self.arrivals += 1;
        self.waiting.insert(key, (self.arrivals, waiting));
        self.hashes.insert(hash);
        Ok(())
    }

    /// Takes out what fits block `number`: in order of arrival, but an account's own in order of nonce. What has expired
    /// or been overtaken is dropped.
    pub(crate) fn take(&mut self, state: &State, number: u32) -> Vec<Waiting> {
        let mut ready: Vec<((u64, u32), (Coldkey, u32))> = Vec::new();
        let mut gone: Vec<(Coldkey, u32)> = Vec::new();
        let mut account: Option<(Coldkey, u32, u64)> = None;
        for (&key, (arrival, waiting)) in &self.waiting {
            let (signer, nonce) = key;
            let (next, after) = match account {
                Some((known, next, after)) if known == signer => (next, after),
                _ => (state.account(&signer).nonce, 0),
            };
            let after = after.max(*arrival);
            if nonce < next || number > waiting.extrinsic.order.era_end() {
                gone.push(key);
                account = Some((signer, next, after));
            } else if nonce == next {
                ready.push(((after, nonce), key));
                account = Some((signer, next.saturating_add(1), after));
            } else {
                account = Some((signer, next, after));
            }
        }
        for key in gone {
            self.remove(&key);
        }
        ready.sort_unstable();
        ready.truncate(BLOCK_EXTRINSICS_MAX);
        ready.iter().filter_map(|(_, key)| self.remove(key)).collect()
    }

    fn remove(&mut self, key: &(Coldkey, u32)) -> Option<Waiting> {
        let (_, waiting) = self.waiting.remove(key)?;
        self.hashes.remove(&waiting.extrinsic.hash());
        Some(waiting)
    }

    /// The nonce after those that wait, without a gap.
    pub(crate) fn next_nonce(&self, state: &State, account: &Coldkey) -> u32 {
        let mut next = state.account(account).nonce;
        while self.waiting.contains_key(&(*account, next)) {
            next = next.saturating_add(1);
        }
        next
    }
}

/// What the runtime's transaction extension refuses before a block is made.
fn check_call(state: &State, extrinsic: &Extrinsic) -> Result<(), Invalid> {
    let hotkey = assay_types::Hotkey(extrinsic.signer.0);
    match &extrinsic.call {
        Call::SetWeights { netuid, mecid, .. } => {
            let Some(subnet) = state.subnet(*netuid) else {
                return Ok(());
            };
            if !state.has_stake_for_weights(subnet, &hotkey) {
                return Err(Invalid::Custom(1, "StakeAmountTooLow"));
            }
            let limited = |uid| !state.may_update(subnet, uid, *mecid);
            if subnet.uid_of(&hotkey).is_some_and(limited) {
                return Err(Invalid::Custom(6, "RateLimitExceeded"));
            }
            Ok(())
        }
        Call::ServeAxon { netuid, address } => match state.check_axon(&hotkey, *netuid, address) {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.name.as_ref() {
                "InvalidIpAddress" => Invalid::Custom(11, "InvalidIpAddress"),
                "ServingRateLimitExceeded" => Invalid::Custom(12, "ServingRateLimitExceeded"),
                "InvalidPort" => Invalid::Custom(13, "InvalidPort"),
                _ => Invalid::Custom(10, "HotKeyNotRegisteredInNetwork"),
            }),
        },
        Call::RegisterNetwork { .. } if state.network_is_limited() => {
            Err(Invalid::Custom(6, "RateLimitExceeded"))
        }
        _ => Ok(()),
    }
}

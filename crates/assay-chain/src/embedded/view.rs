//! What readers see: the last blocks with their states, heads and outcomes, replaced as one by the node.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use assay_types::{BlockNumber, Digest};

use super::extrinsic::ERA_BLOCKS_MAX;
use super::state::block::Inherent;
use super::state::{DispatchError, Event, State};
use crate::{At, ChainErrorKind, Head};

/// A block that is stored.
#[derive(Debug)]
pub(crate) struct Sealed {
    /// Number, hash, parent, time.
    pub(crate) head: Head,
    /// The state after it.
    pub(crate) state: Arc<State>,
    /// Its events before transactions.
    pub(crate) events: Vec<Event>,
    /// What entered without a signature.
    pub(crate) inherents: Vec<Inherent>,
    /// Its transactions by hash.
    pub(crate) included: BTreeMap<Digest, Included>,
}

/// How a transaction ended in a block.
#[derive(Debug, Clone)]
pub(crate) struct Included {
    /// Why it failed.
    pub(crate) error: Option<DispatchError>,
    /// What it did.
    pub(crate) events: Vec<Event>,
    /// Itself.
    pub(crate) bytes: Vec<u8>,
}

/// Recent blocks, oldest first; never empty.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// The newest block.
    pub(crate) newest: Arc<Sealed>,
    /// Blocks with states, the newest included.
    pub(crate) blocks: VecDeque<Arc<Sealed>>,
    /// Heads further back, for eras and for gaps; the newest included.
    pub(crate) heads: VecDeque<Head>,
    /// Newest final block.
    pub(crate) finalized: u32,
    /// States kept.
    pub(crate) history_blocks: usize,
}

impl View {
    /// Adds a block on top.
    pub(crate) fn push(&mut self, sealed: Arc<Sealed>) {
        self.heads.push_back(sealed.head);
        self.blocks.push_back(Arc::clone(&sealed));
        self.newest = sealed;
        while self.heads.len() > ERA_BLOCKS_MAX as usize + 1 {
            self.heads.pop_front();
        }
        while self.blocks.len() > self.history_blocks.max(1) {
            self.blocks.pop_front();
        }
    }

    /// Forgets the blocks above `number`; gives whether that block is still known.
    pub(crate) fn rewind(&mut self, number: u32) -> bool {
        let Some(kept) = self.blocks.iter().find(|sealed| sealed.head.number.0 == number) else {
            return false;
        };
        self.newest = Arc::clone(kept);
        self.blocks.retain(|sealed| sealed.head.number.0 <= number);
        self.heads.retain(|head| head.number.0 <= number);
        true
    }

    /// The head of a block, as far as heads are kept.
    pub(crate) fn head(&self, number: u32) -> Option<&Head> {
        let first = self.heads.front()?.number.0;
        let offset = usize::try_from(number.checked_sub(first)?).ok()?;
        self.heads.get(offset)
    }

    /// The block a read is made at.
    pub(crate) fn at(&self, at: At) -> Result<&Arc<Sealed>, ChainErrorKind> {
        let by_number = |number: u32| self.blocks.iter().find(|sealed| sealed.head.number.0 == number);
        let (found, what) = match at {
            At::Head => (Some(&self.newest), "the head".to_owned()),
            At::Finalized => (by_number(self.finalized), format!("block {}", self.finalized)),
            At::Number(BlockNumber(number)) => (by_number(number), format!("block {number}")),
            At::Hash(hash) => (
                self.blocks.iter().find(|sealed| sealed.head.hash == hash),
                format!("block {hash}"),
            ),
        };
        found.ok_or_else(|| ChainErrorKind::NotFound {
            what: format!("the state of {what} (kept: the last {})", self.history_blocks),
        })
    }

    /// The block that holds a transaction.
    pub(crate) fn find(&self, extrinsic: &Digest) -> Option<(&Arc<Sealed>, &Included)> {
        self.blocks
            .iter()
            .rev()
            .find_map(|sealed| Some((sealed, sealed.included.get(extrinsic)?)))
    }
}

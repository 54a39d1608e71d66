//! The one task that makes blocks: it owns the pool and the database, and publishes what it has stored.
//!
//! Commands come in through a bounded channel; a new [`View`] and a new head leave after the block is on disk, so nobody
//! sees a block that a crash could take back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use assay_types::{BlockNumber, Coldkey, Digest, tagged_hash};
use tokio::sync::{mpsc, oneshot};

use super::beacon::ROUNDS_KEPT;
use super::extrinsic::{Extrinsic, Signed};
use super::fault::Fault;
use super::node::{Clock, Shared, Tip};
use super::pool::{Invalid, Pool, Waiting};
use super::state::State;
use super::state::block::Inherent;
use super::store::{SNAPSHOT_BLOCKS, Store, StoredBlock};
use super::view::{Included, Sealed, View};
use crate::drand::round_at;
use crate::{ChainError, ChainErrorKind, Head};

/// Most blocks of one reorganisation, whatever is final.
pub(crate) const REORG_BLOCKS_MAX: u32 = 64;

/// Most orders that wait for the next block.
const INHERENTS_MAX: usize = 4_096;

/// What the task is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Take in a transaction.
    Send(Box<Waiting>, oneshot::Sender<Result<(), Invalid>>),
    /// Make blocks now.
    Seal(u32, oneshot::Sender<Result<(), ChainError>>),
    /// Put something unsigned into the next block.
    Include(Inherent, oneshot::Sender<Result<(), ChainError>>),
    /// Let something go wrong.
    Inject(Fault, oneshot::Sender<Result<(), ChainError>>),
    /// The next nonce of an account, those waiting counted.
    Nonce(Coldkey, oneshot::Sender<u32>),
    /// End.
    Stop(oneshot::Sender<()>),
}

/// The task's own state.
#[derive(Debug)]
pub(crate) struct Producer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) store: Store,
    pub(crate) pool: Pool,
    pub(crate) clock: Clock,
    /// For the next block.
    pub(crate) inherents: Vec<Inherent>,
    /// Pulses still to be left out.
    pub(crate) miss_rounds: u32,
    pub(crate) fork: u32,
    pub(crate) finality_lag_blocks: u32,
    pub(crate) stale_nonce: bool,
}

impl Producer {
    /// Serves commands until told to stop or everybody has gone.
    pub(crate) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut ticks = match self.clock {
            Clock::Every(interval) => Some(ticks_of(interval)),
            _ => None,
        };
        let stopped = loop {
            let command = match &mut ticks {
                Some(ticks) => tokio::select! {
                    command = commands.recv() => command,
                    _ = ticks.tick() => {
                        if let Err(error) = self.seal().await {
                            tracing::error!(error = %error, "the embedded chain makes no more blocks");
                            self.shared.fail(error);
                            break None;
                        }
                        continue;
                    }
                },
                None => commands.recv().await,
            };
            match command {
                None => break None,
                Some(Command::Stop(done)) => break Some(done),
                Some(command) => self.obey(command).await,
            }
        };
        self.store.close().await;
        if let Some(done) = stopped {
            // Whoever asked may have gone.
            let _ = done.send(());
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Send(waiting, reply) => {
                let newest = self.shared.newest();
                let result = self.pool.insert(&newest.state, *waiting);
                let taken = result.is_ok();
                let _ = reply.send(result);
                if taken && self.clock == Clock::Instant {
                    self.seal_logged().await;
                }
            }
            Command::Seal(blocks, reply) => {
                let _ = reply.send(self.seal_many(blocks).await);
            }
            Command::Include(inherent, reply) => {
                let mut result = self.order(inherent).await;
                if result.is_ok() && self.clock == Clock::Instant {
                    result = self.seal().await;
                }
                let _ = reply.send(result);
            }
            Command::Inject(fault, reply) => {
                let _ = reply.send(self.inject(fault).await);
            }
            Command::Nonce(account, reply) => {
                let next = self.pool.next_nonce(&self.shared.newest().state, &account);
                let stale = u32::from(std::mem::take(&mut self.stale_nonce));
                let _ = reply.send(next.saturating_sub(stale));
            }
            Command::Stop(_) => {}
        }
    }

    /// Takes an order for the next block; it is on disk when this returns.
    async fn order(&mut self, inherent: Inherent) -> Result<(), ChainError> {
        if self.inherents.len() >= INHERENTS_MAX {
            let reason = format!("{INHERENTS_MAX} orders wait for the next block already");
            let kind = ChainErrorKind::State { reason };
            return Err(ChainError::new("order for the next block", kind));
        }
        self.store.order(&inherent).await?;
        self.inherents.push(inherent);
        Ok(())
    }

    async fn seal_logged(&mut self) {
        if let Err(error) = self.seal().await {
            tracing::error!(error = %error, "block not made");
        }
    }

    async fn seal_many(&mut self, blocks: u32) -> Result<(), ChainError> {
        for _ in 0..blocks {
            self.seal().await?;
        }
        Ok(())
    }

    fn view(&self) -> View {
        self.shared.view()
    }

    async fn inject(&mut self, fault: Fault) -> Result<(), ChainError> {
        match fault {
            Fault::DropConnections => self.shared.drop_connections(),
            Fault::LoseReply => self.shared.lose_reply(),
            Fault::LateFinality { lag_blocks } => self.finality_lag_blocks = lag_blocks,
            Fault::MissPulses { rounds } => self.miss_rounds = self.miss_rounds.saturating_add(rounds),
            Fault::ReleasePulses => {
                let missing = self.shared.newest().state.missing_rounds.clone();
                for round in missing {
                    self.order(Inherent::LatePulse { round }).await?;
                }
            }
            Fault::StaleNonce => self.stale_nonce = true,
            Fault::Upgrade { spec_version } => self.order(Inherent::Upgrade { spec_version }).await?,
            Fault::Reorg { depth } => return self.reorganize(depth).await,
        }
        Ok(())
    }

    /// Makes one block of what waits.
    async fn seal(&mut self) -> Result<(), ChainError> {
        let view = self.view();
        let number = view.newest.head.number.0.saturating_add(1);
        let waiting = self.pool.take(&view.newest.state, number);
        let ordered = self.inherents.clone();
        let inherents = self.next_inherents(&view.newest.state);
        let made = self.make(&view, inherents, waiting.clone());
        let state = Arc::clone(&view.newest.state);
        let published = self.publish(view, vec![made]).await;
        if published.is_err() {
            // The block is not on disk, so it never was: what it held waits for the next one.
            self.inherents = ordered;
            for waiting in waiting {
                // One that is refused now is told so by its era.
                let _ = self.pool.insert(&state, waiting);
            }
        }
        published
    }

    /// Inherents of the next block: pulses up to its time, and what was ordered.
    fn next_inherents(&mut self, state: &State) -> Vec<Inherent> {
        let through = round_at((state.time_ms + state.genesis.block_time_ms) / 1_000);
        let new = through.saturating_sub(state.last_round).min(ROUNDS_KEPT);
        let missed = u64::from(self.miss_rounds).min(new);
        self.miss_rounds = self
            .miss_rounds
            .saturating_sub(u32::try_from(missed).unwrap_or(u32::MAX));
        let first = through.saturating_sub(new) + 1;
        let mut inherents = vec![Inherent::Pulses {
            through,
            missing: (first..first + missed).collect(),
        }];
        inherents.append(&mut self.inherents);
        inherents
    }

    fn make(&self, view: &View, inherents: Vec<Inherent>, waiting: Vec<Waiting>) -> Made {
        let parent = &view.newest;
        let extrinsics: Vec<Extrinsic> = waiting
            .into_iter()
            .filter(|waiting| self.still_valid(view, waiting))
            .map(|waiting| waiting.extrinsic)
            .collect();
        let block_time_ms = parent.state.genesis.block_time_ms;
        let draft = Draft {
            parent: parent.head,
            time_ms: parent.head.time_ms + block_time_ms,
            fork: self.fork,
            inherents,
            extrinsics,
        };
        draft.execute(&parent.state, view.finalized)
    }

    /// Whether the signature still holds: a fork or an upgrade since the transaction came in voids it.
    fn still_valid(&self, view: &View, waiting: &Waiting) -> bool {
        let birth = view.head(waiting.extrinsic.order.birth);
        let now = birth.map(|birth| Signed {
            genesis: self.shared.genesis(),
            birth: birth.hash,
            spec_version: view.newest.state.spec_version,
        });
        now.is_some_and(|now| now == waiting.signed || waiting.extrinsic.is_signed(&now))
    }

    /// Replaces the newest `depth` blocks by `depth + 1` others.
    async fn reorganize(&mut self, depth: u32) -> Result<(), ChainError> {
        let mut view = self.view();
        let head = view.newest.head.number.0;
        let depth = depth
            .min(head.saturating_sub(view.finalized))
            .min(REORG_BLOCKS_MAX);
        let back: Vec<Arc<Sealed>> = view
            .blocks
            .iter()
            .filter(|sealed| sealed.head.number.0 > head - depth)
            .cloned()
            .collect();
        if depth == 0 || !view.rewind(head - depth) {
            let reason = "no block can be replaced: all are final".to_owned();
            return Err(ChainError::new("reorg", ChainErrorKind::State { reason }));
        }
        self.fork = self.fork.saturating_add(1);
        for waiting in back
            .iter()
            .flat_map(|sealed| sealed.waiting(self.shared.genesis()))
        {
            // One whose nonce is taken meanwhile is lost, as on any chain.
            let _ = self.pool.insert(&view.newest.state, waiting);
        }
        // What had been ordered stays ordered; pulses come anew.
        let ordered = back.iter().flat_map(|sealed| &sealed.inherents);
        let ordered = ordered.filter(|inherent| !matches!(inherent, Inherent::Pulses { .. }));
        self.inherents.splice(0..0, ordered.cloned());
        let mut made = Vec::new();
        for nth in 0..=depth {
            let number = view.newest.head.number.0.saturating_add(1);
            // The first new block is empty: what was in a block moves to a later one.
            let waiting = match nth {
                0 => Vec::new(),
                _ => self.pool.take(&view.newest.state, number),
            };
            let inherents = self.next_inherents(&view.newest.state);
            let next = self.make(&view, inherents, waiting);
            view.push(Arc::clone(&next.sealed));
            made.push(next);
        }
        view.rewind(head - depth);
        self.publish(view, made).await
    }

    /// Stores blocks and shows them.
    async fn publish(&mut self, mut view: View, made: Vec<Made>) -> Result<(), ChainError> {
        // A reorganisation makes several blocks at once, and any of them may be due.
        let snapshot = made
            .iter()
            .rev()
            .map(|made| &made.sealed.state)
            .find(|state| state.block % SNAPSHOT_BLOCKS == 0)
            .map(Arc::clone);
        let (mut stored, mut heads) = (Vec::new(), Vec::new());
        for mut made in made {
            let final_now = made.sealed.head.number.0.saturating_sub(self.finality_lag_blocks);
            view.finalized = view.finalized.max(final_now);
            made.stored.finalized = view.finalized;
            heads.push(made.sealed.head);
            view.push(made.sealed);
            stored.push(made.stored);
        }
        self.store.append(&stored, snapshot.as_deref()).await?;
        self.shared.replace(view);
        if let Some(head) = heads.last() {
            self.shared.announce(Tip::Head(*head));
        }
        Ok(())
    }
}

/// Ticks that do not catch up after a pause: a sleeping laptop owes no blocks.
fn ticks_of(interval: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks
}

/// A block before it is run.
pub(crate) struct Draft {
    pub(crate) parent: Head,
    pub(crate) time_ms: u64,
    pub(crate) fork: u32,
    pub(crate) inherents: Vec<Inherent>,
    pub(crate) extrinsics: Vec<Extrinsic>,
}

/// A block that was run, to be stored.
pub(crate) struct Made {
    pub(crate) sealed: Arc<Sealed>,
    pub(crate) stored: StoredBlock,
}

impl Draft {
    /// Runs the block on its parent's state.
    pub(crate) fn execute(self, parent: &State, finalized: u32) -> Made {
        let number = self.parent.number.0.saturating_add(1);
        let mut state = parent.clone();
        let mut events = state.initialize(number, self.time_ms);
        for inherent in &self.inherents {
            events.extend(state.include(inherent));
        }
        let mut included = BTreeMap::new();
        let mut record = Digest::of(&serde_json::to_vec(&events).unwrap_or_default());
        for extrinsic in &self.extrinsics {
            if state.account(&extrinsic.signer).nonce != extrinsic.order.nonce {
                continue;
            }
            let outcome = state.apply(extrinsic.signer, &extrinsic.call);
            let json = serde_json::to_vec(&outcome).unwrap_or_default();
            record = tagged_hash("assay/embedded/record/1", &[record.as_bytes(), &json]);
            included.insert(
                extrinsic.hash(),
                Included {
                    error: outcome.error,
                    events: outcome.events,
                    bytes: extrinsic.bytes().to_vec(),
                },
            );
        }
        let extrinsics: Vec<Vec<u8>> = self
            .extrinsics
            .iter()
            .map(|extrinsic| extrinsic.bytes().to_vec())
            .collect();
        let hash = match &parent.genesis.block_seed {
            Some(seed) => self.seeded_hash(seed, number),
            None => self.hash(number, record),
        };
        let head = Head {
            number: BlockNumber(number),
            hash,
            parent: self.parent.hash,
            time_ms: self.time_ms,
        };
        let stored = StoredBlock {
            head,
            fork: self.fork,
            finalized,
            inherents: self.inherents.clone(),
            extrinsics,
        };
        let sealed = Sealed {
            head,
            state: Arc::new(state),
            events,
            inherents: self.inherents,
            included,
        };
        Made {
            sealed: Arc::new(sealed),
            stored,
        }
    }

    /// Of the block's place alone: [`Genesis::block_seed`](super::Genesis::block_seed).
    fn seeded_hash(&self, seed: &Digest, number: u32) -> Digest {
        let place = [number.to_le_bytes(), self.fork.to_le_bytes()].concat();
        tagged_hash("assay/embedded/seeded/1", &[seed.as_bytes(), &place])
    }

    /// Over everything that goes into the block and everything that comes out of it.
    fn hash(&self, number: u32, record: Digest) -> Digest {
        let inherents = serde_json::to_vec(&self.inherents).unwrap_or_default();
        let mut parts: Vec<u8> = Vec::new();
        parts.extend_from_slice(self.parent.hash.as_bytes());
        parts.extend_from_slice(&number.to_le_bytes());
        parts.extend_from_slice(&self.time_ms.to_le_bytes());
        parts.extend_from_slice(&self.fork.to_le_bytes());
        parts.extend_from_slice(Digest::of(&inherents).as_bytes());
        for extrinsic in &self.extrinsics {
            parts.extend_from_slice(extrinsic.hash().as_bytes());
        }
        tagged_hash("assay/embedded/block/1", &[record.as_bytes(), &parts])
    }
}

impl Sealed {
    /// Its transactions as they came into the pool; signatures are checked again before the next block.
    fn waiting(&self, genesis: Digest) -> Vec<Waiting> {
        let read = |included: &Included| Extrinsic::decode(&included.bytes);
        self.included
            .values()
            .filter_map(read)
            .map(|extrinsic| Waiting {
                extrinsic,
                signed: Signed {
                    genesis,
                    birth: Digest::ZERO,
                    spec_version: 0,
                },
            })
            .collect()
    }
}

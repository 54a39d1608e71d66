//! A running embedded chain: started from its database, asked and told things by handles.
//!
//! [`Node::start`] loads or makes the chain and starts its producer; clones of the [`Node`] read what it publishes and send it
//! commands. The clock is virtual: a block adds [`Genesis::block_time_ms`](super::Genesis) to the chain's time, whenever it
//! is made.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use assay_types::{BlockNumber, Coldkey, Digest, Rao};
use tokio::sync::{mpsc, oneshot, watch};

use super::extrinsic::{EXTRINSIC_BYTES_MAX, Extrinsic, Signed};
use super::fault::Fault;
use super::pool::{Invalid, Pool, Waiting};
use super::producer::{Command, Draft, Producer};
use super::query::{Answer, Query};
use super::state::block::Inherent;
use super::state::{Genesis, State};
use super::store::{Loaded, Store, StoredBlock};
use super::view::{Sealed, View};
use crate::drand::round_at;
use crate::{At, ChainError, ChainErrorKind, Head};

/// Commands waiting for the producer.
const COMMANDS_MAX: usize = 1_024;
/// States kept for reads, blocks.
const HISTORY_BLOCKS: usize = 256;
/// Blocks between the head and the newest final block.
const FINALITY_LAG_BLOCKS: u32 = 2;

/// When blocks are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// When [`Node::seal`] is called.
    Manual,
    /// As soon as a transaction comes in, and by [`Node::seal`].
    Instant,
    /// One each interval of wall time.
    Every(Duration),
}

/// How an embedded chain runs.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// Block 0 of a new chain; one that exists keeps its own.
    pub genesis: Genesis,
    /// Whether a chain that exists must have begun with `genesis`.
    pub same_genesis: bool,
    /// Its database; none = in memory.
    pub path: Option<PathBuf>,
    /// When blocks are made.
    pub clock: Clock,
    /// Blocks between the head and the newest final block.
    pub finality_lag_blocks: u32,
    /// States kept for reads at older blocks.
    pub history_blocks: usize,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self {
            genesis: Genesis::default(),
            same_genesis: false,
            path: None,
            clock: Clock::Manual,
            finality_lag_blocks: FINALITY_LAG_BLOCKS,
            history_blocks: HISTORY_BLOCKS,
        }
    }
}

/// What is newest, as those who wait for blocks see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tip {
    /// A head.
    Head(Head),
    /// The connection is lost.
    Lost(ChainError),
}

/// What handles, sockets and the producer share.
#[derive(Debug)]
pub(crate) struct Shared {
    view: RwLock<View>,
    genesis: Digest,
    tip: watch::Sender<Tip>,
    drops: watch::Sender<u64>,
    lose_reply: AtomicBool,
    /// Why the chain makes no more blocks.
    failure: OnceLock<ChainError>,
}

impl Shared {
    pub(crate) fn view(&self) -> View {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn newest(&self) -> Arc<Sealed> {
        let view = self.view.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&view.newest)
    }

    pub(crate) const fn genesis(&self) -> Digest {
        self.genesis
    }

    pub(crate) fn replace(&self, view: View) {
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = view;
    }

    pub(crate) fn announce(&self, tip: Tip) {
        self.tip.send_replace(tip);
    }

    pub(crate) fn drop_connections(&self) {
        self.drops.send_modify(|count| *count += 1);
    }

    /// Says why the chain ends.
    pub(crate) fn fail(&self, error: ChainError) {
        self.failure.get_or_init(|| error);
    }

    pub(crate) fn lose_reply(&self) {
        self.lose_reply.store(true, Ordering::Relaxed);
    }
}

/// A handle on a running embedded chain. The chain ends with its last handle.
#[derive(Debug, Clone)]
pub struct Node {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
}

impl Node {
    /// Loads the chain, or makes it, and starts making blocks.
    ///
    /// # Errors
    /// [`ChainErrorKind::State`] if the database is held by another process or does not give the states it says,
    /// [`ChainErrorKind::WrongGenesis`] if it is another chain's where that is asked for.
    pub async fn start(options: &NodeOptions) -> Result<Self, ChainError> {
        let (store, loaded) = Store::open(options.path.as_deref(), &options.genesis).await?;
        let genesis = loaded.genesis.hash();
        if options.same_genesis && genesis != options.genesis.hash() {
            let operation = store.operation();
            store.close().await;
            let kind = ChainErrorKind::WrongGenesis {
                expected: options.genesis.hash().to_string(),
                found: genesis.to_string(),
            };
            return Err(ChainError::new(operation, kind));
        }
        // A fork made after this start must not look like one made before it.
        let fork = loaded.blocks.iter().map(|block| block.fork).max().unwrap_or(0);
        let mut loaded = loaded;
        let orders = std::mem::take(&mut loaded.orders);
        let view = replay(&store, loaded, options.history_blocks)?;
        let (tip, _) = watch::channel(Tip::Head(view.newest.head));
        let shared = Arc::new(Shared {
            view: RwLock::new(view),
            genesis,
            tip,
            drops: watch::channel(0).0,
            lose_reply: AtomicBool::new(false),
            failure: OnceLock::new(),
        });
        let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
        let producer = Producer {
            shared: Arc::clone(&shared),
            store,
            pool: Pool::default(),
            clock: options.clock,
            inherents: orders,
            miss_rounds: 0,
            fork,
            finality_lag_blocks: options.finality_lag_blocks,
            stale_nonce: false,
        };
        tokio::spawn(producer.run(inbox));
        Ok(Self { shared, commands })
    }

    /// Hash of block 0, which every transaction is signed for.
    pub fn genesis_hash(&self) -> Digest {
        self.shared.genesis()
    }

    /// Makes so many blocks now.
    ///
    /// # Errors
    /// [`ChainErrorKind::State`] if a block cannot be stored.
    pub async fn seal(&self, blocks: u32) -> Result<(), ChainError> {
        self.ask("make a block", |reply| Command::Seal(blocks, reply))
            .await?
    }

    /// Gives an account new TAO, in the next block.
    ///
    /// # Errors
    /// [`ChainErrorKind::State`] if the chain has ended.
    pub async fn fund(&self, account: Coldkey, amount: Rao) -> Result<(), ChainError> {
        let inherent = Inherent::Fund { account, amount };
        self.ask("fund an account", |reply| Command::Include(inherent, reply))
            .await?
    }

    /// Sets the alpha a started subnet emits a block, from the next block on.
    ///
    /// # Errors
    /// [`ChainErrorKind::State`] if the chain has ended.
    pub async fn set_alpha_per_block(&self, amount: u64) -> Result<(), ChainError> {
        let inherent = Inherent::AlphaPerBlock { amount };
        self.ask("set the emission", |reply| Command::Include(inherent, reply))
            .await?
    }

    /// Lets something go wrong.
    ///
    /// # Errors
    /// [`ChainErrorKind::State`] if it cannot, for example a reorganisation of final blocks.
    pub async fn inject(&self, fault: Fault) -> Result<(), ChainError> {
        self.ask("inject a fault", |reply| Command::Inject(fault, reply))
            .await?
    }

    /// Waits until the chain makes no more blocks: why, if it was not stopped.
    pub async fn ended(&self) -> Option<ChainError> {
        self.commands.closed().await;
        self.shared.failure.get().cloned()
    }

    /// Ends the chain after what it is doing; the database is free afterwards.
    pub async fn stop(self) {
        // An error means that it has ended already.
        let _ = self.ask("stop", Command::Stop).await;
        self.commands.closed().await;
    }

    /// Checks a transaction's bytes and signature and gives it to the pool.
    pub(crate) async fn send(&self, bytes: &[u8]) -> Result<Digest, ChainError> {
        let operation = "send a transaction";
        let malformed = || Invalid::Malformed.to_error(operation);
        if bytes.len() > EXTRINSIC_BYTES_MAX {
            return Err(malformed());
        }
        let extrinsic = Extrinsic::decode(bytes).ok_or_else(malformed)?;
        let operation = extrinsic.call.name();
        let hash = extrinsic.hash();
        let signed = self
            .signed_for(&extrinsic)
            .map_err(|invalid| invalid.to_error(operation))?;
        let waiting = Box::new(Waiting { extrinsic, signed });
        let taken = self.ask(operation, |reply| Command::Send(waiting, reply)).await?;
        taken.map_err(|invalid| invalid.to_error(operation))?;
        if self.shared.lose_reply.swap(false, Ordering::Relaxed) {
            self.shared.drop_connections();
            return Err(lost_reply(operation));
        }
        Ok(hash)
    }

    /// What the transaction had to be signed for, if it was.
    fn signed_for(&self, extrinsic: &Extrinsic) -> Result<Signed, Invalid> {
        let order = extrinsic.order;
        let (birth, head, spec_version) = {
            let view = self.shared.view.read().unwrap_or_else(PoisonError::into_inner);
            let newest = &view.newest;
            let birth = view.head(order.birth).map(|head| head.hash);
            (birth, newest.head.number.0, newest.state.spec_version)
        };
        if order.period == 0 || order.era_end() <= head {
            return Err(Invalid::Stale);
        }
        let signed = Signed {
            genesis: self.shared.genesis,
            birth: birth.ok_or(Invalid::AncientBirth)?,
            spec_version,
        };
        if extrinsic.is_signed(&signed) {
            Ok(signed)
        } else {
            Err(Invalid::BadProof)
        }
    }

    /// Answers a read.
    pub(crate) fn read(&self, query: &Query, at: At) -> Result<Answer, ChainErrorKind> {
        let view = self.shared.view.read().unwrap_or_else(PoisonError::into_inner);
        view.answer(query, at, self.shared.genesis)
    }

    /// The next nonce of an account.
    pub(crate) async fn nonce(&self, account: Coldkey) -> Result<u32, ChainError> {
        self.ask("read a nonce", |reply| Command::Nonce(account, reply))
            .await
    }

    /// New heads.
    pub(crate) fn tips(&self) -> watch::Receiver<Tip> {
        self.shared.tip.subscribe()
    }

    /// Orders to close all sockets.
    pub(crate) fn drops(&self) -> watch::Receiver<u64> {
        self.shared.drops.subscribe()
    }

    async fn ask<T>(
        &self,
        operation: &str,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, ChainError> {
        let ended = || {
            let reason = "the embedded chain has ended".to_owned();
            ChainError::new(operation, ChainErrorKind::State { reason })
        };
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())
    }
}

fn lost_reply(operation: &str) -> ChainError {
    let kind = ChainErrorKind::Transport {
        endpoint: "embedded".to_owned(),
        message: "the connection broke before the reply".to_owned(),
    };
    ChainError::new(operation, kind)
}

/// Runs the stored blocks again from the newest snapshot; each must give its hash.
fn replay(store: &Store, loaded: Loaded, history_blocks: usize) -> Result<View, ChainError> {
    let genesis_hash = loaded.genesis.hash();
    let mut first = State::new(loaded.genesis);
    first.last_round = round_at(first.time_ms / 1_000);
    first.first_round = first.last_round;
    let block_zero = Head {
        number: BlockNumber(0),
        hash: genesis_hash,
        parent: Digest::ZERO,
        time_ms: first.time_ms,
    };
    let state = loaded.snapshot.unwrap_or(first);
    let start = state.block;
    let head = match loaded.blocks.iter().find(|block| block.head.number.0 == start) {
        Some(block) => block.head,
        None if start == 0 => block_zero,
        None => return Err(store.state_error(&format!("block {start} of its snapshot is missing"))),
    };
    let sealed = Arc::new(Sealed {
        head,
        state: Arc::new(state),
        events: Vec::new(),
        inherents: Vec::new(),
        included: std::collections::BTreeMap::new(),
    });
    let earlier = loaded.blocks.iter().filter(|block| block.head.number.0 < start);
    let mut heads: VecDeque<Head> = earlier.map(|block| block.head).collect();
    if start > 0 && heads.front().is_none_or(|head| head.number.0 == 1) {
        heads.push_front(block_zero);
    }
    heads.push_back(head);
    let mut view = View {
        newest: Arc::clone(&sealed),
        blocks: VecDeque::from([sealed]),
        heads,
        finalized: 0,
        history_blocks,
    };
    for block in loaded.blocks {
        view.finalized = view.finalized.max(block.finalized);
        if block.head.number.0 > start {
            let sealed = run_again(store, &view, block)?;
            view.push(sealed);
        }
    }
    Ok(view)
}

fn run_again(store: &Store, view: &View, block: StoredBlock) -> Result<Arc<Sealed>, ChainError> {
    let number = block.head.number;
    let extrinsics = block.extrinsics.iter().map(|bytes| Extrinsic::decode(bytes));
    let extrinsics = extrinsics
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| store.state_error(&format!("a transaction of block {number} is not readable")))?;
    let draft = Draft {
        parent: view.newest.head,
        time_ms: block.head.time_ms,
        fork: block.fork,
        inherents: block.inherents,
        extrinsics,
    };
    let made = draft.execute(&view.newest.state, view.finalized);
    if made.sealed.head == block.head {
        Ok(made.sealed)
    } else {
        Err(store.state_error(&format!(
            "block {number} does not give its hash again; restore the file, delete it, or use the version that made it"
        )))
    }
}

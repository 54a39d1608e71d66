//! What every handler shares: database, writer, keys, the newest view of the chain.

use crate::cache::SnapshotCache;
use crate::clock::ServerClock;
use crate::config::Limits;
use crate::limit::RateLimits;
use crate::memo::Memo;
use crate::metrics::Metrics;
use crate::store::{Database, HeadRow, Writer};
use crate::stream::Events;
use assay_chain::wallet::KeyPair;
use assay_chain::{Metagraph, Neuron};
use assay_mechanism::clock::Clock;
use assay_mechanism::contest::Contest;
use assay_mechanism::reports::Patience;
use assay_types::api::{Answer, Observed, Source};
use assay_types::{BlockNumber, Digest, Hotkey, NetUid, ParamSet, Round};
use futures_util::future::BoxFuture;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use thiserror::Error;
use tokio::sync::watch;

/// Which chain and subnet the server is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainIdentity {
    /// Genesis hash.
    pub genesis: Digest,
    /// Subnet.
    pub netuid: NetUid,
}

impl ChainIdentity {
    /// The form in which a database names it.
    pub fn name(&self) -> String {
        format!("{}/{}", self.genesis, self.netuid)
    }
}

/// The newest state of the chain that was taken in.
#[derive(Debug, Clone, Default)]
pub struct ChainView {
    /// The newest final block.
    pub head: Option<HeadRow>,
    /// The subnet's neurons at that block.
    pub metagraph: Option<Arc<Metagraph>>,
    /// What is wrong with following, "" if nothing.
    pub trouble: String,
}

impl ChainView {
    /// The newest block; 0 before any.
    pub fn block(&self) -> BlockNumber {
        self.head.map_or(BlockNumber(0), |row| row.head.number)
    }

    /// A registered hotkey's neuron.
    pub fn neuron(&self, hotkey: &Hotkey) -> Option<&Neuron> {
        self.metagraph.as_deref()?.neuron(hotkey)
    }
}

/// What an [`App`] is made of.
#[derive(Debug)]
pub struct AppParts {
    /// The database.
    pub database: Database,
    /// Its writer.
    pub writer: Writer,
    /// The hotkey that signs answers.
    pub key: KeyPair,
    /// Chain and subnet.
    pub identity: ChainIdentity,
    /// The parameter set.
    pub params: ParamSet,
    /// Bounds.
    pub limits: Limits,
    /// The time.
    pub clock: ServerClock,
    /// Header with the client's address.
    pub client_address_header: Option<String>,
    /// Address that people know the site by, `https://host`; "" = the one it is asked under.
    pub public_url: String,
    /// Where reports are read that nobody has handed in; none if only what is handed in counts.
    pub batches: Option<Arc<dyn BatchSource>>,
    /// The contest of recipes before round 0; none on a subnet without duels.
    pub contest: Option<Contest>,
}

/// Why published reports cannot be read.
#[derive(Debug, Error)]
#[error("{source}")]
pub struct BatchError {
    /// Whether asking again may help.
    pub retry_is_safe: bool,
    /// What failed.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Reads the reports a validator published, where the chain says they are.
pub trait BatchSource: Send + Sync + std::fmt::Debug {
    /// The lines of the batch whose file has `digest`, opened if it is sealed.
    ///
    /// # Errors
    /// Why they cannot be read, or are not the validator's on the round.
    fn lines(
        &self,
        round: Round,
        validator: Hotkey,
        digest: Digest,
    ) -> BoxFuture<'_, Result<Vec<String>, BatchError>>;
}

/// The server's shared state.
#[derive(Debug)]
pub struct App {
    parts: AppParts,
    address: String,
    params_digest: Digest,
    view: RwLock<Arc<ChainView>>,
    view_changes: watch::Sender<u64>,
    pub(crate) cache: SnapshotCache,
    pub(crate) memo: Memo,
    /// How often reports on the round to be settled could not be read.
    pub(crate) patience: Mutex<Patience>,
    pub(crate) events: Events,
    pub(crate) rates: RateLimits,
    /// Counters.
    pub metrics: Metrics,
}

impl App {
    /// The state of a server that has not yet followed the chain.
    pub fn new(parts: AppParts) -> Self {
        Self {
            address: parts.key.address(),
            params_digest: parts.params.digest(),
            view: RwLock::default(),
            view_changes: watch::channel(0).0,
            cache: SnapshotCache::new(parts.limits.cache_bytes_max),
            memo: Memo::new(parts.writer.changes()),
            patience: Mutex::default(),
            events: Events::new(&parts.limits),
            rates: RateLimits::new(&parts.limits),
            metrics: Metrics::default(),
            parts,
        }
    }

    /// Reads what takes long, so that nobody who comes while a server starts has to wait for it; behind blocks it does so itself. What
    /// fails is told to the log, and read when somebody asks.
    pub async fn warm_up(&self) {
        crate::board::warm_up(self).await;
    }

    /// Where reports are read that nobody has handed in.
    pub fn batches(&self) -> Option<&dyn BatchSource> {
        self.parts.batches.as_deref()
    }

    /// The contest of recipes before round 0; none on a subnet without duels.
    pub const fn contest(&self) -> Option<&Contest> {
        self.parts.contest.as_ref()
    }

    /// The database.
    pub const fn database(&self) -> &Database {
        &self.parts.database
    }

    /// The writer.
    pub const fn writer(&self) -> &Writer {
        &self.parts.writer
    }

    /// The hotkey that signs answers.
    pub const fn key(&self) -> &KeyPair {
        &self.parts.key
    }

    /// SS58 of [`Self::key`].
    pub fn server_address(&self) -> &str {
        &self.address
    }

    /// Chain and subnet.
    pub const fn identity(&self) -> ChainIdentity {
        self.parts.identity
    }

    /// The parameter set.
    pub const fn params(&self) -> &ParamSet {
        &self.parts.params
    }

    /// Its digest.
    pub const fn params_digest(&self) -> Digest {
        self.params_digest
    }

    /// The protocol's clock under the parameter set.
    pub fn rounds(&self) -> Clock {
        Clock::new(&self.parts.params.values)
    }

    /// Bytes of rendered answers that are kept.
    pub fn cached_bytes(&self) -> usize {
        self.cache.bytes()
    }

    /// Bounds.
    pub const fn limits(&self) -> &Limits {
        &self.parts.limits
    }

    /// The time.
    pub const fn clock(&self) -> &ServerClock {
        &self.parts.clock
    }

    /// Header with the client's address.
    pub fn client_address_header(&self) -> Option<&str> {
        self.parts.client_address_header.as_deref()
    }

    /// Address that people know the site by; "" if none is configured.
    pub fn public_url(&self) -> &str {
        &self.parts.public_url
    }

    /// The newest view of the chain.
    pub fn view(&self) -> Arc<ChainView> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the view.
    pub fn set_view(&self, view: ChainView) {
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
        // What is rendered from now on is of this view, and what was before is not the newest.
        self.cache.advance(self.parts.clock.now_ms());
        self.view_changes.send_modify(|count| *count += 1);
    }

    /// A counter that changes with the view.
    pub fn view_changes(&self) -> watch::Receiver<u64> {
        self.view_changes.subscribe()
    }

    /// The state an answer describes.
    pub fn observed(&self) -> Observed {
        let view = self.view();
        let block = view.block();
        Observed {
            block,
            time_ms: view.head.map_or(0, |row| row.head.time_ms),
            round: view.head.and_then(|_| self.rounds().round_of(block)),
            params_version: self.parts.params.version,
        }
    }

    /// An answer without pages.
    pub fn answer<T>(&self, source: Source, data: T) -> Answer<T> {
        self.page(source, data, None)
    }

    /// An answer with a next page.
    pub fn page<T>(&self, source: Source, data: T, next: Option<String>) -> Answer<T> {
        let view = self.view();
        Answer {
            as_of: self.observed(),
            source,
            complete: view.head.is_some() && view.trouble.is_empty(),
            data,
            next,
        }
    }
}

//! The one task that owns the WebSocket: connects, checks the genesis, follows heads, reconnects; others ask through it.
//!
//! Endpoints are tried in turn with doubled, jittered pauses. Without a new head for [`Timing::silence_max`] the
//! connection is given up, since a node that has lost its peers still answers. Reads wait for the next connection and
//! are repeated; nothing here ever sends a transaction twice.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::network::{Endpoint, Network};
use crate::subtensor::header::{RawHead, hex0x};
use crate::subtensor::rpc::{Rpc, RpcFailure, Subscription};
use crate::subtensor::timing::{Timing, jitter};
use crate::{BlockHash, ChainError, ChainErrorKind};

/// Most times one read is sent, each over a new connection.
const READ_ATTEMPTS_MAX: u32 = 3;

/// An open connection of a number; a new one after each loss.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) rpc: Arc<Rpc>,
    pub(crate) shown: String,
    generation: u64,
}

#[derive(Debug, Clone)]
enum State {
    Down {
        /// Why, once something was tried.
        error: Option<ChainError>,
        /// Attempts since the last good connection.
        attempts: usize,
    },
    Up(Link),
}

#[derive(Debug)]
struct Shared {
    endpoints: Vec<Endpoint>,
    timing: Timing,
    state: watch::Sender<State>,
    head: watch::Sender<Option<RawHead>>,
    /// Generation of a link that a request found dead.
    condemned: watch::Sender<u64>,
}

/// The connection; dropping it closes it.
#[derive(Debug)]
pub(crate) struct Connection {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Connection {
    /// Connects to the first endpoint that answers with the right genesis: `genesis`, that of the network, or whatever comes
    /// first.
    ///
    /// # Errors
    /// The last failure, after every endpoint was tried once.
    pub(crate) async fn open(
        network: &Network,
        genesis: Option<BlockHash>,
        timing: Timing,
    ) -> Result<Self, ChainError> {
        let shared = Arc::new(Shared {
            endpoints: network.endpoints(),
            timing,
            state: watch::Sender::new(State::Down {
                error: None,
                attempts: 0,
            }),
            head: watch::Sender::new(None),
            condemned: watch::Sender::new(0),
        });
        let mut state = shared.state.subscribe();
        let genesis = match genesis {
            Some(genesis) => Some(hex0x(&genesis.0)),
            None => network.genesis().map(str::to_owned),
        };
        let connection = Self {
            task: tokio::spawn(keep(Arc::clone(&shared), genesis)),
            shared,
        };
        let endpoints = connection.shared.endpoints.len();
        let settled = state
            .wait_for(|state| match state {
                State::Up(_) => true,
                State::Down { attempts, .. } => *attempts >= endpoints,
            })
            .await
            .map(|state| state.clone());
        match settled {
            Ok(State::Up(_)) => Ok(connection),
            Ok(State::Down {
                error: Some(error), ..
            }) => Err(error),
            _ => Err(ended(&network.to_string())),
        }
    }

    /// The newest head, changing as they come.
    pub(crate) fn heads(&self) -> watch::Receiver<Option<RawHead>> {
        self.shared.head.subscribe()
    }

    /// The times it keeps.
    pub(crate) fn timing(&self) -> Timing {
        self.shared.timing
    }

    /// The endpoint in use, or why there is none.
    pub(crate) fn endpoint(&self) -> Result<String, ChainError> {
        match &*self.shared.state.borrow() {
            State::Up(link) => Ok(link.shown.clone()),
            State::Down { error, .. } => Err(error.clone().unwrap_or_else(|| ended("connecting"))),
        }
    }

    /// Waits until the connection is lost; returns why.
    pub(crate) async fn lost(&self) -> ChainError {
        let mut state = self.shared.state.subscribe();
        match state.wait_for(|state| matches!(state, State::Down { .. })).await {
            Ok(state) => match &*state {
                State::Down {
                    error: Some(error), ..
                } => error.clone(),
                _ => ended("connecting"),
            },
            Err(_) => ended("connecting"),
        }
    }

    /// Waits for an open connection.
    pub(crate) async fn link(&self, operation: &str) -> Result<Link, ChainError> {
        let mut state = self.shared.state.subscribe();
        // Another endpoint may be of the right chain; with one there is nothing to wait for.
        let alone = self.shared.endpoints.len() == 1;
        let wanted = |state: &State| match state {
            State::Up(_) => true,
            State::Down { error, .. } => {
                let kind = error.as_ref().map(|error| &error.kind);
                alone && matches!(kind, Some(ChainErrorKind::WrongGenesis { .. }))
            }
        };
        let waiting = timeout(self.shared.timing.wait_max, state.wait_for(wanted));
        let found = match waiting.await {
            Ok(Ok(state)) => state.clone(),
            _ => self.shared.state.borrow().clone(),
        };
        match found {
            State::Up(link) => Ok(link),
            State::Down { error, .. } => {
                let mut error = error.unwrap_or_else(|| ended("connecting"));
                operation.clone_into(&mut error.operation);
                Err(error)
            }
        }
    }

    /// Gives `link` up, so that the task connects anew.
    pub(crate) fn condemn(&self, link: &Link) {
        self.shared.condemned.send_if_modified(|condemned| {
            let newer = link.generation > *condemned;
            *condemned = (*condemned).max(link.generation);
            newer
        });
    }

    /// Reads: sends `method`, over a new connection if one is lost on the way.
    ///
    /// # Errors
    /// What the node answers, or [`ChainErrorKind::Transport`].
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        operation: &str,
        method: &str,
        params: &[Json],
    ) -> Result<T, ChainError> {
        let mut attempt = 1;
        loop {
            let link = self.link(operation).await?;
            let failure = match link.rpc.request(method, params).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let is_lost = matches!(failure, RpcFailure::Lost(_));
            if is_lost {
                self.condemn(&link);
                self.passed(&link).await;
            }
            if !is_lost || attempt >= READ_ATTEMPTS_MAX {
                return Err(failure.into_error(operation, &link.shown));
            }
            attempt += 1;
        }
    }

    /// Waits until `link` is no longer the one in use.
    async fn passed(&self, link: &Link) {
        let mut state = self.shared.state.subscribe();
        let passed = state.wait_for(|state| match state {
            State::Up(current) => current.generation != link.generation,
            State::Down { .. } => true,
        });
        // Either way the next step looks at the state again.
        let _ = timeout(self.shared.timing.wait_max, passed).await;
    }
}

fn ended(endpoint: &str) -> ChainError {
    ChainError::new(
        "connect",
        ChainErrorKind::Transport {
            endpoint: endpoint.to_owned(),
            message: "no connection yet".to_owned(),
        },
    )
}

/// Connects, follows, and connects again, for ever.
async fn keep(shared: Arc<Shared>, mut genesis: Option<String>) {
    let mut generation = 0_u64;
    let mut attempts = 0_usize;
    for endpoint in shared.endpoints.iter().cycle() {
        generation += 1;
        let error = match establish(&shared, endpoint, &mut genesis, generation).await {
            Ok((link, heads)) => {
                tracing::info!(endpoint = %link.shown, "connected");
                shared.state.send_replace(State::Up(link.clone()));
                let (error, seen) = follow(&shared, &link, heads).await;
                if seen {
                    attempts = 0;
                }
                error
            }
            Err(error) => error,
        };
        attempts += 1;
        tracing::warn!(%endpoint, attempts, "{error}");
        shared.state.send_replace(State::Down {
            error: Some(error),
            attempts,
        });
        let doubled = u32::try_from(attempts - 1).unwrap_or(u32::MAX);
        sleep(shared.timing.backoff(doubled, jitter())).await;
    }
}

/// Opens a WebSocket, checks what chain it is, and subscribes to its heads.
async fn establish(
    shared: &Shared,
    endpoint: &Endpoint,
    genesis: &mut Option<String>,
    generation: u64,
) -> Result<(Link, Subscription), ChainError> {
    let shown = endpoint.shown();
    let failed = |failure: RpcFailure| failure.into_error("connect", &shown);
    let timing = &shared.timing;
    let rpc = Rpc::connect(endpoint, timing.connect_max, timing.request_max)
        .await
        .map_err(failed)?;
    let found: String = rpc
        .request("chain_getBlockHash", &[json!(0)])
        .await
        .map_err(failed)?;
    // The first genesis seen holds for every later endpoint, so that a list of endpoints is of one chain.
    let expected = genesis.get_or_insert_with(|| found.clone());
    if !expected.eq_ignore_ascii_case(&found) {
        return Err(ChainError::new(
            format!("connect to {shown}"),
            ChainErrorKind::WrongGenesis {
                expected: expected.clone(),
                found,
            },
        ));
    }
    let heads = rpc
        .subscribe("chain_subscribeNewHeads", &[], "chain_unsubscribeNewHeads")
        .await
        .map_err(failed)?;
    let link = Link {
        rpc: Arc::new(rpc),
        shown,
        generation,
    };
    Ok((link, heads))
}

/// Passes heads on until the connection fails; tells why, and whether a head came.
async fn follow(shared: &Shared, link: &Link, mut heads: Subscription) -> (ChainError, bool) {
    let mut condemned = shared.condemned.subscribe();
    let mut seen = false;
    let silence = shared.timing.silence_max;
    let reason = loop {
        tokio::select! {
            head = timeout(silence, heads.next()) => match head {
                Ok(Some(Ok(header))) => match RawHead::read(&header) {
                    Ok(head) => {
                        seen = true;
                        shared.head.send_replace(Some(head));
                    }
                    Err(reason) => break reason,
                },
                Ok(Some(Err(failure))) => return (failure.into_error("follow heads", &link.shown), seen),
                Ok(None) => break "the node ended the subscription".to_owned(),
                Err(_) => break format!("no new head for {} ms", silence.as_millis()),
            },
            () = link.rpc.closed() => break "the connection was closed".to_owned(),
            found = condemned.wait_for(|found| *found >= link.generation) => break match found {
                Ok(_) => "a request got no answer".to_owned(),
                Err(_) => "shut down".to_owned(),
            },
        }
    };
    let kind = ChainErrorKind::Transport {
        endpoint: link.shown.clone(),
        message: reason,
    };
    (ChainError::new("follow heads", kind), seen)
}

//! A client's side of the embedded chain's socket: one connection, made again with back-off when it breaks.
//!
//! A read that meets a broken connection waits for the next one and asks again; a transaction does not, because it may
//! have arrived: its sender searches the blocks. One task keeps the subscription to heads and tells of losses.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use assay_types::{Coldkey, Digest, hex};
use async_trait::async_trait;
use jsonrpsee::core::client::{ClientT as _, Error as ClientError, Subscription, SubscriptionClientT as _};
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::{WsClient, WsClientBuilder};
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, watch};

use super::client::EmbeddedChain;
use super::fault::Fault;
use super::link::Link;
use super::node::Tip;
use super::query::{Answer, Query};
use super::server::RESPONSE_BYTES_MAX;
use crate::{At, ChainError, ChainErrorKind, Head};

/// Longest wait for an answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// First wait before a new connection, doubled each time.
const BACKOFF_FIRST: Duration = Duration::from_millis(20);
/// Longest wait before a new connection.
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// Connections a read tries.
const READ_ATTEMPTS_MAX: u32 = 8;

/// A chain behind a socket, and the control it gives over its clock and its faults.
#[derive(Debug, Clone)]
pub struct Remote {
    socket: Arc<Socket>,
    tips: watch::Receiver<Tip>,
    // Ends the task that follows heads, with the last clone.
    _follower: Arc<Follower>,
}

#[derive(Debug)]
struct Follower(tokio::task::JoinHandle<()>);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[derive(Debug)]
struct Socket {
    url: String,
    client: Mutex<Option<Arc<WsClient>>>,
    /// The chain every connection must be of: the one asked for, or that of the first connection.
    genesis: OnceLock<Digest>,
}

impl Remote {
    /// Connects to `url`, `ws://127.0.0.1:…`, and follows its heads.
    ///
    /// # Errors
    /// [`ChainErrorKind::Transport`] if nobody answers, [`ChainErrorKind::Answer`] if it is no embedded chain,
    /// [`ChainErrorKind::WrongGenesis`] if it is another one than `genesis`.
    pub async fn connect(url: &str, genesis: Option<Digest>) -> Result<Self, ChainError> {
        let socket = Arc::new(Socket {
            url: url.to_owned(),
            client: Mutex::new(None),
            genesis: genesis.map_or_else(OnceLock::new, OnceLock::from),
        });
        let Answer::Head(head) = socket.read(Query::Head, At::Head, 1).await? else {
            return Err(socket.unusable("connect", "it has no head"));
        };
        let (sender, tips) = watch::channel(Tip::Head(head));
        let follower = Follower(tokio::spawn(follow(Arc::clone(&socket), sender)));
        Ok(Self {
            socket,
            tips,
            _follower: Arc::new(follower),
        })
    }

    /// The client.
    pub fn chain(&self) -> EmbeddedChain {
        EmbeddedChain::over(Arc::new(self.clone()))
    }

    /// Makes so many blocks now.
    pub async fn seal(&self, blocks: u32) -> Result<(), ChainError> {
        self.socket.call("assay_seal", rpc_params![blocks]).await
    }

    /// Gives an account new TAO.
    pub async fn fund(&self, account: Coldkey, amount: assay_types::Rao) -> Result<(), ChainError> {
        self.socket.call("assay_fund", rpc_params![account, amount]).await
    }

    /// Lets something go wrong.
    pub async fn inject(&self, fault: Fault) -> Result<(), ChainError> {
        self.socket.call("assay_inject", rpc_params![fault]).await
    }
}

#[async_trait]
impl Link for Remote {
    fn endpoint(&self) -> String {
        self.socket.url.clone()
    }

    async fn read(&self, query: Query, at: At) -> Result<Answer, ChainError> {
        self.socket.read(query, at, READ_ATTEMPTS_MAX).await
    }

    async fn send(&self, bytes: &[u8]) -> Result<Digest, ChainError> {
        let text = hex::encode(bytes);
        self.socket.call("assay_send", rpc_params![text]).await
    }

    async fn nonce(&self, account: Coldkey) -> Result<u32, ChainError> {
        self.socket.call("assay_nonce", rpc_params![account]).await
    }

    fn tips(&self) -> watch::Receiver<Tip> {
        self.tips.clone()
    }
}

impl Socket {
    /// Reads, on a new connection where the old one breaks.
    async fn read(&self, query: Query, at: At, attempts: u32) -> Result<Answer, ChainError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let result = self.call("assay_read", rpc_params![&query, at]).await;
            match result {
                Err(error)
                    if attempt < attempts && matches!(error.kind, ChainErrorKind::Transport { .. }) =>
                {
                    tokio::time::sleep(backoff(attempt)).await;
                }
                result => return result,
            }
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: ArrayParams,
    ) -> Result<T, ChainError> {
        let client = self.connected().await?;
        let result = client.request(method, params).await;
        result.map_err(|error| self.failed(method, error))
    }

    /// The connection, a new one if the last is gone.
    async fn connected(&self) -> Result<Arc<WsClient>, ChainError> {
        let mut slot = self.client.lock().await;
        if let Some(client) = slot.as_ref().filter(|client| client.is_connected()) {
            return Ok(Arc::clone(client));
        }
        let client = WsClientBuilder::new()
            .request_timeout(REQUEST_TIMEOUT)
            .connection_timeout(CONNECT_TIMEOUT)
            .max_response_size(RESPONSE_BYTES_MAX)
            .build(&self.url)
            .await
            .map_err(|error| self.failed("connect", error))?;
        self.check_genesis(&client).await?;
        let client = Arc::new(client);
        *slot = Some(Arc::clone(&client));
        Ok(client)
    }

    /// That a new connection leads to the chain of the ones before it: somebody else's may listen at the address by now.
    async fn check_genesis(&self, client: &WsClient) -> Result<(), ChainError> {
        let answer: Answer = client
            .request("assay_read", rpc_params![Query::Runtime, At::Head])
            .await
            .map_err(|error| self.failed("connect", error))?;
        let Answer::Runtime(runtime) = answer else {
            return Err(self.unusable("connect", "it does not say what it runs"));
        };
        let expected = self.genesis.get_or_init(|| runtime.genesis);
        if *expected == runtime.genesis {
            return Ok(());
        }
        let kind = ChainErrorKind::WrongGenesis {
            expected: expected.to_string(),
            found: runtime.genesis.to_string(),
        };
        Err(ChainError::new(format!("connect to {}", self.url), kind))
    }

    /// What the caller sees: the chain's own error if there is one in it.
    fn failed(&self, operation: &str, error: ClientError) -> ChainError {
        match error {
            ClientError::Call(object) => {
                let own = object
                    .data()
                    .and_then(|data| serde_json::from_str::<ChainError>(data.get()).ok());
                own.unwrap_or_else(|| {
                    let reason = format!("code {}: {}", object.code(), object.message());
                    self.unusable(operation, &reason)
                })
            }
            ClientError::ParseError(error) => self.unusable(operation, &error.to_string()),
            other => ChainError::new(
                operation,
                ChainErrorKind::Transport {
                    endpoint: self.url.clone(),
                    message: other.to_string(),
                },
            ),
        }
    }

    fn unusable(&self, operation: &str, reason: &str) -> ChainError {
        let reason = format!(
            "{} does not answer as an embedded chain of this version ({reason})",
            self.url
        );
        ChainError::new(operation, ChainErrorKind::Answer { reason })
    }

    async fn subscribe(&self) -> Result<Subscription<Head>, ChainError> {
        let client = self.connected().await?;
        client
            .subscribe("assay_subscribeHeads", rpc_params![], "assay_unsubscribeHeads")
            .await
            .map_err(|error| self.failed("subscribe to heads", error))
    }
}

/// Passes on heads, and tells of each loss; ends when nobody listens.
async fn follow(socket: Arc<Socket>, tips: watch::Sender<Tip>) {
    let mut attempt = 0;
    loop {
        let lost = match socket.subscribe().await {
            Ok(mut heads) => {
                attempt = 0;
                loop {
                    match heads.next().await {
                        Some(Ok(head)) => {
                            tips.send_replace(Tip::Head(head));
                        }
                        Some(Err(error)) => break socket.unusable("read a head", &error.to_string()),
                        None => {
                            let kind = ChainErrorKind::Transport {
                                endpoint: socket.url.clone(),
                                message: "the connection is lost".to_owned(),
                            };
                            break ChainError::new("follow heads", kind);
                        }
                    }
                }
            }
            Err(error) => error,
        };
        tips.send_replace(Tip::Lost(lost));
        if tips.is_closed() {
            return;
        }
        attempt += 1;
        tokio::time::sleep(backoff(attempt)).await;
    }
}

/// Doubles with each attempt, and differs between processes by up to a quarter.
fn backoff(attempt: u32) -> Duration {
    let doubled = BACKOFF_FIRST
        .saturating_mul(1 << attempt.min(10))
        .min(BACKOFF_MAX);
    let jitter = doubled.mul_f64(f64::from(std::process::id() % 64) / 256.0);
    doubled + jitter
}

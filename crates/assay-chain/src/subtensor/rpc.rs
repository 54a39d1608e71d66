//! JSON-RPC against one node, bounded in time, with answers as JSON values and failures told apart.
//!
//! [`super::connection`] keeps one such link alive; nothing else speaks to a socket.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use serde_json::value::to_raw_value;
use subxt::ext::futures::StreamExt as _;
use subxt::rpcs::RpcClientT as _;
use subxt::rpcs::client::{JsonrpseeRpcClient, RawRpcSubscription, jsonrpsee_client};
use tokio::time::timeout;

use crate::network::Endpoint;
use crate::{ChainError, ChainErrorKind};

/// Most characters of a node's words that go into a message.
const MESSAGE_CHARS_MAX: usize = 300;

/// Why a request got no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RpcFailure {
    /// The node answered with an error.
    Refused {
        /// JSON-RPC code.
        code: i32,
        /// The node's words, with its `data`.
        message: String,
    },
    /// No answer: the connection is gone, or it took too long.
    Lost(String),
    /// An answer of another form than asked for.
    Unreadable(String),
}

impl RpcFailure {
    /// As the error of `operation` at `endpoint`.
    pub(crate) fn into_error(self, operation: &str, endpoint: &str) -> ChainError {
        let kind = match self {
            Self::Refused { code, message } => ChainErrorKind::Answer {
                reason: format!("the node refused: {message} (code {code})"),
            },
            Self::Lost(message) => ChainErrorKind::Transport {
                endpoint: endpoint.to_owned(),
                message,
            },
            Self::Unreadable(reason) => ChainErrorKind::Answer { reason },
        };
        ChainError::new(operation, kind)
    }
}

/// One open WebSocket.
pub(crate) struct Rpc {
    client: JsonrpseeRpcClient,
    request_max: Duration,
}

impl std::fmt::Debug for Rpc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rpc").finish_non_exhaustive()
    }
}

impl Rpc {
    /// Opens a WebSocket.
    pub(crate) async fn connect(
        endpoint: &Endpoint,
        connect_max: Duration,
        request_max: Duration,
    ) -> Result<Self, RpcFailure> {
        match timeout(connect_max, jsonrpsee_client(endpoint.secret_url())).await {
            Ok(Ok(client)) => Ok(Self { client, request_max }),
            Ok(Err(error)) => Err(lost(&error, endpoint)),
            Err(_) => Err(RpcFailure::Lost(format!(
                "no connection within {} ms",
                connect_max.as_millis()
            ))),
        }
    }

    /// Sends `method` and waits for its result.
    pub(crate) async fn request<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &[Json],
    ) -> Result<T, RpcFailure> {
        let params = to_raw_value(params).map_err(|error| RpcFailure::Unreadable(error.to_string()))?;
        let answer = timeout(self.request_max, self.client.request_raw(method, Some(params)))
            .await
            .map_err(|_| {
                RpcFailure::Lost(format!(
                    "no answer to {method} within {} ms",
                    self.request_max.as_millis()
                ))
            })?
            .map_err(|error| failure(&error))?;
        serde_json::from_str(answer.get())
            .map_err(|error| RpcFailure::Unreadable(format!("answer to {method}: {error}")))
    }

    /// Subscribes.
    pub(crate) async fn subscribe(
        &self,
        method: &str,
        params: &[Json],
        end: &str,
    ) -> Result<Subscription, RpcFailure> {
        let params = to_raw_value(params).map_err(|error| RpcFailure::Unreadable(error.to_string()))?;
        let subscribing = self.client.subscribe_raw(method, Some(params), end);
        let inner = timeout(self.request_max, subscribing)
            .await
            .map_err(|_| RpcFailure::Lost(format!("no answer to {method}")))?
            .map_err(|error| failure(&error))?;
        Ok(Subscription(inner))
    }

    /// Returns when the WebSocket is gone.
    pub(crate) async fn closed(&self) {
        self.client.on_disconnect().await;
    }
}

/// Messages of a subscription.
pub(crate) struct Subscription(RawRpcSubscription);

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}

impl Subscription {
    /// The next message; `None` at the end.
    pub(crate) async fn next<T: DeserializeOwned>(&mut self) -> Option<Result<T, RpcFailure>> {
        let message = self.0.stream.next().await?;
        Some(message.map_err(|error| failure(&error)).and_then(|message| {
            serde_json::from_str(message.get())
                .map_err(|error| RpcFailure::Unreadable(format!("message of a subscription: {error}")))
        }))
    }
}

fn failure(error: &subxt::rpcs::Error) -> RpcFailure {
    match error {
        subxt::rpcs::Error::User(refused) => {
            let data = refused
                .data
                .as_ref()
                .map_or("", |data| data.get().trim_matches('"'));
            let message = if data.is_empty() {
                refused.message.clone()
            } else {
                format!("{}: {data}", refused.message)
            };
            RpcFailure::Refused {
                code: refused.code,
                message: short(&message),
            }
        }
        subxt::rpcs::Error::Deserialization(error) => RpcFailure::Unreadable(error.to_string()),
        error => RpcFailure::Lost(short(&error.to_string())),
    }
}

/// A failed connect; the address itself may hold keys and is taken out of the message.
fn lost(error: &subxt::rpcs::Error, endpoint: &Endpoint) -> RpcFailure {
    let message = error
        .to_string()
        .replace(endpoint.secret_url(), &endpoint.shown());
    RpcFailure::Lost(short(&message))
}

fn short(message: &str) -> String {
    message.chars().take(MESSAGE_CHARS_MAX).collect()
}

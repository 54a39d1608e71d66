//! The embedded chain on a loopback socket: JSON-RPC 2.0 over WebSocket, for the other processes of a local network.
//!
//! | method | parameters | result |
//! |---|---|---|
//! | `assay_read` | query, block | answer |
//! | `assay_send` | transaction, hexadecimal | its hash |
//! | `assay_nonce` | account | the next nonce |
//! | `assay_seal` | number of blocks | nothing |
//! | `assay_fund` | account, rao | nothing |
//! | `assay_inject` | fault | nothing |
//! | `assay_subscribeHeads` | – | a head a block |
//!
//! An error carries the whole [`ChainError`] as its data. The socket has no login: it is refused to anything but loopback.

use std::net::SocketAddr;

use assay_types::{Coldkey, Digest, Rao, hex};
use jsonrpsee::core::SubscriptionError;
use jsonrpsee::server::{
    PendingSubscriptionSink, RpcModule, Server, ServerConfig, ServerHandle, SubscriptionMessage,
};
use jsonrpsee::types::{ErrorObjectOwned, Params};
use tokio::sync::watch;

use super::extrinsic::EXTRINSIC_BYTES_MAX;
use super::fault::Fault;
use super::node::{Node, Tip};
use super::query::{Answer, Query};
use crate::{At, ChainError, ChainErrorKind};

/// Most sockets at a time.
const CONNECTIONS_MAX: u32 = 256;
/// Most bytes of a request: a transaction in hexadecimal and some room.
const REQUEST_BYTES_MAX: u32 = 4 * EXTRINSIC_BYTES_MAX as u32;
/// Most bytes of an answer.
pub(super) const RESPONSE_BYTES_MAX: u32 = 64 << 20;
/// Most blocks of one `assay_seal`.
const SEAL_BLOCKS_MAX: u32 = 100_000;

/// A served chain; dropping it closes the socket.
#[derive(Debug)]
pub struct Served {
    address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Served {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address as `--network` takes it.
    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Waits until the socket is closed.
    pub async fn closed(self) {
        let mut served = self;
        // An aborted task is a closed socket, too.
        let _ = (&mut served.task).await;
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves a chain at `address` until `shutdown` turns true or the result is dropped.
///
/// # Errors
/// [`ChainErrorKind::Transport`] if the address is taken or not loopback.
pub async fn serve(
    node: Node,
    address: SocketAddr,
    mut shutdown: watch::Receiver<bool>,
) -> Result<Served, ChainError> {
    if !address.ip().is_loopback() {
        let message = "the embedded chain has no login; choose an address of 127.0.0.0/8 or ::1".to_owned();
        return Err(transport(address, message));
    }
    let mut drops = node.drops();
    let (address, mut handle) = start(&node, address).await?;
    let task = tokio::spawn(async move {
        loop {
            tokio::select! {
                () = told(&mut shutdown) => break,
                dropped = drops.changed() => if dropped.is_err() { break },
            }
            stop(handle).await;
            handle = match start(&node, address).await {
                Ok((_, handle)) => handle,
                Err(error) => {
                    tracing::error!(error = %error, "the socket of the embedded chain does not open again");
                    return;
                }
            };
        }
        stop(handle).await;
    });
    Ok(Served { address, task })
}

/// Until `shutdown` is true or nobody can set it any more.
async fn told(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|down| *down).await;
}

async fn stop(handle: ServerHandle) {
    // An error means that it has stopped.
    let _ = handle.stop();
    handle.stopped().await;
}

async fn start(node: &Node, address: SocketAddr) -> Result<(SocketAddr, ServerHandle), ChainError> {
    let failed = |error: &dyn std::fmt::Display| transport(address, error.to_string());
    let config = ServerConfig::builder()
        .ws_only()
        .max_connections(CONNECTIONS_MAX)
        .max_request_body_size(REQUEST_BYTES_MAX)
        .max_response_body_size(RESPONSE_BYTES_MAX)
        .build();
    let server = Server::builder()
        .set_config(config)
        .build(address)
        .await
        .map_err(|error| failed(&error))?;
    let bound = server.local_addr().map_err(|error| failed(&error))?;
    let module = module(node.clone()).map_err(|error| failed(&error))?;
    Ok((bound, server.start(module)))
}

fn transport(address: SocketAddr, message: String) -> ChainError {
    let kind = ChainErrorKind::Transport {
        endpoint: format!("ws://{address}"),
        message,
    };
    ChainError::new("serve the embedded chain", kind)
}

fn module(node: Node) -> Result<RpcModule<Node>, jsonrpsee::core::RegisterMethodError> {
    let mut module = RpcModule::new(node);
    module.register_async_method(
        "assay_read",
        |params, node, _| async move { read(&params, &node) },
    )?;
    module.register_async_method("assay_send", |params, node, _| async move {
        send(&params, &node).await
    })?;
    module.register_async_method("assay_nonce", |params, node, _| async move {
        let account: Coldkey = params.one()?;
        node.nonce(account).await.map_err(to_object)
    })?;
    module.register_async_method("assay_seal", |params, node, _| async move {
        let blocks: u32 = params.one()?;
        node.seal(blocks.min(SEAL_BLOCKS_MAX)).await.map_err(to_object)
    })?;
    module.register_async_method("assay_fund", |params, node, _| async move {
        let (account, amount): (Coldkey, Rao) = params.parse()?;
        node.fund(account, amount).await.map_err(to_object)
    })?;
    module.register_async_method("assay_inject", |params, node, _| async move {
        let fault: Fault = params.one()?;
        node.inject(fault).await.map_err(to_object)
    })?;
    module.register_subscription(
        "assay_subscribeHeads",
        "assay_head",
        "assay_unsubscribeHeads",
        |_, pending, node, _| async move { heads(pending, node.tips()).await },
    )?;
    Ok(module)
}

fn read(params: &Params<'_>, node: &Node) -> Result<Answer, ErrorObjectOwned> {
    let (query, at): (Query, At) = params.parse()?;
    let operation = query.operation();
    node.read(&query, at)
        .map_err(|kind| to_object(ChainError::new(operation, kind)))
}

async fn send(params: &Params<'_>, node: &Node) -> Result<Digest, ErrorObjectOwned> {
    let text: String = params.one()?;
    let bytes = from_hex(&text).ok_or_else(|| {
        let code = jsonrpsee::types::error::INVALID_PARAMS_CODE;
        ErrorObjectOwned::owned(code, "the transaction is no hexadecimal text", None::<()>)
    })?;
    node.send(&bytes).await.map_err(to_object)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let byte = |digits: &[u8]| {
        let digits = std::str::from_utf8(digits).ok()?;
        hex::decode::<1>(digits).ok().map(|[byte]| byte)
    };
    text.as_bytes().chunks(2).map(byte).collect()
}

async fn heads(
    pending: PendingSubscriptionSink,
    mut tips: watch::Receiver<Tip>,
) -> Result<(), SubscriptionError> {
    let sink = pending.accept().await?;
    loop {
        let tip = tips.borrow_and_update().clone();
        if let Tip::Head(head) = tip {
            let json = jsonrpsee::core::to_json_raw_value(&head)?;
            sink.send(SubscriptionMessage::from(json)).await?;
        }
        tokio::select! {
            changed = tips.changed() => if changed.is_err() { return Ok(()) },
            () = sink.closed() => return Ok(()),
        }
    }
}

/// The error as a JSON-RPC object: the pool's own code, or that of a server error.
fn to_object(error: ChainError) -> ErrorObjectOwned {
    /// JSON-RPC: first of the codes left to servers.
    const SERVER_ERROR: i32 = -32_000;
    let code = match &error.kind {
        ChainErrorKind::Pool { code, .. } => *code,
        _ => SERVER_ERROR,
    };
    ErrorObjectOwned::owned(code, error.to_string(), Some(error))
}

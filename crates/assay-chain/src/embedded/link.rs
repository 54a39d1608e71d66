//! The two ways to a running embedded chain: a function call, or its socket.

use assay_types::{Coldkey, Digest};
use async_trait::async_trait;
use tokio::sync::watch;

use super::node::{Node, Tip};
use super::query::{Answer, Query};
use crate::{At, ChainError};

/// How a client reaches the chain.
#[async_trait]
pub(crate) trait Link: Send + Sync {
    /// Where it is, for people.
    fn endpoint(&self) -> String;

    /// Answers a read.
    async fn read(&self, query: Query, at: At) -> Result<Answer, ChainError>;

    /// Hands over a signed transaction.
    async fn send(&self, bytes: &[u8]) -> Result<Digest, ChainError>;

    /// The next nonce of an account.
    async fn nonce(&self, account: Coldkey) -> Result<u32, ChainError>;

    /// What is newest, and when the connection is lost.
    fn tips(&self) -> watch::Receiver<Tip>;
}

#[async_trait]
impl Link for Node {
    fn endpoint(&self) -> String {
        "embedded".to_owned()
    }

    async fn read(&self, query: Query, at: At) -> Result<Answer, ChainError> {
        let operation = query.operation();
        Self::read(self, &query, at).map_err(|kind| ChainError::new(operation, kind))
    }

    async fn send(&self, bytes: &[u8]) -> Result<Digest, ChainError> {
        Self::send(self, bytes).await
    }

    async fn nonce(&self, account: Coldkey) -> Result<u32, ChainError> {
        Self::nonce(self, account).await
    }

    fn tips(&self) -> watch::Receiver<Tip> {
        Self::tips(self)
    }
}

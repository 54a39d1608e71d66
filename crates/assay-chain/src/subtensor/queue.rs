//! One queue a signer: transactions of a key get their nonces one after the other.
//!
//! Commitments, weights and serving of a hotkey share its nonce, so they wait for each other here. The local count is
//! ahead of the node's only while transactions are on their way, and is forgotten as soon as one is refused.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// Most signers remembered; idle ones are forgotten beyond it.
const SIGNERS_MAX: usize = 1_024;

/// The queues of all signers.
#[derive(Debug, Default)]
pub(crate) struct Queues(Mutex<HashMap<[u8; 32], Arc<tokio::sync::Mutex<Next>>>>);

/// The next nonce of a signer, as far as it is known here.
#[derive(Debug, Default)]
pub(crate) struct Next(Option<u64>);

impl Queues {
    /// Waits for the signer's turn, which lasts until the guard is dropped.
    pub(crate) async fn turn(&self, account: [u8; 32]) -> OwnedMutexGuard<Next> {
        let queue = {
            let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if queues.len() >= SIGNERS_MAX {
                queues.retain(|_, queue| Arc::strong_count(queue) > 1);
            }
            Arc::clone(queues.entry(account).or_default())
        };
        queue.lock_owned().await
    }
}

impl Next {
    /// The nonce to use, given what the node says is next.
    pub(crate) fn nonce(&self, of_node: u64) -> u64 {
        self.0.map_or(of_node, |next| next.max(of_node))
    }

    /// `nonce` is on its way.
    pub(crate) fn used(&mut self, nonce: u64) {
        self.0 = Some(nonce.saturating_add(1));
    }

    /// The node knows better.
    pub(crate) fn forget(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_larger_count_wins_until_it_is_forgotten() {
        let mut next = Next::default();
        assert_eq!(next.nonce(4), 4);
        next.used(4);
        assert_eq!(next.nonce(4), 5);
        assert_eq!(next.nonce(9), 9);
        next.forget();
        assert_eq!(next.nonce(4), 4);
    }

    #[tokio::test]
    async fn one_signer_waits_and_another_does_not() {
        let queues = Queues::default();
        let held = queues.turn([1; 32]).await;
        drop(queues.turn([2; 32]).await);
        let queue = queues.turn([1; 32]);
        tokio::pin!(queue);
        assert!(futures_pending(&mut queue).await);
        drop(held);
        queue.await.used(3);
        assert_eq!(queues.turn([1; 32]).await.nonce(0), 4);
    }

    async fn futures_pending(future: &mut (impl Future + Unpin)) -> bool {
        tokio::select! {
            biased;
            _ = future => false,
            () = std::future::ready(()) => true,
        }
    }
}

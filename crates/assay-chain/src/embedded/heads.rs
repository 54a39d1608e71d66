//! The stream of heads of an embedded chain: each number once, in order, gaps filled in from what the chain keeps.

use std::sync::Arc;

use assay_types::BlockNumber;
use tokio::sync::{mpsc, watch};

use super::extrinsic::ERA_BLOCKS_MAX;
use super::link::Link;
use super::node::Tip;
use super::producer::REORG_BLOCKS_MAX;
use super::query::{Answer, Query};
use crate::{At, ChainError, ChainErrorKind, Head};

/// Heads in order, each number once.
pub(super) struct HeadStream {
    pub(super) link: Arc<dyn Link>,
    pub(super) tips: watch::Receiver<Tip>,
    /// Number of the next head to send.
    pub(super) next: u32,
    pub(super) sender: mpsc::Sender<Result<Head, ChainError>>,
}

impl HeadStream {
    /// Runs until nobody listens or the chain ends.
    pub(super) async fn run(mut self) {
        loop {
            let tip = self.tips.borrow_and_update().clone();
            let told = match tip {
                Tip::Head(head) => self.heal(head).await,
                Tip::Lost(error) => self.sender.send(Err(error)).await.is_ok(),
            };
            if !told {
                return;
            }
            tokio::select! {
                changed = self.tips.changed() => if changed.is_err() { return },
                () = self.sender.closed() => return,
            }
        }
    }

    /// Sends every head up to `tip` that was not sent; false when nobody listens.
    async fn heal(&mut self, tip: Head) -> bool {
        if let Some(lost) = self.lost(tip)
            && self.sender.send(Err(lost)).await.is_err()
        {
            return false;
        }
        while self.next <= tip.number.0 {
            let at = At::Number(BlockNumber(self.next));
            let Ok(Answer::Head(head)) = self.link.read(Query::Head, at).await else {
                // The next tip tries again.
                return true;
            };
            self.next = self.next.saturating_add(1);
            if self.sender.send(Ok(head)).await.is_err() {
                return false;
            }
        }
        true
    }

    /// What is wrong with `tip` as the successor of what was sent; the stream then goes on from it.
    fn lost(&mut self, tip: Head) -> Option<ChainError> {
        let operation = "follow heads";
        let oldest = tip.number.0.saturating_sub(ERA_BLOCKS_MAX);
        if self.next < oldest {
            let (first, last) = (self.next, oldest - 1);
            self.next = oldest;
            return Some(ChainError::new(operation, ChainErrorKind::Missed { first, last }));
        }
        let seen = self.next.saturating_sub(1);
        if tip.number.0.saturating_add(REORG_BLOCKS_MAX) >= seen {
            return None;
        }
        self.next = tip.number.0;
        let reason = format!(
            "the chain is at block {}, and was at block {seen} before",
            tip.number
        );
        Some(ChainError::new(operation, ChainErrorKind::State { reason }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::{Node, NodeOptions};
    use assay_types::Digest;

    fn head(number: u32) -> Head {
        Head {
            number: BlockNumber(number),
            hash: Digest([1; 32]),
            parent: Digest([2; 32]),
            time_ms: 0,
        }
    }

    #[tokio::test]
    async fn a_gap_too_wide_and_a_chain_begun_anew_are_each_told_once() {
        let node = Node::start(&NodeOptions::default()).await.unwrap();
        let (sender, _receiver) = mpsc::channel(1);
        let mut stream = HeadStream {
            tips: node.tips(),
            link: Arc::new(node),
            next: 8,
            sender,
        };
        assert_eq!(stream.lost(head(8)), None);
        assert_eq!(stream.lost(head(8 + ERA_BLOCKS_MAX)), None, "all of it is kept");
        let missed = stream.lost(head(11 + ERA_BLOCKS_MAX)).unwrap();
        assert_eq!(missed.kind, ChainErrorKind::Missed { first: 8, last: 10 });
        assert!(missed.retry_is_safe());
        assert_eq!(
            missed.to_string(),
            "follow heads: blocks 8 to 10 were missed, too many to fill in"
        );
        assert_eq!((stream.next, stream.lost(head(11 + ERA_BLOCKS_MAX))), (11, None));
        stream.next = 101;
        assert_eq!(
            stream.lost(head(100 - REORG_BLOCKS_MAX)),
            None,
            "a fork may be that deep"
        );
        let anew = stream.lost(head(99 - REORG_BLOCKS_MAX)).unwrap();
        assert!(!anew.retry_is_safe(), "{anew}");
        assert!(
            anew.to_string().contains("at block 35, and was at block 100"),
            "{anew}"
        );
        assert_eq!((stream.next, stream.lost(head(36))), (35, None));
    }
}

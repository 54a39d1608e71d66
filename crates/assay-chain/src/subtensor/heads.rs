//! The stream of new heads: each number once, in order, blocks missed while disconnected filled in by walking parents.

use std::sync::Arc;

use assay_types::BlockNumber;
use tokio::sync::mpsc;

use crate::subtensor::client::Client;
use crate::subtensor::header::RawHead;
use crate::subtensor::node::Node;
use crate::subtensor::runtime::answer;
use crate::{At, ChainError, ChainErrorKind, Head, Heads};

/// Heads that wait for a slow reader; the task waits when it is full.
const HEADS_WAITING_MAX: usize = 64;
/// Most blocks of a gap that are filled in: as long as nodes keep block hashes for transactions, eight hours.
const GAP_BLOCKS_MAX: u32 = 2_400;

/// Starts a stream; it ends with its reader.
pub(crate) fn stream(client: Arc<Client>) -> Heads {
    let (sender, receiver) = mpsc::channel(HEADS_WAITING_MAX);
    tokio::spawn(async move {
        let mut heads = client.connection.heads();
        let mut last: Option<BlockNumber> = None;
        loop {
            let head = *heads.borrow_and_update();
            if let Some(head) = head {
                let missed = missed(last, head.number);
                if let Some((skipped, error)) = missed {
                    last = Some(skipped);
                    if sender.send(Err(error)).await.is_err() {
                        return;
                    }
                }
                match fill(&client, last, head).await {
                    Ok(found) => {
                        last = Some(last.map_or(head.number, |last| last.max(head.number)));
                        for head in found {
                            if sender.send(Ok(head)).await.is_err() {
                                return;
                            }
                        }
                    }
                    // The next head fills the same gap again.
                    Err(error) => {
                        if sender.send(Err(error)).await.is_err() {
                            return;
                        }
                    }
                }
            }
            tokio::select! {
                changed = heads.changed() => if changed.is_err() { return },
                () = sender.closed() => return,
                error = lost(&client) => {
                    if sender.send(Err(error)).await.is_err() || heads.changed().await.is_err() {
                        return;
                    }
                }
            }
        }
    });
    Heads::new(receiver)
}

/// Why the connection was lost, once it is.
async fn lost(client: &Client) -> ChainError {
    client.connection.lost().await
}

/// Blocks that are too many to fill in: the last of them, and the error that names them.
fn missed(last: Option<BlockNumber>, head: BlockNumber) -> Option<(BlockNumber, ChainError)> {
    let first = last?.0.saturating_add(1);
    if head.0.saturating_sub(first) <= GAP_BLOCKS_MAX {
        return None;
    }
    let last = head.0.saturating_sub(1);
    let kind = ChainErrorKind::Missed { first, last };
    Some((BlockNumber(last), ChainError::new("follow heads", kind)))
}

/// The blocks after `last` up to `head`, oldest first, with their times; never more than [`GAP_BLOCKS_MAX`] before it.
async fn fill(client: &Client, last: Option<BlockNumber>, head: RawHead) -> Result<Vec<Head>, ChainError> {
    let operation = "follow heads";
    let first = match last {
        // A reorganisation to the same or a lower height tells nothing new; the next block does.
        Some(last) if head.number <= last => return Ok(Vec::new()),
        Some(last) => last.0.saturating_add(1),
        None => head.number.0,
    };
    let gap = head.number.0.saturating_sub(first).min(GAP_BLOCKS_MAX);
    let mut chain = vec![head];
    let mut parent = head.parent;
    for _ in 0..gap {
        let block = client.raw_head(operation, At::Hash(parent)).await?;
        parent = block.parent;
        chain.push(block);
    }
    let mut heads = Vec::with_capacity(chain.len());
    for block in chain.into_iter().rev() {
        heads.push(timed(client, block).await?);
    }
    Ok(heads)
}

/// A block with its time.
pub(crate) async fn timed(client: &Client, head: RawHead) -> Result<Head, ChainError> {
    let operation = "read block time";
    let view = client.view(operation, At::Hash(head.hash)).await?;
    let time = view.value("Timestamp", "Now", &[]).await?;
    let time_ms = time
        .as_ref()
        .and_then(Node::number)
        .ok_or_else(|| view.error(answer("`Timestamp.Now` is missing or of another kind")))?;
    Ok(Head {
        number: head.number,
        hash: head.hash,
        parent: head.parent,
        time_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_too_wide_is_named_and_the_newest_head_follows() {
        let at = |last, head| missed(last, BlockNumber(head));
        assert_eq!(at(None, 9_000_000), None);
        assert_eq!(at(Some(BlockNumber(6)), 7 + GAP_BLOCKS_MAX), None);
        let (last, error) = at(Some(BlockNumber(6)), 8 + GAP_BLOCKS_MAX).unwrap();
        assert_eq!(last, BlockNumber(7 + GAP_BLOCKS_MAX));
        assert_eq!(
            error.kind,
            ChainErrorKind::Missed {
                first: 7,
                last: 7 + GAP_BLOCKS_MAX
            }
        );
        assert!(error.retry_is_safe());
        assert_eq!(at(Some(last), 8 + GAP_BLOCKS_MAX), None, "told once");
    }
}

//! The chain follower: final blocks in order, each with all that was read at it and follows from it in one transaction.
//!
//! A killed server goes on behind the last block that was committed; a block is never taken twice and none is left out.

mod plan;
mod read;
mod settle;

use crate::app::{App, BatchError, ChainView};
use crate::store::{self, ForgetNonces, Reap, StoreError};
use assay_chain::{At, Chain, ChainError};
use assay_types::{BlockNumber, Digest, Hotkey, Round};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;

/// Pause after a failure.
const RETRY: Duration = Duration::from_millis(500);
/// Longest wait for a new head before the chain is asked anyway.
const HEAD_WAIT: Duration = Duration::from_secs(15);

/// Why the follower does not get on.
#[derive(Debug, Error)]
pub enum FollowError {
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Final blocks that do not follow those taken in.
    #[error(
        "block {0} of the chain does not follow the one taken in before: another chain, or finality was undone"
    )]
    Fork(BlockNumber),
    /// Another corpus index than the parameter set's: an assignment from it would be a lie.
    #[error(
        "no round is assigned: the parameter set pins the corpus index `{pinned}`, and the index here is `{found}`; \
         add the corpora it was made from, in their order"
    )]
    OtherIndex {
        /// What the parameter set says.
        pinned: Digest,
        /// What is here; zero without a corpus.
        found: Digest,
    },
    /// A round whose state is not kept, as in a database of an older version.
    #[error(
        "round {0} cannot be settled: the database does not hold the state it was assigned in; import into an empty one"
    )]
    OutOfStep(Round),
    /// Reports that count and cannot be read for the moment: agents wait for them as well.
    #[error("round {round} waits for the reports of validator `{validator}`: {source}")]
    Unread {
        /// The round to be settled.
        round: Round,
        /// Whose reports.
        validator: Hotkey,
        /// Why.
        #[source]
        source: BatchError,
    },
    /// A value no document can hold.
    #[error("the assignment of the round cannot be written")]
    Document(#[from] assay_types::canonical_json::CanonicalJsonError),
}

/// Follows until `shutdown`; failures are retried and told in `/v1/health`.
pub async fn follow(app: Arc<App>, chain: Arc<dyn Chain>, mut shutdown: watch::Receiver<bool>) {
    let mut heads = None;
    while !*shutdown.borrow() {
        let result = catch_up(&app, chain.as_ref(), &shutdown).await;
        if matches!(result, Err(FollowError::Store(StoreError::Stale))) {
            // Another server on the same database took a step between reading and writing: it is taken anew.
            tokio::task::yield_now().await;
            continue;
        }
        if let Err(error) = result {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the chain cannot be followed"
            );
            let view = app.view();
            app.set_view(ChainView {
                trouble: error.to_string(),
                ..(*view).clone()
            });
            heads = None;
            tokio::select! {
                () = tokio::time::sleep(RETRY) => {}
                _ = shutdown.changed() => return,
            }
            continue;
        }
        if heads.is_none() {
            heads = chain.heads().await.ok();
        }
        let Some(stream) = heads.as_mut() else {
            tokio::select! {
                () = tokio::time::sleep(RETRY) => {}
                _ = shutdown.changed() => return,
            }
            continue;
        };
        let next = tokio::select! {
            next = tokio::time::timeout(HEAD_WAIT, stream.next()) => next,
            _ = shutdown.changed() => return,
        };
        if matches!(next, Ok(None)) {
            heads = None;
        }
    }
}

/// Takes in every final block that is not yet there.
///
/// # Errors
/// [`FollowError`] for the first block that cannot be taken; the next call goes on with it.
pub async fn catch_up(
    app: &App,
    chain: &dyn Chain,
    shutdown: &watch::Receiver<bool>,
) -> Result<(), FollowError> {
    let newest = chain.head(At::Finalized).await?;
    let mut known = store::cursor(app.database().readers()).await?;
    let mut next = match known {
        Some(row) => BlockNumber(row.head.number.0.saturating_add(1)),
        None => first_block(app, newest.number),
    };
    let mut last_metagraph = app.view().metagraph.clone();
    while next <= newest.number && !*shutdown.borrow() {
        settle::settle_due(app, next, newest.number).await?;
        let (block, metagraph) = read::read_block(app, chain, known, next).await?;
        let head = block.head;
        if !app.writer().write(block).await? {
            // Another server on the same database may have taken it meanwhile.
            let here = store::head_at(app.database().readers(), next).await?;
            if here.is_none_or(|here| here.head.hash != head.hash) {
                return Err(FollowError::Fork(next));
            }
        }
        app.writer().write(Reap { head: next }).await?;
        known = store::head_at(app.database().readers(), head.number).await?;
        last_metagraph = Some(Arc::new(metagraph));
        app.set_view(ChainView {
            head: known,
            metagraph: last_metagraph.clone(),
            trouble: String::new(),
        });
        next = BlockNumber(next.0.saturating_add(1));
    }
    if last_metagraph.is_none() && known.is_some() {
        let metagraph = chain
            .metagraph(app.identity().netuid, At::Hash(newest.hash))
            .await?;
        last_metagraph = Some(Arc::new(metagraph));
    }
    settle::settle_due(app, next, newest.number).await?;
    app.writer()
        .write(ForgetNonces {
            before: crate::auth::oldest_nonce(app.clock().now_ms()),
        })
        .await?;
    app.set_view(ChainView {
        head: known,
        metagraph: last_metagraph,
        trouble: String::new(),
    });
    app.warm_up().await;
    Ok(())
}

/// Where a new database begins: at the newest block if the rounds are yet to begin, else with round 0's assignment.
fn first_block(app: &App, newest: BlockNumber) -> BlockNumber {
    let begin = app.rounds().assignment_block(assay_types::Round(0));
    newest.min(begin)
}

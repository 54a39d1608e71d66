//! Sending a transaction until its fate is known: in a block, refused, or past its era.
//!
//! A transaction is mortal (32 blocks). Its verdict is read from its own events, since inclusion is not success. When
//! the watch ends without one, blocks are searched for its hash until the era is over; only then may the call be sent
//! again, and a call that must not happen twice (registration, stake) never is.

use assay_types::{BlockNumber, Digest, ss58};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use subxt_signer::sr25519::Keypair;
use tokio::time::timeout;

use crate::subtensor::client::{Client, hash, not_found};
use crate::subtensor::decode::events;
use crate::subtensor::encode::encode;
use crate::subtensor::header::{RawHead, blake2_256, hex0x, unhex};
use crate::subtensor::hyperparameters;
use crate::subtensor::pool::{is_known, is_stale, refused};
use crate::subtensor::preflight;
use crate::subtensor::queue::Queues;
use crate::subtensor::rpc::{RpcFailure, Subscription};
use crate::subtensor::runtime::answer;
use crate::subtensor::sign::{Signing, sign};
use crate::{At, BlockHash, Call, ChainError, ChainErrorKind, Receipt};

/// Most times one call is signed.
const ATTEMPTS_MAX: u32 = 3;
/// Most times the longest silence is waited for a head before the fate of a transaction counts as unknown.
const SILENCES_MAX: u32 = 20;

/// Last blocks of an era that are looked into a second time before a transaction counts as expired.
const REORG_BLOCKS: u32 = 8;

/// A transaction on its way.
#[derive(Debug, Clone, Copy)]
struct Sent {
    hash: [u8; 32],
    birth: BlockNumber,
    era_end: BlockNumber,
}

/// How one attempt ended without an error.
enum Attempt {
    /// In a block.
    Done(Result<Receipt, ChainError>),
    /// Refused for its nonce or era: nothing happened.
    Stale(ChainError),
    /// Its era is over and no block has it.
    Expired(ChainError),
}

/// Signs and sends `call`, and waits for its block.
pub(crate) async fn submit(
    client: &Client,
    queues: &Queues,
    call: &Call,
    signer: &Keypair,
) -> Result<Receipt, ChainError> {
    preflight::check(client, call, signer.public_key().0).await?;
    let mut attempt = 1;
    loop {
        let error = match once(client, queues, call, signer).await? {
            Attempt::Done(receipt) => {
                let receipt = receipt?;
                read_back(client, call, &receipt).await?;
                return Ok(receipt);
            }
            // Nothing was sent that could still happen, so even a registration may be signed anew.
            Attempt::Stale(error) => error,
            Attempt::Expired(error) => {
                // Its nonce was never used: the next transaction of the key must not wait behind a gap.
                queues.turn(signer.public_key().0).await.forget();
                if !may_be_signed_anew(call) {
                    return Err(error);
                }
                error
            }
        };
        if attempt >= ATTEMPTS_MAX {
            return Err(error);
        }
        tracing::warn!(attempt, "{error}; signing anew");
        attempt += 1;
    }
}

/// That a hyper-parameter has the value it was set to: a runtime may take the fee, report success, and change nothing.
async fn read_back(client: &Client, call: &Call, receipt: &Receipt) -> Result<(), ChainError> {
    let Call::SetHyperparameter { netuid, name, value } = call else {
        return Ok(());
    };
    let operation = format!("read back `{name}` of subnet {netuid}");
    let look = async {
        let view = client.view(&operation, At::Hash(receipt.hash)).await?;
        hyperparameters::stored(&view, *netuid, name).await
    };
    match look.await {
        Ok(Some(found)) if found != *value => Err(ChainError::new(
            call.name(),
            ChainErrorKind::Ineffective {
                block: receipt.block.0,
                name: name.clone(),
                wanted: *value,
                found,
            },
        )),
        Ok(_) => Ok(()),
        // The setting is on the chain: an error would have the owner send it again.
        Err(error) => {
            tracing::warn!("{error}; `assay chain params` shows whether `{name}` has changed");
            Ok(())
        }
    }
}

/// Whether an expired call may be sent again as it is. Sealed weights may not: their round was computed for the block after
/// the first try, and one era later the pulse could be out long before their reveal epoch, so that anybody could copy them.
const fn may_be_signed_anew(call: &Call) -> bool {
    call.repeatable() && !matches!(call, Call::CommitTimelockedWeights { .. })
}

async fn once(
    client: &Client,
    queues: &Queues,
    call: &Call,
    signer: &Keypair,
) -> Result<Attempt, ChainError> {
    let operation = call.name();
    let failed = |kind| ChainError::new(operation, kind);
    let account = signer.public_key().0;
    let mut next = queues.turn(account).await;
    let birth = client.raw_head(operation, At::Finalized).await?;
    let runtime = client.view(operation, At::Head).await?.runtime;
    let of_node: u64 = client
        .connection
        .read(
            operation,
            "system_accountNextIndex",
            &[json!(ss58::encode(&account))],
        )
        .await?;
    let signing = Signing {
        genesis: client.genesis,
        birth: birth.number,
        birth_hash: birth.hash,
        nonce: next.nonce(of_node),
    };
    let candidate = encode(call, &runtime).map_err(failed)?;
    let bytes = sign(&candidate, &runtime, &signing, signer).map_err(failed)?;
    let sent = Sent {
        hash: blake2_256(&bytes),
        birth: birth.number,
        era_end: signing.era_end(),
    };
    let link = client.connection.link(operation).await?;
    let watching = link
        .rpc
        .subscribe(
            "author_submitAndWatchExtrinsic",
            &[json!(hex0x(&bytes))],
            "author_unwatchExtrinsic",
        )
        .await;
    let watch = match watching {
        Ok(watch) => {
            next.used(signing.nonce);
            Some(watch)
        }
        Err(RpcFailure::Refused { code, message }) => {
            next.forget();
            let kind = refused(code, &message);
            if is_stale(&kind) {
                return Ok(Attempt::Stale(failed(kind)));
            }
            if !is_known(&kind) {
                return Err(failed(kind));
            }
            None
        }
        // It may have reached the node before the connection was lost.
        Err(RpcFailure::Lost(reason) | RpcFailure::Unreadable(reason)) => {
            tracing::warn!(
                operation,
                reason,
                "no answer to a transaction; searching blocks for it"
            );
            next.forget();
            None
        }
    };
    drop(next);
    let fate = fate(client, call, sent, watch).await;
    if fate.is_err() {
        // Unknown fate: what the node counts is all there is to go by.
        queues.turn(account).await.forget();
    }
    fate
}

/// Watches, then searches.
async fn fate(
    client: &Client,
    call: &Call,
    sent: Sent,
    watch: Option<Subscription>,
) -> Result<Attempt, ChainError> {
    let operation = call.name();
    if let Some(mut watch) = watch {
        let mut heads = client.connection.heads();
        let over = heads.wait_for(|head| head.is_some_and(|head| head.number > sent.era_end));
        let block = tokio::select! {
            block = included(operation, &mut watch) => block,
            _ = over => None,
        };
        if let Some(block) = block {
            match receipt(client, operation, sent, block).await {
                Ok(Some(receipt)) => return Ok(Attempt::Done(receipt)),
                // The block was undone or is not where the node says it is.
                Ok(None) => {}
                Err(error) => tracing::warn!("{error}; searching blocks for the transaction"),
            }
        }
    }
    search(client, call, sent).await
}

/// The block a transaction got into, as the node's watch tells; `None` when it ends without one.
async fn included(operation: &str, watch: &mut Subscription) -> Option<BlockHash> {
    while let Some(Ok(status)) = watch.next::<Json>().await {
        let block = status.get("inBlock").or_else(|| status.get("finalized"));
        if let Some(block) = block.and_then(Json::as_str) {
            return hash(operation, block).ok();
        }
        let is_gone = ["dropped", "invalid"]
            .iter()
            .any(|gone| status.as_str() == Some(gone))
            || status.get("usurped").is_some();
        if is_gone {
            // One node dropped it; another may still include it.
            return None;
        }
    }
    None
}

/// The part of `chain_getBlock` that is used.
#[derive(Debug, Deserialize)]
struct Signed {
    block: Block,
}

#[derive(Debug, Deserialize)]
struct Block {
    header: Json,
    extrinsics: Vec<String>,
}

/// The receipt of a transaction if `block` has it, with its verdict.
async fn receipt(
    client: &Client,
    operation: &'static str,
    sent: Sent,
    block: BlockHash,
) -> Result<Option<Result<Receipt, ChainError>>, ChainError> {
    let failed = |kind| ChainError::new(operation, kind);
    let found: Option<Signed> = client
        .connection
        .read(operation, "chain_getBlock", &[json!(hex0x(&block.0))])
        .await?;
    let Signed { block: body } =
        found.ok_or_else(|| not_found(operation, format!("block {}", hex0x(&block.0))))?;
    let head = RawHead::read(&body.header).map_err(|reason| failed(answer(reason)))?;
    if head.hash != block {
        return Err(failed(answer(format!(
            "asked for block {block}, got {}",
            head.hash
        ))));
    }
    let place = body
        .extrinsics
        .iter()
        .position(|text| unhex(text).is_ok_and(|bytes| blake2_256(&bytes) == sent.hash));
    let Some(place) = place.and_then(|place| u32::try_from(place).ok()) else {
        return Ok(None);
    };
    let view = client.executed(operation, head).await?;
    let events = events::of_block(&view).await?;
    let verdict = events::verdict(&events, place, &view.runtime).map_err(failed);
    Ok(Some(verdict.map(|events| Receipt {
        extrinsic: Digest(sent.hash),
        block: head.number,
        hash: head.hash,
        events,
    })))
}

/// Searches the blocks of the era, waiting for those to come. Whatever fails on the way is tried again with the next
/// head: an error here must never look like a transaction that was not sent.
async fn search(client: &Client, call: &Call, sent: Sent) -> Result<Attempt, ChainError> {
    let operation = call.name();
    let mut heads = client.connection.heads();
    let silence = client.connection.timing().silence_max;
    let mut next = sent.birth.0.saturating_add(1);
    let era_end = sent.era_end.0;
    let (mut silences, mut again) = (0, false);
    loop {
        let head = heads.borrow_and_update().map_or(0, |head| head.number.0);
        while next <= head.min(era_end) {
            match look(client, operation, sent, BlockNumber(next)).await {
                Ok(Some(receipt)) => return Ok(Attempt::Done(receipt)),
                Ok(None) => next += 1,
                Err(error) => {
                    tracing::warn!("{error}; looking into block {next} again");
                    silences += 1;
                    break;
                }
            }
        }
        if next > era_end && !again {
            // A block looked into may have been replaced since.
            again = true;
            next = era_end
                .saturating_sub(REORG_BLOCKS)
                .max(sent.birth.0.saturating_add(1));
            continue;
        }
        if next > era_end {
            let error = ChainError::new(operation, ChainErrorKind::Expired { era_end });
            return Ok(Attempt::Expired(error));
        }
        if silences >= SILENCES_MAX {
            let repeatable = call.repeatable();
            let kind = ChainErrorKind::Unresolved { era_end, repeatable };
            return Err(ChainError::new(operation, kind));
        }
        if timeout(silence, heads.changed()).await.is_err() {
            silences += 1;
        }
    }
}

/// The receipt if the block of that number has the transaction.
async fn look(
    client: &Client,
    operation: &'static str,
    sent: Sent,
    number: BlockNumber,
) -> Result<Option<Result<Receipt, ChainError>>, ChainError> {
    let block = client.raw_head(operation, At::Number(number)).await?;
    receipt(client, operation, sent, block.hash).await
}

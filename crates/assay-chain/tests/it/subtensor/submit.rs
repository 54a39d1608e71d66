//! Transactions and their fates: included, failed, refused, signed anew, lost, past their era.

use assay_chain::subtensor::{ERA_BLOCKS, Subtensor};
use assay_chain::{Call, Chain as _, ChainErrorKind, CommitmentField};
use assay_types::{BlockNumber, Hotkey, MechId, NetUid, Rao, Uid, Weight};
use subxt::ext::scale_value::Value;
use subxt_signer::sr25519::dev;

use super::connection::{connect, script};
use crate::scripted::{Script, ScriptedNode, Submit};

const S: &str = "SubtensorModule";

fn alice() -> [u8; 32] {
    dev::alice().public_key().0
}

/// Subnet 7 with Alice's hotkey as uid 0 and money on Bob's coldkey.
fn subnet(test: &str) -> Option<Script> {
    let mut script = script(test, 5)?;
    let (netuid, uid) = (Value::from(7_u16), Value::from(0_u16));
    let hotkey = Value::from_bytes(alice());
    script.set(S, "Uids", &[netuid.clone(), hotkey.clone()], &uid);
    script.set(S, "Keys", &[netuid.clone(), uid], &hotkey);
    script.set(
        S,
        "SubnetworkN",
        std::slice::from_ref(&netuid),
        &Value::from(1_u16),
    );
    script.set(S, "Tempo", std::slice::from_ref(&netuid), &Value::from(360_u16));
    let permits = Value::unnamed_composite([Value::bool(true)]);
    script.set(S, "ValidatorPermit", std::slice::from_ref(&netuid), &permits);
    script.set(
        S,
        "NetworkRegistrationAllowed",
        std::slice::from_ref(&netuid),
        &Value::bool(true),
    );
    script.set(S, "Burn", &[netuid], &Value::from(500_000_000_u64));
    let account = Value::named_composite([(
        "data",
        Value::named_composite([("free", Value::from(2_000_000_000_u64))]),
    )]);
    script.set(
        "System",
        "Account",
        &[Value::from_bytes(dev::bob().public_key().0)],
        &account,
    );
    Some(script)
}

fn commitment() -> Call {
    Call::SetCommitment {
        netuid: NetUid(7),
        fields: vec![CommitmentField::Plain(b"assay".to_vec())],
    }
}

fn registration() -> Call {
    Call::Register {
        netuid: NetUid(7),
        hotkey: Hotkey([9; 32]),
        limit_price: Rao(1_000_000_000),
    }
}

async fn start(script: Script) -> (ScriptedNode, Subtensor) {
    let node = ScriptedNode::start(script).await;
    let chain = connect(&[&node.url]).await.unwrap();
    (node, chain)
}

#[tokio::test]
async fn a_transaction_in_a_block_gives_its_receipt() {
    let Some(script) = subnet("a_transaction_in_a_block_gives_its_receipt") else {
        return;
    };
    let (node, chain) = start(script).await;
    let (call, signer) = (commitment(), dev::alice());
    let (receipt, ()) = tokio::join!(chain.submit(&call, &signer), node.make_block_after(1));
    let receipt = receipt.unwrap();
    assert_eq!(receipt.block, BlockNumber(6));
    assert_eq!(receipt.events, ["System.ExtrinsicSuccess"]);
    assert_eq!(node.script().submitted.len(), 1);
}

#[tokio::test]
async fn inclusion_is_not_success() {
    let Some(mut script) = subnet("inclusion_is_not_success") else {
        return;
    };
    script.submits.push_back(Submit::Fail(S, "SettingWeightsTooFast"));
    let (node, chain) = start(script).await;
    let (call, signer) = (commitment(), dev::alice());
    let (result, ()) = tokio::join!(chain.submit(&call, &signer), node.make_block_after(1));
    let error = result.unwrap_err();
    assert_eq!(error.name(), Some("SettingWeightsTooFast"));
    assert!(
        matches!(&error.kind, ChainErrorKind::Dispatch { pallet, .. } if pallet == S),
        "{error}"
    );
    assert!(error.retry_is_safe() && error.help().contains("weights_rate_limit"));
}

#[tokio::test]
async fn a_stale_nonce_is_signed_anew() {
    let Some(mut script) = subnet("a_stale_nonce_is_signed_anew") else {
        return;
    };
    let outdated = Submit::Refuse(1010, "Invalid Transaction", "Transaction is outdated");
    script.submits.extend([outdated, Submit::Include]);
    let (node, chain) = start(script).await;
    let (call, signer) = (registration(), dev::bob());
    let (receipt, ()) = tokio::join!(chain.submit(&call, &signer), node.make_block_after(2));
    assert_eq!(receipt.unwrap().block, BlockNumber(6));
    let script = node.script();
    assert_eq!(script.submitted.len(), 2);
    assert_ne!(script.submitted[0], script.submitted[1], "signed anew");
}

#[tokio::test]
async fn a_nonce_that_stays_stale_is_an_error_in_the_end() {
    let Some(mut script) = subnet("a_nonce_that_stays_stale_is_an_error_in_the_end") else {
        return;
    };
    for _ in 0..9 {
        script
            .submits
            .push_back(Submit::Refuse(1014, "Priority is too low", "(20 vs 20)"));
    }
    let (node, chain) = start(script).await;
    let error = chain.submit(&commitment(), &dev::alice()).await.unwrap_err();
    assert!(
        matches!(error.kind, ChainErrorKind::Pool { code: 1014, .. }),
        "{error}"
    );
    assert!(error.retry_is_safe() && error.help().contains("two processes"));
    assert_eq!(node.script().submitted.len(), 3);
}

#[tokio::test]
async fn a_refusal_of_the_pool_has_its_name_and_is_not_sent_again() {
    let Some(mut script) = subnet("a_refusal_of_the_pool_has_its_name_and_is_not_sent_again") else {
        return;
    };
    script
        .submits
        .push_back(Submit::Refuse(1010, "Invalid Transaction", "Custom error: 6"));
    let (node, chain) = start(script).await;
    let error = chain.submit(&commitment(), &dev::alice()).await.unwrap_err();
    assert_eq!(error.name(), Some("RateLimitExceeded"));
    assert_eq!(node.script().submitted.len(), 1);
}

#[tokio::test]
async fn a_transaction_without_an_answer_is_found_in_its_block() {
    let Some(mut script) = subnet("a_transaction_without_an_answer_is_found_in_its_block") else {
        return;
    };
    script.submits.push_back(Submit::IncludeUnanswered);
    let (node, chain) = start(script).await;
    let (call, signer) = (registration(), dev::bob());
    let blocks = async {
        node.make_block_after(1).await;
        node.accepted(2).await;
        node.make_blocks(1);
    };
    let (receipt, ()) = tokio::join!(chain.submit(&call, &signer), blocks);
    assert_eq!(receipt.unwrap().block, BlockNumber(6));
    assert_eq!(
        node.script().submitted.len(),
        1,
        "a registration is never sent twice"
    );
}

#[tokio::test]
async fn past_its_era_a_commitment_is_sent_again() {
    let Some(mut script) = subnet("past_its_era_a_commitment_is_sent_again") else {
        return;
    };
    script.submits.extend([Submit::Forget, Submit::Include]);
    let (node, chain) = start(script).await;
    let (call, signer) = (commitment(), dev::alice());
    let blocks = async {
        node.make_block_after(1).await;
        node.make_blocks(ERA_BLOCKS as usize);
        node.make_block_after(2).await;
    };
    let (receipt, ()) = tokio::join!(chain.submit(&call, &signer), blocks);
    let receipt = receipt.unwrap();
    assert_eq!(receipt.block, BlockNumber(6 + ERA_BLOCKS + 1));
    let script = node.script();
    assert_eq!(script.submitted.len(), 2);
    assert_ne!(script.submitted[0], script.submitted[1], "of a new era");
    // The first one's nonce was never used: a gap would park the second for good.
    assert_eq!(nonce(&script.submitted[0]), nonce(&script.submitted[1]));
}

/// The nonce of a signed transaction, below 64: length, version, address, signature and era stand before it.
fn nonce(signed: &str) -> u8 {
    let digits = signed.trim_start_matches("0x").as_bytes().chunks(2);
    let signed: Vec<u8> = digits
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let head = if signed[0] & 3 == 1 { 2 } else { 4 };
    let compact = signed[head + 1 + 33 + 65 + 2];
    assert_eq!(compact & 3, 0, "a nonce of one byte");
    compact >> 2
}

#[tokio::test]
async fn past_its_era_sealed_weights_are_not_sent_again() {
    let Some(mut script) = subnet("past_its_era_sealed_weights_are_not_sent_again") else {
        return;
    };
    script.submits.push_back(Submit::Drop);
    let (node, chain) = start(script).await;
    let call = Call::CommitTimelockedWeights {
        netuid: NetUid(7),
        mecid: assay_types::MechId(0),
        commit: vec![1; 300],
        reveal_round: 1_000,
        version: 4,
    };
    let signer = dev::alice();
    let blocks = async {
        node.make_block_after(1).await;
        node.make_blocks(ERA_BLOCKS as usize);
    };
    let (result, ()) = tokio::join!(chain.submit(&call, &signer), blocks);
    let error = result.unwrap_err();
    assert!(matches!(error.kind, ChainErrorKind::Expired { .. }), "{error}");
    assert!(error.retry_is_safe(), "predicted and sealed anew");
    assert_eq!(node.script().submitted.len(), 1);
}

#[tokio::test]
async fn past_its_era_a_registration_is_not_sent_again() {
    let Some(mut script) = subnet("past_its_era_a_registration_is_not_sent_again") else {
        return;
    };
    script.submits.push_back(Submit::Drop);
    let (node, chain) = start(script).await;
    let (call, signer) = (registration(), dev::bob());
    let blocks = async {
        node.make_block_after(1).await;
        node.make_blocks(ERA_BLOCKS as usize);
    };
    let (result, ()) = tokio::join!(chain.submit(&call, &signer), blocks);
    let error = result.unwrap_err();
    // Born in the finalised block 3.
    assert_eq!(
        error.kind,
        ChainErrorKind::Expired {
            era_end: 3 + ERA_BLOCKS - 1
        }
    );
    assert!(error.retry_is_safe());
    assert_eq!(node.script().submitted.len(), 1);
}

#[tokio::test]
async fn transactions_of_one_key_get_one_nonce_after_the_other() {
    let Some(script) = subnet("transactions_of_one_key_get_one_nonce_after_the_other") else {
        return;
    };
    let (node, chain) = start(script).await;
    let (call, signer) = (commitment(), dev::alice());
    let (first, second, ()) = tokio::join!(
        chain.submit(&call, &signer),
        chain.submit(&call, &signer),
        node.make_block_after(2)
    );
    assert_eq!(first.unwrap().block, second.unwrap().block);
    let script = node.script();
    assert_eq!(script.submitted.len(), 2);
    assert_eq!(script.nonce, 2);
}

/// What is refused before anything is sent, by the chain's name.
async fn refused(
    chain: &Subtensor,
    node: &ScriptedNode,
    call: &Call,
    signer: &subxt_signer::sr25519::Keypair,
) -> String {
    let error = chain.submit(call, signer).await.unwrap_err();
    assert!(matches!(error.kind, ChainErrorKind::Preflight { .. }), "{error}");
    assert!(node.script().submitted.is_empty());
    assert!(!error.help().is_empty());
    error.name().unwrap().to_owned()
}

#[tokio::test]
async fn what_the_chain_would_refuse_is_not_sent() {
    let Some(script) = subnet("what_the_chain_would_refuse_is_not_sent") else {
        return;
    };
    let (node, chain) = start(script).await;
    let netuid = [Value::from(7_u16)];
    let set = |entry: &str, value: Value| node.script().set(S, entry, &netuid, &value);
    assert_eq!(
        refused(&chain, &node, &commitment(), &dev::bob()).await,
        "AccountNotAllowedCommit"
    );
    let weights = |version_key| Call::SetWeights {
        netuid: NetUid(7),
        mecid: MechId(0),
        weights: vec![(Uid(0), Weight(65_535))],
        version_key,
    };
    set("CommitRevealWeightsEnabled", Value::bool(true));
    assert_eq!(
        refused(&chain, &node, &weights(0), &dev::alice()).await,
        "CommitRevealEnabled"
    );
    set("CommitRevealWeightsEnabled", Value::bool(false));
    assert_eq!(
        refused(&chain, &node, &weights(0), &dev::bob()).await,
        "HotKeyNotRegisteredInSubNet"
    );
    set("WeightsVersionKey", Value::from(3_u64));
    assert_eq!(
        refused(&chain, &node, &weights(2), &dev::alice()).await,
        "IncorrectWeightVersionKey"
    );
    set("WeightsSetRateLimit", Value::from(100_u64));
    let updates = Value::unnamed_composite([Value::from(4_u64)]);
    set("LastUpdate", updates);
    let error = chain.submit(&weights(3), &dev::alice()).await.unwrap_err();
    assert_eq!(error.name(), Some("SettingWeightsTooFast"));
    assert!(error.retry_is_safe());
    assert_eq!(error.help(), "try again in 98 blocks");
    let mut dear = registration();
    if let Call::Register { limit_price, .. } = &mut dear {
        *limit_price = Rao(1);
    }
    assert_eq!(
        refused(&chain, &node, &dear, &dev::bob()).await,
        "RegistrationPriceLimitExceeded"
    );
    assert_eq!(
        refused(&chain, &node, &registration(), &dev::alice()).await,
        "NotEnoughBalanceToStake"
    );
    set("NetworkRegistrationAllowed", Value::bool(false));
    assert_eq!(
        refused(&chain, &node, &registration(), &dev::bob()).await,
        "SubNetRegistrationDisabled"
    );
    let nowhere = Call::StartCall { netuid: NetUid(8) };
    let error = chain.submit(&nowhere, &dev::bob()).await.unwrap_err();
    assert!(matches!(error.kind, ChainErrorKind::NotFound { .. }), "{error}");
}

//! Owner's settings on runtimes of different ages: which call is made, and that the value is really there afterwards.

use assay_chain::subtensor::{Runtime, encode};
use assay_chain::{Call, Chain as _, ChainErrorKind};
use assay_types::NetUid;
use subxt::ext::scale_value::Value;
use subxt_signer::sr25519::dev;

use super::connection::{connect, script};
use crate::recorded;
use crate::scripted::ScriptedNode;

fn set(name: &str, value: u64) -> Call {
    Call::SetHyperparameter {
        netuid: NetUid(7),
        name: name.to_owned(),
        value,
    }
}

/// The call that sets `name`, `Pallet.name`.
fn made(metadata: &[u8], name: &str) -> String {
    let runtime = Runtime::decode(999, 1, metadata).unwrap();
    let candidate = encode(&set(name, 1_000), &runtime).unwrap();
    candidate.call_data(&runtime).unwrap();
    format!("{}.{}", candidate.pallet, candidate.name)
}

#[test]
fn tempo_and_cutoff_are_set_by_the_call_that_does_it_on_each_runtime() {
    let Some(folder) = recorded::folder("tempo_and_cutoff_are_set_by_the_call_that_does_it_on_each_runtime")
    else {
        return;
    };
    let old = recorded::metadata(&folder, 393);
    assert_eq!(made(&old, "tempo"), "AdminUtils.sudo_set_tempo");
    // Runtime 425 has the owner's calls, with the arguments of these two.
    let owners = recorded::renamed(&old, "sudo_set_root_claim_threshold", "set_tempo");
    assert_eq!(made(&owners, "tempo"), "SubtensorModule.set_tempo");
    let factor = recorded::renamed(
        &old,
        "sudo_set_root_claim_threshold",
        "set_activity_cutoff_factor",
    );
    let name = "activity_cutoff_factor_milli";
    assert_eq!(made(&factor, name), "SubtensorModule.set_activity_cutoff_factor");
    // Where AdminUtils sets the factor, the owner's calls are still there and do nothing.
    for hollow in [&owners, &factor] {
        let newest = recorded::renamed(
            hollow,
            "sudo_set_weights_set_rate_limit",
            "sudo_set_activity_cutoff_factor",
        );
        assert_eq!(made(&newest, "tempo"), "AdminUtils.sudo_set_tempo");
        assert_eq!(made(&newest, name), "AdminUtils.sudo_set_activity_cutoff_factor");
    }
}

#[tokio::test]
async fn a_setting_that_changes_nothing_is_an_error_and_one_that_holds_is_not() {
    let Some(mut script) = script(
        "a_setting_that_changes_nothing_is_an_error_and_one_that_holds_is_not",
        5,
    ) else {
        return;
    };
    let netuid = [Value::from(7_u16)];
    let s = "SubtensorModule";
    for (entry, value) in [
        ("Tempo", Value::from(360_u16)),
        ("CommitRevealWeightsEnabled", Value::bool(true)),
        ("ImmunityPeriod", Value::from(5_000_u16)),
    ] {
        script.set(s, entry, &netuid, &value);
    }
    let node = ScriptedNode::start(script).await;
    let chain = connect(&[&node.url]).await.unwrap();
    for (number, (name, value)) in [("tempo", 99), ("commit_reveal", 0), ("immunity_period", 1)]
        .into_iter()
        .enumerate()
    {
        let (call, signer) = (set(name, value), dev::bob());
        let (result, ()) = tokio::join!(
            chain.submit(&call, &signer),
            node.make_block_after(2 * number + 1)
        );
        let error = result.unwrap_err();
        assert!(
            matches!(&error.kind, ChainErrorKind::Ineffective { name: found, wanted, .. }
                if found == name && *wanted == value),
            "{error}"
        );
        assert!(!error.retry_is_safe() && error.help().contains("another call"));
        let kept = match name {
            "tempo" => 360,
            "commit_reveal" => 1,
            _ => 5_000,
        };
        let (call, signer) = (set(name, kept), dev::bob());
        let (receipt, ()) = tokio::join!(
            chain.submit(&call, &signer),
            node.make_block_after(2 * number + 2)
        );
        assert_eq!(receipt.unwrap().events, ["System.ExtrinsicSuccess"], "{name}");
    }
}

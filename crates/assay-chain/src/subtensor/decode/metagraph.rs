//! The metagraph: one runtime API call where the runtime has it, storage reads of the same block where not.

use std::collections::BTreeMap;

use assay_types::{Coldkey, Hotkey, MechId, NetUid};
use subxt::ext::scale_value::Value;

use crate::subtensor::client::not_found;
use crate::subtensor::decode::neurons::{Columns, axon};
use crate::subtensor::decode::weights::storage_index;
use crate::subtensor::encode::SUBTENSOR;
use crate::subtensor::node::Node;
use crate::subtensor::runtime::answer;
use crate::subtensor::view::{View, Wanted};
use crate::{ChainError, Metagraph};

/// The runtime API that answers with a metagraph.
pub(crate) const API: (&str, &str) = ("SubnetInfoRuntimeApi", "get_metagraph");

/// Fields of its answer that are read; a runtime that lacks one is read by its storage.
pub(crate) const FIELDS: &[&str] = &[
    "hotkeys",
    "coldkeys",
    "active",
    "validator_permit",
    "last_update",
    "emission",
    "dividends",
    "incentives",
    "consensus",
    "block_at_registration",
    "total_stake",
    "axons",
    "owner_hotkey",
    "owner_coldkey",
];

/// Reads a metagraph.
pub(crate) async fn read(view: &View<'_>, netuid: NetUid) -> Result<Metagraph, ChainError> {
    let (api, method) = API;
    let answers = view.runtime.api_fields(api, method).unwrap_or_default();
    let has_all = FIELDS
        .iter()
        .all(|wanted| answers.iter().any(|found| found == wanted));
    let called = if has_all {
        view.api(api, method, &[Value::from(netuid.0)]).await?
    } else {
        None
    };
    let (columns, owner_hotkey, owner_coldkey) = match called {
        Some(answered) => {
            let subnet = answered
                .optional()
                .ok_or_else(|| not_found(&view.operation, format!("subnet {netuid}")))?;
            let owner = |name: &str| subnet.field(name).and_then(Node::bytes32);
            (
                from_api(view, netuid, subnet).await?,
                owner("owner_hotkey"),
                owner("owner_coldkey"),
            )
        }
        None => from_storage(view, netuid).await?,
    };
    let neurons = columns
        .neurons(view.head.number)
        .map_err(|reason| view.error(answer(reason)))?;
    Ok(Metagraph {
        netuid,
        block: view.head.number,
        hash: view.head.hash,
        owner_hotkey: owner_hotkey.map(Hotkey),
        owner_coldkey: owner_coldkey.map(Coldkey),
        neurons,
    })
}

/// Fails for a subnet that is not there.
pub(crate) async fn require_subnet(view: &View<'_>, netuid: NetUid) -> Result<(), ChainError> {
    let added = view
        .value(SUBTENSOR, "NetworksAdded", &[Value::from(netuid.0)])
        .await?;
    match added.as_ref().and_then(Node::truth) {
        Some(true) => Ok(()),
        _ => Err(not_found(&view.operation, format!("subnet {netuid}"))),
    }
}

async fn from_api(view: &View<'_>, netuid: NetUid, subnet: &Node) -> Result<Columns, ChainError> {
    let field = |name: &str| view.required(subnet.field(name), name);
    let accounts = |name: &str| -> Result<Vec<[u8; 32]>, ChainError> {
        let list = view.required(field(name)?.list(), name)?;
        view.required(list.iter().map(Node::bytes32).collect(), name)
    };
    let truths = |name: &str| -> Result<Vec<bool>, ChainError> {
        let list = view.required(field(name)?.list(), name)?;
        view.required(list.iter().map(Node::truth).collect(), name)
    };
    // A column that a runtime leaves empty reads as zero; the needed ones are checked when neurons are made.
    let wide = |name: &str| {
        subnet
            .field(name)
            .and_then(Node::numbers::<u64>)
            .unwrap_or_default()
    };
    let ratios = |name: &str| {
        subnet
            .field(name)
            .and_then(Node::numbers::<u16>)
            .unwrap_or_default()
    };
    let axons = subnet.field("axons").and_then(Node::list).unwrap_or_default();
    let others = view
        .values(&[
            (SUBTENSOR, "ValidatorTrust", vec![Value::from(netuid.0)]),
            (SUBTENSOR, "ImmunityPeriod", vec![Value::from(netuid.0)]),
        ])
        .await?;
    let [vtrust, immunity] = others.as_slice() else {
        return Err(view.error(answer("another number of values than asked for")));
    };
    Ok(Columns {
        hotkeys: accounts("hotkeys")?,
        coldkeys: accounts("coldkeys")?,
        stake: wide("total_stake"),
        permit: truths("validator_permit")?,
        active: truths("active").unwrap_or_default(),
        incentive: ratios("incentives"),
        dividends: ratios("dividends"),
        consensus: ratios("consensus"),
        vtrust: vtrust.as_ref().and_then(Node::numbers).unwrap_or_default(),
        emission: wide("emission"),
        last_update: wide("last_update"),
        registered: wide("block_at_registration"),
        axons: axons.iter().map(axon).collect(),
        immunity_period: immunity.as_ref().and_then(Node::number).unwrap_or_default(),
    })
}

/// Lists of a subnet, by entry.
pub(crate) const LISTS: [&str; 9] = [
    "ValidatorPermit",
    "Active",
    "Incentive",
    "Dividends",
    "Consensus",
    "ValidatorTrust",
    "Emission",
    "LastUpdate",
    "ImmunityPeriod",
];

type Owned = (Columns, Option<[u8; 32]>, Option<[u8; 32]>);

async fn from_storage(view: &View<'_>, netuid: NetUid) -> Result<Owned, ChainError> {
    require_subnet(view, netuid).await?;
    let index = storage_index(netuid, MechId(0));
    let mut wanted: Vec<Wanted<'_>> = LISTS
        .iter()
        .map(|entry| (SUBTENSOR, *entry, vec![Value::from(index)]))
        .collect();
    wanted.push((SUBTENSOR, "SubnetOwnerHotkey", vec![Value::from(netuid.0)]));
    wanted.push((SUBTENSOR, "SubnetOwner", vec![Value::from(netuid.0)]));
    wanted.push((SUBTENSOR, "TaoWeight", Vec::new()));
    let values = view.values(&wanted).await?;
    let at = |at: usize| values.get(at).and_then(Option::as_ref);
    let ratios = |place: usize| at(place).and_then(Node::numbers::<u16>).unwrap_or_default();
    let wide = |place: usize| at(place).and_then(Node::numbers::<u64>).unwrap_or_default();
    let truths = |place: usize| -> Vec<bool> {
        let list = at(place).and_then(Node::list).unwrap_or_default();
        list.iter().filter_map(Node::truth).collect()
    };
    let tao_weight = at(11).and_then(Node::number::<u64>).unwrap_or_default();
    let mut columns = Columns {
        permit: truths(0),
        active: truths(1),
        incentive: ratios(2),
        dividends: ratios(3),
        consensus: ratios(4),
        vtrust: ratios(5),
        emission: wide(6),
        last_update: wide(7),
        immunity_period: at(8).and_then(Node::number).unwrap_or_default(),
        ..Columns::default()
    };
    columns.hotkeys = hotkeys(view, netuid).await?;
    per_neuron(view, netuid, tao_weight, &mut columns).await?;
    let owner = |place: usize| at(place).and_then(Node::bytes32);
    Ok((columns, owner(9), owner(10)))
}

/// Hotkeys in uid order; a gap is an error.
async fn hotkeys(view: &View<'_>, netuid: NetUid) -> Result<Vec<[u8; 32]>, ChainError> {
    let mut by_uid = BTreeMap::new();
    for (keys, hotkey) in view.entries(SUBTENSOR, "Keys", &[Value::from(netuid.0)]).await? {
        let uid: u16 = view.required(keys.last().and_then(Node::number), "Keys")?;
        by_uid.insert(uid, view.required(hotkey.bytes32(), "Keys")?);
    }
    if by_uid.keys().enumerate().any(|(at, uid)| usize::from(*uid) != at) {
        return Err(view.error(answer(format!("uids of subnet {netuid} have gaps"))));
    }
    Ok(by_uid.into_values().collect())
}

/// What is stored by hotkey or uid: owner, block of the registration, address, stake.
pub(crate) const PER_NEURON: [&str; 4] = ["Owner", "BlockAtRegistration", "Axons", "TotalHotkeyAlpha"];

/// Reads [`PER_NEURON`].
async fn per_neuron(
    view: &View<'_>,
    netuid: NetUid,
    tao_weight: u64,
    columns: &mut Columns,
) -> Result<(), ChainError> {
    let subnet = Value::from(netuid.0);
    let root = Value::from(0_u16);
    let mut wanted: Vec<Wanted<'_>> = Vec::new();
    for (uid, hotkey) in columns.hotkeys.iter().enumerate() {
        let hotkey = Value::from_bytes(hotkey);
        let uid = Value::from(u16::try_from(uid).unwrap_or(u16::MAX));
        let [owner, registered, axon, alpha] = PER_NEURON;
        wanted.push((SUBTENSOR, owner, vec![hotkey.clone()]));
        wanted.push((SUBTENSOR, registered, vec![subnet.clone(), uid]));
        wanted.push((SUBTENSOR, axon, vec![subnet.clone(), hotkey.clone()]));
        wanted.push((SUBTENSOR, alpha, vec![hotkey.clone(), subnet.clone()]));
        wanted.push((SUBTENSOR, alpha, vec![hotkey, root.clone()]));
    }
    let values = view.values(&wanted).await?;
    for neuron in values.chunks(5) {
        let [owner, registered, served, alpha, root] = neuron else {
            return Err(view.error(answer("another number of values than asked for")));
        };
        let number = |value: &Option<Node>| value.as_ref().and_then(Node::number::<u64>).unwrap_or_default();
        let owner = owner.as_ref().and_then(Node::bytes32);
        columns.coldkeys.push(view.required(owner, "Owner")?);
        columns.registered.push(number(registered));
        columns.axons.push(served.as_ref().and_then(axon));
        // alpha + TaoWeight/2^64 of the root stake, rounded down; child keys are left out (docs/chain.md, "Older runtimes").
        let weighted = u128::from(number(root)).saturating_mul(u128::from(tao_weight)) >> 64;
        let weighted = u64::try_from(weighted).unwrap_or(u64::MAX);
        columns.stake.push(number(alpha).saturating_add(weighted));
    }
    Ok(())
}

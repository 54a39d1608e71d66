//! Events of a block, and the verdict they hold on one transaction.

use assay_types::{Hotkey, MechId, NetUid};

use crate::subtensor::decode::weights::storage_index;
use crate::subtensor::encode::SUBTENSOR;
use crate::subtensor::node::Node;
use crate::subtensor::runtime::{Runtime, answer};
use crate::subtensor::view::View;
use crate::{ChainError, ChainErrorKind};

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// Place of the transaction it belongs to; `None` for the block's own.
    pub(crate) extrinsic: Option<u32>,
    pub(crate) pallet: String,
    pub(crate) name: String,
    pub(crate) fields: Node,
}

impl Event {
    /// `Pallet.Name`.
    pub(crate) fn full_name(&self) -> String {
        format!("{}.{}", self.pallet, self.name)
    }
}

/// All events of the view's block.
pub(crate) async fn of_block(view: &View<'_>) -> Result<Vec<Event>, ChainError> {
    let records = view.value("System", "Events", &[]).await?;
    let read = records.as_ref().and_then(read);
    view.required(read, "System.Events")
}

/// Event of timelocked weights that were opened and stored: storage index, hotkey.
pub(crate) const REVEALED: &str = "TimelockedWeightsRevealed";

/// Hotkeys whose timelocked weights were opened in the view's block, in order.
pub(crate) async fn weights_revealed(
    view: &View<'_>,
    netuid: NetUid,
    mecid: MechId,
) -> Result<Vec<Hotkey>, ChainError> {
    if !view.runtime.has_event(SUBTENSOR, REVEALED) {
        return Err(view.error(view.runtime.lacks(format!("{SUBTENSOR}.{REVEALED}"))));
    }
    let index = storage_index(netuid, mecid);
    let mut hotkeys = Vec::new();
    for event in of_block(view).await? {
        if (event.pallet.as_str(), event.name.as_str()) != (SUBTENSOR, REVEALED) {
            continue;
        }
        let found: u16 = view.required(event.fields.nth(0).and_then(Node::number), REVEALED)?;
        let hotkey = view.required(event.fields.nth(1).and_then(Node::bytes32), REVEALED)?;
        if found == index {
            hotkeys.push(Hotkey(hotkey));
        }
    }
    Ok(hotkeys)
}

fn read(records: &Node) -> Option<Vec<Event>> {
    records
        .list()?
        .iter()
        .map(|record| {
            let phase = record.field("phase")?;
            let Node::Variant(pallet, event) = record.field("event")? else {
                return None;
            };
            let Node::Variant(name, fields) = event.nth(0)? else {
                return None;
            };
            Some(Event {
                extrinsic: match phase.variant()? {
                    "ApplyExtrinsic" => Some(phase.nth(0)?.number()?),
                    _ => None,
                },
                pallet: pallet.clone(),
                name: name.clone(),
                fields: (**fields).clone(),
            })
        })
        .collect()
}

/// Names of the events of transaction `index` if it succeeded.
///
/// # Errors
/// [`ChainErrorKind::Dispatch`] if it failed, [`ChainErrorKind::Answer`] if the events say neither.
pub(crate) fn verdict(
    events: &[Event],
    index: u32,
    runtime: &Runtime,
) -> Result<Vec<String>, ChainErrorKind> {
    let own: Vec<&Event> = events
        .iter()
        .filter(|event| event.extrinsic == Some(index))
        .collect();
    let end = own
        .iter()
        .find(|event| event.pallet == "System" && event.name.starts_with("Extrinsic"));
    match end.map(|event| (event.name.as_str(), &event.fields)) {
        Some(("ExtrinsicSuccess", _)) => Ok(own.iter().map(|event| event.full_name()).collect()),
        Some(("ExtrinsicFailed", fields)) => {
            let error = fields.field("dispatch_error").or_else(|| fields.nth(0));
            let (pallet, name) = error
                .and_then(|error| dispatch_error(error, runtime))
                .ok_or_else(|| answer("a failed transaction without its error"))?;
            Err(ChainErrorKind::Dispatch { pallet, name })
        }
        _ => Err(answer(format!("no verdict on transaction {index} in its block"))),
    }
}

/// Pallet and name of a `DispatchError`.
fn dispatch_error(error: &Node, runtime: &Runtime) -> Option<(String, String)> {
    let variant = error.variant()?;
    let inside = error.nth(0);
    if variant != "Module" {
        let name = inside
            .and_then(Node::variant)
            .map_or_else(|| variant.to_owned(), |inner| format!("{variant}.{inner}"));
        return Some(("System".to_owned(), name));
    }
    let module = inside?;
    let index: u8 = module.field("index")?.number()?;
    let code = match module.field("error")? {
        Node::Bytes(bytes) => *bytes.first()?,
        other => other.number()?,
    };
    Some(runtime.module_error(index, code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(extrinsic: Option<u32>, pallet: &str, name: &str, fields: Node) -> Event {
        Event {
            extrinsic,
            pallet: pallet.to_owned(),
            name: name.to_owned(),
            fields,
        }
    }

    #[test]
    fn events_are_read_by_field_name() {
        let phase = Node::Variant(
            "ApplyExtrinsic".to_owned(),
            Box::new(Node::Tuple(vec![Node::Number(2)])),
        );
        let inner = Node::Variant("WeightsSet".to_owned(), Box::new(Node::Tuple(Vec::new())));
        let outer = Node::Variant("SubtensorModule".to_owned(), Box::new(Node::Tuple(vec![inner])));
        let record = Node::Struct(vec![
            ("topics".to_owned(), Node::List(Vec::new())),
            ("event".to_owned(), outer),
            ("phase".to_owned(), phase),
        ]);
        let events = read(&Node::List(vec![record])).unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].full_name(), "SubtensorModule.WeightsSet");
        assert_eq!(events[0].extrinsic, Some(2));
        assert_eq!(read(&Node::List(vec![Node::Number(1)])), None);
        assert!(event(None, "A", "B", Node::Other).extrinsic.is_none());
    }
}

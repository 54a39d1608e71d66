//! What happened in a block, by the runtime's event names.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One event of a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// `Pallet.Name`, for example `SubtensorModule.NeuronRegistered`.
    pub name: String,
    /// Its fields by name.
    pub fields: Value,
}

impl Event {
    /// `name` with `fields`.
    pub(crate) fn new(name: &str, fields: Value) -> Self {
        Self {
            name: name.to_owned(),
            fields,
        }
    }
}

//! A node on loopback that does what a test tells it: real WebSockets and JSON-RPC, recorded metadata, canned state.

mod codec;
mod node;
mod script;

pub(crate) use node::ScriptedNode;
pub(crate) use script::{Script, Submit};

/// Intervals of a connection that let a test see reconnects within milliseconds.
pub(crate) fn fast() -> assay_chain::subtensor::Timing {
    use std::time::Duration;
    assay_chain::subtensor::Timing {
        connect_max: Duration::from_secs(5),
        request_max: Duration::from_secs(5),
        silence_max: Duration::from_secs(20),
        backoff_min: Duration::from_millis(2),
        backoff_max: Duration::from_millis(20),
        wait_max: Duration::from_secs(5),
    }
}

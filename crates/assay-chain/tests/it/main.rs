//! Integration tests of the chain crate, one module a topic.
//!
//! Python peers: the interpreter named by `ASSAY_PYTHON`. Recorded metadata: the folder named by `ASSAY_DATA`. Without
//! them the tests that need them say so and pass, unless `ASSAY_REQUIRE` is set.

#![cfg(test)]

mod peers;
mod recorded;
mod scripted;
mod subtensor;
mod timelock_peers;
mod wallet_peers;

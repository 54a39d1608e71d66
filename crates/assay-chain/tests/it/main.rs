//! Integration tests of the chain crate: conformance of every backend, recorded metadata, a scripted node, Python peers.
//!
//! Python peers: the interpreter named by `ASSAY_PYTHON`; recorded metadata: the folder of `ASSAY_DATA`. Without them the
//! tests that need them say so and pass, unless `ASSAY_REQUIRE` is set.

#![cfg(test)]

mod conformance;
mod crash;
mod embedded;
mod invariants;
mod peers;
mod recorded;
mod scripted;
mod subtensor;
mod timelock_peers;
mod wallet_peers;
mod yuma;

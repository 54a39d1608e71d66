//! Integration tests of the chain crate, one module a topic.
//!
//! Python peers: the interpreter named by `ASSAY_PYTHON`. Without it the tests that need it say so and pass, unless
//! `ASSAY_REQUIRE` is set.

#![cfg(test)]

mod peers;
mod timelock_peers;
mod wallet_peers;

//! Integration tests of the chain crate: one binary, one module a topic.

mod conformance;
mod crash;
mod embedded;
mod invariants;
mod yuma;

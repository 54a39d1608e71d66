//! Integration tests of the agents: whole rounds on an embedded chain in this process.

#![cfg(test)]

mod crawl;
mod duels;
mod hostile;
mod killed;
mod network;
mod pace;
mod private;
mod progress;
mod resumed;
mod retention;
mod rounds;
mod samples;
mod sealed;
#[expect(dead_code, reason = "assay-hub's tests use the rest")]
#[path = "../../../assay-hub/tests/it/server.rs"]
mod server;
mod store;
mod world;

//! The embedded chain: a subnet's chain in one process, for laptops and tests, with the real chain's rules and errors.
//!
//! | file | what |
//! |---|---|
//! | `state/` | the rules, as a pure state machine |
//! | `extrinsic` | bytes and signatures of transactions |
//! | `pool`, `producer`, `view` | what waits, the task that makes blocks, what readers see |
//! | `store` | blocks and snapshots in SQLite |
//! | `node` | a running chain and its handles |
//! | `query`, `link`, `client`, `heads` | reads, the two ways to the chain, the [`crate::Chain`] over both, its heads |
//! | `server`, `socket` | JSON-RPC over WebSocket on loopback |
//! | `fault` | what a test can let go wrong |
//!
//! Speed, with the profile `dev` on a machine of two busy cores (`cargo bench -p assay-chain --bench embedded --profile dev`):
//! 0.04 ms for the metagraph of 256 neurons beside 1,000 commitments, 0.23 ms for the commitments, 586 transactions a second
//! from signature through verification into a stored block, one after the other.

mod beacon;
mod client;
mod extrinsic;
mod fault;
mod heads;
mod link;
mod node;
mod pool;
mod producer;
mod query;
mod server;
mod socket;
mod state;
mod store;
mod view;

pub use client::EmbeddedChain;
pub use fault::Fault;
pub use node::{Clock, Node, NodeOptions};
pub use server::{Served, serve};
pub use socket::Remote;
pub use state::{ALPHA_PRICE_RAO, Event, Genesis, GenesisSubnet, Totals};

use state::COMMIT_BYTES_MAX;

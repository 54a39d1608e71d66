//! What miner and validator share: the subnet's file, its rounds on the chain, report batches, the state between rounds.
//!
//! ```text
//! subnet.json ─► Setup          chain ─► rounds ─► Tracker ─► assignments, states
//!                               store ◄─► batch  ──┘
//! ```
//!
//! [`Tracker`] takes the steps of [`assay_mechanism::network::NetworkState`] in block order from chain data and published
//! reports alone, so every agent has the same state without a server. Nothing is decided here.

mod archives;
mod batch;
mod courier;
mod error;
mod learned;
mod rounds;
mod sending;
mod setup;
mod signer;
mod tracker;
mod weights;

pub use archives::Archives;
pub use batch::{About, BATCH_FILE, Batch, SEALED_FILE, batch_repo};
pub use courier::{Comparison, Courier};
pub use error::AgentError;
pub use learned::RECIPE_FILE;
pub(crate) use rounds::is_pruned;
pub use rounds::{Opening, Reporter, Rounds, Said, is_committed, sealed_fields};
pub(crate) use sending::{OnItsWay, Sending};
pub use setup::{ActiveRecipe, DuelPack, DuelRules, SETUP_SOURCE, Setup, SubnetFile};
pub use signer::Signer;
pub use tracker::Tracker;
pub use weights::{SetWeights, set_weights};

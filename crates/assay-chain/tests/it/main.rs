//! Integration tests of the chain client: recorded metadata, and a scripted node for everything that goes wrong.

mod recorded;
mod scripted;
mod subtensor;

//! Integration tests of the agents: whole rounds on an embedded chain in this process.

#![cfg(test)]

mod hostile;
mod private;
mod retention;
mod rounds;
mod samples;
mod store;
mod world;

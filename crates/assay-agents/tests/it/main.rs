//! Integration tests of the agents: whole rounds on an embedded chain in this process.

mod rounds;
mod world;

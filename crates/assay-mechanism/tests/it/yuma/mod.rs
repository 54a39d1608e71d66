//! Yuma from outside: the runtime's vectors, the edges, properties over random subnets.

mod chain;
mod edges;
mod properties;
mod vectors;

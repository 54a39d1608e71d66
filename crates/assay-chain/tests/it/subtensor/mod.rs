//! The subtensor backend against recorded metadata and the scripted node.

mod check;
mod connection;
mod help;
mod owner;
mod reads;
mod reveal;
mod submit;
mod vectors;

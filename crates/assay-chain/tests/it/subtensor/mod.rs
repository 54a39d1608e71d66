//! The subtensor backend against recorded metadata and the scripted node.

mod connection;
mod help;
mod reads;
mod reveal;
mod submit;
mod vectors;

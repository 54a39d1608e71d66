//! Integration tests of `assay-hub`: its public API against servers that misbehave, made here and by `moto`.
#![cfg(test)]

mod broken;
mod http;
mod s3;
mod server;
mod store;

//! Tests of the crate from outside: stored forms as snapshots, parsers on valid, mutated and random bytes.
//!
//! Everything is made up in `example.rs`; nothing is read from disk but the committed recipes.

#[cfg(test)]
mod example;
#[cfg(test)]
mod fraud;
#[cfg(test)]
mod manifest;
#[cfg(test)]
mod mutate;
#[cfg(test)]
mod recipe;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod stored_forms;

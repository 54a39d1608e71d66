//! Integration tests of the evaluation, on the test data where it is at hand.

#![cfg(test)]

mod agreement;
mod benchmarks;
mod check_values;
mod corrupt;
#[cfg(feature = "cuda")]
mod cuda;
mod data;
mod emulated;
mod families;
mod fineness;
mod fixture;
mod trained;
mod training;
mod web;
mod whole_verdict;

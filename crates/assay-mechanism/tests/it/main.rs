//! Tests of the mechanism from outside.

#![cfg(test)]

mod duel;
mod yuma;

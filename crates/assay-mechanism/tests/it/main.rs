//! Tests of the mechanism from outside.

#![cfg(test)]

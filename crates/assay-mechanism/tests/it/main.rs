//! Tests of the mechanism from outside: worked examples, properties, the exploit diary.

#![cfg(test)]

mod duel;
mod worked_examples;
mod yuma;

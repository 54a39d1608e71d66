//! Tests of the mechanism from outside: worked examples, properties, the exploit diary.

#![cfg(test)]

mod assignment;
mod diary;
mod docs;
mod duel;
mod simulator;
mod worked_examples;
mod yuma;

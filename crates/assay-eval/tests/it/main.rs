//! Integration tests of the evaluation, on the test data where it is at hand.

#![cfg(test)]

mod agreement;
mod check_values;
mod corrupt;
mod data;
mod families;
mod fixture;
mod trained;
mod training;
mod web;

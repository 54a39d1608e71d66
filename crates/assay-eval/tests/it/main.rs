//! Integration tests of the evaluation, on the test data where it is at hand.

mod check_values;
mod data;

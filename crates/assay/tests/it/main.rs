//! Integration tests of the `assay` binary: every test runs the real program in a folder of its own.
//!
//! Real data: the folder named by `ASSAY_DATA`; Python peers: the interpreter named by `ASSAY_PYTHON`. Without them the tests
//! that need them say so and pass, unless `ASSAY_REQUIRE` is set.

#![cfg(test)]

mod api_example;
mod api_fuzz;
mod bad_input;
mod bombs;
mod chain;
mod chain_input;
mod chaos;
mod commands;
mod config;
mod dedup;
mod determinism;
mod disk;
mod diverged;
mod doctor;
mod duel;
mod evaluate;
mod evaluate_benchmarks;
mod evaluate_device;
mod evaluate_hub;
mod evaluate_inputs;
mod evaluate_kill;
mod forms;
mod guides;
mod help;
mod json;
mod localnet;
mod pack;
mod pages;
mod parity;
mod published;
mod readers;
mod recipes;
mod reference;
mod resume;
mod sample;
mod serve;
mod serve_start;
mod served;
mod streams;
mod support;
mod tampering;
mod usage;
mod wallet;
mod web_server;
mod worker;

#[path = "../../../assay-server/tests/it/postgres.rs"]
mod postgres;
#[path = "../tidy.rs"]
mod tidy;

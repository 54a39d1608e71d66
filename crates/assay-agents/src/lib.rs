//! Drivers that read, refine and write: the local run, later miner and validator rounds.

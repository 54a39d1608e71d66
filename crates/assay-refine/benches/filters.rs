//! Throughput of the filters on real page texts, in bytes of text a second.
fn main() {}

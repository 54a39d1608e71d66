//! `assay dedup`: near-duplicates among given texts, as pairs that share a band, clusters and removed ids.
//!
//! Texts come from [`super::texts`], clusters from [`assay_refine::minhash`].

use std::collections::BTreeMap;
use std::path::PathBuf;

use assay_refine::minhash::{Clustering, Entry, MinHasher, Order, cluster};
use assay_refine::text::simplify::simplify;
use assay_refine::text::words::Tokenizer;
use serde::Serialize;
use serde_json::Value;

use super::error::LocalError;
use super::texts::TextReader;

/// What deduplication found.
#[derive(Debug, Serialize)]
pub struct Deduplicated {
    /// Texts read.
    pub documents: u64,
    /// Texts of fewer than 5 words: they have no signature and are never duplicates.
    pub without_signature: u64,
    /// For each of the 14 bands, the pairs of ids that share its key, in the order of the sorted keys.
    pub pairs_by_bucket: Vec<Vec<[Value; 2]>>,
    /// Groups of near-duplicates.
    pub clusters: Vec<Cluster>,
    /// Ids of the documents that do not stay.
    pub removed: Vec<Value>,
}

/// One group of near-duplicates.
#[derive(Debug, Serialize)]
pub struct Cluster {
    /// Number of the cluster, in order of its first removed or kept document.
    pub cluster_id: u64,
    /// The one that stays.
    pub kept: Value,
    /// Documents in it.
    pub size: u64,
    /// All their ids, in reading order.
    pub members: Vec<Value>,
}

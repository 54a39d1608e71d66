//! `assay dedup`: near-duplicates among given texts, as pairs that share a band, clusters and removed ids.
//!
//! Texts come from [`super::texts`], pairs and clusters from [`assay_refine::minhash`]. Memory: the signatures (896 bytes a
//! text) and the ids; texts are dropped as they are read.

use std::path::PathBuf;

use assay_refine::minhash::cluster::{self, Order};
use assay_refine::minhash::{MinHasher, Signature};
use assay_refine::text::simplify::simplify;
use assay_refine::text::words::Tokenizer;
use serde::Serialize;

use super::error::LocalError;
use super::texts::{TextReader, Unreadable};

/// What deduplication found.
#[derive(Debug, Default, Serialize)]
pub struct Deduplicated {
    /// Texts read.
    pub documents: u64,
    /// Texts of fewer than 5 words: they have no signature and are never duplicates.
    pub without_signature: u64,
    /// Lines that hold no text.
    #[serde(serialize_with = "count")]
    pub unreadable: Unreadable,
    /// For each of the 14 bands, the pairs `"<id> <id>"` that share it, in the order of the sorted bands.
    pub pairs_by_bucket: Vec<Vec<String>>,
    /// Groups of near-duplicates.
    pub clusters: Vec<Cluster>,
    /// Ids of the documents that do not stay, in reading order.
    pub removed: Vec<String>,
}

fn count<S: serde::Serializer>(unreadable: &Unreadable, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(unreadable.lines)
}

/// One group of near-duplicates.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Cluster {
    /// Number of the cluster, in order of its first member.
    pub cluster_id: u64,
    /// The one that stays.
    pub kept: String,
    /// Documents in it.
    pub size: u64,
    /// All their ids, in reading order.
    pub members: Vec<String>,
}

/// Reads the texts of all files, one after the other, and finds their near-duplicates. With [`Order::Canonical`] the texts are
/// taken in the order of their ids, so that the order of files and lines does not matter.
pub fn dedup(paths: &[PathBuf], order: Order) -> Result<Deduplicated, LocalError> {
    let mut found = Deduplicated::default();
    let mut texts = read_signatures(paths, &mut found)?;
    if order == Order::Canonical {
        texts.sort_by(|a, b| a.0.cmp(&b.0));
    }
    let (ids, signatures): (Vec<String>, Vec<Option<Signature>>) = texts.into_iter().unzip();
    found.documents = ids.len() as u64;
    found.without_signature = signatures.iter().filter(|signature| signature.is_none()).count() as u64;
    let id = |number: u32| ids.get(number as usize).cloned().unwrap_or_default();
    let pairs = cluster::pairs_by_band(&signatures);
    let clusters = cluster::clusters(pairs.iter().flatten().copied(), order);
    found.removed = cluster::removed(&clusters).into_iter().map(id).collect();
    found.pairs_by_bucket = pairs
        .iter()
        .map(|pairs| {
            pairs
                .iter()
                .map(|(a, b)| format!("{} {}", id(*a), id(*b)))
                .collect()
        })
        .collect();
    found.clusters = (0..)
        .zip(&clusters)
        .map(|(cluster_id, cluster)| Cluster {
            cluster_id,
            kept: id(cluster.kept),
            size: cluster.members.len() as u64,
            members: cluster.members.iter().map(|member| id(*member)).collect(),
        })
        .collect();
    Ok(found)
}

type Signed = (String, Option<Signature>);

fn read_signatures(paths: &[PathBuf], found: &mut Deduplicated) -> Result<Vec<Signed>, LocalError> {
    let mut tokenizer = Tokenizer::new();
    let mut hasher = MinHasher::new();
    let (mut simplified, mut tokens) = (String::new(), Vec::new());
    let mut texts = Vec::new();
    for path in paths {
        let mut reader = TextReader::open(Some(path))?;
        while let Some(line) = reader.next_line()? {
            found.unreadable.see(reader.name(), &line);
            let Ok(given) = line.text else {
                continue;
            };
            simplify(&given.text, &mut simplified);
            tokens.clear();
            tokenizer.tokenize(&simplified, &mut tokens);
            let id = match given.id {
                serde_json::Value::String(id) => id,
                // A text without an id is named by its place.
                serde_json::Value::Null => format!("{}:{}", path.display(), line.number),
                other => other.to_string(),
            };
            texts.push((id, hasher.signature(&simplified, &tokens)));
        }
    }
    Ok(texts)
}

//! Held-out text: domains of documents in clusters, chosen by a seed, cut and tokenised once for all arms.
//!
//! Documents come from an evaluation pack or the files of `--eval`; a [`HeldOutSet`] leaves. A cluster is a registered domain
//! or a work: documents of one cluster are not independent, so intervals resample clusters (docs/evaluation.md).

use std::collections::BTreeMap;

use assay_types::{Digest, tagged_hash, u64_le};
use thiserror::Error;

use crate::ngram::{HeldOut, Order};
use crate::tokenizer::Tokenizer;

/// Most documents of a domain (docs/evaluation.md).
pub const DOCUMENTS_MAX: usize = 256;

/// Most documents of a cluster (docs/evaluation.md).
pub const CLUSTER_DOCUMENTS_MAX: usize = 8;

/// Fewest clusters of a domain for intervals that hold; fewer raise a flag (docs/evaluation.md).
pub const CLUSTERS_MIN: usize = 40;

/// Fewest clusters of a domain at all: nothing can be resampled from one.
pub const CLUSTERS_LEAST: usize = 2;

/// Bytes a document is cut to, at a character boundary (docs/evaluation.md).
pub const DOCUMENT_BYTES_MAX: usize = 2_000;

/// Most domains of an evaluation.
pub const DOMAINS_MAX: usize = 64;

/// One held-out document as it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldOutDocument {
    /// Its id, unique in the domain.
    pub id: String,
    /// Its work or registered domain.
    pub cluster: String,
    /// Its text.
    pub text: String,
}

/// A kind of text with documents to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// Its name.
    pub name: String,
    /// Its documents.
    pub documents: Vec<HeldOutDocument>,
}

/// Why there is nothing to evaluate on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HeldOutError {
    /// No domain was given.
    #[error("no evaluation text was given")]
    NoDomain,
    /// More domains than are scored.
    #[error("`{0}` domains are more than {DOMAINS_MAX}")]
    Domains(usize),
    /// A domain's documents come from too few works or sites.
    #[error(
        "evaluation domain `{name}` has text of `{clusters}` works or sites, at least {CLUSTERS_LEAST} are needed for an interval"
    )]
    Clusters {
        /// The domain.
        name: String,
        /// Clusters with text.
        clusters: usize,
    },
}

/// A cluster of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cluster {
    /// Its documents' places in the set.
    pub(crate) documents: Vec<usize>,
    /// Their bytes.
    pub(crate) bytes: u64,
}

/// The chosen documents, ready to be scored.
#[derive(Debug)]
pub struct HeldOutSet {
    /// Digest of names, ids and cut texts.
    pub id: Digest,
    names: Vec<String>,
    /// Clusters of each domain, in order of their names.
    pub(crate) clusters: Vec<Vec<Cluster>>,
    pub(crate) prepared: HeldOut,
    texts: Vec<String>,
}

impl HeldOutSet {
    /// Chooses documents of every domain by `seed`, domains in order of their names.
    ///
    /// # Errors
    /// [`HeldOutError`]: no domain, too many, or one with text of fewer than two clusters.
    pub fn choose(mut domains: Vec<Domain>, seed: &[u8], order: Order) -> Result<Self, HeldOutError> {
        if domains.is_empty() {
            return Err(HeldOutError::NoDomain);
        }
        if domains.len() > DOMAINS_MAX {
            return Err(HeldOutError::Domains(domains.len()));
        }
        domains.sort_by(|a, b| a.name.cmp(&b.name));
        let mut texts = Vec::new();
        let mut clusters = Vec::new();
        let mut parts: Vec<u8> = Vec::new();
        for domain in &domains {
            add_part(&mut parts, &domain.name);
            let mut of_domain: BTreeMap<&str, Cluster> = BTreeMap::new();
            for document in chosen(domain, seed) {
                let text = cut(&document.text);
                let cluster = of_domain.entry(&document.cluster).or_insert(Cluster {
                    documents: Vec::new(),
                    bytes: 0,
                });
                cluster.documents.push(texts.len());
                cluster.bytes += text.len() as u64;
                add_part(&mut parts, &document.id);
                add_part(&mut parts, text);
                texts.push(text.to_owned());
            }
            if of_domain.len() < CLUSTERS_LEAST {
                return Err(HeldOutError::Clusters {
                    name: domain.name.clone(),
                    clusters: of_domain.len(),
                });
            }
            clusters.push(of_domain.into_values().collect());
        }
        let tokens = Tokenizer::default().encode_all(&texts);
        Ok(Self {
            id: tagged_hash("assay/eval-set/1", &[&parts]),
            names: domains.into_iter().map(|domain| domain.name).collect(),
            clusters,
            prepared: HeldOut::new(order, tokens.iter().map(Vec::as_slice)),
            texts,
        })
    }

    /// Names of the domains, in order.
    pub fn domains(&self) -> &[String] {
        &self.names
    }

    /// Documents that were chosen, of all domains.
    pub fn documents(&self) -> usize {
        self.texts.len()
    }

    /// The chosen texts, cut.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }

    /// Clusters of the domain that has the fewest.
    pub fn clusters_min(&self) -> usize {
        self.clusters.iter().map(Vec::len).min().unwrap_or(0)
    }
}

fn add_part(parts: &mut Vec<u8>, part: &str) {
    parts.extend_from_slice(&(part.len() as u64).to_le_bytes());
    parts.extend_from_slice(part.as_bytes());
}

/// The documents of a domain in order of their hash, few of each cluster, as many as are scored; empty texts are passed over.
fn chosen<'a>(domain: &'a Domain, seed: &[u8]) -> Vec<&'a HeldOutDocument> {
    let mut all: Vec<(u64, &HeldOutDocument)> = domain
        .documents
        .iter()
        .filter(|document| !document.text.is_empty())
        .map(|document| {
            let hash = tagged_hash("assay/eval/1", &[seed, document.id.as_bytes()]);
            (u64_le(&hash), document)
        })
        .collect();
    all.sort_by(|(a, x), (b, y)| (a, &x.id, &x.text).cmp(&(b, &y.id, &y.text)));
    let mut of_cluster: BTreeMap<&str, usize> = BTreeMap::new();
    all.into_iter()
        .map(|(_, document)| document)
        .filter(|document| {
            let taken = of_cluster.entry(&document.cluster).or_default();
            *taken += 1;
            *taken <= CLUSTER_DOCUMENTS_MAX
        })
        .take(DOCUMENTS_MAX)
        .collect()
}

/// The text's first [`DOCUMENT_BYTES_MAX`] bytes, at a character boundary.
fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(DOCUMENT_BYTES_MAX))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(name: &str, clusters: usize, each: usize) -> Domain {
        let document = |number: usize| HeldOutDocument {
            id: format!("{name}-{number}"),
            cluster: format!("work-{}", number / each),
            text: format!("Text {number} of {name}. ").repeat(200),
        };
        Domain {
            name: name.to_owned(),
            documents: (0..clusters * each).map(document).collect(),
        }
    }

    #[test]
    fn clusters_and_documents_are_bounded() {
        let set = HeldOutSet::choose(vec![domain("b", 50, 20), domain("a", 3, 2)], b"s", Order::V1).unwrap();
        assert_eq!(set.domains(), ["a", "b"]);
        let documents: Vec<usize> = set.clusters[1]
            .iter()
            .map(|cluster| cluster.documents.len())
            .collect();
        assert_eq!(documents.iter().sum::<usize>(), DOCUMENTS_MAX);
        assert!(
            documents
                .iter()
                .all(|documents| *documents <= CLUSTER_DOCUMENTS_MAX)
        );
        assert!(set.texts().all(|text| text.len() <= DOCUMENT_BYTES_MAX));
        assert_eq!(set.clusters_min(), 3);
    }

    #[test]
    fn the_order_of_domains_and_documents_changes_nothing() {
        let mut second = domain("b", 50, 20);
        second.documents.reverse();
        let one = HeldOutSet::choose(vec![domain("a", 3, 2), domain("b", 50, 20)], b"s", Order::V1).unwrap();
        let two = HeldOutSet::choose(vec![second, domain("a", 3, 2)], b"s", Order::V1).unwrap();
        let other =
            HeldOutSet::choose(vec![domain("a", 3, 2), domain("b", 50, 20)], b"t", Order::V1).unwrap();
        assert_eq!(one.id, two.id);
        assert_ne!(one.id, other.id);
    }

    #[test]
    fn too_little_text_says_so() {
        let of = |domains| HeldOutSet::choose(domains, b"s", Order::V1).unwrap_err();
        assert_eq!(of(Vec::new()), HeldOutError::NoDomain);
        let clusters = HeldOutError::Clusters {
            name: "a".to_owned(),
            clusters: 1,
        };
        assert_eq!(of(vec![domain("a", 1, 5)]), clusters);
        assert_eq!(
            of((0..65).map(|n| domain(&n.to_string(), 2, 1)).collect()),
            HeldOutError::Domains(65)
        );
    }
}

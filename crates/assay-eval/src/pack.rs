//! Evaluation packs: held-out text in domains, and pure text of the same domains that shares no work with it.
//!
//! Documents come in by domain and leave as JSON Lines: a header with a digest over all later lines, then one document a line.
//! A pack is read back only if the digest fits, so a published number names the text it was measured on.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read as _, Write};

use assay_types::{Digest, tagged_hash, u64_le};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::arm::TrainingDocument;
use crate::held_out::{DOMAINS_MAX, Domain, HeldOutDocument};

/// The `schema` of a pack's header.
pub const PACK_SCHEMA: &str = "assay.pack/1";

/// Most bytes of a pack.
pub const PACK_BYTES_MAX: u64 = 1 << 30;

/// One work of this many is held out; the rest is pure text (docs/evaluation.md).
const HELD_OUT_ONE_IN: u64 = 5;

/// Most bytes of the header line.
const HEADER_BYTES_MAX: u64 = 64 << 10;

/// Why a pack cannot be made or read.
#[derive(Debug, Error)]
pub enum PackError {
    /// The bytes could not be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Not the form of a pack.
    #[error("no evaluation pack: line `{line}` {what}")]
    Form {
        /// Line from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// Another schema than this build reads.
    #[error("evaluation pack of schema `{0}`, this build reads `{PACK_SCHEMA}`")]
    Schema(String),
    /// Lines were changed, added or lost.
    #[error("evaluation pack was changed: its lines have digest `{found}`, its header says `{expected}`")]
    Digest {
        /// Of the header.
        expected: Digest,
        /// Of the lines.
        found: Digest,
    },
    /// Too large.
    #[error("evaluation pack of more than {PACK_BYTES_MAX} bytes")]
    TooLarge,
    /// More domains than are scored.
    #[error("`{0}` domains are more than {DOMAINS_MAX}")]
    Domains(usize),
    /// No work of a domain fell to the held-out side, or none to the pure side.
    #[error("domain `{0}` has too few works: some must be held out and some left as pure text")]
    Works(String),
}

/// First line of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackHeader {
    /// [`PACK_SCHEMA`].
    pub schema: String,
    /// Names of the domains, in order.
    pub domains: Vec<String>,
    /// Held-out documents.
    pub held_out: u64,
    /// Pure documents.
    pub pure: u64,
    /// Digest of all later lines.
    pub digest: Digest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    HeldOut,
    Pure,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    part: Part,
    domain: String,
    id: String,
    cluster: String,
    text: String,
}

/// A pack in memory.
#[derive(Debug)]
pub struct Pack {
    /// Its header.
    pub header: PackHeader,
    /// Held-out text.
    pub domains: Vec<Domain>,
    /// Pure text.
    pub pure: Vec<TrainingDocument>,
}

/// Makes a pack.
#[derive(Debug, Default)]
pub struct PackBuilder {
    domains: BTreeMap<String, Vec<HeldOutDocument>>,
}

impl PackBuilder {
    /// Adds a document of a domain.
    pub fn push(&mut self, domain: &str, document: HeldOutDocument) {
        if let Some(documents) = self.domains.get_mut(domain) {
            documents.push(document);
        } else {
            self.domains.insert(domain.to_owned(), vec![document]);
        }
    }

    /// Splits by work and writes the pack; its header comes back.
    ///
    /// # Errors
    /// [`PackError`]: a domain with too few works, too many domains, a writer that fails.
    pub fn write(self, mut to: impl Write) -> Result<PackHeader, PackError> {
        if self.domains.len() > DOMAINS_MAX {
            return Err(PackError::Domains(self.domains.len()));
        }
        let mut body = Vec::new();
        let (mut held_out, mut pure) = (0, 0);
        let domains: Vec<String> = self.domains.keys().cloned().collect();
        for (domain, mut documents) in self.domains {
            documents.sort_by(|a, b| (&a.id, &a.text).cmp(&(&b.id, &b.text)));
            let before = (held_out, pure);
            for document in documents {
                let part = part_of(&document.cluster);
                match part {
                    Part::HeldOut => held_out += 1,
                    Part::Pure => pure += 1,
                }
                let line = Line {
                    part,
                    domain: domain.clone(),
                    id: document.id,
                    cluster: document.cluster,
                    text: document.text,
                };
                serde_json::to_writer(&mut body, &line).map_err(io::Error::from)?;
                body.push(b'\n');
            }
            if held_out == before.0 || pure == before.1 {
                return Err(PackError::Works(domain));
            }
        }
        let header = PackHeader {
            schema: PACK_SCHEMA.to_owned(),
            domains,
            held_out,
            pure,
            digest: digest_of(&body),
        };
        serde_json::to_writer(&mut to, &header).map_err(io::Error::from)?;
        to.write_all(b"\n")?;
        to.write_all(&body)?;
        to.flush()?;
        Ok(header)
    }
}

fn part_of(work: &str) -> Part {
    let hash = tagged_hash("assay/pack-split/1", &[work.as_bytes()]);
    if u64_le(&hash).is_multiple_of(HELD_OUT_ONE_IN) {
        Part::HeldOut
    } else {
        Part::Pure
    }
}

fn digest_of(body: &[u8]) -> Digest {
    tagged_hash("assay/pack/1", &[body])
}

impl Pack {
    /// Reads a pack and checks its digest.
    ///
    /// # Errors
    /// [`PackError`]: what is wrong and in which line.
    pub fn read(mut from: impl BufRead) -> Result<Self, PackError> {
        let mut first = Vec::new();
        (&mut from).take(HEADER_BYTES_MAX).read_until(b'\n', &mut first)?;
        let header: PackHeader = parse(&first, 1)?;
        if header.schema != PACK_SCHEMA {
            return Err(PackError::Schema(header.schema));
        }
        let mut body = Vec::new();
        from.take(PACK_BYTES_MAX + 1).read_to_end(&mut body)?;
        if body.len() as u64 > PACK_BYTES_MAX {
            return Err(PackError::TooLarge);
        }
        let found = digest_of(&body);
        if found != header.digest {
            return Err(PackError::Digest {
                expected: header.digest,
                found,
            });
        }
        let mut domains: BTreeMap<String, Vec<HeldOutDocument>> = BTreeMap::new();
        let mut pure = Vec::new();
        for (number, line) in (2..).zip(body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())) {
            let line: Line = parse(line, number)?;
            match line.part {
                Part::HeldOut => domains.entry(line.domain).or_default().push(HeldOutDocument {
                    id: line.id,
                    cluster: line.cluster,
                    text: line.text,
                }),
                Part::Pure => pure.push(TrainingDocument {
                    id: format!("{}/{}", line.domain, line.id),
                    url: String::new(),
                    text: line.text,
                }),
            }
        }
        let domains = domains
            .into_iter()
            .map(|(name, documents)| Domain { name, documents });
        Ok(Self {
            header,
            domains: domains.collect(),
            pure,
        })
    }
}

fn parse<'a, T: Deserialize<'a>>(line: &'a [u8], number: u64) -> Result<T, PackError> {
    serde_json::from_slice(line).map_err(|error| PackError::Form {
        line: number,
        what: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(works: usize) -> Result<Vec<u8>, PackError> {
        let mut builder = PackBuilder::default();
        for work in 0..works {
            for piece in 0..2 {
                let document = HeldOutDocument {
                    id: format!("w{work}#{piece}"),
                    cluster: format!("w{work}"),
                    text: format!("Piece {piece} of work {work}."),
                };
                builder.push("prose", document);
            }
        }
        let mut bytes = Vec::new();
        builder.write(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn no_work_is_on_both_sides() {
        let pack = Pack::read(pack(40).unwrap().as_slice()).unwrap();
        assert_eq!(
            (
                pack.header.held_out + pack.header.pure,
                pack.header.domains.as_slice()
            ),
            (80, &["prose".to_owned()][..])
        );
        let held: Vec<&str> = pack.domains[0]
            .documents
            .iter()
            .map(|document| document.cluster.as_str())
            .collect();
        assert_eq!(held.len() as u64, pack.header.held_out);
        assert!((2..40).contains(&held.len()));
        for document in &pack.pure {
            let work = document
                .id
                .trim_start_matches("prose/")
                .split('#')
                .next()
                .unwrap();
            assert!(!held.contains(&work), "{work} is on both sides");
        }
    }

    #[test]
    fn a_changed_pack_is_refused() {
        let bytes = pack(40).unwrap();
        for end in [0, 1, 50, bytes.len() / 2, bytes.len() - 1] {
            assert!(Pack::read(&bytes[..end]).is_err(), "cut at {end}");
        }
        for at in (0..bytes.len()).step_by(7) {
            let mut other = bytes.clone();
            other[at] ^= 1;
            let kept = Pack::read(other.as_slice()).map(|pack| pack.header);
            // Numbers of documents in the header are not covered by the digest of the lines.
            assert!(
                kept.is_err() || at < bytes.iter().position(|byte| *byte == b'\n').unwrap(),
                "changed at {at}"
            );
        }
        assert!(matches!(pack(1), Err(PackError::Works(_))));
    }
}

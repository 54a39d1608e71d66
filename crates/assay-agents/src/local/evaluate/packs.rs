//! Evaluation packs and indexes of 13-grams as files: made, opened and checked.
//!
//! What they hold is decided by [`assay_eval::pack`] and [`assay_eval::contamination`].

use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use assay_chain::drand::QUICKNET;
use assay_eval::contamination::{GramIndex, GramIndexBuilder};
use assay_eval::held_out::HeldOutDocument;
use assay_eval::pack::{Pack, PackBuilder, PackHeader};
use fs_err as fs;
use serde::Serialize;

use super::domains::for_each_domain;
use super::read::{Given, read, read_items};
use super::seal::{sealed_header, write_sealed};
use super::{EvaluateError, Input};
use crate::local::LocalError;
use crate::local::output::write_atomically;

/// Name of the domain of a dataset's pages.
const PAGES: &str = "pages";

/// Reads a pack and checks its digest.
pub(super) fn open_pack(path: &Path) -> Result<Pack, LocalError> {
    let file = fs::File::open(path).map_err(LocalError::io(path))?;
    if let Some(header) = sealed_header(path) {
        return Err(EvaluateError::StillSealed {
            path: path.to_owned(),
            round: header.round,
        }
        .into());
    }
    Pack::read(BufReader::new(file)).map_err(|source| {
        EvaluateError::Pack {
            path: path.to_owned(),
            source,
        }
        .into()
    })
}

/// Reads an index and checks its digest.
pub(super) fn open_index(path: &Path) -> Result<GramIndex, LocalError> {
    let file = fs::File::open(path).map_err(LocalError::io(path))?;
    GramIndex::read(BufReader::new(file)).map_err(|source| {
        EvaluateError::Index {
            path: path.to_owned(),
            source,
        }
        .into()
    })
}

/// What a pack holds, and how it is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackSummary {
    /// The pack's header.
    #[serde(flatten)]
    pub header: PackHeader,
    /// The round that opens it; absent if it is not sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed_to: Option<u64>,
}

/// Writes an evaluation pack of folders or files, one domain each; sealed to a round of drand quicknet, if one is given.
///
/// # Errors
/// [`LocalError`]: unreadable input, two domains of one name, too few works, an output that cannot be written.
pub fn make_pack(input: &[PathBuf], out: &Path, round: Option<u64>) -> Result<PackSummary, LocalError> {
    let inputs: Vec<Input> = input.iter().cloned().map(Input::from).collect();
    let mut builder = PackBuilder::default();
    for_each_domain(&inputs, |name, document| builder.push(name, document))?;
    finish(builder, out, round)
}

/// Writes an evaluation pack of a dataset whose pages may all be one site's: one domain, each page a work of its own.
///
/// # Errors
/// As [`make_pack`].
pub fn make_pack_of_pages(dataset: &Path, out: &Path) -> Result<PackSummary, LocalError> {
    let mut builder = PackBuilder::default();
    read(&Input::from(dataset.to_owned()), &mut |batch: Vec<Given>| {
        for given in batch {
            let document = HeldOutDocument {
                cluster: given.id.clone(),
                id: given.id,
                text: given.text,
            };
            builder.push(PAGES, document);
        }
        Ok(())
    })?;
    finish(builder, out, None)
}

/// Writes a pack that has all its documents.
fn finish(builder: PackBuilder, out: &Path, round: Option<u64>) -> Result<PackSummary, LocalError> {
    let mut bytes = Vec::new();
    let header = builder.write(&mut bytes).map_err(|source| EvaluateError::Pack {
        path: out.to_owned(),
        source,
    })?;
    let sealed_to = if let Some(round) = round {
        Some(write_sealed(&QUICKNET, (&bytes, header.digest), round, out)?.round)
    } else {
        write_atomically(out, &bytes)?;
        None
    };
    Ok(PackSummary { header, sealed_to })
}

/// What an index holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IndexSummary {
    /// Texts read; an item of a benchmark is up to three, if it is printed and asked in other words.
    pub texts: u64,
    /// Distinct hashes.
    pub grams: u64,
    /// What pins the index.
    pub digest: assay_types::Digest,
}

/// Writes an index of 13-grams of texts and benchmark items.
///
/// # Errors
/// [`LocalError`]: unreadable input, or an output that cannot be written.
pub fn make_index(input: &[PathBuf], out: &Path) -> Result<IndexSummary, LocalError> {
    let mut builder = GramIndexBuilder::default();
    let mut texts = 0;
    for path in input {
        let before = texts;
        let unreadable = read_items(&Input::from(path.clone()), &mut |batch: Vec<Given>| {
            texts += batch.len() as u64;
            for given in &batch {
                builder.push(&given.text);
            }
            Ok(())
        })?;
        if texts == before {
            return Err(EvaluateError::Empty {
                path: path.clone(),
                unreadable,
            }
            .into());
        }
    }
    let index = builder.finish();
    let mut bytes = BufWriter::new(Vec::new());
    let write = index.write(&mut bytes).and_then(|()| bytes.flush());
    write.map_err(LocalError::io(out))?;
    write_atomically(out, bytes.get_ref())?;
    Ok(IndexSummary {
        texts,
        grams: index.len() as u64,
        digest: index.digest(),
    })
}

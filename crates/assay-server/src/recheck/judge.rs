//! Whether a proof's fault is there: the archive's bytes read and refined again.
//!
//! Structure and signature were checked at the door. `gap` needs nothing more; `row_wrong`, `row_missing` and `dup_wrong` read the
//! archive; `column_wrong` reads the published document too.

use super::RecheckTask;
use super::column::{Published, column_wrong};
use assay_hub::store::StoreError;
use assay_hub::{HubError, Input, OpenOptions, Source, open, open_range};
use assay_refine::engine::{Detail, Engine, EngineError, Outcome, Refined, Scratch};
use assay_refine::url_lists::UrlLists;
use assay_refine::verify::expected_row;
use assay_refine::warc::{ArchiveReader, ArchiveRecord, Compression, RecordContent, record_from_range};
use assay_types::api::ProofState;
use assay_types::{
    Executed, FraudError, FraudKind, FraudProof, ProofRow, Recipe, RecipeError, SourceRange, blake3_16,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Where Common Crawl's archives are.
const COMMON_CRAWL: &str = "https://data.commoncrawl.org";

/// What re-execution said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// Where the proof stands.
    pub state: ProofState,
    /// In a sentence.
    pub finding: String,
}

/// Why a proof could not be judged here.
#[derive(Debug, Error)]
pub enum RecheckError {
    /// The proof.
    #[error(transparent)]
    Proof(#[from] FraudError),
    /// The recipe is none.
    #[error("the recipe cannot be read")]
    Recipe(#[from] RecipeError),
    /// This engine does not run the recipe.
    #[error("the recipe cannot be run here")]
    Engine(#[from] EngineError),
    /// The archive does not open.
    #[error("the archive cannot be read")]
    Archive(#[from] HubError),
    /// The published documents cannot be read for the moment.
    #[error("the published documents cannot be read")]
    Published(#[from] StoreError),
    /// The archive is none.
    #[error("the archive is no WARC file")]
    Format,
}

/// Where a judge reads.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// The folder that holds archives whose source is `file`, or the address before their paths.
    pub archives: &'a str,
    /// Where documents are published; none if that is not known.
    pub published: Option<Published<'a>>,
}

/// Judges a proof.
///
/// # Errors
/// [`RecheckError`] if the archive or recipe is not to be had: then nothing is said about the fault.
pub fn judge(task: &RecheckTask, places: &Places<'_>, options: &OpenOptions) -> Result<Judged, RecheckError> {
    let proof = FraudProof::parse(task.proof.as_bytes())?;
    if let Err(error) = proof.check_structure() {
        return Ok(refuted(error.to_string()));
    }
    if proof.kind == FraudKind::Gap {
        return Ok(listed("two neighbouring rows do not meet"));
    }
    let engine = Engine::new(Recipe::parse_canonical(&task.recipe)?, &UrlLists::default())?;
    if engine.recipe_id() != proof.unit.recipe_id {
        return Ok(refuted("the proof is about another recipe".to_owned()));
    }
    let archive = archive_of(&proof, places.archives)?;
    let archive = Archive {
        compression: ArchiveReader::new(open(&archive, options)?, engine.read_limits())
            .map_err(|_| RecheckError::Format)?
            .compression(),
        source: archive,
        options,
        engine: &engine,
    };
    match proof.kind {
        FraudKind::RowWrong => row_wrong(&proof, &archive),
        FraudKind::RowMissing => row_missing(&proof, &archive),
        FraudKind::ColumnWrong => column_wrong(&proof, &archive, places.published),
        _ => dup_wrong(&proof, &archive),
    }
}

pub(super) fn listed(finding: &str) -> Judged {
    Judged {
        state: ProofState::Listed,
        finding: finding.to_owned(),
    }
}

pub(super) fn refuted(finding: String) -> Judged {
    Judged {
        state: ProofState::Refuted,
        finding,
    }
}

pub(super) fn unreachable(finding: String) -> Judged {
    Judged {
        state: ProofState::Unreachable,
        finding,
    }
}

/// Where the accused unit's archive is.
fn archive_of(proof: &FraudProof, place: &str) -> Result<Source, HubError> {
    let (source, path) = (proof.unit.source.as_str(), proof.unit.warc_path.as_str());
    match source {
        "cc" => Source::url(&format!("{COMMON_CRAWL}/{path}")),
        "file" => own_archive(path, place),
        scheme => Source::url(&format!("{scheme}:{path}")),
    }
}

/// An archive of the subnet's own: its path is a stranger's and may not lead out of the folder or what the address leads to.
fn own_archive(path: &str, place: &str) -> Result<Source, HubError> {
    let missing = || HubError::NoSuchFile {
        path: path.to_owned(),
    };
    if place.contains("://") {
        if path.split('/').any(|part| part == "..") || path.contains(['?', '#', '\\', '%']) {
            return Err(missing());
        }
        let (base, path) = (place.trim_end_matches('/'), path.trim_start_matches('/'));
        return Source::url(&format!("{base}/{path}"));
    }
    // Only its last part, below the folder.
    let name = path.rsplit('/').next().unwrap_or_default();
    let file = std::path::Path::new(place).join(name);
    let bytes = fs_err::metadata(&file).ok().map(|metadata| metadata.len());
    let found = Source::file(file, bytes)?;
    match &found.input {
        Input::File(file) if !file.is_file() => Err(missing()),
        _ => Ok(found),
    }
}

pub(super) struct Archive<'a> {
    source: Source,
    compression: Compression,
    options: &'a OpenOptions,
    engine: &'a Engine,
}

impl Archive<'_> {
    /// The bytes of a range, if they are the ones the proof shows.
    pub(super) fn bytes(&self, range: &SourceRange) -> Result<Option<Vec<u8>>, RecheckError> {
        match open_range(&self.source, self.options, range.offset, u64::from(range.length)) {
            // Records that are no content have no digest in the ledger.
            Ok(bytes) if range.digest.is_zero() || blake3_16(&bytes) == range.digest => Ok(Some(bytes)),
            Ok(_) | Err(HubError::ShortRange { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn refine(&self, row: &ProofRow, bytes: &[u8]) -> Refined {
        let record = ArchiveRecord {
            idx: row.row.idx,
            offset: row.row.offset,
            length: bytes.len() as u64,
            digest: blake3_16(bytes).0,
            content: record_from_range(bytes, self.compression, &self.engine.read_limits()),
        };
        self.engine.refine(&mut Scratch::new(), &record, Detail::Decision)
    }
}

pub(super) const OTHER_BYTES: &str = "the archive does not hold the bytes that the proof shows";

fn row_wrong(proof: &FraudProof, archive: &Archive<'_>) -> Result<Judged, RecheckError> {
    let (Some(row), Some(range)) = (proof.rows.first(), proof.sources.first()) else {
        return Ok(refuted("the proof shows no row".to_owned()));
    };
    let Some(bytes) = archive.bytes(range)? else {
        return Ok(refuted(OTHER_BYTES.to_owned()));
    };
    let refined = archive.refine(row, &bytes);
    let passed = matches!(refined.outcome, Outcome::Passed(_));
    let expected = expected_row(&refined, row.row.dup_of.filter(|_| passed));
    let executed = Executed {
        decision: expected.decision,
        reason: expected.reason,
        text_hash: expected.text_hash,
        n_tokens: expected.n_tokens,
    };
    let digest_differs = expected.record_digest != row.row.record_digest;
    Ok(if executed.agrees_with(&row.row) && !digest_differs {
        refuted("re-execution gives the published row".to_owned())
    } else {
        listed("re-execution gives another row than the published one")
    })
}

fn row_missing(proof: &FraudProof, archive: &Archive<'_>) -> Result<Judged, RecheckError> {
    let Some(range) = proof.sources.first() else {
        return Ok(refuted("the proof shows no range".to_owned()));
    };
    let Some(bytes) = archive.bytes(range)? else {
        return Ok(refuted(OTHER_BYTES.to_owned()));
    };
    let content = record_from_range(&bytes, archive.compression, &archive.engine.read_limits());
    Ok(if matches!(content, RecordContent::Record(_)) {
        listed("a record begins inside a published row's range")
    } else {
        refuted("no record begins there".to_owned())
    })
}

fn dup_wrong(proof: &FraudProof, archive: &Archive<'_>) -> Result<Judged, RecheckError> {
    let mut bands = Vec::new();
    for (row, range) in proof.rows.iter().zip(&proof.sources) {
        let Some(bytes) = archive.bytes(range)? else {
            return Ok(refuted(OTHER_BYTES.to_owned()));
        };
        bands.push(match archive.refine(row, &bytes).outcome {
            Outcome::Passed(document) => document.bands,
            Outcome::Dropped(_) => None,
        });
    }
    let shares = match bands.as_slice() {
        [Some(a), Some(b)] => a.share_a_band(b),
        _ => false,
    };
    let claimed = proof.rows.first().is_some_and(|row| row.row.dup_of.is_some());
    Ok(if shares == claimed {
        refuted("the rows are duplicates exactly as published".to_owned())
    } else {
        listed("the rows are not duplicates as published")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_archives_stay_where_they_are() {
        let base = "https://data.example.org/crawl/";
        let found = own_archive("a/b.warc.gz", base).unwrap();
        let expected = "https://data.example.org/crawl/a/b.warc.gz";
        assert!(
            matches!(&found.input, Input::Url(url) if url.as_str() == expected),
            "{found:?}"
        );
        for path in ["../b", "a/../../b", "b?x=1", "%2e%2e/b"] {
            assert!(own_archive(path, base).is_err(), "{path}");
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("b.warc.gz"), b"12345").unwrap();
        let place = folder.path().to_string_lossy().into_owned();
        assert_eq!(own_archive("../x/b.warc.gz", &place).unwrap().bytes, Some(5));
        assert!(own_archive("c.warc.gz", &place).is_err());
    }
}

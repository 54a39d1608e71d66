//! `manifest.json`: every unit of a submission or local run with its files, counts and roots.
//!
//! The writer of a dataset builds it last; `verify`, validators and readers parse it first. Canonical JSON of
//! mechanism §6.2; a local run has all chain fields zero (§6.3).

use crate::canonical_json::{CanonicalJsonError, JSON_BYTES_MAX, emit, parse_as};
use crate::hash::{Digest, Sha256Digest};
use crate::ids::{BlockNumber, Bytes, Hotkey, NetUid, RecipeId, Round, Tokens, UnitId};
use crate::manifest_check;
use crate::roots::{Submitter, UnitRootParts, files_digest, submission_root, unit_root};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The `protocol` of this version.
pub const PROTOCOL: &str = "assay/1";

/// Name of the manifest in a dataset's folder.
pub const MANIFEST_FILE: &str = "manifest.json";

/// Most bytes of a manifest of a round (mechanism §2).
pub const MANIFEST_BYTES_MAX: usize = JSON_BYTES_MAX;

/// Most bytes of a manifest of a local run, which may hold a whole crawl (about 900 bytes a unit, 90,000 units).
pub const LOCAL_MANIFEST_BYTES_MAX: usize = 256 << 20;

/// Why bytes are no manifest, or a manifest contradicts itself.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// Not canonical JSON of the right keys.
    #[error("manifest cannot be read")]
    Json(#[from] CanonicalJsonError),
    /// Another protocol version.
    #[error("manifest speaks `{0}`, not `{PROTOCOL}`")]
    Protocol(String),
    /// A path that leaves the dataset's folder or is not where the format puts the file.
    #[error("path `{path}` of unit `{unit}` is not `{expected}`")]
    Path {
        /// Unit with the path.
        unit: UnitId,
        /// Path found.
        path: String,
        /// Form wanted.
        expected: String,
    },
    /// A source, archive path or other text with control characters or beyond its length.
    #[error("{field} is longer than {max} bytes, or empty, or holds control characters")]
    Text {
        /// Key of the manifest.
        field: &'static str,
        /// Bytes allowed.
        max: usize,
    },
    /// Numbers of a unit that cannot be true together.
    #[error("unit `{unit}`: {what}")]
    Count {
        /// The unit.
        unit: UnitId,
        /// What disagrees, with the numbers.
        what: String,
    },
    /// Units that are not in strictly ascending order of their ids.
    #[error("unit `{0}` stands out of order")]
    Order(UnitId),
    /// A digest that is not the one of the parts it stands for.
    #[error("{field} is `{found}`, its parts give `{expected}`")]
    Root {
        /// Key of the manifest.
        field: &'static str,
        /// Digest recomputed.
        expected: String,
        /// Digest found.
        found: String,
    },
}

/// What the offsets of a unit's ledger count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Addressing {
    /// Bytes of the archive itself: gzip members, zstd frames or a plain file. The only form a round accepts.
    Member,
    /// Inflated bytes, where the whole archive is one compressed member.
    Inflated,
}

/// A published file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Path below the dataset's folder, `/` between parts.
    pub path: String,
    /// Length in bytes.
    pub bytes: Bytes,
    /// SHA-256 of the file.
    pub sha256: Sha256Digest,
}

/// The ledger's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LedgerEntry {
    /// Path below the dataset's folder.
    pub path: String,
    /// Length in bytes.
    pub bytes: Bytes,
    /// SHA-256 of the file.
    pub sha256: Sha256Digest,
    /// Merkle root over the rows' leaves.
    pub root: Digest,
}

/// One file of documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocsEntry {
    /// Path below the dataset's folder.
    pub path: String,
    /// Length in bytes.
    pub bytes: Bytes,
    /// Documents in it.
    pub rows: u32,
    /// SHA-256 of the file.
    pub sha256: Sha256Digest,
}

/// One archive and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ManifestUnit {
    /// `UnitId::of(source, warc_path)`.
    pub unit_id: UnitId,
    /// Source of the archive: `cc`, `file`, `http`, ….
    pub source: String,
    /// Path of the archive in its source.
    pub warc_path: String,
    /// Bytes the ledger covers: the archive's, or the inflated stream's.
    pub warc_len: Bytes,
    /// What offsets count.
    pub addressing: Addressing,
    /// The recipe.
    pub recipe_id: RecipeId,
    /// Rows of the ledger.
    pub n_records: u32,
    /// Kept rows.
    pub n_kept: u32,
    /// GPT-2 tokens of the kept rows.
    pub n_tokens: Tokens,
    /// The ledger.
    pub ledger: LedgerEntry,
    /// The band keys.
    pub bands: FileEntry,
    /// The documents, by ascending path.
    pub docs: Vec<DocsEntry>,
    /// Digest over all of the above, see `roots::unit_root`.
    pub unit_root: Digest,
}

impl ManifestUnit {
    /// The parts of the unit root as the entries give them.
    pub fn root_parts(&self) -> UnitRootParts {
        UnitRootParts {
            unit_id: self.unit_id,
            recipe_id: self.recipe_id,
            n_records: self.n_records,
            n_kept: self.n_kept,
            ledger_root: self.ledger.root,
            files_digest: files_digest(&self.bands, &self.docs),
        }
    }

    /// Whether every file lies where the format puts it. A reader of a foreign manifest asks before it opens one: a path
    /// may lead out of the dataset.
    ///
    /// # Errors
    /// [`ManifestError::Path`] for the first path elsewhere, [`ManifestError::Count`] for too many files.
    pub fn check_paths(&self) -> Result<(), ManifestError> {
        manifest_check::check_paths(self)
    }

    /// The unit root recomputed from the entries.
    pub fn expected_root(&self) -> Digest {
        unit_root(&self.root_parts())
    }
}

/// The program that wrote a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Program name.
    pub name: String,
    /// Program version.
    pub version: String,
    /// Commit of a release build; the key is absent otherwise, so that builds do not change bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub git: String,
}

/// The whole of `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`PROTOCOL`].
    pub protocol: String,
    /// Hash of the chain's first block; zero in local runs, as all chain fields below.
    pub genesis: Digest,
    /// The subnet.
    pub netuid: NetUid,
    /// The round.
    pub round: Round,
    /// The miner.
    pub hotkey: Hotkey,
    /// Version of the parameter set.
    pub params_version: u32,
    /// Root of the corpus index.
    pub index_root: Digest,
    /// Digest over all units, see `roots::submission_root`.
    pub submission_root: Digest,
    /// The miner's submission before this one.
    pub prev_submission_root: Digest,
    /// The units by ascending id.
    pub units: Vec<ManifestUnit>,
    /// The program that wrote this.
    pub tool: Tool,
    /// Licence of the dataset.
    pub licence: String,
    /// Block at which the work began.
    pub created_block: BlockNumber,
}

impl Manifest {
    /// The manifest of a run outside of a round: chain fields zero, units sorted, roots computed.
    pub fn local(mut units: Vec<ManifestUnit>, tool: Tool, licence: &str) -> Self {
        units.sort_by_key(|unit| unit.unit_id);
        for unit in &mut units {
            unit.unit_root = unit.expected_root();
        }
        let mut manifest = Self {
            protocol: PROTOCOL.to_owned(),
            genesis: Digest::ZERO,
            netuid: NetUid(0),
            round: Round(0),
            hotkey: Hotkey::ZERO,
            params_version: 0,
            index_root: Digest::ZERO,
            submission_root: Digest::ZERO,
            prev_submission_root: Digest::ZERO,
            units,
            tool,
            licence: licence.to_owned(),
            created_block: BlockNumber(0),
        };
        manifest.submission_root = manifest.expected_root();
        manifest
    }

    /// The manifest in the canonical bytes of a round, at most 4 MiB, without contradictions.
    ///
    /// # Errors
    /// [`ManifestError`] for the first thing that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        Self::parse_within(bytes, MANIFEST_BYTES_MAX)
    }

    /// [`Self::parse`] with another bound on the bytes, for local runs.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_within(bytes: &[u8], bytes_max: usize) -> Result<Self, ManifestError> {
        let manifest: Self = parse_as(bytes, bytes_max)?;
        manifest.validate()?;
        Ok(manifest)
    }

    /// The form of [`Self::parse_within`] without [`Self::validate`], for a verifier that names each fault.
    ///
    /// # Errors
    /// [`ManifestError::Json`] if the bytes are not canonical JSON of the right keys.
    pub fn parse_unchecked(bytes: &[u8], bytes_max: usize) -> Result<Self, ManifestError> {
        Ok(parse_as(bytes, bytes_max)?)
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// [`ManifestError::Json`] if a count is 2^53 or more.
    pub fn to_canonical_bytes(&self) -> Result<Vec<u8>, ManifestError> {
        Ok(emit(self)?)
    }

    /// Whether protocol, texts, paths, counts, order and roots are right; files are not looked at.
    ///
    /// # Errors
    /// [`ManifestError`] for the first thing that is wrong.
    pub fn validate(&self) -> Result<(), ManifestError> {
        manifest_check::check(self)
    }

    /// Whose submission this is.
    pub fn submitter(&self) -> Submitter {
        Submitter {
            netuid: self.netuid,
            round: self.round,
            hotkey: self.hotkey,
        }
    }

    /// The submission root recomputed from the units' roots as they stand.
    pub fn expected_root(&self) -> Digest {
        let roots: Vec<Digest> = self.units.iter().map(|unit| unit.unit_root).collect();
        submission_root(&self.submitter(), &roots)
    }

    /// The unit of an id.
    pub fn unit(&self, id: &UnitId) -> Option<&ManifestUnit> {
        self.units.iter().find(|unit| unit.unit_id == *id)
    }
}

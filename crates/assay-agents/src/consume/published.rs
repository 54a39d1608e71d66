//! A published revision as a dataset: its manifest, and whether it is the one that a pointer of the chain names.
//!
//! The manifest is parsed once and its roots are recomputed; files are looked at by `pull`.

use assay_hub::store::{ObjectPath, Store, View};
use assay_types::{
    LOCAL_MANIFEST_BYTES_MAX, MANIFEST_FILE, Manifest, Pointer, RepoName, Revision, Sha256Digest,
};

use super::error::ConsumeError;

/// Something that is not as promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What differs: a key of the manifest or the pointer, or a file.
    pub what: String,
    /// What was promised.
    pub expected: String,
    /// What is there.
    pub found: String,
}

/// An open revision that is a dataset.
#[derive(Debug)]
pub struct Published {
    /// The revision's files.
    pub view: View,
    /// The manifest, whose roots agree with its units.
    pub manifest: Manifest,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
}

impl Published {
    /// Opens a revision and reads its manifest.
    ///
    /// # Errors
    /// [`ConsumeError::Store`] if it cannot be read, [`ConsumeError::Manifest`] if its parts do not agree.
    pub async fn open(store: &dyn Store, repo: &RepoName, revision: &Revision) -> Result<Self, ConsumeError> {
        let view = store.open(repo, revision).await?;
        let path = ObjectPath::parse(MANIFEST_FILE).map_err(assay_hub::store::StoreError::from)?;
        let bytes = view.get(&path, LOCAL_MANIFEST_BYTES_MAX as u64).await?;
        let manifest = Manifest::parse_within(&bytes, LOCAL_MANIFEST_BYTES_MAX).map_err(|source| {
            ConsumeError::Manifest {
                place: format!("{}@{revision}", repo.as_str()),
                source,
            }
        })?;
        Ok(Self {
            view,
            manifest,
            bytes,
        })
    }

    /// What of a pointer the revision does not keep.
    #[must_use]
    pub fn against(&self, pointer: &Pointer) -> Vec<Difference> {
        let units = u32::try_from(self.manifest.units.len()).unwrap_or(u32::MAX);
        let pairs = [
            (
                "repository",
                pointer.repo.as_str().to_owned(),
                self.view.repo().as_str().to_owned(),
            ),
            (
                "revision",
                pointer.revision.to_string(),
                self.view.revision().to_string(),
            ),
            (
                "round",
                pointer.round.0.to_string(),
                self.manifest.round.0.to_string(),
            ),
            ("units", pointer.n_units.to_string(), units.to_string()),
            (
                "submission_root",
                pointer.submission_root.to_string(),
                self.manifest.submission_root.to_string(),
            ),
        ];
        let differing = pairs.into_iter().filter(|(_, expected, found)| expected != found);
        differing
            .map(|(what, expected, found)| Difference {
                what: what.to_owned(),
                expected,
                found,
            })
            .collect()
    }

    /// Files that the manifest names and the revision does not hold, or not with this length or digest. Reads no file.
    #[must_use]
    pub fn listing(&self) -> Vec<Difference> {
        let mut found = Vec::new();
        for unit in &self.manifest.units {
            let docs = unit
                .docs
                .iter()
                .map(|docs| (&docs.path, docs.bytes.0, docs.sha256));
            let tables = [
                (&unit.ledger.path, unit.ledger.bytes.0, unit.ledger.sha256),
                (&unit.bands.path, unit.bands.bytes.0, unit.bands.sha256),
            ];
            found.extend(
                tables
                    .into_iter()
                    .chain(docs)
                    .filter_map(|(path, bytes, sha256)| {
                        let expected = format!("{bytes} bytes, sha256 {sha256}");
                        let there = self.there(path)?;
                        let same = there == (bytes, None) || there == (bytes, Some(sha256));
                        (!same).then(|| Difference {
                            what: path.clone(),
                            expected,
                            found: match there {
                                (bytes, Some(sha256)) => format!("{bytes} bytes, sha256 {sha256}"),
                                (bytes, None) => format!("{bytes} bytes"),
                            },
                        })
                    }),
            );
        }
        found
    }

    /// Length and known digest of a file; no length at all where there is no file.
    fn there(&self, path: &str) -> Option<(u64, Option<Sha256Digest>)> {
        let path = ObjectPath::parse(path).ok()?;
        match self.view.head(&path) {
            Ok(entry) => Some((entry.bytes, entry.sha256)),
            Err(_) => Some((0, Some(Sha256Digest::ZERO))),
        }
    }
}

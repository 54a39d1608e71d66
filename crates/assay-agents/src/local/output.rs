//! The output folder of a local run: unit folders that appear whole or not at all, and the manifest over them.
//!
//! A unit is written into `units/.<id>.partial`, synced, and renamed to `units/<id>`; its completion marker
//! `done.json` lies inside. A killed run leaves finished units and at most partial folders, which the next run removes.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use assay_refine::unit::{Counts, Format, UnitFiles, UnitSummary};
use assay_types::{Digest, FileEntry, MANIFEST_FILE, Manifest, ManifestUnit, RecipeId, Tool, UnitId};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::dataset::{read_bounded, sha256_of};
use super::error::LocalError;

/// Most bytes of a completion marker that are read: 1 MiB, hundreds of times what one unit's counts take.
const MARKER_BYTES_MAX: u64 = 1 << 20;

/// Version of the completion marker. Version 1 had no digest of `features.parquet`, and none of an input read in part.
const MARKER_VERSION: u32 = 2;

/// Licence of a local dataset: what its pages allow is not ours to say.
const LICENCE: &str = "unspecified";

/// Name of the completion marker.
const MARKER: &str = "done.json";

/// Settings that a finished unit must have been written with to be taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitSettings {
    /// Most records read, if limited.
    pub limit: Option<u64>,
    /// JSON Lines instead of Parquet.
    pub jsonl: bool,
    /// With `features.parquet`.
    pub features: bool,
    /// Length of the input when it was read, if known.
    pub input_bytes: Option<u64>,
    /// BLAKE3 of what was read of the input, if it is a file.
    pub input_blake3: Option<Digest>,
    /// Bytes that this digest covers: with `--limit` only the beginning is read.
    pub input_read_bytes: Option<u64>,
    /// Entity tag of a remote input, if its server gives one.
    pub input_etag: Option<String>,
}

impl UnitSettings {
    /// The documents' format.
    pub fn format(&self) -> Format {
        if self.jsonl {
            Format::Jsonl
        } else {
            Format::Parquet
        }
    }

    /// The first setting in which `self` differs from `other`.
    fn difference(&self, other: &Self) -> Option<&'static str> {
        let known = self.input_bytes.is_some() && other.input_bytes.is_some();
        [
            (self.limit != other.limit, "--limit"),
            (self.jsonl != other.jsonl, "--format"),
            (self.features != other.features, "--features"),
            (
                known && self.input_bytes != other.input_bytes,
                "length of the input",
            ),
        ]
        .into_iter()
        .find_map(|(differs, name)| differs.then_some(name))
    }
}

/// What a finished unit says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marker {
    version: u32,
    /// The unit's manifest entry.
    pub entry: ManifestUnit,
    /// Its counts, for the funnel.
    pub counts: Counts,
    /// What it was written with.
    pub settings: UnitSettings,
    /// `features.parquet`, if it was written.
    #[serde(default)]
    pub features: Option<FileEntry>,
}

/// An output folder, locked against other processes.
#[derive(Debug)]
pub struct OutputDir {
    path: PathBuf,
    /// Holding the open file holds the lock.
    _lock: fs::File,
}

impl OutputDir {
    /// Makes the folder if needed, locks it and removes what a killed run left behind.
    pub fn open(path: &Path) -> Result<Self, LocalError> {
        let units = path.join("units");
        fs::create_dir_all(&units).map_err(LocalError::io(path))?;
        let lock_path = path.join(".lock");
        let lock = fs::File::create(&lock_path).map_err(LocalError::io(path))?;
        if lock.file().try_lock().is_err() {
            return Err(LocalError::Locked {
                path: path.to_owned(),
            });
        }
        for entry in fs::read_dir(&units).map_err(LocalError::io(&units))? {
            let entry = entry.map_err(LocalError::io(&units))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') && name.ends_with(".partial") {
                fs::remove_dir_all(entry.path()).map_err(LocalError::io(entry.path()))?;
            }
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Folder of a unit.
    pub fn unit_path(&self, unit: &UnitId) -> PathBuf {
        self.path.join("units").join(unit.to_string())
    }

    /// The marker of a finished unit; `None` if it is not there, or was finished by an older version that noted less of it.
    ///
    /// # Errors
    /// If it is damaged, of another recipe or of other settings.
    pub fn finished(
        &self,
        unit: &UnitId,
        recipe: &RecipeId,
        settings: &UnitSettings,
    ) -> Result<Option<Marker>, LocalError> {
        let folder = self.unit_path(unit);
        if !folder.exists() {
            return Ok(None);
        }
        let marker = read_marker(&folder)?;
        if marker.entry.recipe_id != *recipe {
            return Err(LocalError::OtherRecipe {
                path: self.path.clone(),
                found: marker.entry.recipe_id,
                wanted: *recipe,
            });
        }
        if let Some(setting) = marker.settings.difference(settings) {
            return Err(LocalError::OtherSettings {
                path: folder,
                setting,
            });
        }
        if marker.version < MARKER_VERSION {
            return Ok(None);
        }
        check_files(&self.path, &marker)?;
        Ok(Some(marker))
    }

    /// Refuses a folder whose units were made with another recipe, before anything is read or written.
    pub fn check_recipe(&self, recipe: &RecipeId) -> Result<(), LocalError> {
        for marker in self.markers()? {
            if marker.entry.recipe_id != *recipe {
                let found = marker.entry.recipe_id;
                return Err(LocalError::OtherRecipe {
                    path: self.path.clone(),
                    found,
                    wanted: *recipe,
                });
            }
        }
        Ok(())
    }

    /// Starts writing a unit.
    pub fn begin(&self, unit: &UnitId) -> Result<PartialUnit, LocalError> {
        let partial = self.path.join("units").join(format!(".{unit}.partial"));
        fs::create_dir_all(&partial).map_err(LocalError::io(&partial))?;
        Ok(PartialUnit {
            folder: partial,
            target: self.unit_path(unit),
            is_committed: false,
        })
    }

    /// The markers of all finished units, ascending by unit id.
    pub fn markers(&self) -> Result<Vec<Marker>, LocalError> {
        markers_of(&self.path, Missing::Refuse)
    }

    /// Writes `manifest.json` over all finished units.
    pub fn write_manifest(&self) -> Result<Manifest, LocalError> {
        let path = self.path.join(MANIFEST_FILE);
        let units = self.markers()?.into_iter().map(|marker| marker.entry).collect();
        let tool = Tool {
            name: "assay".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            git: String::new(),
        };
        let manifest = Manifest::local(units, tool, LICENCE);
        let manifest_error = |source| LocalError::Manifest {
            path: path.clone(),
            source,
        };
        let bytes = manifest.to_canonical_bytes().map_err(manifest_error)?;
        write_atomically(&path, &bytes)?;
        Ok(manifest)
    }
}

/// What to do about a unit folder without a completion marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is damaged output: units of ours always have one.
    Refuse,
    /// It came from elsewhere: leave it out.
    Skip,
}

/// The markers of all finished units of a dataset's folder, ascending by unit id.
pub(super) fn markers_of(path: &Path, missing: Missing) -> Result<Vec<Marker>, LocalError> {
    let units = path.join("units");
    let mut markers = Vec::new();
    for entry in fs::read_dir(&units).map_err(LocalError::io(&units))? {
        let entry = entry.map_err(LocalError::io(&units))?;
        let skip = missing == Missing::Skip && !entry.path().join(MARKER).exists();
        if !skip && !entry.file_name().to_string_lossy().starts_with('.') {
            markers.push(read_marker(&entry.path())?);
        }
    }
    markers.sort_by_key(|marker| marker.entry.unit_id);
    Ok(markers)
}

/// Writes a file whole or not at all.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), LocalError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = path.with_file_name(name);
    let write = || -> io::Result<()> {
        let mut file = fs::File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)?;
        // The new name must be on disk, too.
        match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => fs::File::open(parent)?.sync_all(),
            None => Ok(()),
        }
    };
    write().map_err(LocalError::io(path))
}

/// The completion marker in a unit's folder.
pub(super) fn read_marker(folder: &Path) -> Result<Marker, LocalError> {
    let path = folder.join(MARKER);
    let damaged = |what: String| LocalError::Damaged {
        path: folder.to_owned(),
        what,
    };
    let bytes = read_bounded(&path, MARKER_BYTES_MAX)
        .map_err(|error| damaged(format!("no completion marker ({})", error.kind())))?;
    let marker: Marker =
        serde_json::from_slice(&bytes).map_err(|error| damaged(format!("completion marker: {error}")))?;
    if !(1..=MARKER_VERSION).contains(&marker.version) {
        return Err(damaged(format!(
            "completion marker of version {}",
            marker.version
        )));
    }
    Ok(marker)
}

/// Whether a finished unit's files are what its marker says. Reading them again costs about a hundredth of making them.
fn check_files(root: &Path, marker: &Marker) -> Result<(), LocalError> {
    let entry = &marker.entry;
    let folder = root.join("units").join(entry.unit_id.to_string());
    let damaged = |what: String| LocalError::Damaged {
        path: folder.clone(),
        what,
    };
    entry.check_paths().map_err(|error| damaged(error.to_string()))?;
    let docs = entry
        .docs
        .iter()
        .map(|docs| (&docs.path, docs.bytes, docs.sha256));
    let tables = [
        (&entry.ledger.path, entry.ledger.bytes, entry.ledger.sha256),
        (&entry.bands.path, entry.bands.bytes, entry.bands.sha256),
    ];
    let features = marker
        .features
        .iter()
        .map(|file| (&file.path, file.bytes, file.sha256));
    for (path, bytes, sha256) in tables.into_iter().chain(docs).chain(features) {
        let file = root.join(path);
        let Ok(metadata) = fs::metadata(&file) else {
            return Err(damaged(format!("`{path}` is missing")));
        };
        if metadata.len() != bytes.0 {
            let found = metadata.len();
            return Err(damaged(format!(
                "`{path}` has {found} bytes, expected {}",
                bytes.0
            )));
        }
        if sha256_of(&file)?.1 != sha256 {
            return Err(damaged(format!(
                "`{path}` has another SHA-256 than when it was written"
            )));
        }
    }
    Ok(())
}

/// A unit being written; what is not committed is removed, so that a failure leaves no half units on a disk that may be full.
#[derive(Debug)]
pub struct PartialUnit {
    folder: PathBuf,
    target: PathBuf,
    is_committed: bool,
}

impl Drop for PartialUnit {
    fn drop(&mut self) {
        if !self.is_committed {
            // The next run removes what cannot be removed now.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

impl PartialUnit {
    /// Where the unit is being written.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes the unit visible: marker, sync, rename.
    pub fn commit(mut self, summary: &UnitSummary, settings: UnitSettings) -> Result<(), LocalError> {
        let marker = Marker {
            version: MARKER_VERSION,
            entry: summary.entry.clone(),
            counts: summary.counts.clone(),
            settings,
            features: summary.features.clone(),
        };
        let bytes = serde_json::to_vec_pretty(&marker)
            .map_err(|error| LocalError::io(&self.folder)(io::Error::from(error)))?;
        write_atomically(&self.folder.join(MARKER), &bytes)?;
        let finish = || -> io::Result<()> {
            // The folder's entries must be on disk before it gets its final name.
            fs::File::open(&self.folder)?.sync_all()?;
            // A unit of an older version is made again; a folder cannot be renamed over another one.
            if self.target.exists() {
                fs::remove_dir_all(&self.target)?;
            }
            fs::rename(&self.folder, &self.target)?;
            match self.target.parent() {
                Some(parent) => fs::File::open(parent)?.sync_all(),
                None => Ok(()),
            }
        };
        finish().map_err(LocalError::io(&self.target))?;
        self.is_committed = true;
        Ok(())
    }
}

impl UnitFiles for PartialUnit {
    type File = io::BufWriter<fs::File>;

    fn create(&mut self, name: &str) -> io::Result<Self::File> {
        Ok(io::BufWriter::with_capacity(
            1 << 16,
            fs::File::create(self.folder.join(name))?,
        ))
    }

    fn close(&mut self, file: Self::File) -> io::Result<()> {
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()
    }
}

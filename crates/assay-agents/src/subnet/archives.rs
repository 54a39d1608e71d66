//! Where the units' archives are: a folder of this machine, or an address that their paths follow.

use std::path::Path;

use assay_hub::{Input, Source};
use assay_types::WorkUnit;
use serde::{Deserialize, Serialize};

use super::error::AgentError;

/// A folder, or `http://`, `https://` or `s3://` with what comes before the units' paths, such as
/// `https://data.commoncrawl.org`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Archives(String);

impl From<&Path> for Archives {
    fn from(folder: &Path) -> Self {
        Self(folder.to_string_lossy().into_owned())
    }
}

impl Archives {
    /// The folder or address as it stands in the subnet's file, a folder resolved.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.0
    }

    /// The folder, if it is one of this machine.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        (!self.0.contains("://")).then(|| Path::new(&self.0))
    }

    /// Where a unit's archive is, under the unit's own name.
    ///
    /// # Errors
    /// [`AgentError::File`] if it is not there, [`AgentError::Invalid`] for an address that is none.
    pub fn source(&self, unit: &WorkUnit) -> Result<Source, AgentError> {
        let Some(folder) = self.folder() else {
            let url = format!(
                "{}/{}",
                self.0.trim_end_matches('/'),
                unit.path.trim_start_matches('/')
            );
            Source::url(&url).map_err(|error| AgentError::invalid(&unit.path, error))?;
            return Ok(Source {
                input: Input::Url(url),
                name: format!("{}:{}", unit.source, unit.path),
                source: unit.source.clone(),
                path: unit.path.clone(),
                // As the corpus index has it: no request is made here.
                bytes: Some(unit.bytes.0),
            });
        };
        let path = folder.join(&unit.path);
        let bytes = fs_err::metadata(&path).map_err(AgentError::file(&path))?.len();
        Ok(Source {
            input: Input::File(path),
            name: format!("{}:{}", unit.source, unit.path),
            source: unit.source.clone(),
            path: unit.path.clone(),
            bytes: Some(bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::Bytes;

    #[test]
    fn a_units_archive_is_below_the_folder_or_behind_the_address() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.warc.gz"), b"12345").unwrap();
        let unit = WorkUnit::new("cc", "a.warc.gz", Bytes(5)).unwrap();
        let here = Archives::from(folder.path()).source(&unit).unwrap();
        assert_eq!((here.name.as_str(), here.bytes), ("cc:a.warc.gz", Some(5)));
        let there = Archives("https://data.example.org/".to_owned())
            .source(&unit)
            .unwrap();
        assert_eq!((&there.name, there.bytes), (&here.name, Some(5)));
        assert_eq!(
            there.input,
            Input::Url("https://data.example.org/a.warc.gz".to_owned())
        );
        let missing = WorkUnit::new("cc", "b.warc.gz", Bytes(5)).unwrap();
        assert!(Archives::from(folder.path()).source(&missing).is_err());
        assert!(Archives("https://[".to_owned()).source(&unit).is_err());
    }
}

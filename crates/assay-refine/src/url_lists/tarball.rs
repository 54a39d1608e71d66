//! `domains` and `urls` out of datatrove's `url_filterblacklistsv0_3_0.tar.gz`, streamed.
//!
//! In: the gzip bytes. Out: two lists of [`UrlLists`]. Memory: the hashes and one line.
use std::io::Read;

use super::{UrlListError, UrlListKind, UrlLists};

/// Reads the lists `domains` and `urls` of a gzip-compressed tar archive.
///
/// # Errors
/// Those of reading and of the lists; [`UrlListError::Missing`] if the archive lacks one of the two.
pub fn read_tarball(source: impl Read, lists: &mut UrlLists) -> Result<(), UrlListError> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(source));
    let mut missing = vec![UrlListKind::Domains, UrlListKind::Urls];
    for entry in archive.entries()? {
        let entry = entry?;
        let path = entry.path_bytes();
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let kind = missing
            .iter()
            .copied()
            .find(|kind| kind.file_name().as_bytes() == name);
        if let Some(kind) = kind.filter(|_| entry.header().entry_type().is_file()) {
            lists.read_list(kind, entry)?;
            missing.retain(|&other| other != kind);
        }
    }
    match missing.first() {
        Some(kind) => Err(UrlListError::Missing(kind.name())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    pub(super) fn tarball(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, name, *bytes).unwrap();
        }
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&tar.into_inner().unwrap()).unwrap();
        gzip.finish().unwrap()
    }

    #[test]
    fn both_lists_are_found() {
        let mut lists = UrlLists::default();
        let bytes = tarball(&[
            ("x/urls", b"a.com/b\n"),
            ("note", b"-"),
            ("domains", b"a.com\nb.com"),
        ]);
        read_tarball(&bytes[..], &mut lists).unwrap();
        assert_eq!((lists.domains.len(), lists.urls.len()), (2, 1));
    }

    #[test]
    fn a_missing_list_and_noise_are_errors() {
        let mut lists = UrlLists::default();
        let bytes = tarball(&[("domains", b"a.com")]);
        assert!(matches!(
            read_tarball(&bytes[..], &mut lists),
            Err(UrlListError::Missing("urls"))
        ));
        assert!(matches!(
            read_tarball(&b"noise"[..], &mut lists),
            Err(UrlListError::Read(_))
        ));
    }
}

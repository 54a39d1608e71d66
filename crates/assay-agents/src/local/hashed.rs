//! An input hashed as it is read, so that a later run sees whether it is still the same.
//!
//! [`super::refine`] reads archives through [`Hashed`] and files the digest in a unit's completion marker; before it takes
//! the unit over, it holds [`file_digest`] of the file against it.

use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use assay_types::Digest;

use super::error::LocalError;

/// Bytes of a file hashed at once.
const STEP_BYTES: usize = 1 << 20;

/// A reader whose bytes are hashed with BLAKE3.
#[derive(Debug)]
pub(super) struct Hashed<R> {
    input: R,
    hasher: Arc<Mutex<blake3::Hasher>>,
}

/// The hash of what was read so far; outlives the reader.
#[derive(Debug, Clone)]
pub(super) struct HashedSoFar(Arc<Mutex<blake3::Hasher>>);

impl<R: Read> Hashed<R> {
    /// Hashes what is read from `input` from now on.
    pub(super) fn new(input: R) -> (Self, HashedSoFar) {
        let hasher = Arc::new(Mutex::new(blake3::Hasher::new()));
        let so_far = HashedSoFar(Arc::clone(&hasher));
        (Self { input, hasher }, so_far)
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(into)?;
        let mut hasher = self.hasher.lock().unwrap_or_else(PoisonError::into_inner);
        hasher.update(into.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl HashedSoFar {
    /// The digest of all bytes read so far.
    pub(super) fn digest(&self) -> Digest {
        let hasher = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Digest(*hasher.finalize().as_bytes())
    }
}

/// BLAKE3 of a file.
pub(super) fn file_digest(path: &Path) -> Result<Digest, LocalError> {
    let mut file = fs_err::File::open(path).map_err(LocalError::io(path))?;
    let mut hasher = blake3::Hasher::new();
    let mut step = vec![0; STEP_BYTES];
    loop {
        let count = file.read(&mut step).map_err(LocalError::io(path))?;
        if count == 0 {
            return Ok(Digest(*hasher.finalize().as_bytes()));
        }
        hasher.update(step.get(..count).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_is_hashed() {
        let bytes = vec![5; 3 << 20];
        let (mut reader, so_far) = Hashed::new(bytes.as_slice());
        assert_eq!(so_far.digest(), Digest::of(b""));
        io::copy(&mut reader, &mut io::sink()).unwrap();
        assert_eq!(so_far.digest(), Digest::of(&bytes));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs_err::write(&path, &bytes).unwrap();
        assert_eq!(file_digest(&path).unwrap(), Digest::of(&bytes));
    }
}

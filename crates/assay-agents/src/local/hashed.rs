//! An input hashed as it is read, so that a later run sees whether it is still the same.
//!
//! [`super::refine`] reads archives through [`Hashed`] and files the digest in a unit's completion marker; before it takes
//! the unit over, it holds [`file_digest`] of the file against it.

use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use assay_types::Digest;

/// Bytes of a file hashed at once.
const STEP_BYTES: usize = 1 << 20;

/// A reader whose bytes are hashed with BLAKE3.
#[derive(Debug)]
pub(super) struct Hashed<R> {
    input: R,
    so_far: HashedSoFar,
}

/// Hash and length of what was read so far; outlives the reader.
#[derive(Debug, Clone)]
pub(super) struct HashedSoFar(Arc<Mutex<Hash>>);

#[derive(Debug, Default)]
struct Hash {
    hasher: blake3::Hasher,
    bytes: u64,
}

impl<R: Read> Hashed<R> {
    /// Hashes what is read from `input` from now on.
    pub(super) fn new(input: R) -> (Self, HashedSoFar) {
        let so_far = HashedSoFar(Arc::default());
        let reader = Self {
            input,
            so_far: so_far.clone(),
        };
        (reader, so_far)
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(into)?;
        let mut hash = self.so_far.lock();
        hash.hasher.update(into.get(..count).unwrap_or_default());
        hash.bytes += count as u64;
        Ok(count)
    }
}

impl HashedSoFar {
    /// The digest of all bytes read so far.
    pub(super) fn digest(&self) -> Digest {
        Digest(*self.lock().hasher.finalize().as_bytes())
    }

    /// How many bytes these are.
    pub(super) fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Hash> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// BLAKE3 of the first `bytes` of a file, or of all it has if it has fewer.
pub(super) fn file_digest(path: &Path, bytes: u64) -> io::Result<Digest> {
    let file = fs_err::File::open(path)?;
    let mut file = file.take(bytes);
    let mut hasher = blake3::Hasher::new();
    let mut step = vec![0; STEP_BYTES];
    loop {
        let count = file.read(&mut step)?;
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
        assert_eq!((so_far.digest(), so_far.bytes()), (Digest::of(&bytes), 3 << 20));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs_err::write(&path, &bytes).unwrap();
        assert_eq!(file_digest(&path, u64::MAX).unwrap(), Digest::of(&bytes));
        assert_eq!(file_digest(&path, 5).unwrap(), Digest::of(&bytes[..5]));
    }
}

//! A writer that counts bytes and computes SHA-256 on the way: what the manifest says of a file.
//!
//! Sits between a Parquet writer and the file, so that no file is read a second time to be described.

use std::io::{self, Write};

use assay_types::Sha256Digest;
use sha2::{Digest as _, Sha256};

/// Length and digest of everything written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digested {
    /// Bytes written.
    pub bytes: u64,
    /// SHA-256 of them.
    pub sha256: Sha256Digest,
}

/// Passes bytes on to `inner` and remembers their count and SHA-256.
#[derive(Debug)]
pub struct DigestingWriter<W> {
    inner: W,
    hasher: Sha256,
    bytes: u64,
}

impl<W: Write> DigestingWriter<W> {
    /// Starts with nothing written.
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            hasher: Sha256::new(),
            bytes: 0,
        }
    }

    /// The inner writer and what went through.
    pub fn finish(self) -> (W, Digested) {
        let digested = Digested {
            bytes: self.bytes,
            sha256: Sha256Digest(self.hasher.finalize().into()),
        };
        (self.inner, digested)
    }
}

impl<W: Write> Write for DigestingWriter<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        let taken = buffer.get(..written).unwrap_or(buffer);
        self.hasher.update(taken);
        self.bytes += taken.len() as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_what_it_passes_on() {
        let mut writer = DigestingWriter::new(Vec::new());
        writer.write_all(b"ab").unwrap();
        writer.write_all(b"c").unwrap();
        let (bytes, digested) = writer.finish();
        assert_eq!(bytes, b"abc");
        assert_eq!(digested.bytes, 3);
        // FIPS 180-2, appendix B.1: SHA-256 of "abc".
        assert_eq!(
            digested.sha256.to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}

//! One source as a blocking reader, or a range of it.
//!
//! Called by the drivers that refine (the whole archive, once) and verify (single records, many). Only URLs cost a
//! thread and a runtime.

use std::io::{Read, Seek, SeekFrom};

use fs_err as fs;

use crate::remote::{Connection, ObjectVersion, RemoteReader, runtime};
use crate::{HubError, Input, OpenOptions, Source};

/// Bytes that one ranged read returns at most: a record of 256 MiB is far above any crawler's limit.
pub const RANGE_READ_BYTES_MAX: u64 = 256 << 20;

/// Opens a source for reading from its start. Files are not buffered: read in large pieces.
///
/// An I/O error of the reader holds a [`HubError`] where the cause is one: [`HubError::from_io`].
///
/// # Errors
/// [`HubError`] if the file or object cannot be opened; for URLs the first range is read here.
pub fn open(source: &Source, options: &OpenOptions) -> Result<Box<dyn Read + Send>, HubError> {
    match &source.input {
        Input::File(path) => Ok(Box::new(open_file(source, path)?)),
        Input::Stdin => Ok(Box::new(std::io::stdin())),
        Input::Url(url) => Ok(Box::new(RemoteReader::open(url, &source.name, options)?)),
    }
}

/// As [`open`], with what the server says of the object's version; nothing for files and standard input.
///
/// # Errors
/// As [`open`].
pub fn open_version(
    source: &Source,
    options: &OpenOptions,
) -> Result<(Box<dyn Read + Send>, ObjectVersion), HubError> {
    let Input::Url(url) = &source.input else {
        return Ok((open(source, options)?, ObjectVersion::default()));
    };
    let reader = RemoteReader::open(url, &source.name, options)?;
    let version = reader.version();
    Ok((Box::new(reader), version))
}

/// What a server says now of a remote object's version, by one attempt at its first byte; nothing for files and standard
/// input.
///
/// # Errors
/// [`HubError`] if it does not answer, or answers with something else than the object.
pub fn version(source: &Source, options: &OpenOptions) -> Result<ObjectVersion, HubError> {
    let Input::Url(url) = &source.input else {
        return Ok(ObjectVersion::default());
    };
    let options = OpenOptions {
        attempts_max: 1,
        ..options.clone()
    };
    let mut connection = Connection::new(url, &source.name, &options)?;
    let runtime = runtime()?;
    let read = read_remote(&mut connection, Some(&runtime), 0, 1);
    runtime.shutdown_background();
    read.map(|_| connection.object_version())
}

/// The `len` bytes of a source at `offset`. For more than one range of a source use [`Ranges`].
///
/// # Errors
/// As [`Ranges::open`] and [`Ranges::read`].
pub fn open_range(
    source: &Source,
    options: &OpenOptions,
    offset: u64,
    len: u64,
) -> Result<Vec<u8>, HubError> {
    Ranges::open(source, options)?.read(offset, len)
}

/// A source from which ranges are read, over one connection.
#[derive(Debug)]
pub struct Ranges {
    name: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    File(fs::File),
    Remote {
        connection: Box<Connection>,
        runtime: Option<tokio::runtime::Runtime>,
    },
}

impl Ranges {
    /// Opens a source for ranged reading; for URLs without a request.
    ///
    /// # Errors
    /// [`HubError::NotSeekable`] for standard input; [`HubError`] if the file cannot be opened or the options not used.
    pub fn open(source: &Source, options: &OpenOptions) -> Result<Self, HubError> {
        let kind = match &source.input {
            Input::Stdin => return Err(HubError::NotSeekable),
            Input::File(path) => Kind::File(open_file(source, path)?),
            Input::Url(url) => Kind::Remote {
                connection: Box::new(Connection::new(url, &source.name, options)?),
                runtime: Some(runtime()?),
            },
        };
        Ok(Self {
            name: source.name.clone(),
            kind,
        })
    }

    /// The `len` bytes at `offset`.
    ///
    /// # Errors
    /// [`HubError::RangeTooLong`] above [`RANGE_READ_BYTES_MAX`], [`HubError::ShortRange`] if the source ends before,
    /// and what the file or the network says.
    pub fn read(&mut self, offset: u64, len: u64) -> Result<Vec<u8>, HubError> {
        if len > RANGE_READ_BYTES_MAX {
            let (name, limit) = (self.name.clone(), RANGE_READ_BYTES_MAX);
            return Err(HubError::RangeTooLong {
                name,
                offset,
                len,
                limit,
            });
        }
        let bytes = match &mut self.kind {
            Kind::File(file) => {
                let mut bytes = Vec::new();
                file.seek(SeekFrom::Start(offset))
                    .and_then(|_| file.take(len).read_to_end(&mut bytes))
                    .map_err(|source| HubError::Unreadable {
                        path: self.name.clone(),
                        source,
                    })?;
                bytes
            }
            Kind::Remote { connection, runtime } => read_remote(connection, runtime.as_ref(), offset, len)?,
        };
        let got = bytes.len() as u64;
        if got < len {
            return Err(HubError::ShortRange {
                name: self.name.clone(),
                offset,
                len,
                got,
            });
        }
        Ok(bytes)
    }
}

impl Drop for Ranges {
    fn drop(&mut self) {
        if let Kind::Remote { runtime, .. } = &mut self.kind
            && let Some(runtime) = runtime.take()
        {
            runtime.shutdown_background();
        }
    }
}

/// Runs one read on a thread of its own, because a caller inside another runtime may not block on this one.
fn read_remote(
    connection: &mut Connection,
    runtime: Option<&tokio::runtime::Runtime>,
    offset: u64,
    len: u64,
) -> Result<Vec<u8>, HubError> {
    let gone = || HubError::Client {
        reason: "the reading thread ended".to_owned(),
    };
    let runtime = runtime.ok_or_else(gone)?;
    std::thread::scope(|scope| {
        let read = || runtime.block_on(connection.read(offset, len));
        scope.spawn(read).join().unwrap_or_else(|_| Err(gone()))
    })
}

fn open_file(source: &Source, path: &std::path::Path) -> Result<fs::File, HubError> {
    fs::File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => HubError::NoSuchFile { path: source.shown() },
        _ => HubError::Unreadable {
            path: source.shown(),
            source: error,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_whole_and_in_ranges() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.warc");
        fs::write(&path, b"0123456789").unwrap();
        let source = Source::file(path, Some(10)).unwrap();
        let options = OpenOptions::default();
        let mut whole = Vec::new();
        open(&source, &options).unwrap().read_to_end(&mut whole).unwrap();
        assert_eq!(whole, b"0123456789");
        let mut ranges = Ranges::open(&source, &options).unwrap();
        assert_eq!(ranges.read(3, 4).unwrap(), b"3456");
        assert_eq!(ranges.read(10, 0).unwrap(), b"");
        assert!(matches!(
            ranges.read(8, 4),
            Err(HubError::ShortRange { got: 2, .. })
        ));
        assert!(matches!(
            ranges.read(0, u64::MAX),
            Err(HubError::RangeTooLong { .. })
        ));
        assert!(matches!(
            open_range(&Source::stdin(), &options, 0, 1),
            Err(HubError::NotSeekable)
        ));
    }

    #[test]
    fn a_file_that_vanished_is_named() {
        let source = Source::file("/nowhere/x.warc".into(), None).unwrap();
        let error = open(&source, &OpenOptions::default()).err().unwrap();
        assert_eq!(error.to_string(), "no such file or directory: `/nowhere/x.warc`");
    }
}

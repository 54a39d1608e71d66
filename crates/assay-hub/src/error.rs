//! What can go wrong while bytes are found and read, each with the thing that failed and its cure.
//!
//! Made by every module of this crate; shown by the command line as `error` and `help` lines. No variant holds a
//! credential: URLs are stored as [`crate::Source::name`] shows them.

use std::io;

/// A failure to find or read an input.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// No argument was given, or every list was empty.
    #[error("no input was given")]
    NoInput,
    /// Neither a file nor a directory has this name.
    #[error("no such file or directory: `{path}`")]
    NoSuchFile {
        /// The argument.
        path: String,
    },
    /// A file or directory exists but cannot be read.
    #[error("cannot read `{path}`")]
    Unreadable {
        /// The file or directory.
        path: String,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// A directory holds no file with an ending of [`crate::ARCHIVE_ENDINGS`].
    #[error("no archive in directory `{path}`")]
    NoArchive {
        /// The directory.
        path: String,
    },
    /// A pattern fits no archive.
    #[error("pattern `{pattern}` fits no archive ({others} other files)")]
    EmptyGlob {
        /// The pattern.
        pattern: String,
        /// Files that fit but whose ending is not an archive's.
        others: usize,
    },
    /// A pattern cannot be understood.
    #[error("pattern `{pattern}` is not valid: {reason} at character {at}")]
    BadGlob {
        /// The pattern.
        pattern: String,
        /// What is wrong.
        reason: &'static str,
        /// Where, counted in characters from 0.
        at: usize,
    },
    /// A URL of a kind that is read cannot be understood.
    #[error("url `{url}` is not valid: {reason}")]
    BadUrl {
        /// The URL without credentials.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// A URL of a kind that is not read.
    #[error("cannot read `{scheme}://` addresses")]
    UnsupportedScheme {
        /// The scheme.
        scheme: String,
    },
    /// Two inputs would get the same name, and so the same unit.
    #[error("two inputs are named `{name}`: `{first}` and `{second}`")]
    DuplicateName {
        /// The name both would get.
        name: String,
        /// The first input.
        first: String,
        /// The second input.
        second: String,
    },
    /// A file name is not UTF-8, so it cannot stand in a manifest.
    #[error("file name `{path}` is not UTF-8")]
    NameNotUtf8 {
        /// The path, lossily.
        path: String,
    },
    /// More inputs or directory entries than one run takes.
    #[error("`{path}` leads to more than {limit} inputs or directory entries")]
    TooManyInputs {
        /// The argument.
        path: String,
        /// The limit.
        limit: usize,
    },
    /// A list of inputs cannot be used.
    #[error("list `{path}` line {line}: {reason}")]
    BadList {
        /// The list.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// Standard input cannot be read at an offset.
    #[error("standard input cannot be read at an offset")]
    NotSeekable,
    /// More bytes are asked for at once than [`crate::RANGE_READ_BYTES_MAX`].
    #[error("{len} bytes at {offset} of `{name}` are more than {limit} at once")]
    RangeTooLong {
        /// The source.
        name: String,
        /// First byte.
        offset: u64,
        /// Bytes asked for.
        len: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The source ends before the range does.
    #[error("`{name}` ends after {got} of {len} bytes at {offset}")]
    ShortRange {
        /// The source.
        name: String,
        /// First byte.
        offset: u64,
        /// Bytes asked for.
        len: u64,
        /// Bytes there.
        got: u64,
    },
    /// The server answered with an error that a repetition does not cure.
    #[error("`{url}`: server answered {status}{}", .code.as_deref().map(|c| format!(" ({c})")).unwrap_or_default())]
    Status {
        /// The URL without credentials.
        url: String,
        /// HTTP status.
        status: u16,
        /// The error code of an S3 answer, such as `NoSuchKey`.
        code: Option<String>,
    },
    /// The bucket lives in another region than the one configured.
    #[error("`{url}`: bucket is in region `{region}`")]
    OtherRegion {
        /// The URL without credentials.
        url: String,
        /// The region the server names.
        region: String,
    },
    /// The object changed between two ranges of one reading.
    #[error("`{url}` changed while it was read (at byte {offset})")]
    Changed {
        /// The URL without credentials.
        url: String,
        /// Bytes read before the change was seen.
        offset: u64,
    },
    /// The server's answer contradicts itself or the request.
    #[error("`{url}`: server sent {what}")]
    BadResponse {
        /// The URL without credentials.
        url: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The network or the server failed, and so did every repetition.
    #[error("`{url}` broke at byte {offset}, {attempts} attempts: {cause}")]
    Broken {
        /// The URL without credentials.
        url: String,
        /// The byte at which reading stopped.
        offset: u64,
        /// Attempts made without progress.
        attempts: u32,
        /// The last cause, without the URL.
        cause: String,
    },
    /// The options cannot be used: proxy, endpoint, credentials.
    #[error("option `{option}` cannot be used: {reason}")]
    BadOption {
        /// Name of the option.
        option: &'static str,
        /// What is wrong, without the value.
        reason: String,
    },
    /// The machine gave no thread, runtime or client.
    #[error("cannot start reading from the network: {reason}")]
    Client {
        /// What failed.
        reason: String,
    },
}

impl HubError {
    /// Whether the same call may succeed later without any change by the user (exit status 3 of the command line).
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Broken { .. } | Self::Changed { .. } | Self::Client { .. } => true,
            Self::Status { status, .. } => status_retryable(*status),
            _ => false,
        }
    }

    /// The cure, in one line, where one is known.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::NoInput => {
                "name an archive, a directory, a quoted pattern, a URL, `@LIST` or `-`".to_owned()
            }
            Self::NoSuchFile { path } if path.contains("**") => {
                "quote patterns so that the shell leaves them alone".to_owned()
            }
            Self::NoSuchFile { .. } => "check the spelling and the current directory".to_owned(),
            Self::Unreadable { .. } => "check the permissions of the file and of its directories".to_owned(),
            Self::NoArchive { .. } | Self::EmptyGlob { .. } => format!(
                "archives end in {}; name a file itself to read it whatever its ending",
                crate::ARCHIVE_ENDINGS.join(", ")
            ),
            Self::BadGlob { .. } => {
                "patterns know `*`, `?`, `[a-z]` and `**` as a whole directory".to_owned()
            }
            Self::BadUrl { .. } => "write https://host/path or s3://bucket/key".to_owned(),
            Self::UnsupportedScheme { .. } => {
                "use a file, http://, https:// or s3://, or pipe the bytes into `-`".to_owned()
            }
            Self::DuplicateName { .. } => {
                "rename one file, or refine them into two output directories: the name identifies the unit"
                    .to_owned()
            }
            Self::NameNotUtf8 { .. } => "rename the file".to_owned(),
            Self::TooManyInputs { .. } => "name a smaller directory or list, one run each".to_owned(),
            Self::BadList { .. } => {
                "a list holds one input a line; lines starting with `#` are skipped".to_owned()
            }
            Self::NotSeekable => "store the archive in a file and name the file".to_owned(),
            Self::RangeTooLong { .. } => "check the record's length in the ledger".to_owned(),
            Self::ShortRange { .. } => {
                "the archive is truncated, or is not the one the dataset was made from".to_owned()
            }
            Self::Status { status, .. } => return status_help(*status).map(str::to_owned),
            Self::OtherRegion { region, .. } => format!("set the option `s3.region` to `{region}`"),
            Self::Changed { .. } => "start again; if it happens again, download the object first".to_owned(),
            Self::BadResponse { .. } => {
                "download the object with another client and read the file".to_owned()
            }
            Self::Broken { .. } => {
                "check network, host name and proxy; finished units are kept, start again".to_owned()
            }
            Self::BadOption { .. } => return None,
            Self::Client { .. } => "check the limits on threads and open files (`ulimit -a`)".to_owned(),
        };
        Some(help)
    }

    /// The hub error inside an I/O error that a reader of [`crate::open`] returned.
    #[must_use]
    pub fn from_io(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// The I/O error that carries this one through `Read`.
    pub(crate) fn into_io(self) -> io::Error {
        let kind = match &self {
            Self::Status {
                status: 404 | 410, ..
            }
            | Self::NoSuchFile { .. } => io::ErrorKind::NotFound,
            Self::Status {
                status: 401 | 403, ..
            } => io::ErrorKind::PermissionDenied,
            Self::ShortRange { .. } => io::ErrorKind::UnexpectedEof,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, self)
    }
}

/// Statuses that pass: time-out, too early, too many requests, and the server's own faults but "not implemented" and
/// "version not supported" (RFC 9110 §15, RFC 6585 §4, RFC 8470 §5.2).
pub(crate) fn status_retryable(status: u16) -> bool {
    matches!(status, 408 | 425 | 429) || (status >= 500 && !matches!(status, 501 | 505))
}

fn status_help(status: u16) -> Option<&'static str> {
    match status {
        401 | 403 => {
            Some("the object is private or does not exist: give credentials, or check bucket and key")
        }
        404 | 410 => Some("check the address: the object is not there"),
        407 => Some("the proxy wants credentials: set the option `proxy`"),
        429 | 503 => Some("the server is overloaded: start again later, finished units are kept"),
        _ if status_retryable(status) => {
            Some("the server failed: start again later, finished units are kept")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_that_pass_are_told_from_those_that_stay() {
        for (status, passes) in [
            (404, false),
            (403, false),
            (408, true),
            (429, true),
            (500, true),
            (501, false),
            (503, true),
        ] {
            let error = HubError::Status {
                url: "http://h/x".to_owned(),
                status,
                code: None,
            };
            assert_eq!(error.retryable(), passes, "{status}");
        }
    }

    #[test]
    fn an_error_survives_the_way_through_read() {
        let error = HubError::Status {
            url: "http://h/x".to_owned(),
            status: 404,
            code: Some("NoSuchKey".to_owned()),
        };
        let io = error.into_io();
        assert_eq!(io.kind(), io::ErrorKind::NotFound);
        let back = HubError::from_io(&io).unwrap();
        assert_eq!(back.to_string(), "`http://h/x`: server answered 404 (NoSuchKey)");
        assert!(back.help().unwrap().contains("check the address"));
        assert!(HubError::from_io(&io::Error::other("else")).is_none());
    }
}

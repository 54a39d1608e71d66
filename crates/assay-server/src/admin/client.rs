//! The administrator's end of the socket.

use super::{AdminAnswer, AdminRequest};
use std::io::{BufRead as _, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use thiserror::Error;

/// Why an administrator got no answer.
#[derive(Debug, Error)]
pub enum AdminError {
    /// No server at the socket.
    #[error("no server answers at `{path}`; start `assay serve`, or give its --admin-socket")]
    Connect {
        /// The socket.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The connection broke.
    #[error("the server broke off")]
    Io(#[from] std::io::Error),
    /// An answer that is none.
    #[error("the server's answer cannot be read")]
    Answer(#[from] serde_json::Error),
    /// The server refused.
    #[error("{0}")]
    Refused(String),
}

/// Asks the server at `socket`; rows of an export go to `rows`, each with its line end.
///
/// # Errors
/// [`AdminError`]; a refusal carries the server's words.
pub fn ask(socket: &Path, request: &AdminRequest, mut rows: impl Write) -> Result<AdminAnswer, AdminError> {
    let mut stream = UnixStream::connect(socket).map_err(|source| AdminError::Connect {
        path: socket.display().to_string(),
        source,
    })?;
    let mut bytes = serde_json::to_vec(request)?;
    bytes.push(b'\n');
    stream.write_all(&bytes)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut last: Option<String> = None;
    for line in BufReader::new(stream).lines() {
        if let Some(row) = last.replace(line?) {
            rows.write_all(row.as_bytes())?;
            rows.write_all(b"\n")?;
        }
    }
    rows.flush()?;
    let answer: AdminAnswer = serde_json::from_str(&last.unwrap_or_default())?;
    if answer.ok {
        Ok(answer)
    } else {
        Err(AdminError::Refused(answer.message))
    }
}

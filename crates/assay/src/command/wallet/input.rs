//! What `assay wallet` reads besides key files: secrets and messages from files or stdin, passwords from where they are kept.

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use ::console::Term;
use assay_chain::wallet::{KEY_FILE_BYTES_MAX, KeyFile, KeyPair, Password, Protection, Scheme, protection};
use zeroize::Zeroizing;

use crate::config;
use crate::console::Console;
use crate::exit::UsageError;

/// Most bytes of a message.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Most bytes of a password file.
const PASSWORD_BYTES_MAX: usize = 4096;

/// Whether to ask a person for a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// No.
    Never,
    /// To open a key.
    Once,
    /// To make a key: typed twice.
    Twice,
}

/// The password of a key: from `--password-file`, a variable, or a person at a terminal.
pub(super) fn password(
    key: &Path,
    file: Option<&Path>,
    console: &Console,
    asking: Asking,
) -> anyhow::Result<Option<Password>> {
    if let Some(file) = file {
        let bytes = read(file, PASSWORD_BYTES_MAX)?;
        let text = str::from_utf8(&bytes).ok().and_then(|text| text.lines().next());
        return match text.filter(|text| !text.is_empty()) {
            Some(text) => Ok(Some(Password::new(text))),
            None => Err(UsageError::new(
                format!("`{}` holds no password", file.display()),
                "its first line is the password",
            )
            .into()),
        };
    }
    let absolute = std::path::absolute(key)?;
    if let Some(password) = config::wallet_password(&absolute)? {
        return Ok(Some(password));
    }
    let has_person = std::io::stdin().is_terminal() && std::io::stderr().is_terminal() && !console.is_json();
    if asking == Asking::Never || !has_person {
        return Ok(None);
    }
    let password = ask("password: ")?;
    if asking == Asking::Twice && ask("once more: ")? != password {
        return Err(UsageError::new("the two passwords differ", "try again").into());
    }
    Ok(Some(password).filter(|password| !password.is_empty()))
}

fn ask(prompt: &str) -> anyhow::Result<Password> {
    let terminal = Term::stderr();
    terminal.write_str(prompt)?;
    Ok(Password::new(terminal.read_secure_line()?))
}

/// The bytes of a secret.
pub(super) fn secret(from: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    read(from, KEY_FILE_BYTES_MAX)
}

/// A message to sign or check.
pub(super) fn message(from: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    read(from, MESSAGE_BYTES_MAX)
}

/// The key that `bytes` give: a key file, a bare seed or phrase, or a secret URI.
pub(super) fn key(
    bytes: &[u8],
    scheme: Scheme,
    password: impl FnOnce() -> anyhow::Result<Option<Password>>,
) -> anyhow::Result<KeyFile> {
    let text = str::from_utf8(bytes).unwrap_or_default().trim();
    match protection(bytes) {
        Protection::Plain if !text.starts_with('{') && text.contains('/') => {
            Ok(KeyPair::from_uri(text, scheme)?.into())
        }
        Protection::Plain => Ok(KeyFile::parse_as(bytes, scheme)?),
        Protection::Nacl => Ok(KeyFile::open(bytes, password()?.as_ref())?),
        Protection::Old(_) => Ok(KeyFile::open(bytes, None)?),
    }
}

fn read(from: &Path, bytes_max: usize) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    let limit = bytes_max as u64 + 1;
    if from == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else {
        let file = fs_err::File::open(from).map_err(|error| {
            UsageError::new(error.to_string(), "give a file that is there, or `-` for stdin")
        })?;
        file.take(limit).read_to_end(&mut bytes)?;
    }
    if bytes.len() > bytes_max {
        let message = format!("`{}` has more than {bytes_max} bytes", from.display());
        return Err(UsageError::new(message, "give a smaller file").into());
    }
    Ok(bytes)
}

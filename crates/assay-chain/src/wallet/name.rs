//! Names of wallets and hotkeys: file names that cannot lead out of the wallet folder.

use std::fmt;
use std::str::FromStr;

use super::WalletError;

/// Most bytes of a name.
const NAME_BYTES_MAX: usize = 64;

/// Ends of names that files beside a hotkey's own have: its public half, and a file being written.
const RESERVED_ENDS: [&str; 2] = ["pub.txt", ".tmp"];

/// A wallet's or hotkey's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName(String);

impl KeyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = WalletError;

    fn from_str(text: &str) -> Result<Self, WalletError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if text.is_empty()
            || text.len() > NAME_BYTES_MAX
            || text.starts_with('.')
            || RESERVED_ENDS.iter().any(|end| text.ends_with(end))
            || !text.chars().all(allowed)
        {
            let shown: String = text.chars().take(NAME_BYTES_MAX).collect();
            return Err(WalletError::Name(shown.escape_debug().to_string()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside_the_folder() {
        for good in ["default", "miner-1", "a.b_C", "5"] {
            assert_eq!(good.parse::<KeyName>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "minerpub.txt",
            "miner.tmp",
            ".",
            "..",
            "../x",
            "a/b",
            "a\\b",
            ".hidden",
            "a b",
            "a\0",
            "ä",
            &"x".repeat(65),
        ] {
            assert!(bad.parse::<KeyName>().is_err(), "{bad:?}");
        }
    }
}

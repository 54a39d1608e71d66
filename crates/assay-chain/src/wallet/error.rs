//! What can be wrong with a key, a key file or a wallet folder; no message quotes a secret.

use std::path::PathBuf;

use thiserror::Error;

use super::KEY_FILE_BYTES_MAX;

/// A wallet operation that failed.
#[derive(Debug, Error)]
pub enum WalletError {
    /// Something is wrong with one file.
    #[error("key file `{path}`")]
    File {
        /// The file.
        path: PathBuf,
        /// What.
        #[source]
        source: Box<WalletError>,
    },
    /// More bytes than a key file has.
    #[error("more than {KEY_FILE_BYTES_MAX} bytes: this is no key file")]
    TooLong,
    /// Neither JSON nor hex nor a phrase.
    #[error("neither key file JSON nor a hex seed nor a phrase")]
    Foreign,
    /// JSON that is cut or malformed.
    #[error("malformed JSON at line {line} column {column}: the file was cut or is no key file")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A field that does not hold what its name says.
    #[error("field `{0}` is malformed")]
    Field(&'static str),
    /// A public key that is not the address's.
    #[error("field `{0}` is another key than the address")]
    Contradiction(&'static str),
    /// JSON without any key.
    #[error("no `secretPhrase`, `secretSeed`, `privateKey` or `ss58Address`")]
    Empty,
    /// Another network's address, or a mistyped one.
    #[error("field `ss58Address`: {0}")]
    Address(#[from] assay_types::Ss58Error),
    /// The secret belongs to another address.
    #[error("the secret belongs to `{derived}`, the file says `{stated}`")]
    Mismatch {
        /// Address of the secret.
        derived: String,
        /// Address in the file.
        stated: String,
    },
    /// An export of the browser extension.
    #[error("this is a polkadot.js export, not a Bittensor key file")]
    PolkadotJs,
    /// Encrypted by a method of old wallets.
    #[error("encrypted with {0}, which only older wallets write")]
    OldEncryption(&'static str),
    /// An encrypted file and no password.
    #[error("the key is encrypted and no password was given")]
    NeedsPassword,
    /// The password does not open the file, or the file was altered.
    #[error("wrong password, or the file was altered")]
    WrongPassword,
    /// An encrypted file that is cut.
    #[error("encrypted key ends early: the file was cut")]
    EncryptedCut,
    /// The key-derivation function failed, for want of memory.
    #[error("the password cannot be stretched: {0}")]
    Stretch(String),
    /// A password variable whose content is not what wallets write.
    #[error("variable `{0}` does not hold an obfuscated password")]
    PasswordVariable(String),
    /// A phrase that is none.
    #[error("not a phrase of {expected} English words with a valid checksum", expected = super::keypair::WORD_COUNTS)]
    Phrase,
    /// A derivation path that is none.
    #[error("not a secret URI: expected `[phrase][//hard][/soft][///password]`")]
    Uri,
    /// A derivation that the scheme lacks.
    #[error("ed25519 keys have no soft derivations (`/path`), only hard ones (`//path`)")]
    SoftDerivation,
    /// Bytes that are no key.
    #[error("not a valid {0} key")]
    Key(&'static str),
    /// Only the address is there.
    #[error("the file holds an address and no secret")]
    PublicOnly,
    /// Transactions need another scheme.
    #[error("transactions are signed with sr25519 keys only, this key is ed25519")]
    NotSr25519,
    /// A name that cannot be a file name.
    #[error("`{0}` is no wallet or hotkey name: letters, digits, `-`, `_` and `.`, not first, at most 64")]
    Name(String),
    /// The file is there already.
    #[error("`{0}` exists")]
    Exists(PathBuf),
    /// There is no such file.
    #[error("`{0}` does not exist")]
    Missing(PathBuf),
    /// More wallets or hotkeys than are listed.
    #[error("`{path}` holds more than {max} entries")]
    TooMany {
        /// Folder.
        path: PathBuf,
        /// Most listed.
        max: usize,
    },
    /// The operating system refused.
    #[error("wallet folder")]
    Io(#[from] std::io::Error),
    /// No random bytes.
    #[error("no random bytes from the operating system: {0}")]
    Entropy(String),
}

impl WalletError {
    /// The same error, said of the file `path`.
    pub(super) fn of_file(self, path: impl Into<PathBuf>) -> Self {
        match self {
            Self::File { .. } | Self::Exists(_) | Self::Missing(_) => self,
            _ => Self::File {
                path: path.into(),
                source: Box::new(self),
            },
        }
    }

    /// Stable name of the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { source, .. } => source.code(),
            Self::NeedsPassword | Self::WrongPassword | Self::PasswordVariable(_) => "wallet/password",
            Self::Exists(_) => "wallet/exists",
            Self::Missing(_) => "wallet/missing",
            Self::Name(_) => "wallet/name",
            Self::Io(_) | Self::Entropy(_) | Self::Stretch(_) | Self::TooMany { .. } => "wallet/system",
            Self::Phrase | Self::Uri | Self::SoftDerivation | Self::Key(_) => "wallet/secret",
            Self::PublicOnly | Self::NotSr25519 => "wallet/unusable",
            _ => "wallet/file",
        }
    }

    /// What the person can do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::File { source, .. } => source.help(),
            Self::PolkadotJs => {
                "convert it with `btcli wallet regen-coldkey --json-path FILE`, then use the new wallet"
            }
            Self::OldEncryption(_) => "open the wallet once with `btcli`, which encrypts it anew",
            Self::NeedsPassword => "set BT_WALLET_PASSWORD, give --password-file, or run it on a terminal",
            Self::WrongPassword => "check the password; the phrase can always restore the key",
            Self::EncryptedCut
            | Self::Json { .. }
            | Self::Foreign
            | Self::Field(_)
            | Self::Contradiction(_)
            | Self::Empty => {
                "restore the file from a backup, or the key from its phrase with `assay wallet import`"
            }
            Self::Address(assay_types::Ss58Error::Prefix(_)) => {
                "addresses of this chain begin with `5` (SS58 prefix 42)"
            }
            Self::Exists(_) => "choose another name, or give --force to replace the key: the old one is lost",
            Self::Missing(_) => "`assay wallet list` shows the wallets there are",
            Self::PublicOnly => "this machine has only the public half; sign where the secret is",
            Self::NotSr25519 => "make an sr25519 hotkey with `assay wallet new`",
            Self::Name(_) => "choose a name such as `default` or `miner-1`",
            Self::Phrase | Self::Uri | Self::SoftDerivation => {
                "give a phrase of 12 to 24 English words, a hex seed, or a secret URI such as `//Alice`"
            }
            Self::PasswordVariable(_) => {
                "put the plain password into BT_WALLET_PASSWORD, or unset the variable"
            }
            Self::Stretch(_) => "opening an encrypted key takes 512 MiB of memory",
            Self::TooLong => {
                "give the key file itself: hotkeys lie in `WALLET/hotkeys`, the coldkey in `WALLET/coldkey`"
            }
            Self::Address(_) => "copy the address again: its checksum does not hold",
            Self::Mismatch { .. } => {
                "restore the file from a backup: secret and address in it are of two keys; the phrase decides which is yours"
            }
            Self::Key(_) => "give the key again: some of its digits are wrong",
            Self::TooMany { .. } => "give another --path, or move some of it elsewhere",
            Self::Io(_) => "check that the folder exists, is yours and has room",
            Self::Entropy(_) => "check the system's random source, `/dev/urandom`",
        }
    }
}

//! Bittensor wallets: key files on disk, the keys in them, and signatures.
//!
//! A wallet is a folder `<root>/<name>` with `coldkey` (usually encrypted), `coldkeypub.txt`, `hotkeys/<hotkey>` (plain
//! JSON) and `hotkeys/<hotkey>pub.txt`. Services need a hotkey and `coldkeypub.txt` only. Formats: `bittensor-wallet` and
//! `bittensor-core` 0.1.5, checked in both directions by `tests/it/wallet_peers.rs`; docs/wallets.md is the manual.
//!
//! Invariant: a secret leaves this module only as a signature or into a key file of mode 0600. Types that hold one print
//! `***`, errors name files and fields and never quote their content, and memory is wiped when a value is dropped (the
//! libraries below may leave copies on the stack).

mod derive;
mod disk;
mod ed25519;
mod error;
mod file;
mod json;
mod keypair;
mod nacl;
mod name;
mod password;
mod signer;
mod store;

pub use disk::Overwrite;
pub use error::WalletError;
pub use file::{KEY_FILE_BYTES_MAX, KeyFile, Protection, protection};
pub use keypair::{KeyPair, PHRASE_WORDS, SIGNATURE_BYTES, Scheme, verify};
pub use nacl::{decrypt, encrypt};
pub use name::KeyName;
pub use password::{PASSWORD_VARIABLE, Password, password_from, password_variable};
pub use store::{Problem, WALLETS_MAX, WalletEntry, Wallets};

//! Arguments of `assay wallet`: which key, where from, and whether anything may be replaced. No flag takes a secret.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum WalletCommand {
    /// Make a new coldkey, or with --hotkey a new hotkey
    New(WalletNewArgs),
    /// Take a key over from a phrase, seed, secret URI or key file
    Import(WalletImportArgs),
    /// The wallets and hotkeys on this machine
    List {
        /// Folder of the wallets [default: ~/.bittensor/wallets]
        #[arg(long, value_name = "FOLDER")]
        path: Option<PathBuf>,
    },
    /// One key's address, kind and file
    Show(KeyArgs),
    /// Sign a message
    Sign(WalletSignArgs),
    /// Check a signature; exit status 4 if it does not hold
    Verify(WalletVerifyArgs),
}

/// Which key.
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// Name of the wallet
    pub(crate) wallet: String,
    /// Its hotkey of this name instead of the coldkey
    #[arg(long, value_name = "NAME")]
    pub(crate) hotkey: Option<String>,
    /// Folder of the wallets [default: ~/.bittensor/wallets]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) path: Option<PathBuf>,
    /// File whose first line is the password of an encrypted key
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

/// The hotkey that works for a service.
#[derive(Debug, Clone, Args)]
pub(crate) struct HotkeyArgs {
    /// Wallet that holds the hotkey
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) wallet: String,
    /// The hotkey
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) hotkey: String,
    /// Folder of the wallets [default: ~/.bittensor/wallets]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) wallet_path: Option<PathBuf>,
}

impl HotkeyArgs {
    /// The key, as wallet commands name it.
    pub(crate) fn key(&self) -> KeyArgs {
        KeyArgs {
            wallet: self.wallet.clone(),
            hotkey: Some(self.hotkey.clone()),
            path: self.wallet_path.clone(),
            password_file: None,
        }
    }
}

/// How a key is written.
#[derive(Debug, Args)]
pub(crate) struct WritingArgs {
    /// Kind of key; only sr25519 signs transactions
    #[arg(long, value_enum, default_value_t = SchemeArg::Sr25519)]
    pub(crate) scheme: SchemeArg,
    /// Leave the coldkey unencrypted
    #[arg(long, conflicts_with = "hotkey")]
    pub(crate) no_password: bool,
    /// Replace a key that is there; the old one is lost
    #[arg(long)]
    pub(crate) force: bool,
}

/// Kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemeArg {
    Sr25519,
    Ed25519,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay wallet new default --phrase-out phrase.txt     a coldkey; move the phrase off this machine
  assay wallet new default --hotkey miner              a hotkey, unencrypted, for a service")]
pub(crate) struct WalletNewArgs {
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    #[command(flatten)]
    pub(crate) writing: WritingArgs,
    /// Also write the phrase that restores the key to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) phrase_out: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay wallet import default phrase.txt               a coldkey from its phrase
  assay wallet import default --hotkey miner -         a hotkey from what is typed or piped in
  assay wallet import default coldkeypub.txt           the address only, for a machine without the coldkey")]
pub(crate) struct WalletImportArgs {
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    /// File with a phrase, hex seed, secret URI or key file; `-` is stdin
    pub(crate) from: PathBuf,
    #[command(flatten)]
    pub(crate) writing: WritingArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay wallet sign default --hotkey miner message.txt")]
pub(crate) struct WalletSignArgs {
    #[command(flatten)]
    pub(crate) key: KeyArgs,
    /// File with the message, every byte of it; `-` is stdin
    pub(crate) message: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  assay wallet verify 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY 0x6285… message.txt")]
pub(crate) struct WalletVerifyArgs {
    /// Who signed, as SS58
    pub(crate) address: String,
    /// 64 bytes in hex
    pub(crate) signature: String,
    /// File with the message, every byte of it; `-` is stdin
    pub(crate) message: PathBuf,
    /// Kind of key
    #[arg(long, value_enum, default_value_t = SchemeArg::Sr25519)]
    pub(crate) scheme: SchemeArg,
}

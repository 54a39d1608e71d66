//! The key that signs: a wallet's hotkey or coldkey, opened with the password from where `assay wallet` finds it.

use assay_chain::wallet::KeyPair;
use subxt_signer::sr25519::Keypair;

use crate::cli::{KeyArgs, SigningArgs};
use crate::command::wallet;
use crate::console::Console;

/// The hotkey, which signs commitments and weights.
pub(super) fn hotkey(args: &SigningArgs, console: &Console) -> anyhow::Result<Keypair> {
    wallet::signer(&key_args(args, Some(args.hotkey.clone())), console)
}

/// The hotkey as a pair, which signs requests and answers.
pub(super) fn hotkey_pair(args: &SigningArgs, console: &Console) -> anyhow::Result<KeyPair> {
    wallet::key_pair(&key_args(args, Some(args.hotkey.clone())), console)
}

/// The coldkey, which pays.
pub(super) fn coldkey(args: &SigningArgs, console: &Console) -> anyhow::Result<Keypair> {
    wallet::signer(&key_args(args, None), console)
}

/// The hotkey's address, from its public half.
pub(super) fn hotkey_address(args: &SigningArgs, console: &Console) -> anyhow::Result<[u8; 32]> {
    wallet::public(&key_args(args, Some(args.hotkey.clone())), console)
}

fn key_args(args: &SigningArgs, hotkey: Option<String>) -> KeyArgs {
    KeyArgs {
        wallet: args.wallet.clone(),
        hotkey,
        path: args.wallet_path.clone(),
        password_file: args.password_file.clone(),
    }
}

//! `assay wallet`: makes, imports, lists and shows keys, signs and checks messages; wires `assay_chain::wallet`.

use std::path::PathBuf;

use anyhow::Context as _;
use assay_chain::wallet::{
    KeyFile, KeyName, KeyPair, Overwrite, Password, Scheme, WalletError, Wallets, verify,
};
use assay_types::{hex, ss58};
use serde_json::json;

use crate::cli::{
    KeyArgs, SchemeArg, WalletCommand, WalletImportArgs, WalletNewArgs, WalletSignArgs, WalletVerifyArgs,
    WritingArgs,
};
use crate::config;
use crate::console::Console;
use crate::exit::{Status, UsageError};

mod input;
mod list;

use input::Asking;

pub(super) fn run(command: &WalletCommand, console: &Console) -> anyhow::Result<Status> {
    match command {
        WalletCommand::New(args) => new(args, console),
        WalletCommand::Import(args) => import(args, console),
        WalletCommand::List { path } => list::run(&wallets(path.as_ref())?, console),
        WalletCommand::Show(args) => show(args, console),
        WalletCommand::Sign(args) => sign(args, console),
        WalletCommand::Verify(args) => check(args, console),
    }
}

/// The pair that signs transactions, for `assay chain`.
pub(super) fn signer(args: &KeyArgs, console: &Console) -> anyhow::Result<subxt_signer::sr25519::Keypair> {
    Ok(key_pair(args, console)?.signer()?)
}

/// The pair that signs messages.
pub(super) fn key_pair(args: &KeyArgs, console: &Console) -> anyhow::Result<KeyPair> {
    let place = Place::new(args)?;
    let is_encrypted = place.wallets.protection(&place.path())? == assay_chain::wallet::Protection::Nacl;
    let password = if is_encrypted {
        place.password(console, Asking::Once)?
    } else {
        None
    };
    let file = place.wallets.open(&place.path(), password.as_ref())?;
    Ok(file.key()?.clone())
}

/// A key's public half, for `assay chain`; needs no password.
pub(super) fn public(args: &KeyArgs, console: &Console) -> anyhow::Result<[u8; 32]> {
    let place = Place::new(args)?;
    match place.wallets.open(&place.public_path(), None) {
        Err(WalletError::Missing(_)) => Ok(signer(args, console)?.public_key().0),
        found => Ok(found?.public),
    }
}

/// A key by its arguments.
struct Place {
    wallets: Wallets,
    wallet: KeyName,
    hotkey: Option<KeyName>,
    password_file: Option<PathBuf>,
}

impl Place {
    fn new(args: &KeyArgs) -> anyhow::Result<Self> {
        Ok(Self {
            wallets: wallets(args.path.as_ref())?,
            wallet: args.wallet.parse()?,
            hotkey: args.hotkey.as_deref().map(str::parse).transpose()?,
            password_file: args.password_file.clone(),
        })
    }

    fn path(&self) -> PathBuf {
        match &self.hotkey {
            Some(hotkey) => self.wallets.hotkey_path(&self.wallet, hotkey),
            None => self.wallets.coldkey_path(&self.wallet),
        }
    }

    fn public_path(&self) -> PathBuf {
        match &self.hotkey {
            Some(hotkey) => self.wallets.hotkeypub_path(&self.wallet, hotkey),
            None => self.wallets.coldkeypub_path(&self.wallet),
        }
    }

    fn password(&self, console: &Console, asking: Asking) -> anyhow::Result<Option<Password>> {
        input::password(&self.path(), self.password_file.as_deref(), console, asking)
    }

    /// Writes a key, a coldkey with a password unless told otherwise.
    fn write(&self, key: &KeyPair, writing: &WritingArgs, console: &Console) -> anyhow::Result<()> {
        let overwrite = overwrite(writing);
        let Some(hotkey) = &self.hotkey else {
            let path = self.path();
            // Asked before the password: nobody types one for nothing.
            if overwrite == Overwrite::No && path.exists() {
                return Err(WalletError::Exists(path).into());
            }
            let password = if writing.no_password {
                None
            } else {
                let password = self.password(console, Asking::Twice)?;
                Some(password.ok_or_else(|| {
                    UsageError::new(
                        "a coldkey is encrypted and no password was given",
                        "set BT_WALLET_PASSWORD, give --password-file, or say --no-password",
                    )
                })?)
            };
            self.wallets
                .write_coldkey(&self.wallet, key, password.as_ref(), overwrite)?;
            return Ok(());
        };
        self.wallets
            .write_hotkey(&self.wallet, hotkey, key, overwrite)
            .map_err(Into::into)
    }

    fn told(&self, file: &KeyFile, schema: &str, console: &Console) -> anyhow::Result<Status> {
        let data = json!({
            "wallet": self.wallet.as_str(),
            "hotkey": self.hotkey.as_ref().map(KeyName::as_str),
            "address": file.address(),
            "public_key": format!("0x{}", hex::encode(&file.public)),
            "scheme": file.scheme.name(),
            "file": self.path(),
        });
        console.result(schema, &data, &[], || {
            format!(
                "address     {}\npublic key  0x{}\nscheme      {}\nfile        {}\n",
                file.address(),
                hex::encode(&file.public),
                file.scheme.name(),
                self.path().display()
            )
        })?;
        Ok(Status::Ok)
    }
}

fn wallets(path: Option<&PathBuf>) -> anyhow::Result<Wallets> {
    let root = path.cloned().or_else(config::wallets_root).ok_or_else(|| {
        UsageError::new(
            "no home folder, so no wallet folder",
            "give --path or set ASSAY_WALLET__PATH",
        )
    })?;
    Ok(Wallets::new(root))
}

const fn overwrite(writing: &WritingArgs) -> Overwrite {
    if writing.force {
        Overwrite::Yes
    } else {
        Overwrite::No
    }
}

const fn scheme(arg: SchemeArg) -> Scheme {
    match arg {
        SchemeArg::Sr25519 => Scheme::Sr25519,
        SchemeArg::Ed25519 => Scheme::Ed25519,
    }
}

fn new(args: &WalletNewArgs, console: &Console) -> anyhow::Result<Status> {
    let place = Place::new(&args.key)?;
    if let Some(path) = args.phrase_out.as_ref().filter(|path| path.exists()) {
        return Err(WalletError::Exists(path.clone()).into());
    }
    let key = KeyPair::generate(scheme(args.writing.scheme))?;
    place.write(&key, &args.writing, console)?;
    match &args.phrase_out {
        Some(path) => {
            place.wallets.write_phrase(path, &key)?;
            console.note(&format!(
                "the phrase is in `{}`: move it off this machine",
                path.display()
            ));
        }
        None => console.note("the phrase is in the key file only; --phrase-out FILE writes a copy to keep"),
    }
    place.told(&key.into(), "assay.wallet-new/1", console)
}

fn import(args: &WalletImportArgs, console: &Console) -> anyhow::Result<Status> {
    let place = Place::new(&args.key)?;
    let bytes = input::secret(&args.from)?;
    let file = input::key(&bytes, scheme(args.writing.scheme), || {
        place.password(console, Asking::Once)
    })
    .with_context(|| format!("import `{}`", args.from.display()))?;
    match (file.key(), &place.hotkey) {
        (Ok(key), _) => place.write(key, &args.writing, console)?,
        (Err(_), None) => {
            place
                .wallets
                .write_coldkeypub(&place.wallet, &file, overwrite(&args.writing))?;
        }
        (Err(error), Some(_)) => return Err(error.into()),
    }
    place.told(&file, "assay.wallet-import/1", console)
}

fn show(args: &KeyArgs, console: &Console) -> anyhow::Result<Status> {
    let place = Place::new(args)?;
    // The public half says all there is to show and needs no password.
    let file = match place.wallets.open(&place.public_path(), None) {
        Err(WalletError::Missing(_)) => {
            let password = place.password(console, Asking::Never)?;
            place.wallets.open(&place.path(), password.as_ref())?
        }
        found => found?,
    };
    place.told(&file, "assay.wallet/1", console)
}

fn sign(args: &WalletSignArgs, console: &Console) -> anyhow::Result<Status> {
    let place = Place::new(&args.key)?;
    let message = input::message(&args.message)?;
    let is_plain = place.wallets.protection(&place.path())? != assay_chain::wallet::Protection::Nacl;
    let password = if is_plain {
        None
    } else {
        place.password(console, Asking::Once)?
    };
    let file = place.wallets.open(&place.path(), password.as_ref())?;
    let signature = format!("0x{}", hex::encode(&file.key()?.sign(&message)?));
    let data = json!({
        "address": file.address(), "scheme": file.scheme.name(), "signature": signature, "message_bytes": message.len(),
    });
    console.note(&format!("{} bytes signed by {}", message.len(), file.address()));
    console.result("assay.wallet-signature/1", &data, &[], || {
        format!("{signature}\n")
    })?;
    Ok(Status::Ok)
}

fn check(args: &WalletVerifyArgs, console: &Console) -> anyhow::Result<Status> {
    let public = ss58::decode(&args.address).map_err(WalletError::Address)?;
    let digits = args.signature.strip_prefix("0x").unwrap_or(&args.signature);
    let signature = hex::decode(digits).map_err(|error| {
        UsageError::new(
            format!("the signature: {error}"),
            "a signature is 64 bytes in hex, as `assay wallet sign` prints",
        )
    })?;
    let message = input::message(&args.message)?;
    let holds = verify(scheme(args.scheme), &public, &message, &signature);
    let data = json!({ "address": args.address, "scheme": scheme(args.scheme).name(), "holds": holds });
    console.outcome("assay.wallet-verify/1", holds, &data, || {
        let verdict = if holds { "holds" } else { "does not hold" };
        format!("the signature {verdict}\n")
    })?;
    Ok(if holds { Status::Ok } else { Status::CheckFailed })
}

//! The wallet folder: where each file lies, reading and writing keys, and a list of what is there.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{
    KeyFile, KeyName, KeyPair, Overwrite, Password, Protection, WalletError, disk, nacl, protection,
};

/// Most wallets, and most hotkeys of one, that are listed.
pub const WALLETS_MAX: usize = 10_000;

/// A folder of wallets.
#[derive(Debug, Clone)]
pub struct Wallets {
    root: PathBuf,
}

/// A wallet of the list, without opening anything encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletEntry {
    /// Folder name.
    pub name: KeyName,
    /// Address of the coldkey, from `coldkeypub.txt` or a plain `coldkey`.
    pub coldkey: Option<String>,
    /// How the coldkey is protected; `None` where its secret is not on this machine.
    pub protection: Option<Protection>,
    /// Hotkeys by name, with the address where it can be read.
    pub hotkeys: Vec<(KeyName, Option<String>)>,
}

/// A file that is not as it should be; the list goes on.
#[derive(Debug)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it; `None` if others can read it.
    pub error: Option<WalletError>,
}

impl Wallets {
    /// The wallets in `root`, usually `~/.bittensor/wallets`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// File of the coldkey.
    pub fn coldkey_path(&self, wallet: &KeyName) -> PathBuf {
        self.root.join(wallet.as_str()).join("coldkey")
    }

    /// File of the coldkey's public half.
    pub fn coldkeypub_path(&self, wallet: &KeyName) -> PathBuf {
        self.root.join(wallet.as_str()).join("coldkeypub.txt")
    }

    /// File of a hotkey.
    pub fn hotkey_path(&self, wallet: &KeyName, hotkey: &KeyName) -> PathBuf {
        self.hotkeys_folder(wallet).join(hotkey.as_str())
    }

    /// File of a hotkey's public half.
    pub fn hotkeypub_path(&self, wallet: &KeyName, hotkey: &KeyName) -> PathBuf {
        self.hotkeys_folder(wallet).join(format!("{hotkey}pub.txt"))
    }

    fn hotkeys_folder(&self, wallet: &KeyName) -> PathBuf {
        self.root.join(wallet.as_str()).join("hotkeys")
    }

    /// How a key file is protected, without opening it.
    ///
    /// # Errors
    /// [`WalletError::Missing`] or what the operating system says.
    pub fn protection(&self, path: &Path) -> Result<Protection, WalletError> {
        disk::read(path).map(|bytes| protection(&bytes))
    }

    /// The key in a file, with `password` if it is encrypted.
    ///
    /// # Errors
    /// [`WalletError::File`] with what is wrong, or [`WalletError::Missing`].
    pub fn open(&self, path: &Path, password: Option<&Password>) -> Result<KeyFile, WalletError> {
        KeyFile::open(&disk::read(path)?, password).map_err(|error| error.of_file(path))
    }

    /// Writes a coldkey, encrypted if a password is given, and its `coldkeypub.txt`.
    ///
    /// # Errors
    /// [`WalletError::Exists`] unless it may be overwritten; nothing is written then.
    pub fn write_coldkey(
        &self,
        wallet: &KeyName,
        key: &KeyPair,
        password: Option<&Password>,
        overwrite: Overwrite,
    ) -> Result<(), WalletError> {
        self.write(
            key,
            password,
            &[self.coldkey_path(wallet), self.coldkeypub_path(wallet)],
            overwrite,
        )
    }

    /// Writes a hotkey in the clear, as services need it, and its public half.
    ///
    /// # Errors
    /// [`WalletError::Exists`] unless it may be overwritten; nothing is written then.
    pub fn write_hotkey(
        &self,
        wallet: &KeyName,
        hotkey: &KeyName,
        key: &KeyPair,
        overwrite: Overwrite,
    ) -> Result<(), WalletError> {
        self.write(
            key,
            None,
            &[
                self.hotkey_path(wallet, hotkey),
                self.hotkeypub_path(wallet, hotkey),
            ],
            overwrite,
        )
    }

    /// Writes `coldkeypub.txt` alone, for machines that must not hold the coldkey.
    ///
    /// # Errors
    /// [`WalletError::Exists`] unless it may be overwritten.
    pub fn write_coldkeypub(
        &self,
        wallet: &KeyName,
        file: &KeyFile,
        overwrite: Overwrite,
    ) -> Result<(), WalletError> {
        disk::write(&self.coldkeypub_path(wallet), &file.public_json(), overwrite)
    }

    /// Writes the phrase of a new key to a file of its own, to be moved off this machine; never replaces a file.
    ///
    /// # Errors
    /// [`WalletError::PublicOnly`] for a key without phrase, [`WalletError::Exists`].
    pub fn write_phrase(&self, path: &Path, key: &KeyPair) -> Result<(), WalletError> {
        let phrase = key.phrase().ok_or(WalletError::PublicOnly)?;
        let mut line = Zeroizing::new(String::with_capacity(phrase.len() + 1));
        line.push_str(phrase);
        line.push('\n');
        disk::write(path, line.as_bytes(), Overwrite::No)
    }

    /// Writes secret and public half. The public half of another key is never left beside a new secret: it goes last and
    /// is replaced if it says the same address.
    fn write(
        &self,
        key: &KeyPair,
        password: Option<&Password>,
        [secret_path, public_path]: &[PathBuf; 2],
        overwrite: Overwrite,
    ) -> Result<(), WalletError> {
        let file = KeyFile::from(key.clone());
        if overwrite == Overwrite::No && public_path.symlink_metadata().is_ok() {
            let same = self
                .open(public_path, None)
                .is_ok_and(|found| found.public == file.public);
            if !same {
                return Err(WalletError::Exists(public_path.clone()));
            }
        }
        let plain = file.secret_json()?;
        let content = match password {
            Some(password) => Zeroizing::new(nacl::encrypt(&plain, password)?),
            None => plain,
        };
        // Both are on disk beside their places before anything is taken away: what can fail for want of memory or room has
        // not failed then. A crash from here on leaves no public half rather than another key's.
        let secret = disk::stage(secret_path, &content, overwrite)?;
        let public = disk::stage(public_path, &file.public_json(), Overwrite::Yes)?;
        let mut before = None;
        if overwrite == Overwrite::Yes {
            before = disk::read(public_path).ok();
            disk::remove(public_path)?;
        }
        if let Err(error) = secret.place(overwrite) {
            // The old secret is still there, and so is to be what belongs to it.
            if let Some(before) = before {
                disk::write(public_path, &before, Overwrite::Yes)?;
            }
            return Err(error);
        }
        public.place(Overwrite::Yes)
    }

    /// All wallets in name order, and the files that are not as they should be.
    ///
    /// # Errors
    /// [`WalletError::TooMany`], or what the operating system says; a folder that is not there holds no wallets.
    pub fn list(&self) -> Result<(Vec<WalletEntry>, Vec<Problem>), WalletError> {
        let mut problems = Vec::new();
        let mut entries = Vec::new();
        for name in names(&self.root, Path::is_dir)? {
            entries.push(self.entry(name, &mut problems)?);
        }
        Ok((entries, problems))
    }

    fn entry(&self, name: KeyName, problems: &mut Vec<Problem>) -> Result<WalletEntry, WalletError> {
        let cold_path = self.coldkey_path(&name);
        let protection = match self.protection(&cold_path) {
            Ok(found) => Some(found),
            Err(WalletError::Missing(_)) => None,
            Err(error) => {
                problems.push(Problem::new(&cold_path, error));
                None
            }
        };
        let mut coldkey = self.address(&self.coldkeypub_path(&name), problems);
        if protection == Some(Protection::Plain) {
            coldkey = self.address(&cold_path, problems).or(coldkey);
        }
        let mut hotkeys = Vec::new();
        let is_secret = |path: &Path| {
            let shown = path.to_string_lossy();
            path.is_file() && !shown.ends_with("pub.txt") && !shown.ends_with(".tmp")
        };
        for hotkey in names(&self.hotkeys_folder(&name), is_secret)? {
            let path = self.hotkey_path(&name, &hotkey);
            let address = match self.protection(&path) {
                Ok(Protection::Plain) => self.address(&path, problems),
                _ => self.address(&self.hotkeypub_path(&name, &hotkey), problems),
            };
            hotkeys.push((hotkey, address));
        }
        Ok(WalletEntry {
            name,
            coldkey,
            protection,
            hotkeys,
        })
    }

    /// The address in a file that needs no password; what is wrong with it is kept.
    fn address(&self, path: &Path, problems: &mut Vec<Problem>) -> Option<String> {
        match self.open(path, None) {
            Ok(file) => {
                if file.secret.is_some() && disk::is_open_to_others(path) {
                    problems.push(Problem {
                        path: path.to_owned(),
                        error: None,
                    });
                }
                Some(file.address())
            }
            Err(WalletError::Missing(_)) => None,
            Err(error) => {
                problems.push(Problem::new(path, error));
                None
            }
        }
    }
}

impl Problem {
    fn new(path: &Path, error: WalletError) -> Self {
        Self {
            path: path.to_owned(),
            error: Some(error),
        }
    }
}

/// Names in a folder that satisfy `wanted`, sorted; names that no wallet has are passed over.
fn names(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<KeyName>, WalletError> {
    let failed = |error: std::io::Error| WalletError::from(error).of_file(folder);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries.take(WALLETS_MAX + 1) {
        let entry = entry.map_err(failed)?;
        if names.len() == WALLETS_MAX {
            return Err(WalletError::TooMany {
                path: folder.to_owned(),
                max: WALLETS_MAX,
            });
        }
        if let Some(Ok(name)) = entry.file_name().to_str().map(str::parse)
            && wanted(&entry.path())
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;

//! A published repository as training text: a dataset of ours by units, any other by its Parquet, JSON Lines and text files.
//!
//! Called by `assay evaluate` for `hf://` and other stores; a folder that the local driver reads comes out. Files are taken
//! whole in an order drawn by the seed, so that a bounded part is a fair sample; a digest the store knows is checked. No
//! script of a repository is run, no pickle is read.

use std::path::{Path, PathBuf};

use assay_hub::store::{Entry, ObjectPath, Store, StoreError, View};
use assay_types::{MANIFEST_FILE, RepoName, Revision, Tokens, tagged_hash};
use fs_err as fs;

use super::error::ConsumeError;
use super::published::Published;
use super::pull::{PullJob, pull};
use crate::local::{Input, LocalError, is_text};

/// Bytes of files after which no further one is fetched, and of the longest file: folds use some ten megabytes of text.
pub const TEXTS_BYTES_MAX: u64 = 4 << 30;

/// Tokens of a dataset of ours that are fetched at most.
pub const TEXTS_TOKENS_MAX: Tokens = Tokens(200_000_000);

/// Fetches texts of a revision below `root`; gives their folder and which files of it are read: a folder may hold what another
/// seed chose before. What is there already is not fetched again.
///
/// # Errors
/// [`ConsumeError`]: a store that fails, a dataset that is not what its manifest says, no file of texts.
pub async fn fetch_texts(
    store: &dyn Store,
    repo: &RepoName,
    revision: &Revision,
    root: &Path,
    seed: u64,
) -> Result<Input, ConsumeError> {
    let place = format!("{}@{revision}", repo.as_str());
    let out = root.join(&place);
    let view = store.open(repo, revision).await?;
    if view
        .list(MANIFEST_FILE)
        .any(|entry| entry.path.as_str() == MANIFEST_FILE)
    {
        let published = Published::open(store, repo, revision).await?;
        let units = published.manifest.units.iter();
        let tokens = units.map(|unit| u128::from(unit.n_tokens.0)).sum();
        let out = root.join(folder_of(&place, tokens, seed));
        let job = PullJob {
            published: &published,
            out: &out,
            tokens: Some(TEXTS_TOKENS_MAX),
            seed,
        };
        let pulled = pull(&job, &|_| {}).await?;
        return match pulled.faults.first() {
            None => Ok(Input::from(out)),
            Some(fault) => Err(ConsumeError::Fault {
                place,
                fault: fault.to_string(),
            }),
        };
    }
    let chosen = chosen(&view, seed);
    if chosen.is_empty() {
        return Err(ConsumeError::NoTexts {
            place,
            bytes_max: TEXTS_BYTES_MAX,
        });
    }
    for path in &chosen {
        let to = out.join(path.as_str());
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(LocalError::io(folder))?;
        }
        download(&view, path, &to).await?;
    }
    let files = chosen.iter().map(|path| PathBuf::from(path.as_str()));
    Ok(Input {
        files: Some(files.collect()),
        path: out,
    })
}

/// Folder of a dataset of ours: of the seed where its units are only a part, because what is there already is kept.
fn folder_of(place: &str, tokens: u128, seed: u64) -> String {
    if tokens <= u128::from(TEXTS_TOKENS_MAX.0) {
        place.to_owned()
    } else {
        format!("{place}-seed{seed}")
    }
}

/// Fetches a file unless it is there. Small files of the Hub have no digest the store knows: one of the right length
/// counts, because a revision never changes and a file appears whole.
async fn download(view: &View, path: &ObjectPath, to: &Path) -> Result<(), StoreError> {
    let entry = view.head(path)?;
    let is_there = fs::metadata(to).is_ok_and(|there| there.len() == entry.bytes);
    if entry.sha256.is_none() && is_there {
        return Ok(());
    }
    view.download(path, to).await.map(|_| ())
}

/// Files of texts in the seed's order, as many as fit.
fn chosen(view: &View, seed: u64) -> Vec<ObjectPath> {
    let mut entries: Vec<&Entry> = view
        .list("")
        .filter(|entry| is_text(entry.path.as_str()) && entry.bytes > 0)
        .collect();
    let seed = seed.to_le_bytes();
    entries.sort_by_key(|entry| tagged_hash("assay/pull/1", &[&seed, entry.path.as_str().as_bytes()]));
    let mut left = TEXTS_BYTES_MAX;
    let mut found = Vec::new();
    for entry in entries {
        if entry.bytes <= left {
            left -= entry.bytes;
            found.push(entry.path.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_dataset_has_a_folder_of_its_seed() {
        let most = u128::from(TEXTS_TOKENS_MAX.0);
        assert_eq!(folder_of("a/b@r", most, 3), "a/b@r");
        assert_eq!(folder_of("a/b@r", most + 1, 3), "a/b@r-seed3");
    }
}

//! Inputs of an evaluation that lie in a store, fetched: addresses become folders, paths stay as they are.
//!
//! What an address is, is decided by [`Target`]; a path that exists is never one.

use std::path::{Path, PathBuf};

use assay_agents::consume::{ConsumeError, fetch_texts};
use assay_agents::local::Input;
use assay_hub::store::{Target, open_store};

use super::dataset::target::{only_revision, wait};
use crate::config;
use crate::console::Console;

/// Folders and files of this machine in the order of `inputs`, with the files of a folder that were chosen.
pub(super) fn local(
    inputs: &[PathBuf],
    downloads: &Path,
    seed: u64,
    console: &Console,
) -> anyhow::Result<Vec<Input>> {
    let fetch = |input: &PathBuf| match input.to_str() {
        Some(text) if !input.exists() => fetched(text, downloads, seed, console),
        _ => Ok(Input::from(input.clone())),
    };
    inputs.iter().map(fetch).collect()
}

fn fetched(text: &str, downloads: &Path, seed: u64, console: &Console) -> anyhow::Result<Input> {
    let Target::Published {
        store,
        repo,
        revision,
    } = Target::parse(text).map_err(ConsumeError::from)?
    else {
        return Ok(Input::from(PathBuf::from(text)));
    };
    wait(async {
        let store = open_store(&store, &config::store_options()).map_err(ConsumeError::from)?;
        let revision = match revision {
            Some(revision) => revision,
            None => only_revision(store.as_ref(), &repo).await?,
        };
        console.note(&format!(
            "fetching {}@{revision} into {}",
            repo.as_str(),
            downloads.display()
        ));
        Ok(fetch_texts(store.as_ref(), &repo, &revision, downloads, seed).await?)
    })
}

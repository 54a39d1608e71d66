//! Stores: one suite that each of them passes, and what each promises beyond it.

mod conformance;
mod faults;
mod huggingface;
mod local;
mod mock_hub;
mod objects;

use std::future::Future;

use assay_hub::store::{Body, ObjectPath, Publication};
use assay_types::RepoName;

/// Runs a future to its end on this thread.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

pub(crate) fn path(text: &str) -> ObjectPath {
    ObjectPath::parse(text).unwrap()
}

pub(crate) fn repo(name: &str) -> RepoName {
    RepoName::parse(&format!("acme/{name}")).unwrap()
}

/// A publication of files in memory whose anchor is the first.
pub(crate) fn publication(repo: &RepoName, files: &[(&str, &[u8])]) -> Publication {
    let empty = Publication::new(repo.clone(), path(files[0].0));
    files.iter().fold(empty, |publication, (name, bytes)| {
        publication.with(path(name), Body::Bytes(bytes.to_vec().into()))
    })
}

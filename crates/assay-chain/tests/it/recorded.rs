//! Recorded metadata of two mainnet runtimes, from the folder `$ASSAY_DATA/chain`; never copied into the repository.

use std::path::PathBuf;

use assay_chain::subtensor::Runtime;

/// The runtimes that are recorded.
pub(crate) const SPECS: [u32; 2] = [365, 393];

/// The folder, or `None` after a line that says what was skipped; `ASSAY_REQUIRE` makes that a failure.
pub(crate) fn folder(test: &str) -> Option<PathBuf> {
    let found = std::env::var_os("ASSAY_DATA")
        .map(|data| PathBuf::from(data).join("chain"))
        .filter(|folder| folder.is_dir());
    if found.is_none() {
        assert!(
            std::env::var_os("ASSAY_REQUIRE").is_none(),
            "{test} needs the recorded metadata in $ASSAY_DATA/chain"
        );
        println!("skipped {test}: no recorded metadata in $ASSAY_DATA/chain");
    }
    found
}

/// Metadata of one runtime.
pub(crate) fn metadata(folder: &std::path::Path, spec_version: u32) -> Vec<u8> {
    std::fs::read(folder.join(format!("metadata-spec{spec_version}.scale"))).unwrap()
}

/// One runtime.
pub(crate) fn runtime(folder: &std::path::Path, spec_version: u32) -> Runtime {
    Runtime::decode(spec_version, 1, &metadata(folder, spec_version)).unwrap()
}

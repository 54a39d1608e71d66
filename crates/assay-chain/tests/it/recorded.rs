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

/// Metadata in which every name that is `name`, and nothing longer, is another one.
pub(crate) fn renamed(metadata: &[u8], name: &str, other: &str) -> Vec<u8> {
    // SCALE text is its length and its bytes; below 64 bytes the length is one byte, times four.
    let text = |name: &str| {
        let length = u8::try_from(name.len()).unwrap();
        assert!(length < 64, "{name}");
        [&[length << 2], name.as_bytes()].concat()
    };
    let (from, to) = (text(name), text(other));
    let (mut bytes, mut rest, mut found) = (Vec::new(), metadata, 0);
    while !rest.is_empty() {
        if rest.starts_with(&from) {
            bytes.extend_from_slice(&to);
            rest = &rest[from.len()..];
            found += 1;
        } else {
            bytes.push(rest[0]);
            rest = &rest[1..];
        }
    }
    assert!(found > 0, "{name}");
    bytes
}

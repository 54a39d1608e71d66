//! Integration tests of the refinery on real data and across modules, one module a topic.
#![cfg(test)]

mod broken_archives;
mod reading;

/// The folder of real test data, or a printed line that the test is skipped.
#[expect(
    clippy::disallowed_methods,
    reason = "tests are told here where their data is"
)]
pub(crate) fn assay_data() -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("ASSAY_DATA").map(std::path::PathBuf::from);
    if folder.is_none() {
        assert!(
            std::env::var_os("ASSAY_REQUIRE").is_none(),
            "ASSAY_REQUIRE is set, ASSAY_DATA is not"
        );
        eprintln!("skipped: ASSAY_DATA is not set");
    }
    folder
}

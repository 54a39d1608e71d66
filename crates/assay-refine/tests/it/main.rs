//! Integration tests of the refinery, one binary.
#![cfg(test)]

mod extraction;
mod hostile_html;

/// The folder of real test data, or a printed line that the test is skipped.
#[expect(
    clippy::disallowed_methods,
    reason = "tests are told their data by the environment"
)]
pub(crate) fn assay_data() -> Option<std::path::PathBuf> {
    let data = std::env::var_os("ASSAY_DATA").map(std::path::PathBuf::from);
    assert!(
        data.is_some() || std::env::var_os("ASSAY_REQUIRE").is_none(),
        "`ASSAY_DATA` is not set"
    );
    if data.is_none() {
        eprintln!("skipped: `ASSAY_DATA` is not set");
    }
    data
}

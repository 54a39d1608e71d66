//! Integration tests of `assay-refine`: real test data in, the reference's results compared.
//!
//! Data: the folder named by `ASSAY_DATA`; without it the data tests say so and pass, unless `ASSAY_REQUIRE` is set.

#![cfg(test)]

mod filter_manual;
mod filter_parity;
mod minhash;
mod text;
mod url_lists;

/// The folder of real test data, or a printed line that the test is skipped.
#[expect(
    clippy::disallowed_methods,
    reason = "tests find their data by the environment"
)]
pub(crate) fn assay_data() -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("ASSAY_DATA").map(std::path::PathBuf::from);
    if folder.is_none() {
        assert!(
            std::env::var_os("ASSAY_REQUIRE").is_none(),
            "ASSAY_DATA is not set"
        );
        eprintln!("skipped: ASSAY_DATA is not set");
    }
    folder
}

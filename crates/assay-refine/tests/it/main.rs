//! Integration tests of the refinery on real data and across modules, one module a topic.
//!
//! Data: the folder named by `ASSAY_DATA`; without it the data tests say so and pass, unless `ASSAY_REQUIRE` is set.

#![cfg(test)]

mod broken_archives;
mod extraction;
mod filter_manual;
mod filter_parity;
mod hostile_html;
mod html;
mod markdown;
mod minhash;
mod reading;
mod text;
mod url_lists;

/// The folder of real test data, or a printed line that the test is skipped.
#[expect(
    clippy::disallowed_methods,
    reason = "tests run in the shell: the environment says where the data is"
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

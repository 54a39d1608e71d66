//! The test data: `$ASSAY_DATA`, or one line that says a test was skipped; with `ASSAY_REQUIRE` that is a failure.

use std::path::PathBuf;

use serde::Deserialize;

/// One line of a JSON Lines text file.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Document {
    pub(crate) id: String,
    pub(crate) text: String,
}

/// The folder of test data, if there is one.
#[expect(
    clippy::disallowed_methods,
    reason = "tests run in the shell: the environment says where the data is"
)]
pub(crate) fn folder(part: &str) -> Option<PathBuf> {
    let data = std::env::var_os("ASSAY_DATA");
    if data.is_none() {
        skip("ASSAY_DATA names no test data");
    }
    data.map(|data| PathBuf::from(data).join(part))
}

/// Says that a test is skipped; with `ASSAY_REQUIRE` that is a failure.
#[expect(
    clippy::disallowed_methods,
    reason = "tests run in the shell: the environment says what must be there"
)]
pub(crate) fn skip(why: &str) {
    assert!(
        std::env::var_os("ASSAY_REQUIRE").is_none(),
        "ASSAY_REQUIRE is set: {why}"
    );
    eprintln!("skipped: {why}");
}

/// The documents of a text file, in file order.
pub(crate) fn documents(name: &str) -> Option<Vec<Document>> {
    let text = fs_err::read_to_string(folder("lm/text")?.join(name)).unwrap();
    Some(
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}

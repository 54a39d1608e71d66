//! `docs/filters.md` is what the filters' headers say.

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the update is asked for by the environment"
)]
fn the_page_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/filters.md");
    let manual = assay_refine::filter::manual();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs_err::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs")).unwrap();
        fs_err::write(path, &manual).unwrap();
    }
    let page = fs_err::read_to_string(path).unwrap_or_default();
    assert!(
        page == manual,
        "`docs/filters.md` differs from the headers: run this test with UPDATE_DOCS=1"
    );
}

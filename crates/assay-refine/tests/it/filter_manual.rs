//! `docs/filters.md` is what the filters' headers say.

#[test]
fn the_page_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/filters.md");
    let manual = assay_refine::filter::manual();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs")).unwrap();
        std::fs::write(path, &manual).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        page == manual,
        "`docs/filters.md` differs from the headers: run this test with UPDATE_DOCS=1"
    );
}

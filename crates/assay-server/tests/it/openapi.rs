//! The OpenAPI document and its page.

use assay_server::api::openapi_json;

#[test]
fn the_document_is_the_committed_one() {
    insta::assert_snapshot!(openapi_json());
}

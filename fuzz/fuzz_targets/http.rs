//! Any bytes as an HTTP response: the body decodes within its budget or is refused.

#![no_main]

use assay_refine::http::{decoded_body, parse_response};
use assay_refine::media::media_type;
use assay_refine::warc::ReadLimits;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let limits = ReadLimits { bytes_max: 100_000, http_header_bytes_max: 2_000, ..ReadLimits::default() };
    let Ok(response) = parse_response(data, &limits) else { return };
    assert!((100..1_000).contains(&response.status) && data.ends_with(response.body));
    if let Ok(body) = decoded_body(&response, &limits) {
        assert!(body.len() <= 100_000);
        media_type(None, response.content_type(), &body);
    }
});

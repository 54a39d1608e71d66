//! Any bytes as a message on the chain: what is read is written back to the same bytes.

#![no_main]

use assay_types::{Message, Pointer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(message) = Message::parse(data) {
        assert_eq!(message.encode(), data);
    }
    if let Ok(pointer) = Pointer::parse(data) {
        assert_eq!(pointer.encode(), data);
        assert!(pointer.repo.as_str().len() <= assay_types::REPO_BYTES_MAX);
    }
});

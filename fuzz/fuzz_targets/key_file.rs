//! Any bytes as a key file: what is read is written so that the same key is read again.

#![no_main]

use assay_chain::wallet::KeyFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(file) = KeyFile::open(data, None) else {
        return;
    };
    let public = KeyFile::parse(&file.public_json()).expect("our own JSON");
    assert_eq!((public.public, public.scheme), (file.public, file.scheme));
    if let Ok(json) = file.secret_json() {
        let again = KeyFile::parse(&json).expect("our own JSON");
        assert_eq!((again.public, again.scheme), (file.public, file.scheme));
    }
});

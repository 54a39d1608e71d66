//! Any bytes as a page's body: text comes out, and the counts are those of the text.

#![no_main]

use assay_refine::charset::decode;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // The first line is the Content-Type, the second the host's last label.
    let mut parts = data.splitn(3, |byte| *byte == b'\n');
    let label = |part: Option<&[u8]>| part.and_then(|part| std::str::from_utf8(part).ok()).map(str::to_owned);
    let (content_type, tld) = (label(parts.next()), label(parts.next()));
    let body = parts.next().unwrap_or_default();
    let decoded = decode(body, content_type.as_deref(), tld.as_deref());
    assert_eq!(decoded.chars as usize, decoded.text.chars().count());
    assert_eq!(decoded.replacements as usize, decoded.text.matches('\u{fffd}').count());
});

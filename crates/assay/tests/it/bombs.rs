//! Archives made to exhaust whoever reads them, through the whole program: it ends well, says what it dropped, and stays small.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::pages;
use crate::support::{Answer, assay, folder, held_kb};

/// What a bomb inflates to.
const BOMB_BYTES: u64 = 10_000_000_000;

/// A page far beyond `[extract] bytes_max`.
const LONG_PAGE_BYTES: usize = 100_000_000;

/// Most memory of a run, kB.
const MEMORY_KB_MAX: u64 = 600_000;

/// A record with its header.
pub(crate) fn record(kind: &str, content_type: &str, url: &str, block: &[u8]) -> Vec<u8> {
    let mut head = format!("WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\n");
    let _ = write!(
        head,
        "WARC-Date: 2024-05-01T12:00:00Z\r\nWARC-Record-ID: <urn:uuid:{:032x}>\r\n",
        u128::from_le_bytes(assay_types::blake3_16(url.as_bytes()).0)
    );
    let _ = write!(
        head,
        "Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        block.len()
    );
    [head.as_bytes(), block, b"\r\n\r\n"].concat()
}

/// A page as a server sent it, under an encoding.
fn response(url: &str, encoding: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: {encoding}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let message = [head.as_bytes(), body].concat();
    record("response", "application/http; msgtype=response", url, &message)
}

fn good(number: u64) -> Vec<u8> {
    let page = pages::html(&format!("Report {number}"), &pages::paragraphs(number));
    response(
        &format!("https://good.example/{number}"),
        "identity",
        page.as_bytes(),
    )
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Most bytes of a zstd block (RFC 8878, section 3.1.1.2.4) under a window of 128 KiB.
const BLOCK_BYTES: usize = 128 << 10;

/// A zstd frame (RFC 8878, section 3.1.1) of raw blocks and, behind them, so many blocks of one letter.
fn zstd_frame(stored: &[u8], letter_blocks: usize) -> Vec<u8> {
    // No checksum, no length; a window of 128 KiB.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    let stored: Vec<&[u8]> = stored.chunks(BLOCK_BYTES).collect();
    let blocks = stored.len() + letter_blocks;
    for number in 0..blocks {
        let (kind, size, content) = match stored.get(number) {
            Some(raw) => (0_u32, raw.len(), *raw),
            None => (1, BLOCK_BYTES, b"a".as_slice()),
        };
        let is_last = u32::from(number + 1 == blocks);
        let header = is_last | kind << 1 | u32::try_from(size).unwrap() << 3;
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.extend_from_slice(content);
    }
    frame
}

/// Bytes in a zstd frame as they stand.
pub(crate) fn zstd_stored(bytes: &[u8]) -> Vec<u8> {
    zstd_frame(bytes, 0)
}

/// A zstd frame that goes on for about ten gigabytes.
fn zstd_bomb(start: &[u8]) -> Vec<u8> {
    zstd_frame(start, usize::try_from(BOMB_BYTES).unwrap() / BLOCK_BYTES)
}

/// Bits from the lowest on, as RFC 7932 (section 1.5.1) packs them.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn put(&mut self, value: u64, count: u32) {
        for at in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.len() - 1;
            self.bytes[last] |= ((value >> at & 1) as u8) << (self.used % 8);
            self.used += 1;
        }
    }

    /// A prefix code of one symbol (RFC 7932, section 3.4): it then takes no bits.
    fn one_symbol(&mut self, symbol: u64, alphabet_bits: u32) {
        self.put(1, 2);
        self.put(0, 2);
        self.put(symbol, alphabet_bits);
    }
}

/// A brotli stream (RFC 7932) of `bytes` letters: meta-blocks of 16 MiB, each one literal and a copy of it from distance 1.
pub(crate) fn brotli_bomb(bytes: u64) -> Vec<u8> {
    const META_BLOCK_BYTES: u64 = 1 << 24;
    let mut bits = Bits::default();
    // A window of 22 bits (section 9.1).
    bits.put(0b1011, 4);
    for _ in 0..bytes / META_BLOCK_BYTES {
        // Not the last; six nibbles of length; compressed (section 9.2).
        bits.put(0, 1);
        bits.put(2, 2);
        bits.put(META_BLOCK_BYTES - 1, 24);
        bits.put(0, 1);
        // One block type of each kind, no postfix or direct distances, context mode 0, one tree each.
        bits.put(0, 3 + 2 + 4 + 2 + 2);
        bits.one_symbol(u64::from(b'a'), 8);
        // Insert one literal, copy 2,118 and 24 bits more (section 5); distance 1 (section 4).
        bits.one_symbol(384 + (1 << 3) + 7, 10);
        bits.one_symbol(16, 6);
        bits.put(META_BLOCK_BYTES - 1 - 2_118, 24);
        bits.put(0, 1);
    }
    // The last meta-block, empty.
    bits.put(0b11, 2);
    bits.bytes
}

/// Bytes without any order.
fn noise(bytes: u64) -> Vec<u8> {
    (0..bytes)
        .map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect()
}

/// Runs the program to its end; its answer and the most memory it held, kB.
fn watched(args: &[&Path]) -> (Answer, u64) {
    let mut child: Child = assay(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let proc = PathBuf::from(format!("/proc/{}", child.id()));
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(held_kb(&proc).unwrap_or_default());
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    (child.wait_with_output().unwrap().into(), peak)
}

/// Refines and verifies an archive within the memory allowed; gives the report.
#[track_caller]
fn survived(folder: &Path, name: &str, archive: &[u8]) -> Value {
    let path = folder.join(name);
    fs_err::write(&path, archive).unwrap();
    let out = folder.join(format!("{name}-out"));
    let word = Path::new;
    let (refined, refine_kb) = watched(&[word("refine"), &path, word("--out"), &out, word("--json")]);
    let report = refined.with_code(0).json();
    let (verified, verify_kb) = watched(&[
        word("verify"),
        &out,
        word("--warc"),
        &path,
        word("--sample"),
        word("all"),
        word("--json"),
    ]);
    let verified = verified.with_code(0).json();
    assert_eq!(verified["data"]["checked"], report["data"]["records"], "{name}");
    println!(
        "{name}: {} bytes, refine {refine_kb} kB, verify {verify_kb} kB, dropped {}",
        archive.len(),
        report["data"]["dropped"]
    );
    assert!(
        (1..MEMORY_KB_MAX).contains(&refine_kb) && (1..MEMORY_KB_MAX).contains(&verify_kb),
        "{name}: {refine_kb} kB, {verify_kb} kB"
    );
    report
}

#[test]
fn bodies_that_inflate_to_ten_gigabytes_are_over_budget() {
    let brotli = brotli_bomb(BOMB_BYTES);
    let zstd = zstd_bomb(b"<html>");
    assert!(brotli.len() < 10_000 && zstd.len() < 1_000_000);
    let parts = [
        good(1),
        response("https://bad.example/br", "br", &brotli),
        response("https://bad.example/zstd", "zstd", &zstd),
        response("https://bad.example/both", "zstd, br", &brotli),
        good(2),
    ];
    let members: Vec<u8> = parts.iter().flat_map(|part| gzip(part)).collect();
    let folder = folder();
    for (name, archive) in [("bodies.warc", parts.concat()), ("bodies.warc.gz", members)] {
        let report = survived(folder.path(), name, &archive);
        assert_eq!(report["data"]["kept"], 2, "{report}");
        assert_eq!(report["data"]["dropped"]["read.bytes"], 3, "{report}");
        assert_eq!(report["data"]["records"], 5, "{report}");
    }
}

#[test]
fn an_archive_that_inflates_to_ten_gigabytes_costs_its_own_record() {
    let head = b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 9999999999\r\n\r\n";
    let archive = [zstd_stored(&good(1)), zstd_bomb(head), zstd_stored(&good(2))].concat();
    let folder = folder();
    let report = survived(folder.path(), "bomb.warc.zst", &archive);
    assert_eq!(report["data"]["kept"], 2, "{report}");
    assert_eq!(report["data"]["dropped"]["read.record_bytes"], 1, "{report}");
    assert_eq!(report["data"]["dropped"]["read.frame"], 1, "{report}");
    assert_eq!(report["data"]["bytes_in"], archive.len(), "{report}");
}

#[test]
fn a_page_of_a_hundred_megabytes_and_noise_cost_their_own_rows() {
    let mut page = b"<html><body><p>".to_vec();
    while page.len() < LONG_PAGE_BYTES {
        page.extend_from_slice(b"One more sentence of a page without end. ");
    }
    let long = response("https://bad.example/long", "identity", &page);
    let noise = [noise(1 << 20), b"\r\n\r\n".to_vec()].concat();
    let folder = folder();
    let plain = [&good(1)[..], &long, &good(2), &noise, &good(3)].concat();
    let packed = [
        &gzip(&good(1))[..],
        &gzip(&long),
        &gzip(&good(2)),
        &noise,
        &gzip(&good(3)),
    ]
    .concat();
    for (name, archive) in [("long.warc", plain), ("long.warc.gz", packed)] {
        let report = survived(folder.path(), name, &archive);
        assert_eq!(report["data"]["kept"], 3, "{report}");
        assert_eq!(report["data"]["dropped"]["read.record_bytes"], 1, "{report}");
        let dropped = report["data"]["dropped"].as_object().unwrap();
        let is_noise = |key: &str| ["read.not_warc", "read.not_gzip", "read.gzip"].contains(&key);
        assert!(dropped.keys().any(|key| is_noise(key)), "{report}");
    }
}

//! Throughput of reading archives, in MB of inflated bytes a second: rows with digests against bare flate2 streaming, and
//! against libdeflate on each whole member, which is the most that reading can reach.
//!
//! Reads `built-train.warc.gz` below `ASSAY_DATA`; without it, an archive of made-up members. Run with
//! `cargo bench -p assay-refine --bench reading`.

use std::hint::black_box;
use std::io::{Read, Write};

use assay_refine::warc::{ArchiveReader, ReadLimits};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn archive() -> Vec<u8> {
    #[expect(clippy::disallowed_methods, reason = "a benchmark reads its input's place")]
    let folder = std::env::var_os("ASSAY_DATA");
    if let Some(bytes) = folder
        .and_then(|folder| fs_err::read(std::path::Path::new(&folder).join("warc/built-train.warc.gz")).ok())
    {
        return bytes;
    }
    let mut bytes = Vec::new();
    for page in 0..200_u32 {
        let words: Vec<String> = (0..20_000_u32)
            .map(|word| ((word * word) % (page + 7)).to_string())
            .collect();
        let block = words.join(" ");
        let head = format!(
            "WARC/1.0\r\nWARC-Type: resource\r\nContent-Length: {}\r\n\r\n",
            block.len()
        );
        let mut encoder = flate2::write::GzEncoder::new(bytes, flate2::Compression::default());
        let written = encoder.write_all(format!("{head}{block}\r\n\r\n").as_bytes());
        bytes = written.and_then(|()| encoder.finish()).unwrap_or_default();
    }
    bytes
}

fn reading(criterion: &mut Criterion) {
    let archive = archive();
    let mut sink = vec![0_u8; 1 << 16];
    let mut inflated = 0_u64;
    let mut decoder = flate2::read::MultiGzDecoder::new(archive.as_slice());
    while let Ok(count @ 1..) = decoder.read(&mut sink) {
        inflated += count as u64;
    }
    let mut group = criterion.benchmark_group("reading");
    group.throughput(Throughput::Bytes(inflated)).sample_size(10);
    group.bench_function("rows", |bencher| {
        bencher.iter(|| {
            let reader = ArchiveReader::new(archive.as_slice(), ReadLimits::default());
            reader.map_or(0, |rows| rows.map(black_box).count())
        });
    });
    group.bench_function("flate2", |bencher| {
        bencher.iter(|| {
            let mut decoder = flate2::read::MultiGzDecoder::new(archive.as_slice());
            while let Ok(1..) = decoder.read(black_box(&mut sink)) {}
        });
    });
    let members = members(&archive);
    let mut inflater = libdeflater::Decompressor::new();
    let mut member = vec![
        0_u8;
        members
            .iter()
            .map(|(_, inflated)| *inflated)
            .max()
            .unwrap_or_default()
    ];
    group.bench_function("libdeflate", |bencher| {
        bencher.iter(|| {
            let mut is_whole = |bytes: &[u8]| inflater.gzip_decompress(bytes, black_box(&mut member)).is_ok();
            members.iter().filter(|(bytes, _)| is_whole(bytes)).count()
        });
    });
    group.finish();
}

/// Each member of an archive and the length of what it holds, which its last four bytes say (RFC 1952 §2.3.1).
fn members(archive: &[u8]) -> Vec<(&[u8], usize)> {
    let rows = ArchiveReader::new(archive, ReadLimits::default())
        .into_iter()
        .flatten();
    let member = |offset: u64, length: u64| {
        let bytes = archive.get(offset as usize..(offset + length) as usize)?;
        Some((bytes, u32::from_le_bytes(*bytes.last_chunk()?) as usize))
    };
    rows.filter_map(Result::ok)
        .filter_map(|row| member(row.offset, row.length))
        .collect()
}

criterion_group!(benches, reading);
criterion_main!(benches);

//! Writing archives: one gzip member a record, the same bytes for the same input.
//!
//! `assay pack` turns HTML files into an archive with this; tests make their inputs with it. Record ids are UUIDs of
//! version 8 (RFC 9562: custom) from a BLAKE3 hash of the record, dates are passed in, and the gzip header holds no
//! time, so that packing twice gives one file. Digests are SHA-1 in base 32, which every WARC tool checks.

use std::io::{self, Write};

use libdeflater::{CompressionLvl, Compressor};
use sha1::{Digest, Sha1};

/// Why a record could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A header value holds a line end, which would begin another field.
    #[error("`{0}` holds a line end")]
    LineEnd(String),
    /// The output failed.
    #[error("writing the archive failed")]
    Io(#[from] io::Error),
}

/// One page to pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<'a> {
    /// The URL under which it is stored.
    pub uri: &'a str,
    /// When it was taken, UTC, `2026-01-02T03:04:05Z`.
    pub date: &'a str,
    /// The response's `Content-Type`, such as `text/html; charset=utf-8`.
    pub content_type: &'a str,
    /// The page's bytes.
    pub body: &'a [u8],
}

/// Whether a page gets a request record before its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageRecords {
    /// The response alone.
    Response,
    /// A request as a browser would send it, then the response.
    RequestAndResponse,
}

/// Writes an archive of one gzip member a record.
pub struct WarcWriter<W> {
    output: W,
    compressor: Compressor,
    packed: Vec<u8>,
    record: Vec<u8>,
    /// Enters every id, so that equal pages get different ones.
    records: u64,
    warcinfo_id: Option<String>,
}

impl<W> std::fmt::Debug for WarcWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WarcWriter")
            .field("records", &self.records)
            .finish_non_exhaustive()
    }
}

impl<W: Write> WarcWriter<W> {
    /// A writer of an archive at the start of `output`.
    pub fn new(output: W) -> Self {
        Self {
            output,
            compressor: Compressor::new(CompressionLvl::default()),
            packed: Vec::new(),
            record: Vec::new(),
            records: 0,
            warcinfo_id: None,
        }
    }

    /// Writes the record that describes the archive: `fields` such as `("software", "assay 0.1.0")`. `date` as in `Page`.
    ///
    /// # Errors
    /// `LineEnd` for a line end in a value, `Io` if the output fails.
    pub fn warcinfo(&mut self, date: &str, fields: &[(&str, &str)]) -> Result<(), WriteError> {
        let mut block = Vec::new();
        for (name, value) in fields {
            field(&mut block, name, value)?;
        }
        let header = [
            ("WARC-Type", "warcinfo"),
            ("Content-Type", "application/warc-fields"),
        ];
        let id = self.write_record(&header, date, &block, None)?;
        self.warcinfo_id = Some(id);
        Ok(())
    }

    /// Writes a page as an HTTP response of status 200, its body as it stands.
    ///
    /// # Errors
    /// `LineEnd` for a line end in a value, `Io` if the output fails.
    pub fn page(&mut self, page: Page<'_>, records: PageRecords) -> Result<(), WriteError> {
        let mut concurrent = None;
        if records == PageRecords::RequestAndResponse {
            concurrent = Some(self.request(page)?);
        }
        let mut block = b"HTTP/1.1 200 OK\r\n".to_vec();
        field(&mut block, "Content-Type", page.content_type)?;
        field(&mut block, "Content-Length", &page.body.len().to_string())?;
        block.extend_from_slice(b"\r\n");
        let payload_start = block.len();
        block.extend_from_slice(page.body);
        let mut header = vec![
            ("WARC-Type", "response"),
            ("WARC-Target-URI", page.uri),
            ("Content-Type", "application/http; msgtype=response"),
        ];
        header.extend(concurrent.as_deref().map(|id| ("WARC-Concurrent-To", id)));
        self.write_record(&header, page.date, &block, Some(payload_start))?;
        Ok(())
    }

    /// Writes a file without HTTP headers.
    ///
    /// # Errors
    /// `LineEnd` for a line end in a value, `Io` if the output fails.
    pub fn resource(&mut self, page: Page<'_>) -> Result<(), WriteError> {
        let header = [
            ("WARC-Type", "resource"),
            ("WARC-Target-URI", page.uri),
            ("Content-Type", page.content_type),
        ];
        self.write_record(&header, page.date, page.body, Some(0))?;
        Ok(())
    }

    /// Flushes and gives the output back.
    ///
    /// # Errors
    /// If the output cannot be flushed.
    pub fn finish(mut self) -> io::Result<W> {
        self.output.flush()?;
        Ok(self.output)
    }

    fn request(&mut self, page: Page<'_>) -> Result<String, WriteError> {
        let rest = page.uri.split_once("://").map_or(page.uri, |(_, rest)| rest);
        let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(at);
        let path = path.split('#').next().unwrap_or_default();
        let slash = if path.starts_with('/') { "" } else { "/" };
        let mut block = format!("GET {slash}{path} HTTP/1.1\r\n").into_bytes();
        field(&mut block, "Host", host)?;
        block.extend_from_slice(b"\r\n");
        let header = [
            ("WARC-Type", "request"),
            ("WARC-Target-URI", page.uri),
            ("Content-Type", "application/http; msgtype=request"),
        ];
        let payload_start = block.len();
        self.write_record(&header, page.date, &block, Some(payload_start))
    }

    /// Writes one record and gives its id. `payload_start`: where the payload begins in the block.
    fn write_record(
        &mut self,
        header: &[(&str, &str)],
        date: &str,
        block: &[u8],
        payload_start: Option<usize>,
    ) -> Result<String, WriteError> {
        let id = record_id(self.records, header, date, block);
        self.records += 1;
        let mut record = std::mem::take(&mut self.record);
        record.clear();
        record.extend_from_slice(b"WARC/1.0\r\n");
        field(&mut record, "WARC-Record-ID", &id)?;
        field(&mut record, "WARC-Date", date)?;
        for (name, value) in header {
            field(&mut record, name, value)?;
        }
        if let Some(warcinfo) = &self.warcinfo_id {
            field(&mut record, "WARC-Warcinfo-ID", warcinfo)?;
        }
        field(&mut record, "WARC-Block-Digest", &sha1_name(block))?;
        if let Some(payload) = payload_start.and_then(|start| block.get(start..)) {
            field(&mut record, "WARC-Payload-Digest", &sha1_name(payload))?;
        }
        field(&mut record, "Content-Length", &block.len().to_string())?;
        record.extend_from_slice(b"\r\n");
        record.extend_from_slice(block);
        record.extend_from_slice(b"\r\n\r\n");
        self.packed
            .resize(self.compressor.gzip_compress_bound(record.len()), 0);
        let length = self
            .compressor
            .gzip_compress(&record, &mut self.packed)
            .map_err(|error| WriteError::Io(io::Error::other(error)))?;
        self.output
            .write_all(self.packed.get(..length).unwrap_or_default())?;
        self.record = record;
        Ok(id)
    }
}

fn field(to: &mut Vec<u8>, name: &str, value: &str) -> Result<(), WriteError> {
    if value.contains(['\r', '\n']) {
        return Err(WriteError::LineEnd(name.to_owned()));
    }
    for part in [name, ": ", value, "\r\n"] {
        to.extend_from_slice(part.as_bytes());
    }
    Ok(())
}

/// `<urn:uuid:…>` from a hash of place and content.
fn record_id(place: u64, header: &[(&str, &str)], date: &str, block: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"assay/pack/1\0").update(&place.to_le_bytes());
    for part in header
        .iter()
        .flat_map(|(name, value)| [*name, *value])
        .chain([date])
    {
        hasher
            .update(&(part.len() as u64).to_le_bytes())
            .update(part.as_bytes());
    }
    let hash = hasher.update(block).finalize();
    let mut bits = u128::from_be_bytes(super::window::digest16(&hash));
    // Version 8 and variant 2 of RFC 9562.
    bits = bits & !(0xf << 76) | 8 << 76;
    bits = bits & !(3 << 62) | 2 << 62;
    let hex = format!("{bits:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    let parts = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)];
    format!("<urn:uuid:{}>", parts.join("-"))
}

/// `sha1:` and the digest in base 32 (RFC 4648), 32 letters without padding.
fn sha1_name(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut name = String::from("sha1:");
    for five in Sha1::digest(bytes).chunks(5) {
        let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        for letter in (0..8).rev() {
            let index = (bits >> (5 * letter)) & 31;
            name.push(LETTERS.get(index as usize).copied().map_or('=', char::from));
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warc::{ArchiveReader, Compression, ReadLimits, RecordContent, RecordKind};

    const DATE: &str = "2026-01-02T03:04:05Z";

    fn pack(records: PageRecords) -> Vec<u8> {
        let mut writer = WarcWriter::new(Vec::new());
        writer
            .warcinfo(DATE, &[("software", "assay"), ("format", "WARC File Format 1.0")])
            .unwrap();
        for body in [&b"<p>one"[..], b"<p>one", b""] {
            let page = Page {
                uri: "http://a.b?q#f",
                date: DATE,
                content_type: "text/html",
                body,
            };
            writer.page(page, records).unwrap();
        }
        writer.finish().unwrap()
    }

    #[test]
    fn what_is_written_is_read_and_the_bytes_repeat() {
        for (records, rows) in [(PageRecords::Response, 4), (PageRecords::RequestAndResponse, 7)] {
            let bytes = pack(records);
            assert_eq!(bytes, pack(records));
            let reader = ArchiveReader::new(bytes.as_slice(), ReadLimits::default()).unwrap();
            assert_eq!(reader.compression(), Compression::GzipMembers);
            let mut ids = std::collections::BTreeSet::new();
            let mut kinds = Vec::new();
            for row in reader {
                let RecordContent::Record(record) = row.unwrap().content else {
                    panic!("no record")
                };
                assert!(ids.insert(record.id().unwrap().to_owned()));
                kinds.push(record.kind);
            }
            assert_eq!((ids.len(), kinds[0]), (rows, RecordKind::Warcinfo));
            assert_eq!(kinds.last(), Some(&RecordKind::Response));
        }
    }

    #[test]
    fn digests_ids_and_refused_values() {
        assert_eq!(sha1_name(b""), "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ");
        let id = record_id(0, &[], DATE, b"");
        assert_eq!((id.len(), &id[24..25], id.contains("urn:uuid:")), (47, "8", true));
        let page = Page {
            uri: "http://a\r\nX: y",
            date: DATE,
            content_type: "",
            body: b"",
        };
        let refused = WarcWriter::new(Vec::new()).page(page, PageRecords::Response);
        assert!(matches!(refused, Err(WriteError::LineEnd(name)) if name == "WARC-Target-URI"));
    }
}

//! Which kind of archive the first bytes announce.
//!
//! The question for gzip is whether every record is a member of its own: then rows are members and can be fetched
//! alone. It is answered by the first member: if a second record follows inside it, or it ends before its record does and
//! no other record begins behind it, records do not care about members and the file is one inflated stream.

use std::io::{self, Read};

use super::gzip::{self, FOOTER_BYTES, Step};
use super::limits::{ReadLimits, WINDOW_BYTES};
use super::members::Codec;
use super::record::{self, is_version_line};
use super::window::{Raw, Window};

/// How an archive is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    Plain,
    /// Gzip, one record a member.
    GzipMembers,
    /// Gzip, records and members not the same: one member for all, or members cut anywhere.
    GzipSingle,
    /// Zstd frames, perhaps with a dictionary.
    Zstd,
}

/// What offset and length of a row count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// Bytes of the archive as it is stored: a row can be fetched alone.
    Member,
    /// Bytes of what the archive inflates to.
    Inflated,
}

impl Compression {
    /// What offsets count in such an archive.
    pub const fn addressing(self) -> Addressing {
        match self {
            Self::Plain | Self::GzipMembers => Addressing::Member,
            Self::GzipSingle | Self::Zstd => Addressing::Inflated,
        }
    }
}

/// Whether each record is a member; none if no member in the window begins like a WARC. Nothing leaves the window.
pub(crate) fn gzip_kind<R: Read>(
    window: &mut Window<Raw<R>>,
    codec: &mut Codec,
    limits: &ReadLimits,
) -> io::Result<Option<Compression>> {
    window.fill(WINDOW_BYTES)?;
    let bytes = window.bytes();
    let bytes = bytes.get(..WINDOW_BYTES).unwrap_or(bytes);
    let end = codec.first_member(bytes, limits);
    let content = codec.inflated();
    if is_version_line(content) != Some(true) {
        let another = codec.find_warc(bytes, 1, true).is_ok();
        return Ok(another.then_some(Compression::GzipMembers));
    }
    let Ok(head) = record::head(content, limits) else {
        return Ok(Some(Compression::GzipMembers));
    };
    let block_end = head
        .length
        .saturating_add(usize::try_from(head.block_length).unwrap_or(usize::MAX));
    let single = match (content.get(block_end..), end) {
        (Some(rest), _) => is_version_line(rest.trim_ascii_start()) == Some(true),
        (None, None) => false,
        (None, Some(end)) => {
            let behind = bytes.get(end..).unwrap_or_default();
            !behind.is_empty() && !codec.begins_warc(behind)
        }
    };
    Ok(Some(if single {
        Compression::GzipSingle
    } else {
        Compression::GzipMembers
    }))
}

impl Codec {
    /// Inflates the member at the start of `bytes` as far as they and the budget go; gives where a sound one ends.
    fn first_member(&mut self, bytes: &[u8], limits: &ReadLimits) -> Option<usize> {
        self.begin(limits);
        let mut at = gzip::header_length(bytes)?;
        while let Some((taken, step)) = self.feed_at(bytes, at) {
            at += taken;
            match step {
                Step::DataEnd => {
                    let footer = bytes.get(at..)?;
                    return self.footer_fits(footer).then_some(at + FOOTER_BYTES);
                }
                Step::More if !self.over_budget() => {}
                _ => return None,
            }
        }
        None
    }
}

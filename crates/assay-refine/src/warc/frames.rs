//! The two compressions whose frames are inflated behind each other: gzip members and zstd frames.
//!
//! `.warc.zst` may begin with a skippable frame 0x184D2A5D whose content, itself possibly a zstd frame, is the dictionary
//! of all others (the IIPC's "WARC file compression with zstd"); other skippable frames have no content.

use flate2::{Crc, Decompress};
use zstd::stream::raw::{DParameter, Decoder, Operation};

use super::gzip::{self, FOOTER_BYTES, Step};
use super::inflate::{FrameStep, Frames, Front};
use super::members::Codec;

/// Gzip members that are not one record each.
pub(crate) struct GzipFrames {
    inflater: Decompress,
    crc: Crc,
    probe: Codec,
}

impl GzipFrames {
    pub(crate) fn new() -> Self {
        Self {
            inflater: Decompress::new(false),
            crc: Crc::new(),
            probe: Codec::new(),
        }
    }
}

impl Frames for GzipFrames {
    const FRONT_BYTES: usize = gzip::HEADER_BYTES_MAX;

    fn front(&mut self, bytes: &[u8]) -> Front {
        self.inflater.reset(false);
        self.crc.reset();
        gzip::header_length(bytes).map_or(Front::Nothing, Front::Frame)
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> (usize, usize, FrameStep) {
        let (taken, written, step) = gzip::inflate_step(&mut self.inflater, input, output);
        self.crc.update(output.get(..written).unwrap_or_default());
        let step = match step {
            Step::More => FrameStep::More,
            Step::DataEnd => FrameStep::End(FOOTER_BYTES),
            Step::Corrupt => FrameStep::Corrupt,
        };
        (taken, written, step)
    }

    fn footer_fits(&mut self, footer: &[u8]) -> bool {
        gzip::footer_fits(&self.crc, footer)
    }

    fn find_warc(&mut self, bytes: &[u8], from: usize, ended: bool) -> Result<usize, usize> {
        self.probe.find_warc(bytes, from, ended)
    }
}

/// First bytes of a zstd frame.
pub(crate) const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Bytes 2 to 4 of a skippable frame; the first is 0x50 to 0x5f.
const SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];

/// First byte of the skippable frame that holds the dictionary.
const DICTIONARY: u8 = 0x5d;

/// Bytes of a dictionary, before and after inflating: 8 MiB; the crawls that use one stay below 1 MiB.
const DICTIONARY_BYTES_MAX: usize = 8 << 20;

/// Largest window a frame may ask for: 2^27 bytes, what `zstd --long` writes and reads by default.
const WINDOW_LOG_MAX: u32 = 27;

/// Bytes of a frame looked at to see whether it begins with `WARC/`.
const PROBE_BYTES: usize = 1 << 10;

/// Whether a skippable frame starts here; its first byte and its length with header.
fn skippable(bytes: &[u8]) -> Option<(u8, u64)> {
    let (&first, rest) = bytes.split_first()?;
    let length = rest.strip_prefix(&SKIPPABLE)?.first_chunk::<4>()?;
    (first & 0xf0 == 0x50).then(|| (first, u64::from(u32::from_le_bytes(*length)) + 8))
}

/// Whether `bytes` begin like a zstd file.
pub(crate) fn is_zstd(bytes: &[u8]) -> bool {
    bytes.starts_with(&ZSTD_MAGIC) || skippable(bytes).is_some()
}

/// The length of the dictionary frame at the start of a file, none if there is no such frame of a bounded length.
pub(crate) fn dictionary_frame(bytes: &[u8]) -> Option<usize> {
    let (kind, length) = skippable(bytes)?;
    (kind == DICTIONARY && length <= DICTIONARY_BYTES_MAX as u64).then_some(length as usize)
}

/// The dictionary in such a frame.
pub(crate) fn dictionary(frame: &[u8]) -> Option<Vec<u8>> {
    let content = frame.get(8..)?;
    if !content.starts_with(&ZSTD_MAGIC) {
        return Some(content.to_vec());
    }
    let mut inflater = decoder(&[])?;
    let mut output = vec![0; 64 << 10];
    let mut dictionary = Vec::new();
    let mut at = 0;
    loop {
        let status = inflater.run_on_buffers(content.get(at..)?, &mut output).ok()?;
        at += status.bytes_read;
        dictionary.extend_from_slice(output.get(..status.bytes_written)?);
        if status.remaining == 0 {
            return Some(dictionary);
        }
        let stuck = status.bytes_read + status.bytes_written == 0;
        if stuck || dictionary.len() > DICTIONARY_BYTES_MAX {
            return None;
        }
    }
}

fn decoder(dictionary: &[u8]) -> Option<Decoder<'static>> {
    let mut decoder = Decoder::with_dictionary(dictionary).ok()?;
    decoder
        .set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))
        .ok()?;
    Some(decoder)
}

/// The frames of a `.warc.zst`.
pub(crate) struct ZstdFrames {
    /// None if zstd could not make one; then every frame counts as damaged.
    inflater: Option<Decoder<'static>>,
    probe: Option<Decoder<'static>>,
}

impl ZstdFrames {
    pub(crate) fn new(dictionary: &[u8]) -> Self {
        Self {
            inflater: decoder(dictionary),
            probe: decoder(dictionary),
        }
    }

    fn begins_warc(&mut self, bytes: &[u8]) -> bool {
        let bytes = bytes.get(..PROBE_BYTES).unwrap_or(bytes);
        let Some(probe) = &mut self.probe else {
            return false;
        };
        let mut output = [0; 8];
        let mut at = 0;
        let mut written = 0;
        if probe.reinit().is_err() {
            return false;
        }
        while written < 5 {
            let (Some(input), Some(into)) = (bytes.get(at..), output.get_mut(written..)) else {
                break;
            };
            match probe.run_on_buffers(input, into) {
                Ok(status) if status.bytes_read + status.bytes_written > 0 => {
                    (at, written) = (at + status.bytes_read, written + status.bytes_written);
                }
                _ => break,
            }
        }
        output.starts_with(b"WARC/")
    }
}

impl Frames for ZstdFrames {
    const FRONT_BYTES: usize = 18;

    fn front(&mut self, bytes: &[u8]) -> Front {
        if let Some((_, length)) = skippable(bytes) {
            return Front::Skip(length);
        }
        let ready = self
            .inflater
            .as_mut()
            .is_some_and(|inflater| inflater.reinit().is_ok());
        if ready && bytes.starts_with(&ZSTD_MAGIC) {
            Front::Frame(0)
        } else {
            Front::Nothing
        }
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> (usize, usize, FrameStep) {
        let Some(inflater) = &mut self.inflater else {
            return (0, 0, FrameStep::Corrupt);
        };
        match inflater.run_on_buffers(input, output) {
            Ok(status) => {
                let step = match status.remaining {
                    0 => FrameStep::End(0),
                    _ if status.bytes_read + status.bytes_written == 0 => FrameStep::Corrupt,
                    _ => FrameStep::More,
                };
                (status.bytes_read, status.bytes_written, step)
            }
            Err(_) => (0, 0, FrameStep::Corrupt),
        }
    }

    fn footer_fits(&mut self, _: &[u8]) -> bool {
        // zstd checks the frame's checksum itself.
        true
    }

    fn find_warc(&mut self, bytes: &[u8], from: usize, ended: bool) -> Result<usize, usize> {
        let mut at = from;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(found) = memchr::memmem::find(rest, &ZSTD_MAGIC) else {
                return Err(bytes
                    .len()
                    .saturating_sub(ZSTD_MAGIC.len() - 1)
                    .max(at.min(bytes.len())));
            };
            at += found;
            let here = bytes.get(at..).unwrap_or_default();
            if here.len() < PROBE_BYTES && !ended {
                return Err(at);
            }
            if self.begins_warc(here) {
                return Ok(at);
            }
            at += 1;
        }
    }
}

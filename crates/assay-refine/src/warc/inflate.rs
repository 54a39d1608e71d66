//! Archives that are one stream of compressed frames: the frames are inflated behind each other, records are found in
//! what comes out.
//!
//! For gzip files whose members are not one record each, and for `.warc.zst`. Where a frame is damaged or is a bomb, the
//! stream breaks and goes on at the next frame whose content begins with `WARC/`; `lines` makes a row of each break. What
//! was inflated before stays a part of the stream, so offsets are those of the bytes this source gave.

use std::io::{self, Read};

use super::limits::{INFLATE_RATIO_MAX, ReadLimits};
use super::window::{Piece, Raw, Source, Window};

/// Compressed bytes at hand for one step.
const CHUNK_BYTES: usize = 64 << 10;

/// What stands at the front of the compressed bytes.
pub(crate) enum Front {
    /// A frame, with so many header bytes to leave out.
    Frame(usize),
    /// So many bytes without content.
    Skip(u64),
    /// Neither.
    Nothing,
}

/// How one step went.
pub(crate) enum FrameStep {
    /// The frame goes on.
    More,
    /// The frame's data ended, and so many bytes of footer follow.
    End(usize),
    /// It cannot be inflated.
    Corrupt,
}

/// A compression whose frames stand behind each other.
pub(crate) trait Frames {
    /// Bytes that tell what stands at the front.
    const FRONT_BYTES: usize;

    /// Looks at the front and makes ready for a frame.
    fn front(&mut self, bytes: &[u8]) -> Front;

    /// Inflates some of `input`; gives bytes taken and written.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> (usize, usize, FrameStep);

    /// Whether the footer fits what was inflated.
    fn footer_fits(&mut self, footer: &[u8]) -> bool;

    /// The first place from `from` on where a frame begins with `WARC/`, or the place up to which there is none.
    fn find_warc(&mut self, bytes: &[u8], from: usize, ended: bool) -> Result<usize, usize>;
}

/// The inflated bytes of an archive.
pub(crate) struct Inflated<R, F> {
    input: Window<Raw<R>>,
    frames: F,
    limits: ReadLimits,
    in_frame: bool,
    /// The next piece is a break.
    broken: bool,
    frame_bytes_in: u64,
    frame_bytes_out: u64,
}

impl<R: Read, F: Frames> Inflated<R, F> {
    pub(crate) fn new(input: Window<Raw<R>>, frames: F, limits: ReadLimits) -> Self {
        Self {
            input,
            frames,
            limits,
            in_frame: false,
            broken: false,
            frame_bytes_in: 0,
            frame_bytes_out: 0,
        }
    }

    /// Leaves the frame for the next one that begins with `WARC/`, from `from` on.
    fn lose_frame(&mut self, from: usize) -> io::Result<()> {
        (self.in_frame, self.broken) = (false, true);
        let mut at = from;
        loop {
            self.input.fill(at + CHUNK_BYTES)?;
            let ended = self.input.at_end();
            let found = self.frames.find_warc(self.input.bytes(), at, ended);
            let (Ok(until) | Err(until)) = found;
            self.input.consume(until);
            if found.is_ok() {
                return Ok(());
            }
            if ended {
                let rest = self.input.bytes().len();
                self.input.consume(rest);
                return Ok(());
            }
            at = 0;
        }
    }

    /// Where the search for the next frame begins: never at the start of the one that is lost, whose first bytes may inflate to
    /// `WARC/` again and again.
    fn behind_start(&self) -> usize {
        usize::from(self.frame_bytes_in == 0)
    }

    /// Goes to the next frame; false at the end of the archive or at a break.
    fn enter_frame(&mut self) -> io::Result<bool> {
        loop {
            let bytes = self.input.fill(F::FRONT_BYTES)?;
            if bytes.is_empty() {
                return Ok(false);
            }
            match self.frames.front(bytes) {
                Front::Frame(header) => {
                    self.input.consume(header);
                    (self.in_frame, self.frame_bytes_in, self.frame_bytes_out) = (true, header as u64, 0);
                    return Ok(true);
                }
                Front::Skip(length) => self.skip(length)?,
                Front::Nothing => {
                    self.lose_frame(1)?;
                    return Ok(false);
                }
            }
        }
    }

    fn skip(&mut self, length: u64) -> io::Result<()> {
        let mut left = length;
        while left > 0 {
            let held = self.input.fill(1)?.len();
            if held == 0 {
                break;
            }
            let step = left.min(held as u64) as usize;
            self.input.consume(step);
            left -= step as u64;
        }
        Ok(())
    }

    /// One step inside a frame; gives the bytes written.
    fn inflate(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.input.fill(CHUNK_BYTES)?;
        let chunk = bytes.get(..CHUNK_BYTES).unwrap_or(bytes);
        let cut = chunk.is_empty();
        let (taken, written, step) = self.frames.step(chunk, into);
        self.input.consume(taken);
        self.frame_bytes_in += taken as u64;
        self.frame_bytes_out += written as u64;
        let allowed = self.limits.inflated_bytes_max + INFLATE_RATIO_MAX * self.frame_bytes_in;
        match step {
            FrameStep::End(footer_bytes) => {
                let footer = self.input.fill(footer_bytes)?;
                let footer = footer.get(..footer_bytes).unwrap_or(footer);
                if self.frames.footer_fits(footer) {
                    self.input.consume(footer_bytes);
                    self.in_frame = false;
                } else {
                    self.lose_frame(self.behind_start())?;
                }
            }
            FrameStep::More if self.frame_bytes_out <= allowed && (written > 0 || !cut) => {}
            FrameStep::More | FrameStep::Corrupt => self.lose_frame(self.behind_start())?,
        }
        Ok(written)
    }
}

impl<R: Read, F: Frames> Source for Inflated<R, F> {
    fn read_piece(&mut self, into: &mut [u8]) -> io::Result<Piece> {
        loop {
            if self.broken {
                self.broken = false;
                return Ok(Piece::Break);
            }
            if !self.in_frame && !self.enter_frame()? {
                if self.broken {
                    continue;
                }
                return Ok(Piece::End);
            }
            let written = self.inflate(into)?;
            if written > 0 {
                return Ok(Piece::Bytes(written));
            }
        }
    }
}

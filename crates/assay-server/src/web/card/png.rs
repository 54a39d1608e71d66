//! A picture as a PNG file (PNG specification, third edition): eight bits a channel, no alpha, every row filtered by the row above.

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use std::io::Write as _;

/// First bytes of every file (section 5.2).
const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a];
/// Eight bits, truecolour, deflate, the five filters, not interlaced (section 11.2.1).
const FORM: [u8; 5] = [8, 2, 0, 0, 0];
/// Filter type `Up` (section 9.2).
const UP: u8 = 2;
/// Bytes of a pixel.
const PIXEL_BYTES: usize = 3;

/// The file of a picture `width` pixels wide whose rows follow each other as red, green, blue. Empty if it has no pixel.
pub(super) fn encode(width: u32, rgb: &[u8]) -> Vec<u8> {
    let row_bytes = width as usize * PIXEL_BYTES;
    if row_bytes == 0 {
        return Vec::new();
    }
    let height = (rgb.len() / row_bytes) as u32;
    let mut header = Vec::with_capacity(13);
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend(FORM);
    let mut file = SIGNATURE.to_vec();
    chunk(&mut file, *b"IHDR", &header);
    chunk(&mut file, *b"IDAT", &pixels(row_bytes, rgb));
    chunk(&mut file, *b"IEND", &[]);
    file
}

/// Filtered rows, deflated.
fn pixels(row_bytes: usize, rgb: &[u8]) -> Vec<u8> {
    let mut filtered = Vec::with_capacity(rgb.len() + rgb.len() / row_bytes);
    let mut above = vec![0; row_bytes];
    for row in rgb.chunks_exact(row_bytes) {
        filtered.push(UP);
        filtered.extend(
            row.iter()
                .zip(&above)
                .map(|(own, above)| own.wrapping_sub(*above)),
        );
        above.copy_from_slice(row);
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to a vector cannot fail.
    let _ = encoder.write_all(&filtered);
    encoder.finish().unwrap_or_default()
}

/// Length, type, data, CRC-32 over type and data (section 5.3).
fn chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let mut crc = Crc::new();
    crc.update(&kind);
    crc.update(data);
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(kind);
    file.extend(data);
    file.extend(crc.sum().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn chunks_are_whole_and_pixels_come_back() {
        // Two rows of two pixels.
        let rgb = [1, 2, 3, 4, 5, 6, 1, 2, 4, 4, 5, 6];
        let file = encode(2, &rgb);
        assert_eq!(file[..8], SIGNATURE);
        let (mut at, mut data, mut kinds) = (8, Vec::new(), Vec::new());
        while at < file.len() {
            let length = u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
            let body = &file[at + 4..at + 8 + length];
            let mut crc = Crc::new();
            crc.update(body);
            let told = u32::from_be_bytes(file[at + 8 + length..at + 12 + length].try_into().unwrap());
            assert_eq!(crc.sum(), told);
            kinds.push(String::from_utf8(body[..4].to_vec()).unwrap());
            if &body[..4] == b"IDAT" {
                data = body[4..].to_vec();
            }
            at += 12 + length;
        }
        assert_eq!(kinds, ["IHDR", "IDAT", "IEND"]);
        assert_eq!(file[16..24], [0, 0, 0, 2, 0, 0, 0, 2]);
        let mut rows = Vec::new();
        flate2::read::ZlibDecoder::new(&data[..])
            .read_to_end(&mut rows)
            .unwrap();
        assert_eq!(rows, [2, 1, 2, 3, 4, 5, 6, 2, 0, 0, 1, 0, 0, 0]);
        assert_eq!(encode(0, &[]), Vec::<u8>::new());
    }
}

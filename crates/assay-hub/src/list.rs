//! Lists of inputs: a text file, one input a line, as Common Crawl publishes for each crawl (`warc.paths.gz`).
//!
//! Read by [`crate::resolve`] for an argument `@LIST`. Blank lines and lines starting with `#` are skipped; a path
//! under `crawl-data/` that is not a file here is Common Crawl's, at the address of its bucket.

use std::io::{BufRead, BufReader, Read};

use fs_err as fs;

use crate::{HubError, INPUTS_MAX};

/// Bytes of one line.
const LINE_BYTES_MAX: u64 = 8 << 10;

/// First bytes of a gzip member (RFC 1952 §2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The inputs that the list at `path` names, plain or gzip.
pub(crate) fn read(path: &str) -> Result<Vec<String>, HubError> {
    let unreadable = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => HubError::NoSuchFile {
            path: path.to_owned(),
        },
        _ => HubError::Unreadable {
            path: path.to_owned(),
            source,
        },
    };
    let mut file = BufReader::new(fs::File::open(path).map_err(unreadable)?);
    let gzip = file.fill_buf().map_err(unreadable)?.starts_with(&GZIP_MAGIC);
    let mut reader: Box<dyn BufRead> = if gzip {
        Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    };
    let mut inputs = Vec::new();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let bad = |reason| HubError::BadList {
            path: path.to_owned(),
            line: number,
            reason,
        };
        let got = reader
            .by_ref()
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)
            .map_err(unreadable)?;
        if got == 0 {
            break;
        }
        if got as u64 == LINE_BYTES_MAX {
            return Err(bad("longer than 8,192 bytes"));
        }
        // Bounds blank lines too, so that a gzip bomb of them ends.
        if number > INPUTS_MAX {
            return Err(HubError::TooManyInputs {
                path: path.to_owned(),
                limit: INPUTS_MAX,
            });
        }
        let input = std::str::from_utf8(&line).map_err(|_| bad("not UTF-8"))?.trim();
        if input.starts_with('@') || input == "-" {
            return Err(bad("lists and standard input cannot stand in a list"));
        }
        if !input.is_empty() && !input.starts_with('#') {
            inputs.push(located(input));
        }
    }
    Ok(inputs)
}

fn located(input: &str) -> String {
    if input.starts_with("crawl-data/") && !std::path::Path::new(input).exists() {
        return format!("s3://commoncrawl/{input}");
    }
    input.to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn plain_and_gzip_lists_name_the_same_inputs() {
        let text = b"# crawl\n\ncrawl-data/CC-MAIN-2024-22/a.warc.gz\r\n/data/b.warc\nhttps://h.invalid/c";
        let dir = tempfile::tempdir().unwrap();
        let (plain, gzip) = (dir.path().join("l.txt"), dir.path().join("l.gz"));
        fs::write(&plain, text).unwrap();
        let mut encoder =
            flate2::write::GzEncoder::new(fs::File::create(&gzip).unwrap(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap();
        let wanted = [
            "s3://commoncrawl/crawl-data/CC-MAIN-2024-22/a.warc.gz",
            "/data/b.warc",
            "https://h.invalid/c",
        ];
        for path in [plain, gzip] {
            assert_eq!(read(path.to_str().unwrap()).unwrap(), wanted);
        }
    }

    #[test]
    fn bad_lines_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("l");
        for (text, message) in [
            (&b"a\n@b\n"[..], "line 2: lists"),
            (&b"\xff\n"[..], "line 1: not UTF-8"),
            (&[b'a'; 9000][..], "line 1: longer"),
        ] {
            fs::write(&path, text).unwrap();
            let error = read(path.to_str().unwrap()).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}

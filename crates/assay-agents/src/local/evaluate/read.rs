//! Documents of a dataset in whatever form it comes: ours, Parquet, JSON Lines, text files, folders of these.
//!
//! Out: batches of [`Given`] in a fixed order, and the number of lines and rows without a text. gzip and zstd are told by their
//! first bytes, Parquet too; JSON Lines by the file's name.

use std::io::Read as _;
use std::path::Path;

use assay_eval::benchmark::texts_of_line;
use assay_refine::output::TextsReader;
use fs_err as fs;
use serde_json::Value;

use super::files::{InputFile, bare, files_of};
use super::{EvaluateError, Input};
use crate::local::texts::{TextReader, inflated};
use crate::local::{Dataset, LocalError};

/// Documents handed over at once.
const BATCH_DOCUMENTS: usize = 512;

/// Bytes of text handed over at once, at least.
const BATCH_BYTES: usize = 16 << 20;

/// Longest text file; it is one document.
const TEXT_BYTES_MAX: u64 = 64 << 20;

/// First bytes of a Parquet file.
const PARQUET_MAGIC: &[u8] = b"PAR1";

/// One document as it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Given {
    /// Its own id; empty if it has none.
    pub(super) id: String,
    /// The file's path below the input, `#` and the line or row: nothing of where the input lies.
    pub(super) place: String,
    pub(super) url: String,
    pub(super) text: String,
}

/// Takes a batch.
pub(super) type Each<'a> = dyn FnMut(Vec<Given>) -> Result<(), LocalError> + 'a;

/// Collects documents into batches.
struct Batches<'a, 'b> {
    open: Vec<Given>,
    bytes: usize,
    unreadable: u64,
    each: &'a mut Each<'b>,
}

impl Batches<'_, '_> {
    fn push(&mut self, given: Given) -> Result<(), LocalError> {
        self.bytes += given.text.len();
        self.open.push(given);
        if self.open.len() >= BATCH_DOCUMENTS || self.bytes >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), LocalError> {
        self.bytes = 0;
        (self.each)(std::mem::take(&mut self.open))
    }
}

/// Reads all documents of an input; gives the number of lines and rows without a text.
pub(super) fn read(input: &Input, each: &mut Each<'_>) -> Result<u64, LocalError> {
    read_all(input, each, read_lines)
}

/// As [`read`], for benchmarks: an item gives up to three texts with its right answer, an object of other keys all of its strings.
pub(super) fn read_items(input: &Input, each: &mut Each<'_>) -> Result<u64, LocalError> {
    read_all(input, each, read_item_lines)
}

type ReadLines = fn(&InputFile, &mut Batches<'_, '_>) -> Result<(), LocalError>;

fn read_all(input: &Input, each: &mut Each<'_>, lines: ReadLines) -> Result<u64, LocalError> {
    let path = &input.path;
    refuse_address(path)?;
    let mut batches = Batches {
        open: Vec::new(),
        bytes: 0,
        unreadable: 0,
        each,
    };
    if path.join(assay_types::MANIFEST_FILE).is_file() {
        read_dataset(path, &mut batches)?;
    } else {
        for file in files_of(input)? {
            read_file(&file, lines, &mut batches)?;
        }
    }
    batches.flush()?;
    Ok(batches.unreadable)
}

/// Refuses what can only be an address: it would be called a missing file.
pub(super) fn refuse_address(path: &Path) -> Result<(), LocalError> {
    match path.to_str().filter(|path| path.contains("://")) {
        Some(address) => Err(EvaluateError::Address {
            address: address.to_owned(),
        }
        .into()),
        None => Ok(()),
    }
}

fn read_dataset(path: &Path, batches: &mut Batches<'_, '_>) -> Result<(), LocalError> {
    let dataset = Dataset::open(path)?;
    for unit in &dataset.manifest.units {
        let mut result = Ok(());
        dataset.documents(unit, |row| {
            if result.is_ok() {
                result = batches.push(Given {
                    id: row.id,
                    place: String::new(),
                    url: row.url,
                    text: row.text,
                });
            }
        })?;
        result?;
    }
    Ok(())
}

fn read_file(file: &InputFile, lines: ReadLines, batches: &mut Batches<'_, '_>) -> Result<(), LocalError> {
    let path = &file.path;
    let mut magic = Vec::new();
    let opened = fs::File::open(path).map_err(LocalError::io(path))?;
    opened
        .take(PARQUET_MAGIC.len() as u64)
        .read_to_end(&mut magic)
        .map_err(LocalError::io(path))?;
    if magic == PARQUET_MAGIC {
        return read_parquet(file, batches);
    }
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    match Path::new(bare(&name))
        .extension()
        .and_then(|extension| extension.to_str())
    {
        Some("jsonl" | "ndjson" | "json") => lines(file, batches),
        // Named so and without its first bytes: cut or never one.
        Some("parquet") => read_parquet(file, batches),
        _ => read_text(file, batches),
    }
}

fn read_parquet(file: &InputFile, batches: &mut Batches<'_, '_>) -> Result<(), LocalError> {
    let path = &file.path;
    let table = |source| LocalError::Texts {
        path: path.to_owned(),
        source,
    };
    let opened = fs::File::open(path).map_err(LocalError::io(path))?.into_file();
    let mut number = 0_u64;
    for rows in TextsReader::new(opened).map_err(table)? {
        for row in rows.map_err(table)? {
            number += 1;
            let Some(text) = row.text else {
                batches.unreadable += 1;
                continue;
            };
            batches.push(Given {
                id: row.id,
                place: format!("{}#{number}", file.place),
                url: row.url,
                text,
            })?;
        }
    }
    Ok(())
}

fn read_lines(file: &InputFile, batches: &mut Batches<'_, '_>) -> Result<(), LocalError> {
    let mut reader = TextReader::open(Some(&file.path))?;
    while let Some(line) = reader.next_line()? {
        let Ok(given) = line.text else {
            batches.unreadable += 1;
            continue;
        };
        let id = match given.id {
            Value::String(id) => id,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        batches.push(Given {
            id,
            place: format!("{}#{}", file.place, line.number),
            url: given.url,
            text: given.text,
        })?;
    }
    Ok(())
}

fn read_item_lines(file: &InputFile, batches: &mut Batches<'_, '_>) -> Result<(), LocalError> {
    let text = text_of(&file.path)?;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let texts = texts_of_line(line);
        batches.unreadable += u64::from(texts.is_empty());
        for text in texts {
            batches.push(Given {
                text,
                ..Given::default()
            })?;
        }
    }
    Ok(())
}

fn read_text(file: &InputFile, batches: &mut Batches<'_, '_>) -> Result<(), LocalError> {
    let text = text_of(&file.path)?;
    batches.push(Given {
        place: file.place.clone(),
        text,
        ..Given::default()
    })
}

/// A whole file as text.
fn text_of(path: &Path) -> Result<String, LocalError> {
    let long = |bytes_max| EvaluateError::LongText {
        path: path.to_owned(),
        bytes_max,
    };
    bounded_text(path, TEXT_BYTES_MAX, long)
}

/// A whole file as text, inflated; `long` says that it is longer than `bytes_max`.
pub(super) fn bounded_text(
    path: &Path,
    bytes_max: u64,
    long: impl Fn(u64) -> EvaluateError,
) -> Result<String, LocalError> {
    let file = fs::File::open(path).map_err(LocalError::io(path))?;
    let mut bytes = Vec::new();
    inflated(Box::new(file))
        .and_then(|input| input.take(bytes_max + 1).read_to_end(&mut bytes))
        .map_err(LocalError::io(path))?;
    if bytes.len() as u64 > bytes_max {
        return Err(long(bytes_max).into());
    }
    String::from_utf8(bytes).map_err(|error| {
        EvaluateError::NotText {
            path: path.to_owned(),
            at: error.utf8_error().valid_up_to(),
        }
        .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(name: &str, bytes: &[u8]) -> Vec<Given> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let mut found = Vec::new();
        let unreadable = read(&Input::from(path), &mut |batch| {
            found.extend(batch);
            Ok(())
        });
        assert_eq!(unreadable.unwrap(), 1, "{name}");
        found
    }

    #[test]
    fn json_lines_are_read_plain_and_packed_by_their_first_bytes() {
        let lines = b"{\"text\":\"a\",\"id\":7}\nnonsense\n{\"text\":\"b\",\"url\":\"https://x.example/\"}\n";
        let zstd = zstd::encode_all(lines.as_slice(), 1).unwrap();
        let plain = texts("x.jsonl", lines);
        let given = |id: &str, place: &str, url: &str, text: &str| Given {
            id: id.to_owned(),
            place: place.to_owned(),
            url: url.to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(
            plain,
            [
                given("7", "#1", "", "a"),
                given("", "#3", "https://x.example/", "b")
            ]
        );
        assert_eq!(texts("x.jsonl.zst", &zstd), plain);
        assert_eq!(texts("X.NDJSON.ZST", &zstd), plain);
    }
}

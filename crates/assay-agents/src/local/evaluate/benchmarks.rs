//! Benchmarks that trained models answer: one set a file of JSON Lines.

use std::path::Path;

use assay_eval::benchmark::{Benchmark, BenchmarkBuilder, SETS_MAX};

use super::files::{bare, files_of};
use super::read::{bounded_text, refuse_address};
use super::{EvaluateError, Input};
use crate::local::LocalError;

/// Longest file of a set, unpacked: the longest of the known ones has 12 MB.
const SET_BYTES_MAX: u64 = 16 << 20;

/// Endings of a folder's files that are sets, before `.gz` and `.zst`.
const ENDINGS: [&str; 3] = [".jsonl", ".ndjson", ".json"];

/// Reads all sets, in the order of inputs and files; lines that are no items are noted and left out.
pub(super) fn read_benchmarks(
    inputs: &[Input],
    note: &mut dyn FnMut(&str),
) -> Result<Vec<Benchmark>, LocalError> {
    let mut benchmarks: Vec<Benchmark> = Vec::new();
    for input in inputs {
        refuse_address(&input.path)?;
        let before = benchmarks.len();
        let files = files_of(input)?.into_iter();
        for file in files.filter(|file| is_set(&file.place)) {
            let benchmark = match read_set(&file.path, note) {
                // A file that a folder happens to hold is no reason to refuse the others.
                Err(LocalError::Evaluate(error @ EvaluateError::NoItems { .. }))
                    if !file.place.is_empty() =>
                {
                    note(&format!("{error}; it is left out"));
                    continue;
                }
                read => read?,
            };
            if benchmarks.iter().any(|other| other.name == benchmark.name) {
                let name = benchmark.name;
                return Err(EvaluateError::SameBenchmark { name }.into());
            }
            benchmarks.push(benchmark);
            if benchmarks.len() > SETS_MAX {
                return Err(EvaluateError::ManyBenchmarks.into());
            }
        }
        if benchmarks.len() == before {
            let path = input.path.clone();
            let why = "no file in it that ends in .jsonl, .ndjson or .json has any".to_owned();
            return Err(EvaluateError::NoItems { path, why }.into());
        }
    }
    Ok(benchmarks)
}

/// Whether a file is a set: by its ending in a folder; a file that was named is one.
fn is_set(place: &str) -> bool {
    let place = place.to_ascii_lowercase();
    place.is_empty() || ENDINGS.iter().any(|ending| bare(&place).ends_with(ending))
}

fn read_set(path: &Path, note: &mut dyn FnMut(&str)) -> Result<Benchmark, LocalError> {
    let long = |bytes_max| EvaluateError::LongSet {
        path: path.to_owned(),
        bytes_max,
    };
    let text = bounded_text(path, SET_BYTES_MAX, long)?;
    let mut builder = BenchmarkBuilder::default();
    let mut wrong = 0_u64;
    let mut first = None;
    let lines = (1_u64..).zip(text.lines());
    for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        if let Err(error) = builder.push(line) {
            wrong += 1;
            first.get_or_insert((number, error));
        }
    }
    let why = first.map_or("it is empty".to_owned(), |(number, error)| {
        format!("line {number}: {error}")
    });
    if builder.given() == 0 {
        let path = path.to_owned();
        return Err(EvaluateError::NoItems { path, why }.into());
    }
    if wrong > 0 {
        note(&format!(
            "{wrong} lines of `{}` are no items and are left out, the first is {why}",
            path.display()
        ));
    }
    Ok(builder.finish(name_of(path)))
}

/// A file's name without its endings.
fn name_of(path: &Path) -> String {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let length = bare(&name.to_ascii_lowercase()).len();
    let bare = name.get(..length).unwrap_or(&name);
    let stem = Path::new(bare)
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    stem.unwrap_or_else(|| bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fs_err as fs;

    const ITEM: &str = r#"{"context": "Meet me, said", "continuation": "Shane"}"#;

    fn read_of(files: &[(&str, &str)]) -> (Result<Vec<Benchmark>, String>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
            fs::write(folder.path().join(name), text).unwrap();
        }
        let mut notes = Vec::new();
        let found = read_benchmarks(&[folder.path().to_owned().into()], &mut |line| {
            notes.push(line.to_owned());
        });
        (found.map_err(|error| error.to_string()), notes)
    }

    #[test]
    fn every_file_is_a_set_and_wrong_lines_are_named() {
        let (found, notes) = read_of(&[
            ("piqa.jsonl", &format!("{ITEM}\n\n{{\"text\": 1}}\n{ITEM}\n")),
            ("arc.jsonl", ITEM),
            ("README.md", "not read"),
            ("LICENSE.txt", "not read either"),
        ]);
        let found: Vec<(String, u64)> = found
            .unwrap()
            .into_iter()
            .map(|set| (set.name, set.given))
            .collect();
        assert_eq!(found, [("arc".to_owned(), 1), ("piqa".to_owned(), 2)]);
        assert_eq!(notes.len(), 1);
        assert!(
            notes[0].starts_with("1 lines of `") && notes[0].contains("line 3: an item has"),
            "{notes:?}"
        );
    }

    #[test]
    fn what_cannot_be_answered_is_refused() {
        let error = |files: &[(&str, &str)]| read_of(files).0.unwrap_err();
        assert!(error(&[("a.csv", ITEM)]).contains("no file in it that ends in .jsonl"));
        let (found, notes) = read_of(&[("a.jsonl", "{}\n"), ("b.jsonl", "\n"), ("C.JSONL", ITEM)]);
        assert_eq!(found.unwrap()[0].name, "C");
        assert!(
            notes[0].contains("a.jsonl` holds no benchmark item: line 1: an item has"),
            "{notes:?}"
        );
        assert!(notes[1].contains("it is empty; it is left out"), "{notes:?}");
        assert!(error(&[("x/a.jsonl", ITEM), ("y/a.jsonl", ITEM)]).contains("two benchmarks are named `a`"));
        let names: Vec<String> = (0..=SETS_MAX).map(|number| format!("{number}.jsonl")).collect();
        let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), ITEM)).collect();
        assert!(error(&files).contains("more than 32 benchmarks"));
    }
}

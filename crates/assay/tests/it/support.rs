//! What every module here uses: the program with a clean environment, its answer, and where foreign things are.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Width of everything that is compared with a snapshot.
const COLUMNS: &str = "100";

/// The program, without what this process's environment would tell it.
pub(crate) fn assay<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    for (name, _) in std::env::vars_os() {
        let shown = name.to_string_lossy().to_ascii_uppercase();
        let is_ours = shown.starts_with("ASSAY_") || shown.starts_with("AWS_") || shown.ends_with("_PROXY");
        if is_ours || shown.contains("COLOR") {
            command.env_remove(name);
        }
    }
    command.env("COLUMNS", COLUMNS).stdin(Stdio::null()).args(args);
    command
}

/// What the program answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Answer {
    /// The answer, if the exit code is `code`.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        self
    }

    /// The one JSON document on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert!(
            self.stdout.ends_with('\n'),
            "no document: `{}`\n{}",
            self.stdout,
            self.stderr
        );
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in `{}`\n{}", self.stdout, self.stderr))
    }
}

/// Runs the program to its end.
pub(crate) fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Answer {
    assay(args).output().unwrap().into()
}

/// Runs a command line of words without spaces; `{}` stands for each of `paths` in turn.
#[track_caller]
pub(crate) fn line(words: &str, paths: &[&Path]) -> Answer {
    let mut paths = paths.iter();
    let args: Vec<String> = words
        .split_whitespace()
        .map(|word| {
            if word.contains("{}") {
                word.replace("{}", &paths.next().unwrap().display().to_string())
            } else {
                word.to_owned()
            }
        })
        .collect();
    assert!(paths.next().is_none(), "`{words}` leaves paths over");
    run(args)
}

/// A folder of a test, gone at its end.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Says that a part of the tests is skipped; fails where everything must be there.
pub(crate) fn skip(what: &str) {
    assert!(
        std::env::var_os("ASSAY_REQUIRE").is_none(),
        "ASSAY_REQUIRE is set: {what}"
    );
    eprintln!("skipped: {what}");
}

/// A path below the folder of real test data.
pub(crate) fn data(below: &str) -> Option<PathBuf> {
    let found = std::env::var_os("ASSAY_DATA").map(|folder| PathBuf::from(folder).join(below));
    if found.is_none() {
        skip("ASSAY_DATA is not set");
    }
    found
}

/// The Python interpreter with the peers' packages.
pub(crate) fn python() -> Option<PathBuf> {
    let found = std::env::var_os("ASSAY_PYTHON").map(PathBuf::from);
    if found.is_none() {
        skip("ASSAY_PYTHON is not set");
    }
    found
}

/// Every file below a folder by its relative path, but the lock and the funnel's picture.
pub(crate) fn files_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, files);
                continue;
            }
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if name != ".lock" && name != "funnel.svg" {
                files.insert(name, fs_err::read(&path).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(folder, folder, &mut files);
    files
}

/// Fails with the names of the files that differ, not with their bytes.
#[track_caller]
pub(crate) fn assert_same_files(
    left: &BTreeMap<String, Vec<u8>>,
    right: &BTreeMap<String, Vec<u8>>,
    what: &str,
) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(left), names(right), "{what}: other files");
    let differing: Vec<&String> = left.keys().filter(|name| left[*name] != right[*name]).collect();
    assert!(differing.is_empty(), "{what}: these files differ: {differing:?}");
}

/// The only unit's folder of a dataset.
pub(crate) fn only_unit(dataset: &Path) -> PathBuf {
    let mut units: Vec<PathBuf> = fs_err::read_dir(dataset.join("units"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(units.len(), 1, "{units:?}");
    units.remove(0)
}

/// `VmHWM`: the most memory a process has held, kB; none once it has ended.
pub(crate) fn held_kb(proc: &Path) -> Option<u64> {
    let status = std::fs::read_to_string(proc.join("status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

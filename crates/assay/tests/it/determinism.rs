//! The same bytes whatever the threads and the order of inputs, and `verify` agrees with every dataset made.

use std::path::{Path, PathBuf};

use crate::pages;
use crate::support::{assert_same_files, data, files_of, folder, run};

/// Records taken of the large archive in a build without optimisation.
const LARGE_RECORDS: &str = "300";

fn refine(inputs: &[PathBuf], out: &Path, flags: &[&str]) {
    let mut args: Vec<String> = vec![
        "refine".into(),
        "--quiet".into(),
        "--out".into(),
        out.display().to_string(),
    ];
    args.extend(flags.iter().map(|flag| (*flag).to_owned()));
    args.extend(inputs.iter().map(|input| input.display().to_string()));
    run(args).with_code(0);
}

/// `verify` finds nothing: all records, and a sample.
fn verify(inputs: &[PathBuf], out: &Path, flags: &[&str]) {
    for sample in [["--sample", "all"].as_slice(), &["--sample", "20", "--seed", "7"]] {
        let mut args: Vec<String> = vec![
            "verify".into(),
            out.display().to_string(),
            "--json".into(),
            "--warc".into(),
        ];
        args.extend(inputs.iter().map(|input| input.display().to_string()));
        args.extend(sample.iter().chain(flags).map(|flag| (*flag).to_owned()));
        let document = run(args).with_code(0).json();
        assert_eq!(document["data"]["units"], inputs.len(), "{document}");
        assert!(document["data"]["checked"].as_u64().unwrap() > 0, "{document}");
    }
}

/// Two runs that must give the same bytes, and are verified.
fn check(inputs: &[PathBuf], flags: &[&str], verify_flags: &[&str]) {
    let folder = folder();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    refine(inputs, &one, &[flags, &["--threads", "1"]].concat());
    // Reversed halves: neither the same order nor its mirror.
    let mut shuffled = inputs.to_vec();
    let (left, right) = shuffled.split_at_mut(inputs.len() / 2);
    left.reverse();
    right.reverse();
    shuffled.rotate_left(inputs.len() / 3);
    refine(&shuffled, &two, &[flags, &["--threads", "2"]].concat());
    assert_same_files(&files_of(&one), &files_of(&two), "1 and 2 threads, shuffled");
    verify(&shuffled, &one, verify_flags);
}

#[test]
fn genuine_archives_give_the_same_bytes_and_verify() {
    let Some(folder) = data("warc") else { return };
    let mut inputs: Vec<PathBuf> = fs_err::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    inputs.retain(|path| path.to_string_lossy().contains(".warc") && !path.ends_with("built-train.warc.gz"));
    inputs.sort();
    assert!(inputs.len() >= 12, "{inputs:?}");
    check(&inputs, &[], &[]);
}

#[test]
fn the_large_archive_gives_the_same_bytes_and_verifies() {
    let Some(archive) = data("warc/built-train.warc.gz") else {
        return;
    };
    if cfg!(debug_assertions) {
        check(&[archive], &["--limit", LARGE_RECORDS], &["--prefix"]);
    } else {
        check(&[archive], &[], &[]);
    }
}

/// With JSON Lines and features, too; made-up pages need no data.
#[test]
fn other_formats_give_the_same_bytes_and_verify() {
    let folder = folder();
    let inputs: Vec<PathBuf> = (0..4)
        .map(|at| pages::archive(folder.path(), &format!("{at}.warc.gz"), at * 10, 6))
        .collect();
    check(&inputs, &["--format", "jsonl"], &[]);
    check(&inputs, &["--features"], &[]);
    check(&inputs, &["--recipe", "fineweb-en-v1-nolang"], &[]);
}

/// A unit does not know its neighbours: alone or beside others it has the same bytes.
#[test]
fn a_unit_does_not_depend_on_its_neighbours() {
    let folder = folder();
    let inputs: Vec<PathBuf> = (0..3)
        .map(|at| pages::archive(folder.path(), &format!("{at}.warc.gz"), at * 10, 5))
        .collect();
    let together = folder.path().join("together");
    refine(&inputs, &together, &[]);
    let together = files_of(&together);
    for (at, input) in inputs.iter().enumerate() {
        let out = folder.path().join(format!("alone-{at}"));
        refine(std::slice::from_ref(input), &out, &[]);
        for (name, bytes) in files_of(&out) {
            if name != "manifest.json" {
                assert!(together[&name] == bytes, "{name} of {}", input.display());
            }
        }
    }
}

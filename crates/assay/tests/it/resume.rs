//! Killed at any point, run again: the same bytes, and finished units are not made again.
//!
//! A named pipe stands where the second archive will be: the run reads as far as the test has written, so it is killed at
//! a known byte without any waiting.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::bad_input::{Bad, check};
use crate::pages;
use crate::support::{assay, assert_same_files, data, files_of, folder, line};

/// Longest wait for a process that must come by itself.
const PATIENCE: Duration = Duration::from_mins(1);

/// Three archives, the middle one a pipe, and the second archive's bytes.
struct Scene {
    folder: tempfile::TempDir,
    archives: [PathBuf; 3],
    second: Vec<u8>,
    pipe: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let folder = folder();
        let [first, third] =
            [0, 90].map(|first| pages::archive(folder.path(), &format!("{first:02}.warc.gz"), first, 6));
        let archives = [
            first,
            pages::bulky_archive(folder.path(), "20.warc", 20, 60),
            third,
        ];
        let second = fs_err::read(&archives[1]).unwrap();
        let pipes = folder.path().join("pipes");
        fs_err::create_dir(&pipes).unwrap();
        let pipe = pipes.join("20.warc");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        Self {
            folder,
            archives,
            second,
            pipe,
        }
    }

    /// An uninterrupted run's files.
    fn whole(&self) -> std::collections::BTreeMap<String, Vec<u8>> {
        let out = self.folder.path().join("whole");
        let [first, second, third] = self.archives.each_ref();
        line("refine {} {} {} --out {} -q", &[first, second, third, &out]).with_code(0);
        files_of(&out)
    }

    /// Starts a run that reads the second archive from the pipe.
    fn start(&self, out: &Path) -> Child {
        let mut command = assay(["refine", "--threads", "1", "--quiet", "--out"]);
        command
            .arg(out)
            .arg(&self.archives[0])
            .arg(&self.pipe)
            .arg(&self.archives[2]);
        command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Opens the pipe, which waits until the run has come to the second archive, and feeds it `bytes` of it.
    fn feed(&self, bytes: usize) -> std::fs::File {
        let mut pipe = OpenOptions::new().write(true).open(&self.pipe).unwrap();
        pipe.write_all(&self.second[..bytes]).unwrap();
        pipe
    }
}

fn kill(mut child: Child) {
    // SIGKILL: the process cannot clean up.
    child.kill().unwrap();
    assert_eq!(
        child.wait().unwrap().code(),
        None,
        "the run was to be killed, and ended"
    );
}

fn partial_units(out: &Path) -> usize {
    fs_err::read_dir(out.join("units"))
        .unwrap()
        .filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .file_name()
                .to_string_lossy()
                .ends_with(".partial")
        })
        .count()
}

/// Waits until a condition holds that another process brings about.
fn until(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_killed_run_goes_on_with_the_same_bytes() {
    let scene = Scene::new();
    let whole = scene.whole();
    let length = scene.second.len();
    // Nothing of the second archive, its first bytes, half of it, everything but the last byte, everything.
    for (at, bytes) in [0, 100, length / 2, length - 1, length].into_iter().enumerate() {
        let out = scene.folder.path().join(format!("out-{at}"));
        let child = scene.start(&out);
        let pipe = scene.feed(bytes);
        if bytes > length / 4 {
            until("a partial unit", || partial_units(&out) == 1);
        }
        kill(child);
        drop(pipe);
        assert!(
            !out.join("manifest.json").exists(),
            "killed after {bytes} bytes, but there is a manifest"
        );
        let finished = files_of(&out);
        let [first, second, third] = scene.archives.each_ref();
        let again = line("refine {} {} {} --out {}", &[first, second, third, &out]).with_code(0);
        let taken: Vec<&str> = again
            .stderr
            .lines()
            .filter(|line| line.contains("finished before, taken over"))
            .collect();
        assert_eq!(taken.len(), 1, "after {bytes} bytes: {}", again.stderr);
        assert!(taken[0].contains("00.warc.gz"), "{taken:?}");
        assert_eq!(partial_units(&out), 0);
        let resumed = files_of(&out);
        assert_same_files(
            &resumed,
            &whole,
            &format!("killed after {bytes} of {length} bytes"),
        );
        assert!(
            finished.keys().any(|name| name.ends_with("done.json")),
            "the first unit was finished"
        );
    }
}

/// Kills at each change of the output folder that can be seen, until a run gets through.
#[test]
fn kills_at_every_visible_step_end_in_the_same_bytes() {
    let scene = Scene::new();
    let whole = scene.whole();
    let out = scene.folder.path().join("out");
    let seen = |out: &Path| -> Vec<String> {
        let Ok(units) = std::fs::read_dir(out.join("units")) else {
            return Vec::new();
        };
        let files = units
            .flatten()
            .flat_map(|unit| std::fs::read_dir(unit.path()).into_iter().flatten().flatten());
        let mut names: Vec<String> = files.map(|file| file.path().display().to_string()).collect();
        names.sort();
        names
    };
    let mut kills = 0;
    for step in 0..30 {
        let mut command = assay(["refine", "--threads", "1", "--quiet", "--out"]);
        let mut child = command
            .arg(&out)
            .args(&scene.archives)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let (mut before, mut changes) = (seen(&out), 0);
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success());
                break true;
            }
            let now = seen(&out);
            if now != before {
                (before, changes) = (now, changes + 1);
            }
            if changes > step % 7 {
                break false;
            }
            std::thread::yield_now();
        };
        if ended {
            break;
        }
        child.kill().unwrap();
        // It may have ended in between; either way the output must be whole after the next run.
        child.wait().unwrap();
        kills += 1;
    }
    assert!(kills > 0, "no run was killed");
    let [first, second, third] = scene.archives.each_ref();
    line("refine {} {} {} --out {} -q", &[first, second, third, &out]).with_code(0);
    assert_same_files(&files_of(&out), &whole, &format!("{kills} kills"));
}

#[test]
fn two_runs_on_one_folder_do_not_meet() {
    let scene = Scene::new();
    let out = scene.folder.path().join("out");
    let child = scene.start(&out);
    let pipe = scene.feed(scene.second.len() / 2);
    let busy = Bad {
        exit: 3,
        code: "output/locked",
        message: "another process is writing to",
        help: "wait for it to end",
    };
    check("refine {} --out {}", &[&scene.archives[2], &out], &busy);
    // Reading beside a running writer is no harm, but there is nothing to read yet.
    line("dataset stats {}", &[&out]).with_code(1);
    let mut pipe = pipe;
    pipe.write_all(&scene.second[scene.second.len() / 2..]).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // From a pipe the archive's length is not known beforehand; the dataset is the same.
    let (mut piped, mut whole) = (files_of(&out), scene.whole());
    piped.retain(|name, _| !name.ends_with("done.json"));
    whole.retain(|name, _| !name.ends_with("done.json"));
    assert_same_files(&piped, &whole, "from a pipe and from a file");
}

/// Genuine archives: killed once a unit is finished and another one is begun.
#[test]
fn a_killed_run_over_genuine_archives_goes_on() {
    let Some(warc) = data("warc") else { return };
    let folder = folder();
    let [small, large] =
        ["warclight-steacie-2015.warc.gz", "aut-example.warc.gz"].map(|name| warc.join(name));
    let (whole, out) = (folder.path().join("whole"), folder.path().join("out"));
    line("refine {} {} --out {} -q", &[&small, &large, &whole]).with_code(0);
    let mut command = assay(["refine", "--quiet", "--out"]);
    let child = command
        .arg(&out)
        .arg(&small)
        .arg(&large)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let finished = |out: &Path| {
        std::fs::read_dir(out.join("units")).is_ok_and(|units| {
            units
                .flatten()
                .filter(|unit| !unit.file_name().to_string_lossy().starts_with('.'))
                .count()
                == 1
        })
    };
    until("a finished unit", || finished(&out));
    kill(child);
    let again = line("refine {} {} --out {}", &[&small, &large, &out]).with_code(0);
    assert!(
        again
            .stderr
            .contains("warclight-steacie-2015.warc.gz: finished before, taken over"),
        "{}",
        again.stderr
    );
    assert_same_files(&files_of(&out), &files_of(&whole), "killed over genuine archives");
    line("verify {} --warc {} {}", &[&out, &small, &large]).with_code(0);
}

/// Found by review: an input of the same name and length, but other bytes, was taken over as it was.
#[test]
fn a_changed_input_is_not_taken_over() {
    let folder = folder();
    let archive = pages::archive(folder.path(), "00.warc.gz", 0, 6);
    let out = folder.path().join("out");
    line("refine {} --out {} -q", &[&archive, &out]).with_code(0);
    let mut bytes = fs_err::read(&archive).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs_err::write(&archive, &bytes).unwrap();
    let changed = Bad {
        exit: 2,
        code: "output/other-settings",
        message: "another content of the input",
        help: "choose another `--out`",
    };
    check("refine {} --out {}", &[&archive, &out], &changed);

    let piped = folder.path().join("piped");
    let feed = |bytes: &[u8]| {
        let mut child = assay(["refine", "-", "--quiet", "--out"])
            .arg(&piped)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The second run ends without reading.
        let _ = child.stdin.take().unwrap().write_all(bytes);
        child.wait_with_output().unwrap()
    };
    assert!(feed(&bytes).status.success());
    let again = feed(&bytes);
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("another standard input"));
}

/// Found by review: with `--limit` any archive of the same length was taken over.
#[test]
fn a_changed_beginning_is_not_taken_over_and_a_changed_rest_is() {
    let folder = folder();
    let archive = pages::bulky_archive(folder.path(), "00.warc", 0, 120);
    let out = folder.path().join("out");
    let words = "refine {} --out {} --limit 5";
    line(&format!("{words} -q"), &[&archive, &out]).with_code(0);
    let bytes = fs_err::read(&archive).unwrap();
    let flip = |at: usize| {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs_err::write(&archive, changed).unwrap();
    };
    // What was never read decides nothing; a reader takes some more than the records asked for.
    flip(bytes.len() - 100);
    let again = line(words, &[&archive, &out]).with_code(0);
    assert!(
        again.stderr.contains("finished before, taken over"),
        "{}",
        again.stderr
    );
    flip(2_000);
    let changed = Bad {
        exit: 2,
        code: "output/other-settings",
        message: "another content of the input",
        help: "choose another `--out`",
    };
    check(words, &[&archive, &out], &changed);
}

/// Units of an older version's marker, which bound less, are made again; those of other inputs stay.
#[test]
fn a_unit_of_an_older_marker_is_made_again() {
    let folder = folder();
    let [first, second] =
        [0, 50].map(|first| pages::archive(folder.path(), &format!("{first:02}.warc.gz"), first, 5));
    let out = folder.path().join("out");
    line("refine {} {} --out {} -q", &[&first, &second, &out]).with_code(0);
    let whole = files_of(&out);
    for unit in fs_err::read_dir(out.join("units")).unwrap() {
        let marker = unit.unwrap().path().join("done.json");
        let mut done: serde_json::Value = serde_json::from_slice(&fs_err::read(&marker).unwrap()).unwrap();
        assert_eq!(done["version"], 2);
        done["version"] = 1.into();
        done.as_object_mut().unwrap().remove("features");
        let settings = done["settings"].as_object_mut().unwrap();
        settings.remove("input_read_bytes");
        settings.remove("input_etag");
        fs_err::write(marker, serde_json::to_vec_pretty(&done).unwrap()).unwrap();
    }
    let again = line("refine {} --out {}", &[&first, &out]).with_code(0);
    assert!(!again.stderr.contains("taken over"), "{}", again.stderr);
    assert_eq!(partial_units(&out), 0);
    line("verify {} --warc {} {}", &[&out, &first, &second]).with_code(0);
    line("refine {} --out {}", &[&second, &out]).with_code(0);
    assert_same_files(&files_of(&out), &whole, "made again");
}

/// Found by review: counts were this run's, roots the whole folder's.
#[test]
fn a_report_is_about_this_runs_inputs() {
    let folder = folder();
    let [first, second] =
        [0, 50].map(|first| pages::archive(folder.path(), &format!("{first:02}.warc.gz"), first, 5));
    let out = folder.path().join("out");
    let report = |words: &str, paths: &[&Path]| line(words, paths).with_code(0).json()["data"].clone();
    let alone = report("refine {} --out {} --json", &[&first, &out]);
    let other = report("refine {} --out {} --json", &[&second, &out]);
    let again = report("refine {} --out {} --json", &[&first, &out]);
    assert_eq!(alone["unit_roots"].as_array().unwrap().len(), 1, "{alone}");
    assert_eq!(again["unit_roots"], alone["unit_roots"]);
    assert_ne!(other["unit_roots"], alone["unit_roots"]);
    assert_eq!((&again["records"], &other["records"]), (&11.into(), &11.into()));
    let both = report("refine {} {} --out {} --json", &[&first, &second, &out]);
    assert_eq!(
        (&both["records"], both["unit_roots"].as_array().unwrap().len()),
        (&22.into(), 2)
    );
    let shown = line("refine {} --out {}", &[&first, &out]).with_code(0).stdout;
    assert!(shown.contains("1 of 2 units in "), "{shown}");
}

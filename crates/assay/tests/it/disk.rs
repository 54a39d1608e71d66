//! Outputs that cannot be written: full, read-only, in the way. Finished units stay, and a later run goes on.

use std::path::Path;
use std::process::Command;

use crate::bad_input::{Bad, check, with_archive};
use crate::pages;
use crate::support::{Answer, assay, files_of, folder, line};

/// How `unshare` makes a mount namespace in which something can be mounted at a folder; `None` where the system forbids it.
pub(crate) fn namespace(at: &Path) -> Option<&'static [&'static str]> {
    let is_allowed = |flags: &[&str]| {
        let mount = "mount -t tmpfs -o size=64k none \"$0\"";
        let output = Command::new("unshare")
            .args(flags)
            .args(["sh", "-ec", mount])
            .arg(at)
            .output();
        output.is_ok_and(|output| output.status.success())
    };
    // As root a namespace of mounts is enough; others need one of users as well.
    let flags = [["-m", "--"].as_slice(), &["-Urm", "--"]]
        .into_iter()
        .find(|flags| is_allowed(flags));
    if flags.is_none() {
        eprintln!("skipped: this system allows no mount namespace, so nothing can be mounted");
    }
    flags
}

/// Runs a shell script in a mount namespace of its own, `$ASSAY` being the program; `None` where the system forbids it.
pub(crate) fn in_namespace(script: &str, at: &Path) -> Option<Answer> {
    let flags = namespace(at)?;
    let program = assay::<&str>([]);
    let output = Command::new("unshare")
        .args(flags)
        .args(["sh", "-ec", script])
        .arg(at)
        .env("ASSAY", program.get_program())
        .output()
        .unwrap();
    Some(output.into())
}

/// A disk that is too small for the second archive: the first one's unit stays, and more space cures it.
#[test]
fn a_full_disk_keeps_finished_units() {
    let folder = folder();
    let small = pages::archive(folder.path(), "small.warc.gz", 0, 3);
    let large = pages::archive(folder.path(), "large.warc.gz", 100, 120);
    let disk = folder.path().join("disk");
    fs_err::create_dir(&disk).unwrap();
    let (small, large) = (small.display(), large.display());
    // The first call fills the disk; the second runs after it has grown, and its output is copied out.
    let script = format!(
        "mount -t tmpfs -o size=72k none \"$0\"
         \"$ASSAY\" refine {small} {large} --out \"$0/out\" --json && exit 99
         test $? = 1
         echo; ls -A \"$0/out/units\"; echo
         mount -o remount,size=64m \"$0\"
         \"$ASSAY\" refine {small} {large} --out \"$0/out\" --json
         echo; cp -r \"$0/out\" \"$0-copy\""
    );
    let Some(answer) = in_namespace(&script, &disk) else {
        return;
    };
    let answer = answer.with_code(0);
    let parts: Vec<&str> = answer.stdout.trim_end().split("\n\n").collect();
    let [error, units, report] = parts[..] else {
        panic!("{parts:?}")
    };
    let error: serde_json::Value = serde_json::from_str(error).unwrap();
    assert_eq!(error["code"], "output/not-written", "{error}");
    assert!(
        error["message"].as_str().unwrap().contains("No space left"),
        "{error}"
    );
    let help = error["help"].as_str().unwrap();
    assert!(
        help.contains("free some space") && help.contains("finished units are kept"),
        "{error}"
    );
    // The half of the second unit is gone, so that it does not fill the disk.
    assert_eq!(units.lines().count(), 1, "{units}");
    let report: serde_json::Value = serde_json::from_str(report).unwrap();
    assert_eq!(
        report["warnings"][0], "1 unit was finished before and taken over",
        "{report}"
    );
    let whole = folder.path().join("whole");
    let (small, large) = (
        folder.path().join("small.warc.gz"),
        folder.path().join("large.warc.gz"),
    );
    line("refine {} {} --out {}", &[&small, &large, &whole]).with_code(0);
    let copy = folder.path().join("disk-copy");
    assert!(
        files_of(&whole) == files_of(&copy),
        "the cured output has other bytes"
    );
}

/// Every write to `/dev/full` fails as on a full disk, on every Linux and for every user.
#[test]
fn a_full_disk_under_manifest_report_and_stdout() {
    if !Path::new("/dev/full").exists() {
        eprintln!("skipped: no /dev/full on this system");
        return;
    }
    let (folder, archive) = with_archive();
    let out = folder.path().join("out");
    fs_err::create_dir(&out).unwrap();
    std::os::unix::fs::symlink("/dev/full", out.join("manifest.json.partial")).unwrap();
    let bad = Bad {
        exit: 1,
        code: "file/unusable",
        message: "manifest.json",
        help: "free some space",
    };
    check("refine {} --out {}", &[&archive, &out], &bad);
    fs_err::remove_file(out.join("manifest.json.partial")).unwrap();
    let report = line("refine {} --out {} --json", &[&archive, &out])
        .with_code(0)
        .json();
    assert_eq!(report["warnings"][0], "1 unit was finished before and taken over");

    let html = folder.path().join("stats.html");
    std::os::unix::fs::symlink("/dev/full", folder.path().join("stats.html.partial")).unwrap();
    let bad = Bad {
        exit: 1,
        code: "file/unusable",
        message: "stats.html",
        help: "free some space",
    };
    check("dataset stats {} --html {}", &[&out, &html], &bad);

    let full = fs_err::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = assay(["recipe", "show", "fineweb-en-v1"])
        .stdout(full.into_file())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("No space left"), "{errors}");
}

#[test]
fn a_read_only_output_says_so() {
    let (folder, archive) = with_archive();
    let file = folder.path().join("file");
    fs_err::write(&file, "in the way").unwrap();
    let bad = Bad {
        exit: 1,
        code: "file/unusable",
        message: "Not a directory",
        help: "another `--out`",
    };
    check("refine {} --out {}", &[&archive, &file.join("out")], &bad);
    let bad = Bad {
        exit: 1,
        code: "file/unusable",
        message: "file`",
        help: "is in the way",
    };
    check("refine {} --out {}", &[&archive, &file], &bad);
    check(
        "pack {} --out {}",
        &[folder.path(), &file.join("x.warc.gz")],
        &Bad {
            message: "x.warc.gz",
            ..bad
        },
    );
    // No user may make a folder here, not even root.
    let system = Path::new("/sys/kernel");
    if system.is_dir() {
        let bad = Bad {
            exit: 1,
            code: "file/unusable",
            message: "/sys/kernel/out",
            help: "cannot be written",
        };
        let out = system.join("out");
        check("refine {} --out {}", &[&archive, &out], &bad);
        // Found by review: these two ended with `failure/other` and no cure.
        check("refine --sample --out {}", &[&out], &bad);
        let lists = folder.path().join("lists.json");
        fs_err::write(&lists, r#"{"domains":["bad.example"]}"#).unwrap();
        check("recipe lists {} --out {}", &[&lists, &out], &bad);
    }
    let disk = folder.path().join("disk");
    fs_err::create_dir(&disk).unwrap();
    let script = format!(
        "mount -t tmpfs -o ro none \"$0\"; \"$ASSAY\" refine {} --out \"$0/out\" --json",
        archive.display()
    );
    let Some(answer) = in_namespace(&script, &disk) else {
        return;
    };
    let document = answer.with_code(1).json();
    assert_eq!(document["code"], "file/unusable");
    assert!(
        document["help"].as_str().unwrap().contains("another `--out`"),
        "{document}"
    );
    assert!(
        document["message"]
            .as_str()
            .unwrap()
            .contains("Read-only file system"),
        "{document}"
    );
}

//! `--device` of evaluations and duels: what is refused, before anything is read.

use crate::support::line;

#[test]
fn a_device_that_cannot_be_used_is_named_before_anything_is_read() {
    let answer = line("evaluate missing.jsonl --device cuda", &[]).with_code(2);
    assert!(
        answer.stderr.contains("add `--budget standard`"),
        "{}",
        answer.stderr
    );
    for name in ["tpu", "cuda:", "cuda:-1", "cuda:65536", "cpu:0"] {
        let words = format!("evaluate missing.jsonl --budget standard --device {name}");
        let answer = line(&words, &[]).with_code(2);
        let expected = "devices are `cpu`, `cuda` and `cuda:NUMBER`";
        assert!(answer.stderr.contains(expected), "{name}: {}", answer.stderr);
    }
    // A build without CUDA, and one with it on a machine without a device of that number.
    let device = if cfg!(feature = "cuda") {
        "cuda:999"
    } else {
        "cuda"
    };
    let out = tempfile::tempdir().unwrap();
    // Listed, and never opened: it is no archive.
    let archive = out.path().join("a.warc.gz");
    std::fs::write(&archive, b"no archive").unwrap();
    let commands = [
        format!("evaluate missing.jsonl --budget standard --device {device} --json"),
        format!(
            "duel --champion fineweb-en-v1 --challenger assay-en-v2 --warc {} --pack missing.pack \
             --out {} --device {device} --json",
            archive.display(),
            out.path().join("duel").display()
        ),
    ];
    for words in commands {
        let problem = line(&words, &[]).with_code(2).json();
        assert_eq!(problem["code"], "evaluate/no-device", "{words}: {problem}");
    }
}

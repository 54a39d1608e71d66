//! Running the Python packages that other operators use, to compare with ours.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What `script` prints for `input`: it finds `data`, the parsed input, and calls `answer(value)` once.
///
/// `None` without an interpreter, unless `ASSAY_REQUIRE` is set. An interpreter without the packages is a failure.
pub(crate) fn python(script: &str, input: &Value) -> Option<Value> {
    let Some(interpreter) = std::env::var_os("ASSAY_PYTHON") else {
        assert!(
            std::env::var_os("ASSAY_REQUIRE").is_none(),
            "ASSAY_REQUIRE is set and ASSAY_PYTHON is not"
        );
        eprintln!("skipped: ASSAY_PYTHON is not set; .ci/requirements.txt lists the packages");
        return None;
    };
    let prelude = "import json, sys\ndata = json.load(sys.stdin)\ndef answer(value):\n    print('ANSWER' + json.dumps(value))\n";
    let mut child = Command::new(interpreter)
        .args(["-c", &format!("{prelude}{script}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.to_string().as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{stdout}\n{stderr}");
    let found = stdout.lines().find_map(|line| line.strip_prefix("ANSWER"));
    Some(serde_json::from_str(found.unwrap_or_else(|| panic!("no answer: {stdout}\n{stderr}"))).unwrap())
}

/// Hex digits of an answer as bytes.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap();
    let digit = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(digit).collect()
}

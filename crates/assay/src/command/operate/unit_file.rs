//! A unit file for systemd that runs an agent with the arguments it was asked with.

use std::path::Path;

/// The unit of an agent: `program` with `arguments`, whose relative paths start at `working_folder`.
pub(crate) fn unit_file(kind: &str, program: &Path, arguments: &[String], working_folder: &Path) -> String {
    let words: Vec<String> = std::iter::once(program.to_string_lossy().into_owned())
        .chain(arguments.iter().cloned())
        .map(|word| quoted(&word))
        .collect();
    format!(
        "[Unit]
Description=Assay {kind}
Wants=network-online.target
After=network-online.target

[Service]
ExecStart={}
Restart=always
RestartSec=5
TimeoutStopSec=120
KillSignal=SIGINT
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=full
WorkingDirectory={}
# Uncomment to run as a user of its own, who owns the folders named above:
# User=assay

[Install]
WantedBy=multi-user.target
",
        words.join(" "),
        quoted(&working_folder.to_string_lossy())
    )
}

/// A word as systemd reads it: `%` and `$` mean something there, and so do quotes, spaces and backslashes.
fn quoted(word: &str) -> String {
    let escaped = word
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('%', "%%")
        .replace('$', "$$");
    if escaped
        .chars()
        .any(|c| c.is_whitespace() || c == ';' || c == '"' || c == '\'')
        || escaped.is_empty()
    {
        format!("\"{escaped}\"")
    } else {
        escaped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_come_through_as_they_were() {
        let arguments = ["miner", "up", "--dir", "/data/my miner", "--wallet", "50%$a"].map(str::to_owned);
        let unit = unit_file(
            "miner",
            Path::new("/usr/bin/assay"),
            &arguments,
            Path::new("/data/my miner"),
        );
        assert!(
            unit.contains("ExecStart=/usr/bin/assay miner up --dir \"/data/my miner\" --wallet 50%%$$a\n"),
            "{unit}"
        );
        assert!(unit.contains("WorkingDirectory=\"/data/my miner\"\n"), "{unit}");
    }
}

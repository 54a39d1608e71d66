//! `assay wallet list`: one line a key, the files that are not as they should be as warnings.

use std::fmt::Write as _;

use assay_chain::wallet::{Problem, Protection, WalletEntry, Wallets};
use serde_json::{Value, json};

use crate::console::Console;
use crate::exit::Status;

pub(super) fn run(wallets: &Wallets, console: &Console) -> anyhow::Result<Status> {
    let (entries, problems) = wallets.list()?;
    let warnings: Vec<String> = problems.iter().map(warning).collect();
    let data = json!({ "path": wallets.root(), "wallets": entries.iter().map(document).collect::<Vec<_>>() });
    console.result("assay.wallet-list/1", &data, &warnings, || {
        table(wallets, &entries)
    })?;
    Ok(Status::Ok)
}

fn document(entry: &WalletEntry) -> Value {
    let hotkeys = entry.hotkeys.iter();
    json!({
        "name": entry.name.as_str(),
        "coldkey": entry.coldkey,
        "protection": protection(entry),
        "hotkeys": hotkeys.map(|(name, address)| json!({ "name": name.as_str(), "address": address })).collect::<Vec<_>>(),
    })
}

fn protection(entry: &WalletEntry) -> &'static str {
    match entry.protection {
        None => "absent",
        Some(Protection::Plain) => "plain",
        Some(Protection::Nacl) => "encrypted",
        Some(Protection::Old(method)) => method,
    }
}

fn table(wallets: &Wallets, entries: &[WalletEntry]) -> String {
    if entries.is_empty() {
        return format!(
            "no wallets in `{}`: `assay wallet new NAME` makes one\n",
            wallets.root().display()
        );
    }
    let mut text = format!("{:<24} {:<48} secret\n", "key", "address");
    let shown = |address: &Option<String>| address.clone().unwrap_or_else(|| "–".to_owned());
    for entry in entries {
        let _ = writeln!(
            text,
            "{:<24} {:<48} {}",
            entry.name,
            shown(&entry.coldkey),
            protection(entry)
        );
        for (name, address) in &entry.hotkeys {
            let _ = writeln!(text, "{:<24} {:<48} hotkey", format!("  {name}"), shown(address));
        }
    }
    text
}

fn warning(problem: &Problem) -> String {
    match &problem.error {
        None => format!(
            "`{0}` can be read by others: `chmod 600 {0}`",
            problem.path.display()
        ),
        Some(error) => {
            let cause =
                std::error::Error::source(error).map_or_else(String::new, |cause| format!(": {cause}"));
            format!("{error}{cause}")
        }
    }
}

//! Asking before money moves: the network's name has to be typed, or `--yes` given.

use std::io::{BufRead as _, IsTerminal as _};

use crate::console::Console;
use crate::exit::UsageError;

/// Shows what will happen and asks for the network's name.
///
/// # Errors
/// A usage error where nobody can be asked, or something else is typed.
pub(super) fn confirm(what: &str, network: &str, yes: bool, console: &Console) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    let help = "look at it with --dry-run, then give --yes";
    if console.is_json() || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(UsageError::new(format!("{what}: nobody was asked"), help).into());
    }
    console.note(&format!("{what}\ntype `{network}` to go on:"));
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    if line.trim() == network {
        Ok(())
    } else {
        Err(UsageError::new("not confirmed, nothing was sent", help).into())
    }
}

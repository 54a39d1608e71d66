//! What is printed where: results on stdout (text or one JSON document), notes and errors on stderr.
//!
//! Every command prints through [`Console`], so that `--json`, `--quiet` and colours mean the same everywhere.

use std::io::{self, IsTerminal as _, Write};

use assay_types::{AsOf, BlockNumber, Envelope, ErrorEnvelope};
use serde::Serialize;

use crate::cli::{ColorChoice, Global};

/// Where and how to print.
#[derive(Debug)]
pub(crate) struct Console {
    json: bool,
    quiet: bool,
}

impl Console {
    pub(crate) fn new(global: &Global) -> Self {
        let choice = match global.color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        Self {
            json: global.json,
            quiet: global.quiet,
        }
    }

    /// For a call whose flags could not be parsed but for `--json`.
    pub(crate) fn json() -> Self {
        Self {
            json: true,
            quiet: false,
        }
    }

    /// Whether one JSON document is wanted.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether to draw progress bars.
    pub(crate) fn has_progress(&self) -> bool {
        !self.json && !self.quiet && io::stderr().is_terminal()
    }

    /// Whether to print plain progress lines now and then.
    pub(crate) fn has_progress_lines(&self) -> bool {
        !self.json && !self.quiet && !io::stderr().is_terminal()
    }

    /// Prints a command's result: `data` in the envelope with `--json`, else `text`.
    pub(crate) fn result<T: Serialize>(
        &self,
        schema: &str,
        data: &T,
        warnings: &[String],
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        self.print(schema, true, (data, warnings), text)
    }

    /// As [`Self::result`], for an answer of a chain at `block`.
    pub(crate) fn result_at<T: Serialize>(
        &self,
        schema: &str,
        block: BlockNumber,
        data: &T,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        if !self.json {
            return self.print(schema, true, (data, &[]), text);
        }
        let as_of = AsOf {
            block: Some(block),
            ..now()
        };
        let mut stdout = anstream::stdout().lock();
        serde_json::to_writer(&mut stdout, &Envelope::ok(schema, as_of, data))?;
        stdout.write_all(b"\n")?;
        Ok(stdout.flush()?)
    }

    /// As [`Self::result`], for commands whose check may have failed.
    pub(crate) fn outcome<T: Serialize>(
        &self,
        schema: &str,
        ok: bool,
        data: &T,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        self.print(schema, ok, (data, &[]), text)
    }

    fn print<T: Serialize>(
        &self,
        schema: &str,
        ok: bool,
        (data, warnings): (&T, &[String]),
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        let mut stdout = anstream::stdout().lock();
        if self.json {
            let envelope = Envelope {
                schema: schema.to_owned(),
                ok,
                as_of: now(),
                data,
                warnings: warnings.to_vec(),
            };
            serde_json::to_writer(&mut stdout, &envelope)?;
            stdout.write_all(b"\n")?;
        } else {
            for warning in warnings {
                self.note(&format!("warning: {warning}"));
            }
            stdout.write_all(text().as_bytes())?;
        }
        stdout.flush()?;
        Ok(())
    }

    /// A JSON document whose data lies beside the envelope's keys instead of under `data`.
    pub(crate) fn flat<T: Serialize>(schema: &str, data: &T, warnings: &[String]) -> anyhow::Result<()> {
        let mut document =
            serde_json::json!({ "schema": schema, "ok": true, "as_of": now(), "warnings": warnings });
        if let (serde_json::Value::Object(document), serde_json::Value::Object(data)) =
            (&mut document, serde_json::to_value(data)?)
        {
            document.extend(data);
        }
        let mut stdout = anstream::stdout().lock();
        serde_json::to_writer(&mut stdout, &document)?;
        stdout.write_all(b"\n")?;
        Ok(stdout.flush()?)
    }

    /// A line for people, on stderr; nothing with `--json` or `--quiet`.
    pub(crate) fn note(&self, line: &str) {
        if !self.json && !self.quiet {
            let _ = writeln!(anstream::stderr(), "{line}");
        }
    }

    /// An error: for people on stderr, with `--json` as a document on stdout too.
    pub(crate) fn error(&self, message: &str, code: &str, help: Option<&str>, retry: bool) {
        if self.json {
            let mut envelope = ErrorEnvelope::new(code, message, help.unwrap_or_default());
            envelope.retry = retry;
            if let Ok(line) = serde_json::to_string(&envelope) {
                let _ = writeln!(anstream::stdout(), "{line}");
            }
        }
        let mut stderr = anstream::stderr();
        let _ = writeln!(stderr, "\u{1b}[1;31merror[{code}]\u{1b}[0m: {message}");
        if let Some(help) = help {
            let _ = writeln!(stderr, "  \u{1b}[1mhelp\u{1b}[0m: {help}");
        }
    }
}

/// The time of the output, for commands that read no chain.
fn now() -> AsOf {
    AsOf {
        time: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        block: None,
    }
}

//! `assay filter`: a recipe's steps on given texts, one JSON object a line, in the order of the input.
//!
//! Texts come from [`super::texts`], decisions from [`Engine`]; used to check parity with other implementations.

use std::io;
use std::path::Path;

use assay_refine::engine::{Engine, Scratch, alone};
use assay_refine::filter::url::UrlFilter;
use assay_refine::parallel::{self, Flow};
use serde_json::{Value, json};

use super::error::LocalError;
use super::texts::{Line, TextReader, Unreadable};

/// What to filter, and how.
#[derive(Debug)]
pub struct FilterJob<'a> {
    /// JSON Lines file; stdin if `None`.
    pub texts: Option<&'a Path>,
    /// The recipe, ready to run.
    pub engine: &'a Engine,
    /// URL lists for the separate URL decision of `--steps`.
    pub lists: Option<UrlFilter>,
    /// Whether to run each filter alone on the given text, too.
    pub steps: bool,
    /// Worker threads, at least 1.
    pub threads: usize,
}

/// Filters every text and hands each line of output (without line end) to `print`, in order.
///
/// A line that is no text gives a line with `error`; the number of these and the first one are returned.
///
/// # Errors
/// If the input cannot be read or the output cannot be written.
pub fn filter(
    job: FilterJob<'_>,
    mut print: impl FnMut(&[u8]) -> io::Result<()> + Send,
) -> Result<Unreadable, LocalError> {
    let mut reader = TextReader::open(job.texts)?;
    let mut unreadable = Unreadable::default();
    let threads = job.threads;
    let flow = FilterFlow(job);
    parallel::ordered(
        &flow,
        threads,
        || {
            let line = reader.next_line()?;
            if let Some(line) = &line {
                unreadable.see(reader.name(), line);
            }
            Ok(line)
        },
        |line: Vec<u8>| print(&line).map_err(LocalError::io("stdout")),
    )?;
    Ok(unreadable)
}

struct FilterFlow<'a>(FilterJob<'a>);

impl Flow for FilterFlow<'_> {
    type Item = Line;
    type Output = Vec<u8>;
    type Worker = Scratch;
    type Error = LocalError;

    fn worker(&self) -> Scratch {
        Scratch::new()
    }

    fn work(&self, scratch: &mut Scratch, line: Line) -> Vec<u8> {
        let number = line.number;
        let value = match line.text {
            Ok(given) => {
                let mut value = self.0.engine.filter_text(scratch, &given.url, &given.text);
                set(&mut value, "id", given.id);
                if self.0.steps {
                    let steps = alone::steps(
                        scratch,
                        self.0.engine,
                        self.0.lists.as_ref(),
                        &given.url,
                        &given.text,
                    );
                    set(&mut value, "steps", steps);
                }
                value
            }
            Err(error) => json!({ "id": null, "line": number, "error": error.to_string() }),
        };
        value.to_string().into_bytes()
    }

    fn weight(&self, line: &Vec<u8>) -> usize {
        line.len()
    }
}

fn set(value: &mut Value, key: &str, to: Value) {
    if let Value::Object(map) = value {
        map.insert(key.to_owned(), to);
    }
}

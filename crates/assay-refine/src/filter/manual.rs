//! The manual of all filters, made of the headers of their files, and the examples written there.
//!
//! In: the filters' own source text. Out: `docs/filters.md` (a test compares it) and examples for the filters' tests.

/// Every filter, and PII at the end: its name in a recipe and the source text whose header documents it, in FineWeb's order.
pub const FILTERS: &[(&str, &str)] = &[
    ("url_filter", include_str!("url.rs")),
    ("gopher_repetition", include_str!("gopher_repetition.rs")),
    ("gopher_quality", include_str!("gopher_quality.rs")),
    ("c4", include_str!("c4.rs")),
    ("fineweb_quality", include_str!("fineweb_quality.rs")),
    ("pii", include_str!("../pii.rs")),
];

/// Markdown of all headers, one section a filter.
pub fn manual() -> String {
    let mut page = String::from(
        "# Filters\n\nMade from the headers of `crates/assay-refine/src/filter/*.rs`; the examples are tests. Reasons \
         and defaults are datatrove's.\nIn examples `\"text\" * 9` is the text nine times over.\n",
    );
    for (name, source) in FILTERS {
        page.extend(["\n## `", name, "`\n\n"]);
        for line in header(source) {
            // Links of rustdoc are plain code on the page.
            page.push_str(&line.replace("[`", "`").replace("`]", "`"));
            page.push('\n');
        }
    }
    page
}

/// The lines of a file's header comment without the comment marks.
fn header(source: &str) -> impl Iterator<Item = &str> {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line))
}

/// One example of a header.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct Example {
    /// The text or URL.
    pub(crate) input: String,
    /// The reason it is dropped for, if it is.
    pub(crate) reason: Option<String>,
}

/// The examples of a header, `keeps: "text"` or `drops: "text" * 9 => reason`, code in backticks; texts are JSON strings.
#[cfg(test)]
pub(crate) fn examples(source: &str) -> Vec<Example> {
    let line_of = |line: &str| {
        let (input, reason) = match (line.strip_prefix("* keeps: "), line.strip_prefix("* drops: ")) {
            (Some(input), _) => (input.to_owned(), None),
            (_, Some(rest)) => {
                let (input, reason) = rest.rsplit_once(" => ").unwrap();
                (input.to_owned(), Some(reason.trim_matches('`').to_owned()))
            }
            _ => return None,
        };
        let input = input
            .strip_prefix('`')
            .and_then(|input| input.strip_suffix('`'))
            .unwrap();
        let (text, times) = input.rsplit_once("\" * ").map_or((input, 1), |(text, times)| {
            (input.get(..=text.len()).unwrap(), times.parse().unwrap())
        });
        let text: String = serde_json::from_str(text).unwrap();
        Some(Example {
            input: text.repeat(times),
            reason,
        })
    };
    header(source).filter_map(line_of).collect()
}

/// Asserts that a filter decides its header's examples as written, and that there is one of each kind.
#[cfg(test)]
pub(crate) fn check_examples(source: &str, mut verdict: impl FnMut(&str) -> super::Verdict) {
    let examples = examples(source);
    assert!(
        examples.iter().any(|example| example.reason.is_none()),
        "no kept example"
    );
    assert!(
        examples.iter().any(|example| example.reason.is_some()),
        "no dropped example"
    );
    for example in examples {
        assert_eq!(
            verdict(&example.input).reason(),
            example.reason.as_deref(),
            "{}",
            example.input
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_read() {
        let found =
            examples("//! x\n//! * keeps: `\"a\\n\" * 3`\n//! * drops: `\"b\"` => `why`\n* keeps: no");
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].input.as_str(), found[0].reason.as_deref()),
            ("a\na\na\n", None)
        );
        assert_eq!(
            (found[1].input.as_str(), found[1].reason.as_deref()),
            ("b", Some("why"))
        );
    }

    #[test]
    fn every_filter_has_a_section() {
        let page = manual();
        assert!(
            FILTERS
                .iter()
                .all(|(name, _)| page.contains(&format!("## `{name}`\n")))
        );
    }
}

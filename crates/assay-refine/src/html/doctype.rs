//! Whether a doctype asks for quirks mode (HTML standard, 13.2.6.4.1); there a table does not end a paragraph.

/// Beginnings of public identifiers that mean quirks mode.
const PREFIXES: &[&str] = &[
    "+//silmaril//dtd html pro v0r11 19970101//",
    "-//as//dtd html 3.0 aswedit + extensions//",
    "-//advasoft ltd//dtd html 3.0 aswedit + extensions//",
    "-//ietf//dtd html",
    "-//metrius//dtd metrius presentational//",
    "-//microsoft//dtd internet explorer",
    "-//netscape comm. corp.//dtd",
    "-//o'reilly and associates//dtd html",
    "-//sq//dtd html 2.0 hotmetal + extensions//",
    "-//softquad",
    "-//spyglass//dtd html 2.0 extended//",
    "-//sun microsystems corp.//dtd hotjava",
    "-//w3c//dtd html 3",
    "-//w3c//dtd html 4.0 frameset//",
    "-//w3c//dtd html 4.0 transitional//",
    "-//w3c//dtd html experimental",
    "-//w3c//dtd w3 html//",
    "-//w3o//dtd w3 html",
    "-//webtechs//dtd mozilla html",
    "-/w3c/dtd html 4.0 transitional/en",
];
/// Those that mean it only without a system identifier.
const BARE_PREFIXES: &[&str] = &[
    "-//w3c//dtd html 4.01 frameset//",
    "-//w3c//dtd html 4.01 transitional//",
];
/// The system identifier that means it.
const SYSTEM: &str = "http://www.ibm.com/data/dtd/v11/ibmxhtml1-transitional.dtd";
/// Bytes of a doctype that are looked at.
const BYTES_MAX: usize = 1_024;

/// `text` is what stands between `<!doctype` and `>`.
pub(super) fn is_quirky(text: &str) -> bool {
    let cut = text.floor_char_boundary(BYTES_MAX);
    let lower = text.get(..cut).unwrap_or("").trim().to_ascii_lowercase();
    let (name, rest) = lower.split_once(char::is_whitespace).unwrap_or((&lower, ""));
    if name != "html" {
        return true;
    }
    let rest = rest.trim_start();
    let (public, system) = if let Some(rest) = rest.strip_prefix("public") {
        let (public, rest) = quoted(rest);
        (public, quoted(rest).0)
    } else if let Some(rest) = rest.strip_prefix("system") {
        (None, quoted(rest).0)
    } else {
        return !rest.is_empty();
    };
    let Some(public) = public else {
        return system.is_none_or(|system| system == SYSTEM);
    };
    let starts = |list: &[&str]| list.iter().any(|prefix| public.starts_with(prefix));
    public == "html"
        || starts(PREFIXES)
        || system == Some(SYSTEM)
        || (system.is_none() && starts(BARE_PREFIXES))
}

/// The string in quotes at the start of a text, and what follows it.
fn quoted(text: &str) -> (Option<&str>, &str) {
    let text = text.trim_start();
    let found = text.strip_prefix('"').map(|rest| (rest, '"'));
    let Some((rest, quote)) = found.or_else(|| text.strip_prefix('\'').map(|rest| (rest, '\''))) else {
        return (None, text);
    };
    let (value, rest) = rest.split_once(quote).unwrap_or((rest, ""));
    (Some(value), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doctypes() {
        for (text, expected) in [
            (" html", false),
            (" HTML", false),
            ("html", false),
            ("", true),
            (" svg", true),
            (
                " html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\"",
                false,
            ),
            (" html PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\"", true),
            (
                " html PUBLIC '-//W3C//DTD HTML 4.01 Transitional//EN' 'http://www.w3.org/TR/html4/loose.dtd'",
                false,
            ),
            (" html PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\"", true),
            (" html SYSTEM \"about:legacy-compat\"", false),
        ] {
            assert_eq!(is_quirky(text), expected, "{text}");
        }
    }
}

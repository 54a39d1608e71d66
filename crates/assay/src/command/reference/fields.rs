//! Fields of a struct and what their comments say, out of its source text.

/// A field.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Its name.
    pub(super) name: String,
    /// Its comment on one line.
    pub(super) about: String,
}

/// Public fields of `pub struct NAME` in order.
pub(super) fn of(source: &str, name: &str) -> Vec<Field> {
    let begin = format!("pub struct {name} {{");
    let body = source.split_once(&begin).map_or("", |(_, rest)| rest);
    let body = body.split_once("\n}").map_or(body, |(body, _)| body);
    let mut found = Vec::new();
    let mut about: Vec<&str> = Vec::new();
    for line in body.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            about.push(text.trim());
        } else if let Some((name, _)) = line.strip_prefix("pub ").and_then(|rest| rest.split_once(':')) {
            found.push(Field {
                name: name.to_owned(),
                about: std::mem::take(&mut about).join(" "),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_their_comments() {
        let source = "/// A.\npub struct A {\n    /// One\n    /// two.\n    #[serde(skip)]\n    pub b: u8,\n    /// C.\n    pub c: Vec<u8>,\n}\npub struct B {\n    pub d: u8,\n}\n";
        let named = |name: &str, about: &str| Field {
            name: name.to_owned(),
            about: about.to_owned(),
        };
        assert_eq!(of(source, "A"), [named("b", "One two."), named("c", "C.")]);
        assert_eq!(of(source, "None"), []);
    }
}

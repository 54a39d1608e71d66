//! The encoding label of a `<meta>` element: the prescan of the HTML Standard §13.2.3.2, on the first bytes of a page.

/// The encoding that the first `<meta>` in `head` with a label that `known` knows names; a label nobody knows is passed over.
pub(super) fn encoding<E>(head: &[u8], known: impl Fn(&str) -> Option<E>) -> Option<E> {
    let mut at = 0;
    while let Some(found) = head.get(at..).and_then(|rest| memchr::memchr(b'<', rest)) {
        at += found;
        let rest = head.get(at..).unwrap_or_default();
        if rest.starts_with(b"<!--") {
            // `<!-->` is a whole comment: the search begins at its two dashes.
            let inner = rest.get(2..).unwrap_or_default();
            at += 2 + memchr::memmem::find(inner, b"-->")? + 3;
        } else if begins_meta(rest) {
            let mut attributes = Attributes {
                rest: rest.get(5..).unwrap_or_default(),
            };
            if let Some(encoding) = label_of(&mut attributes).as_deref().and_then(&known) {
                return Some(encoding);
            }
            at = head.len() - attributes.rest.len();
        } else if begins_tag(rest) {
            let skip = rest.iter().position(|byte| is_space(*byte) || *byte == b'>')?;
            let mut attributes = Attributes {
                rest: rest.get(skip..).unwrap_or_default(),
            };
            while attributes.next().is_some() {}
            at = head.len() - attributes.rest.len();
        } else if matches!(rest.get(1), Some(b'!' | b'/' | b'?')) {
            at += memchr::memchr(b'>', rest)? + 1;
        } else {
            at += 1;
        }
    }
    None
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

fn begins_meta(rest: &[u8]) -> bool {
    rest.get(..5)
        .is_some_and(|tag| tag.eq_ignore_ascii_case(b"<meta"))
        && rest.get(5).is_some_and(|byte| is_space(*byte) || *byte == b'/')
}

fn begins_tag(rest: &[u8]) -> bool {
    match rest.get(1) {
        Some(b'/') => rest.get(2).is_some_and(u8::is_ascii_alphabetic),
        Some(byte) => byte.is_ascii_alphabetic(),
        None => false,
    }
}

/// The label of one `<meta>`: its `charset`, or the one in `content` under `http-equiv="content-type"`.
fn label_of(attributes: &mut Attributes<'_>) -> Option<String> {
    let (mut charset, mut content, mut is_pragma) = (None, None, false);
    let mut seen: Vec<String> = Vec::new();
    for (name, value) in attributes {
        if seen.contains(&name) {
            continue;
        }
        match name.as_str() {
            "charset" => charset = Some(value),
            "content" => content = charset_in(&value).map(str::to_owned),
            "http-equiv" => is_pragma = value == "content-type",
            _ => {}
        }
        seen.push(name);
    }
    charset.or(content.filter(|_| is_pragma))
}

/// The value behind `charset=` in a `content` attribute: HTML Standard, "extracting a character encoding".
fn charset_in(content: &str) -> Option<&str> {
    let mut rest = content;
    loop {
        let at = rest.find("charset")?;
        rest = rest.get(at + 7..)?;
        if let Some(value) = rest.trim_start().strip_prefix('=') {
            let value = value.trim_start();
            return match value.chars().next()? {
                quote @ ('"' | '\'') => value.get(1..)?.split_once(quote).map(|(label, _)| label),
                _ => value.split([' ', '\t', '\n', '\r', '\u{c}', ';']).next(),
            };
        }
    }
}

/// Attributes of one tag, names and values in lower case; `rest` ends behind the tag.
struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    fn skip(&mut self, fits: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self
            .rest
            .iter()
            .position(|byte| !fits(*byte))
            .unwrap_or(self.rest.len());
        let (skipped, rest) = self.rest.split_at(end);
        self.rest = rest;
        skipped
    }

    fn value(&mut self) -> &'a [u8] {
        self.skip(is_space);
        let Some(quote @ (b'"' | b'\'')) = self.rest.first().copied() else {
            return self.skip(|byte| !is_space(byte) && byte != b'>');
        };
        self.rest = self.rest.get(1..).unwrap_or_default();
        let value = self.skip(|byte| byte != quote);
        self.rest = self.rest.get(1..).unwrap_or_default();
        value
    }
}

impl Iterator for Attributes<'_> {
    type Item = (String, String);

    fn next(&mut self) -> Option<Self::Item> {
        self.skip(|byte| is_space(byte) || byte == b'/');
        if self.rest.first().is_none_or(|byte| *byte == b'>') {
            return None;
        }
        // A name may begin with an equals sign.
        let start = self.rest;
        self.rest = self.rest.get(1..).unwrap_or_default();
        let tail = self.skip(|byte| !is_space(byte) && !matches!(byte, b'/' | b'>' | b'='));
        let name = start.get(..1 + tail.len()).unwrap_or_default();
        self.skip(is_space);
        let mut value: &[u8] = &[];
        if self.rest.first() == Some(&b'=') {
            self.rest = self.rest.get(1..).unwrap_or_default();
            value = self.value();
        }
        let lower = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_ascii_lowercase();
        Some((lower(name), lower(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_where_browsers_find_them() {
        let cases: [(&str, Option<&str>); 18] = [
            ("<meta charset=UTF-8>", Some("utf-8")),
            ("<META  Charset = 'Big5' />", Some("big5")),
            ("<meta/charset=gbk>", Some("gbk")),
            (
                "<meta http-equiv=Content-Type content='text/html; charset=euc-jp'>",
                Some("euc-jp"),
            ),
            (
                "<meta content='a;charset = \"x\" b' http-equiv=content-type>",
                Some("x"),
            ),
            ("<meta content='charset=x'>", None),
            ("<meta http-equiv=refresh content='charset=x'>", None),
            ("<meta charset=a charset=b>", Some("a")),
            ("<!-- <meta charset=a> --><meta charset=b>", Some("b")),
            ("<!--><meta charset=b>", Some("b")),
            ("<p title='<meta charset=a>'><meta charset=b>", Some("b")),
            ("</p x='>'><meta charset=b>", Some("b")),
            ("<!doctype html><?x ?>< <meta charset=b>", Some("b")),
            ("<metal charset=a>", None),
            ("<meta name=x><meta charset=b>", Some("b")),
            (
                "<meta http-equiv=content-type content='charset charset=c;d'>",
                Some("c"),
            ),
            ("<meta charset=nobody-knows><meta charset=b>", Some("b")),
            ("<meta charset", None),
        ];
        for (head, expected) in cases {
            let known = |label: &str| (!["", "nobody-knows"].contains(&label)).then(|| label.to_owned());
            assert_eq!(encoding(head.as_bytes(), known).as_deref(), expected, "{head}");
        }
    }
}

//! Formulas as LaTeX: TeX annotations, `alttext`, scripts and images of renderers as they stand, other MathML converted.
//!
//! The conversion is one walk with a stack of its own; it covers presentation MathML as web pages use it.

use super::inline::Source;
use super::symbol::{is_operator_name, latex_of};
use crate::html::{AttributeKey, NodeId, Tag};

/// A formula of the page.
#[derive(Debug, Default)]
pub(super) struct Formula {
    /// Empty if nothing of it is kept.
    pub(super) latex: String,
    pub(super) is_display: bool,
}

/// Classes of the elements in which KaTeX and MathJax draw a formula.
const DRAWN: &[&str] = &[
    "katex",
    "katex-display",
    "MathJax",
    "MathJax_Display",
    "MathJax_SVG",
    "MathJax_Preview",
    "MJXc-display",
];

/// The formula that an element is or draws; `None` for all other elements.
pub(super) fn formula(source: &Source, id: NodeId) -> Option<Formula> {
    let document = source.document;
    let class = document.attribute(id, AttributeKey::Class).unwrap_or("");
    match document.tag(id) {
        Tag::Math => Some(Formula {
            latex: kept(source, id, || of_math(source, id)),
            is_display: document.attribute(id, AttributeKey::Display) == Some("block"),
        }),
        Tag::Script => {
            let kind = document.attribute(id, AttributeKey::Type).unwrap_or("");
            let rest = kind.strip_prefix("math/tex")?;
            let text = || document.first_child(id).map_or("", |text| document.text(text));
            Some(Formula {
                latex: kept(source, id, || tidy(text())),
                is_display: rest.contains("mode=display"),
            })
        }
        Tag::Img => {
            let names = |word: &str| matches!(word, "latex" | "tex" | "math") || word.starts_with("mwe-math");
            if !class.split_ascii_whitespace().any(names) {
                return None;
            }
            let text = document.attribute(id, AttributeKey::Alt).unwrap_or("");
            Some(Formula {
                latex: kept(source, id, || tidy(text)),
                is_display: class.contains("display"),
            })
        }
        _ if class.split_ascii_whitespace().any(|word| DRAWN.contains(&word)) => {
            let math = source
                .inside(id, |_| true)
                .find(|inner| document.tag(*inner) == Tag::Math);
            Some(Formula {
                latex: math.map_or_else(String::new, |math| kept(source, math, || of_math(source, math))),
                is_display: class.split_ascii_whitespace().any(|word| word.contains("isplay")),
            })
        }
        _ => None,
    }
}

fn kept(source: &Source, id: NodeId, latex: impl FnOnce() -> String) -> String {
    if source.is_kept(id) {
        latex()
    } else {
        String::new()
    }
}

/// TeX on one line, without the wrapper that wikis put around it.
fn tidy(tex: &str) -> String {
    let flat = tex.split_whitespace().collect::<Vec<_>>().join(" ");
    let inner = ["{\\displaystyle", "{\\textstyle"]
        .iter()
        .find_map(|start| flat.strip_prefix(start)?.strip_suffix('}'));
    inner.unwrap_or(&flat).trim().trim_matches('$').trim().to_owned()
}

fn of_math(source: &Source, math: NodeId) -> String {
    let document = source.document;
    let annotation = source.inside(math, |_| true).find(|id| {
        let encoding = document.attribute(*id, AttributeKey::Encoding);
        document.tag(*id) == Tag::Annotation && encoding == Some("application/x-tex")
    });
    if let Some(text) = annotation.and_then(|id| document.first_child(id)) {
        return tidy(document.text(text));
    }
    match document.attribute(math, AttributeKey::Alttext) {
        Some(text) if !text.trim().is_empty() => tidy(text),
        _ => convert(source, math),
    }
}

/// Elements open at once in a formula that is converted; one with more is left out.
const NESTING_MAX: usize = 64;
/// Bytes of LaTeX of a formula, at any level; one with more is left out.
const LATEX_BYTES_MAX: usize = 1 << 16;

/// An open element with the LaTeX of its children so far.
struct Open {
    id: NodeId,
    parts: Vec<String>,
}

/// Presentation MathML to LaTeX; empty beyond the limits.
fn convert(source: &Source, math: NodeId) -> String {
    let document = source.document;
    let mut stack = vec![Open {
        id: math,
        parts: vec![],
    }];
    let mut next = document.first_child(math);
    loop {
        if let Some(id) = next {
            match document.tag(id) {
                Tag::Text => {
                    let text = document.text(id).split_whitespace().collect::<Vec<_>>().join(" ");
                    if let Some(open) = stack.last_mut().filter(|_| !text.is_empty()) {
                        open.parts.push(text);
                    }
                    next = document.next_sibling(id);
                }
                Tag::Annotation | Tag::AnnotationXml => next = document.next_sibling(id),
                _ if stack.len() >= NESTING_MAX => return String::new(),
                _ => {
                    stack.push(Open { id, parts: vec![] });
                    next = document.first_child(id);
                }
            }
            continue;
        }
        let Some(done) = stack.pop() else {
            return String::new();
        };
        if done.parts.iter().map(String::len).sum::<usize>() > LATEX_BYTES_MAX {
            return String::new();
        }
        let latex = combine(document.tag(done.id), &done.parts);
        let Some(open) = stack.last_mut() else {
            return latex;
        };
        open.parts.push(latex);
        next = document.next_sibling(done.id);
    }
}

/// The LaTeX of an element from that of its children.
fn combine(tag: Tag, parts: &[String]) -> String {
    let part = |index: usize| parts.get(index).map_or("", String::as_str);
    match tag {
        Tag::Mi => identifier(&parts.concat()),
        Tag::Mo | Tag::Mn => {
            let whole = parts.concat();
            let mut row = Row::default();
            whole.chars().for_each(|c| row.push(&latex_of(c)));
            row.out
        }
        Tag::Mtext | Tag::Ms => ["\\text{", &parts.concat(), "}"].concat(),
        Tag::Mspace => " ".to_owned(),
        Tag::Mfrac => ["\\frac{", part(0), "}{", part(1), "}"].concat(),
        Tag::Msqrt => ["\\sqrt{", &row(parts), "}"].concat(),
        Tag::Mroot => ["\\sqrt[", part(1), "]{", part(0), "}"].concat(),
        Tag::Msup => script(part(0), "", part(1)),
        Tag::Msubsup | Tag::Munderover => script(part(0), part(1), part(2)),
        Tag::Msub | Tag::Munder => script(part(0), part(1), ""),
        Tag::Mover => match accent(part(1)) {
            Some(name) => [name, "{", part(0), "}"].concat(),
            None => script(part(0), "", part(1)),
        },
        Tag::Mfenced => ["(", &parts.join(", "), ")"].concat(),
        Tag::Mtr => parts.join(" & "),
        Tag::Mtable => ["\\begin{matrix}", &parts.join(" \\\\ "), "\\end{matrix}"].concat(),
        _ => row(parts),
    }
}

fn row(parts: &[String]) -> String {
    let mut row = Row::default();
    for part in parts {
        row.push(part);
    }
    row.out
}

/// Pieces side by side: a command's name ends before a letter.
#[derive(Default)]
struct Row {
    out: String,
    /// Letters since the last backslash, if nothing else stands there.
    name: Option<usize>,
}

impl Row {
    fn push(&mut self, part: &str) {
        let is_command = self.name.is_some_and(|letters| letters > 0);
        if is_command && part.starts_with(|c: char| c.is_ascii_alphabetic()) {
            self.out.push(' ');
            self.name = None;
        }
        self.out.push_str(part);
        let (before, tail) = match part.rsplit_once('\\') {
            Some((_, tail)) => (Some(0), tail),
            None => (self.name, part),
        };
        let is_name = tail.bytes().all(|byte| byte.is_ascii_alphabetic());
        self.name = before.filter(|_| is_name).map(|letters| letters + tail.len());
    }
}

/// A name: one letter as it stands, known functions as commands, others upright.
fn identifier(text: &str) -> String {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(only), None) => latex_of(only),
        _ if is_operator_name(text) => ["\\", text].concat(),
        (None, _) => String::new(),
        _ => ["\\mathrm{", text, "}"].concat(),
    }
}

/// A base with what stands below and above it.
fn script(base: &str, below: &str, above: &str) -> String {
    let wrapped = |mark: &str, text: &str| match text.chars().count() {
        0 => String::new(),
        1 => [mark, text].concat(),
        _ => [mark, "{", text, "}"].concat(),
    };
    let is_simple = base.chars().count() < 2 || base.starts_with('\\') || base.ends_with([')', ']', '}']);
    let base = if is_simple {
        base.to_owned()
    } else {
        ["{", base, "}"].concat()
    };
    [base, wrapped("_", below), wrapped("^", above)].concat()
}

/// The accent that a character above a base means.
fn accent(above: &str) -> Option<&'static str> {
    Some(match above {
        "^" | "ˆ" => "\\hat",
        "¯" | "‾" | "\\bar" | "―" => "\\overline",
        "~" | "˜" | "\\sim" => "\\tilde",
        "→" | "\\to" | "\\rightarrow" => "\\vec",
        "˙" | "." => "\\dot",
        "¨" => "\\ddot",
        _ => return None,
    })
}

//! Our own Markdown to HTML for the frame: headings with anchors, links within the site, no raw HTML, no inline style.

use pulldown_cmark::{Alignment, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html::push_html};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A rendered text.
#[derive(Debug, Clone)]
pub(crate) struct Rendered {
    /// Text of its first heading.
    pub(crate) title: String,
    /// HTML.
    pub(crate) html: String,
    /// Headings of the second level with their anchors.
    pub(crate) sections: Vec<(String, String)>,
}

/// Renders a text; `known` names the documents that links may lead to.
pub(crate) fn render(text: &str, known: &[&str]) -> Rendered {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut events: Vec<Event<'_>> = Parser::new_ext(text, options)
        .filter(|event| !is_remark(event))
        .map(|event| plain(event, known))
        .collect();
    let sections = anchor(&mut events);
    let title = heading_text(&events, HeadingLevel::H1).unwrap_or_default();
    let mut html = String::with_capacity(text.len() * 2);
    push_html(&mut html, events.into_iter());
    Rendered {
        title,
        html: accessible(&html),
        sections,
    }
}

/// Whether an event is a remark for authors: they begin and end on a line.
fn is_remark(event: &Event<'_>) -> bool {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => {
            let text = text.trim();
            text.starts_with("<!--") && text.ends_with("-->")
        }
        _ => false,
    }
}

/// An event without raw HTML, alignment by style, or links that lead nowhere.
fn plain<'a>(event: Event<'a>, known: &[&str]) -> Event<'a> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Table(columns)) => Event::Start(Tag::Table(vec![Alignment::None; columns.len()])),
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) => Event::Start(Tag::Link {
            link_type,
            dest_url: CowStr::from(target(&dest_url, known)),
            title,
            id,
        }),
        event => event,
    }
}

/// Where a link of the sources leads on the site.
fn target(url: &str, known: &[&str]) -> String {
    if url.starts_with("https://")
        || url.starts_with("http://")
        || url.starts_with('#')
        || url.starts_with('/')
    {
        return url.to_owned();
    }
    let (path, anchor) = url
        .split_once('#')
        .map_or((url, String::new()), |(path, anchor)| {
            (path, format!("#{anchor}"))
        });
    let name = path
        .trim_start_matches("./")
        .trim_start_matches("../")
        .trim_start_matches("docs/");
    let name = name.strip_suffix(".md").unwrap_or(name);
    if known.contains(&name) {
        return format!("/docs/{name}{anchor}");
    }
    match name {
        "CHANGELOG" => "/changelog".to_owned(),
        "README" => "/docs/introduction".to_owned(),
        _ => format!(
            "{}/blob/main/{}",
            env!("CARGO_PKG_REPOSITORY"),
            path.trim_start_matches("../")
        ),
    }
}

/// Gives every heading an anchor; gives those of the second level.
fn anchor(events: &mut [Event<'_>]) -> Vec<(String, String)> {
    let mut used = BTreeMap::<String, u32>::new();
    let mut sections = Vec::new();
    for at in 0..events.len() {
        let Some(Event::Start(Tag::Heading { level, .. })) = events.get(at) else {
            continue;
        };
        let level = *level;
        let text = text_until(events.get(at + 1..).unwrap_or_default());
        let base = slug(&text);
        let count = used.entry(base.clone()).or_default();
        let name = if *count == 0 {
            base
        } else {
            format!("{base}-{count}")
        };
        *count += 1;
        if level == HeadingLevel::H2 {
            sections.push((text, name.clone()));
        }
        if let Some(Event::Start(Tag::Heading { id, .. })) = events.get_mut(at) {
            *id = Some(CowStr::from(name));
        }
    }
    sections
}

fn heading_text(events: &[Event<'_>], wanted: HeadingLevel) -> Option<String> {
    let at = events
        .iter()
        .position(|event| matches!(event, Event::Start(Tag::Heading { level, .. }) if *level == wanted))?;
    Some(text_until(events.get(at + 1..)?))
}

/// The text up to the end of a heading.
fn text_until(events: &[Event<'_>]) -> String {
    events
        .iter()
        .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))))
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
            _ => None,
        })
        .collect()
}

/// An anchor as code forges make it: lower case, spaces as hyphens, no other signs.
pub(crate) fn slug(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .filter_map(|character| match character {
            ' ' | '-' => Some('-'),
            '_' => Some('_'),
            character if character.is_alphanumeric() => Some(character),
            _ => None,
        })
        .collect()
}

/// Blocks that scroll can be focused and have names; empty heads are plain cells.
fn accessible(html: &str) -> String {
    let mut out = String::with_capacity(html.len() + 1_024);
    let mut rest = html;
    let (mut tables, mut blocks) = (0, 0);
    while let Some(at) = rest.find('<') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        rest = if let Some(tail) = tail.strip_prefix("<table>") {
            tables += 1;
            // Writing to a String cannot fail.
            let _ = write!(
                out,
                "<div class=\"tbl\" tabindex=\"0\" role=\"region\" aria-label=\"Table {tables}\"><table>"
            );
            tail
        } else if let Some(tail) = tail.strip_prefix("</table>") {
            out.push_str("</table></div>");
            tail
        } else if let Some(tail) = tail.strip_prefix("<pre>") {
            blocks += 1;
            let _ = write!(out, "<pre tabindex=\"0\" aria-label=\"Listing {blocks}\">");
            tail
        } else if let Some(tail) = tail.strip_prefix("<th></th>") {
            out.push_str("<td></td>");
            tail
        } else {
            out.push('<');
            tail.strip_prefix('<').unwrap_or_default()
        };
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_text_and_links_stay_within_the_site() {
        let text = "# A `b` c\n\n<!-- not shown -->\n\n<script>x</script>\n\n[one](api.md#x) [two](../README.md) [three](https://a.org/)\n\n## D-e f!\n\n| | n |\n|---|--:|\n| a | 1 |\n\n```sh\nls <dir>\n```\n";
        let rendered = render(text, &["api"]);
        assert_eq!(rendered.title, "A b c");
        assert_eq!(rendered.sections, [("D-e f!".to_owned(), "d-e-f".to_owned())]);
        let html = rendered.html;
        assert!(!html.contains("<script") && !html.contains("style="), "{html}");
        assert!(
            !html.contains("not shown") && html.contains("&lt;script"),
            "{html}"
        );
        for part in [
            "href=\"/docs/api#x\"",
            "href=\"/docs/introduction\"",
            "id=\"d-e-f\"",
            "<td></td>",
            "aria-label=\"Table 1\"",
            "tabindex=\"0\" aria-label=\"Listing 1\"",
            "ls &lt;dir&gt;",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }
}

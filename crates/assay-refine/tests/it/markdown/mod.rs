//! Markdown of small pages of our own, each checked by hand; `*.txt` hold them by topic.
//!
//! A case is `=== name`, the page, a line `---`, the Markdown expected. A name that ends in `links` keeps link targets.

use assay_refine::extract::{ExtractOptions, MarkdownOptions, Output, visible_text};

const TOPICS: &[(&str, &str)] = &[
    ("blocks", include_str!("blocks.txt")),
    ("lists", include_str!("lists.txt")),
    ("tables", include_str!("tables.txt")),
    ("code", include_str!("code.txt")),
    ("math", include_str!("math.txt")),
];

fn markdown(html: &str, links: bool) -> String {
    let form = MarkdownOptions {
        links,
        ..MarkdownOptions::default()
    };
    let options = ExtractOptions {
        output: Output::Markdown(form),
        ..ExtractOptions::default()
    };
    visible_text(html, &options)
        .map(|page| page.text)
        .unwrap_or_default()
}

#[test]
fn pages_become_the_expected_markdown() {
    let (mut count, mut wrong) = (0, vec![]);
    for (topic, text) in TOPICS {
        for case in text.split("=== ").skip(1) {
            let (name, rest) = case.split_once('\n').expect("a name");
            let (html, expected) = rest.split_once("\n---\n").expect("a line `---`");
            let found = markdown(html, name.trim().ends_with("links"));
            count += 1;
            if found.trim_end() != expected.trim_end() {
                wrong.push(format!(
                    "{topic}: {name}\n--- expected\n{}\n--- found\n{found}\n",
                    expected.trim_end()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 60, "{count}");
}

#[test]
fn spans_beyond_any_table_are_cut() {
    let html = "<table><tr><th colspan=9007199254740992 rowspan=-1>a<th>b<tr><td rowspan=99999999>c<td>d<tr><td>e</table>";
    assert_eq!(
        markdown(html, false),
        "| a | b |\n| --- | --- |\n| c | d |\n| c | e |"
    );
}

#[test]
fn a_large_table_is_written_as_paragraphs_and_repeated_text_is_bounded() {
    let wide = format!("<table><tr>{}<tr><td>y</table>", "<td>x".repeat(150_000));
    assert!(markdown(&wide, false).len() < 1_000_000);
    let cell = "long ".repeat(20_000);
    let rows = "<tr><td>x".repeat(5_000);
    let tall = format!("<table><tr><th rowspan=65534>{cell}<th>b{rows}</table>");
    assert!(markdown(&tall, false).len() < 4_000_000);
    let deep = "<ul><li>x<blockquote>".repeat(50_000);
    assert!(markdown(&deep, false).len() < 2_000_000);
}

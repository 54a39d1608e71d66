//! Pages made to break a parser: every one ends with a bounded result or a named reason, in linear time.

use assay_refine::extract::{ExtractDrop, ExtractOptions, Profile, extract, visible_text};
use assay_refine::html::{ParseLimits, parse};

/// Extracts with every profile; the outcome may be a text or a reason, never a panic or a long wait.
fn survive(html: &str) -> Result<String, ExtractDrop> {
    let options = ExtractOptions::default();
    let _ = visible_text(html, &options);
    for profile in [Profile::Precision, Profile::Union] {
        let _ = extract(html, &ExtractOptions { profile, ..options });
    }
    extract(html, &options).map(|page| page.text)
}

#[test]
fn nesting_a_million_deep() {
    for tag in [
        "div",
        "b",
        "a",
        "p",
        "ul><li",
        "table><tr><td",
        "template",
        "svg",
        "blockquote",
        "font size=1",
    ] {
        let html = format!("<{tag}>").repeat(1_000_000 / 4);
        let _ = survive(&format!("{html}text"));
    }
}

#[test]
fn formatting_elements_never_closed() {
    let open = (0..50_000)
        .map(|index| format!("<b id={index}>"))
        .collect::<Vec<_>>()
        .concat();
    let _ = survive(&format!("{open}{}", "<p>x".repeat(20_000)));
    let _ = survive(&format!("{open}{}", "<p>x</b>".repeat(20_000)));
    let _ = survive(&"<a href=x><div>".repeat(50_000));
    let _ = survive(&"<table><b>".repeat(50_000));
}

#[test]
fn a_megabyte_attribute_and_many_attributes() {
    let _ = survive(&format!("<div class=\"{}\">text", "word ".repeat(200_000)));
    let _ = survive(&format!("<div style=\"{}\">text", "x".repeat(1_000_000)));
    let many = (0..30_000)
        .map(|index| format!(" a{index}=1"))
        .collect::<Vec<_>>()
        .concat();
    let _ = survive(&format!("<div{many}>text"));
}

#[test]
fn spans_beyond_any_table() {
    let html = "<table><tr><td colspan=9007199254740992 rowspan=-1>cell<td colspan=x>other</table>";
    assert_eq!(
        visible_text(html, &ExtractOptions::default()).map(|page| page.text),
        Ok("cell | other".into())
    );
    let _ = survive(&"<table><tr><td>1<td>2<tr>".repeat(50_000));
}

#[test]
fn odd_bytes() {
    let _ = survive("<p>a\0b&#0;&#xD800;&#x110000;&#99999999999;&bogus;&notit;<plaintext><p>c");
    let noise: String = (0..2_000_000_u32)
        .map(|index| char::from_u32(index.wrapping_mul(2_654_435_761) >> 19).unwrap_or('<'))
        .collect();
    let _ = survive(&noise);
    let _ = survive(&"<!--".repeat(100_000));
    let _ = survive(&"<![CDATA[".repeat(100_000));
    let _ = survive("{\"a\":[1,2,3]}");
}

#[test]
fn a_page_of_twenty_megabytes() {
    let html = "<p>Some words of a long page, which goes on and on, and on and on, without end.</p>\n"
        .repeat(240_000);
    assert_eq!(survive(&html), Err(ExtractDrop::OverBudget("text")));
    let limits = ParseLimits {
        nodes_max: 1_000,
        ..ParseLimits::default()
    };
    let options = ExtractOptions {
        limits,
        ..ExtractOptions::default()
    };
    assert_eq!(
        extract(&html, &options).map(|page| page.text),
        Err(ExtractDrop::OverBudget("nodes"))
    );
}

#[test]
fn any_cut_of_a_page_parses() {
    let html =
        "<!doctype html><html><head><title>t</title><body><main><p>a<b>b<table><tr><td>ä</td>&amp;<script>x";
    for end in (0..=html.len()).filter(|end| html.is_char_boundary(*end)) {
        assert!(parse(&html[..end], &ParseLimits::default()).is_ok());
        let _ = survive(&html[..end]);
    }
}

//! Pages made to break a parser: every one ends with a bounded result or a named reason, in linear time.

use assay_refine::extract::{
    ExtractDrop, ExtractOptions, MarkdownOptions, Output, Profile, extract, visible_text,
};
use assay_refine::html::{AttributeKey, Document, OverBudget, ParseLimits, Tag, parse};

/// Extracts with every profile; the outcome may be a text or a reason, never a panic or a long wait.
fn survive(html: &str) -> Result<String, ExtractDrop> {
    let options = ExtractOptions::default();
    let _ = visible_text(html, &options);
    for profile in [Profile::Precision, Profile::Union] {
        let _ = extract(html, &ExtractOptions { profile, ..options });
    }
    let _ = markdown(html);
    extract(html, &options).map(|page| page.text)
}

/// All visible text as Markdown with links.
fn markdown(html: &str) -> Result<String, ExtractDrop> {
    let form = MarkdownOptions {
        links: true,
        ..MarkdownOptions::default()
    };
    let options = ExtractOptions {
        output: Output::Markdown(form),
        ..ExtractOptions::default()
    };
    visible_text(html, &options).map(|page| page.text)
}

fn parsed(html: &str) -> Result<Document<'_>, OverBudget> {
    parse(html, &ParseLimits::default())
}

/// Elements around the deepest node.
fn depth(document: &Document) -> usize {
    let mut depths = vec![0_usize; document.len()];
    // Parents may be younger than their children.
    let mut open = vec![(Document::ROOT, 0)];
    while let Some((id, depth)) = open.pop() {
        depths[id as usize] = depth;
        let children = std::iter::successors(document.first_child(id), |id| document.next_sibling(*id));
        open.extend(children.map(|child| (child, depth + 1)));
    }
    depths.into_iter().max().unwrap_or(0)
}

#[test]
fn slashes_and_foreign_names_do_not_escape_the_depth_limit() {
    let limit = usize::from(ParseLimits::default().depth_max);
    for tag in [
        "<div/>",
        "<b 1/>",
        "<object/>",
        "<svg><title>",
        "<math><mi><textarea/>",
        "<svg><desc><p/>",
        "<template/>",
        "<table/><tr/><td/>",
    ] {
        let html = format!("{}text", tag.repeat(100_000));
        let document = parsed(&html).unwrap();
        let depth = depth(&document);
        assert!(depth <= limit + 8, "{tag}: {depth}");
        let _ = survive(&html);
    }
    let formatted: Vec<String> = (0..100_000).map(|at| format!("<b {at}/>")).collect();
    assert!(
        parsed(&formatted.concat()).unwrap().len() < 200,
        "crowded ones are left out"
    );
    // Foreign elements without content are not left out, however many.
    let drawing = format!("<svg>{}</svg>", "<path/>".repeat(50_000));
    assert!(parsed(&drawing).unwrap().len() > 50_000);
}

#[test]
fn searches_are_bounded_or_cost_fuel() {
    let scripts = "<script><!--</script>".repeat(480_000);
    let _ = survive(&scripts);
    let _ = survive(&format!("{}<p>end", "<template><div>".repeat(200_000)));
    // Markers without end in the list of active elements.
    let markers = format!(
        "{}{}",
        "<td><object></td>".repeat(200_000),
        "<b>".repeat(2_000_000)
    );
    let _ = survive(&format!("<table><tr>{markers}"));
    // Elements that the adoption agency takes out of a deep stack, one by one.
    let taken = format!("{}<p>x</b>", "<b><span>".repeat(250)).repeat(4_000);
    let _ = survive(&taken);
    let nested = format!("{}x{}", "<b><i><u><div>".repeat(120), "</b></i></u>".repeat(120)).repeat(100);
    let _ = survive(&nested);
    // These cost little, and what does cost is counted: end tags that look through a deep stack in vain.
    let vain = format!("{}{}", "<span>".repeat(500), "</u>".repeat(100_000));
    for (html, is_costly) in [
        (&taken, false),
        (&nested, false),
        (&markers, false),
        (&vain, true),
    ] {
        let limits = ParseLimits {
            fuel_max: html.len() as u64 * 4,
            ..ParseLimits::default()
        };
        let found = parse(html, &limits);
        assert_eq!(found.is_err(), is_costly, "{}", &html[..12]);
        assert!(parsed(html).is_ok());
    }
}

#[test]
fn links_are_kept_beside_formatting_that_nobody_closed() {
    let fonts: Vec<String> = (0..80).map(|at| format!("<font color=c{at}>")).collect();
    let links: Vec<String> = (0..100)
        .map(|at| format!("<a href=/{at}>link {at}</a> "))
        .collect();
    let html = format!("{}{}", fonts.concat(), links.concat());
    let document = parsed(&html).unwrap();
    let found = (0..document.len() as u32).filter(|id| document.tag(*id) == Tag::A);
    assert_eq!(found.count(), 100);
}

#[test]
fn attributes_of_many_bodies_are_merged_once() {
    let bodies: Vec<String> = (0..20_000)
        .map(|at| format!("<body class=c{at} id=i{at} lang=en><html lang=fr dir=ltr>"))
        .collect();
    let html = format!("<body style=x>{}", bodies.concat());
    let document = parsed(&html).unwrap();
    let body = (0..document.len() as u32)
        .find(|id| document.tag(*id) == Tag::Body)
        .unwrap();
    assert_eq!(document.attribute(body, AttributeKey::Class), Some("c0"));
    assert_eq!(document.attributes(body).count(), 4);
}

#[test]
fn formulas_are_bounded() {
    let digits = format!("<math><mn>{}</mn></math>", "1".repeat(2_000_000));
    assert_eq!(markdown(&format!("<p>a {digits} b")), Ok("a b".into()));
    let signs = format!(
        "<math><mrow>{}</mrow></math>",
        "<mo>\u{3b1}</mo><mi>x</mi>".repeat(2_000)
    );
    let text = markdown(&format!("<p>a {signs} b")).unwrap();
    assert_eq!(text.matches("\\alpha x").count(), 2_000);
    let deep = format!("<math>{}<mi>x</mi></math>", "<mrow>".repeat(400));
    assert_eq!(markdown(&format!("<p>a {deep} b")), Ok("a b".into()));
}

#[test]
fn markdown_ends_at_the_text_budget() {
    let quotes = format!("{}<pre>{}", "<blockquote>".repeat(400), "x\n".repeat(3_000_000));
    assert_eq!(markdown(&quotes), Err(ExtractDrop::OverBudget("text")));
    let table = format!(
        "<table><tr><td colspan=900>{}<td>y<tr><td>1<td>2</table>",
        "word ".repeat(1_000)
    );
    let _ = markdown(&table.repeat(2_000));
    let rows = format!(
        "<table><tr>{}{}<tr><td>a<td>b</table>",
        "<th>x".repeat(400),
        "<tr>".repeat(450)
    );
    let _ = markdown(&rows.repeat(2_000));
    // A page's tables have room for four of the largest; what comes after is written as paragraphs.
    let written = markdown(&rows.repeat(6)).unwrap();
    assert_eq!(
        written.lines().filter(|line| line.starts_with("| ---")).count(),
        4
    );
}

#[test]
fn adoption_keeps_the_tree_bounded() {
    let limits = ParseLimits::default();
    let opened = format!("{}{}x", "<b>".repeat(60), "<div>".repeat(400));
    let html = format!("{opened}{}", "</b>".repeat(60_000));
    let document = parse(&html, &limits).unwrap();
    // Copies of formatting elements may stand around what a block holds, each active one once a block.
    assert!(depth(&document) <= usize::from(limits.depth_max) * 65);
    let _ = survive(&html);
}

#[test]
fn nesting_a_million_deep() {
    // A quarter of a million of the others: three names, or attributes, are as long.
    for (tag, depth) in [
        ("div", 1_000_000),
        ("b", 1_000_000),
        ("a", 250_000),
        ("p", 250_000),
        ("ul><li", 250_000),
        ("table><tr><td", 250_000),
        ("template", 250_000),
        ("svg", 250_000),
        ("blockquote", 250_000),
        ("font size=1", 250_000),
    ] {
        let html = format!("<{tag}>").repeat(depth);
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

//! Small pages with the trees the standard demands, one rule each; all of them are checked against html5ever too.

use assay_refine::html::{ParseLimits, parse};

use super::reference::{Reference, skeleton};

fn check(html: &str, expected: &str) {
    let document = parse(html, &ParseLimits::default()).expect("within budget");
    let body = |skeleton: String| {
        let flat = skeleton.replace('\n', "");
        let start = flat.find("<Body>").map_or(0, |at| at + 6);
        let end = flat.rfind("</Body>").unwrap_or(flat.len());
        flat[start..end].trim().to_lowercase()
    };
    assert_eq!(body(skeleton(&document)), expected, "{html}");
    assert_eq!(
        body(skeleton(&Reference::parse(html))),
        expected,
        "html5ever: {html}"
    );
}

#[test]
fn end_tags_are_implied() {
    check("<p>1<p>2<div>3", "<p>1</p><p>2</p><div>3</div>");
    check(
        "<ul><li>1<li>2<ul><li>3</ul><li>4</ul>5",
        "<ul><li>1</li><li>2<ul><li>3</li></ul></li><li>4</li></ul>5",
    );
    check(
        "<dl><dt>1<dd>2<dt>3</dl>",
        "<dl><dt>1</dt><dd>2</dd><dt>3</dt></dl>",
    );
    check("<h1>1<h2>2</h1>3", "<h1>1</h1><h2>2</h2>3");
    check("<p>1</div>2</p>3</p>4", "<p>12</p>3<p></p>4");
    check("<p><b>1<p>2</b>3", "<p><b>1</b></p><p><b>2</b>3</p>");
    check("<button>1<button>2", "<button>1</button><button>2</button>");
}

#[test]
fn formatting_is_adopted() {
    check("1<b>2<i>3</b>4</i>5", "1<b>2<i>3</i></b><i>4</i>5");
    check("<b>1<div>2</b>3</div>4", "<b>1</b><div><b>2</b>3</div>4");
    check("<a>1<a>2</a>3", "<a>1</a><a>2</a>3");
    check(
        "<a><div>1<a>2</div>3",
        "<a></a><div><a>1</a><a>2</a></div><a>3</a>",
    );
    check(
        "<b><em><div>1</b>2",
        "<b><em></em></b><em><div><b>1</b>2</div></em>",
    );
    check(
        "<b><b><b><b>1<p>2</b></b></b></b>3",
        "<b><b><b><b>1</b></b></b><p><b><b><b>2</b></b></b>3</p></b>",
    );
    check("<nobr>1<nobr>2", "<nobr>1</nobr><nobr>2</nobr>");
}

#[test]
fn tables_are_repaired() {
    check(
        "<table><tr><td>1<td>2<tr><th>3</table>",
        "<table><tbody><tr><td>1</td><td>2</td></tr><tr><th>3</th></tr></tbody></table>",
    );
    check(
        "<table>1<tr><td>2",
        "1<table><tbody><tr><td>2</td></tr></tbody></table>",
    );
    check(
        "<table><tr><div>1</div><td>2",
        "<div>1</div><table><tbody><tr><td>2</td></tr></tbody></table>",
    );
    check(
        "<table><caption>1<tr><td>2<table><tr><td>3</table>4</table>5",
        "<table><caption>1</caption><tbody><tr><td>2<table><tbody><tr><td>3</td></tr></tbody></table>4</td></tr></tbody></table>5",
    );
    check(
        "<table><colgroup><col><tr><td><b>1<td>2</table>3",
        "<table><colgroup><col></col></colgroup><tbody><tr><td><b>1</b></td><td>2</td></tr></tbody></table>3",
    );
    check("<!doctype html><p>1<table></table>2", "<p>1</p><table></table>2");
    check("<p>1<table></table>2", "<p>1<table></table>2</p>");
    check(
        "<table><thead><td>1</thead><tfoot><tr><td>2",
        "<table><thead><tr><td>1</td></tr></thead><tfoot><tr><td>2</td></tr></tfoot></table>",
    );
    check(
        "<table><a>1<tr><td><a>2",
        "<a>1</a><table><tbody><tr><td><a>2</a></td></tr></tbody></table>",
    );
    check("<tr><td>1", "1");
}

#[test]
fn raw_text_ends_at_its_end_tag() {
    check("<body><script>if (a<b) '</p>'</script>1", "<script></script>1");
    check(
        "<body><script><!-- <script> </script> --></script>1",
        "<script></script>1",
    );
    check("<body><script><!-- </script>1", "<script></script>1");
    check("<textarea><p>1</textarea>2", "<textarea></textarea>2");
    check(
        "<body><style></p></style>1<xmp><b>2</xmp>",
        "<style></style>1<xmp><b>2</xmp>",
    );
    check(
        "<iframe><p></iframe>1<noembed><p></noembed>2",
        "<iframe></iframe>1<noembed></noembed>2",
    );
    check(
        "1<plaintext>2</plaintext><p>3",
        "1<plaintext>2</plaintext><p>3</plaintext>",
    );
}

#[test]
fn odd_markup_is_text_or_nothing() {
    check("a < b &lt; c<3", "a < b < c<3");
    check(
        "1<!-->2<!--->3<!-- 4 --!>5<!-- -- -->6<!x>7<?y>8</>9</ z>0",
        "123567890",
    );
    check("1<b", "1");
    check("1</", "1</");
    check("<p title='a>b' class=c>1", "<p>1</p>");
    check("<p/>1<br/>2<div/>3", "<p>1<br></br>2</p><div>3</div>");
    check("<b =x\"y'>1", "<b>1</b>");
}

#[test]
fn templates_hold_their_content() {
    check("<body><template><tr><td>1</template>2", "<template></template>2");
    check(
        "<div><template><p>1</div>2</template>3",
        "<div><template></template>3</div>",
    );
}

#[test]
fn foreign_content_is_left_and_entered() {
    check("<svg><title>1</title><p>2", "<svg></svg><p>2</p>");
    check("<svg><foreignobject><p>1</svg>2", "<svg></svg>");
    check("<math><mi>1<p>2</p></mi></math>3", "<math></math>3");
    check("<svg/>1<svg><a/></svg>2", "<svg></svg>1<svg></svg>2");
    check("<svg><![CDATA[<p>]]></svg>1", "<svg></svg>1");
    check(
        "<math><annotation-xml encoding='text/html'><div>1</div></annotation-xml></math>2",
        "<math></math>2",
    );
}

#[test]
fn heads_and_bodies_are_made() {
    check("1<title>2</title>3", "1<title></title>3");
    check("<head><noscript><link><p>1", "<p>1</p>");
    check("</body>1<body class=x>2", "12");
    check("<body>1</body></html>2<p>3", "12<p>3</p>");
    check("<form>1<form>2</form>3", "<form>12</form>3");
    check(
        "<select><option>1<option>2<input>3",
        "<select></select><input></input>3",
    );
    check("<ruby>1<rt>2<rp>3", "<ruby>1<rt>2</rt><rp>3</rp></ruby>");
    check("<object><b>1</object>2", "<object></object>2");
}

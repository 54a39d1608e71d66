//! The parser against html5ever on real pages, and against the standard on small ones.

mod conformance;
mod reference;

use crate::extraction::pages;
use assay_refine::html::{ParseLimits, parse};
use reference::{Reference, skeleton, visible};

/// Of all real pages, 99.9 % have the same visible text; almost all the same tree.
#[test]
fn real_pages_read_as_html5ever_reads_them() {
    let Some(data) = crate::assay_data() else { return };
    let pages = pages::load(&data.join("extraction")).expect("pages");
    let (mut texts, mut trees) = (0, 0);
    for page in &pages {
        let ours = parse(&page.html, &ParseLimits::default()).expect("within budget");
        let theirs = Reference::parse(&page.html);
        if visible(&ours) == visible(&theirs) {
            texts += 1;
        } else {
            eprintln!(
                "text of {}: {}",
                page.id,
                first_difference(&visible(&ours), &visible(&theirs))
            );
        }
        if skeleton(&ours) == skeleton(&theirs) {
            trees += 1;
        } else {
            eprintln!(
                "tree of {}: {}",
                page.id,
                first_difference(&skeleton(&ours), &skeleton(&theirs))
            );
        }
    }
    eprintln!("{texts} texts and {trees} trees of {} are equal", pages.len());
    assert!(texts * 1000 >= pages.len() * 999);
    assert!(trees * 1000 >= pages.len() * 990);
}

fn first_difference(ours: &str, theirs: &str) -> String {
    let same = ours
        .chars()
        .zip(theirs.chars())
        .take_while(|(a, b)| a == b)
        .count();
    let near = |text: &str| {
        text.chars()
            .skip(same.saturating_sub(60))
            .take(140)
            .collect::<String>()
    };
    format!("{:?} against {:?}", near(ours), near(theirs))
}

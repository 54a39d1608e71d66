//! Cards: the pictures that other sites show for a link (Open Graph), drawn here as PNG, the same for the same figures.
//!
//! ```text
//! page ─► Card (title, words, figures, fineness) ─► canvas (paths of the site's own fonts) ─► png ─► cache
//! ```
//!
//! No alternative of an SVG renderer: a card is a dozen shapes and lines, so tiny-skia's rasteriser and the outlines of a font
//! are all it needs.

mod canvas;
mod font;
mod png;

use canvas::{Canvas, GOLD, GOLD_FILL, GOLD_SOFT, INK, Ink, LINE, MUTED, PANEL, SIZE};
use font::Face;

/// Distance from the edge, pixels.
const EDGE: f32 = 72.0;
/// Width in which a line of text must fit, pixels.
const FULL: f32 = 1_200.0 - 2.0 * EDGE;
/// Width of the hallmark with its distance to the title, pixels.
const HALLMARK: f32 = 300.0;
/// Figures of a card at most.
const FIGURES_MAX: usize = 4;
/// Least size of a title, pixels.
const TITLE_MIN: f32 = 44.0;

/// Width and height of every card, pixels.
pub(crate) const CARD_SIZE: (u32, u32) = SIZE;

/// What stands on a card.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Card {
    /// What kind of thing it is.
    pub(crate) kind: String,
    /// Its name.
    pub(crate) title: String,
    /// One line about it.
    pub(crate) about: String,
    /// Label and value of figures, the most important first.
    pub(crate) figures: Vec<(&'static str, String)>,
    /// Fineness, per mille.
    pub(crate) fineness: Option<f64>,
    /// Subnet and block.
    pub(crate) foot: String,
}

/// The PNG file of a card; empty only without memory.
pub(crate) fn draw(card: &Card) -> Vec<u8> {
    let Some(mut canvas) = Canvas::new() else {
        return Vec::new();
    };
    canvas.rectangle((0.0, 0.0, 1_200.0, 12.0), GOLD_FILL);
    logo(&mut canvas);
    let kind_width = Face::Text.width(28.0, &card.kind);
    canvas.text(
        (Face::Text, 28.0),
        (1_200.0 - EDGE - kind_width, 104.0),
        &card.kind,
        MUTED,
    );
    let width = if let Some(fineness) = card.fineness {
        hallmark(&mut canvas, fineness);
        FULL - HALLMARK
    } else {
        FULL
    };
    let (size, title) = fitted(Face::Title, (80.0, TITLE_MIN), width, &card.title);
    canvas.text((Face::Title, size), (EDGE, 262.0), &title, INK);
    let (size, about) = fitted(Face::Text, (32.0, 26.0), width, &card.about);
    canvas.text((Face::Text, size), (EDGE, 324.0), &about, MUTED);
    figures(&mut canvas, &card.figures);
    let (size, foot) = fitted(Face::Text, (24.0, 20.0), FULL, &card.foot);
    canvas.text((Face::Text, size), (EDGE, 584.0), &foot, MUTED);
    png::encode(SIZE.0, &canvas.into_rgb())
}

/// The octagon with the letter, and the name.
fn logo(canvas: &mut Canvas) {
    let at = |points: &[(f32, f32)]| -> Vec<(f32, f32)> {
        points
            .iter()
            .map(|(x, y)| (EDGE + x * 2.0, 64.0 + y * 2.0))
            .collect()
    };
    canvas.shape(
        &at(&[
            (8.2, 1.0),
            (19.8, 1.0),
            (27.0, 8.2),
            (27.0, 19.8),
            (19.8, 27.0),
            (8.2, 27.0),
            (1.0, 19.8),
            (1.0, 8.2),
        ]),
        INK,
    );
    canvas.shape(
        &at(&[
            (14.0, 6.2),
            (21.0, 20.5),
            (17.3, 20.5),
            (15.9, 17.4),
            (12.0, 17.4),
            (10.6, 20.5),
            (7.0, 20.5),
        ]),
        Ink([0xf0, 0xb6, 0x4a]),
    );
    canvas.text((Face::Title, 40.0), (EDGE + 74.0, 106.0), "Assay", INK);
}

/// Fineness in an octagon with cut corners.
fn hallmark(canvas: &mut Canvas, fineness: f64) {
    let octagon = |inset: f32, cut: f32| {
        let (left, top, right, bottom) = (
            1_200.0 - EDGE - 252.0 + inset,
            186.0 + inset,
            1_200.0 - EDGE - inset,
            304.0 - inset,
        );
        [
            (left + cut, top),
            (right - cut, top),
            (right, top + cut),
            (right, bottom - cut),
            (right - cut, bottom),
            (left + cut, bottom),
            (left, bottom - cut),
            (left, top + cut),
        ]
    };
    canvas.shape(&octagon(0.0, 30.0), GOLD_FILL);
    canvas.shape(&octagon(4.0, 28.4), GOLD_SOFT);
    let shown = format!("{:.0}", fineness.clamp(-9_999.0, 9_999.0));
    let width = Face::Mono.width(72.0, &shown);
    let middle = 1_200.0 - EDGE - 126.0;
    canvas.text((Face::Mono, 72.0), (middle - width / 2.0, 271.0), &shown, GOLD);
    let words = "fineness, per mille";
    let width = Face::Text.width(22.0, words);
    canvas.text((Face::Text, 22.0), (middle - width / 2.0, 336.0), words, MUTED);
}

/// Figures side by side in panels.
fn figures(canvas: &mut Canvas, figures: &[(&'static str, String)]) {
    let count = figures.len().min(FIGURES_MAX);
    if count == 0 {
        return;
    }
    let gap = 20.0;
    let width = (FULL - gap * (count - 1) as f32) / count as f32;
    for (at, (label, value)) in figures.iter().take(count).enumerate() {
        let left = EDGE + at as f32 * (width + gap);
        canvas.rectangle((left, 384.0, width, 146.0), LINE);
        canvas.rectangle((left + 1.5, 385.5, width - 3.0, 143.0), PANEL);
        let (size, label) = fitted(Face::Text, (26.0, 20.0), width - 44.0, label);
        canvas.text((Face::Text, size), (left + 22.0, 428.0), &label, MUTED);
        let (size, value) = fitted(Face::Mono, (52.0, 30.0), width - 44.0, value);
        canvas.text((Face::Mono, size), (left + 22.0, 496.0), &value, INK);
    }
}

/// The greatest size of `(greatest, least)` at which a line fits; one too long for the least is cut.
fn fitted(face: Face, (greatest, least): (f32, f32), width: f32, line: &str) -> (f32, String) {
    let own = face.width(greatest, line);
    if own <= width {
        return (greatest, line.to_owned());
    }
    let size = (greatest * width / own).max(least);
    if face.width(size, line) <= width + 0.5 {
        return (size, line.to_owned());
    }
    let mut cut: String = line.to_owned();
    while cut.pop().is_some() {
        let shown = format!("{}…", cut.trim_end());
        if face.width(size, &shown) <= width {
            return (size, shown);
        }
    }
    (size, String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> Card {
        Card {
            kind: "Recipe".to_owned(),
            title: "cupel-3".to_owned(),
            about: "Steps, gain by domain and duels".to_owned(),
            figures: vec![("Rank", "1 of 7".to_owned()), ("Tokens", "39.5 B".to_owned())],
            fineness: Some(712.4),
            foot: "subnet 7, block 7,214,090".to_owned(),
        }
    }

    fn size(png: &[u8]) -> (u32, u32) {
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        (number(16), number(20))
    }

    #[test]
    fn the_same_card_is_the_same_file_and_another_is_another() {
        let png = draw(&card());
        assert_eq!(png, draw(&card()));
        assert_eq!(size(&png), CARD_SIZE);
        assert!(png.len() > 8_000 && png.len() < 120_000, "{} bytes", png.len());
        for other in [
            Card {
                fineness: None,
                ..card()
            },
            Card {
                title: "cupel-4".to_owned(),
                ..card()
            },
            Card {
                figures: Vec::new(),
                ..card()
            },
        ] {
            assert_ne!(png, draw(&other), "{other:?}");
        }
    }

    #[test]
    fn lines_fit_whatever_they_are() {
        for line in [
            "",
            " ",
            "short",
            &"W".repeat(500),
            "\u{202e}\u{4e00}\u{1f600}",
            &"i ".repeat(9_000),
        ] {
            for face in [Face::Title, Face::Text, Face::Mono] {
                let (size, shown) = fitted(face, (80.0, 44.0), 600.0, line);
                assert!(face.width(size, &shown) <= 600.5, "{face:?} `{shown}`");
                assert!((44.0..=80.0).contains(&size));
            }
        }
        let hostile = Card {
            title: "\u{0}<script>".repeat(30),
            about: "W".repeat(2_000),
            figures: vec![("label", "9".repeat(300)); 9],
            fineness: Some(f64::MAX),
            ..card()
        };
        assert_eq!(size(&draw(&hostile)), CARD_SIZE);
    }
}

//! Letters as outlines: three faces of the site's fonts at one weight each, and the width of a line.

use std::sync::LazyLock;
use tiny_skia::PathBuilder;
use ttf_parser::{GlyphId, OutlineBuilder};

/// What is drawn for a letter that a face does not have.
const UNKNOWN: char = '·';

/// A face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// Titles: Bricolage Grotesque, bold.
    Title,
    /// Text: Geist.
    Text,
    /// Figures: Geist Mono.
    Mono,
}

type Parsed = Option<ttf_parser::Face<'static>>;

static FACES: LazyLock<[Parsed; 3]> = LazyLock::new(|| {
    let parse = |bytes| ttf_parser::Face::parse(bytes, 0).ok();
    [
        parse(include_bytes!("../asset/fonts/card-title.ttf")),
        parse(include_bytes!("../asset/fonts/card-text.ttf")),
        parse(include_bytes!("../asset/fonts/card-mono.ttf")),
    ]
});

impl Face {
    fn parsed(self) -> Option<&'static ttf_parser::Face<'static>> {
        let [title, text, mono] = &*FACES;
        match self {
            Self::Title => title.as_ref(),
            Self::Text => text.as_ref(),
            Self::Mono => mono.as_ref(),
        }
    }

    /// Width of a line in pixels, at letters of `size` pixels.
    pub(super) fn width(self, size: f32, line: &str) -> f32 {
        self.parsed().map_or(0.0, |face| {
            let scale = size / f32::from(face.units_per_em());
            line.chars()
                .map(|sign| advance(face, glyph(face, sign)) * scale)
                .sum()
        })
    }

    /// Adds the outlines of a line whose baseline begins at `(x, y)`.
    pub(super) fn outline(self, size: f32, (x, y): (f32, f32), line: &str, path: &mut PathBuilder) {
        let Some(face) = self.parsed() else { return };
        let mut pen = Pen {
            path,
            scale: size / f32::from(face.units_per_em()),
            x,
            y,
        };
        for sign in line.chars() {
            let glyph = glyph(face, sign);
            // A letter without an outline, such as a space, only moves the pen.
            let _ = face.outline_glyph(glyph, &mut pen);
            pen.x += advance(face, glyph) * pen.scale;
        }
    }
}

fn glyph(face: &ttf_parser::Face<'_>, sign: char) -> GlyphId {
    let found = face.glyph_index(sign).or_else(|| face.glyph_index(UNKNOWN));
    found.unwrap_or(GlyphId(0))
}

fn advance(face: &ttf_parser::Face<'_>, glyph: GlyphId) -> f32 {
    face.glyph_hor_advance(glyph).map_or(0.0, f32::from)
}

/// Writes outlines at a place: a font's y goes up, a picture's down.
struct Pen<'a> {
    path: &'a mut PathBuilder,
    scale: f32,
    x: f32,
    y: f32,
}

impl Pen<'_> {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl OutlineBuilder for Pen<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_face_is_read_and_has_what_figures_need() {
        for face in [Face::Title, Face::Text, Face::Mono] {
            let parsed = face.parsed().unwrap();
            for sign in "AZaz09.,%…·±".chars() {
                assert!(parsed.glyph_index(sign).is_some(), "{face:?} has no `{sign}`");
            }
            assert!(face.width(40.0, "fineness") > 100.0);
            assert!((face.width(80.0, "ab") - 2.0 * face.width(40.0, "ab")).abs() < 0.01);
            // Letters of no face are drawn as one sign.
            assert!(face.width(40.0, "\u{4e00}") > 0.0);
        }
    }
}

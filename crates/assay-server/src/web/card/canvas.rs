//! What a card is drawn on: filled shapes and lines of text in the colours of the light theme.

use super::font::Face;
use tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, Rect, Transform};

/// Size of every card, pixels: what Open Graph readers show whole.
pub(super) const SIZE: (u32, u32) = (1_200, 630);

/// A colour, red, green, blue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ink(pub(super) [u8; 3]);

/// `--bg`, `--panel`, `--ink`, `--ink2`, `--line`, `--gold`, `--goldsoft`, `--goldfill` of the light theme.
pub(super) const GROUND: Ink = Ink([0xf3, 0xf4, 0xf1]);
pub(super) const PANEL: Ink = Ink([0xfc, 0xfc, 0xfa]);
pub(super) const INK: Ink = Ink([0x14, 0x19, 0x1a]);
pub(super) const MUTED: Ink = Ink([0x4b, 0x56, 0x55]);
pub(super) const LINE: Ink = Ink([0xd9, 0xdd, 0xd6]);
pub(super) const GOLD: Ink = Ink([0x8a, 0x5a, 0x00]);
pub(super) const GOLD_SOFT: Ink = Ink([0xf6, 0xe7, 0xc3]);
pub(super) const GOLD_FILL: Ink = Ink([0xc0, 0x87, 0x05]);

impl Ink {
    fn colour(self) -> Color {
        let [red, green, blue] = self.0;
        Color::from_rgba8(red, green, blue, u8::MAX)
    }

    fn paint(self) -> Paint<'static> {
        let mut paint = Paint::default();
        paint.set_color(self.colour());
        paint
    }
}

/// A picture being drawn.
pub(super) struct Canvas {
    pixels: Pixmap,
}

impl Canvas {
    /// One of [`SIZE`], all ground; none without memory.
    pub(super) fn new() -> Option<Self> {
        let mut pixels = Pixmap::new(SIZE.0, SIZE.1)?;
        pixels.fill(GROUND.colour());
        Some(Self { pixels })
    }

    /// A filled rectangle: left, top, width, height.
    pub(super) fn rectangle(&mut self, (x, y, width, height): (f32, f32, f32, f32), ink: Ink) {
        // One that is empty is not drawn.
        if let Some(rect) = Rect::from_xywh(x, y, width, height) {
            self.pixels
                .fill_rect(rect, &ink.paint(), Transform::identity(), None);
        }
    }

    /// A filled shape through points.
    pub(super) fn shape(&mut self, points: &[(f32, f32)], ink: Ink) {
        let mut path = PathBuilder::new();
        for (at, (x, y)) in points.iter().enumerate() {
            if at == 0 {
                path.move_to(*x, *y);
            } else {
                path.line_to(*x, *y);
            }
        }
        path.close();
        self.fill(path, ink);
    }

    /// A line of text with its baseline at `(x, y)`; gives its width.
    pub(super) fn text(&mut self, (face, size): (Face, f32), at: (f32, f32), line: &str, ink: Ink) -> f32 {
        let mut path = PathBuilder::new();
        face.outline(size, at, line, &mut path);
        self.fill(path, ink);
        face.width(size, line)
    }

    fn fill(&mut self, path: PathBuilder, ink: Ink) {
        // A line of spaces has no path.
        if let Some(path) = path.finish() {
            self.pixels.fill_path(
                &path,
                &ink.paint(),
                FillRule::Winding,
                Transform::identity(),
                None,
            );
        }
    }

    /// Rows of red, green, blue.
    pub(super) fn into_rgb(self) -> Vec<u8> {
        let mut rgb = Vec::with_capacity(self.pixels.data().len() / 4 * 3);
        for pixel in self.pixels.pixels() {
            // Everything is drawn on an opaque ground.
            rgb.extend([pixel.red(), pixel.green(), pixel.blue()]);
        }
        rgb
    }
}

//! The canvas of the pictures: SVG that a page can hold, with no style and no script, its ink the colour of the text
//! around it.

use std::fmt::Display;

use plotters::coord::Shift;
use plotters::prelude::*;

/// The width of each picture: a phone shows it nearly without making it smaller.
pub(super) const WIDTH: u32 = 340;

/// The size of all letters, which is about 12 units of the picture: as large as a phone needs it. A page may show them
/// smaller where the picture is larger.
const LETTERS: u32 = 15;

/// No letter is wider than this, on average over a name or a number.
const LETTER: f64 = 7.0;

/// One for each store, the last one for the bare route. Each has enough contrast on white and on the dark ground of the
/// site (WCAG 2.2, 1.4.11).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0x3B, 0x82, 0xE6),
    RGBColor(0xC2, 0x74, 0x12),
    RGBColor(0x14, 0x94, 0x88),
    RGBColor(0x93, 0x6F, 0xE0),
    RGBColor(0xDB, 0x50, 0x5A),
    RGBColor(0x74, 0x86, 0x9E),
];

/// The marks that go with the colours: a disc, a triangle, a cross, a square, a triangle upside down, a diamond.
const MARKS: [&[(i32, i32)]; COLOURS.len()] = [
    &[(0, -4), (3, -3), (4, 0), (3, 3), (0, 4), (-3, 3), (-4, 0), (-3, -3)],
    &[(0, -5), (5, 4), (-5, 4)],
    &[
        (0, -2),
        (3, -5),
        (5, -3),
        (2, 0),
        (5, 3),
        (3, 5),
        (0, 2),
        (-3, 5),
        (-5, 3),
        (-2, 0),
        (-5, -3),
        (-3, -5),
    ],
    &[(-4, -4), (4, -4), (4, 4), (-4, 4)],
    &[(0, 5), (5, -4), (-5, -4)],
    &[(0, -6), (5, 0), (0, 6), (-5, 0)],
];

/// Whose a bar or a line is. It has the same colour in every picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The route that takes no session.
    Bare,
    /// The store of this number in the report.
    Store(usize),
}

impl Whose {
    pub(super) fn colour(self) -> RGBColor {
        COLOURS[self.number()]
    }

    /// The outline of its marks around their middle: colour alone says nothing to some.
    pub(super) fn mark(self) -> &'static [(i32, i32)] {
        MARKS[self.number()]
    }

    fn number(self) -> usize {
        match self {
            Whose::Bare => COLOURS.len() - 1,
            Whose::Store(number) => number % (COLOURS.len() - 1),
        }
    }
}

pub(super) type Canvas<'c> = DrawingArea<SVGBackend<'c>, Shift>;
pub(super) type Drawn = Result<(), String>;

pub(super) fn fault(error: impl Display) -> String {
    format!("a plot cannot be drawn: {error}")
}

pub(super) fn text() -> TextStyle<'static> {
    ("sans-serif", LETTERS).into_font().color(&BLACK)
}

/// How wide this text may become.
pub(super) fn width_of(text: &str) -> f64 {
    LETTER * text.chars().count() as f64
}

/// A picture with its content in words.
pub(super) fn draw(
    size: (u32, u32),
    about: &str,
    paint: impl FnOnce(&Canvas<'_>) -> Drawn,
) -> Result<String, String> {
    let mut svg = String::new();
    {
        let canvas = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        paint(&canvas)?;
        canvas.present().map_err(fault)?;
    }
    Ok(for_a_page(&svg, size, about))
}

/// Names the picture, and gives black the colour of the text around it, be that dark or light.
fn for_a_page(svg: &str, (width, height): (u32, u32), about: &str) -> String {
    let drawn = svg.split_once('>').map_or("", |(_, drawn)| drawn).replace("#000000", "currentColor");
    let about = about.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    format!(
        "<svg class=\"plot\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{about}\" \
         xmlns=\"http://www.w3.org/2000/svg\">{drawn}"
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_colour_has_a_mark_of_its_own() {
        assert_eq!(MARKS.iter().collect::<BTreeSet<_>>().len(), COLOURS.len());
    }
}

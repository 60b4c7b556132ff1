//! The canvas of the pictures: SVG that a page can hold, with no style and no script, its ink the colour of the text
//! around it.

use std::fmt::Display;

use plotters::coord::Shift;
use plotters::prelude::*;

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

    /// Which colour, and so which shape of marks: colour alone says nothing to some.
    pub(super) fn number(self) -> usize {
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

pub(super) fn text(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&BLACK)
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

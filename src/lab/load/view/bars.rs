//! Horizontal bars to one scale, in groups.

use plotters::element::{Rectangle, Text};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::svg::{Drawn, WIDTH, Whose, draw, fault, text, width_of};

/// Where the bars begin, and the space between one and its texts.
const LEFT: i32 = 112;
const GAP: i32 = 6;
/// The height of a bar's row, and of a group's headline.
const ROW: i32 = 22;
const HEADLINE: i32 = 28;

/// Bars that belong together.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) bars: Vec<Bar>,
}

/// A bar with its name and its value written out.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) whose: Whose,
    pub(super) value: f64,
    pub(super) text: String,
}

/// The bars to scale, one scale for all groups: as long as the widest of them leaves room for its text.
pub(super) fn bars(groups: &[Group], about: &str) -> Result<String, String> {
    let all = || groups.iter().flat_map(|group| &group.bars);
    let room = |bar: &Bar| f64::from(WIDTH) - f64::from(LEFT + GAP) - width_of(&bar.text);
    let scale =
        all().map(|bar| room(bar).max(0.0) / bar.value.max(f64::MIN_POSITIVE)).fold(f64::MAX, f64::min);
    let rows = |count: usize, height: i32| i32::try_from(count).unwrap_or_default().saturating_mul(height);
    let height = rows(groups.len(), HEADLINE).saturating_add(rows(all().count(), ROW)).saturating_add(4);
    draw((WIDTH, height.unsigned_abs()), about, |canvas| {
        let write = |words: &str, (x, y): (i32, i32), side: HPos| -> Drawn {
            let style = text().pos(Pos::new(side, VPos::Center));
            canvas.draw(&Text::new(words.to_owned(), (x, y), style)).map_err(fault)
        };
        let mut top = 0;
        for group in groups {
            write(&group.name, (0, top + HEADLINE / 2 + 2), HPos::Left)?;
            top += HEADLINE;
            for bar in &group.bars {
                let (end, middle) = (LEFT + (bar.value * scale) as i32, top + ROW / 2);
                let shape = [(LEFT, top + 3), (end, top + ROW - 3)];
                canvas.draw(&Rectangle::new(shape, bar.whose.colour().filled())).map_err(fault)?;
                write(&bar.name, (LEFT - GAP, middle), HPos::Right)?;
                write(&bar.text, (end + GAP, middle), HPos::Left)?;
                top += ROW;
            }
        }
        Ok(())
    })
}

//! Bars to one scale, with their names and values written out.

use serde::Serialize;

/// The width of the picture, where the bars begin, the longest bar, and the height of a row.
const WIDTH: f64 = 360.0;
const LEFT: f64 = 92.0;
const LONGEST: f64 = 180.0;
const ROW: f64 = 24.0;
const BAR: f64 = 14.0;

/// A picture of some bars.
#[derive(Serialize)]
pub(super) struct Bars {
    title: &'static str,
    /// The picture in words.
    about: String,
    width: f64,
    height: f64,
    left: f64,
    thickness: f64,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    text: String,
    /// The top of the bar, and the line that its texts stand on.
    y: f64,
    base: f64,
    width: f64,
    /// Where the value stands.
    end: f64,
}

/// A bar: its name, its length, and the same in words.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) text: String,
}

/// The bars of this picture, where one of the length `full` is as long as there is room for.
pub(super) fn of(title: &'static str, bars: Vec<Bar>, full: f64) -> Bars {
    let said = bars.iter().map(|bar| format!("{} {}", bar.name, bar.text)).collect::<Vec<_>>().join("; ");
    let height = ROW * bars.len() as f64;
    let row = |(number, bar): (usize, Bar)| {
        let share = if full > 0.0 { (bar.value / full).clamp(0.0, 1.0) } else { 0.0 };
        let (y, width) = (ROW * number as f64 + (ROW - BAR) / 2.0, rounded(share * LONGEST));
        Row { name: bar.name, text: bar.text, y, base: y + BAR - 2.5, width, end: LEFT + width + 6.0 }
    };
    let rows = bars.into_iter().enumerate().map(row).collect();
    let about = format!("{title}. {said}.");
    Bars { title, about, width: WIDTH, height, left: LEFT, thickness: BAR, rows }
}

fn rounded(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(name: &str, value: f64) -> Bar {
        Bar { name: name.into(), value, text: format!("{value} bytes") }
    }

    #[test]
    fn the_bars_are_to_scale_and_in_words() {
        let bars = of("Up", vec![bar("Stateless", 200.0), bar("Stateful", 50.0), bar("None", 0.0)], 200.0);
        assert_eq!(bars.rows.iter().map(|row| row.width).collect::<Vec<_>>(), [180.0, 45.0, 0.0]);
        assert_eq!(bars.about, "Up. Stateless 200 bytes; Stateful 50 bytes; None 0 bytes.");
        assert!(bars.rows.iter().all(|row| row.y + BAR < bars.height && row.end < WIDTH));
    }

    #[test]
    fn without_a_value_there_is_no_bar() {
        assert_eq!(of("Up", vec![bar("a", 0.0)], 0.0).rows[0].width, 0.0);
    }
}

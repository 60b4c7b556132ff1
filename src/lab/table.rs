//! Text tables for a terminal.

/// How the columns after the first are aligned; the first is always on the left.
#[derive(Clone, Copy)]
pub(super) enum Alignment {
    Left,
    Right,
}

/// The rows as lines, each cell padded to the width of its column.
pub(super) fn padded<'r>(rows: impl IntoIterator<Item = &'r Vec<String>>, alignment: Alignment) -> String {
    padded_in(rows, alignment, str::to_owned)
}

/// The same, each cell as `paint` shows it: colours have no width.
pub(super) fn padded_in<'r>(
    rows: impl IntoIterator<Item = &'r Vec<String>>,
    alignment: Alignment,
    paint: impl Fn(&str) -> String,
) -> String {
    let rows: Vec<_> = rows.into_iter().collect();
    let mut widths: Vec<usize> = Vec::new();
    for row in &rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(*row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            let padding = " ".repeat(width - cell.chars().count());
            match alignment {
                Alignment::Right if column > 0 => padding + &paint(cell),
                _ => paint(cell) + &padding,
            }
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

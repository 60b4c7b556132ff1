//! Text tables for a terminal.

/// How the columns after the first are aligned; the first is always on the left.
#[derive(Clone, Copy)]
pub(super) enum Alignment {
    Left,
    Right,
}

/// The rows as lines, each cell padded to the width of its column.
pub(super) fn padded<'r>(rows: impl IntoIterator<Item = &'r Vec<String>>, alignment: Alignment) -> String {
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
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match alignment {
            Alignment::Right if column > 0 => format!("{cell:>width$}"),
            _ => format!("{cell:<width$}"),
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

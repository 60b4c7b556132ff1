//! Tables: as text for a terminal, and which of their columns hold figures.

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

/// Which columns hold figures. The first does not: it names the rows.
pub(crate) fn columns_of_figures(rows: &[Vec<String>]) -> Vec<bool> {
    let width = rows.iter().map(Vec::len).max().unwrap_or_default();
    let is_figure = |column: usize| rows.iter().filter_map(|row| row.get(column)).any(|cell| is_figure(cell));
    (0..width).map(|column| column > 0 && is_figure(column)).collect()
}

/// Whether it is a number and nothing else.
fn is_figure(cell: &str) -> bool {
    cell.starts_with(|first: char| first.is_ascii_digit())
        && cell.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, '.' | ','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_from_words_and_from_the_names_of_the_rows() {
        let rows = [["1", "at once", "1,024", "–"], ["2", "0.01 s", "refused", "0.5"]];
        let rows = rows.map(|row| row.map(String::from).to_vec());
        assert_eq!(columns_of_figures(&rows), [false, false, true, true]);
        assert!(columns_of_figures(&[]).is_empty());
    }
}

//! The tables of the guides: their columns have names and keep their alignment, without an inline style.

use pulldown_cmark::{Alignment, CowStr, Event, Tag, TagEnd};
use rocket::http::RawStr;

/// Of the table around this place, what its columns are.
#[derive(Default)]
struct Columns {
    are_numbers: Vec<bool>,
    names: Vec<String>,
    /// The column of the cell that is being read.
    at: usize,
    in_head: bool,
}

/// The same, but with tables as they are shown: each can be scrolled by keyboard, a cell in the head says that it is
/// the heading of a column, and any other which column it is in, which a phone shows above it. An empty cell is no
/// heading.
pub(super) fn shown(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let mut shown = Vec::with_capacity(events.len());
    let mut columns = Columns::default();
    for event in events {
        if columns.in_head
            && let (Some(name), Event::Text(part) | Event::Code(part)) = (columns.names.last_mut(), &event)
        {
            name.push_str(part);
        }
        match event {
            Event::Start(Tag::Table(alignments)) => {
                columns = Columns::of(&alignments);
                shown.push(tags(columns.opening()));
            }
            Event::End(TagEnd::Table) => shown.extend([event, tags("</div>\n")]),
            Event::Start(Tag::TableHead | Tag::TableRow) | Event::End(TagEnd::TableHead) => {
                columns.at = 0;
                columns.in_head = event == Event::Start(Tag::TableHead);
                shown.push(event);
            }
            Event::Start(Tag::TableCell) => shown.push(tags(columns.cell())),
            Event::End(TagEnd::TableCell) => {
                let is_empty = columns.in_head && columns.names.last().is_some_and(String::is_empty);
                if is_empty && let Some(begun) = shown.last_mut() {
                    *begun = tags("<td>");
                }
                shown.push(tags(if columns.in_head && !is_empty { "</th>" } else { "</td>" }));
                columns.at += 1;
            }
            other => shown.push(other),
        }
    }
    shown
}

impl Columns {
    fn of(alignments: &[Alignment]) -> Columns {
        let are_numbers = alignments.iter().map(|alignment| *alignment == Alignment::Right).collect();
        Columns { are_numbers, ..Columns::default() }
    }

    /// Figures are compared down their column, so they scroll; words are read row by row, so a phone stacks them.
    fn opening(&self) -> &'static str {
        if self.are_numbers.contains(&true) {
            "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table>"
        } else {
            "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table class=\"stacked\">"
        }
    }

    /// What the next cell begins with.
    fn cell(&mut self) -> String {
        let is_number = self.are_numbers.get(self.at).copied().unwrap_or_default();
        let class = if is_number { " class=\"number\"" } else { "" };
        if self.in_head {
            self.names.push(String::new());
            return format!("<th scope=\"col\"{class}>");
        }
        match self.names.get(self.at) {
            Some(name) if self.at > 0 => {
                format!("<td{class} data-column=\"{}\">", RawStr::new(name).html_escape())
            }
            _ => format!("<td{class}>"),
        }
    }
}

fn tags<'e>(html: impl Into<CowStr<'e>>) -> Event<'e> {
    Event::Html(html.into())
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Options, Parser, html};

    fn page(text: &str) -> String {
        let mut page = String::new();
        let events = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
        html::push_html(&mut page, super::shown(events).into_iter());
        page
    }

    #[test]
    fn an_empty_cell_is_no_heading() {
        let page = page("| | b |\n|---|---|\n| c | |\n");
        assert!(page.contains("<thead><tr><td></td><th scope=\"col\">b</th></tr></thead>"), "{page}");
        assert!(page.contains("<tr><td>c</td><td data-column=\"b\"></td></tr>"), "{page}");
    }

    #[test]
    fn a_column_of_numbers_has_a_class_and_no_inline_style() {
        let page = page("| a | b |\n|---|--:|\n| c | 1 |\n");
        assert!(page.contains("<th scope=\"col\">a</th><th scope=\"col\" class=\"number\">b</th>"), "{page}");
        assert!(page.contains("<td>c</td><td class=\"number\" data-column=\"b\">1</td>"), "{page}");
        assert!(!page.contains("style"), "{page}");
    }

    #[test]
    fn columns_of_words_are_stacked_on_a_phone_and_say_which_they_are() {
        let words = page("| a | `b` & \"c\" | d |\n|---|---|---|\n| 1 | 2 | 3 |\n");
        assert!(words.contains("<table class=\"stacked\">"), "{words}");
        assert!(words.contains("<td data-column=\"b &amp; &quot;c&quot;\">2</td>"), "{words}");
        let figures = page("| a | b | c |\n|---|--:|--:|\n| 1 | 2 | 3 |\n");
        assert!(!figures.contains("stacked"), "{figures}");
    }
}

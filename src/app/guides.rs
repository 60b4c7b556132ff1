//! `GET /docs`: the guides of the folder `docs`, as pages of the site.

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use rocket::http::RawStr;
use rocket::{Route, get, routes};
use rocket_dyn_templates::context;
use serde::Serialize;

use super::guide_tables;
use super::page::{Html, Page};

/// A guide, as it was written.
#[derive(Clone, Copy)]
struct Guide {
    name: &'static str,
    text: &'static str,
}

macro_rules! guides {
    ($($name:literal),* $(,)?) => {
        &[$(Guide { name: $name, text: include_str!(concat!("../../docs/", $name, ".md")) }),*]
    };
}

/// Every guide, in the order of the list. `tests/docs.rs` compares it with the folder.
const GUIDES: &[Guide] = guides![
    "from-express-session",
    "from-tower-sessions",
    "from-private-cookies",
    "running",
    "keys",
    "logout",
    "soak",
    "security",
    "at-scale",
];

/// A guide in the list of all.
#[derive(Serialize)]
struct Entry {
    name: &'static str,
    title: String,
    about: String,
    /// The same, with its code marked as code.
    about_html: String,
}

#[get("/docs")]
fn list(page: Page<'_>) -> Html {
    let guides: Vec<Entry> = GUIDES.iter().map(|guide| guide.entry()).collect();
    page.show("guides", "Docs", context! { guides })
}

#[get("/docs/<name>")]
fn guide(name: &str, page: Page<'_>) -> Option<Html> {
    let guide = GUIDES.iter().find(|guide| guide.name == name)?;
    let Entry { title, about, .. } = guide.entry();
    Some(page.show("guide", &title, context! { about, guide: guide.html() }))
}

impl Guide {
    /// The first heading, and the first sentence below it.
    fn entry(self) -> Entry {
        let mut events = Parser::new_ext(self.text, options());
        let mut text_until = |end: TagEnd| {
            let (mut text, mut html) = (String::new(), String::new());
            for event in events.by_ref().take_while(|event| *event != Event::End(end)) {
                match event {
                    Event::Text(part) => {
                        text.push_str(&part);
                        html.push_str(&escaped(&part));
                    }
                    Event::Code(part) => {
                        text.push_str(&part);
                        html.push_str(&format!("<code>{}</code>", escaped(&part)));
                    }
                    Event::SoftBreak => {
                        text.push(' ');
                        html.push(' ');
                    }
                    _ => {}
                }
            }
            (text, html)
        };
        let (title, _) = text_until(TagEnd::Heading(HeadingLevel::H1));
        let (text, html) = text_until(TagEnd::Paragraph);
        let first = |text: &str| text.split_inclusive(". ").next().unwrap_or_default().trim_end().to_owned();
        Entry { name: self.name, title, about: first(&text), about_html: first(&html) }
    }

    fn html(self) -> String {
        let mut page = String::with_capacity(2 * self.text.len());
        html::push_html(&mut page, guide_tables::shown(events(self.text)).into_iter());
        page
    }
}

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_SMART_PUNCTUATION
}

/// What a guide consists of: links lead to pages of this site, headings can be linked to, code can be scrolled by
/// keyboard, and nothing is inline that the content security policy forbids.
fn events(text: &str) -> Vec<Event<'_>> {
    let mut events = Vec::new();
    // Of the links around this place, which ones are left out.
    let mut left_out = Vec::new();
    // Where the heading began that is being read, and its text so far.
    let mut heading: Option<(usize, String)> = None;
    for event in Parser::new_ext(text, options()) {
        if let (Some((_, title)), Event::Text(part) | Event::Code(part)) = (&mut heading, &event) {
            title.push_str(part);
        }
        match event {
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let target = target(&dest_url);
                left_out.push(target.is_none());
                events.extend(target.map(|dest_url| {
                    Event::Start(Tag::Link { link_type, dest_url: dest_url.into(), title, id })
                }));
            }
            Event::End(TagEnd::Link) if left_out.pop() == Some(true) => {}
            Event::Start(Tag::Heading { .. }) => {
                heading = Some((events.len(), String::new()));
                events.push(event);
            }
            Event::End(TagEnd::Heading(level)) => {
                if let Some((start, title)) = heading.take()
                    && let Some(begun) = events.get_mut(start)
                {
                    let id = Some(anchor(&title).into());
                    *begun = Event::Start(Tag::Heading { level, id, classes: Vec::new(), attrs: Vec::new() });
                }
                events.push(event);
            }
            Event::Start(Tag::CodeBlock(_)) => events.push(tags("<pre tabindex=\"0\"><code>")),
            Event::End(TagEnd::CodeBlock) => events.push(tags("</code></pre>\n")),
            // A comment is for tests/docs.rs.
            Event::Html(text) | Event::InlineHtml(text) if text.starts_with("<!--") => {}
            Event::Html(text) | Event::InlineHtml(text) => events.push(Event::Text(text)),
            other => events.push(other),
        }
    }
    events
}

fn escaped(text: &str) -> String {
    RawStr::new(text).html_escape().to_string()
}

fn tags(html: &'static str) -> Event<'static> {
    Event::Html(CowStr::Borrowed(html))
}

/// Where a link of a guide leads; `None` where this site has no such page: to a source file, say.
fn target(link: &str) -> Option<String> {
    if link.starts_with(['#']) || link.starts_with("https://") {
        return Some(link.to_owned());
    }
    let (file, part) = link.find('#').map_or((link, ""), |at| link.split_at(at));
    let name = file.strip_suffix(".md")?;
    GUIDES.iter().any(|guide| guide.name == name).then(|| format!("/docs/{name}{part}"))
}

/// The anchor of a heading, as GitHub makes it, which is what the links of the guides name.
fn anchor(title: &str) -> String {
    let letters = title.to_lowercase();
    let letters =
        letters.chars().filter(|letter| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter));
    letters.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

pub(super) fn routes() -> Vec<Route> {
    routes![list, guide]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// The values of an attribute in a page.
    fn values<'h>(html: &'h str, attribute: &str) -> impl Iterator<Item = &'h str> {
        let attribute = format!("{attribute}=\"");
        let found: Vec<_> =
            html.split(&attribute).skip(1).filter_map(|rest| rest.split('"').next()).collect();
        found.into_iter()
    }

    #[test]
    fn every_link_of_a_guide_leads_to_a_heading_that_is_there() {
        let anchors = |guide: &Guide| {
            values(&guide.html(), "id").map(|id| format!("{}#{id}", guide.name)).collect::<Vec<_>>()
        };
        let mut places: HashSet<String> = GUIDES.iter().flat_map(anchors).collect();
        places.extend(GUIDES.iter().map(|guide| guide.name.to_owned()));
        for guide in GUIDES {
            for link in values(&guide.html(), "href").filter(|link| !link.starts_with("https://")) {
                let place = match link.strip_prefix("/docs/") {
                    Some(place) => place.to_owned(),
                    None => format!("{}{link}", guide.name),
                };
                assert!(places.contains(&place), "{}: {link}", guide.name);
            }
        }
    }

    #[test]
    fn a_guide_has_a_title_and_says_what_it_is_about() {
        for guide in GUIDES {
            let Entry { title, about, .. } = guide.entry();
            assert!(title.len() > 3 && !title.starts_with('#'), "{}: {title}", guide.name);
            assert!(about.len() > 40, "{}: {about}", guide.name);
        }
    }

    #[test]
    fn the_list_shows_code_as_code_and_a_description_has_none() {
        let text = "# A\n\nWhat `a<b>` says, and \"c\". More.\n";
        let Entry { about, about_html, .. } = Guide { name: "a", text }.entry();
        assert_eq!(about, "What a<b> says, and “c”.");
        assert_eq!(about_html, "What <code>a&lt;b&gt;</code> says, and “c”.");
    }

    #[test]
    fn a_comment_is_not_shown() {
        let text = "# A\n\n<!-- program: express -->\n\nb <!-- c --> d\n";
        assert_eq!(Guide { name: "a", text }.html(), "<h1 id=\"a\">A</h1>\n<p>b  d</p>\n");
        for guide in GUIDES {
            assert!(!guide.html().contains("&lt;!--"), "{}", guide.name);
        }
    }

    #[test]
    fn quotes_are_curly_but_never_in_code() {
        let text = "# A\n\nRocket's \"b\" `\"c\" -- 'd'`\n\n    \"e\" -- 'f'\n";
        let page = Guide { name: "a", text }.html();
        assert!(page.contains("<p>Rocket’s “b” <code>\"c\" -- 'd'</code></p>"), "{page}");
        assert!(page.contains("<code>\"e\" -- 'f'\n"), "{page}");
    }

    #[test]
    fn a_link_to_a_source_file_is_left_as_text_and_nothing_is_inline() {
        let text = "# A\n\n[`x`](../src/x.rs) [y](security.md#z) <b onclick=\"x\">\n\n| a |\n|--:|\n| 1 |\n";
        let page = Guide { name: "a", text }.html();
        assert!(page.contains("<p><code>x</code> <a href=\"/docs/security#z\">y</a> &lt;b"), "{page}");
        assert!(!page.contains("style") && !page.contains("src/x.rs"), "{page}");
        assert!(page.starts_with("<h1 id=\"a\">"), "{page}");
    }
}

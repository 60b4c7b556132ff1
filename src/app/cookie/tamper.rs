//! `POST …/cookie/tamper`: changes one character of the cookie, and shows that it no longer opens.

use std::sync::Arc;

use rocket::fairing::{AdHoc, Fairing};
use rocket::form::FromForm;
use rocket::http::CookieJar;
use rocket::{Route, State, post, routes};
use sealed_sessions::Clock;
use sealed_sessions::inspect::Inspector;
use serde::Serialize;

use super::super::csrf::Protected;
use super::super::page::{Html, Page};
use super::super::visitor::Session;
use super::{Tried, show, value};

#[derive(FromForm)]
struct Change {
    /// Which character, from 1; one in the middle of what is sealed where it is left out.
    character: Option<usize>,
}

/// What became of the changed value.
#[derive(Serialize)]
pub(super) struct Answer {
    character: usize,
    /// How many the value has, with the padding, which is not changed.
    of: usize,
    before: char,
    after: char,
    /// Why it is refused; `None` if it opens, which it never does.
    refused: Option<String>,
}

#[post("/cookie/tamper", data = "<form>")]
fn submit(
    form: Protected<Change>,
    session: Session<'_>,
    page: Page<'_>,
    jar: &CookieJar<'_>,
    inspector: &State<Inspector>,
    clock: &State<Arc<dyn Clock>>,
) -> Html {
    let name = session.inspect().cookie_name();
    let tampered = value::Sent::of(jar, name).and_then(|sent| {
        let (changed, answer) = change(&sent.text, form.into_inner().character)?;
        let found = inspector.open(&sent.header(&changed), clock.seconds());
        let refused = found.into_iter().find_map(|inspection| match inspection.key {
            None => inspection.problem,
            Some(_) => None,
        });
        Some(Answer { refused, ..answer })
    });
    show(session, &page, jar, &Tried { tampered, ..Tried::default() })
}

/// Puts another character of the same alphabet in the place of one.
fn change(value: &str, character: Option<usize>) -> Option<(String, Answer)> {
    let (from, to) = value::sealed_text(value);
    let middle = from.saturating_add(to.saturating_sub(from) / 2);
    let last = value.trim_end_matches('=').len();
    let at = character.map_or(middle, |character| character.saturating_sub(1)).min(last.saturating_sub(1));
    let before = value.get(at..)?.chars().next()?;
    let after = if before == 'A' { 'B' } else { 'A' };
    let changed = format!("{}{after}{}", value.get(..at)?, value.get(at + before.len_utf8()..)?);
    Some((changed, Answer { character: at + 1, of: value.len(), before, after, refused: None }))
}

/// Opens cookies for this page as the app itself would.
pub(in super::super) fn inspector() -> impl Fairing {
    AdHoc::try_on_ignite("Inspector", |rocket| async move {
        match Inspector::new(rocket.figment()) {
            Ok(inspector) => Ok(rocket.manage(inspector)),
            // The sessions refuse the launch for the same reason, and say so.
            Err(_) => Ok(rocket),
        }
    })
}

pub(super) fn routes() -> Vec<Route> {
    routes![submit]
}

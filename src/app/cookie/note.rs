//! `POST …/cookie/note`: keeps a text in the session, so that it can be seen to grow.

use rocket::form::FromForm;
use rocket::http::{CookieJar, Status};
use rocket::response::Redirect;
use rocket::{Responder, Route, post, routes};

use super::super::csrf::Protected;
use super::super::page::{Html, Page};
use super::super::visitor::{Current, Session};
use super::{Tried, show};

/// Sealed and in base64 it fits into what two cookies hold.
pub(super) const MAX_BYTES: usize = 5000;

#[derive(FromForm)]
struct Note {
    note: String,
}

#[derive(Responder)]
enum Answer {
    Kept(Redirect),
    Again((Status, Html)),
}

#[post("/cookie/note", data = "<form>")]
fn submit(
    form: Protected<Note>,
    session: Session<'_>,
    _newest: Current<'_>,
    page: Page<'_>,
    jar: &CookieJar<'_>,
) -> Answer {
    let Note { note } = form.into_inner();
    if note.len() <= MAX_BYTES {
        session.update(|visitor| visitor.note = note);
        return Answer::Kept(page.see_other("/cookie#note"));
    }
    let note_error =
        Some("Use at most 5000 bytes. A letter such as é takes two of them, and some characters take four.");
    let tried = Tried { note: Some(note), note_error, ..Tried::default() };
    Answer::Again((Status::UnprocessableEntity, show(session, &page, jar, &tried)))
}

pub(super) fn routes() -> Vec<Route> {
    routes![submit]
}

//! `POST …/cookie/note`: keeps a text in the session, so that it can be seen to grow.

use rocket::form::FromForm;
use rocket::http::{CookieJar, Status};
use rocket::response::Redirect;
use rocket::{Responder, Route, post, routes};

use super::super::csrf::Protected;
use super::super::page::{Html, Page};
use super::super::visitor::{Current, Session};
use super::{Tried, show};

/// The most that a note may take in the session. Sealed and in base64 it fits into what two cookies hold, and leaves
/// room there for all else that a sign-in keeps: a session that is too large would refuse the right password.
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
    let bytes = bytes_kept(&note);
    if bytes <= MAX_BYTES {
        session.update(|visitor| visitor.note = note);
        return Answer::Kept(page.see_other("/cookie#note"));
    }
    let note_error = Some(format!(
        "The session would keep this note in {bytes} bytes, and there is room for {MAX_BYTES}. It is kept as JSON: \
         a plain letter takes one byte, a quotation mark or a letter such as é two, and other characters up to six."
    ));
    let tried = Tried { note: Some(note), note_error, ..Tried::default() };
    Answer::Again((Status::UnprocessableEntity, show(session, &page, jar, &tried)))
}

/// What a note takes in the session, whose data is JSON: without the quotation marks around it, which every note has.
fn bytes_kept(note: &str) -> usize {
    serde_json::to_string(note).map_or(usize::MAX, |json| json.len().saturating_sub(2))
}

pub(super) fn routes() -> Vec<Route> {
    routes![submit]
}

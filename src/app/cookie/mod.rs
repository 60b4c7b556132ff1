//! `GET …/cookie`: what the browser holds and what the server holds.

mod note;
mod tamper;
mod value;

use rocket::http::CookieJar;
use rocket::{Route, get, routes};
use rocket_dyn_templates::context;
use sealed_sessions::inspect::{MAX_LINE_BYTES, NONCE_BYTES, TAG_BYTES, Wire};
use sealed_sessions::store::Record;
use sealed_sessions::{Arrival, Powers, Timeout};
use serde::Serialize;
use serde_json::{Value, json};

pub(super) use self::tamper::inspector;
use super::page::{Html, Page};
use super::store_names;
use super::timeline;
use super::visitor::Session;

#[get("/cookie")]
fn cookie(session: Session<'_>, page: Page<'_>, jar: &CookieJar<'_>) -> Html {
    show(session, &page, jar, &Tried::default())
}

/// What a form of this page has come to.
#[derive(Default, Serialize)]
struct Tried {
    /// What became of a changed value.
    tampered: Option<tamper::Answer>,
    /// What was typed as a note, and why it is not kept.
    note: Option<String>,
    note_error: Option<String>,
}

fn show(session: Session<'_>, page: &Page<'_>, jar: &CookieJar<'_>, tried: &Tried) -> Html {
    let record = session.inspect().record();
    let wire = session.inspect().wire();
    let browser = wire.zip(record.as_ref()).map(|(wire, record)| {
        let parts = parts(&wire, record, !session.inspect().is_on_server());
        json!({
            "name": session.inspect().cookie_name(),
            "cookies": wire.cookies,
            "wire": wire.request,
            "attributes": wire.lines.saturating_sub(wire.request),
            "line": wire.lines,
            "limit": MAX_LINE_BYTES,
            "bars": bars(&parts),
            "rest": scale(wire.lines.saturating_sub(wire.request)),
            "parts": parts.iter().map(Part::json).collect::<Vec<_>>(),
            "value": value::pieces(jar, session.inspect().cookie_name(), &parts),
        })
    });
    let own = context! {
        browser,
        server: if record.is_some() { server(session) } else { server_without(session) },
        record: record.as_ref().map(|record| pretty(record, &session)),
        explain: record.as_ref().map(|record| explain(record, page)).unwrap_or_default(),
        timeline: timeline::of(&session, page),
        note: &session.get().note,
        max_note: note::MAX_BYTES,
        tried,
        arrival: arrival(session.arrival()),
        sent: !matches!(session.arrival(), Arrival::Absent | Arrival::Withheld),
    };
    match record {
        Some(_) if tried.note_error.is_some() => {
            page.show_form(&session, "cookie", "Error: Inside the cookie", own)
        }
        Some(_) => page.show_form(&session, "cookie", "Inside the cookie", own),
        // Its token would open a session.
        None => page.show("cookie", "Inside the cookie", own),
    }
}

/// A part of what goes over the wire.
struct Part {
    label: &'static str,
    bytes: usize,
    note: &'static str,
    slot: usize,
}

impl Part {
    fn json(&self) -> Value {
        json!({ "label": self.label, "bytes": self.bytes, "note": self.note, "slot": self.slot })
    }
}

/// The parts of the name and the value, which add up to what a request carries.
fn parts(wire: &Wire, record: &Record, holds_record: bool) -> Vec<Part> {
    let data = if holds_record { record.data.len() } else { 0 };
    let header = wire.ticket.saturating_sub(data);
    let sealed = NONCE_BYTES + wire.ticket + TAG_BYTES;
    let header_note = if holds_record {
        "Format, id, times, version, and who is signed in."
    } else {
        "The session’s id: all that the cookie carries."
    };
    let parts = [
        (
            "Name",
            wire.request - wire.value,
            if wire.cookies > 1 {
                "The names of the cookies, each with its equals sign. The seal is bound to the first."
            } else {
                "The cookie’s name, which the seal is bound to, and the equals sign."
            },
        ),
        ("Nonce", NONCE_BYTES, "New for every seal, so that the same session never looks the same twice."),
        (if holds_record { "Record" } else { "Id" }, header, header_note),
        ("Data", data, "What the app keeps in the session."),
        ("Tag", TAG_BYTES, "Proves that not a single bit was changed."),
        ("Base64", wire.value.saturating_sub(sealed), "The cost of writing bytes as letters."),
    ];
    let numbered = parts.into_iter().zip(1..).filter(|((_, bytes, _), _)| *bytes > 0);
    numbered.map(|((label, bytes, note), slot)| Part { label, bytes, note, slot }).collect()
}

/// Bytes on a scale where 1000 is the limit of one cookie: that of the whole Set-Cookie line.
fn scale(bytes: usize) -> f64 {
    bytes as f64 * 1000.0 / MAX_LINE_BYTES as f64
}

/// The parts on that scale.
fn bars(parts: &[Part]) -> Vec<Value> {
    let mut before = 0;
    let bar = |part: &Part| {
        let x = scale(before);
        before += part.bytes;
        json!({ "x": x, "width": scale(part.bytes), "slot": part.slot, "label": part.label, "bytes": part.bytes })
    };
    parts.iter().map(bar).collect()
}

fn server(session: Session<'_>) -> Value {
    match session.inspect().powers() {
        Powers::Lists => json!({
            "holds": format!("The whole record, in its {} store.", store_name(session)),
            "detail": "The cookie carries only the sealed id; the store keeps no more of the id than its hash.",
        }),
        Powers::Ends => json!({
            "holds": "No copy of this session while it goes on: only the key that opens the cookie.",
            "detail": "When it ends, a few bytes are entered in a ledger, and every copy of the cookie is worth nothing from then on.",
        }),
        Powers::Nothing => json!({
            "holds": "No copy of this session: only the key that opens the cookie.",
            "detail": "That is why it needs no table of sessions, and also why it cannot take back a copy.",
        }),
    }
}

/// The same where there is no session.
fn server_without(session: Session<'_>) -> Value {
    match session.inspect().powers() {
        Powers::Lists => json!({
            "holds": "No session of yours.",
            "detail": format!("It would be a whole record in the {} store, and the cookie only its sealed id.", store_name(session)),
        }),
        Powers::Ends => json!({
            "holds": "No session of yours: only the key that opens this realm’s cookies, and the ledger.",
            "detail": "The ledger has a few bytes for each session that has ended, so that no copy of its cookie is worth anything.",
        }),
        Powers::Nothing => json!({
            "holds": "No session of yours: only the key that opens this realm’s cookies.",
            "detail": "It needs no table of sessions, but cannot take back a copy of a cookie either.",
        }),
    }
}

/// The name of the realm's store, for a sentence.
fn store_name(session: Session<'_>) -> &str {
    store_names::written(session.inspect().store_name())
}

/// The record, readable, without its id, which is shown as logs show it.
fn pretty(record: &Record, session: &Session<'_>) -> String {
    let data: Value = serde_json::from_str(&record.data).unwrap_or_default();
    let mut shown = json!({
        "session": session.inspect().handle(),
        "created": record.created,
        "seen": record.seen,
        "version": record.version,
        "remembered": record.remembered,
        "signed_in": record.signed_in,
        "subject": record.subject,
        "data": data,
    });
    if let (Some(position), Some(fields)) = (record.position, shown.as_object_mut()) {
        fields.insert("position".to_owned(), position.into());
    }
    serde_json::to_string_pretty(&shown).unwrap_or_default()
}

fn explain(record: &Record, page: &Page<'_>) -> Vec<Value> {
    let when = |seconds| {
        page.when(
            time::OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(time::OffsetDateTime::UNIX_EPOCH),
        )
    };
    let text = |value: Value| {
        format!(
            "{} ({})",
            value["text"].as_str().unwrap_or_default(),
            value["relative"].as_str().unwrap_or_default()
        )
    };
    let row = |field: &str, value: String, meaning: &str| json!({ "field": field, "value": value, "meaning": meaning });
    let mut rows = vec![
        row(
            "session",
            "a keyed hash".into(),
            "Stands for the id, which is random, new at each sign-in, and never shown.",
        ),
        row(
            "created",
            text(when(record.created)),
            "When the session was opened, or its visitor last signed in.",
        ),
        row("seen", text(when(record.seen)), "When it was last used, to within a minute."),
        row("version", record.version.to_string(), "How many times its data was written."),
        row(
            "remembered",
            if record.remembered { "yes" } else { "no" }.into(),
            "Whether this sign-in asked for the longer timeouts.",
        ),
        row(
            "signed_in",
            record.signed_in.map_or("never".into(), |at| text(when(at))),
            "When the password was last checked.",
        ),
        row("subject", record.subject.clone().unwrap_or("nobody".into()), "The number of the account."),
        row("data", format!("{} bytes", record.data.len()), "What the pages of this realm remember."),
    ];
    rows.extend(record.position.map(|position| {
        let meaning =
            "The number of the ledger’s newest entry before the password was checked. A later one for the account ends this session.";
        row("position", position.to_string(), meaning)
    }));
    rows
}

fn arrival(arrival: Arrival) -> &'static str {
    match arrival {
        Arrival::Absent => "Your browser sent no session cookie for this realm.",
        Arrival::Resumed => "Your browser sent a session cookie, and its seal is intact.",
        Arrival::Stale { .. } => {
            "Your browser sent a session cookie whose seal is intact, but this server has seen a newer version of the session: it remembers the number of the newest."
        }
        Arrival::Expired(Timeout::Idle) => "Your browser sent a session that was idle for too long.",
        Arrival::Expired(Timeout::Absolute) => "Your browser sent a session that was too old.",
        Arrival::Revoked => "Your browser sent a session that has ended.",
        Arrival::Superseded => {
            "Your browser sent the cookie from just before a sign-in. Load this page again."
        }
        Arrival::Withheld => {
            "Another site led here, so your browser withheld this realm’s session cookie. Load this page again."
        }
        _ => "Your browser sent a cookie that is not a session.",
    }
}

pub(super) fn routes() -> Vec<Route> {
    [routes![cookie], note::routes(), tamper::routes()].concat()
}

//! The small site that the experiments visit: it starts at once, and has only what they need.

use std::borrow::Cow;
use std::sync::Arc;

use rocket::http::{ContentType, Status};
use rocket::tokio::sync::Semaphore;
use rocket::tokio::task::yield_now;
use rocket::{Route, State, get, post, routes};
use sealed_sessions::{Arrival, Ended, SessionData, Timeout};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What its sessions hold.
#[derive(Default, Clone, Serialize, Deserialize)]
pub(super) struct Guest {
    #[serde(default, skip_serializing_if = "is_zero")]
    visits: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    likes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    note: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl SessionData for Guest {
    fn subject(&self) -> Option<Cow<'_, str>> {
        self.user.as_deref().map(Cow::Borrowed)
    }
}

type Session<'r> = sealed_sessions::Session<'r, Guest>;
type Exclusive<'r> = sealed_sessions::Exclusive<'r, Guest>;
type Json = (ContentType, String);

/// Where slow requests wait, after they have loaded their session.
pub(in crate::lab) struct Gate {
    arrived: Semaphore,
    open: Semaphore,
}

impl Gate {
    pub(super) fn new() -> Arc<Gate> {
        Arc::new(Gate { arrived: Semaphore::new(0), open: Semaphore::new(0) })
    }

    /// Waits until so many requests have arrived here.
    pub(in crate::lab) async fn arrivals(&self, count: u32) {
        if let Ok(all) = self.arrived.acquire_many(count).await {
            all.forget();
        }
    }

    /// Lets so many go on.
    pub(in crate::lab) fn let_through(&self, count: usize) {
        self.open.add_permits(count);
    }

    /// Waits until so many requests have arrived here, and lets all of them go on. Cannot fail, but is awaited together
    /// with requests that can.
    pub(in crate::lab) async fn meeting(&self, count: u32) -> Result<(), String> {
        self.arrivals(count).await;
        self.let_through(count as usize);
        Ok(())
    }

    async fn pass(&self) {
        self.arrived.add_permits(1);
        if let Ok(one) = self.open.acquire().await {
            one.forget();
        }
    }
}

fn answer(session: Session<'_>) -> Json {
    let guest = session.get();
    let seen = json!({
        "arrival": in_words(session.arrival()),
        "user": guest.user,
        "visits": guest.visits,
        "likes": guest.likes,
        "note": guest.note.len(),
    });
    (ContentType::JSON, seen.to_string())
}

/// What came with a request whose session goes on.
pub(in crate::lab) const LIVE: &str = "a live session";

/// What came with a request, for people.
fn in_words(arrival: Arrival) -> &'static str {
    match arrival {
        Arrival::Absent => "no cookie",
        Arrival::Resumed => LIVE,
        Arrival::Stale { .. } => "a live session, in an older state",
        Arrival::Expired(Timeout::Idle) => "a session that was idle for too long",
        Arrival::Expired(Timeout::Absolute) => "a session that is too old",
        Arrival::Revoked => "a session that is not live here",
        Arrival::Superseded => "a cookie that was replaced",
        Arrival::Withheld => "no cookie, since the browser withholds it",
        _ => "a cookie that does not open",
    }
}

#[get("/profile")]
fn profile(session: Session<'_>) -> Json {
    answer(session)
}

#[post("/visits")]
fn visits(session: Session<'_>) -> Json {
    session.update(|guest| guest.visits = guest.visits.saturating_add(1));
    answer(session)
}

#[get("/slow/profile")]
async fn slow_profile(session: Session<'_>, gate: &State<Arc<Gate>>) -> Json {
    gate.pass().await;
    answer(session)
}

#[post("/slow/visits")]
async fn slow_visits(session: Session<'_>, gate: &State<Arc<Gate>>) -> Json {
    gate.pass().await;
    visits(session)
}

#[post("/slow/likes")]
async fn slow_likes(session: Session<'_>, gate: &State<Arc<Gate>>) -> Json {
    gate.pass().await;
    session.update(|guest| guest.likes = guest.likes.saturating_add(1));
    answer(session)
}

/// Yields between reading and writing, so that any request that need not wait goes first.
#[post("/exclusive/visits")]
async fn exclusive_visits(session: Exclusive<'_>) -> Json {
    let before = session.get().visits;
    for _ in 0..20 {
        yield_now().await;
    }
    session.update(|guest| guest.visits = before.saturating_add(1));
    answer(*session)
}

#[post("/login/<name>")]
fn login(session: Session<'_>, name: &str) -> Json {
    session.sign_in(|guest| guest.user = Some(name.to_owned()));
    answer(session)
}

#[post("/slow/login/<name>")]
async fn slow_login(session: Session<'_>, name: &str, gate: &State<Arc<Gate>>) -> Json {
    gate.pass().await;
    login(session, name)
}

#[post("/logout")]
fn logout(session: Session<'_>) -> Json {
    session.destroy();
    answer(session)
}

/// What is said where the store cannot end a subject's sessions.
pub(in crate::lab) const UNABLE: &str = "this store cannot do that";

/// Logs out everywhere else.
#[post("/end-others")]
async fn end_others(session: Session<'_>) -> Result<Json, Status> {
    let ended = session.end_others().await.map_err(|_| Status::ServiceUnavailable)?;
    let said = match ended {
        Ended::Sessions(count) => format!("{count} ended"),
        Ended::Uncounted => "all ended".into(),
        Ended::Unable => UNABLE.into(),
    };
    let seen = json!({
        "arrival": in_words(session.arrival()),
        "user": session.get().user,
        "ended": said,
    });
    Ok((ContentType::JSON, seen.to_string()))
}

/// The size of the largest note.
pub(in crate::lab) const MAX_NOTE_BYTES: usize = 16 * 1024;

#[post("/note/<bytes>")]
fn note(session: Session<'_>, bytes: usize) -> Json {
    session.update(|guest| guest.note = "n".repeat(bytes.min(MAX_NOTE_BYTES)));
    answer(session)
}

pub(super) fn routes() -> Vec<Route> {
    routes![
        profile,
        visits,
        slow_profile,
        slow_visits,
        slow_likes,
        exclusive_visits,
        login,
        slow_login,
        logout,
        end_others,
        note
    ]
}

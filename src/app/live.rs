//! One live line of a page: whether the session goes on, as server-sent events. The page is whole without it.

use std::sync::Arc;
use std::time::Duration;

use rocket::futures::Stream;
use rocket::http::Header;
use rocket::response::stream::{Event, EventStream};
use rocket::response::{self, Responder};
use rocket::tokio::select;
use rocket::{Request, Route, State, get, routes};
use sealed_sessions::{Clock, End, Timeout};
use time::OffsetDateTime;
use time::macros::format_description;

use super::standing::{Standing, Standings};
use super::visitor::ReadOnly;

/// Says that the session is alive, and when it has ended. A browser that is cut off comes again by itself, with the
/// cookie that it has by then: so it is told of an end that this node cannot know. None of it is a use of the session.
#[get("/sessions/live")]
fn live<'r>(
    session: ReadOnly<'r>,
    standings: Standings<'r>,
    clock: &'r State<Arc<dyn Clock>>,
) -> Unstored<impl Stream<Item = Event> + 'r> {
    Unstored(EventStream! {
        match standings.of(session).await {
            Standing::Good { .. } => yield alive(session.expires().map(|expires| expires.earliest())),
            // Nobody can say now: the browser comes again.
            Standing::Unknown => return,
            Standing::Nobody | Standing::Over => {
                yield ended();
                return;
            }
        }
        let has_ended = select! {
            end = session.ended() => matches!(end, Ok(End::Revoked | End::Expired(Timeout::Absolute))),
            () = account_changed(session, &standings, &***clock) => true,
        };
        if has_ended {
            yield ended();
        }
    })
}

/// Waits until the session's account is no longer as it was at the sign-in. Where that is known otherwise, nothing is
/// looked up.
async fn account_changed(session: ReadOnly<'_>, standings: &Standings<'_>, clock: &dyn Clock) {
    loop {
        clock.reached(clock.seconds().saturating_add(LOOK_INTERVAL)).await;
        if standings.of(session).await == Standing::Over {
            return;
        }
    }
}

/// Events that no cache keeps. By themselves they may be kept and compared.
struct Unstored<S>(EventStream<S>);

impl<'r, S: Stream<Item = Event> + Send + 'r> Responder<'r, 'r> for Unstored<S> {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'r> {
        let mut response = self.0.respond_to(request)?;
        response.set_header(Header::new("Cache-Control", "no-store"));
        Ok(response)
    }
}

fn alive(until: Option<OffsetDateTime>) -> Event {
    let format = format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");
    let until = until.and_then(|until| until.format(&format).ok());
    let ends =
        until.map(|until| format!(" It ends at {until} unless it is used before then.")).unwrap_or_default();
    Event::data(format!("This session is alive.{ends}")).event("alive").with_retry(RETRY)
}

fn ended() -> Event {
    Event::data("This session has ended.").event("ended")
}

/// How often an account is looked up while a browser waits, in seconds: as often as a store is asked for its sessions.
const LOOK_INTERVAL: i64 = 5;

/// How long a browser waits before it comes again.
const RETRY: Duration = Duration::from_secs(1);

pub(super) fn routes() -> Vec<Route> {
    routes![live]
}

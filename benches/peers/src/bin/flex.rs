//! The counter with rocket_flex_session. `STORE` is `cookie`, `memory`, or `none` for the bare route alone.

use rocket::{get, launch, routes};
use rocket_flex_session::storage::cookie::CookieStorage;
use rocket_flex_session::storage::memory::MemoryStorage;
use rocket_flex_session::{RocketFlexSession, Session};
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Of a session that is idle, in seconds.
const TIMEOUT: u32 = 30 * 60;

#[derive(Default, Clone, Serialize, Deserialize)]
struct Visitor {
    views: u64,
}

#[get("/bare")]
fn bare() -> &'static str {
    "0"
}

#[get("/visits")]
fn visits(mut session: Session<'_, Visitor>) -> String {
    session.tap_mut(|visitor| {
        let visitor = visitor.get_or_insert_default();
        visitor.views += 1;
        visitor.views.to_string()
    })
}

#[get("/read")]
fn read(session: Session<'_, Visitor>) -> String {
    session.tap(|visitor| visitor.map_or(0, |visitor| visitor.views).to_string())
}

#[launch]
fn rocket() -> _ {
    let rocket = rocket::build().mount("/", routes![bare]);
    let sessions = RocketFlexSession::<Visitor>::builder().with_options(|options| options.max_age = TIMEOUT);
    let sessions = match std::env::var("STORE").as_deref() {
        Ok("none") => None,
        Ok("cookie") => Some(sessions.storage(CookieStorage::default()).build()),
        Ok("memory") => Some(sessions.storage(MemoryStorage::default()).build()),
        other => panic!("STORE: {other:?}"),
    };
    match sessions {
        Some(sessions) => rocket.attach(sessions).mount("/", routes![visits, read]),
        None => rocket,
    }
}

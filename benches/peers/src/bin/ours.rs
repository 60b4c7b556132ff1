//! The counter with Sealed Sessions. `STORE` is the setting `store`, or `none` for the bare route alone.

use rocket::{get, launch, routes};
use sealed_sessions::{Session, SessionData, Sessions};
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Default, Clone, Serialize, Deserialize)]
struct Visitor {
    views: u64,
}

impl SessionData for Visitor {}

#[get("/bare")]
fn bare() -> &'static str {
    "0"
}

#[get("/visits")]
fn visits(session: Session<'_, Visitor>) -> String {
    session.update(|visitor| {
        visitor.views += 1;
        visitor.views.to_string()
    })
}

#[get("/read")]
fn read(session: Session<'_, Visitor>) -> String {
    session.get().views.to_string()
}

#[launch]
fn rocket() -> _ {
    let rocket = rocket::build().mount("/", routes![bare]);
    match std::env::var("STORE").as_deref() {
        Ok("none") => rocket,
        Ok(store) => {
            let figment = rocket.figment().clone().merge(("session.store", store));
            rocket.configure(figment).attach(Sessions::<Visitor>::fairing()).mount("/", routes![visits, read])
        }
        Err(error) => panic!("STORE: {error}"),
    }
}

//! A session that is read but not used.

use std::fmt::Debug;

use rocket::local::blocking::Client;
use rocket::{get, routes};
use sealed_sessions::ReadOnly;
use time::{Duration, OffsetDateTime};

use crate::site::{Visit, Visitor};
use crate::support::{App, get as fetch, set_cookies};

fn text(visitor: &Visitor, moments: [Option<OffsetDateTime>; 2], realm: &str, arrival: impl Debug) -> String {
    let seconds = moments.map(|moment| moment.map(OffsetDateTime::unix_timestamp));
    format!("{visitor:?} {seconds:?} {realm} {arrival:?}")
}

#[get("/used")]
fn used(session: Visit<'_>) -> String {
    let moments = [session.signed_in_at(), session.expires().map(|expires| expires.earliest())];
    text(&session.get(), moments, session.realm(), session.arrival())
}

#[get("/looked")]
fn looked(session: ReadOnly<'_, Visitor>) -> String {
    let moments = [session.signed_in_at(), session.expires().map(|expires| expires.earliest())];
    text(&session.get(), moments, session.realm(), session.arrival())
}

#[test]
fn it_shows_what_a_used_one_shows_and_moves_nothing() {
    let app = App::new("");
    let browser = Client::tracked(app.rocket().mount("/", routes![used, looked])).unwrap();
    for (path, seconds) in [("/bare", 0), ("/visits", 10), ("/login/ada", 20), ("/note/3", 30)] {
        fetch(&browser, path);
        app.advance(Duration::seconds(seconds));
        assert_eq!(fetch(&browser, "/looked"), fetch(&browser, "/used"), "after {path}");
    }
    app.advance(Duration::minutes(20));
    let before = fetch(&browser, "/looked");
    assert!(set_cookies(&browser.get("/looked").dispatch()).is_empty());
    assert_eq!(fetch(&browser, "/looked"), before, "it is no use of the session");
    app.advance(Duration::minutes(10));
    assert!(fetch(&browser, "/looked").ends_with("Expired(Idle)"));
}

//! Requests that take turns.

use std::sync::atomic::{AtomicUsize, Ordering};

use rocket::http::Header;
use rocket::local::asynchronous;
use rocket::local::blocking::Client;
use rocket::request::{FromRequest, Outcome};
use rocket::{Request, State, get, routes};
use sealed_sessions::store::{Id, Record};
use sealed_sessions::{Clock, Exclusive};
use world::KEY;

use crate::conflicts::together;
use crate::faulty::{Act, Faulty, app, start};
use crate::site::{self, Visit, Visitor};
use crate::support::{App, cookie_of, get as fetch};

#[rocket::async_test]
async fn sixty_four_exclusive_increments_count_to_sixty_four() {
    let store = Faulty::new();
    let app = App::new("[default.session]\nstore = \"faulty\"").store("faulty", store.clone());
    let browser = asynchronous::Client::tracked(app.rocket()).await.unwrap();
    browser.get("/note/3").dispatch().await;
    together(&browser, (0..64).map(|_| "/slow/views".to_owned())).await;
    let shared: serde_json::Value = serde_json::from_str(&store.records()[0].data).unwrap();
    assert!(
        shared["views"].as_u64().unwrap() < 64,
        "without the lock some are lost, or this test shows nothing"
    );
    browser.get("/logout").dispatch().await;
    browser.get("/note/3").dispatch().await;
    together(&browser, (0..64).map(|_| "/exclusive".to_owned())).await;
    let locked: serde_json::Value = serde_json::from_str(&store.records()[0].data).unwrap();
    assert_eq!(locked["views"], 64);
}

#[test]
fn exclusive_is_an_ordinary_session_where_the_store_has_no_locks() {
    let browser = App::new("").browser();
    fetch(&browser, "/visits");
    assert_eq!(fetch(&browser, "/exclusive"), "false");
    assert_eq!(fetch(&browser, "/read"), "2 Resumed");
    let (_, _, browser) = start();
    assert_eq!(fetch(&browser, "/exclusive"), "true");
}

/// Something else has changed the session before the handler has its turn.
#[get("/noted")]
async fn noted(before: Noted, session: Exclusive<'_, Visitor>) -> String {
    let Noted = before;
    let visitor = session.get();
    format!("{} {} {:?}", visitor.views, visitor.note, session.arrival())
}

struct Noted;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Noted {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Noted, ()> {
        let session = request.guard::<Visit<'_>>().await.unwrap();
        session.update(|visitor| visitor.note = "noted".into());
        Outcome::Success(Noted)
    }
}

#[rocket::async_test]
async fn rule_9_what_an_earlier_guard_has_changed_is_merged_onto_the_fresh_read() {
    let store = Faulty::new();
    let app = app(&store);
    let browser = asynchronous::Client::untracked(app.rocket().mount("/", routes![noted])).await.unwrap();
    let session = site::record(app.clock.seconds());
    let session = Record { data: r#"{"views":1}"#.into(), ..session };
    let another = Record { id: Id::random().unwrap(), ..session.clone() };
    store.keep(&session).await;
    store.keep(&another).await;
    let ask = async |session: &Record| {
        let sent = Header::new("Cookie", cookie_of(KEY, &session.id));
        browser.get("/noted").header(sent).dispatch().await.into_string().await.unwrap()
    };
    store.next("lock", Act::Meanwhile(|record| record.data = r#"{"views":5}"#.into()));
    assert_eq!(ask(&session).await, "5 noted Resumed");
    store.next("lock", Act::Forget);
    assert_eq!(ask(&session).await, "0  Revoked", "what was changed of a session that has ended is dropped");
    store.next(
        "lock",
        Act::Meanwhile(|record| {
            (record.subject, record.data) = (Some("bob".into()), r#"{"views":7,"user":"bob"}"#.into());
        }),
    );
    assert_eq!(ask(&another).await, "7  Resumed", "and so it is if the session is somebody else's by now");
}

/// Somebody has proven who they are, and asks to be remembered, before the handler has its turn.
#[get("/proven/<name>")]
async fn proven(before: Proven, session: Exclusive<'_, Visitor>, name: &str) -> String {
    let Proven = before;
    format!("{name} {}", session.get().views)
}

struct Proven;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Proven {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Proven, ()> {
        let session = request.guard::<Visit<'_>>().await.unwrap();
        let name = request.param::<String>(1).unwrap().unwrap();
        session.sign_in(|visitor| visitor.user = Some(name));
        session.remember();
        Outcome::Success(Proven)
    }
}

#[test]
fn rule_9_what_was_proven_before_the_turn_counts_after_it() {
    // Where the subject stays, the data is merged onto what another request has written meanwhile.
    for (before, views) in [("/visits", "1"), ("/login/ada", "5")] {
        let store = Faulty::new();
        let app = app(&store);
        let browser = Client::tracked(app.rocket().mount("/", routes![proven])).unwrap();
        fetch(&browser, before);
        let old = store.records()[0].id;
        app.advance(time::Duration::seconds(5));
        if views == "5" {
            store.next("lock", Act::Meanwhile(|record| record.data = r#"{"views":5,"user":"ada"}"#.into()));
        }
        assert_eq!(fetch(&browser, "/proven/ada"), format!("ada {views}"));
        let records = store.records();
        let [record] = &records[..] else { panic!("{records:?}") };
        assert_ne!(record.id, old, "a new id");
        assert_eq!((record.subject.as_deref(), record.remembered), (Some("ada"), true));
        assert_eq!(record.signed_in, Some(app.clock.seconds()));
    }
}

/// Ends the session, and says whether another request had its turn before this one was answered.
#[get("/exclusive/ends")]
async fn ends(session: Exclusive<'_, Visitor>, turns: &State<Turns>) -> String {
    session.destroy();
    for _ in 0..100 {
        rocket::tokio::task::yield_now().await;
    }
    turns.0.load(Ordering::SeqCst).to_string()
}

#[get("/exclusive/turn")]
fn turn(_session: Exclusive<'_, Visitor>, turns: &State<Turns>) {
    turns.0.fetch_add(1, Ordering::SeqCst);
}

#[derive(Default)]
struct Turns(AtomicUsize);

#[rocket::async_test]
async fn a_turn_lasts_until_the_answer_also_when_the_session_is_ended() {
    let store = Faulty::new();
    let rocket = app(&store).rocket().mount("/", routes![ends, turn]).manage(Turns::default());
    let browser = asynchronous::Client::tracked(rocket).await.unwrap();
    browser.get("/visits").dispatch().await;
    let (ended, _) = rocket::tokio::join!(
        browser.get("/exclusive/ends").dispatch(),
        browser.get("/exclusive/turn").dispatch()
    );
    assert_eq!(ended.into_string().await.as_deref(), Some("0"));
    assert!(store.records().is_empty());
}

//! Realms: each path prefix with its own cookie, store and settings.

use rocket::http::Status;
use rocket::local::blocking::Client;
use rocket::{Route, get, routes};
use sealed_sessions::{Realms, Timeouts, store};
use time::Duration;

use crate::log;
use crate::site::Visitor;
use crate::support::{App, get};

const TWO: &str = "
[default.session]
idle_timeout = \"10 minutes\"
[default.session.realms.\"/a\"]
cookie = \"__Host-a\"
[default.session.realms.\"/a/deep\"]
cookie = \"__Host-deep\"
idle_timeout = \"1 minute\"
[default.session.realms.\"/b\"]
cookie = \"__Host-b\"
store = \"other\"
";

/// The store of `/b`: a server store if one is built in.
const OTHER: &str = if cfg!(feature = "memory") { "memory" } else { "cookie" };

#[get("/")]
async fn all(realms: Realms<'_, Visitor>) -> String {
    let mut text = String::new();
    for path in realms.paths() {
        match realms.session(path).await {
            Ok(session) => text += &format!("{path}={} ", session.get().views),
            Err(error) => text += &format!("{path}: {error} "),
        }
    }
    text
}

fn start() -> (App, Client) {
    start_with(Vec::new())
}

/// With more routes, outside of every realm.
fn start_with(more: Vec<Route>) -> (App, Client) {
    mounted(App::new(TWO), more)
}

fn mounted(app: App, more: Vec<Route>) -> (App, Client) {
    let other = store::open(OTHER, "__Host-b").unwrap();
    let app = app.store("other", other);
    let routes: Vec<_> = app.rocket().routes().cloned().collect();
    let mut rocket = app.rocket().mount("/", routes![all]).mount("/", more);
    for base in ["/a", "/a/deep", "/b", "/ab"] {
        rocket = rocket.mount(base, routes.clone()).mount(base, routes![here]);
    }
    (app, Client::tracked(rocket).unwrap())
}

#[test]
fn each_realm_has_its_own_session() {
    let (_, browser) = start();
    for _ in 0..3 {
        get(&browser, "/a/visits");
    }
    get(&browser, "/b/visits");
    assert_eq!(get(&browser, "/"), "/a=3 /a/deep=0 /b=1 ");
    let names: Vec<_> = browser.cookies().iter().map(|cookie| cookie.name().to_owned()).collect();
    assert!(names.len() == 2 && names.contains(&"__Host-a".into()) && names.contains(&"__Host-b".into()));
}

#[test]
fn a_realm_is_the_longest_prefix_by_whole_decoded_segments() {
    let (_, browser) = start();
    get(&browser, "/a/deep/visits");
    get(&browser, "/%61/visits");
    get(&browser, "/%61/d%65ep/visits");
    assert_eq!(get(&browser, "/"), "/a=1 /a/deep=2 /b=0 ");
}

#[test]
fn outside_every_realm_a_session_is_a_logged_500() {
    let (_, browser) = start();
    for path in ["/visits", "/ab/visits"] {
        log::lines();
        assert_eq!(browser.get(path).dispatch().status(), Status::InternalServerError, "{path}");
        assert_eq!(
            log::lines(),
            [format!("ERROR a session was asked for at {path}, which lies in no realm")]
        );
    }
}

#[test]
fn a_realm_takes_what_it_does_not_set_from_above() {
    let (app, browser) = start();
    get(&browser, "/a/visits");
    get(&browser, "/a/deep/visits");
    app.advance(Duration::minutes(2));
    assert_eq!(get(&browser, "/a/read"), "1 Resumed");
    assert_eq!(get(&browser, "/a/deep/read"), "0 Expired(Idle)");
    app.advance(Duration::minutes(10));
    assert_eq!(get(&browser, "/a/read"), "0 Expired(Idle)");
}

#[test]
fn a_cookie_of_one_realm_is_nothing_in_another() {
    let (_, browser) = start();
    get(&browser, "/a/visits");
    let mut moved = browser.cookies().get("__Host-a").unwrap().clone();
    moved.set_name("__Host-deep");
    let response = browser.get("/a/deep/read").cookie(moved).dispatch();
    assert_eq!(response.into_string().as_deref(), Some("0 Invalid(Seal)"));
}

/// The realm of the page's own path.
#[get("/here")]
fn here(realms: Realms<'_, Visitor>) -> String {
    realms.here().unwrap_or("none").into()
}

/// What the settings say of a realm.
#[get("/about?<path>")]
async fn about(realms: Realms<'_, Visitor>, path: &str) -> String {
    let seconds = |timeouts: Timeouts| (timeouts.idle, timeouts.absolute);
    let (signed_in, remembered) = (realms.timeouts(path), realms.remembered_timeouts(path));
    let read = realms.read_only(path).await.map(|session| (session.realm(), session.get().views));
    format!(
        "{:?} {:?} {:?} {:?}",
        realms.store_name(path),
        signed_in.map(seconds),
        remembered.map(seconds),
        read
    )
}

#[test]
fn a_page_anywhere_can_tell_what_each_realm_is() {
    let (_, browser) = start_with(routes![here, about]);
    get(&browser, "/a/visits");
    for (path, realm) in
        [("/here", "none"), ("/a/deep/here", "/a/deep"), ("/b/here", "/b"), ("/ab/here", "none")]
    {
        assert_eq!(get(&browser, path), realm);
    }
    let about = |path: &str| get(&browser, &format!("/about?path={path}"));
    let remembered = "Some((1209600, 2592000))";
    assert_eq!(about("/a"), format!("Some(\"cookie\") Some((600, 43200)) {remembered} Ok((\"/a\", 1))"));
    assert_eq!(
        about("/a/deep"),
        format!("Some(\"cookie\") Some((60, 43200)) {remembered} Ok((\"/a/deep\", 0))")
    );
    assert!(about("/b").starts_with("Some(\"other\") "), "{}", about("/b"));
    assert_eq!(about("/c"), "None None None Err(OutsideEveryRealm)");
}

#[cfg(feature = "memory")]
#[get("/end?<path>&<subject>")]
async fn end(realms: Realms<'_, Visitor>, path: &str, subject: &str) -> String {
    format!("{:?} {:?}", realms.powers(path), realms.end_subject(path, subject).await)
}

#[test]
#[cfg(feature = "memory")]
fn the_sessions_of_a_subject_end_in_another_realm_if_that_can_end_them() {
    let ear = crate::ear::Ear::default();
    let (_, browser) = mounted(App::new(TWO).listener(&ear), routes![end]);
    for realm in ["/a", "/b"] {
        get(&browser, &format!("{realm}/user/mallory"));
        assert!(get(&browser, &format!("{realm}/all")).contains("user=Some"), "{realm}");
    }
    let end = |path, subject| get(&browser, &format!("/end?path={path}&subject={subject}"));
    assert_eq!(end("/b", "nobody"), "Some(Lists) Ok(Sessions(0))");
    ear.events();
    assert_eq!(end("/b", "mallory"), "Some(Lists) Ok(Sessions(1))");
    let heard = ear.events();
    assert_eq!((heard.len(), heard[0].kind.name(), &*heard[0].realm), (1, "all_ended", "/b"), "{heard:?}");
    assert!(heard[0].subject.as_deref() == Some("mallory") && heard[0].request.is_some());
    assert!(get(&browser, "/b/all").contains("Revoked views=0 user=None"), "{}", get(&browser, "/b/all"));
    assert_eq!(end("/a", "mallory"), "Some(Nothing) Ok(Unable)");
    assert!(get(&browser, "/a/all").contains("user=Some"), "it cannot be ended");
    assert_eq!(end("/c", "mallory"), "None Err(OutsideEveryRealm)");
}

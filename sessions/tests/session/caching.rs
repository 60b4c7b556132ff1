//! Rule 11: what was built from a session is for one browser only.

use rocket::http::{Cookie, Header};
use rocket::local::blocking::Client;
use rocket::{Responder, get, routes};
use sealed_sessions::{Session, SessionData, Sessions, testing};
use serde::{Deserialize, Serialize};

#[derive(Default, Clone, Serialize, Deserialize)]
struct Visitor {
    views: u64,
}

impl SessionData for Visitor {}

#[derive(Responder)]
struct Policy {
    text: String,
    policy: Header<'static>,
}

#[get("/read?<policy>")]
fn read(session: Session<'_, Visitor>, policy: String) -> Policy {
    Policy { text: session.get().views.to_string(), policy: Header::new("Cache-Control", policy) }
}

#[get("/change?<policy>")]
fn change(session: Session<'_, Visitor>, policy: String) -> Policy {
    session.update(|visitor| visitor.views += 1);
    Policy { text: String::new(), policy: Header::new("Cache-Control", policy) }
}

#[get("/plain")]
fn plain(session: Session<'_, Visitor>) -> String {
    session.get().views.to_string()
}

/// The headers `Cache-Control` and `Vary` of a page.
fn policy(client: &Client, path: &'static str, cookie: &str) -> (String, Option<String>) {
    let response = client.get(path).cookie(Cookie::new("__Host-Http-session", cookie.to_owned())).dispatch();
    let policies: Vec<&str> = response.headers().get("Cache-Control").collect();
    (policies.join(" | "), response.headers().get_one("Vary").map(str::to_owned))
}

#[test]
fn rule_11_no_shared_cache_keeps_a_sessions_cookie() {
    crate::log::install();
    let rocket = rocket::custom(testing::figment()).attach(Sessions::<Visitor>::fairing());
    let client = Client::untracked(rocket.mount("/", routes![read, change, plain])).unwrap();
    let set = client.get("/change?policy=no-store").dispatch();
    let line = set.headers().get_one("Set-Cookie").unwrap();
    let cookie = line.split(';').next().unwrap().split_once('=').unwrap().1.to_owned();
    drop(set);
    let vary = || Some("Cookie".to_owned());
    assert_eq!(policy(&client, "/plain", &cookie), ("no-store".into(), None), "our own policy needs no Vary");
    assert_eq!(
        policy(&client, "/read?policy=public,max-age=60", &cookie),
        ("public,max-age=60".into(), vary())
    );
    assert_eq!(policy(&client, "/change?policy=public,max-age=60", &cookie), ("no-store".into(), None));
    assert_eq!(policy(&client, "/change?policy=max-age=60", &cookie), ("no-store".into(), None));
    assert_eq!(
        policy(&client, "/change?policy=Private,max-age=60", &cookie),
        ("Private,max-age=60".into(), vary())
    );
    assert_eq!(policy(&client, "/change?policy=no-store", &cookie), ("no-store".into(), vary()));
}

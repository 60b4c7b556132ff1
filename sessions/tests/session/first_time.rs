//! Rule 14: a sign-in works the first time, and no other site's request and no late answer signs anyone out.

use std::sync::Arc;

use rocket::figment::providers::{Format, Toml};
use rocket::http::{ContentType, Cookie, Header, Status};
use rocket::local::blocking::{Client, LocalResponse};
use rocket::{FromForm, get, post, routes};
use sealed_sessions::forms::Protected;
use sealed_sessions::testing::{self, ManualClock};
use sealed_sessions::{ReadOnly, Session, SessionData, Sessions};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

const NAME: &str = "__Host-Http-session";

#[derive(Default, Clone, Serialize, Deserialize)]
struct Visitor {
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    cart: Vec<String>,
}

impl SessionData for Visitor {
    fn subject(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.user.as_deref().map(Into::into)
    }
}

type Visit<'r> = Session<'r, Visitor>;

#[derive(FromForm)]
struct Password {
    password: String,
}

#[get("/form")]
fn form(session: Visit<'_>) -> String {
    session.form_token()
}

#[get("/add/<item>")]
fn add(session: Visit<'_>, item: String) {
    session.update(|visitor| visitor.cart.push(item));
}

#[post("/login", data = "<form>")]
fn login(form: Protected<Password>, session: Visit<'_>) -> Result<(), Status> {
    if form.into_inner().password != "right" {
        return Err(Status::Unauthorized);
    }
    session.sign_in(|visitor| visitor.user = Some("ada".into()));
    Ok(())
}

#[post("/again", data = "<form>")]
fn again(form: Protected<Password>, session: Visit<'_>) {
    drop(form);
    session.sign_in(|visitor| visitor.user = Some("ada".into()));
}

#[get("/api")]
fn api(session: Visit<'_>) -> Result<String, Status> {
    session.get().user.clone().ok_or(Status::Unauthorized)
}

#[post("/logout")]
fn logout(session: Visit<'_>) {
    session.destroy();
}

#[get("/who")]
fn who(session: Visit<'_>) -> String {
    let visitor = session.get();
    format!("{} {}", visitor.user.as_deref().unwrap_or("nobody"), visitor.cart.join("+"))
}

#[get("/poll")]
fn poll(session: ReadOnly<'_, Visitor>) -> String {
    format!("{:?}", session.arrival())
}

struct World {
    client: Client,
    clock: Arc<ManualClock>,
}

impl World {
    fn new(settings: &str) -> World {
        crate::log::install();
        let clock = Arc::new(ManualClock::at(OffsetDateTime::now_utc()));
        let figment = testing::figment().merge(Toml::string(&format!("[session]\n{settings}")));
        let rocket = rocket::custom(figment).attach(Sessions::<Visitor>::fairing().clock(clock.clone()));
        let rocket = rocket.mount("/", routes![form, add, login, again, api, logout, who, poll]);
        World { client: Client::untracked(rocket).unwrap(), clock }
    }

    /// Gets a page with this cookie; its text and the cookie that the browser has afterwards.
    fn get(&self, path: &'static str, cookie: Option<&str>) -> (String, Option<String>) {
        let request = self.client.get(path);
        let response = match cookie {
            Some(value) => request.cookie(Cookie::new(NAME, value.to_owned())).dispatch(),
            None => request.dispatch(),
        };
        let kept = kept(&response, cookie);
        (response.into_string().unwrap_or_default(), kept)
    }

    fn post(
        &self,
        path: &'static str,
        cookie: &str,
        token: &str,
        password: &str,
    ) -> (Status, Option<String>) {
        let request = self.client.post(path).header(ContentType::Form);
        let request = request.cookie(Cookie::new(NAME, cookie.to_owned()));
        let response = request.body(format!("csrf_token={token}&password={password}")).dispatch();
        (response.status(), kept(&response, Some(cookie)))
    }
}

/// The cookie after a response: `None` if it was removed.
fn kept(response: &LocalResponse<'_>, before: Option<&str>) -> Option<String> {
    let Some(line) = response.headers().get("Set-Cookie").next() else { return before.map(str::to_owned) };
    let (_, value) = line.split(';').next().unwrap().split_once('=').unwrap();
    if line.contains("Max-Age=0") { None } else { Some(value.to_owned()) }
}

const STORES: &[&str] = if cfg!(feature = "memory") { &["cookie", "memory"] } else { &["cookie"] };

#[test]
fn rule_14_who_clicks_twice_is_signed_in_by_either_answer_with_the_cart() {
    for store in STORES {
        let world = World::new(&format!("store = \"{store}\""));
        let (token, cookie) = world.get("/form", None);
        let (_, cookie) = world.get("/add/apple", cookie.as_deref());
        let cookie = cookie.unwrap();
        for click in ["first", "second", "third"] {
            let (status, signed_in) = world.post("/login", &cookie, &token, "right");
            assert_eq!(status, Status::Ok, "{store}: the {click} click");
            let (who, _) = world.get("/who", signed_in.as_deref());
            assert_eq!(who, "ada apple", "{store}: the {click} click");
        }
        let (status, _) = world.post("/login", &cookie, &token, "wrong");
        assert_eq!(status, Status::Unauthorized, "{store}");
    }
}

#[test]
fn rule_14_after_a_lost_answer_the_form_opens_again_and_works_at_once() {
    for store in STORES {
        let world = World::new(&format!("store = \"{store}\""));
        let (token, cookie) = world.get("/form", None);
        let cookie = cookie.unwrap();
        world.post("/login", &cookie, &token, "right");
        // The answer never came: the browser still has the old cookie.
        let (fresh, kept) = world.get("/form", Some(&cookie));
        let (status, signed_in) = world.post("/login", kept.as_deref().unwrap(), &fresh, "right");
        assert_eq!(status, Status::Ok, "{store}");
        assert_eq!(world.get("/who", signed_in.as_deref()).0, "ada ", "{store}");
    }
}

#[test]
fn rule_14_the_password_given_again_works_after_a_lost_answer_too() {
    for store in STORES {
        let world = World::new(&format!("store = \"{store}\""));
        let (token, cookie) = world.get("/form", None);
        let (_, cookie) = world.post("/login", &cookie.unwrap(), &token, "right");
        let cookie = cookie.unwrap();
        let (token, _) = world.get("/form", Some(&cookie));
        world.post("/again", &cookie, &token, "right");
        let (who, _) = world.get("/who", Some(&cookie));
        let left = if *store == "cookie" { "ada " } else { "nobody " };
        assert_eq!(who, left, "{store}: a renewed session of a subject leaves nothing");
        let (token, _) = world.get("/form", Some(&cookie));
        let (status, signed_in) = world.post("/login", &cookie, &token, "right");
        assert_eq!(status, Status::Ok, "{store}");
        assert_eq!(world.get("/who", signed_in.as_deref()).0, "ada ", "{store}");
    }
}

#[test]
#[cfg(feature = "memory")]
fn rule_14_a_superseded_cookie_sets_and_keeps_nothing_and_its_logout_ends_what_it_became() {
    let world = World::new("store = \"memory\"");
    let (token, cookie) = world.get("/form", None);
    let old = cookie.unwrap();
    let (_, new) = world.post("/login", &old, &token, "right");
    let new = new.unwrap();
    let response = world.client.get("/add/pear").cookie(Cookie::new(NAME, old.clone())).dispatch();
    assert_eq!(response.headers().get("Set-Cookie").count(), 0);
    drop(response);
    assert_eq!(world.get("/who", Some(&new)).0, "ada ", "nothing of it is kept");
    world.client.post("/logout").cookie(Cookie::new(NAME, old)).dispatch();
    assert_eq!(world.get("/who", Some(&new)).0, "nobody ", "what it became has ended");
}

#[test]
#[cfg(feature = "memory")]
fn rule_14_nobody_is_followed_from_an_old_cookie_to_the_new_session() {
    let world = World::new("store = \"memory\"");
    let (token, cookie) = world.get("/form", None);
    let old = cookie.unwrap();
    world.post("/login", &old, &token, "right");
    assert_eq!(world.get("/who", Some(&old)).0, "nobody ");
    world.clock.advance(Duration::seconds(61));
    assert_eq!(world.get("/poll", Some(&old)).0, "Revoked");
}

#[test]
#[cfg(feature = "memory")]
fn a_client_is_told_superseded_from_signed_out() {
    let world = World::new("store = \"memory\"");
    let (token, cookie) = world.get("/form", None);
    let old = cookie.unwrap();
    let state = |cookie: Option<&str>| {
        let request = world.client.get("/api");
        let request = match cookie {
            Some(value) => request.cookie(Cookie::new(NAME, value.to_owned())),
            None => request,
        };
        let response = request.dispatch();
        (response.status().code, response.headers().get_one("Session-State").map(str::to_owned))
    };
    assert_eq!(state(Some(&old)), (401, None));
    world.post("/login", &old, &token, "right");
    assert_eq!(state(Some(&old)), (401, Some("superseded".into())));
    assert_eq!(state(None), (401, None));
}

#[test]
fn rule_14_a_request_that_another_site_made_sets_no_cookie() {
    let world = World::new("");
    let set = |request: rocket::local::blocking::LocalRequest<'_>,
               headers: &[(&'static str, &'static str)]| {
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(Header::new(*name, *value)));
        request.dispatch().headers().get("Set-Cookie").count()
    };
    let add = || world.client.get("/add/apple");
    let cross = ("Sec-Fetch-Site", "cross-site");
    let link = [cross, ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")];
    assert_eq!(set(add(), &[]), 1, "a client that says nothing");
    assert_eq!(set(add(), &[("Sec-Fetch-Site", "same-origin")]), 1);
    assert_eq!(set(add(), &[("Sec-Fetch-Site", "same-site")]), 1, "SameSite is about sites");
    assert_eq!(set(add(), &link), 1, "a link that was followed carries a Lax cookie");
    assert_eq!(set(add(), &[cross, ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")]), 0);
    assert_eq!(set(add(), &[cross, ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")]), 0);
    assert_eq!(set(add(), &[("Origin", "https://evil.example")]), 0, "without Sec-Fetch-Site");
    let form = || {
        let request = world.client.post("/add/apple").header(ContentType::Form);
        request.body("_method=get")
    };
    assert_eq!(set(form(), &link), 0, "what was a POST on the wire stays one");
    let strict = World::new("same_site = \"Strict\"");
    let headers: Vec<_> = link.into_iter().collect();
    let request = headers.iter().fold(strict.client.get("/add/apple"), |request, (name, value)| {
        request.header(Header::new(*name, *value))
    });
    assert_eq!(request.dispatch().headers().get("Set-Cookie").count(), 0, "Strict: not even a link");
}

#[test]
fn rule_3_a_dead_or_foreign_cookie_is_not_removed() {
    let world = World::new("");
    let (_, cookie) = world.get("/add/apple", None);
    let cookie = cookie.unwrap();
    world.clock.advance(Duration::minutes(31));
    for value in [cookie.as_str(), "junk", ""] {
        let response = world.client.get("/who").cookie(Cookie::new(NAME, value.to_owned())).dispatch();
        assert_eq!(response.headers().get("Set-Cookie").count(), 0, "{value}");
    }
}

#[test]
#[cfg(feature = "memory")]
fn rule_14_a_page_under_a_dead_cookie_replaces_no_sign_in_that_came_with_it() {
    let world = World::new("store = \"memory\"");
    let (_, dead) = world.get("/add/apple", None);
    let dead = dead.unwrap();
    world.clock.advance(Duration::minutes(31));
    // Two tabs that were restored: one signs in, the other one's page was still loading.
    let (token, fresh) = world.get("/form", Some(&dead));
    let (_, signed_in) = world.post("/login", &fresh.unwrap(), &token, "right");
    assert_eq!(world.get("/who", signed_in.as_deref()).0, "ada ");
}

#[test]
fn a_session_that_is_only_read_is_not_kept_alive() {
    for store in STORES {
        let world = World::new(&format!("store = \"{store}\""));
        let (_, cookie) = world.get("/add/apple", None);
        for _ in 0..4 {
            world.clock.advance(Duration::minutes(7));
            let (arrival, kept) = world.get("/poll", cookie.as_deref());
            assert_eq!((arrival.as_str(), &kept), ("Resumed", &cookie), "{store}");
        }
        world.clock.advance(Duration::minutes(3));
        assert_ne!(world.get("/poll", cookie.as_deref()).0, "Resumed", "{store}");
    }
}

#[test]
fn rule_1_a_quoted_value_opens() {
    let world = World::new("");
    let (_, cookie) = world.get("/add/apple", None);
    let header = Header::new("Cookie", format!("{NAME}=\"{}\"", cookie.unwrap()));
    assert_eq!(world.client.get("/who").header(header).dispatch().into_string().unwrap(), "nobody apple");
}

#[test]
fn rule_5_both_timeouts_restart_with_proof() {
    for store in STORES {
        let world = World::new(&format!("store = \"{store}\"\nidle_timeout = \"12 hours\""));
        let (token, cookie) = world.get("/form", None);
        world.clock.advance(Duration::hours(11) + Duration::minutes(59));
        let (_, signed_in) = world.post("/login", &cookie.unwrap(), &token, "right");
        world.clock.advance(Duration::hours(11));
        assert_eq!(world.get("/who", signed_in.as_deref()).0, "ada ", "{store}");
        let (_, used) = world.get("/who", signed_in.as_deref());
        world.clock.advance(Duration::minutes(61));
        assert_eq!(
            world.get("/who", used.as_deref()).0,
            "nobody ",
            "{store}: twelve hours after the sign-in"
        );
    }
}

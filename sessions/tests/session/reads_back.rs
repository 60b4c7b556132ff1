//! What is written can be read: by this release, by the one before and by the one after.

use std::collections::{HashMap, HashSet};

use rocket::figment::Figment;
use rocket::http::{Cookie, Status};
use rocket::local::blocking::Client;
use rocket::{Build, Rocket, Route, get, routes};
use sealed_sessions::testing::figment;
use sealed_sessions::{Session, SessionData, Sessions};
use serde::{Deserialize, Serialize};

use crate::log;
use crate::support::{COOKIE, get as body, set_cookies};

fn app<T: SessionData>(figment: &Figment, routes: Vec<Route>) -> Rocket<Build> {
    log::install();
    rocket::custom(figment.clone()).attach(Sessions::<T>::fairing()).mount("/", routes)
}

fn browser<T: SessionData>(figment: &Figment, routes: Vec<Route>) -> Client {
    Client::tracked(app::<T>(figment, routes)).unwrap()
}

/// Two releases behind one address, and the browser's cookie.
struct Deploy {
    old: Client,
    new: Client,
    cookie: Option<Cookie<'static>>,
}

impl Deploy {
    fn new<Old: SessionData, New: SessionData>(old: Vec<Route>, new: Vec<Route>) -> Deploy {
        let figment = figment();
        let client = |app| Client::untracked(app).unwrap();
        Deploy {
            old: client(app::<Old>(&figment, old)),
            new: client(app::<New>(&figment, new)),
            cookie: None,
        }
    }

    /// What a release answers, and whether it has set the cookie.
    fn get(&mut self, release: fn(&Deploy) -> &Client, path: &str) -> (String, bool) {
        let request = release(self).get(path.to_owned()).cookies(self.cookie.clone());
        let response = request.dispatch();
        let set = response.cookies().get(COOKIE).map(|cookie| cookie.clone().into_owned());
        let text = response.into_string().unwrap_or_default();
        let has_set = set.is_some();
        self.cookie = set.or(self.cookie.take());
        (text, has_set)
    }

    fn old(&mut self, path: &str) -> (String, bool) {
        self.get(|deploy| &deploy.old, path)
    }

    fn new_one(&mut self, path: &str) -> (String, bool) {
        self.get(|deploy| &deploy.new, path)
    }
}

#[derive(Default, Clone, Serialize, Deserialize)]
struct Basket {
    items: u32,
    discount: f64,
    #[serde(with = "lossy")]
    rounded: i64,
}

impl SessionData for Basket {}

/// Writes something else than it reads.
mod lossy {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &i64, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(*value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
        Ok(i64::deserialize(from)? / 10 * 10)
    }
}

#[get("/add")]
fn add(session: Session<'_, Basket>) -> String {
    session.update(|basket| basket.items += 1);
    session.get().items.to_string()
}

#[get("/divide")]
fn divide(session: Session<'_, Basket>) -> &'static str {
    session.update(|basket| {
        basket.items += 1;
        basket.discount = f64::INFINITY - f64::from(basket.items) / 0.0;
    });
    "divided"
}

#[get("/round/<value>")]
fn round(session: Session<'_, Basket>, value: i64) -> String {
    session.update(|basket| basket.rounded = value);
    value.to_string()
}

#[test]
fn a_change_that_would_not_read_back_is_a_500_that_names_the_field_and_the_old_session_goes_on() {
    let browser = browser::<Basket>(&figment(), routes![add, divide, round]);
    assert_eq!(body(&browser, "/add"), "1");
    for (path, field) in [("/divide", "\"discount\""), ("/round/11", "\"rounded\"")] {
        let response = browser.get(path).dispatch();
        assert_eq!(
            (response.status(), set_cookies(&response).len()),
            (Status::InternalServerError, 0),
            "{path}"
        );
        let line = log::lines().into_iter().rfind(|line| line.contains("read back")).unwrap();
        assert!(line.contains(&format!("look at {field};")), "{line}");
    }
    assert_eq!(body(&browser, "/round/20"), "20");
    assert_eq!(body(&browser, "/add"), "2", "only what could be kept counts");
}

#[test]
fn a_first_session_that_would_not_read_back_is_a_500_too() {
    let browser = browser::<Basket>(&figment(), routes![divide]);
    let response = browser.get("/divide").dispatch();
    assert_eq!((response.status(), set_cookies(&response).len()), (Status::InternalServerError, 0));
}

#[derive(Default, Clone, Serialize, Deserialize)]
struct Unordered {
    tags: HashSet<String>,
    counts: HashMap<String, u32>,
}

impl SessionData for Unordered {}

#[get("/fill")]
fn fill(session: Session<'_, Unordered>) -> String {
    session.update(|unordered| {
        for n in 0..20 {
            unordered.tags.insert(n.to_string());
            unordered.counts.insert(n.to_string(), n);
        }
    });
    format!("{} {}", session.get().tags.len(), session.get().counts.len())
}

#[test]
fn sets_and_maps_read_back_in_any_order() {
    let browser = browser::<Unordered>(&figment(), routes![fill]);
    let response = browser.get("/fill").dispatch();
    assert_eq!(set_cookies(&response).len(), 1);
    assert_eq!(response.into_string().unwrap(), "20 20");
}

#[derive(Default, Clone, Serialize, Deserialize)]
struct Unread {
    #[serde(skip_serializing)]
    #[expect(dead_code, reason = "its name is the test")]
    secret_answer: u32,
}

impl SessionData for Unread {}

#[test]
fn a_type_that_does_not_read_its_own_default_refuses_the_launch() {
    match Client::untracked(app::<Unread>(&figment(), Vec::new())) {
        Ok(_) => panic!("this launches"),
        // Rocket's errors panic when they are dropped without being inspected.
        Err(error) => drop(error.kind().to_string()),
    }
    let line = log::lines().into_iter().rfind(|line| line.contains("Unread")).unwrap();
    assert!(line.contains("does not read its own default back: missing field `secret_answer`"), "{line}");
}

/// An object while somebody shops, and no object when nobody does.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Shopper {
    Somebody { items: u32 },
    Nobody,
}

impl Default for Shopper {
    fn default() -> Shopper {
        Shopper::Somebody { items: 0 }
    }
}

impl SessionData for Shopper {}

#[get("/shop")]
fn shop(session: Session<'_, Shopper>) -> String {
    session.update(|shopper| *shopper = Shopper::Somebody { items: 3 });
    format!("{:?}", session.arrival())
}

#[get("/leave")]
fn leave(session: Session<'_, Shopper>) {
    session.update(|shopper| *shopper = Shopper::Nobody);
}

#[test]
fn data_that_is_no_object_is_a_500_and_the_old_session_goes_on() {
    let browser = browser::<Shopper>(&figment(), routes![shop, leave]);
    body(&browser, "/shop");
    assert_eq!(browser.get("/leave").dispatch().status(), Status::InternalServerError);
    assert_eq!(body(&browser, "/shop"), "Resumed");
}

/// The release before.
#[derive(Default, Clone, Serialize, Deserialize)]
struct Before {
    views: u32,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    cart: Cart,
}

#[derive(Default, Clone, Serialize, Deserialize)]
struct Cart {
    items: u32,
}

impl SessionData for Before {
    fn subject(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.user.as_deref().map(Into::into)
    }
}

#[get("/view")]
fn view_before(session: Session<'_, Before>) -> String {
    session.update(|before| {
        before.views += 1;
        before.cart.items += 1;
    });
    session.get().views.to_string()
}

#[get("/look")]
fn look_before(session: Session<'_, Before>) -> String {
    session.update(|_| ());
    format!("{} {:?}", session.get().views, session.arrival())
}

#[get("/login")]
fn login_before(session: Session<'_, Before>) {
    session.sign_in(|before| before.user = Some("ada".into()));
}

/// The release after: one field more, and one with a new name.
#[derive(Default, Clone, Serialize, Deserialize)]
struct After {
    #[serde(alias = "views")]
    visits: u32,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    theme: String,
}

impl SessionData for After {
    fn subject(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.user.as_deref().map(Into::into)
    }
}

#[get("/theme/<theme>")]
fn theme_after(session: Session<'_, After>, theme: &str) {
    session.update(|after| after.theme = theme.into());
}

#[get("/look")]
fn look_after(session: Session<'_, After>) -> String {
    let after = session.get();
    format!("{} {}", after.visits, after.theme)
}

/// The release after, with `views` as it was.
#[derive(Default, Clone, Serialize, Deserialize)]
struct Next {
    views: u32,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    theme: String,
    #[serde(default)]
    cart: NextCart,
}

#[derive(Default, Clone, Serialize, Deserialize)]
struct NextCart {
    items: u32,
    #[serde(default)]
    coupon: String,
}

impl SessionData for Next {
    fn subject(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.user.as_deref().map(Into::into)
    }
}

#[get("/theme/<theme>")]
fn theme_next(session: Session<'_, Next>, theme: &str) {
    session.update(|next| {
        next.theme = theme.into();
        next.cart.coupon = theme.into();
    });
}

#[get("/look")]
fn look_next(session: Session<'_, Next>) -> String {
    let next = session.get();
    format!("{} {} {} {}", next.views, next.theme, next.cart.items, next.cart.coupon)
}

#[test]
fn an_older_release_keeps_the_fields_of_a_newer_one_until_the_subject_changes() {
    let old = routes![view_before, look_before, login_before];
    let mut deploy = Deploy::new::<Before, Next>(old, routes![theme_next, look_next]);
    deploy.new_one("/theme/dark");
    assert_eq!(deploy.old("/look"), ("0 Resumed".into(), false), "a no-op of the old release writes nothing");
    assert_eq!(deploy.old("/view"), ("1".into(), true));
    assert_eq!(deploy.new_one("/look").0, "1 dark 1 dark");
    deploy.old("/login");
    assert_eq!(deploy.new_one("/look").0, "1  1 ", "what is another subject's is not kept");
}

#[test]
fn a_field_that_was_renamed_is_written_once() {
    let mut deploy = Deploy::new::<Before, After>(routes![view_before], routes![theme_after, look_after]);
    deploy.old("/view");
    deploy.new_one("/theme/dark");
    assert_eq!(deploy.new_one("/look").0, "1 dark");
}

#[test]
fn data_that_cannot_be_read_any_more_is_warned_of_once_a_minute() {
    let mut deploy = Deploy::new::<Before, After>(routes![look_before], routes![theme_after]);
    deploy.new_one("/theme/dark");
    for _ in 0..3 {
        assert_eq!(deploy.old("/look"), ("0 Invalid(Schema)".into(), false));
    }
    let lines =
        log::lines().into_iter().filter(|line| line.contains("cannot be read as")).collect::<Vec<_>>();
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert!(line.starts_with("WARN") && line.contains("reads_back::Before"), "{line}");
    assert!(line.contains("missing field `views`"), "{line}");
}

#[cfg(feature = "memory")]
#[test]
fn what_a_newer_release_changes_meanwhile_is_no_change_of_the_older_ones() {
    use crate::faulty::{Act, Faulty};

    let store = Faulty::new();
    let figment = figment().merge(("session.store", "faulty"));
    let sessions = Sessions::<Before>::fairing().store("faulty", store.clone());
    let old =
        Client::tracked(rocket::custom(figment).attach(sessions).mount("/", routes![view_before])).unwrap();
    body(&old, "/view");
    let theme = |theme: &str, views: u32| {
        format!(r#"{{"views":{views},"user":null,"cart":{{"items":{views}}},"theme":"{theme}"}}"#)
    };
    store.next(
        "update",
        Act::Meanwhile(|record| {
            record.data = r#"{"views":1,"user":null,"cart":{"items":1},"theme":"dark"}"#.into()
        }),
    );
    body(&old, "/view");
    assert_eq!(fields(&store.records()[0].data), fields(&theme("dark", 2)));
    store.next(
        "update",
        Act::Meanwhile(|record| {
            record.data = r#"{"views":2,"user":null,"cart":{"items":2},"theme":"light"}"#.into()
        }),
    );
    body(&old, "/view");
    assert_eq!(fields(&store.records()[0].data), fields(&theme("light", 3)));
}

#[cfg(feature = "memory")]
fn fields(data: &str) -> serde_json::Value {
    serde_json::from_str(data).unwrap()
}

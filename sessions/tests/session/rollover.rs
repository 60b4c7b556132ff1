//! The setting `key_rollover`: keys that change by themselves, and what a visitor notices of it, which is nothing.

use rocket::http::{Cookie, Header};
use rocket::local::blocking::Client;
use sealed_sessions::inspect::{Inspector, KeyPeriod};
use time::Duration;
use world::KEY;

use crate::site;
use crate::support::{App, COOKIE, set_cookies};

/// The tests begin as a period does: at 1,800,000,000, a multiple of 600.
const START: i64 = 1_800_000_000;
const ROLLING: &str = "[default.session]\nkey_rollover = \"10 minutes\"";
const ITSELF: &str = "[default.session]";

/// A browser that goes from server to server.
#[derive(Default)]
struct Traveller(Option<String>);

impl Traveller {
    /// What the server answers, and whether it sets the cookie.
    fn get(&mut self, server: &Client, path: &str) -> (String, bool) {
        let mut request = server.get(path.to_owned());
        if let Some(value) = &self.0 {
            request = request.header(Header::new("Cookie", format!("{COOKIE}={value}")));
        }
        let response = request.dispatch();
        let line = set_cookies(&response).pop();
        if let Some(line) = &line {
            let value = line.split(';').next().and_then(|pair| pair.split_once('=')).unwrap().1;
            self.0 = Some(value.to_owned());
        }
        (response.into_string().unwrap_or_default(), line.is_some())
    }

    fn value(&self) -> &str {
        self.0.as_deref().unwrap()
    }
}

fn server(app: &App) -> Client {
    Client::untracked(app.rocket()).unwrap()
}

/// What Rocket's own private jar reads in a value.
fn private(value: &str) -> Option<String> {
    let key = sealed_sessions::keys::parse_key(KEY).unwrap();
    let mut jar = cookie::CookieJar::new();
    jar.add_original(Cookie::new(COOKIE, value.to_owned()));
    jar.private(&key).get(COOKIE).map(|cookie| cookie.value().to_owned())
}

#[test]
fn a_session_lives_through_many_periods() {
    let app = App::new(ROLLING);
    let (server, mut browser) = (server(&app), Traveller::default());
    for visit in 1..=70 {
        assert_eq!(browser.get(&server, "/visits").0, visit.to_string());
        app.advance(Duration::minutes(9));
    }
}

#[test]
fn rule_4_a_new_period_sets_no_cookie_until_the_session_is_sealed_anyway() {
    let app = App::new(ROLLING);
    let (server, mut browser) = (server(&app), Traveller::default());
    app.advance(Duration::seconds(599));
    browser.get(&server, "/visits");
    let before = browser.value().to_owned();
    app.advance(Duration::seconds(60));
    assert_eq!(browser.get(&server, "/read"), ("1 Resumed".into(), false));
    app.advance(Duration::seconds(1));
    assert_eq!(browser.get(&server, "/read"), ("1 Resumed".into(), true), "its last use is noted");
    let period = |value: &str| value.split('-').nth(2).map(str::to_owned);
    assert_ne!(period(browser.value()), period(&before));
}

#[test]
fn clocks_a_minute_apart_lose_no_session_at_a_boundary() {
    let (ahead, behind) = (App::new(ROLLING), App::new(ROLLING));
    behind.advance(Duration::seconds(-60));
    let servers = [server(&ahead), server(&behind)];
    let mut browser = Traveller::default();
    for visit in 1..=200_usize {
        assert_eq!(browser.get(&servers[(visit + 1) % 2], "/visits").0, visit.to_string());
        for app in [&ahead, &behind] {
            app.advance(Duration::seconds(7));
        }
    }
}

#[test]
fn turning_it_on_and_off_loses_no_session_whatever_the_form_of_its_cookie() {
    let (rolling, itself) = (server(&App::new(ROLLING)), server(&App::new(ITSELF)));
    let daily = server(&App::new("[default.session]\nkey_rollover = \"1 day\""));
    let mut browser = Traveller::default();
    browser.get(&itself, "/visits");
    for (visit, server) in (2..).zip([&rolling, &rolling, &daily, &rolling, &itself, &itself, &daily]) {
        assert_eq!(browser.get(server, "/visits").0, visit.to_string());
    }
}

#[test]
fn a_cookie_of_the_key_itself_stays_as_it_is_until_it_is_sealed_anyway() {
    let (rolling, itself) = (server(&App::new(ROLLING)), server(&App::new(ITSELF)));
    let mut browser = Traveller::default();
    browser.get(&itself, "/visits");
    assert_eq!(browser.get(&rolling, "/read"), ("1 Resumed".into(), false));
}

#[test]
fn once_it_is_off_the_next_response_seals_a_private_cookie_of_rocket_again() {
    let (rolling, itself) = (server(&App::new(ROLLING)), server(&App::new(ITSELF)));
    let mut browser = Traveller::default();
    browser.get(&rolling, "/visits");
    assert!(browser.value().starts_with("-a-2dc6c0-") && private(browser.value()).is_none());
    assert_eq!(browser.get(&itself, "/read"), ("1 Resumed".into(), true));
    assert!(private(browser.value()).unwrap().ends_with("{\"views\":1}]"));
    assert_eq!(browser.get(&itself, "/read"), ("1 Resumed".into(), false));
}

#[test]
fn one_realm_can_keep_the_key_itself_where_the_others_roll_it_over() {
    let realms = "[default.session.realms.\"/visits\"]\nkey_rollover = \"none\"\n[default.session.realms.\"/login\"]\ncookie = \"other\"";
    let server = server(&App::new(&format!("{ROLLING}\n{realms}")));
    let value = |path: &'static str| set_cookies(&server.get(path).dispatch()).pop().unwrap();
    assert!(!value("/visits").contains("=-a-"));
    assert!(value("/login/ada").starts_with("other=-a-"));
}

/// On a server store an update seals nothing, so that one seal must last for the whole session.
#[cfg(feature = "memory")]
#[test]
fn the_cookie_of_a_server_store_opens_until_its_session_ends_without_being_sealed_again() {
    let app = App::new(&format!(
        "{ROLLING}\nstore = \"memory\"\nidle_timeout = \"12 hours\"\nabsolute_timeout = \"60 days\"\nseal_at_rest = true"
    ));
    let (server, mut browser) = (server(&app), Traveller::default());
    app.advance(Duration::seconds(599));
    browser.get(&server, "/login/ada");
    for visit in 1..=143 {
        app.advance(Duration::hours(10));
        assert_eq!(browser.get(&server, "/visits"), (visit.to_string(), false));
    }
    app.advance(Duration::hours(10));
    assert!(browser.get(&server, "/read").0.starts_with("0 "), "60 days are over");
}

#[test]
fn an_inspector_says_which_period_a_cookie_was_sealed_in_with_it_on_or_off() {
    let app = App::new(ROLLING);
    let (server, mut browser) = (server(&app), Traveller::default());
    browser.get(&server, "/visits");
    let period = Some(KeyPeriod { from: START, until: START + 600 });
    for (settings, key) in [(ROLLING, "current"), (ITSELF, "previous")] {
        let inspector = Inspector::new(&site::figment(settings)).unwrap();
        let found = inspector.open(browser.value(), START).pop().unwrap();
        assert_eq!((found.key, found.period, found.problem), (Some(key), period, None));
        assert!(found.record.unwrap().data.get().contains("\"views\":1"));

        let later = inspector.open(browser.value(), START + 32 * 24 * 60 * 60).pop().unwrap();
        assert_eq!((later.key, later.period), (None, period));
        assert!(later.problem.unwrap().contains("the key of the period that it names does not open"));
    }
}

//! Hours of a site whose clock is moved by hand: what the model of `docs/at-scale.md` says of bytes and operations is
//! what the app does. `lab load` cannot show it, since its rounds are shorter than the minute after which a request that
//! only reads writes too.

use std::sync::Arc;
use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use rocket::http::Header;
use rocket::local::blocking::{Client, LocalRequest};
use sealed_sessions::Clock;
use sealed_sessions::testing::{self, ManualClock};
use time::macros::datetime;

use super::client::name_of;
use super::counts::Counts;
use super::model::{ID, SET_COOKIE, cookie, touches};
use super::server::{COOKIE, routes, sessions, signed_in_bytes};
use super::visitor::Visitor;
use crate::lab::bench::{Setting, small_app};

const SESSIONS: usize = 30;
const REQUESTS: f64 = 3000.0;
const WRITES: f64 = 0.05;

/// What was asked and answered.
#[derive(Default)]
struct Seen {
    requests: f64,
    /// Bytes of the `Cookie` and `Set-Cookie` lines.
    up: f64,
    down: f64,
    operations: f64,
}

/// A site of visitors who ask at random times, each `rate` times a second on average.
fn hours(store: &str, rate: f64) -> Seen {
    let clock = Arc::new(ManualClock::at(datetime!(2026-11-27 00:00 UTC)));
    let counts = Arc::new(Counts::default());
    let kept = Setting::of(store).open(COOKIE).unwrap();
    let key = sealed_sessions::keys::generate_key().unwrap();
    let sessions = sessions(&counts, Duration::ZERO).clock(Arc::clone(&clock) as Arc<dyn Clock>);
    // Nobody stays away for too long, however seldom they ask.
    let figment = testing::figment().merge(("session.idle_timeout", "12 hours"));
    let app = small_app(figment, COOKIE, &key, sessions, kept);
    let client = Client::untracked(app.manage(Arc::clone(&counts)).mount("/", routes())).unwrap();
    let mut visitors: Vec<Visitor> = std::iter::repeat_with(Visitor::default).take(SESSIONS).collect();
    let mut dice = Dice(1);
    let mut seen = Seen::default();
    for (number, visitor) in visitors.iter_mut().enumerate() {
        let sign_in = format!("/sign-in?name={}", name_of(0, number));
        ask(client.post(sign_in), visitor, &mut Seen::default());
    }
    let operations = || counts.by_name().values().sum::<u64>() as f64;
    let before = operations();
    while seen.requests < REQUESTS {
        clock.advance(time::Duration::SECOND);
        for visitor in &mut visitors {
            if dice.falls(rate) {
                let writes = dice.falls(WRITES);
                let request = if writes { client.post("/write") } else { client.get("/read") };
                ask(request, visitor, &mut seen);
            }
        }
    }
    seen.operations = operations() - before;
    seen
}

fn ask(mut request: LocalRequest<'_>, visitor: &mut Visitor, seen: &mut Seen) {
    if let Some(header) = visitor.header() {
        let header = header.to_str().unwrap().to_owned();
        seen.up += ("cookie: \r\n".len() + header.len()) as f64;
        request = request.header(Header::new("cookie", header));
    }
    let response = request.dispatch();
    assert_eq!(response.status().code, 200);
    let mut headers = HeaderMap::new();
    for value in response.headers().get("set-cookie") {
        seen.down += ("set-cookie: \r\n".len() + value.len()) as f64;
        headers.append(HeaderName::from_static("set-cookie"), HeaderValue::from_str(value).unwrap());
    }
    visitor.keep(&headers);
    seen.requests += 1.0;
}

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn falls(&mut self, share: f64) -> bool {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64) / ((1_u64 << 53) as f64) < share
    }
}

#[track_caller]
fn assert_near(measured: f64, model: f64) {
    assert!((measured / model - 1.0).abs() < 0.01, "{measured} was measured, the model says {model}");
}

#[test]
fn requests_after_a_minute_write_as_often_as_the_model_says() {
    let k = cookie(signed_in_bytes() as f64);
    for rate in [1.0 / 120.0, 1.0 / 30.0, 0.1] {
        let changes = WRITES + touches(rate);
        let (of_cookie, of_store) = (hours("cookie", rate), hours("memory", rate));
        assert_near(of_cookie.up / of_cookie.requests, k);
        assert_near(of_store.up / of_store.requests, ID);
        // The model does not count that a write puts the next touch off.
        let down = of_cookie.down / of_cookie.requests;
        assert!(
            (0.8..1.02).contains(&(down / (changes * (k + SET_COOKIE)))),
            "{down} bytes down, {rate} a second"
        );
        let writes = of_store.operations / of_store.requests - 1.0;
        assert!((0.8..1.02).contains(&(writes / changes)), "{writes} writes for a request, {rate} a second");
        assert!(of_store.down == 0.0, "an id is set once");
    }
}

//! A new key on two servers that are restarted one after another, as `docs/keys.md` says: A, A + [B], B + [A], B.

use rocket::http::Header;
use rocket::local::blocking::Client;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::{get, routes};
use time::Duration;

use crate::site::Visit;
use crate::support::{App, COOKIE};

const A: &str = "YSBrZXksIHRoZSBmaXJzdCBvZiB0aGVzZSB0d28ga2U=";
const B: &str = "YiBrZXksIHRoZSBvdGhlciBvZiB0aGVzZSB0d28ga2U=";

/// What a server is configured with: the key that seals, and the keys that only open.
type Keys = (&'static str, &'static [&'static str]);

const OLD: Keys = (A, &[]);
const FIRST: Keys = (A, &[B]);
const SECOND: Keys = (B, &[A]);
const NEW: Keys = (B, &[]);

/// How the two servers seal, and how far the second one's clock is behind.
#[derive(Clone, Copy)]
struct Sealing {
    settings: &'static str,
    behind: Duration,
}

const UNCHANGED: Sealing = Sealing { settings: "", behind: Duration::ZERO };
/// The tests begin as a period does, so that the second server is still in the one before.
const ROLLING: Sealing = Sealing { settings: "key_rollover = \"10 minutes\"", behind: Duration::seconds(59) };

fn app((key, previous): Keys, settings: &str) -> App {
    let keys = format!("[global]\nsecret_key = {key:?}\n[default.session]\nprevious_keys = {previous:?}");
    App::new(&format!("{keys}\n{settings}"))
}

fn serving(app: &App) -> Client {
    Client::untracked(app.rocket().mount("/", routes![token, owns, handle])).unwrap()
}

fn servers([one, other]: [Keys; 2], Sealing { settings, behind }: Sealing) -> [Client; 2] {
    let (one, other) = (app(one, settings), app(other, settings));
    other.advance(-behind);
    [serving(&one), serving(&other)]
}

#[get("/token")]
fn token(session: Visit<'_>) -> String {
    session.form_token()
}

#[get("/handle")]
fn handle(session: Visit<'_>) -> Option<String> {
    session.inspect().handle()
}

/// Whether the form token of the request's header `X-Token` belongs to its session.
struct Owns(bool);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Owns {
    type Error = sealed_sessions::SessionError;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Owns, Self::Error> {
        let token = request.headers().get_one("X-Token");
        let session = request.guard::<Visit<'_>>().await;
        session.map(|session| Owns(session.verify(request, token).is_ok()))
    }
}

#[get("/owns")]
fn owns(owns: Owns) -> String {
    owns.0.to_string()
}

/// A visitor whose requests go to one server after the other.
#[derive(Default)]
struct Visitor {
    cookie: Option<String>,
    form_token: String,
    visits: u64,
}

impl Visitor {
    fn get(&mut self, server: &Client, path: &str) -> String {
        let mut request = server.get(path.to_owned()).header(Header::new("X-Token", self.form_token.clone()));
        if let Some(value) = &self.cookie {
            request = request.header(Header::new("Cookie", format!("{COOKIE}={value}")));
        }
        let response = request.dispatch();
        let sealed = response.cookies().get(COOKIE).map(|cookie| cookie.value().to_owned());
        self.cookie = sealed.or(self.cookie.take());
        response.into_string().unwrap_or_default()
    }

    /// Whether the visit is counted on from the last one, whichever server that was sent to.
    fn is_known_by(&mut self, server: &Client) -> bool {
        self.visits += 1;
        self.get(server, "/visits") == self.visits.to_string()
    }
}

/// Takes two servers through these states, with visitors who came in any of them and change servers with each
/// request. Returns the states in which a session was lost.
fn lost_in(states: &[[Keys; 2]], sealing: Sealing) -> Vec<usize> {
    let mut visitors = Vec::new();
    let mut lost = Vec::new();
    for (n, state) in states.iter().enumerate() {
        let servers = servers(*state, sealing);
        for server in &servers {
            let mut visitor = Visitor::default();
            visitor.get(server, "/login/ada");
            visitors.push(visitor);
        }
        for server in servers.iter().chain(&servers) {
            let known = visitors.iter_mut().all(|visitor| visitor.is_known_by(server));
            if !known && !lost.contains(&n) {
                lost.push(n);
            }
        }
    }
    lost
}

const STATES: [[Keys; 2]; 7] =
    [[OLD, OLD], [FIRST, OLD], [FIRST, FIRST], [SECOND, FIRST], [SECOND, SECOND], [NEW, SECOND], [NEW, NEW]];

#[test]
fn a_key_is_replaced_on_two_servers_in_three_rounds_and_no_session_is_lost() {
    assert_eq!(lost_in(&STATES, UNCHANGED), [0; 0]);
}

#[test]
fn a_key_that_rolls_over_is_replaced_in_the_same_rounds_and_no_session_is_lost_at_a_boundary() {
    assert_eq!(lost_in(&STATES, ROLLING), [0; 0]);
}

#[test]
fn without_the_first_round_sessions_are_lost_while_one_server_has_the_old_key_alone() {
    for sealing in [UNCHANGED, ROLLING] {
        assert_eq!(lost_in(&[[OLD, OLD], [SECOND, OLD]], sealing), [1]);
    }
}

#[test]
fn a_form_that_was_opened_at_one_server_is_taken_by_the_other_in_every_round() {
    for sealing in [UNCHANGED, ROLLING] {
        for state in [[FIRST, OLD], [SECOND, FIRST], [FIRST, SECOND], [NEW, SECOND], [SECOND, NEW]] {
            let [one, other] = servers(state, sealing);
            let mut visitor = Visitor::default();
            visitor.get(&one, "/login/ada");
            visitor.form_token = visitor.get(&one, "/token");
            assert_eq!(visitor.get(&other, "/owns"), "true", "{state:?}");
        }
    }
}

#[test]
fn form_tokens_and_names_in_the_log_outlive_the_period_they_were_made_in() {
    let app = app(OLD, ROLLING.settings);
    let server = serving(&app);
    let mut visitor = Visitor::default();
    visitor.get(&server, "/login/ada");
    visitor.form_token = visitor.get(&server, "/token");
    let handle = visitor.get(&server, "/handle");
    let before = visitor.cookie.clone();
    app.advance(Duration::minutes(25));
    assert_eq!(visitor.get(&server, "/owns"), "true");
    assert_eq!(visitor.get(&server, "/handle"), handle);
    assert_ne!(visitor.cookie, before, "it has been sealed in the new period");
}

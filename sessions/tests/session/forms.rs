//! Form tokens: of this session, of this cookie, of these keys, and from this site.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rocket::figment::Figment;
use rocket::http::{ContentType, Header, Status};
use rocket::local::blocking::{Client, LocalResponse};
use rocket::{FromForm, Request, catch, catchers, get, post, routes};
use sealed_sessions::forms::{Protected, refused};
use sealed_sessions::{ReadOnly, Session, SessionData, Sessions, testing};
use serde::{Deserialize, Serialize};

use crate::ear::Ear;
use crate::log;

#[derive(Default, Clone, Serialize, Deserialize)]
struct Visitor {
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    notes: Vec<String>,
}

impl SessionData for Visitor {
    fn subject(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.user.as_deref().map(Into::into)
    }
}

type Visit<'r> = Session<'r, Visitor>;

#[derive(FromForm)]
struct Note {
    note: String,
}

#[get("/form")]
fn form(session: Visit<'_>) -> String {
    session.form_token()
}

#[post("/note", data = "<form>")]
fn note(form: Protected<Note>, session: Visit<'_>) -> String {
    session.update(|visitor| {
        visitor.notes.push(form.into_inner().note);
        visitor.notes.join(",")
    })
}

/// A handler that takes no session itself.
#[post("/blind", data = "<form>")]
fn blind(form: Protected<Note>) -> String {
    form.into_inner().note
}

/// A body that is no form brings its token in a header.
#[post("/json", data = "<body>")]
fn json(session: Visit<'_>, token: Token<'_>, body: String) -> (Status, String) {
    match session.verify(token.0, token.0.headers().get_one("X-Token")) {
        Ok(()) => (Status::Ok, body),
        Err(refusal) => (Status::Forbidden, format!("{refusal:?}")),
    }
}

struct Token<'r>(&'r Request<'r>);

#[rocket::async_trait]
impl<'r> rocket::request::FromRequest<'r> for Token<'r> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> rocket::request::Outcome<Self, ()> {
        rocket::request::Outcome::Success(Token(request))
    }
}

#[post("/login")]
fn login(session: Visit<'_>) -> String {
    session.sign_in(|visitor| visitor.user = Some("ada".into()));
    session.form_token()
}

#[get("/renew")]
fn renew(session: Visit<'_>) -> String {
    session.renew();
    session.form_token()
}

/// "Keep me signed in", after the sign-in.
#[get("/remember")]
fn remember(session: Visit<'_>) -> String {
    session.remember();
    session.form_token()
}

/// Nobody is signed in from then on; the rest of the session goes on.
#[get("/leave")]
fn leave(session: Visit<'_>) -> String {
    session.update(|visitor| visitor.user = None);
    session.form_token()
}

#[get("/looked")]
fn looked(session: ReadOnly<'_, Visitor>) -> String {
    session.form_token().unwrap_or_default()
}

#[catch(403)]
fn forbidden(request: &Request<'_>) -> String {
    refused(request).map(|refused| format!("{:?} {}", refused.reason, refused.body())).unwrap_or_default()
}

fn browser(figment: Figment) -> Client {
    with(figment, Sessions::fairing())
}

fn with(figment: Figment, sessions: Sessions<Visitor>) -> Client {
    log::install();
    let rocket = rocket::custom(figment).attach(sessions);
    let rocket = rocket.mount("/", routes![form, note, blind, json, login, renew, remember, leave, looked]);
    Client::tracked(rocket.register("/", catchers![forbidden])).unwrap()
}

fn text(response: LocalResponse<'_>) -> String {
    response.into_string().unwrap_or_default()
}

fn send<'c>(
    browser: &'c Client,
    token: &str,
    header: Option<(&'static str, &'static str)>,
) -> LocalResponse<'c> {
    let request =
        browser.post("/note").header(ContentType::Form).body(format!("csrf_token={token}&note=hello"));
    match header {
        Some((name, value)) => request.header(Header::new(name, value)).dispatch(),
        None => request.dispatch(),
    }
}

#[test]
fn x1_a_token_opens_a_session_that_is_otherwise_empty_and_works_in_it() {
    let browser = browser(testing::figment());
    let response = browser.get("/form").dispatch();
    assert_eq!(response.headers().get("Set-Cookie").count(), 1);
    let token = text(response);
    assert_eq!(token.len(), 43);
    assert_eq!(text(send(&browser, &token, None)), "hello");
    assert_eq!(text(send(&browser, &token, None)), "hello,hello", "it outlives changes of the data");
}

#[test]
fn x1_a_token_is_masked_anew_in_each_page_and_each_of_them_works() {
    let browser = browser(testing::figment());
    let tokens: Vec<String> = (0..3).map(|_| text(browser.get("/form").dispatch())).collect();
    assert!(tokens[0] != tokens[1] && tokens[1] != tokens[2]);
    for token in tokens {
        assert_eq!(send(&browser, &token, None).status(), Status::Ok);
    }
}

#[test]
fn x1_without_its_sessions_own_token_a_form_is_403_with_its_reason_and_what_was_typed() {
    let figment = testing::figment();
    let (one, other) = (browser(figment.clone()), browser(figment));
    assert_eq!(text(send(&one, "", None)), "NoCookie csrf_token=&note=hello");
    let token = text(one.get("/form").dispatch());
    text(other.get("/form").dispatch());
    let foreign = text(other.get("/form").dispatch());
    for wrong in ["", "x", foreign.as_str(), &token[1..], &format!("{token}A")] {
        let response = send(&one, wrong, None);
        assert_eq!(response.status(), Status::Forbidden);
        assert!(text(response).starts_with("Token csrf_token="), "{wrong}");
    }
    assert_eq!(send(&one, &token, None).status(), Status::Ok);
}

#[test]
fn x1_no_byte_of_a_token_can_be_changed_nor_two_of_them_alike() {
    let browser = browser(testing::figment());
    let token = URL_SAFE_NO_PAD.decode(text(browser.get("/form").dispatch())).unwrap();
    let status = |token: &[u8]| send(&browser, &URL_SAFE_NO_PAD.encode(token), None).status();
    for at in 0..token.len() {
        let mut changed = token.clone();
        changed[at] ^= 1;
        assert_eq!(status(&changed), Status::Forbidden, "byte {at}");
        changed[(at + 1) % token.len()] ^= 1;
        assert_eq!(status(&changed), Status::Forbidden, "byte {at} and the next");
    }
    assert_eq!(status(&token), Status::Ok);
}

#[test]
fn x1_a_token_from_before_the_login_is_worthless_after_it_and_one_of_its_answer_works() {
    let browser = browser(testing::figment());
    let before = text(browser.get("/form").dispatch());
    let after = text(browser.post("/login").dispatch());
    assert_eq!(send(&browser, &before, None).status(), Status::Forbidden);
    assert_eq!(send(&browser, &after, None).status(), Status::Ok);
}

#[test]
fn x1_a_token_of_an_answer_that_renews_the_session_works_in_the_renewed_one() {
    let browser = browser(testing::figment());
    text(browser.post("/login").dispatch());
    text(send(&browser, &text(browser.get("/form").dispatch()), None));
    for path in ["/renew", "/remember", "/leave"] {
        let before = text(browser.get("/form").dispatch());
        let after = text(browser.get(path).dispatch());
        assert_eq!(send(&browser, &before, None).status(), Status::Forbidden, "{path}");
        assert_eq!(send(&browser, &after, None).status(), Status::Ok, "{path}");
    }
}

#[test]
#[cfg(feature = "memory")]
fn x1_a_token_of_a_sign_in_that_came_with_a_superseded_cookie_works_in_its_session() {
    let browser = browser(testing::figment().merge(("session.store", "memory")));
    text(browser.get("/form").dispatch());
    let superseded = browser.cookies().get("__Host-Http-session").cloned().unwrap();
    text(browser.post("/login").dispatch());
    let token = text(browser.post("/login").cookie(superseded).dispatch());
    assert_eq!(send(&browser, &token, None).status(), Status::Ok);
}

#[test]
fn x1_a_token_is_bound_to_the_cookies_name_and_verified_under_every_key() {
    use rocket::figment::providers::{Format, Toml};
    let old = testing::figment();
    let key: String = old.extract_inner("secret_key").unwrap();
    let first = browser(old.clone());
    let token = text(first.get("/form").dispatch());
    let rotated = testing::figment().merge(("session.previous_keys", vec![key]));
    let second = browser(rotated);
    let cookie = first.cookies().get("__Host-Http-session").cloned().unwrap();
    second.cookies();
    let request = second.post("/note").cookie(cookie.clone()).header(ContentType::Form);
    let response = request.body(format!("csrf_token={token}&note=hello")).dispatch();
    assert_eq!(response.status(), Status::Ok, "the key that made the token still verifies it");
    drop(response);
    let renamed = browser(old.merge(Toml::string("[session]\ncookie = \"__Host-other\"")));
    let request = renamed.post("/note").cookie(cookie).header(ContentType::Form);
    assert_eq!(request.body(format!("csrf_token={token}&note=hello")).dispatch().status(), Status::Forbidden);
}

#[test]
fn x2_another_sites_form_is_403_whatever_its_token() {
    let browser = browser(testing::figment());
    let token = text(browser.get("/form").dispatch());
    for header in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
    ] {
        let response = send(&browser, &token, Some(header));
        assert_eq!(response.status(), Status::Forbidden, "{header:?}");
        assert_eq!(text(response), "CrossSite ", "{header:?}");
    }
    assert_eq!(send(&browser, &token, Some(("Sec-Fetch-Site", "same-origin"))).status(), Status::Ok);
    for (one, other) in [("same-origin", "cross-site"), ("cross-site", "same-origin")] {
        let request =
            browser.post("/note").header(ContentType::Form).header(Header::new("Sec-Fetch-Site", one));
        let request = request.header(Header::new("Sec-Fetch-Site", other));
        let response = request.body(format!("csrf_token={token}&note=hello")).dispatch();
        assert_eq!(response.status(), Status::Forbidden, "of two headers the worse one counts");
    }
}

#[test]
fn x2_an_origin_of_the_settings_is_accepted_and_host_names_have_no_case() {
    let settings = testing::figment().merge(("session.origins", vec!["https://shop.example"]));
    let browser = browser(settings);
    let token = text(browser.get("/form").dispatch());
    assert_eq!(send(&browser, &token, Some(("Origin", "https://SHOP.example"))).status(), Status::Ok);
    assert_eq!(send(&browser, &token, Some(("Origin", "https://other.example"))).status(), Status::Forbidden);
    let request = browser.post("/note").header(ContentType::Form).header(Header::new("Host", "app.example"));
    let request = request.header(Header::new("Origin", "https://APP.example"));
    assert_eq!(request.body(format!("csrf_token={token}&note=hello")).dispatch().status(), Status::Ok);
}

#[test]
fn x1_a_body_that_is_no_form_is_verified_by_the_handler() {
    let browser = browser(testing::figment());
    let token = text(browser.get("/form").dispatch());
    let post = |browser: &Client, site: &'static str, token: &str| {
        let request = browser.post("/json").header(ContentType::JSON).body("{}");
        let request = request.header(Header::new("Sec-Fetch-Site", site));
        text(request.header(Header::new("X-Token", token.to_owned())).dispatch())
    };
    assert_eq!(post(&browser, "same-origin", &token), "{}");
    assert_eq!(post(&browser, "same-origin", "x"), "Token");
    assert_eq!(post(&browser, "cross-site", &token), "CrossSite");
    assert_eq!(post(&browser, "same-site", &token), "CrossSite");
    let stranger = with(testing::figment(), Sessions::fairing());
    assert_eq!(post(&stranger, "same-origin", &token), "NoCookie");
}

#[test]
fn a_session_that_is_only_read_gives_a_token_and_opens_none() {
    let browser = browser(testing::figment());
    let response = browser.get("/looked").dispatch();
    assert_eq!(response.headers().get("Set-Cookie").count(), 0);
    assert_eq!(text(response), "");
    browser.get("/form").dispatch();
    let token = text(browser.get("/looked").dispatch());
    assert_eq!(send(&browser, &token, None).status(), Status::Ok);
}

#[test]
fn a_form_outside_of_every_realm_belongs_to_the_default_realm() {
    let settings = "[default.session.realms.\"/form\"]\ncookie = \"__Host-form\"\n";
    for (sessions, expected) in [
        (Sessions::fairing().default_realm("/form"), Status::Ok),
        (Sessions::fairing(), Status::InternalServerError),
    ] {
        let browser = with(crate::site::figment(settings), sessions);
        let token = text(browser.get("/form").dispatch());
        let body = format!("csrf_token={token}&note=hello");
        log::lines();
        let answer = browser.post("/blind").header(ContentType::Form).body(body).dispatch();
        assert_eq!(answer.status(), expected);
        let is_logged =
            log::lines().iter().any(|line| line.contains("a form came to /blind, which lies in no realm"));
        assert_eq!(is_logged, expected != Status::Ok);
    }
}

#[test]
fn what_is_wrong_with_a_form_beside_its_token_has_a_status_of_its_own() {
    let browser = browser(testing::figment());
    let token = text(browser.get("/form").dispatch());
    let post =
        |kind: ContentType, body: String| browser.post("/note").header(kind).body(body).dispatch().status();
    assert_eq!(post(ContentType::JSON, "{}".into()), Status::UnsupportedMediaType);
    assert_eq!(post(ContentType::Form, format!("csrf_token={token}")), Status::UnprocessableEntity);
    for note in ["%FF", "a%C3"] {
        let body = format!("csrf_token={token}&note={note}");
        assert_eq!(post(ContentType::Form, body), Status::UnprocessableEntity, "{note} is no text");
    }
    let raw = [format!("csrf_token={token}&note=").as_bytes(), &[0xFF]].concat();
    let raw = browser.post("/note").header(ContentType::Form).body(raw).dispatch();
    assert_eq!(raw.status(), Status::UnprocessableEntity);
    let large = format!("csrf_token={token}&note={}", "x".repeat(100_000));
    assert_eq!(post(ContentType::Form, large), Status::PayloadTooLarge);
}

#[test]
fn a_form_that_is_refused_is_logged_unless_a_listener_does_it() {
    let refusals = |logs: bool| {
        let mut ear = Ear::default();
        ear.logs = logs;
        let browser = with(testing::figment(), Sessions::fairing().on_event(ear.clone()));
        text(browser.get("/form").dispatch());
        log::lines();
        send(&browser, "forged", None);
        let heard = ear.events();
        let names: Vec<_> = heard.iter().map(|heard| heard.kind.name()).collect();
        assert_eq!(names, ["opened", "sealed", "resumed", "form_refused"]);
        let [.., resumed, refused] = &heard[..] else { unreachable!() };
        assert_eq!(refused.kind.reason(), Some("token"));
        assert!(refused.session.is_some() && refused.request.is_some());
        assert_eq!((&refused.session, &refused.request), (&resumed.session, &resumed.request));
        log::lines()
    };
    assert_eq!(refusals(false), ["WARN refused POST /note: Token"]);
    assert_eq!(refusals(true), [""; 0]);
}

#[test]
#[cfg(feature = "memory")]
fn a_form_whose_session_cannot_be_loaded_is_503() {
    let store = crate::faulty::Faulty::new();
    let figment = testing::figment().merge(("session.store", "faulty"));
    let browser = with(figment, Sessions::fairing().store("faulty", store.clone()));
    let token = text(browser.get("/form").dispatch());
    let post = || {
        let request = browser.post("/blind").header(ContentType::Form);
        request.body(format!("csrf_token={token}&note=hello")).dispatch().status()
    };
    store.next("load", crate::faulty::Act::Fault);
    assert_eq!(post(), Status::ServiceUnavailable);
    assert_eq!(post(), Status::Ok);
}

//! How large a session is on the wire, to the byte.

use rocket::http::{Header, Status};
use rocket::local::blocking::Client;
use rocket::{get, routes};
use sealed_sessions::ReadOnly;

use crate::site::{Visit, Visitor};
use crate::support::{App, set_cookies};

/// Every header line, the browser's limit included.
fn lengths(lines: &[String]) -> Vec<usize> {
    lines.iter().map(|line| "Set-Cookie: ".len() + line.len()).collect()
}

fn set_note(browser: &Client, bytes: usize) -> Vec<String> {
    set_cookies(&browser.get(format!("/note/{bytes}")).dispatch())
}

#[test]
fn c2_a_line_may_have_4096_bytes_and_one_more_is_cut() {
    // Base64 grows by four letters at a time: with one of these names the longest line is exactly as long as it may be.
    let longest = ["__Host-n", "__Host-na", "__Host-nam", "__Host-name"].map(|name| {
        let app = App::new(&format!("[default.session]\ncookie = \"{name}\""));
        let browser = Client::untracked(app.rocket()).unwrap();
        let one_line = |bytes| {
            let lines = lengths(&set_note(&browser, bytes));
            (lines.len() == 1).then(|| lines[0])
        };
        let longest = (2900..3000).filter_map(one_line).max().unwrap();
        assert!(longest > 4092, "{name}: a line of four bytes more would have fitted");
        longest
    });
    assert_eq!(longest.iter().max(), Some(&4096));
}

#[test]
fn c2_every_chunk_but_the_last_is_as_long_as_it_may_be() {
    let browser = App::new("[default.session]\nmax_cookie_bytes = 65536").browser();
    let mut lines = lengths(&set_note(&browser, 42_000));
    let last = lines.pop().unwrap();
    assert!(lines.len() > 10, "{lines:?}");
    // There is room for two digits in the name and in the count before the first chunk.
    assert!(lines.iter().all(|length| (4091..=4093).contains(length)), "{lines:?}");
    assert!(last <= 4096);
}

/// Over all its lines, a session may have `max_cookie_bytes`.
#[test]
fn c2_a_session_may_have_max_cookie_bytes_and_not_one_more() {
    let status = |limit: usize, note: usize| {
        let browser = App::new(&format!("[default.session]\nmax_cookie_bytes = {limit}")).browser();
        browser.get(format!("/note/{note}")).dispatch().status()
    };
    let line = lengths(&set_note(&App::new("").browser(), 1000))[0];
    assert_eq!(status(line, 1000), Status::Ok);
    assert_eq!(status(line - 1, 1000), Status::InternalServerError);
    // The longest setting that is accepted needs fewer chunks than a browser's cookie can be put together from.
    let browser = App::new("[default.session]\nmax_cookie_bytes = 65536").browser();
    let largest = (44_000..50_000)
        .rev()
        .step_by(50)
        .map(|note| set_note(&browser, note))
        .find(|lines| !lines.is_empty());
    let largest = largest.unwrap();
    assert!(largest.len() < 99 && lengths(&largest).iter().sum::<usize>() <= 65536, "{}", largest.len());
}

/// What the guard says of the session on the wire.
#[get("/wire")]
fn wire(session: ReadOnly<'_, Visitor>) -> String {
    format!("{:?}", session.inspect().wire())
}

#[get("/remembered/<bytes>")]
fn remembered(session: Visit<'_>, bytes: usize) {
    session.sign_in(|visitor| {
        visitor.user = Some("ada".into());
        visitor.note = "n".repeat(bytes);
    });
    session.remember();
}

#[test]
fn a_session_knows_what_it_takes_on_the_wire() {
    let rocket = App::new("").rocket().mount("/", routes![wire, remembered]);
    let browser = Client::untracked(rocket).unwrap();
    for path in ["/note/10", "/note/5500", "/remembered/10", "/remembered/5500"] {
        let lines = set_cookies(&browser.get(path).dispatch());
        let pairs: Vec<&str> = lines.iter().map(|line| line.split(';').next().unwrap()).collect();
        let values: usize = pairs.iter().map(|pair| pair.split_once('=').unwrap().1.len()).sum();
        let request: usize = pairs.iter().map(|pair| pair.len()).sum();
        let said = browser.get("/wire").header(Header::new("Cookie", pairs.join("; "))).dispatch();
        let said = said.into_string().unwrap();
        let cookies = lines.len();
        assert!(said.contains(&format!("cookies: {cookies}, ")), "{path}: {said}");
        assert!(said.contains(&format!("request: {request}, ")), "{path}: {request} {said}");
        assert!(
            said.contains(&format!("lines: {} ", lengths(&lines).iter().sum::<usize>())),
            "{path}: {lines:?} {said}"
        );
        assert!(said.contains(&format!("value: {values}, ")), "{path}: {said}");
    }
}

#[get("/secure")]
fn secure(session: ReadOnly<'_, Visitor>) -> String {
    session.inspect().is_secure().to_string()
}

#[test]
fn a_session_knows_whether_its_cookie_needs_tls() {
    for (settings, said) in [("", "true"), ("[default.session]\nsecure = false\ncookie = \"plain\"", "false")]
    {
        let browser = Client::untracked(App::new(settings).rocket().mount("/", routes![secure])).unwrap();
        assert_eq!(browser.get("/secure").dispatch().into_string().as_deref(), Some(said), "{settings}");
    }
}

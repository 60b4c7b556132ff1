//! The live line: whether the session goes on, as server-sent events.

use std::time::Duration as StdDuration;

use rocket::local::asynchronous::LocalResponse;
use rocket::tokio::io::AsyncReadExt as _;
use rocket::tokio::join;
use rocket::tokio::time::timeout;
use time::Duration;

use crate::support::App;

/// The events that have come so far.
async fn begun<'a>(app: &'a App, path: &'static str) -> (LocalResponse<'a>, String) {
    let mut response = app.client.get(path).dispatch().await;
    let mut text = String::new();
    while !text.ends_with("\n\n") {
        text.push(char::from(response.read_u8().await.unwrap()));
    }
    (response, text)
}

/// All that comes while this is done.
async fn rest(response: LocalResponse<'_>, done: impl Future<Output = ()>) -> String {
    let (rest, ()) = join!(timeout(StdDuration::from_secs(60), response.into_string()), done);
    rest.expect("it ends").unwrap_or_default()
}

#[rocket::async_test]
async fn it_says_that_the_session_is_alive_and_then_that_it_has_ended() {
    let app = App::start().await;
    app.submit("/stateful/register", &[("username", "ada"), ("password", crate::support::PASSWORD)]).await;
    let (response, text) = begun(&app, "/stateful/sessions/live").await;
    assert_eq!(response.headers().get_one("Content-Type"), Some("text/event-stream"));
    assert_eq!(response.headers().get("Cache-Control").collect::<Vec<_>>(), ["no-store"]);
    assert!(text.contains("event:alive") && text.contains("It ends at 15 Jan 2027, 08:30 UTC"), "{text}");
    let rest = rest(response, async {
        app.submit("/stateful/logout", &[]).await;
        app.clock.advance(Duration::seconds(5));
    });
    assert!(rest.await.contains("event:ended"));
}

#[rocket::async_test]
async fn it_keeps_no_session_alive_and_lets_the_browser_come_again_when_it_cannot_know() {
    let app = App::start().await;
    app.register("ada").await;
    app.clock.advance(Duration::minutes(20));
    let (response, _) = begun(&app, "/stateless/sessions/live").await;
    assert_eq!(response.headers().get_one("Set-Cookie"), None);
    let rest = rest(response, async { app.clock.advance(Duration::minutes(10)) }).await;
    assert!(!rest.contains("event:"), "another tab may have used it since: {rest}");
    let (_, again) = begun(&app, "/stateless/sessions/live").await;
    assert!(again.contains("event:ended"), "{again}");
}

#[rocket::async_test]
async fn in_stateless_it_says_that_the_account_has_changed_since() {
    let app = App::start().await;
    app.register("ada").await;
    let (response, text) = begun(&app, "/stateless/sessions/live").await;
    assert!(text.contains("event:alive"), "{text}");
    let rest = rest(response, async {
        app.database("UPDATE accounts SET password_hash = 'another'").await;
        app.clock.advance(Duration::seconds(5));
    });
    assert!(rest.await.contains("event:ended"));
    for change in ["UPDATE accounts SET disabled = 1", "DELETE FROM accounts"] {
        app.database(change).await;
        let (response, again) = begun(&app, "/stateless/sessions/live").await;
        assert!(again.contains("event:ended") && !again.contains("alive"), "{change}: {again}");
        assert_eq!(response.headers().get_one("Set-Cookie"), None, "it is not used");
    }
}

#[rocket::async_test]
async fn a_visitor_learns_nothing_from_it() {
    let app = App::start().await;
    let visitor = app.get("/stateless/sessions/live").await;
    assert!(visitor.body.contains("event:ended") && !visitor.body.contains("alive"), "{}", visitor.body);
    assert_eq!(visitor.header("set-cookie"), None);
}

#[rocket::async_test]
async fn its_script_comes_from_the_site_itself_and_is_kept() {
    let app = App::start().await;
    let page = app.get("/stateless").await;
    assert!(
        page.header("content-security-policy").unwrap().contains("script-src 'self'; connect-src 'self'")
    );
    let script = app.get("/live.js").await;
    assert_eq!(script.header("content-type"), Some("text/javascript"));
    assert_eq!(script.header("cache-control"), Some("no-cache"), "at another version's address");
}

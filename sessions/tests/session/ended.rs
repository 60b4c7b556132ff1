//! A response that goes on for long stops when its session ends.

use std::time::Duration as StdDuration;

use rocket::local::asynchronous::{Client, LocalResponse};
use rocket::response::stream::TextStream;
use rocket::tokio::io::AsyncReadExt as _;
use rocket::tokio::join;
use rocket::tokio::time::timeout;
use rocket::{Build, Rocket, get, routes};
use sealed_sessions::ReadOnly;
use time::Duration;

use crate::site::{Visit, Visitor};
use crate::support::App;

/// Says that it has begun, and how the session has ended.
#[get("/live")]
fn live<'r>(session: Visit<'r>) -> TextStream![String + 'r] {
    TextStream! {
        yield "begun ".to_owned();
        yield format!("{:?}", session.ended().await);
    }
}

#[get("/watched")]
fn watched<'r>(session: ReadOnly<'r, Visitor>) -> TextStream![String + 'r] {
    TextStream! {
        yield "begun ".to_owned();
        yield format!("{:?}", session.ended().await);
    }
}

/// Is under a new id by the time that it waits.
#[get("/login/<user>/live")]
fn live_from_the_login<'r>(session: Visit<'r>, user: String) -> TextStream![String + 'r] {
    session.sign_in(|visitor| visitor.user = Some(user));
    live(session)
}

/// Waits already in the handler, for nothing.
#[get("/now")]
async fn now(session: Visit<'_>) -> String {
    format!("{:?}", session.ended().await)
}

fn rocket(app: &App) -> Rocket<Build> {
    app.rocket().mount("/", routes![live, watched, live_from_the_login, now])
}

async fn browser(app: &App) -> Client {
    Client::tracked(rocket(app)).await.unwrap()
}

async fn begun<'c>(browser: &'c Client, path: &'static str) -> LocalResponse<'c> {
    let mut response = browser.get(path).dispatch().await;
    let mut begun = [0; 6];
    response.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"begun ");
    response
}

/// What a response says in the end, while this is done.
async fn end(response: LocalResponse<'_>, done: impl Future<Output = ()>) -> String {
    let end = timeout(StdDuration::from_secs(60), response.into_string());
    let (end, ()) = join!(end, done);
    end.expect("it ends").unwrap()
}

async fn get(browser: &Client, path: &str) -> String {
    browser.get(path.to_owned()).dispatch().await.into_string().await.unwrap_or_default()
}

#[rocket::async_test]
async fn it_ends_with_the_idle_timeout_counted_from_its_beginning() {
    let app = App::new("");
    let browser = browser(&app).await;
    get(&browser, "/visits").await;
    app.advance(Duration::minutes(20));
    let response = begun(&browser, "/live").await;
    let end = end(response, async {
        // The session that the request brought would have ended by now: the response is a use of it.
        app.advance(Duration::minutes(29));
        assert_eq!(get(&browser, "/read").await, "1 Resumed");
        app.advance(Duration::minutes(1));
    });
    assert_eq!(end.await, "Ok(Expired(Idle))");
}

#[rocket::async_test]
async fn it_ends_with_the_absolute_timeout() {
    let app = App::new("[default.session]\nidle_timeout = \"10 minutes\"\nabsolute_timeout = \"15 minutes\"");
    let browser = browser(&app).await;
    get(&browser, "/visits").await;
    app.advance(Duration::minutes(9));
    let response = begun(&browser, "/live").await;
    let end = end(response, async { app.advance(Duration::minutes(6)) });
    assert_eq!(end.await, "Ok(Expired(Absolute))");
}

#[rocket::async_test]
async fn it_does_not_keep_the_session_alive_and_a_read_only_one_is_no_use_at_all() {
    let app = App::new("");
    let browser = browser(&app).await;
    get(&browser, "/visits").await;
    for _ in 0..2 {
        app.advance(Duration::minutes(14));
        let response = begun(&browser, "/watched").await;
        assert_eq!(response.headers().get("Set-Cookie").count(), 0);
    }
    let response = begun(&browser, "/watched").await;
    let end = end(response, async { app.advance(Duration::minutes(2)) });
    assert_eq!(end.await, "Ok(Expired(Idle))", "half an hour after the visit");
    assert_eq!(get(&browser, "/read").await, "0 Expired(Idle)");
}

#[rocket::async_test]
async fn without_a_session_it_ends_at_once() {
    let app = App::new("");
    let browser = browser(&app).await;
    assert_eq!(get(&browser, "/live").await, "begun Ok(Revoked)");
    assert_eq!(get(&browser, "/now").await, "Ok(Revoked)");
}

#[rocket::async_test]
async fn with_the_cookie_store_alone_a_logout_is_not_known() {
    let app = App::new("");
    let browser = browser(&app).await;
    get(&browser, "/login/ada").await;
    let response = begun(&browser, "/live").await;
    let end = end(response, async {
        get(&browser, "/logout").await;
        app.advance(Duration::minutes(30));
    });
    assert_eq!(end.await, "Ok(Expired(Idle))");
}

#[cfg(feature = "memory")]
mod on_a_server {
    use std::sync::{Arc, Mutex};

    use rocket::fairing::AdHoc;
    use rocket::tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use rocket::tokio::net::TcpStream;
    use rocket::tokio::sync::oneshot;
    use rocket::tokio::time::timeout;
    use time::Duration;

    use super::{StdDuration, begun, browser, end, get, rocket};
    use crate::faulty::{Act, Faulty, SETTINGS, app};
    use crate::log;
    use crate::site;
    use crate::support::App;

    const MEMORY: &str = "[default.session]\nstore = \"memory\"";

    #[rocket::async_test]
    async fn it_ends_with_the_session_when_the_store_is_asked_again() {
        let app = App::new(MEMORY);
        let browser = browser(&app).await;
        for (path, expected) in
            [("/logout", "Ok(Revoked)"), ("/renew", "Ok(Superseded)"), ("/login/bob", "Ok(Superseded)")]
        {
            get(&browser, "/login/ada").await;
            let response = begun(&browser, "/live").await;
            let end = end(response, async {
                get(&browser, path).await;
                app.advance(Duration::seconds(5));
            });
            assert_eq!(end.await, expected, "{path}");
        }
    }

    #[rocket::async_test]
    async fn what_a_response_itself_has_renewed_is_followed() {
        let app = App::new(MEMORY);
        let browser = browser(&app).await;
        get(&browser, "/visits").await;
        let response = begun(&browser, "/login/ada/live").await;
        let end = end(response, async {
            app.advance(Duration::seconds(5));
            assert_eq!(get(&browser, "/read").await, "1 Resumed");
            get(&browser, "/renew").await;
            app.advance(Duration::seconds(5));
        });
        assert_eq!(end.await, "Ok(Superseded)");
    }

    #[rocket::async_test]
    async fn other_requests_keep_the_session_alive_and_it_knows() {
        let app = App::new(MEMORY);
        let browser = browser(&app).await;
        get(&browser, "/visits").await;
        let response = begun(&browser, "/watched").await;
        let end = end(response, async {
            for _ in 0..3 {
                app.advance(Duration::minutes(20));
                assert_eq!(get(&browser, "/read").await, "1 Resumed");
                // The other one looks.
                rocket::tokio::task::yield_now().await;
            }
            get(&browser, "/logout").await;
            app.advance(Duration::seconds(5));
        });
        assert_eq!(end.await, "Ok(Revoked)", "and not Expired");
    }

    #[rocket::async_test]
    async fn a_session_that_the_store_has_forgotten_when_it_timed_out_has_timed_out() {
        let app = App::new(MEMORY);
        let browser = browser(&app).await;
        get(&browser, "/visits").await;
        let response = begun(&browser, "/watched").await;
        let end = end(response, async { app.advance(Duration::minutes(30)) });
        assert_eq!(end.await, "Ok(Expired(Idle))");
    }

    #[rocket::async_test]
    async fn the_store_is_asked_every_five_seconds_and_only_while_a_response_waits() {
        let store = Faulty::new();
        let app = app(&store);
        let browser = browser(&app).await;
        get(&browser, "/visits").await;
        app.advance(Duration::seconds(50));
        store.calls();
        let response = begun(&browser, "/watched").await;
        assert_eq!(store.calls(), ["load"], "by the request");
        let end = end(response, async {
            for calls in 1..4 {
                assert_eq!(store.calls(), ["load"], "question {calls}");
                app.advance(Duration::seconds(4));
                rocket::tokio::task::yield_now().await;
                assert!(store.calls().is_empty());
                app.advance(Duration::seconds(1));
                rocket::tokio::task::yield_now().await;
            }
            store.next("load", Act::Forget);
            app.advance(Duration::seconds(5));
        });
        assert_eq!(end.await, "Ok(Revoked)");
        store.calls();
        app.advance(Duration::seconds(60));
        assert!(store.calls().is_empty(), "nobody waits");
    }

    #[rocket::async_test]
    async fn a_store_that_does_not_answer_twice_ends_it_and_once_does_not() {
        let store = Faulty::new();
        let app = app(&store);
        let browser = browser(&app).await;
        get(&browser, "/visits").await;
        let response = begun(&browser, "/watched").await;
        store.calls();
        let mut asked = Vec::new();
        let end = end(response, async {
            for acts in [1, 2] {
                for _ in 0..acts {
                    rocket::tokio::task::yield_now().await;
                    store.next("load", Act::Fault);
                    app.advance(Duration::seconds(5));
                }
                rocket::tokio::task::yield_now().await;
                app.advance(Duration::seconds(5));
                rocket::tokio::task::yield_now().await;
                asked.push(store.calls().len());
            }
        });
        assert_eq!(end.await, "Err(Unavailable)");
        assert_eq!(
            asked,
            [2, 2],
            "it is asked again after the first fault, and not after the second in a row"
        );
        let lines = log::lines().join("\n");
        assert!(lines.contains("long responses stop"), "{lines}");
    }

    /// Rocket itself waits for a response that goes on until `shutdown.grace` is over, here five minutes.
    #[rocket::async_test]
    async fn it_does_not_keep_the_app_from_stopping() {
        let store = Faulty::new();
        let (told, ready) = oneshot::channel();
        let told = Mutex::new(Some(told));
        let liftoff = AdHoc::on_liftoff("Port", move |rocket| {
            let (told, port, shutdown) =
                (told.lock().unwrap().take(), rocket.config().port, rocket.shutdown());
            Box::pin(async move { drop(told.unwrap().send((port, shutdown))) })
        });
        let figment = site::figment(SETTINGS).merge(("port", 0)).merge(("shutdown.grace", 300));
        let rocket = rocket(&app(&store)).configure(figment).attach(liftoff);
        let server = rocket::tokio::spawn(rocket.launch());
        let (port, shutdown) = ready.await.unwrap();
        let mut connection = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let request = b"GET /login/ada/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        connection.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"begun \r\n") {
            answer.push(connection.read_u8().await.unwrap());
        }
        shutdown.notify();
        let stopped = async {
            connection.read_to_end(&mut answer).await.unwrap();
            server.await.unwrap().unwrap();
        };
        timeout(StdDuration::from_secs(60), stopped).await.expect("it stops");
        assert!(String::from_utf8_lossy(&answer).contains("Ok(Stopping)"), "{answer:?}");
        assert!(Arc::clone(&store).is_closed());
    }
}

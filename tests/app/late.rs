//! Answers that come late or not at all.

use std::sync::Arc;

use rocket::http::Status;
use rocket::tokio::join;
use rocket::tokio::sync::Semaphore;
use rocket::{State, get, routes};
use sealed_sessions::Session;
use sealed_sessions_app::app::Visitor;
use sqlx::{Connection as _, SqliteConnection};
use time::Duration;

use crate::support::{App, PASSWORD};

const ADA: [(&str, &str); 2] = [("username", "ada"), ("password", PASSWORD)];

/// Where a slow page waits, after it has loaded its session.
struct Gate {
    arrived: Semaphore,
    open: Semaphore,
}

#[get("/slow?<counts>")]
async fn slow(session: Session<'_, Visitor>, counts: bool, gate: &State<Arc<Gate>>) -> String {
    gate.arrived.add_permits(1);
    gate.open.acquire().await.unwrap().forget();
    if counts {
        session.update(|visitor| visitor.visits += 1);
    }
    session.get().visits.to_string()
}

#[rocket::async_test]
async fn rule_14_a_page_that_was_loading_at_a_sign_in_does_not_undo_it() {
    let gate = Arc::new(Gate { arrived: Semaphore::new(0), open: Semaphore::new(0) });
    let managed = Arc::clone(&gate);
    let app = App::start_with(|rocket| rocket.manage(managed).mount("/stateful", routes![slow])).await;
    app.get("/stateful").await;
    app.submit("/stateful/register", &ADA).await;
    for path in ["/stateful/slow?counts=false", "/stateful/slow?counts=true"] {
        app.submit("/stateful/logout", &[]).await;
        app.get("/stateful").await;
        let sign_in = async {
            gate.arrived.acquire().await.unwrap().forget();
            let answer = app.submit("/stateful/login", &ADA).await;
            gate.open.add_permits(1);
            answer
        };
        // The client keeps the cookies of each answer as it arrives: those of the slow page last.
        let (late, signed_in) = join!(app.get(path), sign_in);
        assert_eq!(signed_in.location(), "/stateful");
        assert_eq!((late.status, late.header("set-cookie")), (Status::Ok, None), "{path}");
        assert_eq!(
            app.get("/stateful/profile").await.after("<output id=\"username\">"),
            Some("ada"),
            "{path}"
        );
    }
}

#[rocket::async_test]
async fn rule_14_a_page_asked_for_with_an_ended_session_removes_no_cookie() {
    let app = App::start().await;
    for realm in ["/stateless", "/stateful"] {
        app.submit(&format!("{realm}/register"), &ADA).await;
        app.clock.advance(Duration::minutes(31));
        for page in ["profile", "cookie", "nowhere"] {
            let late = app.get(&format!("{realm}/{page}")).await;
            assert_eq!(late.header("set-cookie"), None, "{realm}/{page}");
        }
        assert!(app.get(&format!("{realm}/cookie")).await.notice().is_some(), "so the visitor can be told");
    }
}

#[rocket::async_test]
async fn rule_9_the_page_of_a_login_that_was_not_kept_shows_nobody_signed_in() {
    let app = App::start().await;
    app.submit("/stateful/register", &ADA).await;
    app.submit("/stateful/logout", &[]).await;
    let token = app.get("/stateful/login").await.token().unwrap();
    let file = app.directory().join("app.db");
    let mut database = SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    let full =
        "CREATE TRIGGER full BEFORE INSERT ON sealed_session_rows BEGIN SELECT RAISE(FAIL, 'full'); END";
    sqlx::query(full).execute(&mut database).await.unwrap();
    let fields = [&[("csrf_token", token.as_str())], &ADA[..]].concat();
    let refused = app.post("/stateful/login", &fields).await;
    assert_eq!((refused.status, refused.header("set-cookie")), (Status::ServiceUnavailable, None));
    assert!(
        !refused.body.contains("Signed in as") && !refused.body.contains("csrf_token"),
        "{}",
        refused.body
    );

    sqlx::query("DROP TRIGGER full").execute(&mut database).await.unwrap();
    assert_eq!(app.post("/stateful/login", &fields).await.location(), "/stateful", "nothing was lost");
}

#[rocket::async_test]
async fn a_sign_in_restarts_the_absolute_timeout() {
    let app = App::start().await;
    for realm in ["/stateless", "/stateful"] {
        app.get(realm).await;
        for _ in 0..35 {
            app.clock.advance(Duration::minutes(20));
            app.get(realm).await;
        }
        app.submit(&format!("{realm}/register"), &ADA).await;
        app.get(&format!("{realm}/profile")).await;
        app.clock.advance(Duration::minutes(25));
        let page = app.get(realm).await;
        assert_eq!((page.visits(), page.notice()), (Some("37"), None), "{realm}");
    }
}

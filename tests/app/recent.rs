//! Sensitive changes need a recent proof of identity, and sessions whose account is no longer what it was are over.

use std::sync::Arc;

use rocket::http::Status;
use rocket::tokio::join;
use rocket::tokio::sync::Semaphore;
use rocket::{State, get, routes};
use sealed_sessions::Session;
use sealed_sessions_app::app::Visitor;
use serde_json::json;
use time::Duration;

use crate::support::{Answer, App, PASSWORD};

const ALL: [&str; 3] = ["/stateless", "/revocable", "/stateful"];
const ADA: [(&str, &str); 2] = [("username", "ada"), ("password", PASSWORD)];
const NEW_PASSWORD: &str = "the lamp of another keeper";

/// A browser that ada is signed in with, in every realm.
async fn ada() -> App {
    let app = App::start().await;
    app.register("ada").await;
    for realm in &ALL[1..] {
        app.submit(&format!("{realm}/login"), &ADA).await;
    }
    app
}

async fn is_in(app: &App, realm: &str) -> bool {
    app.get(&format!("{realm}/profile")).await.status == Status::Ok
}

/// Presses a button on the page at `page`.
async fn press(app: &App, page: &str, button: &str) -> Answer {
    let token = app.get(page).await.token().unwrap_or_default();
    app.post(button, &[("csrf_token", &token)]).await
}

#[rocket::async_test]
async fn l13_after_ten_minutes_a_sensitive_change_asks_for_the_password_and_comes_back() {
    for realm in ALL {
        for (asked, from) in [
            ("/password", "/password"),
            ("/account/delete", "/account/delete"),
            ("/sessions/end", "/sessions"),
            ("/sessions/end-all", "/sessions"),
        ] {
            let app = ada().await;
            app.clock.advance(Duration::minutes(10) + Duration::seconds(1));
            let (path, from) = (format!("{realm}{asked}"), format!("{realm}{from}"));
            let ask = async || match path == from {
                true => app.get(&path).await,
                false => press(&app, &from, &path).await,
            };
            let to = format!("{realm}/confirm?next={}", from.replace('/', "%2F"));
            assert_eq!(ask().await.location(), to, "{path}");
            let form = app.get(&to).await;
            assert!(form.body.contains(&format!("name=\"next\" value=\"{from}\"")), "{}", form.body);
            let confirm = format!("{realm}/confirm");
            let fields = |password| [("password", password), ("next", from.as_str())];
            let wrong = app.submit(&confirm, &fields("not hers at all")).await;
            assert_eq!(wrong.status, Status::UnprocessableEntity);
            assert!(wrong.body.contains("aria-describedby=\"password-error\""), "{}", wrong.body);
            assert_eq!(ask().await.location(), to, "{path}: not yet");
            assert_eq!(app.submit(&confirm, &fields(PASSWORD)).await.location(), from);
            assert_ne!(ask().await.header("location"), Some(&*to), "{path}");
        }
    }
}

#[rocket::async_test]
async fn l13_within_ten_minutes_nothing_is_asked_for() {
    let app = ada().await;
    app.clock.advance(Duration::minutes(10));
    for realm in ALL {
        for page in ["/password", "/account/delete", "/sessions"] {
            assert_eq!(app.get(&format!("{realm}{page}")).await.status, Status::Ok, "{realm}{page}");
        }
    }
}

#[rocket::async_test]
async fn l13_a_confirmation_leads_nowhere_else() {
    let app = ada().await;
    for next in ["//evil.example", "https://evil.example/", "/\\evil.example"] {
        let answer = app.submit("/stateful/confirm", &[("password", PASSWORD), ("next", next)]).await;
        assert_eq!(answer.location(), "/stateful");
    }
    assert!(!app.get("/stateful/confirm?next=//evil.example").await.body.contains("evil"));
}

#[rocket::async_test]
async fn l8_in_stateless_a_disabled_or_deleted_account_is_signed_out_by_the_next_page() {
    let undone = "UPDATE accounts SET disabled = NULL";
    for done in ["UPDATE accounts SET disabled = 1", "DELETE FROM accounts"] {
        let app = ada().await;
        let profile = app.get("/stateless/profile").await;
        assert!(profile.body.contains("one lookup by the account’s number, which took "), "{}", profile.body);
        app.database(done).await;
        let refused = app.get("/stateless/profile").await;
        assert_eq!(refused.location(), "/stateless/login?next=%2Fstateless%2Fprofile&ended=account");
        app.database(undone).await;
        assert!(!is_in(&app, "/stateless").await, "what is over stays over");
        for path in ["/stateless/cookie", "/stateless/login", "/", "/stateless"] {
            let page = app.get(path).await;
            let stateless =
                page.body.split_once("Revocable <small>").map_or(&*page.body, |(before, _)| before);
            assert!(
                !stateless.contains("Signed in as") && !stateless.contains("<dd>ada</dd>"),
                "{stateless}"
            );
            assert_eq!(
                page.notice().is_some_and(|notice| notice.contains("has ended")),
                path != "/",
                "{path}"
            );
        }
        assert_eq!(app.get("/stateless").await.notice(), None, "the page of visits has told it");
    }
}

#[rocket::async_test]
async fn the_pages_of_the_other_realms_look_no_account_up() {
    let app = ada().await;
    for realm in &ALL[1..] {
        app.get(&format!("{realm}/profile")).await;
        let profile = app.get(&format!("{realm}/profile")).await;
        assert_eq!(profile.status, Status::Ok);
        assert!(!profile.body.contains("one lookup"), "{realm}");
    }
    app.database("ALTER TABLE accounts RENAME TO gone").await;
    for realm in &ALL[1..] {
        assert!(is_in(&app, realm).await, "{realm}");
    }
    assert_eq!(app.get("/stateless/profile").await.status, Status::ServiceUnavailable);
}

#[rocket::async_test]
async fn in_a_store_the_stamp_is_compared_once_after_the_sign_in() {
    let app = App::start().await;
    app.submit("/stateful/register", &ADA).await;
    let record = async || app.get("/stateful/cookie").await.body;
    assert!(record().await.contains("&quot;stamp&quot;"), "as the sign-in left it");
    assert!(!record().await.contains("&quot;stamp&quot;"), "since the first page");
    app.submit("/revocable/login", &ADA).await;
    assert!(!app.get("/revocable/cookie").await.body.contains("&quot;stamp&quot;"), "the ledger needs none");
}

/// Where a sign-in waits whose password has been checked.
struct Gate {
    arrived: Semaphore,
    open: Semaphore,
}

/// What the login does once the password is found right, with the stamp that the account had before.
#[get("/late/<id>")]
async fn late(session: Session<'_, Visitor>, id: i64, gate: &State<Arc<Gate>>) {
    gate.arrived.add_permits(1);
    gate.open.acquire().await.unwrap().forget();
    let data = json!({ "user": { "id": id, "name": "ada" }, "stamp": 0 });
    session.sign_in(|visitor| *visitor = serde_json::from_value(data).unwrap());
}

#[rocket::async_test]
async fn l9_a_sign_in_checked_before_a_password_change_and_committed_after_it_is_dead_in_a_store() {
    let gate = Arc::new(Gate { arrived: Semaphore::new(0), open: Semaphore::new(0) });
    let managed = Arc::clone(&gate);
    let app = App::start_with(|rocket| rocket.manage(managed).mount("/stateful", routes![late])).await;
    app.register("ada").await;
    let path = format!("/stateful/late/{}", app.account_number().await);
    gate.open.add_permits(1);
    app.get(&path).await;
    assert!(is_in(&app, "/stateful").await, "before the change it works");
    gate.arrived.acquire().await.unwrap().forget();
    app.submit("/stateful/logout", &[]).await;
    let change = async {
        gate.arrived.acquire().await.unwrap().forget();
        let fields = [("current_password", PASSWORD), ("new_password", NEW_PASSWORD)];
        let changed = app.submit("/stateless/password", &fields).await;
        gate.open.add_permits(1);
        changed
    };
    let (signed_in, changed) = join!(app.get(&path), change);
    assert_eq!(changed.location(), "/stateless/profile");
    assert_eq!(signed_in.status, Status::Ok, "it is signed in for the store");
    let refused = app.get("/stateful/profile").await;
    assert_eq!(refused.location(), "/stateful/login?next=%2Fstateful%2Fprofile&ended=account");
    assert!(is_in(&app, "/stateless").await, "who changed it goes on");
}

#[rocket::async_test]
async fn a_store_that_does_not_answer_refuses_a_password_change_and_a_deletion() {
    let app = ada().await;
    app.database("DROP TABLE sealed_session_rows").await;
    let tables = app.get("/stateful").await.status;
    assert_eq!(tables, Status::ServiceUnavailable, "the store is broken");
    let fields = [("current_password", PASSWORD), ("new_password", NEW_PASSWORD)];
    let refused = app.submit("/stateless/password", &fields).await;
    assert_eq!(refused.status, Status::ServiceUnavailable);
    let page = "/stateless/account/delete";
    assert_eq!(press(&app, page, page).await.status, Status::ServiceUnavailable);
    assert!(is_in(&app, "/stateless").await);
    let again = app.submit("/stateless/login", &ADA).await;
    assert_eq!(again.location(), "/stateless", "the old password is the password");
}

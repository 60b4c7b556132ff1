//! Requests whose session is older than the newest that the app has seen.

use rocket::http::{Cookie, Status};
use rocket::{post, routes};
use sealed_sessions::Current;
use sealed_sessions_app::app::Visitor;

use crate::support::App;

#[post("/careful")]
fn careful(session: Current<'_, Visitor>) {
    session.update(|visitor| visitor.visits = 100);
}

/// The app, and the cookie from before the browser's last visit.
async fn app_and_older_cookie() -> (App, Cookie<'static>) {
    let app = App::start_with(|rocket| rocket.mount("/stateless", routes![careful])).await;
    app.register("ada").await;
    app.get("/stateless/profile").await;
    let cookie = app.client.cookies().get("__Host-Http-stateless").unwrap().clone();
    app.get("/stateless").await;
    (app, cookie)
}

#[rocket::async_test]
async fn a_form_that_came_with_an_older_cookie_is_refused_once_with_a_page_that_says_why() {
    let (app, older) = app_and_older_cookie().await;
    let refused = app.client.post("/stateless/careful").cookie(older).dispatch().await;
    assert_eq!(refused.status(), Status::Conflict);
    assert_eq!(refused.headers().get("set-cookie").count(), 1, "it is sealed anew");
    let page = refused.into_string().await.unwrap();
    assert!(page.contains("Error 409") && page.contains("Nothing was changed."), "{page}");
    assert!(page.contains("href=\"/stateless/careful\""), "a way back to the form");
    assert!(page.contains("Signed in as </span><b>ada</b>"), "{page}");
    assert_eq!(app.post("/stateless/careful", &[]).await.status, Status::Ok);
    assert_eq!(app.get("/stateless").await.visits(), Some("101"));
}

#[rocket::async_test]
async fn every_other_page_goes_on_with_an_older_cookie() {
    let (app, older) = app_and_older_cookie().await;
    let ask = async |path: &'static str| app.client.get(path).cookie(older.clone()).dispatch().await;
    let profile = ask("/stateless/profile").await;
    assert_eq!((profile.status(), profile.headers().get_one("set-cookie")), (Status::Ok, None));
    let cookie = ask("/stateless/cookie").await.into_string().await.unwrap();
    assert!(cookie.contains("a newer version of the session"), "{cookie}");
    let visits = ask("/stateless").await.into_string().await.unwrap();
    assert!(visits.contains("<output id=\"visits\">1<"), "the last writer wins");
    assert_eq!(app.get("/stateless").await.visits(), Some("2"), "and is the newest");
}

#[rocket::async_test]
async fn another_409_is_not_about_the_session() {
    let app = App::start_with(|rocket| rocket.mount("/stateless", routes![conflict])).await;
    let page = app.post("/stateless/conflict", &[]).await;
    assert_eq!(page.status, Status::Conflict);
    assert!(!page.body.contains("older version"), "{}", page.body);
}

#[post("/conflict")]
fn conflict() -> Status {
    Status::Conflict
}

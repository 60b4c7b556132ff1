//! Rule 14: a sign-in works the first time, and nothing late or foreign signs anyone out.

use rocket::http::Header;
use rocket::local::asynchronous;
use sealed_sessions::store::Id;
use time::Duration;
use world::KEY;

use crate::faulty::start;
use crate::late::{faulty, gated, overtaken, record};
use crate::support::{cookie, cookie_of, get as fetch, with};

/// The `Cookie` header that a response leads to.
fn given_header(response: &asynchronous::LocalResponse<'_>) -> Header<'static> {
    let line = response.headers().get_one("Set-Cookie").expect("a cookie is set");
    Header::new("Cookie", line.split(';').next().unwrap().to_owned())
}

#[test]
fn rule_14_what_an_anonymous_session_held_stays_readable_and_a_signed_in_one_is_closed() {
    let (_, app, browser) = start();
    let anonymous = cookie(&browser).unwrap();
    fetch(&browser, "/login/ada");
    let signed_in = cookie(&browser).unwrap();
    fetch(&browser, "/renew");
    assert_eq!(with(&browser, "/read", &anonymous).into_string().as_deref(), Some("1 Superseded"));
    assert_eq!(with(&browser, "/read", &signed_in).into_string().as_deref(), Some("0 Superseded"));
    app.advance(Duration::seconds(60));
    assert_eq!(with(&browser, "/read", &anonymous).into_string().as_deref(), Some("0 Revoked"));
}

#[rocket::async_test]
async fn rule_14_of_two_sign_ins_at_once_each_works() {
    for ended in [false, true] {
        let (store, app) = faulty("");
        let old = record(&app, 1);
        store.keep(&old).await;
        let browser = gated(&app).await;
        let other = if ended { "/logout" } else { "/login/ada" };
        let (late, fast) = overtaken(&browser, "login", other, &cookie_of(KEY, &old.id)).await;
        let answers = if ended { vec![late] } else { vec![late, fast] };
        for answer in answers {
            let all = browser.get("/all").header(given_header(&answer)).dispatch().await;
            let all = all.into_string().await.unwrap();
            assert!(all.starts_with("Resumed views=1 user=Some(\"ada\")"), "{all}");
        }
    }
}

#[rocket::async_test]
async fn rule_14_a_late_change_with_a_dead_cookie_keeps_and_sets_nothing_after_a_sign_in() {
    let (store, app) = faulty("");
    let browser = gated(&app).await;
    let dead = cookie_of(KEY, &Id::random().unwrap());
    let (late, login) = overtaken(&browser, "visits", "/login/ada", &dead).await;
    assert_eq!(late.headers().get("Set-Cookie").count(), 0, "it would sign the browser out");
    assert_eq!(store.records().len(), 1);
    let read = browser.get("/read").header(given_header(&login)).dispatch().await;
    assert_eq!(read.into_string().await.as_deref(), Some("0 Resumed"));
    let poll = browser.get("/visits").header(Header::new("Cookie", dead)).dispatch().await;
    assert_eq!(poll.headers().get("Set-Cookie").count(), 0, "one that is later still finds the marker");
    assert_eq!(store.records().len(), 1);
}

#[rocket::async_test]
async fn rule_14_a_page_that_is_answered_after_the_sign_in_sets_nothing() {
    for what in ["visits", "read"] {
        let (store, app) = faulty("");
        let old = record(&app, 1);
        store.keep(&old).await;
        let browser = gated(&app).await;
        let (late, login) = overtaken(&browser, what, "/login/ada", &cookie_of(KEY, &old.id)).await;
        assert_eq!(late.headers().get("Set-Cookie").count(), 0, "{what}");
        let read = browser.get("/read").header(given_header(&login)).dispatch().await;
        assert_eq!(read.into_string().await.as_deref(), Some("1 Resumed"), "{what}");
    }
}

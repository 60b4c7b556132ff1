//! The pages and the session behind them.

use rocket::figment::Figment;
use rocket::http::{ContentType, Cookie, Header, Status};
use rocket::{get, uri};
use time::Duration;

use crate::support::{App, PASSWORD};

#[rocket::async_test]
async fn the_whole_walk_keeps_the_count_and_ends_with_the_logout() {
    let app = App::start().await;
    let first = app.get("/stateless").await;
    assert_eq!(first.visits(), Some("1"));
    assert!(first.body.contains("Comes with this page"), "the cookie is in this very response");
    assert_eq!(app.get("/stateless").await.visits(), Some("2"));
    assert_eq!(app.register("ada").await.location(), "/stateless");
    assert_eq!(app.get("/stateless/profile").await.after("<output id=\"username\">"), Some("ada"));
    assert_eq!(app.get("/stateless").await.visits(), Some("3"));

    let logout = app.submit("/stateless/logout", &[]).await;
    assert_eq!(logout.location(), "/stateless/signed-out");
    assert_eq!(logout.header("clear-site-data"), Some("\"cache\""));
    assert_eq!(app.get("/stateless").await.visits(), Some("1"), "the session was destroyed");
    assert_eq!(
        app.get("/stateless/profile").await.location(),
        "/stateless/login?next=%2Fstateless%2Fprofile"
    );
}

#[rocket::async_test]
async fn a_session_survives_a_restart() {
    let app = App::start().await;
    app.register("ada").await;
    app.get("/stateless").await;
    let app = app.restarted().await;
    assert_eq!(app.get("/stateless/profile").await.status, Status::Ok);
    assert_eq!(app.get("/stateless").await.visits(), Some("2"));
}

#[rocket::async_test]
async fn two_apps_in_one_process_share_nothing() {
    let (one, two) = (App::start().await, App::start().await);
    one.register("ada").await;
    assert_eq!(two.register("ada").await.status, Status::SeeOther, "the name is free there");
    two.submit("/stateless/logout", &[]).await;
    let two = two.visited_by_the_browser_of(&one);
    assert_eq!(two.get("/stateless/profile").await.status, Status::SeeOther, "its key is another");
}

#[rocket::async_test]
async fn an_ended_session_is_told_in_a_quiet_notice_once() {
    let app = App::start().await;
    app.register("ada").await;
    app.clock.advance(Duration::minutes(30));
    let page = app.get("/stateless").await;
    assert_eq!(
        (page.visits(), page.notice()),
        (Some("1"), Some("Your session ended because you were away for a while."))
    );
    assert_eq!(app.get("/stateless").await.notice(), None);
}

#[rocket::async_test]
async fn who_is_sent_to_sign_in_after_the_end_is_told_why_and_comes_back() {
    let app = App::start().await;
    app.register("ada").await;
    app.clock.advance(Duration::minutes(30));
    let to_login = app.get("/stateless/profile").await.location().to_owned();
    assert_eq!(to_login, "/stateless/login?next=%2Fstateless%2Fprofile&ended=idle");
    let form = app.get(&to_login).await;
    assert_eq!(form.notice(), Some("Your session ended because you were away for a while."));
    assert!(form.body.contains("name=\"next\" value=\"/stateless/profile\""));
    let fields = [("username", "ada"), ("password", PASSWORD), ("next", "/stateless/profile")];
    assert_eq!(app.submit("/stateless/login", &fields).await.location(), "/stateless/profile");
    assert_eq!(app.get("/stateless/login?ended=%3Cscript%3E").await.notice(), None);
}

#[rocket::async_test]
async fn the_absolute_end_comes_however_busy_the_session_is() {
    let app = App::start().await;
    app.register("ada").await;
    app.get("/stateless/profile").await;
    for _ in 0..35 {
        app.clock.advance(Duration::minutes(20));
        assert_eq!(app.get("/stateless").await.notice(), None);
    }
    app.clock.advance(Duration::minutes(20));
    let page = app.get("/stateless").await;
    let told = "Your session ended because it reached its maximum age (12 hours, or 30 days if you chose to stay signed in).";
    assert_eq!(page.notice(), Some(told));
}

#[rocket::async_test]
async fn somebody_who_asked_for_it_stays_signed_in_for_days() {
    let app = App::start().await;
    app.register("ada").await;
    app.submit("/stateless/logout", &[]).await;
    let fields = [("username", "ada"), ("password", PASSWORD), ("remember", "true")];
    app.submit("/stateless/login", &fields).await;
    app.clock.advance(Duration::days(13));
    assert_eq!(app.get("/stateless/profile").await.status, Status::Ok);
    app.clock.advance(Duration::days(14));
    assert_eq!(app.get("/stateless/profile").await.status, Status::SeeOther);
}

#[rocket::async_test]
async fn the_short_ways_lead_to_the_default_realm() {
    let app = App::start().await;
    for (path, target) in
        [("/login", "/stateless/login"), ("/profile", "/stateless/profile"), ("/user", "/stateless/profile")]
    {
        assert_eq!(app.get(path).await.location(), target);
    }
}

#[rocket::async_test]
async fn next_is_taken_from_a_get_only_and_stays_on_this_site() {
    let app = App::start().await;
    let form = app.get("/stateless/login?next=//evil.example/").await;
    assert!(!form.body.contains("evil"), "it is not even repeated");
    app.register("ada").await;
    for evil in
        ["//evil", "/\\evil", "https:evil", "javascript:alert(1)", "/%09/evil", "http://a@evil", "/a\r\nb: c"]
    {
        let fields = [("username", "ada"), ("password", PASSWORD), ("next", evil)];
        assert_eq!(app.submit("/stateless/login", &fields).await.location(), "/stateless", "{evil:?}");
    }
}

#[rocket::async_test]
async fn the_cookie_page_shows_every_byte_and_no_secret() {
    let app = App::start().await;
    assert!(app.get("/stateless/cookie").await.body.contains("sent no session cookie"));
    app.register("ada").await;
    app.get("/stateless/profile").await;
    let page = app.get("/stateless/cookie").await;
    let cookie = app.client.cookies().get("__Host-Http-stateless").unwrap().clone();
    assert!(!page.body.contains(cookie.value()), "the whole value is a credential");
    let total = cookie.name().len() + "=".len() + cookie.value().len();
    assert!(page.body.contains(&format!("<b>{total} bytes</b> in each request")), "{total}");
    let line = page.body.split_once(" of 4096 bytes</b> in the response").unwrap().0.rsplit('>').next();
    assert!((total + 50..4096).contains(&line.unwrap().parse::<usize>().unwrap()), "{line:?}");
    let parts: usize = page
        .body
        .split("<td class=\"number\">")
        .skip(1)
        .map(|cell| cell.split_once('<').unwrap().0.parse::<usize>().unwrap())
        .take(6)
        .sum();
    assert_eq!(parts, total, "the parts add up to what a request carries");
}

#[rocket::async_test]
async fn the_overview_shows_each_realm_with_a_way_out_and_changes_nothing() {
    let app = App::start().await;
    app.get("/stateless").await;
    app.register("ada").await;
    let token = app.get("/").await.token().unwrap();
    let page = app.get("/").await;
    assert!(page.body.contains("<dd>ada</dd>") && page.body.contains("<dt>Visits</dt><dd>1</dd>"));
    assert_eq!(page.header("set-cookie"), None);
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let logout = app.post("/stateless/logout", &[("csrf_token", &token)]).await;
    assert_eq!(logout.location(), "/stateless/signed-out");
}

#[rocket::async_test]
async fn every_error_is_a_page_of_ours() {
    let app = App::start().await;
    let too_long = "x".repeat(1 << 20);
    let statuses = [
        (app.get("/nowhere").await, 404),
        (app.get("/stateless/nowhere").await, 404),
        (app.post("/stateless/login", &[]).await, 403),
        (app.submit("/stateless/login", &[("username", "a")]).await, 422),
        (app.submit("/stateless/login", &[("password", too_long.as_str())]).await, 413),
    ];
    for (answer, status) in statuses {
        assert_eq!(answer.status.code, status);
        assert!(
            answer.body.contains("<!doctype html>") && answer.body.contains(&format!("Error {status}")),
            "{status}"
        );
        assert!(answer.header("content-security-policy").is_some(), "{status}");
    }
}

#[get("/fails/<status>")]
fn fails(status: u16) -> Status {
    Status::new(status)
}

#[rocket::async_test]
async fn every_other_error_is_a_page_of_ours_too() {
    let app = App::start_with(|rocket| rocket.mount("/stateless", rocket::routes![fails])).await;
    for status in [400, 403, 404, 405, 413, 415, 418, 422, 429, 500, 502, 503] {
        let answer = app.get(&format!("/stateless/fails/{status}")).await;
        assert_eq!(answer.status.code, status);
        assert!(answer.body.contains(&format!("Error {status}")), "{status}: {}", answer.body);
        assert!(answer.body.contains("href=\"/stateless\""), "{status} has a way on");
        assert!(answer.header("content-security-policy").is_some(), "{status}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{status}");
    }
}

#[rocket::async_test]
async fn x6_with_tls_there_is_hsts_and_only_a_page_of_https_may_send_a_form() {
    let app = App::start_with(|rocket| {
        let tls = Figment::from(rocket.figment()).merge(("tls.certs", "unread.pem"));
        rocket.configure(tls.merge(("tls.key", "unread.pem")).select("release"))
    })
    .await;
    for path in ["/", "/stateless", "/nowhere", "/site.css"] {
        assert_eq!(
            app.get(path).await.header("strict-transport-security"),
            Some("max-age=31536000"),
            "{path}"
        );
    }
    for (origin, status) in [("http://localhost", 403), ("https://localhost", 401)] {
        let token = app.get("/stateless/login").await.token().unwrap();
        let body = format!("csrf_token={token}&username=a&password=b");
        let request = app.client.post("/stateless/login").header(ContentType::Form).body(body);
        let mut request = request.header(Header::new("Origin", origin));
        request.inner_mut().set_host(uri!("localhost").into());
        let answer = request.dispatch().await;
        assert_eq!(answer.status().code, status, "{origin}");
    }
}

#[rocket::async_test]
async fn l18_a_sign_in_beyond_the_limit_is_refused_by_a_page_that_says_what_to_do() {
    let app = App::start_with(|rocket| {
        let limit = ("session.realms./stateful.max_sessions", 1);
        let refuse = ("session.realms./stateful.beyond_max_sessions", "refuse");
        let figment = rocket.figment().clone().merge(limit).merge(refuse);
        rocket.configure(figment)
    })
    .await;
    let fields = [("username", "ada"), ("password", PASSWORD)];
    app.submit("/stateful/register", &fields).await;
    let laptop = app.client.cookies().get("__Host-Http-stateful").cloned().unwrap();
    // Another browser, for the jar keeps one cookie of a name.
    let nothing = Cookie::new("__Host-Http-stateful", "nothing");
    app.client.get("/stateful").cookie(nothing).dispatch().await;
    let refused = app.submit("/stateful/login", &fields).await;
    assert_eq!(refused.status, Status::Conflict);
    assert!(refused.body.contains("Sign out on one of them") && refused.body.contains("Back to the form"));
    assert!(!refused.body.contains("Signed in as"));
    let profile = app.client.get("/stateful/profile").cookie(laptop).dispatch().await;
    assert_eq!(profile.status(), Status::Ok, "the other one goes on");
}

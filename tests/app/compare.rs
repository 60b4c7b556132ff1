//! `GET|POST /compare`.

use rocket::figment::providers::{Format, Toml};
use rocket::http::Status;

use super::support::{App, PASSWORD};

async fn click(app: &App) {
    assert_eq!(app.submit("/compare", &[]).await.location(), "/compare");
}

#[rocket::async_test]
async fn one_click_counts_a_visit_in_every_realm_and_shows_what_each_takes() {
    let app = App::start().await;
    let before = app.get("/compare").await;
    assert_eq!(before.status, Status::Ok);
    assert!(before.body.contains("no session yet"));
    let realms = before.body.matches("<th scope=\"col\"><a ").count();
    click(&app).await;
    click(&app).await;
    let after = app.get("/compare").await.body;
    assert_eq!(after.matches("<td>2 visits <small>").count(), realms, "{after}");
    for said in
        ["the whole sealed record", "the sealed id alone", "nothing but the key", "the record, version 2"]
    {
        assert!(after.contains(said), "{said}: {after}");
    }
    for realm in ["/stateless", "/revocable", "/stateful"] {
        assert_eq!(app.get(realm).await.visits(), Some("3"), "{realm}");
    }
}

#[rocket::async_test]
async fn loading_is_timed_where_the_page_reads_and_saving_where_a_click_writes() {
    let app = App::start().await;
    assert!(app.get("/compare").await.body.contains("nothing to load yet"));
    let measured = |body: &str, text: &str| body.matches(&format!("</b> ms <small>{text}</small>")).count();
    click(&app).await;
    let saved = "for all realms together, one after the other; one click on this server";
    // The form of the first click was on a page that opened the session of the first realm.
    let first = app.get("/compare").await.body;
    assert_eq!((measured(&first, "once on this server"), measured(&first, saved)), (2, 1), "{first}");
    let second = app.get("/compare").await.body;
    let twice = "median of the last 2 times on this server, for all visitors";
    assert_eq!(
        (measured(&second, twice), measured(&second, saved)),
        (2, 1),
        "no click came between: {second}"
    );
    for _ in 0..20 {
        click(&app).await;
        app.get("/compare").await;
    }
    let last = app.get("/compare").await.body;
    assert_eq!(measured(&last, "median of the last 20 times on this server, for all visitors"), 3, "{last}");
    let saved = last.matches("for all realms together, one after the other; median of the last 20 clicks");
    assert_eq!(saved.count(), 1, "{last}");
}

#[rocket::async_test]
async fn sessions_that_hold_the_same_are_said_to_and_others_are_not() {
    const EQUAL: &str = "The sessions hold the same";
    const DIFFERENT: &str = "The sessions hold different things";
    let app = App::start().await;
    let neither = app.get("/compare").await.body;
    assert!(!neither.contains(EQUAL) && !neither.contains(DIFFERENT), "{neither}");
    click(&app).await;
    click(&app).await;
    let equal = app.get("/compare").await.body;
    assert!(equal.contains(EQUAL) && !equal.contains(DIFFERENT), "{equal}");
    app.submit("/stateful/register", &[("username", "ada"), ("password", PASSWORD)]).await;
    let different = app.get("/compare").await.body;
    assert!(different.contains(DIFFERENT) && !different.contains(EQUAL), "{different}");
    assert!(different.contains("2 visits, signed in as ada, "), "{different}");
}

#[rocket::async_test]
async fn a_sign_in_that_is_over_is_not_shown_as_one_that_goes_on() {
    let app = App::start().await;
    app.register("ada").await;
    app.submit("/stateful/login", &[("username", "ada"), ("password", PASSWORD)]).await;
    app.get("/stateful").await;
    let before = app.get("/compare").await.body;
    assert_eq!(before.matches("signed in as ada").count(), 2, "{before}");
    app.database("UPDATE accounts SET password_hash = 'another'").await;
    let after = app.get("/compare").await;
    assert_eq!(after.body.matches("a sign-in as ada that is over").count(), 1, "{}", after.body);
    assert_eq!(after.body.matches("signed in as ada").count(), 1, "in a store it goes on: {}", after.body);
    assert_eq!(after.header("set-cookie"), None, "it is not used");
}

#[rocket::async_test]
async fn the_figures_are_pictured_with_their_values_in_words() {
    let app = App::start().await;
    assert!(!app.get("/compare").await.body.contains("class=\"bars\""), "there is nothing to picture");
    click(&app).await;
    click(&app).await;
    let page = app.get("/compare").await.body;
    for (title, of_stateful) in [
        ("Up, with every request", "bytes"),
        ("Down, with every change", "Stateful 0 bytes"),
        ("Kept on the server for this session", "Stateless 0 bytes"),
        ("Loading, the median", "ms"),
    ] {
        let about = page.split_once(&format!("aria-label=\"{title}. ")).unwrap().1.split('"').next().unwrap();
        assert!(about.contains("Revocable ") && about.contains(of_stateful), "{about}");
    }
}

#[rocket::async_test]
async fn a_store_that_does_not_answer_is_said_so_and_the_others_go_on() {
    let app = App::start().await;
    click(&app).await;
    click(&app).await;
    app.database("DROP TABLE sealed_session_rows").await;
    let down = app.get("/compare").await;
    assert_eq!(down.status, Status::Ok);
    assert!(down.body.contains("<b>Stateful: its store does not answer.</b>"), "{}", down.body);
    assert_eq!(down.body.matches("<td>–</td>").count(), 5, "no figure is made up: {}", down.body);
    click(&app).await;
    let counted = app.get("/compare").await.body;
    assert_eq!(counted.matches("<td>3 visits <small>").count(), 2, "{counted}");
}

#[rocket::async_test]
async fn without_a_session_of_the_first_realm_there_is_no_form() {
    let app = App::configured(&[("default_realm", "\"/stateful\"")]).await;
    click(&app).await;
    app.database("DROP TABLE sealed_session_rows").await;
    let page = app.get("/compare").await;
    assert_eq!(page.status, Status::Ok);
    assert!(page.body.contains("cannot be had now") && !page.body.contains("csrf_token"), "{}", page.body);
}

#[rocket::async_test]
async fn a_realm_with_a_ledger_is_said_to_have_one() {
    let with_ledger = "[default.session.realms.\"/revocable\"]\n\
                       cookie = \"__Host-Http-revocable\"\nstore = \"cookie\"\nrevocation = \"memory\"";
    let app = App::start_with(|rocket| {
        let figment = rocket.figment().clone().merge(Toml::string(with_ledger).nested());
        rocket.configure(figment)
    });
    let app = app.await;
    click(&app).await;
    let page = app.get("/compare").await;
    let of = |store: &str| page.body.contains(&format!("<small>{store}</small>"));
    assert!(of("cookie store") && of("cookie + ledger") && of("SQLite store"), "{}", page.body);
    assert_eq!(page.body.matches("the key, and a ledger of ended sessions").count(), 1);
    assert_eq!(page.body.matches("nothing but the key").count(), 1);
    let overview = app.get("/").await.body;
    let card = overview.split_once("<h3>Revocable").unwrap().1.split_once("</article>").unwrap().0;
    for said in
        ["<small>cookie + ledger</small>", "a ledger of sessions that have ended", "an entry for each"]
    {
        assert!(card.contains(said), "{said}: {card}");
    }
    assert!(!card.contains("nothing of the session") && !card.contains("nothing else"), "{card}");
}

#[rocket::async_test]
async fn a_click_without_the_token_counts_nothing() {
    let app = App::start().await;
    click(&app).await;
    assert_eq!(app.post("/compare", &[]).await.status, Status::Forbidden);
    assert_eq!(app.post("/compare", &[("csrf_token", "made up")]).await.status, Status::Forbidden);
    assert_eq!(app.get("/stateful").await.visits(), Some("2"));
}

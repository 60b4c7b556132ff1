//! `GET|POST /compare`.

use rocket::figment::providers::{Format, Toml};
use rocket::http::Status;

use super::support::App;

#[rocket::async_test]
async fn one_press_counts_a_visit_in_every_realm_and_shows_what_each_took() {
    let app = App::start().await;
    let before = app.get("/compare").await;
    assert_eq!(before.status, Status::Ok);
    assert!(before.body.contains("No session yet"));
    let realms = before.body.matches("<th scope=\"col\"><a ").count();
    assert!(app.submit("/compare", &[]).await.location().starts_with("/compare?"));
    let pressed = app.submit("/compare", &[]).await;
    let after = app.get(pressed.location()).await;
    assert_eq!(after.body.matches("</b> ms</td>").count(), realms, "each realm is loaded: {}", after.body);
    let saved = after.body.matches("</b> ms <small>for all realms together").count();
    assert_eq!(saved, 1, "they are saved in one go: {}", after.body);
    assert_eq!(after.body.matches("<td><b>2</b></td>").count(), realms, "{}", after.body);
    for said in
        ["the whole sealed record", "the sealed id alone", "nothing but the key", "the record, version 2"]
    {
        assert!(after.body.contains(said), "{said}: {}", after.body);
    }
    for realm in ["/stateless", "/revocable", "/stateful"] {
        assert_eq!(app.get(realm).await.visits(), Some("3"), "{realm}");
    }
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
    app.submit("/compare", &[]).await.location();
    let page = app.get("/compare").await;
    let of = |store: &str| page.body.contains(&format!("<small>{store}</small>"));
    assert!(of("cookie store") && of("cookie + ledger") && of("sqlite store"), "{}", page.body);
    assert_eq!(page.body.matches("the key, and a list of which sessions have ended").count(), 1);
    assert_eq!(page.body.matches("nothing but the key").count(), 1);
}

#[rocket::async_test]
async fn times_that_are_made_up_are_numbers_or_nothing() {
    let app = App::start().await;
    for query in [
        "load=/stateless:%3Cb%3E",
        "load=/stateless:-1&save=:",
        "save=-1",
        "save=%3Cb%3E",
        "save=99999999999",
        "load=&save=&load=%FF",
        "load=/stateless:1e999",
    ] {
        let page = app.get(&format!("/compare?{query}")).await;
        assert_eq!((page.status, page.body.contains("</b> ms")), (Status::Ok, false), "{query}");
    }
}

#[rocket::async_test]
async fn a_press_without_the_token_counts_nothing() {
    let app = App::start().await;
    app.submit("/compare", &[]).await.location();
    assert_eq!(app.post("/compare", &[]).await.status, Status::Forbidden);
    assert_eq!(app.post("/compare", &[("csrf_token", "made up")]).await.status, Status::Forbidden);
    assert_eq!(app.get("/stateful").await.visits(), Some("2"));
}

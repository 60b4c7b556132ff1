//! The pages that ask someone who is signed in for their password again: a wrong one counts there too.

use rocket::http::Status;
use time::ext::NumericalDuration;

use crate::support::{Answer, App, PASSWORD};
use crate::throttle::{address, retry_after};

const ALL: [&str; 3] = ["/stateless", "/revocable", "/stateful"];
const CONFIRM: &str = "/stateless/confirm";
const DELETE: &str = "/stateless/account/delete";
const PROFILE: &str = "/stateless/profile";
const CHANGE: &str = "/stateless/password";
const NEW_PASSWORD: &str = "another lighthouse keeper";
const LATER: &str = "Too many attempts. Try again in 2 minutes.";

/// An app that ada is signed in to in every realm, where a wrong password is forgotten after two minutes.
async fn ada() -> App {
    let app = App::configured(&[("throttle.refill", "\"2 minutes\"")]).await;
    app.register("ada").await;
    for realm in &ALL[1..] {
        app.submit(&format!("{realm}/login"), &[("username", "ada"), ("password", PASSWORD)]).await;
    }
    app
}

/// Sends the form at `path`, always from one address.
async fn send(app: &App, path: &str, fields: &[(&str, &str)]) -> Answer {
    let token = app.get(path).await.token().unwrap_or_default();
    let fields = [&[("csrf_token", token.as_str())], fields].concat();
    app.post_from(address("192.0.2.1"), path, &fields).await
}

async fn change(app: &App, current: &str, new: &str) -> Answer {
    send(app, CHANGE, &[("current_password", current), ("new_password", new)]).await
}

async fn confirm(app: &App, password: &str) -> Answer {
    send(app, CONFIRM, &[("password", password), ("next", DELETE)]).await
}

/// Whether it is this page again, with the sentence beside the field that holds the password.
fn is_later(answer: &Answer, title: &str, describes: &str) -> bool {
    let described = format!("<p class=\"mistake\" id=\"{describes}\">{LATER}</p>");
    assert_eq!((answer.status, retry_after(answer)), (Status::TooManyRequests, Some(120)), "{}", answer.body);
    answer.body.contains(&format!("<h1>{title}</h1>"))
        && answer.body.contains(&described)
        && answer.body.contains(&format!("aria-describedby=\"{describes}\""))
}

#[rocket::async_test]
async fn a3_a_password_change_guesses_no_more_of_the_current_password_than_a_sign_in() {
    let app = ada().await;
    for _ in 0..10 {
        assert_eq!(change(&app, "wrong", NEW_PASSWORD).await.status, Status::UnprocessableEntity);
    }
    let refused = change(&app, PASSWORD, "short").await;
    assert!(is_later(&refused, "Change your password", "current-error"), "{}", refused.body);
    assert!(refused.body.contains("Use 15 characters or more."), "what else is wrong is said too");
    app.clock.advance(2.minutes());
    assert_eq!(change(&app, PASSWORD, NEW_PASSWORD).await.location(), PROFILE);
}

#[rocket::async_test]
async fn a3_a_confirmation_guesses_no_more_than_a_sign_in_and_still_knows_where_it_leads() {
    let app = ada().await;
    for _ in 0..10 {
        assert_eq!(confirm(&app, "wrong").await.status, Status::UnprocessableEntity);
    }
    let refused = confirm(&app, PASSWORD).await;
    assert!(is_later(&refused, "Is that still you?", "password-error"), "{}", refused.body);
    assert!(refused.body.contains(&format!("name=\"next\" value=\"{DELETE}\"")), "{}", refused.body);
    app.clock.advance(2.minutes());
    assert_eq!(confirm(&app, PASSWORD).await.location(), DELETE);
}

#[rocket::async_test]
async fn a3_who_may_not_guess_on_deletes_no_account_either() {
    let app = ada().await;
    app.clock.advance(11.minutes());
    let asked = "/stateless/confirm?next=%2Fstateless%2Faccount%2Fdelete";
    assert_eq!(app.get(DELETE).await.location(), asked, "the password is asked for");
    for _ in 0..10 {
        assert_eq!(confirm(&app, "wrong").await.status, Status::UnprocessableEntity);
    }
    let refused = confirm(&app, PASSWORD).await;
    assert!(is_later(&refused, "Is that still you?", "password-error"), "{}", refused.body);
    let token = refused.token().unwrap();
    let deleted = app.post_from(address("192.0.2.1"), DELETE, &[("csrf_token", &token)]).await;
    assert_eq!(deleted.location(), asked, "it is not deleted");
    assert_eq!(app.get(PROFILE).await.status, Status::Ok);
    app.clock.advance(2.minutes());
    assert_eq!(confirm(&app, PASSWORD).await.location(), DELETE);
    assert_eq!(send(&app, DELETE, &[]).await.location(), "/stateless/login");
}

#[rocket::async_test]
async fn a3_wrong_passwords_count_together_on_all_pages_of_all_realms() {
    let app = ada().await;
    let change = [("current_password", "wrong"), ("new_password", NEW_PASSWORD)];
    let pages = ALL.iter().flat_map(|realm| [(realm, "password"), (realm, "confirm")]);
    let mut checked = 0;
    for (realm, page) in pages.cycle().take(18) {
        let fields = if page == "password" { &change[..] } else { &[("password", "wrong")] };
        let answer = send(&app, &format!("{realm}/{page}"), fields).await;
        checked += usize::from(answer.status == Status::UnprocessableEntity);
    }
    assert_eq!(checked, 10);
    app.submit("/stateless/logout", &[]).await;
    let sign_in = send(&app, "/stateless/login", &[("username", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(sign_in.status, Status::TooManyRequests);
}

#[rocket::async_test]
async fn a3_right_confirmations_do_not_count() {
    let app = ada().await;
    for _ in 0..15 {
        assert_eq!(confirm(&app, PASSWORD).await.location(), DELETE);
    }
    assert_eq!(confirm(&app, "wrong").await.status, Status::UnprocessableEntity);
}

//! What visitors see while a store does not answer.

use rocket::http::Status;

use crate::support::{Answer, App, PASSWORD};

const ADA: [(&str, &str); 2] = [("username", "ada"), ("password", PASSWORD)];
const UNCHECKED: &str = "You are signed in, but your account cannot be checked at the moment.";
const NO_STORE: &str = "DROP TABLE sealed_session_rows";
const NO_LEDGER: &str = "DROP TABLE sealed_session_ledger";

async fn ada_at(realm: &str) -> App {
    let app = App::start().await;
    app.submit(&format!("{realm}/register"), &ADA).await;
    app
}

#[rocket::async_test]
async fn o1_a_page_without_its_store_says_what_does_not_answer_and_what_still_works() {
    let app = ada_at("/stateful").await;
    app.database(NO_STORE).await;
    let page = app.get("/stateful/sessions?of=mine").await;
    assert_eq!(page.status, Status::ServiceUnavailable);
    assert_eq!((page.header("retry-after"), page.header("set-cookie")), (Some("5"), None));
    for said in [
        "The session store (SQLite) does not answer. Your session is safe.",
        "href=\"/stateful/sessions?of=mine\">Try again</a>",
        "<a href=\"/stateless\">Stateless still works</a>",
        "Error 503",
    ] {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    assert!(!page.body.contains("/register\""), "nobody can tell who is signed in: {}", page.body);
    assert_eq!(app.get("/stateless").await.visits(), Some("1"), "it does");
}

#[rocket::async_test]
async fn o1_a_form_without_its_store_leads_back_to_itself() {
    let app = App::start().await;
    let token = app.get("/stateful/login").await.token().unwrap();
    app.database(NO_STORE).await;
    let page = app.post("/stateful/login", &[&ADA[..], &[("csrf_token", &token)]].concat()).await;
    assert_eq!((page.status, page.header("retry-after")), (Status::ServiceUnavailable, Some("5")));
    assert!(page.body.contains("href=\"/stateful/login\">Back to the form</a>"), "{}", page.body);
    assert!(!page.body.contains("Try again"), "asking again with GET would not send it");
}

#[rocket::async_test]
async fn o1_a_sign_out_that_the_ledger_cannot_enter_says_that_a_copy_may_live() {
    let app = ada_at("/revocable").await;
    let token = app.get("/revocable").await.token().unwrap();
    app.database(NO_LEDGER).await;
    let page = app.post("/revocable/logout", &[("csrf_token", &token)]).await;
    assert_eq!(page.status, Status::ServiceUnavailable);
    assert!(page.body.contains("the ledger of ended sessions does not answer"), "{}", page.body);
    assert!(page.body.contains("A copy of your session may live until <time"), "{}", page.body);
    assert!(!page.body.contains("Your session is safe"));
}

#[rocket::async_test]
async fn o1_without_the_accounts_no_store_is_blamed() {
    let app = ada_at("/stateless").await;
    app.database("ALTER TABLE accounts RENAME TO gone").await;
    let page = app.get("/stateless/profile").await;
    assert_eq!(page.status, Status::ServiceUnavailable);
    assert!(page.body.contains("The site cannot do this right now. Your session is safe."), "{}", page.body);
    assert!(!page.body.contains("still works"));
}

#[rocket::async_test]
async fn o1_without_the_accounts_nobody_is_said_to_be_signed_out_and_all_can_sign_out() {
    let app = ada_at("/stateless").await;
    app.database("ALTER TABLE accounts RENAME TO gone").await;
    for path in ["/stateless", "/stateless/cookie", "/stateless/profile"] {
        let page = app.get(path).await;
        assert!(page.body.contains(UNCHECKED), "{path}: {}", page.body);
        assert!(!page.body.contains("/stateless/register\""), "{path}: {}", page.body);
    }
    let overview = app.get("/").await;
    assert!(overview.body.contains("<dt>Signed in</dt><dd>Cannot be checked</dd>"), "{}", overview.body);
    let token = app.get("/stateless").await.token().unwrap();
    let signed_out = app.post("/stateless/logout", &[("csrf_token", &token)]).await;
    assert_eq!(signed_out.status, Status::SeeOther);
    assert!(!app.get("/stateless").await.body.contains(UNCHECKED));
}

#[rocket::async_test]
async fn the_overview_shows_dashes_for_a_store_that_does_not_answer() {
    let app = ada_at("/stateful").await;
    app.get("/stateful").await;
    app.database(NO_STORE).await;
    let page = app.get("/").await;
    let card = page.body.split_once("<h3>Stateful").unwrap().1.split_once("</article>").unwrap().0;
    assert!(card.contains("does not answer"), "{card}");
    assert_eq!(card.matches("<dd>–</dd>").count(), 4, "{card}");
    let other = page.body.split_once("<h3>Stateless").unwrap().1.split_once("</article>").unwrap().0;
    assert!(other.contains("<dt>Visits</dt><dd>0</dd>"), "{other}");
}

const DONE_IN_PART: &str = "Some of what you asked for has been done.";

/// Sends the form of a page after `fault` has come over the database.
async fn send_in_spite_of(app: &App, page: &str, fault: &str, fields: &[(&str, &str)]) -> Answer {
    let token = app.get(page).await.token().unwrap();
    app.database(fault).await;
    app.post(page, &[fields, &[("csrf_token", &token)]].concat()).await
}

#[rocket::async_test]
async fn l9_a_ledger_that_takes_no_entries_refuses_a_password_change_of_its_own_realm() {
    let app = ada_at("/revocable").await;
    let fields = [("current_password", PASSWORD), ("new_password", "the lamp of another keeper")];
    let refused = send_in_spite_of(&app, "/revocable/password", NO_LEDGER, &fields).await;
    assert_eq!(refused.status, Status::ServiceUnavailable);
    assert!(refused.body.contains("Nothing was changed."), "{}", refused.body);
    let again = app.submit("/stateless/login", &ADA).await;
    assert_eq!(again.location(), "/stateless", "the old password is the password");
}

#[rocket::async_test]
async fn o1_a_form_that_fails_after_it_has_done_something_says_so() {
    let app = App::start().await;
    let failed = send_in_spite_of(&app, "/revocable/register", NO_LEDGER, &ADA).await;
    assert_eq!(failed.status, Status::ServiceUnavailable);
    assert!(failed.body.contains(DONE_IN_PART), "the account is made: {}", failed.body);
    assert!(!failed.body.contains("Nothing was changed") && !failed.body.contains("is safe"));
}

//! `GET /`: what this is, and the state of each realm; and shortcuts to the default realm.

use rocket::response::Redirect;
use rocket::{Route, State, get, routes};
use rocket_dyn_templates::context;
use sealed_sessions::Powers;
use serde_json::json;

use super::code;
use super::compared::kept_in;
use super::page::{Html, Page, realm_name};
use super::settings::Settings;
use super::standing::{Standing, Standings};

#[get("/")]
async fn overview(page: Page<'_>, standings: Standings<'_>) -> Html {
    let mut cards = Vec::new();
    for path in page.realm_paths() {
        let session = page.realms().read_only(path).await.ok();
        let visitor = session.map(|session| session.get());
        let visitor = visitor.as_deref();
        let powers = page.realms().powers(path).unwrap_or(Powers::Nothing);
        let standing = match session {
            Some(session) => standings.of(session).await,
            None => Standing::Nobody,
        };
        let user = visitor.and_then(|visitor| visitor.user.as_ref());
        let user = user.filter(|_| standing.may_be_good());
        cards.push(json!({
            "path": path,
            "name": realm_name(path),
            "store": page.realms().store_name(path).unwrap_or_default(),
            "kept_in": kept_in(&page, path),
            "ledger": page.realms().has_ledger(path),
            "blurb": blurb(session.is_some(), powers),
            "answers": session.is_some(),
            "visits": visitor.map_or(0, |visitor| visitor.visits),
            "user": user.map(|account| &account.name),
            "checked": standing != Standing::Unknown,
            "csrf": user.and(session).and_then(|session| session.form_token()),
            "bytes": session.and_then(|session| session.inspect().wire()).map_or(0, |wire| wire.request),
            "ends": session.and_then(|session| session.expires()).map(|end| page.relative(end.earliest())),
        }));
    }
    page.show("overview", "Overview", context! { cards, counter: code::counter() })
}

/// What a card says of its realm.
fn blurb(answers: bool, powers: Powers) -> &'static str {
    match (answers, powers) {
        (false, Powers::Ends) => "The ledger of this realm does not answer.",
        (false, _) => "The store of this realm does not answer.",
        (true, Powers::Nothing) => {
            "The whole session travels in the cookie. The server keeps the key, and no copy of it."
        }
        (true, Powers::Ends) => {
            "The whole session travels in the cookie. The server keeps a ledger of those that have ended, so a copy is worth nothing after the sign-out."
        }
        (true, Powers::Lists) => "The session stays on the server. The cookie carries only its sealed id.",
    }
}

#[get("/login")]
fn login(settings: &State<Settings>) -> Redirect {
    Redirect::to(format!("{}/login", settings.default_realm))
}

#[get("/profile")]
fn profile(settings: &State<Settings>) -> Redirect {
    Redirect::to(format!("{}/profile", settings.default_realm))
}

#[get("/user")]
fn user(settings: &State<Settings>) -> Redirect {
    Redirect::to(format!("{}/profile", settings.default_realm))
}

pub(super) fn routes() -> Vec<Route> {
    routes![overview, login, profile, user]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_realm_that_does_not_answer_the_card_says_whether_it_is_the_store_or_the_ledger() {
        assert!(blurb(false, Powers::Ends).starts_with("The ledger "));
        assert!(blurb(false, Powers::Lists).starts_with("The store "));
    }
}

//! Flash messages: one page leaves a message in the session, the next takes it out. The READMEs quote the two routes.
//!
//! `ROCKET_SECRET_KEY=$(openssl rand -base64 32) cargo run -p sealed-sessions --example flash`

use rocket::figment::Figment;
use rocket::figment::providers::Env;
use rocket::http::RawStr;
use rocket::response::{Redirect, content::RawHtml};
use rocket::{Config, get, launch, post, routes, uri};
use sealed_sessions::{Session, SessionData, Sessions};
use serde::{Deserialize, Serialize};

#[derive(Default, Clone, Serialize, Deserialize)]
#[serde(default)]
struct Visitor {
    flash: Option<String>,
}

impl SessionData for Visitor {}

#[post("/order")]
fn order(session: Session<'_, Visitor>) -> Redirect {
    session.update(|visitor| visitor.flash = Some("Thank you for your order.".to_owned()));
    Redirect::to(uri!(shop))
}

#[get("/")]
fn shop(session: Session<'_, Visitor>) -> RawHtml<String> {
    // Taken out of the session: shown once, and not again after a reload.
    let flash = session.update(|visitor| visitor.flash.take()).unwrap_or_default();
    let flash = RawStr::new(&flash).html_escape();
    RawHtml(format!("<p role=status>{flash}<form method=post action=/order><button>Order"))
}

#[launch]
fn rocket() -> _ {
    // Only variables, since the Rocket.toml of this package is the web app's.
    let figment = Figment::from(Config::default()).merge(Env::prefixed("ROCKET_").global());
    rocket::custom(figment).attach(Sessions::<Visitor>::fairing()).mount("/", routes![order, shop])
}

#[cfg(test)]
mod tests {
    use rocket::local::blocking::Client;
    use sealed_sessions::testing;

    #[test]
    fn a_message_is_shown_once() {
        let browser = Client::tracked(super::rocket().configure(testing::figment())).unwrap();
        browser.post("/order").dispatch();
        let page = || browser.get("/").dispatch().into_string().unwrap();
        assert!(page().contains("Thank you"));
        assert!(!page().contains("Thank you"));
    }
}

//! Two parts of an app that keep something in one session: neither knows the app's type, nor the other part.
//!
//! `ROCKET_SECRET_KEY=$(openssl rand -base64 32) cargo run -p sealed-sessions --example parts`

use rocket::figment::Figment;
use rocket::figment::providers::Env;
use rocket::http::RawStr;
use rocket::response::{Redirect, content::RawHtml};
use rocket::{Config, get, launch, post, routes, uri};
use sealed_sessions::{SessionData, Sessions};
use serde::{Deserialize, Serialize};

/// Messages for the next page. This could be a crate.
mod flash {
    use rocket::request::{FromRequest, Outcome, Request};
    use sealed_sessions::{Session, SessionData, SessionError};
    use serde::{Deserialize, Serialize};

    #[derive(Default, Clone, Serialize, Deserialize)]
    pub struct Messages(Vec<String>);

    pub struct Flash<'r, T>(Session<'r, T>);

    impl<T: SessionData + AsMut<Messages>> Flash<'_, T> {
        pub fn push(&self, message: &str) {
            self.0.update(|data| data.as_mut().0.push(message.to_owned()));
        }

        pub fn take(&self) -> Vec<String> {
            self.0.update(|data| std::mem::take(&mut data.as_mut().0))
        }
    }

    #[rocket::async_trait]
    impl<'r, T: SessionData + AsMut<Messages>> FromRequest<'r> for Flash<'r, T> {
        type Error = SessionError;

        async fn from_request(request: &'r Request<'_>) -> Outcome<Self, SessionError> {
            request.guard::<Session<'r, T>>().await.map(Flash)
        }
    }
}

/// A shopping cart.
mod cart {
    use rocket::request::{FromRequest, Outcome, Request};
    use sealed_sessions::{Session, SessionData, SessionError};
    use serde::{Deserialize, Serialize};

    #[derive(Default, Clone, Serialize, Deserialize)]
    pub struct Items(Vec<String>);

    pub struct Cart<'r, T>(Session<'r, T>);

    impl<T: SessionData + AsMut<Items> + AsRef<Items>> Cart<'_, T> {
        pub fn add(&self, item: &str) {
            self.0.update(|data| data.as_mut().0.push(item.to_owned()));
        }

        pub fn len(&self) -> usize {
            (*self.0.get()).as_ref().0.len()
        }
    }

    #[rocket::async_trait]
    impl<'r, T: SessionData + AsMut<Items> + AsRef<Items>> FromRequest<'r> for Cart<'r, T> {
        type Error = SessionError;

        async fn from_request(request: &'r Request<'_>) -> Outcome<Self, SessionError> {
            request.guard::<Session<'r, T>>().await.map(Cart)
        }
    }
}

/// The app's session: a field for each part.
#[derive(Default, Clone, Serialize, Deserialize)]
#[serde(default)]
struct Visitor {
    messages: flash::Messages,
    items: cart::Items,
}

impl SessionData for Visitor {}

impl AsMut<flash::Messages> for Visitor {
    fn as_mut(&mut self) -> &mut flash::Messages {
        &mut self.messages
    }
}

impl AsMut<cart::Items> for Visitor {
    fn as_mut(&mut self) -> &mut cart::Items {
        &mut self.items
    }
}

impl AsRef<cart::Items> for Visitor {
    fn as_ref(&self) -> &cart::Items {
        &self.items
    }
}

#[post("/add/<item>")]
fn add(cart: cart::Cart<'_, Visitor>, flash: flash::Flash<'_, Visitor>, item: &str) -> Redirect {
    cart.add(item);
    flash.push(&format!("{item} is in your cart."));
    Redirect::to(uri!(index))
}

#[get("/")]
fn index(cart: cart::Cart<'_, Visitor>, flash: flash::Flash<'_, Visitor>) -> RawHtml<String> {
    let messages = flash.take().join(" ");
    let (messages, items) = (RawStr::new(&messages).html_escape(), cart.len());
    RawHtml(format!(
        "<p role=status>{messages}<p>Items in your cart: {items}<form method=post action=/add/tea><button>Add tea"
    ))
}

#[launch]
fn rocket() -> _ {
    let figment = Figment::from(Config::default()).merge(Env::prefixed("ROCKET_").global());
    rocket::custom(figment).attach(Sessions::<Visitor>::fairing()).mount("/", routes![add, index])
}

#[cfg(test)]
mod tests {
    use rocket::local::blocking::Client;
    use sealed_sessions::testing;

    #[test]
    fn each_part_keeps_its_own_field() {
        let browser = Client::tracked(super::rocket().configure(testing::figment())).unwrap();
        let page = || browser.get("/").dispatch().into_string().unwrap();
        browser.post("/add/tea%26milk").dispatch();
        let first = page();
        assert!(first.contains("tea&amp;milk is in your cart.") && first.contains("cart: 1"), "{first}");
        let second = page();
        assert!(!second.contains("tea&amp;milk") && second.contains("cart: 1"), "{second}");
    }
}

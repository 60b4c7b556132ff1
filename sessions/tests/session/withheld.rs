//! Rule 14: another site's request, which `SameSite` keeps the cookie away from, sets and keeps nothing.

use rocket::http::{ContentType, Header};
use rocket::local::blocking::{Client, LocalRequest};

use crate::support::{App, cookie, get, set_cookies};

/// The stores that are built in.
const STORES: &[&str] = if cfg!(feature = "memory") { &["cookie", "memory"] } else { &["cookie"] };

const FORM: &[(&str, &str)] =
    &[("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")];
const IMAGE: &[(&str, &str)] =
    &[("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")];

fn from<'c>(request: LocalRequest<'c>, headers: &[(&'static str, &'static str)]) -> LocalRequest<'c> {
    headers.iter().fold(request, |request, (name, value)| request.header(Header::new(*name, *value)))
}

fn browser(store: &str, settings: &str) -> Client {
    Client::untracked(App::new(&format!("[default.session]\nstore = {store:?}\n{settings}")).rocket())
        .unwrap()
}

#[test]
fn rule_14_another_sites_request_sets_nothing_whatever_the_handler_does() {
    for store in STORES {
        let browser = browser(store, "");
        for path in ["/read", "/visits", "/note/3", "/renew", "/logout", "/logout/fails"] {
            let response = from(browser.get(path), IMAGE).dispatch();
            assert!(set_cookies(&response).is_empty(), "{store} {path}");
        }
        assert_eq!(from(browser.get("/read"), IMAGE).dispatch().into_string().unwrap(), "0 Withheld");
    }
}

#[test]
fn rule_14_a_form_that_says_it_is_a_get_was_a_post() {
    for store in STORES {
        let browser = browser(store, "");
        for path in ["/visits", "/logout"] {
            let form = browser.post(path).header(ContentType::Form).body("_method=get");
            let response = from(form, FORM).dispatch();
            assert!(set_cookies(&response).is_empty(), "{store} {path}");
        }
    }
}

#[test]
fn rule_14_a_sign_in_from_another_site_works() {
    for store in STORES {
        let browser = browser(store, "");
        let response = from(browser.get("/login/ada"), IMAGE).dispatch();
        assert_eq!(set_cookies(&response).len(), 1, "{store}");
    }
}

#[test]
fn rule_14_a_link_from_elsewhere_opens_a_session_unless_the_cookie_is_strict() {
    for store in STORES {
        for (settings, opens) in [("", 1), ("same_site = \"Strict\"", 0), ("same_site = \"None\"", 1)] {
            let browser = browser(store, settings);
            let response = from(browser.get("/visits"), FORM).dispatch();
            assert_eq!(set_cookies(&response).len(), opens, "{store} {settings}");
        }
    }
}

#[test]
fn rule_14_without_fetch_metadata_a_foreign_origin_says_so() {
    for store in STORES {
        let browser = browser(store, "");
        for (origin, opens) in [
            ("https://shop.example", 1),
            ("https://SHOP.example", 1),
            ("https://evil.example", 0),
            ("null", 0),
        ] {
            let request = browser.get("/visits").header(Header::new("Host", "shop.example"));
            let response = request.header(Header::new("Origin", origin)).dispatch();
            assert_eq!(set_cookies(&response).len(), opens, "{store} {origin}");
        }
    }
}

#[test]
fn rule_14_the_cookie_of_another_path_may_exist_all_the_same() {
    let settings = "[default.session]\ncookie = \"s\"\npath = \"/visits\"";
    let browser = App::new(settings).browser();
    assert_eq!(set_cookies(&browser.get("/visits").dispatch()).len(), 1);
    let other = App::new(settings).browser();
    assert!(set_cookies(&other.get("/note/3").dispatch()).is_empty());
    assert_eq!(get(&other, "/read"), "0 Withheld");
    assert!(cookie(&other).is_none());
}

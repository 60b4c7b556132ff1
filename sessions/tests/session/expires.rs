//! When a session expires, as its guard says it.

use rocket::{get, routes};
use sealed_sessions::{Clock, Expires, ReadOnly};
use time::Duration;

use crate::site::{Visit, Visitor};
use crate::support::{App, get as fetch};

const SETTINGS: &str = "[default.session]\nidle_timeout = \"30 minutes\"\nabsolute_timeout = \"12 hours\"\n\
     remember_idle_timeout = \"14 days\"\nremember_absolute_timeout = \"30 days\"";

/// Does what the path says, and then says when the session expires.
#[get("/expires/<what>")]
fn expires(session: Visit<'_>, what: &str) -> String {
    let sign_in = || session.sign_in(|visitor| visitor.user = Some("ada".into()));
    match what {
        "change" => session.update(|visitor| visitor.views += 1),
        "sign-in" => sign_in(),
        "remember" => {
            sign_in();
            session.remember();
        }
        "renew" => session.renew(),
        "reauthenticate" => session.reauthenticated(),
        "destroy" => session.destroy(),
        _ => {}
    }
    text(session.expires())
}

/// When it expires as it is kept.
#[get("/kept")]
fn kept(session: ReadOnly<'_, Visitor>) -> String {
    text(session.expires())
}

fn text(expires: Option<Expires>) -> String {
    let text =
        |expires: Expires| format!("{} {}", expires.idle.unix_timestamp(), expires.absolute.unix_timestamp());
    expires.map_or_else(|| "never".into(), text)
}

#[test]
fn what_a_response_says_of_its_session_is_what_the_next_request_finds() {
    let app = App::new(SETTINGS);
    let rocket = app.rocket().mount("/", routes![expires, kept]);
    let browser = rocket::local::blocking::Client::tracked(rocket).unwrap();
    // The seconds that pass before, and what is done then.
    for (seconds, what) in [
        (0, "read"),
        (1, "change"),
        (59, "read"),
        (61, "read"),
        (60, "change"),
        (90, "sign-in"),
        (30, "read"),
        (100, "renew"),
        (100, "reauthenticate"),
        (1, "remember"),
        (3600, "read"),
        (5, "destroy"),
        (5, "read"),
    ] {
        app.advance(Duration::seconds(seconds));
        let said = fetch(&browser, &format!("/expires/{what}"));
        assert_eq!(said, fetch(&browser, "/kept"), "{what} after {seconds} s");
        assert_eq!(said == "never", browser.cookies().iter().count() == 0, "{what} after {seconds} s");
    }
}

#[test]
fn both_ends_are_counted_from_a_sign_in_and_only_the_idle_one_from_another_use() {
    let app = App::new(SETTINGS);
    let rocket = app.rocket().mount("/", routes![expires]);
    let browser = rocket::local::blocking::Client::tracked(rocket).unwrap();
    let left = |what: &str| {
        let now = app.clock.seconds();
        let said = fetch(&browser, &format!("/expires/{what}"));
        let ends: Vec<i64> = said.split(' ').map(|end| end.parse::<i64>().unwrap() - now).collect();
        app.advance(Duration::seconds(600));
        (ends[0] / 60, ends[1] / 60)
    };
    let hours = |hours: i64| hours * 60;
    let days = |days: i64| days * 24 * 60;
    assert_eq!(left("change"), (30, hours(12)));
    assert_eq!(left("read"), (30, hours(12) - 10));
    assert_eq!(left("sign-in"), (30, hours(12)));
    assert_eq!(left("change"), (30, hours(12) - 10));
    assert_eq!(left("reauthenticate"), (30, hours(12)));
    assert_eq!(left("remember"), (days(14), days(30)));
    assert_eq!(left("renew"), (days(14), days(30) - 10));
}

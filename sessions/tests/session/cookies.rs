//! What the cookie says: its name, its attributes, how long it lasts, and its chunks.

use rocket::http::{Cookie, CookieJar, Header, Status};
use rocket::local::blocking::Client;
use rocket::{get, routes};
use time::Duration;

use crate::log;
use crate::site::Visit;
use crate::support::{App, COOKIE, get, set_cookies};

/// The `Max-Age` of the cookie that `path` sets, if it has one.
fn max_age(browser: &Client, path: &'static str) -> Option<u64> {
    let line = set_cookies(&browser.get(path).dispatch()).remove(0);
    line.split("; Max-Age=").nth(1).map(|rest| rest.parse().unwrap())
}

const DAY: u64 = 24 * 60 * 60;

#[test]
fn rule_5_only_a_remembered_login_outlives_the_browser_unless_the_setting_says_otherwise() {
    let max_age = |settings: &str, path| max_age(&App::new(settings).browser(), path);
    let (always, never) = ("[default.session]\npersistent = true", "[default.session]\npersistent = false");
    for (settings, path, expected) in [
        ("", "/visits", None),
        ("", "/login/ada", None),
        ("", "/login/ada?remember=true", Some(30 * DAY)),
        ("[default.session]\npersistent = \"remembered\"", "/visits", None),
        (always, "/visits", Some(DAY / 2)),
        (always, "/login/ada?remember=true", Some(30 * DAY)),
        (never, "/visits", None),
        (never, "/login/ada?remember=true", None),
    ] {
        assert_eq!(max_age(settings, path), expected, "{settings} {path}");
    }
}

#[test]
fn rule_5_max_age_is_what_is_left_of_the_absolute_lifetime_and_at_most_400_days() {
    let always = "[default.session]\npersistent = true\n";
    let app = App::new(&format!("{always}idle_timeout = \"2 hours\""));
    let browser = app.browser();
    for hours in 0..3 {
        assert_eq!(max_age(&browser, "/visits"), Some((12 - hours) * 60 * 60));
        app.advance(Duration::HOUR);
    }
    let browser = App::new(&format!("{always}absolute_timeout = \"1 minute\"")).browser();
    assert_eq!(max_age(&browser, "/visits"), Some(60));
    let browser = App::new(&format!("{always}absolute_timeout = \"1000 days\"")).browser();
    assert_eq!(max_age(&browser, "/visits"), Some(400 * DAY));
}

#[test]
fn the_cookie_has_every_attribute_that_the_settings_say() {
    let line =
        |settings: &str| set_cookies(&App::new(settings).browser().get("/visits").dispatch()).remove(0);
    let plain = line("");
    assert!(plain.starts_with("__Host-Http-session="), "{plain}");
    assert!(plain.ends_with("; HttpOnly; SameSite=Lax; Path=/; Secure"), "{plain}");
    let other = line(
        "[default.session]\ncookie = \"s\"\nsecure = true\nsame_site = \"None\"\npath = \"/\"\ndomain = \"example.org\"\npartitioned = true\npersistent = true",
    );
    assert!(
        other
            .contains("; HttpOnly; SameSite=None; Path=/; Secure; Domain=example.org; Partitioned; Max-Age="),
        "{other}"
    );
}

#[test]
fn a_session_that_grows_is_cut_into_lines_of_4096_bytes_and_put_together_again() {
    let app = App::new("");
    let browser = app.browser();
    get(&browser, "/visits");
    for (bytes, cookies) in [(2500, 1), (3500, 2), (5500, 2), (10, 1)] {
        let response = browser.get(format!("/note/{bytes}")).dispatch();
        let lines = set_cookies(&response);
        let kept: Vec<_> = lines.iter().filter(|line| !line.contains("Max-Age=0")).collect();
        assert_eq!(kept.len(), cookies, "{bytes}");
        assert!(kept.iter().all(|line| "Set-Cookie: ".len() + line.len() <= 4096), "{bytes}");
        drop(response);
        assert!(get(&browser, "/all").contains(&format!("note={bytes} ")), "{bytes}");
        assert_eq!(browser.cookies().iter().count(), cookies, "leftover chunks are removed");
    }
    get(&browser, "/note/5500");
    get(&browser, "/logout");
    assert_eq!(browser.cookies().iter().count(), 0);
}

#[get("/themed/<bytes>")]
fn themed(session: Visit<'_>, bytes: usize, jar: &CookieJar<'_>) {
    jar.add(("theme", "dark"));
    session.update(|visitor| visitor.note = "n".repeat(bytes));
}

#[test]
fn the_cookies_of_a_handler_go_out_beside_those_of_the_session() {
    let browser = Client::tracked(App::new("").rocket().mount("/", routes![themed])).unwrap();
    for (bytes, session) in [(10, 1), (5500, 2)] {
        let lines = set_cookies(&browser.get(format!("/themed/{bytes}")).dispatch());
        let of = |name: &str| lines.iter().filter(|line| line.starts_with(name)).count();
        assert_eq!((of("theme=dark"), of(COOKIE)), (1, session), "{lines:?}");
    }
    assert_eq!(browser.cookies().get("theme").map(Cookie::value), Some("dark"));
}

#[test]
fn max_cookie_bytes_may_forbid_chunks() {
    let browser = App::new("[default.session]\nmax_cookie_bytes = 4096").browser();
    assert_eq!(browser.get("/note/2500").dispatch().status(), Status::Ok);
    assert_eq!(browser.get("/note/3500").dispatch().status(), Status::InternalServerError);
}

/// The pair of each cookie that `path` sets, for a browser that sends `cookies`.
fn set_by(browser: &Client, path: &'static str, cookies: &str) -> Vec<String> {
    let response = browser.get(path).header(Header::new("Cookie", cookies.to_owned())).dispatch();
    set_cookies(&response).iter().map(|line| line.split(';').next().unwrap().to_owned()).collect()
}

/// What the READMEs say the cookie store cannot do: see two responses collide, even if one only reads.
#[test]
fn a_slow_reader_puts_back_the_session_as_it_read_it() {
    let app = App::new("");
    let server = Client::untracked(app.rocket()).unwrap();
    let [before] = &set_by(&server, "/visits", "")[..] else { panic!("one cookie") };
    app.advance(Duration::seconds(61));
    let [changed] = &set_by(&server, "/visits", before)[..] else { panic!("one cookie") };
    let [read] = &set_by(&server, "/read", before)[..] else {
        panic!("a reader sets a cookie once a minute")
    };
    let views = |cookie: &str| {
        let response = server.get("/read").header(Header::new("Cookie", cookie.to_owned())).dispatch();
        response.into_string().unwrap()
    };
    assert_eq!((views(changed), views(read)), ("2 Resumed".into(), "1 Resumed".into()));
}

/// A browser keeps the cookie of the old `domain` beside the new one, and sends both.
#[test]
fn after_a_change_of_domain_a_sign_in_counts_only_under_a_new_name_and_the_log_says_so_once() {
    let server = |cookie: &str, domain: &str| {
        let settings = format!("[default.session]\ncookie = {cookie:?}\n{domain}");
        Client::untracked(App::new(&settings).rocket()).unwrap()
    };
    let [old] = &set_by(&server("__Secure-shop", ""), "/visits", "")[..] else { panic!("one cookie") };
    for (name, seen, warnings) in
        [("__Secure-shop", "0 Invalid(Ambiguous)", 1), ("__Secure-shop-2", "0 Resumed", 0)]
    {
        let server = server(name, "domain = \"example.org\"");
        let [new] = &set_by(&server, "/login/ada", "")[..] else { panic!("one cookie") };
        let both = format!("{old}; {new}");
        log::lines();
        for _ in 0..2 {
            let response = server.get("/read").header(Header::new("Cookie", both.clone())).dispatch();
            assert_eq!(response.into_string().as_deref(), Some(seen), "{name}");
        }
        let mut said = log::lines();
        said.retain(|line| line.starts_with("WARN") && line.contains("change of domain or path"));
        assert_eq!(said.len(), warnings, "{name}: {said:?}");
    }
}

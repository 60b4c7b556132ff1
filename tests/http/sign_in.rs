//! A sign-in works the first time, whatever the network does, and no other request undoes it (rule 14).

use std::thread;

use world::{Answer, Jar, PASSWORD, Server, program};

const REALMS: [&str; 3] = ["/stateless", "/revocable", "/stateful"];

/// A browser with two visits of a realm, and a form of it as this browser fills it in.
fn before_sign_in(server: &Server, realm: &str, page: &str) -> (Jar, Vec<(&'static str, String)>) {
    let mut jar = Jar::default();
    server.get(&mut jar, realm);
    server.get(&mut jar, realm);
    let token = server.get(&mut jar, &format!("{realm}/{page}")).token();
    let fields = [("csrf_token", token), ("username", "alice".into()), ("password", PASSWORD.into())];
    (jar, fields.into())
}

/// Takes `step` with each form that signs in, in each realm; alice has an account where the form is a login.
fn with_each_form(step: impl Fn(&Server, &str, &str)) {
    for page in ["register", "login"] {
        let server = program!().start(&[]);
        if page == "login" {
            server.register("alice");
        }
        for realm in REALMS {
            step(&server, realm, page);
        }
    }
}

fn send(server: &Server, jar: &mut Jar, path: &str, fields: &[(&str, String)]) -> Answer {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    server.post(jar, path, &fields)
}

fn user(server: &Server, jar: &Jar, realm: &str) -> Option<String> {
    let profile = server.get(&mut jar.clone(), &format!("{realm}/profile"));
    profile.output("username").map(str::to_owned)
}

/// Checks that alice is signed in by this browser's cookie, and that her two visits are there.
#[track_caller]
fn assert_signed_in(server: &Server, jar: &Jar, realm: &str) {
    assert_eq!(user(server, jar, realm).as_deref(), Some("alice"), "{realm}");
    assert_eq!(server.get(&mut jar.clone(), realm).output("visits"), Some("3"), "{realm}");
}

#[test]
fn rule_14_a_form_that_is_sent_twice_signs_in_by_each_answer() {
    with_each_form(|server, realm, page| {
        let (old, fields) = before_sign_in(server, realm, page);
        let path = format!("{realm}/{page}");
        let (mut first, mut second) = (old.clone(), old);
        send(server, &mut first, &path, &fields).leads_to(realm);
        send(server, &mut second, &path, &fields).leads_to(realm);
        assert_signed_in(server, &second, realm);
        assert_signed_in(server, &first, realm);
    });
}

#[test]
fn rule_14_a_form_that_is_sent_five_times_at_once_signs_in_by_each_answer() {
    with_each_form(|server, realm, page| {
        let (old, fields) = before_sign_in(server, realm, page);
        let path = format!("{realm}/{page}");
        let mut jars = vec![old; 5];
        thread::scope(|scope| {
            for jar in &mut jars {
                scope.spawn(|| send(server, jar, &path, &fields).leads_to(realm));
            }
        });
        for jar in &jars {
            assert_signed_in(server, jar, realm);
        }
    });
}

#[test]
fn rule_14_after_a_lost_answer_the_same_browser_signs_in_at_once() {
    with_each_form(|server, realm, page| {
        let (mut jar, mut fields) = before_sign_in(server, realm, page);
        let path = format!("{realm}/{page}");
        send(server, &mut jar.clone(), &path, &fields).leads_to(realm);
        assert_eq!(user(server, &jar, realm), None, "the cookie from before it is nobody's");
        fields[0].1 = server.get(&mut jar, &path).token();
        send(server, &mut jar, &path, &fields).leads_to(realm);
        assert_signed_in(server, &jar, realm);
    });
}

#[test]
fn rule_14_signing_out_with_the_cookie_from_before_a_sign_in_ends_what_it_became() {
    let server = program!().start(&[]);
    server.register("alice");
    let (mut old, fields) = before_sign_in(&server, "/stateful", "login");
    let mut jar = old.clone();
    send(&server, &mut jar, "/stateful/login", &fields).leads_to("/stateful");
    assert_signed_in(&server, &jar, "/stateful");
    let signed_out = send(&server, &mut old, "/stateful/logout", &fields[..1]);
    signed_out.leads_to("/stateful/signed-out");
    assert!(signed_out.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(user(&server, &jar, "/stateful"), None);
}

#[test]
fn rule_14_no_page_of_a_server_store_brings_back_the_cookie_from_before_a_sign_in() {
    let server = program!().start(&[]);
    server.register("alice");
    let (old, fields) = before_sign_in(&server, "/stateful", "login");
    let early = server.get(&mut old.clone(), "/stateful");
    assert_eq!((early.output("visits"), early.header("set-cookie")), (Some("3"), None), "answered before it");
    send(&server, &mut old.clone(), "/stateful/login", &fields).leads_to("/stateful");
    for path in ["/stateful", "/stateful/login", "/stateful/cookie", "/stateful/profile", "/stateful/nowhere"]
    {
        let late = server.get(&mut old.clone(), path);
        assert_eq!(late.header("set-cookie"), None, "{path}");
    }
}

/// As a browser does where a page of another site sends a form by itself.
fn send_from_another_site(server: &Server, path: &str, body: &str) -> Answer {
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Origin", "https://evil.example"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-Dest", "document"),
    ];
    // SameSite keeps the cookies back.
    server.send(&mut Jar::default(), "POST", path, &headers, body.as_bytes())
}

#[test]
fn rule_14_a_form_of_another_site_sets_no_cookie() {
    let server = program!().start(&[]);
    for realm in REALMS {
        for page in ["logout", "login", "register"] {
            let refused = send_from_another_site(&server, &format!("{realm}/{page}"), "");
            assert_eq!(refused.status, 403, "{realm}/{page}");
            assert_eq!(refused.header("set-cookie"), None, "{realm}/{page}");
            assert!(refused.body.contains("withheld your cookie"), "{}", refused.body);
            assert!(!refused.body.contains("csrf_token"), "no token of it could be kept: {}", refused.body);
        }
    }
    for path in ["/compare", "/lab"] {
        let refused = send_from_another_site(&server, path, "");
        assert_eq!((refused.status, refused.header("set-cookie")), (403, None), "{path}");
    }
}

#[test]
fn rule_14_a_form_of_another_site_that_says_it_is_a_link_sets_no_cookie() {
    let server = program!().start(&[]);
    for realm in REALMS {
        for page in ["", "/login", "/register", "/cookie"] {
            let answer = send_from_another_site(&server, &format!("{realm}{page}"), "_method=get");
            assert_eq!((answer.status, answer.header("set-cookie")), (200, None), "{realm}{page}");
            let explains = answer.body.contains("your browser withheld this realm’s session cookie");
            assert_eq!(explains, page == "/cookie", "{}", answer.body);
        }
    }
}

#[test]
fn a_link_from_another_site_opens_a_session() {
    let server = program!().start(&[]);
    let headers =
        [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")];
    let mut jar = Jar::default();
    server.send(&mut jar, "GET", "/stateless", &headers, b"");
    assert_eq!(server.get(&mut jar, "/stateless").output("visits"), Some("2"));
}

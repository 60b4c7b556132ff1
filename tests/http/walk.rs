//! What a visitor does, and what they find after a restart, a tampered cookie and a pause.

use world::{COOKIE, Jar, PASSWORD, TO_LOGIN, program, wait_for};

#[test]
fn visits_are_counted_for_each_browser_apart() {
    let server = program!().start(&[]);
    let (mut one, mut other) = (Jar::default(), Jar::default());
    for count in ["1", "2", "3"] {
        assert_eq!(server.get(&mut one, "/stateless").output("visits"), Some(count));
    }
    assert_eq!(server.get(&mut other, "/stateless").output("visits"), Some("1"));
    assert_eq!(server.get(&mut one, "/stateless").output("visits"), Some("4"));
}

#[test]
fn a_visitor_registers_signs_out_and_comes_back() {
    let server = program!().start(&[]);
    let mut jar = Jar::default();
    server.get(&mut jar, "/stateless");
    let token = server.get(&mut jar, "/stateless/register").token();
    let fields = [("csrf_token", &*token), ("username", "alice"), ("password", PASSWORD)];
    server.post(&mut jar, "/stateless/register", &fields).leads_to("/stateless");
    assert_eq!(server.get(&mut jar, "/stateless/profile").output("username"), Some("alice"));
    assert_eq!(server.visits(&jar), 1, "registering keeps the count");

    let token = server.get(&mut jar, "/stateless/profile").token();
    let answer = server.post(&mut jar, "/stateless/logout", &[("csrf_token", &token)]);
    answer.leads_to("/stateless/signed-out");
    assert!(answer.clears());
    assert_eq!(answer.header("clear-site-data"), Some("\"cache\""));
    let refused = server.get(&mut jar, "/stateless/profile");
    refused.leads_to(TO_LOGIN);

    server.get(&mut jar, "/stateless");
    server.get(&mut jar, "/stateless");
    let before = jar.value().map(str::to_owned);
    server.sign_in(&mut jar, refused.location(), "alice").leads_to("/stateless/profile");
    assert_ne!(jar.value().map(str::to_owned), before);
    assert_eq!(server.user(&jar).as_deref(), Some("alice"));
    assert_eq!(server.visits(&jar), 2, "signing in keeps the count");
}

#[test]
fn the_short_ways_lead_to_the_default_realm() {
    let server = program!().start(&[]);
    for (path, there) in
        [("/login", "/stateless/login"), ("/profile", "/stateless/profile"), ("/user", "/stateless/profile")]
    {
        server.get(&mut Jar::default(), path).leads_to(there);
    }
}

#[test]
fn a_failed_login_is_401_and_keeps_only_the_username() {
    let server = program!().start(&[]);
    server.register("alice");
    let mut jar = Jar::default();
    let mut answers = Vec::new();
    for username in ["alice", "nobody"] {
        let token = server.get(&mut jar, "/stateless/login").token();
        let fields = [("csrf_token", &*token), ("username", username), ("password", "not hers at all")];
        let answer = server.post(&mut jar, "/stateless/login", &fields);
        assert_eq!(answer.status, 401);
        assert!(answer.body.contains(&format!("name=\"username\" value=\"{username}\"")));
        assert!(!answer.body.contains("not hers"));
        answers.push(answer.body.replace(&answer.token(), "").replace(username, ""));
    }
    assert_eq!(answers[0], answers[1], "a known name and an unknown one look the same");
    assert_eq!(server.user(&jar), None);
}

#[test]
fn a_login_that_asked_to_be_remembered_stays_so() {
    let server = program!().start(&[]);
    server.register("alice");
    let mut jar = Jar::default();
    let token = server.get(&mut jar, "/stateless/login").token();
    let fields =
        [("csrf_token", &*token), ("username", "alice"), ("password", PASSWORD), ("remember", "true")];
    let signed_in = server.post(&mut jar, "/stateless/login", &fields);
    for answer in [signed_in, server.get(&mut jar, "/stateless"), server.get(&mut jar, "/stateless")] {
        let line = answer.header("set-cookie").unwrap();
        let age: u64 = line.rsplit_once("; Max-Age=").unwrap().1.parse().unwrap();
        assert!((2_591_900..=2_592_000).contains(&age), "30 days, the absolute timeout: {line}");
    }
}

#[test]
fn any_other_session_ends_with_the_browser() {
    let server = program!().start(&[]);
    server.register("alice");
    let mut jar = Jar::default();
    let visit = server.get(&mut jar, "/stateless");
    for answer in [visit, server.sign_in(&mut jar, "/stateless/login", "alice")] {
        let line = answer.header("set-cookie").unwrap();
        assert!(!line.contains("Max-Age") && !line.contains("Expires"), "{line}");
    }
}

#[test]
fn a_session_survives_a_restart_of_the_server() {
    let server = program!().start(&[]);
    let mut jar = server.register("alice");
    server.get(&mut jar, "/stateless");
    let server = server.restart(&[]);
    assert_eq!(server.get(&mut jar, "/stateless").output("visits"), Some("2"));
    assert_eq!(server.user(&jar).as_deref(), Some("alice"));
}

#[cfg(unix)]
#[test]
fn the_key_that_the_app_makes_and_its_data_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let server = program!().start(&[]);
    let file = std::fs::metadata(server.dir.path().join("data/secret.key")).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    let directory = std::fs::metadata(server.dir.path().join("data")).unwrap();
    assert_eq!(directory.permissions().mode() & 0o777, 0o700, "it holds the password hashes");
    assert!(server.log().contains("made one in"), "{}", server.log());
}

#[test]
fn a_tampered_cookie_is_anonymous() {
    let server = program!().start(&[]);
    let jar = server.register("alice");
    let value = jar.value().unwrap();
    let middle = value.len() / 2;
    let changed = if value[middle..].starts_with('A') { "B" } else { "A" };
    let tampered = format!("{COOKIE}={}{changed}{}", &value[..middle], &value[middle + 1..]);
    let answer = server.get_with_cookies("/stateless/profile", tampered.as_bytes());
    answer.leads_to(TO_LOGIN);
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!(server.user(&jar).as_deref(), Some("alice"), "the genuine one still opens");
}

#[test]
fn a_session_that_was_idle_for_too_long_is_over_and_the_page_says_so() {
    let server = program!().start(&[]);
    let mut jar = server.register("alice");
    server.get(&mut jar, "/stateless");
    // Today's settings apply to older sessions too. Real time passes here, since the process
    // has its own clock: hence the shortest timeout possible.
    let server = server.restart(&[("ROCKET_SESSION", r#"{idle_timeout="1 second"}"#)]);
    // The same cookie again and again: what the answers set is not kept, so that it grows old.
    let ended = wait_for("the session to end", || {
        let answer = server.get(&mut jar.clone(), "/stateless/profile");
        answer.output("username").is_none().then_some(answer)
    });
    ended.leads_to(&format!("{TO_LOGIN}&ended=idle"));
    assert_eq!(ended.header("set-cookie"), None, "the browser still has the cookie, and can be told");

    for path in ["/stateless", "/stateless/login", "/stateless/cookie"] {
        let page = server.get(&mut jar.clone(), path);
        assert_eq!(page.notice(), Some("Your session ended because you were away for a while."), "{path}");
        assert!(!page.body.contains("alice"), "{path}");
    }
    let mut after = jar.clone();
    assert_eq!(server.get(&mut after, "/stateless").output("visits"), Some("1"));
    assert_ne!(after.value(), jar.value());
}

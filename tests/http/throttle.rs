//! The throttle of passwords in the real program: over sockets, between processes, and its settings.

use std::sync::Barrier;
use std::thread;

use serde_json::{Value, json};
use world::{Jar, PASSWORD, Server, form, program};

/// No guess is forgiven during a test, however slow the machine is.
const SLOW_REFILL: (&str, &str) = ("ROCKET_THROTTLE", r#"{refill="1 hour",address_refill="1 hour"}"#);

/// A browser that has the sign-in form, and the body that tries this password of alice.
fn browser(server: &Server, password: &str) -> (Jar, Vec<u8>) {
    let mut jar = Jar::default();
    let token = server.get(&mut jar, "/stateless/login").token();
    let body = form(&[("csrf_token", &token), ("username", "alice"), ("password", password)]);
    (jar, body.into_bytes())
}

/// Tries a password of alice with these headers too, and returns the status of the answer.
fn attempt(server: &Server, password: &str, headers: &[(&str, &str)]) -> u16 {
    let (mut jar, body) = browser(server, password);
    let headers = [&[("Content-Type", "application/x-www-form-urlencoded")], headers].concat();
    server.send(&mut jar, "POST", "/stateless/login", &headers, &body).status
}

#[test]
fn a3_two_processes_with_one_data_directory_let_ten_of_200_guesses_at_once_through() {
    let first = program!().start(&[SLOW_REFILL]);
    first.register("alice");
    let data_dir = first.dir.path().join("data");
    let second = program!().start(&[SLOW_REFILL, ("ROCKET_DATA_DIR", data_dir.to_str().unwrap())]);
    let servers = [first, second];
    // One browser for each thread, ready before any of them guesses.
    let browsers: Vec<_> = (0..20).map(|n| (&servers[n % 2], browser(&servers[n % 2], "wrong"))).collect();
    let barrier = Barrier::new(browsers.len());
    let statuses: Vec<u16> = thread::scope(|scope| {
        let guessing = browsers.into_iter().map(|(server, (jar, body))| {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                let guess = |_| server.post_raw(&mut jar.clone(), "/stateless/login", &body).status;
                (0..10).map(guess).collect::<Vec<_>>()
            })
        });
        let guessing: Vec<_> = guessing.collect();
        guessing.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let count = |status: u16| statuses.iter().filter(|found| **found == status).count();
    assert_eq!((count(401), count(429)), (10, 190), "{statuses:?}");
}

#[test]
fn a3_a_header_chooses_no_address_unless_it_is_configured() {
    let server = program!().start(&[SLOW_REFILL]);
    server.register("alice");
    let statuses: Vec<u16> =
        (0..12).map(|n| attempt(&server, "wrong", &[("X-Real-IP", &*format!("192.0.2.{n}"))])).collect();
    assert_eq!(statuses[..10], [401; 10]);
    assert_eq!(statuses[10..], [429; 2]);
}

#[test]
fn a3_behind_a_proxy_the_address_is_that_of_its_header() {
    let server = program!().start(&[SLOW_REFILL, ("ROCKET_IP_HEADER", "X-Real-IP")]);
    server.register("alice");
    for _ in 0..10 {
        assert_eq!(attempt(&server, "wrong", &[("X-Real-IP", "192.0.2.1")]), 401);
    }
    assert_eq!(attempt(&server, PASSWORD, &[("X-Real-IP", "192.0.2.1")]), 429);
    assert_eq!(attempt(&server, PASSWORD, &[("X-Real-IP", "192.0.2.2")]), 303);
    let log = server.log();
    let refused: Vec<&str> = log.lines().filter(|line| line.contains(" reason=too_often ")).collect();
    let [line] = &refused[..] else { panic!("{refused:?}") };
    assert!(line.contains(" event=sign_in_refused ") && line.contains(" address=192.0.2.1 "), "{line}");
}

#[test]
fn o2_each_page_logs_a_password_that_it_did_not_check_as_an_event_with_its_address() {
    let throttle = r#"{failures=2,refill="1 hour"}"#;
    let server = program!().start(&[("ROCKET_THROTTLE", throttle), ("ROCKET_LOG_FORMAT", "json")]);
    let mut alice = server.register("alice");
    for _ in 0..2 {
        assert_eq!(attempt(&server, "wrong", &[]), 401);
    }
    assert_eq!(attempt(&server, "wrong", &[]), 429);
    let (mut stranger, wrong) = browser(&server, "wrong password of alice");
    assert_eq!(server.post_raw(&mut stranger, "/stateless/register", &wrong).status, 429);
    for (page, fields) in [
        ("password", &[("current_password", "wrong"), ("new_password", "another battery staple")][..]),
        ("confirm", &[("password", "wrong")]),
    ] {
        let path = format!("/stateless/{page}");
        let token = server.get(&mut alice, &path).token();
        let fields = [&[("csrf_token", &*token)], fields].concat();
        assert_eq!(server.post(&mut alice, &path, &fields).status, 429, "{page}");
    }
    let log = server.log();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).expect(line));
    let refused: Vec<Value> = lines.filter(|line| line["reason"] == "too_often").collect();
    let events: Vec<&str> = refused.iter().filter_map(|line| line["event"].as_str()).collect();
    let expected =
        ["sign_in_refused", "registration_refused", "password_change_refused", "confirmation_refused"];
    assert_eq!(events, expected, "{log}");
    for (line, is_known) in refused.iter().zip([false, false, true, true]) {
        assert_eq!((&line["level"], &line["address"]), (&json!("warn"), &json!("127.0.0.1")), "{line}");
        let seconds: u64 = line["retry_after"].as_str().expect("how long").parse().unwrap();
        assert!((3500..=3600).contains(&seconds), "{line}");
        assert_eq!(line["request"].as_str().map(str::len), Some(16), "{line}");
        assert_eq!(line["account"].is_string(), is_known, "{line}");
    }
}

#[test]
fn a_wrong_setting_refuses_the_launch_with_its_key_its_value_and_what_is_accepted() {
    let lab = program!().refusal(&[("ROCKET_LAB", "{enabled=1}")]);
    assert!(lab.contains("lab.enabled is unsigned int `1`; accepted: a boolean"), "{lab}");
    let lab = program!().refusal(&[("ROCKET_LAB", "{enable=true}")]);
    assert!(lab.contains("lab.enable is not a setting; accepted: enabled, stores"), "{lab}");
    for (setting, said) in [
        ("{failures=0}", "throttle.failures is unsigned int `0`; accepted: a whole number from 1 to 1000000"),
        ("{failures=-1}", "throttle.failures is signed int `-1`; accepted: a whole number"),
        ("{failures=\"ten\"}", "throttle.failures is string \"ten\"; accepted: a whole number"),
        (
            "{refill=\"soon\"}",
            "throttle.refill is string \"soon\"; accepted: a duration such as \"30 seconds\"",
        ),
        ("{address_refill=2}", "throttle.address_refill is unsigned int `2`; accepted: a duration"),
        ("{account_delay=\"1 minute\"}", "accepted: a duration such as \"2 seconds\" or \"500 ms\", at most"),
        ("{enabled=\"no\"}", "throttle.enabled is string \"no\"; accepted: a boolean"),
        (
            "{failure=3}",
            "throttle.failure is not a setting; accepted: enabled, failures, refill, address_failures",
        ),
        ("false", "throttle is bool false; accepted: "),
    ] {
        let refusal = program!().refusal(&[("ROCKET_THROTTLE", setting)]);
        assert!(refusal.contains(said), "{setting}: {refusal}");
    }
}

/// What is checked is counted: with one guess allowed, a second one is refused.
#[test]
fn a4_a_body_of_1_mib_is_refused_before_its_password_is_checked() {
    let server = program!().start(&[("ROCKET_THROTTLE", r#"{failures=1,refill="1 hour"}"#)]);
    server.register("alice");
    let (mut jar, body) = browser(&server, "wrong");
    let large = [&*body, &vec![b'x'; 1024 * 1024]].concat();
    for path in ["/stateless/login", "/stateless/register"] {
        for _ in 0..3 {
            assert_eq!(server.post_raw(&mut jar, path, &large).status, 413, "{path}");
        }
    }
    assert_eq!(server.post_raw(&mut jar, "/stateless/login", &body).status, 401);
    assert_eq!(server.post_raw(&mut jar, "/stateless/login", &body).status, 429);
}

//! The metrics and the health, at a port of their own.

use std::net::TcpListener;

use serde_json::Value;
use world::{COOKIE, Jar, Server, program};

const HOST: &str = "127.0.0.1:9000";

fn metrics(server: &Server) -> String {
    let answer = server.admin("GET", HOST, "/metrics");
    assert_eq!(answer.status, 200);
    answer.body
}

/// The number of a metric with these labels.
fn number(metrics: &str, metric: &str) -> Option<f64> {
    let line = metrics.lines().find_map(|line| line.strip_prefix(metric))?;
    line.trim().parse().ok()
}

#[test]
fn what_visitors_do_is_counted_for_each_realm_apart() {
    let server = program!().start(&[]);
    let mut jar = server.register("alice");
    let token = server.get(&mut jar, "/stateless").token();
    server.post(&mut jar, "/stateless/logout", &[("csrf_token", &token)]);
    server.get_with_cookies("/stateless", format!("{COOKIE}=forged").as_bytes());
    let mut other = Jar::default();
    server.get(&mut other, "/revocable");
    server.get(&mut other, "/revocable");
    let metrics = metrics(&server);
    let events = |realm: &str, event: &str, reason: &str| {
        let labels = format!("{{realm=\"{realm}\",event=\"{event}\",reason=\"{reason}\"}}");
        number(&metrics, &format!("sealed_sessions_events_total{labels}"))
    };
    for (event, reason) in [("signed_in", ""), ("ended", "visitor"), ("refused", "malformed")] {
        assert_eq!(events("/stateless", event, reason), Some(1.0), "{event} {reason}: {metrics}");
    }
    assert!(events("/stateless", "resumed", "") > Some(1.0), "{metrics}");
    assert_eq!(events("/revocable", "opened", ""), Some(1.0), "{metrics}");
    assert_eq!(events("/revocable", "signed_in", ""), None, "{metrics}");
    for metric in [
        "sealed_sessions_sealed_bytes_total{realm=\"/stateless\"}",
        "sealed_sessions_key_seals{realm=\"/stateless\"}",
        "sealed_sessions_call_duration_seconds_count{realm=\"/stateless\",call=\"save\"}",
        "sealed_sessions_call_duration_seconds_count{realm=\"/revocable\",call=\"ledger_read\"}",
    ] {
        assert!(number(&metrics, metric) > Some(0.0), "{metric}: {metrics}");
    }
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
}

#[test]
fn the_age_of_the_ledger_is_a_metric() {
    let server = program!().start(&[]);
    let age = world::wait_for("the age of the ledger", || {
        number(&metrics(&server), "sealed_sessions_ledger_age_seconds{realm=\"/revocable\"}")
    });
    assert!(age < 10.0, "{age}");
}

#[test]
fn the_public_port_has_neither_metrics_nor_health() {
    let server = program!().start(&[]);
    for path in ["/metrics", "/health"] {
        assert_eq!(server.get(&mut Jar::default(), path).status, 404, "{path}");
    }
}

#[test]
fn an_app_that_can_serve_is_healthy() {
    let server = program!().start(&[]);
    let answer = server.admin("GET", "localhost:9000", "/health");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let health: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(health, serde_json::json!({ "ready": true, "problems": [] }));
}

#[test]
fn an_app_whose_store_does_not_answer_says_which_and_why() {
    let away = r#"{realms={"/stateful"={store="sqlite:/proc/none/app.db",store_required=false}}}"#;
    let server = program!().start(&[("ROCKET_SESSION", away)]);
    let answer = server.admin("GET", HOST, "/health");
    assert_eq!(answer.status, 503, "{}", answer.body);
    let health: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(health["ready"], false);
    assert_eq!(health["problems"].as_array().map(Vec::len), Some(1), "{health}");
    assert_eq!(health["problems"][0]["part"], "/stateful");
    assert!(health["problems"][0]["why"].as_str().is_some_and(|why| !why.is_empty()), "{health}");
}

#[test]
fn only_this_machines_own_names_are_answered_and_only_reading() {
    let server = program!().start(&[]);
    for (method, host, path, status) in [
        ("GET", "evil.example", "/metrics", 403),
        ("GET", "evil.example:9000", "/health", 403),
        ("GET", "127.0.0.1.evil.example", "/metrics", 403),
        ("GET", "", "/metrics", 403),
        ("POST", HOST, "/metrics", 405),
        ("GET", HOST, "/", 404),
        ("HEAD", HOST, "/metrics", 200),
        ("GET", "localhost", "/metrics", 200),
    ] {
        let answer = server.admin(method, host, path);
        assert_eq!(answer.status, status, "{method} {path} of {host:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[test]
fn a_port_that_is_no_port_or_is_taken_refuses_the_launch() {
    for wrong in ["70000", "-1", "\"off\"", "true"] {
        let refusal = program!().refusal(&[("ROCKET_ADMIN_PORT", wrong)]);
        assert!(refusal.contains("admin_port is ") && refusal.contains("\"none\""), "{wrong}: {refusal}");
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let refusal = program!().refusal(&[("ROCKET_ADMIN_PORT", &port)]);
    assert!(refusal.contains(&format!("admin_port is {port}: ")), "{refusal}");
}

#[test]
fn without_an_admin_port_there_are_no_metrics() {
    let server = program!().start(&[("ROCKET_ADMIN_PORT", "none")]);
    server.get(&mut Jar::default(), "/stateless");
    assert!(!server.log().contains("metrics at"), "{}", server.log());
}

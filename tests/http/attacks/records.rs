//! What only somebody who has the key can seal: records whose every part is of a wrong kind. None makes a page fail.

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cookie::{Cookie, CookieJar, Key};
use serde_json::{Value, json};
use world::{Jar, program, wait_for};

use super::site::Site;
use crate::bad_cookies::{SECRET, seal};

/// What a cookie of this name holds.
fn opened(name: &str, value: &str) -> String {
    let mut jar = CookieJar::new();
    jar.add_original(Cookie::new(name.to_owned(), value.to_owned()));
    jar.private(&Key::derive_from(SECRET)).get(name).unwrap().value().to_owned()
}

/// What may stand in place of anything, as JSON.
fn others() -> Vec<String> {
    let values = [
        "null",
        "true",
        "-1",
        "0",
        "1.5",
        "1e400",
        "\"\"",
        "[]",
        "{}",
        "[[[[]]]]",
        "\"\\u0000\"",
        "\"\\ud800\"",
    ];
    let numbers = [i64::MIN.to_string(), i64::MAX.to_string(), u64::MAX.to_string(), "9".repeat(400)];
    let long = [format!("\"{}\"", "x".repeat(3000)), "nothing".into(), String::new()];
    values.map(str::to_owned).into_iter().chain(numbers).chain(long).collect()
}

/// Each record that differs from this one in one place.
fn changed(record: &str) -> Vec<String> {
    let parts: Vec<Value> = serde_json::from_str(record).unwrap();
    let mut all = Vec::new();
    for at in 0..parts.len() {
        for other in others() {
            let mut text = String::new();
            for (n, part) in parts.iter().enumerate() {
                let part = if n == at { other.clone() } else { part.to_string() };
                write!(text, "{}{part}", if n == 0 { "[" } else { "," }).unwrap();
            }
            all.push(text + "]");
        }
        let fewer: Vec<&Value> = parts.iter().take(at).collect();
        all.push(json!(fewer).to_string());
    }
    for field in parts[5].as_object().unwrap().keys() {
        for other in others() {
            let data = parts[5].to_string().replace(
                &format!("{}:{}", json!(field), parts[5][field]),
                &format!("{}:{other}", json!(field)),
            );
            all.push(record.replace(&parts[5].to_string(), &data));
        }
    }
    all.extend([
        format!("{record}{record}"),
        format!("{record},"),
        format!(" {record}"),
        record.replace(',', ", "),
    ]);
    all.extend([
        record.replace("1,", "1\u{0}"),
        record.to_uppercase(),
        record.replace('[', "{").replace(']', "}"),
    ]);
    all
}

#[test]
fn c5_a_sealed_record_of_wrong_kinds_is_no_fault_in_any_realm_of_cookies() {
    let site = Site::open();
    // What the ledger makes of a position that no log has reached is tried by itself, below.
    for name in ["__Host-Http-stateless", "__Host-Http-revocable"] {
        let realm = name.replace("__Host-Http-", "/");
        let record = opened(name, site.mallory.get(name).unwrap());
        let parts: Vec<Value> = serde_json::from_str(&record).unwrap();
        let all = changed(&record);
        assert!(all.len() > 200, "{}", all.len());
        for record in all {
            if realm == "/revocable" && is_ahead(&record, &parts) {
                continue;
            }
            let header = format!("{name}={}", seal(SECRET, name, &record));
            for page in ["/profile", "/cookie"] {
                let answer = site.server.get_with_cookies(&format!("{realm}{page}"), header.as_bytes());
                // One that lost its subject but kept its data signs in, which the ledger notes.
                site.judge_answer(&record, Some("mallory"), &answer);
            }
        }
    }
    site.outlives();
}

/// Whether a record differs from this one in a position that is above its own.
fn is_ahead(record: &str, genuine: &[Value]) -> bool {
    let parts: Vec<Value> = serde_json::from_str(record).unwrap_or_default();
    parts.get(9).and_then(Value::as_u64).is_some_and(|position| Some(position) > genuine[9].as_u64())
}

#[test]
fn c5_a_sealed_ticket_of_wrong_kinds_is_no_fault_in_a_store() {
    let site = Site::open();
    let name = "__Host-Http-stateful";
    let id = opened(name, site.mallory.get(name).unwrap());
    let mut tickets =
        vec![id[1..].to_owned(), format!("{id}A"), id.to_lowercase(), format!(" {id}"), "A".repeat(22)];
    tickets.extend(
        ["=", "%", "\u{0}", "é", "[]", "' OR 1=1 --", "*", "?", "\\", "../app.db"].map(str::to_owned),
    );
    tickets.extend([
        id.replace(|letter: char| letter.is_ascii_digit(), "_"),
        "-".repeat(22),
        "x".repeat(3000),
    ]);
    tickets.push(opened("__Host-Http-revocable", site.mallory.get("__Host-Http-revocable").unwrap()));
    for ticket in tickets {
        let header = format!("{name}={}", seal(SECRET, name, &ticket));
        for page in ["/stateful/profile", "/stateful", "/stateful/cookie"] {
            let answer = site.server.get_with_cookies(page, header.as_bytes());
            site.judge(&ticket, None, Some(&answer));
        }
    }
    site.close();
}

/// Only the key seals one. One that could be means that the log was lost, so everyone is signed out rather than anyone
/// let in; one that no log reaches is nobody's.
#[test]
fn a_sealed_position_that_no_ledger_has_reached_lets_nobody_in() {
    let mut server = program!().start(&[("ROCKET_SECRET_KEY", &STANDARD.encode(SECRET))]);
    server.register("alice");
    let name = "__Host-Http-revocable";
    for position in [u64::MAX, i64::MAX as u64, (1 << 62) + 1, 1 << 62, 1 << 61] {
        let mut jar = Jar::default();
        server.sign_in(&mut jar, "/revocable/login", "alice").leads_to("/revocable");
        let mut parts: Vec<Value> = serde_json::from_str(&opened(name, jar.get(name).unwrap())).unwrap();
        parts[9] = json!(position);
        let header = format!("{name}={}", seal(SECRET, name, &json!(parts).to_string()));
        for _ in 0..3 {
            let answer = server.get_with_cookies("/revocable/profile", header.as_bytes());
            assert!(position <= 1 << 62 || answer.status == 303, "{position}: {}", answer.status);
            assert!([200, 303].contains(&answer.status), "{position}: {}", answer.status);
        }
        server.assert_well();
    }
    wait_for("the log to be mended", || {
        let mut jar = Jar::default();
        server.sign_in(&mut jar, "/revocable/login", "alice").leads_to("/revocable");
        (server.get(&mut jar, "/revocable/profile").status == 200).then_some(())
    });
}

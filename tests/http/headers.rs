//! Every header of every answer is in the list of docs/security.md, with its value.

use std::collections::BTreeSet;
use std::fs;

use world::{Answer, Jar, PASSWORD, Server, program};

use crate::routes::{REALMS, paths};

/// A row of the list.
struct Row {
    name: String,
    /// What it may be; `…` stands for anything.
    values: Vec<String>,
    /// In which answers it is.
    place: String,
}

impl Row {
    fn allows(&self, value: &str) -> bool {
        self.values.iter().any(|pattern| matches(pattern, value))
    }
}

fn list() -> Vec<Row> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/security.md")).unwrap();
    let (_, section) = page.split_once("\n## Response headers\n").unwrap();
    let rows = section.split("\n## ").next().unwrap().lines().filter(|line| line.starts_with("| `"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches(['|', ' ']).split(" | ").collect();
        let [name, values, place, _why, _clause] = cells[..] else { panic!("five cells: {line}") };
        let code = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        let name = code(name).concat().to_ascii_lowercase();
        Row { name, values: code(values), place: place.to_owned() }
    };
    rows.map(row).collect()
}

/// Whether a value is what a pattern says, in which `…` stands for anything.
fn matches(pattern: &str, value: &str) -> bool {
    let parts: Vec<&str> = pattern.split('…').collect();
    let [first, .., last] = &parts[..] else { return pattern == value };
    let Some(mut rest) = value.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else {
        return false;
    };
    for part in &parts[1..parts.len() - 1] {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

/// An answer of each kind that the app gives, with what asked for it.
fn answers(server: &Server) -> Vec<(String, Answer)> {
    let mut all = Vec::new();
    let mut alice = server.register("alice");
    for realm in &REALMS[1..] {
        server.sign_in(&mut alice, &format!("{realm}/login"), "alice").leads_to(realm);
    }
    for path in paths(server, "GET") {
        // A stream of events does not end while somebody is signed in.
        let jars = [Jar::default(), alice.clone()];
        let some = if path.ends_with("/live") { 1 } else { 2 };
        for mut jar in jars.into_iter().take(some) {
            all.push((path.clone(), server.get(&mut jar, &path)));
        }
    }
    for path in paths(server, "POST") {
        for jar in [Jar::default(), alice.clone()] {
            all.push((format!("POST {path}"), server.post(&mut jar.clone(), &path, &[])));
            let json = [("Content-Type", "application/json")];
            let answer = server.send(&mut jar.clone(), "POST", &path, &json, b"{}");
            all.push((format!("POST {path} of JSON"), answer));
        }
    }
    let mut visitor = Jar::default();
    let token = server.get(&mut visitor, "/stateless/login").token();
    all.push(("no name".into(), server.post(&mut visitor, "/stateless/login", &[("csrf_token", &token)])));
    let nobody = [("username", "nobody"), ("password", "wrong")];
    for n in 0..3 {
        let token = server.get(&mut visitor, "/stateless/login").token();
        let fields = [&[("csrf_token", &*token)], &nobody[..]].concat();
        all.push((format!("sign-in {n}"), server.post(&mut visitor, "/stateless/login", &fields)));
    }
    all.push(("1 MiB".into(), server.post_raw(&mut visitor, "/stateless/login", &[b'x'; 1024 * 1024])));
    for (path, field) in [("account/delete", None), ("logout", None), ("login", Some(PASSWORD))] {
        let mut jar = if path == "login" { Jar::default() } else { server.register(path) };
        let page = format!("/stateless/{}", if path == "logout" { "" } else { path });
        let token = server.get(&mut jar, &page).token();
        let mut fields = vec![("csrf_token", &*token), ("username", "alice"), ("remember", "true")];
        fields.extend(field.map(|password| ("password", password)));
        all.push((path.to_owned(), server.post(&mut jar, &format!("/stateless/{path}"), &fields)));
    }
    for method in ["FOO", "OPTIONS", "TRACE", "HEAD", "DELETE"] {
        all.push((method.into(), server.send(&mut alice, method, "/stateless", &[], b"")));
    }
    for path in ["/nowhere", "/site.css?v=0", "/docs/nowhere"] {
        all.push((path.into(), server.get(&mut alice, path)));
    }
    let page = server.get(&mut alice, "/").body;
    let css = page.split_once("/site.css").unwrap().1.split_once('"').unwrap().0;
    all.push(("the stylesheet".into(), server.get(&mut alice, &format!("/site.css{css}"))));
    all
}

#[test]
fn x6_every_header_of_every_answer_is_in_the_list_of_the_security_page_and_none_is_missing() {
    let list = list();
    assert!(list.len() > 15, "{}", list.len());
    let limits = ("ROCKET_THROTTLE", r#"{failures=1,refill="1 hour"}"#);
    let server = program!().start(&[limits]);
    let mut found = answers(&server);
    // A store that does not answer.
    let gone = r#"{realms={"/stateful"={store="sqlite:/dev/null/none.db",store_required=false}}}"#;
    let server = server.restart(&[("ROCKET_SESSION", gone)]);
    found.push(("no store".into(), server.get(&mut Jar::default(), "/stateful/login")));
    let statuses: BTreeSet<u16> = found.iter().map(|(_, answer)| answer.status).collect();
    let kinds = [200, 303, 400, 401, 403, 404, 413, 415, 422, 429, 503];
    assert!(kinds.iter().all(|kind| statuses.contains(kind)), "{statuses:?}");
    let mut met = BTreeSet::new();
    for (what, answer) in &found {
        for (name, value) in answer.headers() {
            let row = list.iter().find(|row| row.name == name);
            let row = row.unwrap_or_else(|| panic!("{what}: {name}: {value} is not in the list"));
            assert!(row.allows(value), "{what}: the list does not allow {name}: {value}");
            assert!(name == "set-cookie" || answer.all(name).count() == 1, "{what}: {name} twice");
            met.insert(name);
        }
        for row in list.iter().filter(|row| row.place == "every response") {
            assert!(answer.header(&row.name).is_some(), "{what}: no {}", row.name);
        }
    }
    let rows = list.iter().filter(|row| !row.place.contains("with TLS")).map(|row| row.name.as_str());
    assert_eq!(rows.filter(|name| !met.contains(name)).collect::<Vec<_>>(), [""; 0], "no answer has these");
}

//! What an operator does on the command line while the site runs.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use world::{Jar, PASSWORD, Server, program, wait_for};

/// A site with a realm of each kind: cookies alone, a server store, cookies with a ledger.
struct Site {
    server: Server,
    settings: String,
    #[expect(dead_code, reason = "holds the ledger")]
    ledger: TempDir,
}

const REALMS: [&str; 3] = ["/revocable", "/stateful", "/stateless"];

impl Site {
    fn start() -> Site {
        let ledger = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/ledger.db", ledger.path().display());
        let settings =
            format!(r#"{{realms={{"/revocable"={{cookie="__Host-Http-revocable",revocation={url:?}}}}}}}"#);
        let server = program!().start(&[("ROCKET_SESSION", &settings)]);
        Site { server, settings, ledger }
    }

    /// The program beside the site.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program!().command(self.server.dir.path());
        command.args(arguments).env("ROCKET_SESSION", &self.settings);
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["--json"]].concat());
        serde_json::from_str(&ran.printed).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }

    fn sign_in(&self, realm: &str, name: &str) -> Jar {
        let mut jar = Jar::default();
        let path = format!("{realm}/login");
        let token = self.server.get(&mut jar, &path).token();
        let fields = [("csrf_token", &*token), ("username", name), ("password", PASSWORD)];
        self.server.post(&mut jar, &path, &fields).leads_to(realm);
        jar
    }

    fn user(&self, realm: &str, jar: &Jar) -> Option<String> {
        let profile = self.server.get(&mut jar.clone(), &format!("{realm}/profile"));
        profile.output("username").map(str::to_owned)
    }

    /// Waits until nobody is signed in by this jar: a node follows its ledger every second.
    fn is_ended(&self, realm: &str, jar: &Jar) {
        wait_for("the session to end", || self.user(realm, jar).is_none().then_some(()));
    }

    /// The session's name in logs, of a cookie.
    fn handle(&self, jar: &Jar) -> String {
        let mut command = self.command(&["inspect"]);
        let input = self.server.dir.path().join("cookie");
        std::fs::write(&input, format!("Cookie: {}", jar.pair())).unwrap();
        let output = command.stdin(std::fs::File::open(input).unwrap()).output().unwrap();
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        found["cookies"][0]["session"].as_str().unwrap().to_owned()
    }
}

#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    printed: String,
    said: String,
}

impl Ran {
    fn of(output: Output) -> Ran {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), printed: text(output.stdout), said: text(output.stderr) }
    }
}

#[test]
fn the_sessions_of_an_account_are_listed_with_the_handles_that_logs_show() {
    let site = Site::start();
    site.server.register("alice");
    let none = site.run(&["sessions", "--subject", "alice"]);
    assert_eq!(none.code, Some(0));
    assert!(none.printed.contains("/stateful: no session of account"), "{none:?}");
    let jars = [site.sign_in("/stateful", "alice"), site.sign_in("/stateful", "alice")];
    let ran = site.run(&["sessions", "--subject", "ALICE"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.printed.lines().count(), 4, "{ran:?}");
    for jar in &jars {
        assert!(ran.printed.contains(&site.handle(jar)), "{ran:?}");
        assert!(!ran.printed.contains(jar.pair().split_once('=').unwrap().1));
    }
    let said: Vec<&str> = ran.said.lines().collect();
    let [revocable, stateless] = said[..] else { panic!("a line for each realm that has no list: {said:?}") };
    assert!(revocable.starts_with("sealed-sessions: /revocable: ") && revocable.contains("ledger"));
    assert!(stateless.starts_with("sealed-sessions: /stateless: ") && stateless.contains("cookies alone"));

    let document = site.json(&["sessions", "--subject", "alice"]);
    let stateful = &document["realms"][1];
    assert_eq!((&document["account"]["name"], &stateful["realm"]), (&json!("alice"), &json!("/stateful")));
    assert!(document["account"]["id"].is_string(), "not every reader keeps a number of 63 bits: {document}");
    let session = &stateful["sessions"][0];
    let keys: Vec<&String> = session.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["session", "signed_in", "seen", "remembered"]);
    assert!(jars.iter().any(|jar| session["session"] == site.handle(jar)), "{document}");
    assert!(document["realms"][0]["problem"].is_string() && document["realms"][2]["problem"].is_string());
}

#[test]
fn l11_one_session_ends_by_its_handle_in_the_realm_that_has_it() {
    let site = Site::start();
    site.server.register("alice");
    for (realm, said) in [("/stateful", "ended session"), ("/revocable", "if it is one of this realm")] {
        let (lost, kept) = (site.sign_in(realm, "alice"), site.sign_in(realm, "alice"));
        let handle = site.handle(&lost);
        let ran = site.run(&["revoke", "--session", &handle]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.printed.starts_with(&format!("{realm}: ")) && ran.printed.contains(said), "{ran:?}");
        assert_eq!(ran.printed.lines().count(), 1, "the others' lists are left alone: {ran:?}");
        site.is_ended(realm, &lost);
        assert_eq!(site.user(realm, &kept).as_deref(), Some("alice"));
    }
    let jar = site.sign_in("/stateful", "alice");
    let document = site.json(&["revoke", "--session", &site.handle(&jar), "--realm", "/stateful"]);
    let expected = json!({ "session": site.handle(&jar), "realms": [{ "realm": "/stateful", "ended": 1 }] });
    assert_eq!(document, expected);
}

#[test]
fn l11_the_sessions_of_one_user_or_of_everyone_end_in_every_realm_that_can() {
    let site = Site::start();
    site.server.register("alice");
    site.server.register("bob");
    let jars = |name| REALMS.map(|realm| site.sign_in(realm, name));
    let (alice, bob) = (jars("alice"), jars("bob"));
    let document = site.json(&["revoke", "--subject", "alice"]);
    let realms = document["realms"].as_array().unwrap();
    assert_eq!(realms[0], json!({ "realm": "/revocable", "ended": null }));
    assert_eq!(realms[1], json!({ "realm": "/stateful", "ended": 1 }));
    assert!(realms[2]["problem"].as_str().unwrap().contains("cookies alone"), "{document}");
    site.is_ended("/revocable", &alice[0]);
    assert_eq!(site.user("/stateful", &alice[1]), None, "at once");
    assert!(site.user("/stateless", &alice[2]).is_some(), "nobody can end it");
    for (realm, jar) in REALMS.iter().zip(&bob) {
        assert_eq!(site.user(realm, jar).as_deref(), Some("bob"), "{realm}");
    }
    let ran = site.run(&["revoke", "--all"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let lines: Vec<&str> = ran.printed.lines().collect();
    let expected =
        ["/revocable: ended everyone's sessions", "/stateful: ended everyone's sessions, 1 in all"];
    assert_eq!(lines, expected);
    site.is_ended("/revocable", &bob[0]);
    assert_eq!(site.user("/stateful", &bob[1]), None);
    let again = site.sign_in("/revocable", "bob");
    assert_eq!(site.user("/revocable", &again).as_deref(), Some("bob"), "a sign-in after it works");
}

#[test]
fn l8_disabling_an_account_ends_its_sessions_and_lets_nobody_sign_in_until_it_is_enabled() {
    let site = Site::start();
    site.server.register("alice");
    let jars = REALMS.map(|realm| site.sign_in(realm, "alice"));
    let ran = site.run(&["account", "disable", "alice"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.printed.lines().next().unwrap().ends_with(", \"alice\" is disabled"), "{ran:?}");
    assert!(ran.printed.contains("/stateful: ended 1 session of account"), "{ran:?}");
    assert_eq!(site.user("/stateful", &jars[1]), None, "at once");
    site.is_ended("/revocable", &jars[0]);
    for realm in REALMS {
        let mut jar = Jar::default();
        let path = format!("{realm}/login");
        let token = site.server.get(&mut jar, &path).token();
        let fields = [("csrf_token", &*token), ("username", "alice"), ("password", PASSWORD)];
        assert_eq!(site.server.post(&mut jar, &path, &fields).status, 401, "{realm}");
    }
    let log = site.server.log();
    let told =
        log.lines().filter(|line| line.contains("sign_in_refused") && line.contains("reason=disabled"));
    assert_eq!(told.count(), REALMS.len(), "the log tells why: {log}");
    let document = site.json(&["account", "enable", "alice"]);
    assert_eq!((&document["disabled"], &document["realms"]), (&json!(false), &json!([])));
    site.sign_in("/stateful", "alice");
}

/// With sessions, or the ledger, in the memory of the site's own process.
#[test]
fn l8_disabling_an_account_fails_where_sessions_live_on_in_memory_and_says_what_ends_them() {
    let settings = "{realms={\"/stateful\"={store=\"memory\"},\"/revocable\"={revocation=\"memory\"}}}";
    let server = program!().start(&[("ROCKET_SESSION", settings)]);
    let begun = Instant::now();
    let user = |server: &Server, realm: &str, jar: &Jar| {
        let profile = server.get(&mut jar.clone(), &format!("{realm}/profile"));
        profile.output("username").map(str::to_owned)
    };
    server.register("alice");
    let signed_in = ["/revocable", "/stateful"].map(|realm| {
        let mut jar = Jar::default();
        server.sign_in(&mut jar, &format!("{realm}/login"), "alice").leads_to(realm);
        // The first page after a sign-in looks the account up, the later ones do not.
        assert_eq!(user(&server, realm, &jar).as_deref(), Some("alice"), "{realm}");
        (realm, jar)
    });
    for json in [&[][..], &["--json"]] {
        let mut command = program!().command(server.dir.path());
        command.args([&["account", "disable", "alice"], json].concat()).env("ROCKET_SESSION", settings);
        let ran = Ran::of(command.output().unwrap());
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let said: Vec<&str> = ran.said.lines().filter(|line| line.contains("restart the app")).collect();
        let [said] = said[..] else { panic!("one line: {ran:?}") };
        assert!(said.contains("\"alice\" may go on in /revocable and /stateful, where"), "{ran:?}");
    }
    for (realm, jar) in &signed_in {
        assert_eq!(user(&server, realm, jar).as_deref(), Some("alice"), "{realm}: it is as the command says");
    }
    // A ledger begins with the second of its start.
    wait_for("another second", || (begun.elapsed() > Duration::from_secs(1)).then_some(()));
    let server = server.restart(&[("ROCKET_SESSION", settings)]);
    for (realm, jar) in &signed_in {
        assert_eq!(user(&server, realm, jar), None, "{realm}");
    }
}

#[test]
fn what_cannot_be_done_is_one_line_and_an_exit_code() {
    let site = Site::start();
    site.server.register("alice");
    let unknown = "0123456789abcdef";
    for (arguments, code, said) in [
        (&["revoke", "--session", "no-handle"][..], 2, "\"no-handle\" is not a session's handle"),
        (
            &["revoke", "--session", unknown, "--realm", "/stateful"],
            1,
            "no signed-in session is 0123456789abcdef",
        ),
        (&["revoke", "--subject", "nobody"], 1, "no account has the name \"nobody\""),
        (&["sessions", "--subject", "nobody"], 1, "no account has the name \"nobody\""),
        (&["account", "disable", "nobody"], 1, "no account has the name \"nobody\""),
        (
            &["revoke", "--all", "--realm", "/nowhere"],
            2,
            "\"/nowhere\"; accepted: \"/revocable\", \"/stateful\"",
        ),
        (&["revoke", "--all", "--realm", "/stateless"], 1, "/stateless: its sessions are in cookies alone"),
        (&["sessions", "--subject", "alice", "--realm", "/revocable"], 1, "/revocable: its sessions are in"),
    ] {
        let ran = site.run(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
        assert!(ran.said.lines().next().unwrap_or_default().contains(said), "{arguments:?}: {ran:?}");
        assert_eq!(ran.printed, "", "{arguments:?}");
        if code == 1 {
            assert_eq!(ran.said.lines().count(), 1, "{arguments:?}: {ran:?}");
        }
    }
    for arguments in [&["revoke"][..], &["revoke", "--all", "--subject", "alice"], &["account"]] {
        assert_eq!(site.run(arguments).code, Some(2), "{arguments:?}");
    }
    let document = site.json(&["revoke", "--session", unknown, "--realm", "/stateful"]);
    assert_eq!(document["realms"], json!([{ "realm": "/stateful", "ended": 0 }]));
}

#[test]
fn sessions_end_by_a_label_where_there_is_a_ledger() {
    let site = Site::start();
    let document = site.json(&["revoke", "--label", "sid:1", "--realm", "/revocable"]);
    assert_eq!(document["realms"], json!([{ "realm": "/revocable", "ended": null }]));
    let ran = Ran::of(site.command(&["revoke", "--label", "sid:1"]).output().unwrap());
    assert_eq!(
        (ran.code, &*ran.printed),
        (Some(0), "/revocable: ended all sessions with the label \"sid:1\"\n")
    );
    assert!(ran.said.contains("/stateful: its store finds sessions by their subject alone"), "{ran:?}");
}

#[test]
fn where_no_realm_can_each_one_says_why() {
    let site = Site::start();
    site.server.register("alice");
    let settings = "{store=\"cookie\",realms={\"/revocable\"={revocation=\"none\"}}}";
    for arguments in [&["revoke", "--all"][..], &["sessions", "--subject", "alice"]] {
        let mut command = site.command(arguments);
        let ran = Ran::of(command.env("ROCKET_SESSION", settings).output().unwrap());
        assert_eq!((ran.code, &*ran.printed), (Some(1), ""), "{ran:?}");
        let lines: Vec<&str> = ran.said.lines().collect();
        assert_eq!(lines.len(), 3, "{ran:?}");
        assert!(lines.iter().all(|line| line.contains("nobody can list or end them")), "{ran:?}");
    }
}

#[test]
fn a_reader_who_has_gone_ends_no_command_before_its_work_is_done() {
    let site = Site::start();
    site.server.register("alice");
    for arguments in
        [&["account", "disable", "alice"][..], &["account", "enable", "alice"], &["revoke", "--all"]]
    {
        let jar = (arguments[1] != "enable").then(|| site.sign_in("/stateful", "alice"));
        let closed = std::io::pipe().unwrap().1;
        let ran = Ran::of(site.command(arguments).stdout(closed).output().unwrap());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(!ran.said.contains("panicked") && !ran.said.contains("pipe"), "{ran:?}");
        if let Some(jar) = jar {
            assert_eq!(site.user("/stateful", &jar), None, "{arguments:?}");
        }
    }
}

/// Runs the program where there is no site, or one with another key.
fn elsewhere(directory: &Path, key: Option<&str>, arguments: &[&str]) -> Ran {
    let mut command = program!().command(directory);
    command.args(arguments).envs(key.map(|key| ("ROCKET_SECRET_KEY", key)));
    Ran::of(command.output().unwrap())
}

#[test]
fn where_no_site_has_been_or_one_with_another_key_nothing_is_done() {
    let directory = tempfile::tempdir().unwrap();
    for (key, said) in [(None, "secret.key"), (Some(world::KEY), "app.db does not exist; start the app once")]
    {
        let ran = elsewhere(directory.path(), key, &["revoke", "--all"]);
        assert_eq!((ran.code, ran.said.lines().count()), (Some(1), 1), "{ran:?}");
        assert!(ran.said.contains(said), "{ran:?}");
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "it leaves nothing behind");

    let site = Site::start();
    site.server.register("alice");
    let jars = ["/stateful", "/revocable"].map(|realm| site.sign_in(realm, "alice"));
    let mut command = site.command(&["revoke", "--all"]);
    let ran = Ran::of(command.env("ROCKET_SECRET_KEY", world::KEY).output().unwrap());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let lines: Vec<&str> = ran.said.lines().collect();
    assert!(lines[..2].iter().all(|line| line.contains("an app with other keys")), "{ran:?}");
    assert_eq!((lines.len(), &*ran.printed), (3, ""), "{ran:?}");
    assert!(site.user("/stateful", &jars[0]).is_some() && site.user("/revocable", &jars[1]).is_some());
}

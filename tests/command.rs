//! The command line, as somebody at a terminal uses it.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use world::{KEY, program};

fn program(directory: &Path) -> Command {
    program!().command(directory)
}

fn run(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    // It may refuse before it reads.
    let _ = child.stdin.take().expect("standard input").write_all(input.as_bytes());
    child.wait_with_output().expect("the program ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn seal(name: &str, text: &str) -> String {
    let mut jar = cookie::CookieJar::new();
    let key = sealed_sessions::keys::parse_key(KEY).unwrap();
    jar.private_mut(&key).add(cookie::Cookie::new(name.to_owned(), text.to_owned()));
    jar.get(name).unwrap().value().to_owned()
}

fn live_record() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    format!(r#"[1,"AAECAwQFBgcICQoLDA0ODw",{now},{now},3,{{"visits":9}},0,{now},"1"]"#)
}

#[test]
fn keygen_prints_a_new_key_each_time() {
    let directory = tempfile::tempdir().unwrap();
    let mut keys: Vec<String> =
        (0..2).map(|_| text(&run(program(directory.path()).arg("keygen"), "").stdout)).collect();
    for key in &keys {
        assert!(sealed_sessions::keys::parse_key(key.trim()).is_ok());
    }
    keys.dedup();
    assert_eq!(keys.len(), 2);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "it leaves nothing behind");
}

#[test]
fn inspect_prints_the_record_of_a_value_a_header_or_a_set_cookie_line() {
    let directory = tempfile::tempdir().unwrap();
    let value = seal("__Host-Http-stateless", &live_record());
    for input in [
        value.clone(),
        format!("{value}\n"),
        format!("__Host-Http-stateless={value}"),
        format!("Cookie: other=1; __Host-Http-stateless={value}; more=2\r\n"),
        format!("Set-Cookie: __Host-Http-stateless={value}; HttpOnly; Path=/"),
    ] {
        let output = run(program(directory.path()).arg("inspect").env("ROCKET_SECRET_KEY", KEY), &input);
        assert!(output.status.success(), "{input:.40}: {}", text(&output.stderr));
        let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let shown = &shown["cookies"][0];
        assert_eq!(shown["record"]["data"]["visits"], 9);
        for moment in ["created", "seen", "expires", "signed_in"] {
            let shown = shown["record"][moment].as_str().unwrap();
            assert!(OffsetDateTime::parse(shown, &Rfc3339).is_ok(), "{moment}: {shown}");
        }
        assert_eq!((&shown["key"], &shown["record"]["subject"]), (&"current".into(), &"1".into()));
        assert!(!text(&output.stdout).contains("AAECAwQFBgcICQoLDA0ODw"), "the id is a credential");
    }
}

#[test]
fn inspect_prints_one_document_whatever_it_finds() {
    let directory = tempfile::tempdir().unwrap();
    let value = seal("__Host-Http-stateless", &live_record());
    let header = format!("Cookie: __Host-Http-stateless={value}; __Host-Http-stateful=junk");
    let output = run(program(directory.path()).arg("inspect").env("ROCKET_SECRET_KEY", KEY), &header);
    assert_eq!(output.status.code(), Some(1), "one of them is no session");
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one document");
    let names: Vec<_> = shown["cookies"].as_array().unwrap().iter().map(|found| &found["cookie"]).collect();
    assert_eq!(names.len(), 2);
    assert!(
        names.contains(&&"__Host-Http-stateless".into()) && names.contains(&&"__Host-Http-stateful".into())
    );
}

#[test]
fn inspect_says_why_a_cookie_does_not_open() {
    let directory = tempfile::tempdir().unwrap();
    let value = seal("__Host-Http-stateless", &live_record());
    let old = seal("__Host-Http-stateless", r#"[1,"AAECAwQFBgcICQoLDA0ODw",1,1,3,{}]"#);
    for (input, key, why) in [
        ("__Host-Http-stateless=junk".to_owned(), KEY, "not the text of a sealed cookie"),
        (format!("__Host-Http-stateless=2.{value}"), KEY, "not all of its chunks"),
        (value, "b3RoZXIga2V5IG90aGVyIGtleSBvdGhlciBrZXkgb28=", "no key opens it"),
        (old, KEY, "idle for too long"),
        (seal("__Host-Http-stateless", "[2]"), KEY, "does not know"),
    ] {
        let output = run(program(directory.path()).arg("inspect").env("ROCKET_SECRET_KEY", key), &input);
        assert_eq!(output.status.code(), Some(1), "{why}");
        assert!(text(&output.stdout).contains(why), "{why}: {}", text(&output.stdout));
        assert!(!text(&output.stdout).contains(key) && !text(&output.stderr).contains(key));
    }
}

#[test]
fn inspect_without_a_cookie_or_a_key_says_so_and_makes_none() {
    let directory = tempfile::tempdir().unwrap();
    let output = run(program(directory.path()).arg("inspect"), "__Host-Http-stateless=junk");
    assert!(text(&output.stderr).contains("secret.key"), "{}", text(&output.stderr));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    let output = run(program(directory.path()).arg("inspect").env("ROCKET_SECRET_KEY", KEY), "a=b");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no cookie of any realm"));
}

#[test]
fn no_key_and_no_cookie_is_taken_as_an_argument() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in [["inspect", "value"], ["inspect", "--key=x"], ["keygen", "x"], ["serve", "--key=x"]] {
        assert_eq!(
            run(program(directory.path()).args(arguments), "").status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_wrong_setting_refuses_to_serve_with_one_clear_line() {
    let directory = tempfile::tempdir().unwrap();
    for (variable, value, named) in [
        ("ROCKET_SESSION", "{idle_timeout=\"soon\"}", ["session.idle_timeout", "soon"]),
        ("ROCKET_SESSION", "{realms={\"shop\"={cookie=\"a\"}}}", ["session.realms.\"shop\"", "/shop"]),
        ("ROCKET_SESSION", "{realms={\"/a b\"={cookie=\"a\"}}}", ["session.realms.\"/a b\"", "/shop"]),
        ("ROCKET_SESSION", "{realms={\"/shop/\"={cookie=\"a\"}}}", ["session.realms.\"/shop/\"", "/shop"]),
        ("ROCKET_SESSION", "{realms={\"/\"={cookie=\"a\"}}}", ["session.realms.\"/\"", "page of the app"]),
        (
            "ROCKET_SESSION",
            "{realms={\"/stateless/cookie\"={cookie=\"a\"}}}",
            ["session.realms.\"/stateless/cookie\"", "page of the app"],
        ),
        ("ROCKET_SESSION", "{realms=5}", ["session.realms is not a table", "path prefix"]),
        ("ROCKET_SESSION", "{idle_timeout=\"1 hour\"", ["session is not a table", "30 minutes"]),
        ("ROCKET_SECRET_KEY", "short", ["secret_key", "5 characters"]),
        ("ROCKET_DEFAULT_REALM", "/nowhere", ["default_realm", "/stateless"]),
        ("ROCKET_DATA_DIR", "/dev/null/x", ["/dev/null/x", "secret.key"]),
    ] {
        let output = run(program(directory.path()).env("ROCKET_PORT", "0").env(variable, value), "");
        assert_eq!(output.status.code(), Some(1), "{variable}");
        let all = text(&output.stdout) + &*text(&output.stderr);
        let line = all.lines().find(|line| named.iter().all(|part| line.contains(part)));
        assert!(line.is_some(), "{variable}: {all}");
        assert!(!all.contains("panicked"), "{variable}: {all}");
    }
}

#[test]
fn the_first_start_makes_a_key_that_only_its_owner_reads() {
    let directory = tempfile::tempdir().unwrap();
    // No machine has this address, so the program makes its files and ends.
    let start = || run(program(directory.path()).env("ROCKET_ADDRESS", "192.0.2.1"), "");
    let first = start();
    let file = directory.path().join("data/secret.key");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!((text(&first.stdout) + &*text(&first.stderr)).contains("secret.key"));
    let key = std::fs::read(&file).unwrap();
    let second = start();
    assert_eq!(std::fs::read(&file).unwrap(), key);
    assert!(!(text(&second.stdout) + &*text(&second.stderr)).contains("made one"));
}

#[cfg(feature = "lab")]
#[test]
fn lab_prints_the_matrix_and_as_json_exactly_slugs_and_verdicts() {
    let directory = tempfile::tempdir().unwrap();
    let output = run(program(directory.path()).arg("lab"), "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert_eq!(printed.lines().count(), 1 + sealed_sessions_app::lab::ALL.len(), "{printed}");
    assert!(printed.contains("✓ holds") && printed.contains("✗ does not hold"), "{printed}");

    let output = run(program(directory.path()).args(["lab", "tamper", "--store", "cookie", "--json"]), "");
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let why = &value["experiments"][0]["verdicts"]["cookie"]["why"];
    assert!(why.is_string());
    let question = "Is every changed or forged cookie refused, and the true session unharmed?";
    let date = value["date"].as_str().unwrap();
    assert!(OffsetDateTime::parse(date, &Rfc3339).is_ok_and(|date| date.year() >= 2026), "{date}");
    let expected = serde_json::json!({
        "version": env!("CARGO_PKG_VERSION"),
        "date": date,
        "experiments": [
            { "slug": "tamper", "question": question, "verdicts": { "cookie": { "verdict": "holds", "why": why } } },
        ],
    });
    assert_eq!(value, expected);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "it leaves nothing behind");

    let arguments = ["lab", "tamper", "--store", "sqlite:/dev/null/lab.db", "--json"];
    let output = run(program(directory.path()).args(arguments), "");
    assert_eq!(output.status.code(), Some(1), "it could not be tried");
    assert!(text(&output.stderr).contains("sqlite"), "{}", text(&output.stderr));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("nothing but JSON");
    assert_eq!(value["experiments"][0]["verdicts"]["sqlite"]["verdict"], "not-run");
}

#[cfg(feature = "lab")]
#[test]
fn lab_refuses_an_unknown_experiment_or_store_with_2() {
    let directory = tempfile::tempdir().unwrap();
    for (arguments, said) in [
        (["lab", "no-such", "--json"], "no-such"),
        (["lab", "tamper", "--store=floppy:"], "floppy"),
        (["lab", "tamper", "--store=memory:none"], "memory"),
        (["lab", "tamper", "--store=memory+sqlite"], "memory+sqlite"),
        (["lab", "tamper", "--store=cookie+floppy:"], "floppy"),
    ] {
        let output = run(program(directory.path()).args(arguments), "");
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(text(&output.stderr).contains(said) && text(&output.stderr).contains("accepted"), "{said}");
        assert!(output.stdout.is_empty());
    }
    let output = run(program(directory.path()).args(["lab", "--store=postgres://u:secret@[::1/x"]), "");
    assert!(!text(&output.stderr).contains("secret"));
    let wrong = run(program(directory.path()).env("ROCKET_LAB", "{stores=[\"floppy:\"]}"), "");
    assert_eq!(wrong.status.code(), Some(1));
    assert!((text(&wrong.stdout) + &*text(&wrong.stderr)).contains("lab.stores"));
}

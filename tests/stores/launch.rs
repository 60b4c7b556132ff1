//! A problem with a store is reported at launch, in one line.

use world::databases::{self, Database};
use world::{Jar, program, wait_for};

use crate::program::moved_to;

#[test]
fn a_wrong_address_is_refused_without_its_password() {
    for (url, problem) in [
        ("redis://u:hunter2@:nonsense", "not a Redis address"),
        ("mongodb://u:hunter2@", "not a MongoDB address"),
        ("sqlite:", "names no file"),
        ("memory:many", "not a number of sessions"),
        ("floppy:a", "no store of this build"),
    ] {
        let log = program!().refusal(&[("ROCKET_SESSION", &moved_to(url, ""))]);
        let lines: Vec<&str> =
            log.lines().filter(|line| line.contains("sessions refuse to launch")).collect();
        let [line] = lines[..] else { panic!("{url}: not one line:\n{log}") };
        assert!(line.contains(".store") && line.contains(problem), "{url}: {line}");
        assert!(!log.contains("hunter2"), "{url}: {log}");
    }
}

/// When a store's server is down the launch is refused in one line, or the app runs without it until the
/// server is back.
fn refuses_or_waits(mut server: Database) {
    server.kill();
    let log = program!().refusal(&[("ROCKET_SESSION", &moved_to(&server.url(), ""))]);
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("cannot be started")).collect();
    assert!(matches!(lines[..], [line] if line.contains("store_required = false")), "{log}");

    let app = program!().start(&[("ROCKET_SESSION", &moved_to(&server.url(), ",store_required=false"))]);
    assert_eq!(app.get(&mut Jar::default(), "/stateless").status, 503);
    assert_eq!(app.get(&mut Jar::default(), "/stateful").status, 200, "others are untouched");
    server.restart();
    let mut jar = Jar::default();
    wait_for("the app to find its store", || (app.get(&mut jar, "/stateless").status == 200).then_some(()));
    assert_eq!(app.get(&mut jar, "/stateless").output("visits"), Some("2"), "{}", app.log());
}

#[test]
fn without_postgres() {
    databases::postgres().into_iter().for_each(refuses_or_waits);
}

#[test]
fn without_mysql() {
    databases::mariadb().into_iter().for_each(refuses_or_waits);
}

#[test]
fn without_redis() {
    databases::redis().into_iter().for_each(refuses_or_waits);
}

#[test]
fn without_mongodb() {
    databases::nx_27017().into_iter().for_each(refuses_or_waits);
}

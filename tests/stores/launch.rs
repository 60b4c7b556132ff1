//! What is wrong with a store is said at launch, in one line.

use crate::client::Jar;
use crate::program::moved_to;
use crate::server::{Server, wait_for};
use crate::servers;

#[test]
fn a_wrong_address_is_refused_without_its_password() {
    for (url, problem) in [
        ("redis://u:hunter2@:nonsense", "not one of Redis"),
        ("mongodb://u:hunter2@", "not one of MongoDB"),
        ("sqlite:", "names no file"),
        ("memory:many", "no number of sessions"),
        ("floppy:a", "no store of this build"),
    ] {
        let log = Server::refusal(&[("ROCKET_SESSION", &moved_to(url, ""))]);
        let lines: Vec<&str> =
            log.lines().filter(|line| line.contains("sessions refuse to launch")).collect();
        let [line] = lines[..] else { panic!("{url}: not one line:\n{log}") };
        assert!(line.contains(".store") && line.contains(problem), "{url}: {line}");
        assert!(!log.contains("hunter2"), "{url}: {log}");
    }
}

/// Every store whose server has gone: the launch is refused in one line, or goes on without it until the
/// server is back.
fn refuses_or_waits(mut server: servers::Server) {
    server.kill();
    let log = Server::refusal(&[("ROCKET_SESSION", &moved_to(&server.url(), ""))]);
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("cannot be started")).collect();
    assert!(matches!(lines[..], [line] if line.contains("store_required = false")), "{log}");

    let app = Server::start(&[("ROCKET_SESSION", &moved_to(&server.url(), ",store_required=false"))]);
    assert_eq!(app.get(&mut Jar::default(), "/stateless").status, 503);
    assert_eq!(app.get(&mut Jar::default(), "/stateful").status, 200, "others are untouched");
    server.restart();
    let mut jar = Jar::default();
    wait_for("the app to find its store", || (app.get(&mut jar, "/stateless").status == 200).then_some(()));
    assert_eq!(app.get(&mut jar, "/stateless").output("visits"), Some("2"), "{}", app.log());
}

#[test]
fn without_postgres() {
    servers::postgres().into_iter().for_each(refuses_or_waits);
}

#[test]
fn without_mysql() {
    servers::mariadb().into_iter().for_each(refuses_or_waits);
}

#[test]
fn without_redis() {
    servers::redis().into_iter().for_each(refuses_or_waits);
}

#[test]
fn without_mongodb() {
    servers::nx_27017().into_iter().for_each(refuses_or_waits);
}

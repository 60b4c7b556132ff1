//! An operator beside two processes that share a store.

use std::process::Output;

use world::databases::{self, Database};
use world::{Jar, KEY, PASSWORD, Server, program};

use crate::program::moved_to;

/// The program beside the app.
fn run(server: &Server, settings: &str, arguments: &[&str]) -> Output {
    let mut command = program!().command(server.dir.path());
    command.args(arguments).env("ROCKET_SECRET_KEY", KEY).env("ROCKET_SESSION", settings);
    command.output().unwrap()
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The processes have accounts of their own, so both browsers are those of the first one's.
fn ends_sessions_of_both(mut database: Database) {
    let settings = moved_to(&database.url(), ",store_timeout=\"1 second\"");
    let both = [("ROCKET_SECRET_KEY", KEY), ("ROCKET_SESSION", &*settings)];
    let servers = [program!().start(&both), program!().start(&both)];
    let first = &servers[0];
    let (alice, bob) = (first.register("alice"), first.register("bob"));
    let is_signed_in =
        |jar: &Jar| servers.iter().map(|server| server.user(jar).is_some()).collect::<Vec<_>>();
    assert_eq!((is_signed_in(&alice), is_signed_in(&bob)), (vec![true; 2], vec![true; 2]));

    let listed = run(first, &settings, &["sessions", "--subject", "alice", "--realm", "/stateless"]);
    let handle = printed(&listed).lines().last().unwrap().split_whitespace().next().unwrap().to_owned();
    let ended = run(first, &settings, &["revoke", "--session", &handle]);
    assert!(ended.status.success() && printed(&ended).starts_with("/stateless: ended session"), "{ended:?}");
    assert_eq!((is_signed_in(&alice), is_signed_in(&bob)), (vec![false; 2], vec![true; 2]));

    let ended = run(first, &settings, &["account", "disable", "bob"]);
    assert!(ended.status.success() && printed(&ended).contains("/stateless: ended 1 session"), "{ended:?}");
    assert_eq!(is_signed_in(&bob), [false; 2]);

    let mut jar = Jar::default();
    first.sign_in(&mut jar, "/stateless/login", "alice").leads_to("/stateless");
    database.kill();
    let name = ["--subject", "alice", "--realm", "/stateless"];
    for command in ["sessions", "revoke"] {
        let failed = run(first, &settings, &[&[command], &name[..]].concat());
        let said = String::from_utf8_lossy(&failed.stderr);
        assert_eq!(
            (failed.status.code(), said.lines().count(), &*printed(&failed)),
            (Some(1), 1, ""),
            "{said}"
        );
        assert!(said.starts_with("sealed-sessions: /stateless: the store"), "{said}");
        assert!(!said.contains(PASSWORD), "{said}");
    }
    let disabled = run(first, &settings, &["account", "disable", "alice"]);
    assert_eq!(disabled.status.code(), Some(1), "its sessions may live on: {disabled:?}");
    assert!(printed(&disabled).contains("\"alice\" is disabled"), "{disabled:?}");
}

#[test]
fn on_postgres() {
    databases::postgres().into_iter().for_each(ends_sessions_of_both);
}

#[test]
fn on_redis() {
    databases::redis().into_iter().for_each(ends_sessions_of_both);
}

//! The first start, in an empty directory: many processes at once, and what they leave there.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;

use rocket::http::Cookie;
use rocket::local::blocking::Client;
use sealed_sessions::SystemClock;
use sealed_sessions_app::app;
use tempfile::tempdir;
use world::{Jar, Server, program};

const TOGETHER: usize = 12;

/// Starts the program over the data in this directory.
fn start(data_dir: &Path) -> Server {
    program!().start(&[("ROCKET_DATA_DIR", data_dir.to_str().unwrap())])
}

/// Calls `start` in as many threads, at one moment.
fn together<T: Send>(start: impl Fn() -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(TOGETHER);
    thread::scope(|scope| {
        let one = || {
            barrier.wait();
            start()
        };
        let started: Vec<_> = (0..TOGETHER).map(|_| scope.spawn(one)).collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// The permissions of every file in this directory.
fn modes(directory: &Path) -> BTreeMap<String, u32> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    files
        .map(|file| {
            let mode = file.metadata().unwrap().permissions().mode() & 0o777;
            (file.file_name().into_string().unwrap(), mode)
        })
        .collect()
}

#[test]
fn many_processes_that_start_at_once_in_an_empty_directory_all_serve_with_one_key() {
    for round in 0..3 {
        let directory = tempdir().unwrap();
        let data = directory.path().join("data");
        let servers = together(|| start(&data));
        let mut jar = Jar::default();
        for (n, server) in servers.iter().enumerate() {
            let page = server.get(&mut jar, "/stateless");
            assert_eq!(page.output("visits"), Some(&*(n + 1).to_string()), "round {round}: another key");
        }
        let made = servers.iter().filter(|server| server.log().contains("made one in")).count();
        assert_eq!(made, 1, "round {round}: one process made the key");
        let names: Vec<String> = modes(&data).into_keys().collect();
        assert_eq!(names, ["app.db", "app.db-shm", "app.db-wal", "secret.key"], "round {round}");
    }
}

/// As in containers that share a volume, where every app may be process 1.
#[test]
fn apps_with_the_same_process_id_use_one_key_too() {
    for round in 0..3 {
        let directory = tempdir().unwrap();
        let figment = app::figment().merge(("data_dir", directory.path())).merge(("log_level", "off"));
        let apps = together(|| {
            let app = app::build(figment.clone(), Arc::new(SystemClock));
            Client::untracked(app).expect("it launches")
        });
        let mut cookie: Option<Cookie<'static>> = None;
        for (n, app) in apps.iter().enumerate() {
            let answer = app.get("/stateless").cookies(cookie).dispatch();
            cookie = answer.cookies().get("__Host-Http-stateless").cloned();
            let page = answer.into_string().unwrap();
            let count = format!("<output id=\"visits\">{}</output>", n + 1);
            assert!(page.contains(&count), "round {round}: app {n} has another key");
        }
        let key = fs::read_to_string(directory.path().join("secret.key")).unwrap();
        let used: String = apps[0].rocket().figment().extract_inner("secret_key").unwrap();
        assert_eq!(key.trim(), used, "round {round}: the file holds the key that is used");
    }
}

#[test]
fn files_are_their_owners_even_in_a_directory_that_everyone_reads() {
    let directory = tempdir().unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    let server = start(directory.path());
    server.get(&mut Jar::default(), "/stateful");
    let modes = modes(directory.path());
    assert_eq!(modes.keys().collect::<Vec<_>>(), ["app.db", "app.db-shm", "app.db-wal", "secret.key"]);
    assert!(modes.values().all(|mode| *mode == 0o600), "{modes:?}");
    assert!(!server.log().contains("chmod"), "{}", server.log());
}

#[test]
fn a_file_that_others_can_read_is_named_at_launch() {
    let directory = tempdir().unwrap();
    drop(start(directory.path()));
    for (file, mode) in [("secret.key", 0o640), ("app.db", 0o604)] {
        fs::set_permissions(directory.path().join(file), Permissions::from_mode(mode)).unwrap();
    }
    let server = start(directory.path());
    for (file, mode) in [("secret.key", "640"), ("app.db", "604")] {
        let path = directory.path().join(file);
        let advice = format!("chmod 600 '{}'", path.display());
        let log = server.log();
        let line = log.lines().find(|line| line.contains(&advice));
        assert!(line.is_some_and(|line| line.contains(mode)), "{file}: {log}");
    }
}

#[test]
fn a_data_directory_may_have_any_name() {
    for name in ["per%20cent", "100%", "what?mode=ro", "a#b", "two words", "ünï"] {
        let directory = tempdir().unwrap();
        let server = start(&directory.path().join(name));
        let mut jar = Jar::default();
        for count in ["1", "2"] {
            assert_eq!(server.get(&mut jar, "/stateful").output("visits"), Some(count), "{name}");
        }
        let entries = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(entries.collect::<Vec<_>>(), [name], "nothing beside it");
        assert!(directory.path().join(name).join("app.db").is_file(), "{name}");
    }
}

//! A store that goes away under load, and comes back.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::scope;
use std::time::{Duration, Instant};

use world::databases::{self, Database};
use world::{Jar, Server, program, wait_for};

/// `store_timeout` twice (for the load and the commit), and some time for a busy machine.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(6);

fn stateful(url: &str) -> String {
    format!(r#"{{realms={{"/stateful"={{store={url:?}}}}}}}"#)
}

/// Loads both realms from several browsers while `during` happens to the store. Every answer is a page or a
/// 503, none is late, and `/stateless` notices nothing.
fn under_load(app: &Server, during: impl FnOnce()) {
    let over = AtomicBool::new(false);
    scope(|threads| {
        for path in ["/stateful", "/stateful", "/stateful", "/stateless"] {
            let over = &over;
            threads.spawn(move || {
                let mut jar = Jar::default();
                while !over.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    let status = app.get(&mut jar, path).status;
                    let fine =
                        if path == "/stateless" { status == 200 } else { [200, 503].contains(&status) };
                    assert!(fine, "{path} answered {status}");
                    assert!(begun.elapsed() < ANSWER_TIMEOUT, "{path} took {:?}", begun.elapsed());
                }
            });
        }
        during();
        over.store(true, Ordering::Relaxed);
    });
}

fn goes_down(app: &Server) {
    let page = wait_for("the outage to be noticed", || {
        Some(app.get(&mut Jar::default(), "/stateful")).filter(|page| page.status == 503)
    });
    assert!(page.body.contains("does not answer. Your session is safe."), "{}", page.body);
    assert_eq!(page.header("retry-after"), Some("5"));
}

fn comes_back(app: &Server) {
    wait_for("the app to recover", || {
        (app.get(&mut Jar::default(), "/stateful").status == 200).then_some(())
    });
}

/// Kills and hangs the server under load; `keeps` says whether what it acknowledged survives a kill.
fn survived(mut server: Database, keeps: bool) {
    let mut app = program!().start(&[("ROCKET_SESSION", &stateful(&server.url()))]);
    let mut jar = Jar::default();
    for _ in 0..3 {
        app.get(&mut jar, "/stateful");
    }
    let mut held = Vec::new();
    for _ in 0..3 {
        under_load(&app, || {
            server.kill();
            goes_down(&app);
            server.restart();
            comes_back(&app);
        });
        held.push(app.holds());
    }
    under_load(&app, || {
        server.pause();
        goes_down(&app);
        server.resume();
        comes_back(&app);
    });
    if keeps {
        assert_eq!(
            app.get(&mut jar, "/stateful").output("visits"),
            Some("4"),
            "what was acknowledged is there"
        );
    }
    // A pool may have grown to its 16 connections while requests were waiting, and no further.
    let (threads_before, files_before) = held[0];
    wait_for("connections of the outage to be closed", || {
        let (threads, files) = app.holds();
        println!("threads and open files after each outage: {held:?}, at the end {:?}", (threads, files));
        (threads <= threads_before + 4 && files <= files_before + 16).then_some(())
    });
    app.assert_well();
}

#[test]
fn of_postgres() {
    databases::postgres().into_iter().for_each(|server| survived(server, true));
}

#[test]
fn of_mysql() {
    databases::mariadb().into_iter().for_each(|server| survived(server, true));
}

/// Nothing is asked of what Redis kept: that depends on its own settings for persistence.
#[test]
fn of_redis() {
    databases::redis().into_iter().for_each(|server| survived(server, false));
}

#[test]
fn of_mongodb() {
    databases::nx_27017().into_iter().for_each(|server| survived(server, true));
}

/// Waits until the replica has what the master at this port has.
fn replicated(port: u16) {
    // On one connection: the answer counts the replicas that have this write, and so everything before it.
    let script = format!("printf 'SET probe 1\\nWAIT 1 20000\\n' | redis-cli -p {port}");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.trim_end().ends_with('1'), "{said}");
}

#[test]
fn of_the_master_behind_sentinels() {
    let Some(mut server) = databases::redis_sentinel() else { return };
    let app = program!().start(&[("ROCKET_SESSION", &stateful(&server.url()))]);
    let mut jar = Jar::default();
    for _ in 0..3 {
        app.get(&mut jar, "/stateful");
    }
    // Whatever has not reached the replica when the master dies is lost.
    replicated(server.master());
    under_load(&app, || {
        let dead = server.kill_master();
        wait_for("the replica to become the master", || (server.master() != dead).then_some(()));
        comes_back(&app);
    });
    assert_eq!(app.get(&mut jar, "/stateful").output("visits"), Some("4"));
}

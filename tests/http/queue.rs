//! Pages while many passwords wait to be checked.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use world::{Jar, Server, form, program};

const LOGINS: usize = 200;
const PAGES: usize = 1000;

/// How long the median page and the slowest but one in a hundred take, of a browser that has a session.
fn pages(server: &Server) -> (Duration, Duration) {
    let mut jar = Jar::default();
    let mut times: Vec<Duration> = (0..PAGES)
        .map(|_| {
            let begun = Instant::now();
            assert_eq!(server.get(&mut jar, "/stateless").status, 200);
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    (times[PAGES / 2], times[PAGES * 99 / 100])
}

/// Prints figures of this machine. They mean something on a quiet one, of a release build:
/// `cargo test --release --test http queue -- --ignored --nocapture`.
#[test]
#[ignore = "measures, for a quiet machine"]
fn a4_pages_take_their_usual_time_while_200_passwords_wait() {
    let server =
        program!().start(&[("ROCKET_THROTTLE", "{enabled=false}"), ("ROCKET_LOG_LEVEL", "critical")]);
    let mut jar = Jar::default();
    let token = server.get(&mut jar, "/stateless/login").token();
    let body = form(&[("csrf_token", &token), ("username", "alice"), ("password", "wrong")]);
    pages(&server);
    let alone = pages(&server);
    let (done, checked) = (AtomicBool::new(false), AtomicU32::new(0));
    let queued = thread::scope(|scope| {
        for _ in 0..LOGINS {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    let answer = server.post_raw(&mut jar.clone(), "/stateless/login", body.as_bytes());
                    assert_eq!(answer.status, 401);
                    checked.fetch_add(1, Relaxed);
                }
            });
        }
        // All of them are in the queue when the first is answered.
        world::wait_for("the first sign-in", || (checked.load(Relaxed) > 0).then_some(()));
        let queued = pages(&server);
        done.store(true, Relaxed);
        queued
    });
    println!("GET /stateless, {PAGES} times: p50 {:.1?}, p99 {:.1?}", alone.0, alone.1);
    println!("with {LOGINS} passwords waiting: p50 {:.1?}, p99 {:.1?}", queued.0, queued.1);
    println!("passwords checked meanwhile: {}", checked.load(Relaxed));
}

//! Answers that were under way while the visitor signed in, and arrive after it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{sleep, spawn};
use std::time::Duration;

use world::{PASSWORD, Server, program};

use crate::browser::Browser;

/// Passes one request on to the app, and its answer back when it is told to. Browsers share cookies between the
/// ports of a host.
struct Held {
    port: u16,
    answered: Receiver<()>,
    release: Sender<()>,
    delivered: Receiver<()>,
}

impl Held {
    fn before(server: &Server) -> Held {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (port, app) = (listener.local_addr().unwrap().port(), server.port);
        let ((answer, answered), (release, released), (deliver, delivered)) =
            (channel(), channel(), channel());
        spawn(move || {
            let (mut browser, _) = listener.accept().unwrap();
            let head = head(&mut browser);
            let mut app = TcpStream::connect((Ipv4Addr::LOCALHOST, app)).unwrap();
            app.write_all(head.replace("Connection: keep-alive", "Connection: close").as_bytes()).unwrap();
            let mut response = Vec::new();
            app.read_to_end(&mut response).unwrap();
            answer.send(()).unwrap();
            released.recv().unwrap();
            browser.write_all(&response).unwrap();
            drop(browser);
            deliver.send(()).unwrap();
        });
        Held { port, answered, release, delivered }
    }
}

/// The head of a request, which has no body.
fn head(stream: &mut TcpStream) -> String {
    let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
    while !head.ends_with(b"\r\n\r\n") {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the browser has gone");
        head.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8(head).unwrap()
}

/// Opens `path` in a second tab, signs in in the first, and only then lets the second tab's answer arrive.
async fn signs_in_before_the_answer(server: &Server, browser: &Browser, path: &str) {
    let held = Held::before(server);
    let open = format!("window.open('http://localhost:{}{path}')", held.port);
    browser.driver.execute(&open, Vec::new()).await.unwrap();
    held.answered.recv_timeout(Duration::from_secs(30)).unwrap();
    browser.visit("/stateful/login").await;
    browser.submit("alice", PASSWORD).await;
    browser.find("#visits").await;
    held.release.send(()).unwrap();
    held.delivered.recv_timeout(Duration::from_secs(30)).unwrap();
    let [first, second] = &browser.driver.windows().await.unwrap()[..] else { panic!("two tabs") };
    browser.driver.switch_to_window(second.clone()).await.unwrap();
    browser.find("main").await;
    browser.driver.close_window().await.unwrap();
    browser.driver.switch_to_window(first.clone()).await.unwrap();
    browser.visit("/stateful/profile").await;
    assert_eq!(browser.text("#username").await, "alice", "{path}");
}

#[rocket::async_test]
async fn a_page_that_was_loading_at_the_sign_in_signs_nobody_out() {
    let server = program!().start(&[]);
    let Some(browser) = Browser::open(&server).await else { return };
    server.register("alice");
    browser.visit("/stateful").await;
    signs_in_before_the_answer(&server, &browser, "/stateful").await;
}

#[rocket::async_test]
async fn a_poll_with_the_cookie_of_an_ended_session_signs_nobody_out() {
    let server = program!().start(&[("ROCKET_SESSION", r#"{anonymous_idle_timeout="4 seconds"}"#)]);
    let Some(browser) = Browser::open(&server).await else { return };
    server.register("alice");
    browser.visit("/stateful").await;
    // Real time has to pass.
    sleep(Duration::from_secs(5));
    signs_in_before_the_answer(&server, &browser, "/stateful/cookie").await;
}

//! The program behind nginx, as docs/nginx.conf configures it.

use std::fs;
use std::path::Path;

use rocket::fairing::AdHoc;
use rocket::response::Redirect;
use rocket::tokio::sync::oneshot;
use rocket::tokio::task::spawn_blocking;
use rocket::{get, post, routes};
use sealed_sessions::{Session, SessionData, Sessions, testing};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use world::{Curl, Nginx, PASSWORD, Server, program};

use crate::tls::certificate;

fn site() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/nginx.conf")).unwrap()
}

fn browser(nginx: &Nginx, tls: &TempDir, name: &str) -> Curl {
    let directory = tls.path().join(name);
    fs::create_dir_all(&directory).unwrap();
    Curl::new(nginx.port, &directory, &tls.path().join("cert.pem"))
}

/// The app as the file says that it is to be started, and nginx in front of it.
fn start() -> Option<(Server, Nginx, TempDir)> {
    let tls = certificate()?;
    let throttle = ("ROCKET_THROTTLE", r#"{failures=2,refill="1 hour"}"#);
    let server = program!().start(&[("ROCKET_IP_HEADER", "X-Real-IP"), throttle]);
    let nginx = Nginx::start(&site(), server.port, tls.path())?;
    Some((server, nginx, tls))
}

#[test]
fn a_visitor_registers_and_signs_out_over_http_2_behind_nginx() {
    let Some((_server, nginx, tls)) = start() else { return };
    let browser = browser(&nginx, &tls, "browser");
    let page = browser.get("/stateless/register", &["--http2"]);
    assert!(page.header("server").is_some_and(|server| server.starts_with("nginx")));
    assert_eq!(page.all("strict-transport-security").collect::<Vec<_>>(), ["max-age=31536000"]);
    let protocol = browser.get("/site.css", &["--http2", "--write-out", "HTTP %{http_version}"]);
    assert!(protocol.body.ends_with("HTTP 2"));
    let cookie = page.header("set-cookie").unwrap();
    assert!(cookie.contains("; Secure") && cookie.starts_with("__Host-Http-stateless="), "{cookie}");
    // The form's Origin has the port, which nginx passes on in Host.
    let fields = [("csrf_token", &*page.token()), ("username", "alice"), ("password", PASSWORD)];
    browser.post("/stateless/register", &fields, &["--http2"]).leads_to("/stateless");
    let profile = browser.get("/stateless/profile", &["--http2"]);
    assert_eq!(profile.output("username"), Some("alice"));
    let token = profile.token();
    browser
        .post("/stateless/logout", &[("csrf_token", &token)], &["--http2"])
        .leads_to("/stateless/signed-out");
    assert_eq!(browser.get("/stateless/profile", &["--http2"]).status, 303);
    assert_eq!(browser.get("/nowhere", &[]).header("strict-transport-security"), Some("max-age=31536000"));
}

#[test]
fn a_form_of_another_origin_is_refused_behind_nginx_too() {
    let Some((_server, nginx, tls)) = start() else { return };
    let browser = browser(&nginx, &tls, "browser");
    let token = browser.get("/stateless/login", &[]).token();
    let fields = [("csrf_token", &*token), ("username", "alice"), ("password", "wrong")];
    for (origin, status) in [("https://localhost", 403), ("https://evil.example", 403)] {
        let origin = format!("Origin: {origin}");
        let answer =
            browser.get("/stateless/login", &["--data-raw", &world::form(&fields), "--header", &origin]);
        assert_eq!(answer.status, status, "{origin}");
    }
    assert_eq!(browser.post("/stateless/login", &fields, &[]).status, 401);
}

#[test]
fn a3_the_address_is_the_visitors_and_not_what_the_visitor_says() {
    let Some((_server, nginx, tls)) = start() else { return };
    let browser = browser(&nginx, &tls, "browser");
    let token = browser.get("/stateless/login", &[]).token();
    let fields = [("csrf_token", &*token), ("username", "alice"), ("password", "wrong")];
    let guess = |from: &str, claimed: &str| {
        let claimed = format!("X-Real-IP: {claimed}");
        browser.post("/stateless/login", &fields, &["--interface", from, "--header", &claimed]).status
    };
    let statuses = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|claimed| guess("127.0.0.1", claimed));
    assert_eq!(statuses, [401, 401, 429]);
    assert_eq!(guess("127.0.0.2", "192.0.2.4"), 401, "another address");
}

#[test]
fn plain_http_is_redirected_and_keeps_the_method() {
    let Some((_server, nginx, tls)) = start() else { return };
    let browser = browser(&nginx, &tls, "browser");
    let plain = format!("http://localhost:{}/stateless?a=b", nginx.plain_port);
    // The last address of the command is the site's own; this one is asked first.
    let answer = browser.get("/", &[&plain]);
    assert_eq!((answer.status, answer.location()), (308, "https://localhost/stateless?a=b"));
}

/// What fills two cookies.
#[derive(Default, Clone, Serialize, Deserialize)]
struct Cart {
    items: String,
}

impl SessionData for Cart {}

#[post("/fill")]
fn fill(session: Session<'_, Cart>) -> Redirect {
    session.update(|cart| cart.items = "0123456789".repeat(560));
    Redirect::to("/")
}

#[get("/")]
fn count(session: Session<'_, Cart>) -> String {
    session.get().items.len().to_string()
}

#[rocket::async_test]
async fn c2_a_session_of_8_kb_passes_nginx_both_ways() {
    let (send_port, port) = oneshot::channel();
    let app = rocket::custom(testing::figment().merge(("port", 0)).merge(("log_level", "off")))
        .attach(Sessions::<Cart>::fairing())
        .attach(AdHoc::on_liftoff("Port", |rocket| {
            let port = rocket.config().port;
            Box::pin(async move { send_port.send(port).unwrap() })
        }))
        .mount("/", routes![fill, count]);
    let app = app.ignite().await.unwrap();
    let shutdown = app.shutdown();
    let serving = rocket::tokio::spawn(app.launch());
    let port = port.await.unwrap();
    let walk = spawn_blocking(move || {
        let Some(tls) = certificate() else { return };
        let Some(nginx) = Nginx::start(&site(), port, tls.path()) else { return };
        for protocol in ["--http2", "--http1.1"] {
            let browser = browser(&nginx, &tls, protocol);
            let filled = browser.post("/fill", &[], &[protocol]);
            filled.leads_to("/");
            let bytes: usize = filled.all("set-cookie").map(str::len).sum();
            assert!(filled.all("set-cookie").count() > 1 && bytes > 7000, "{bytes} bytes of cookies");
            let others = format!("others={}", "x".repeat(2000));
            assert_eq!(browser.get("/", &[protocol, "--cookie", &others]).body, "5600", "{protocol}");
        }
    });
    walk.await.unwrap();
    shutdown.notify();
    serving.await.unwrap().unwrap();
}

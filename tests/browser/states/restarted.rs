//! The states that a page has only after a load test, under other settings, or while something does not answer. The app is
//! started again for them, with the same data.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, raw_sql};
use thirtyfour::prelude::*;
use world::{PASSWORD, Server, program};

use super::steps::{WRONG, finish_the_lab, forget, keep_note, sign_in};
use crate::album::Album;
use crate::browser::Browser;

/// Goes on with the same data under other settings.
fn again(browser: &mut Browser, server: Server, settings: &[(&str, &str)]) -> Server {
    let server = server.restart(settings);
    browser.turn_to(&server);
    server
}

pub async fn with_a_load_test(album: &Album, browser: &Browser, server: &Server) {
    let mut load = program!().command(server.dir.path());
    load.env("ROCKET_DATA_DIR", server.dir.path().join("data"));
    load.args(["lab", "load", "--seconds", "1", "--clients", "2", "--sessions", "1000"]);
    let load = load.output().unwrap();
    assert!(load.status.success(), "{}", String::from_utf8_lossy(&load.stderr));
    album.visit(browser, "load", "/lab/load").await;
    album.judge(browser, &["/lab/load"]);
    finish_the_lab(browser).await;
    album.take(browser, "lab-with-costs").await;
}

pub async fn without_the_lab(album: &Album, browser: &mut Browser, server: Server) -> Server {
    let server = again(browser, server, &[("ROCKET_LAB", "{enabled=false}")]);
    forget(browser).await;
    album.visit(browser, "overview-without-lab", "/").await;
    album.visit(browser, "404-lab", "/lab").await;
    server
}

pub async fn with_small_sessions(album: &Album, browser: &mut Browser, server: Server) -> Server {
    let server = again(browser, server, &[("ROCKET_SESSION", "{max_cookie_bytes=1024}")]);
    sign_in(browser, "stateless", "alice").await;
    keep_note(browser, 3000).await;
    browser.find(".stamp").await;
    album.take(browser, "500-too-large").await;
    server
}

pub async fn with_few_attempts(album: &Album, browser: &mut Browser, server: Server) -> Server {
    let few = r#"{realms={"/stateful"={max_sessions=1,beyond_max_sessions="refuse"}}}"#;
    let once = r#"{failures=1,refill="1 hour"}"#;
    let server = again(browser, server, &[("ROCKET_SESSION", few), ("ROCKET_THROTTLE", once)]);
    forget(browser).await;
    browser.register("bob").await;
    sign_in(browser, "stateful", "bob").await;
    forget(browser).await;
    browser.visit("/stateful/login").await;
    browser.submit("bob", PASSWORD).await;
    browser.find(".stamp").await;
    album.take(browser, "409-too-many-sessions").await;
    browser.visit("/stateless/login").await;
    for _ in 0..2 {
        browser.submit("bob", WRONG).await;
        browser.find("#form-error").await;
    }
    album.take(browser, "429").await;
    server
}

pub async fn with_short_timeouts(album: &Album, browser: &mut Browser, server: Server) -> Server {
    let server = again(browser, server, &[("ROCKET_SESSION", r#"{idle_timeout="1 second"}"#)]);
    forget(browser).await;
    browser.visit("/stateless").await;
    // Real time passes.
    browser
        .until("the session has ended, a second after its last use", async || {
            browser.visit("/stateless").await;
            browser.driver.find(By::Css(".notice")).await.is_ok()
        })
        .await;
    album.take(browser, "visits-ended").await;
    server
}

pub async fn without_accounts(album: &Album, browser: &mut Browser, server: Server) -> Server {
    let server = again(browser, server, &[]);
    forget(browser).await;
    sign_in(browser, "stateless", "alice").await;
    let file = server.dir.path().join("data/app.db");
    let mut database = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    raw_sql("ALTER TABLE accounts RENAME TO elsewhere").execute(&mut database).await.unwrap();
    for (name, path) in [
        ("overview-unchecked", "/"),
        ("visits-unchecked", "/stateless"),
        ("503-accounts", "/stateless/profile"),
    ] {
        album.visit(browser, name, path).await;
    }
    raw_sql("ALTER TABLE elsewhere RENAME TO accounts").execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    server
}

/// Neither the store of one realm answers nor the ledger of another.
pub async fn without_stores(album: &Album, browser: &mut Browser, server: Server) {
    let server = again(browser, server, &[]);
    forget(browser).await;
    for realm in ["revocable", "stateful"] {
        sign_in(browser, realm, "alice").await;
    }
    let gone = "sqlite:/dev/null/none.db";
    let realms = format!(r#"{{"/stateful"={{store="{gone}"}},"/revocable"={{revocation="{gone}"}}}}"#);
    let session = format!("{{store_required=false,realms={realms}}}");
    let _server = again(browser, server, &[("ROCKET_SESSION", &session)]);
    for (name, path) in [
        ("overview-outage", "/"),
        ("compare-outage", "/compare"),
        ("503-stateful", "/stateful"),
        ("503-login", "/stateful/login"),
        ("503-revocable", "/revocable/profile"),
    ] {
        album.visit(browser, name, path).await;
        album.judge_alike(browser, &[path]);
    }
}

//! Every page, in every state that a visitor can see. This is the one place that lists them. (No browser sends what is
//! answered with 400.)

mod restarted;
mod steps;

use thirtyfour::prelude::*;
use world::{Jar, PASSWORD, Server, program};

use self::steps::{WRONG, change_password, finish_the_lab, forget, keep_note, linked, sign_in};
use crate::album::Album;
use crate::browser::Browser;

const REALMS: [&str; 3] = ["stateless", "revocable", "stateful"];
const SIGNED_IN: [&str; 6] = ["profile", "cookie", "sessions", "password", "confirm", "account/delete"];
const SOURCE: (&str, &str) = ("ROCKET_SOURCE_URL", "https://git.example/sealed-sessions");

/// Takes each of them.
pub async fn every_one(album: &Album) {
    let server = program!().start(&[SOURCE]);
    let mut browser = Browser::open(&server).await.expect("chromedriver is installed");
    of_strangers(album, &browser).await;
    of_the_lab(album, &browser).await;
    of_accounts(album, &browser).await;
    of_cookies(album, &browser).await;
    of_sessions(album, &browser, &server).await;
    of_comparing(album, &browser).await;
    of_leaving(album, &browser).await;
    of_refused_forms(album, &browser, &server).await;
    restarted::with_a_load_test(album, &browser, &server).await;
    let server = restarted::without_the_lab(album, &mut browser, server).await;
    let server = restarted::with_small_sessions(album, &mut browser, server).await;
    let server = restarted::with_few_attempts(album, &mut browser, server).await;
    let server = restarted::with_short_timeouts(album, &mut browser, server).await;
    let server = restarted::without_accounts(album, &mut browser, server).await;
    restarted::without_stores(album, &mut browser, server).await;
}

async fn of_strangers(album: &Album, browser: &Browser) {
    for (name, path) in [
        ("overview-fresh", "/"),
        ("cookie-none", "/stateless/cookie"),
        ("compare-fresh", "/compare"),
        ("load-none", "/lab/load"),
        ("docs", "/docs"),
        ("404", "/nowhere"),
        ("404-realm", "/stateful/nowhere"),
    ] {
        album.visit(browser, name, path).await;
    }
    album.judge(browser, &["/", "/compare", "/lab/load", "/docs", "/nowhere", "/stateful/nowhere"]);
    browser.visit("/docs").await;
    let guides = linked(browser, "/docs/").await;
    assert!(guides.len() > 5, "{guides:?}");
    for guide in &guides {
        album.visit(browser, &guide.replace('/', "-")[1..], guide).await;
    }
    album.judge(browser, &guides[..1]);
    album.judge_alike(browser, &guides[1..]);
    for realm in REALMS {
        forget(browser).await;
        let paths = ["", "/cookie", "/login", "/register"].map(|page| format!("/{realm}{page}"));
        judge_of_realm(album, browser, realm, &paths);
    }
    for ended in ["idle", "absolute", "revoked", "account"] {
        let path = format!("/stateless/login?ended={ended}");
        album.visit(browser, &format!("login-ended-{ended}"), &path).await;
    }
    for page in ["profile", "sessions", "password", "account/delete"] {
        let name = format!("login-for-{}", page.replace('/', "-"));
        album.visit(browser, &name, &format!("/stateful/{page}")).await;
    }
}

/// The pages of the other realms are made of the same templates.
fn judge_of_realm(album: &Album, browser: &Browser, realm: &str, paths: &[String]) {
    if realm == REALMS[0] {
        album.judge(browser, paths);
    } else {
        album.judge_alike(browser, paths);
    }
}

async fn of_the_lab(album: &Album, browser: &Browser) {
    browser.visit("/lab").await;
    // Waits a little for the first run, but seldom until all are done.
    if browser.driver.find(By::Css(".notice")).await.is_ok() {
        album.take(browser, "lab-running").await;
    }
    finish_the_lab(browser).await;
    album.take(browser, "lab").await;
    let experiments = linked(browser, "/lab/").await;
    assert!(experiments.len() > 20, "{experiments:?}");
    for experiment in &experiments {
        album.visit(browser, &experiment.replace('/', "-")[1..], experiment).await;
    }
    browser.visit("/lab/lost-update").await;
    for summary in browser.driver.find_all(By::Css("summary")).await.unwrap() {
        summary.click().await.unwrap();
    }
    album.take(browser, "lab-lost-update-unfolded").await;
    for (name, needs) in
        [("some", "need=everywhere&need=servers"), ("all", "need=list&need=nothing&need=large")]
    {
        album.visit(browser, &format!("lab-needs-{name}"), &format!("/lab?{needs}")).await;
    }
    album.judge(browser, &["/lab", "/lab?need=everywhere", "/lab/growth"]);
    album.judge_alike(browser, &experiments);
}

async fn of_accounts(album: &Album, browser: &Browser) {
    forget(browser).await;
    album.visit(browser, "visits-first", "/stateless").await;
    album.visit(browser, "login", "/stateless/login").await;
    album.visit(browser, "register", "/stateless/register").await;
    browser.submit(" alice ", "aaaaaaaaaaaaaaaaaaaa").await;
    browser.find("#username-error").await;
    album.take(browser, "register-errors").await;
    browser.submit("alice", PASSWORD).await;
    browser.find("#visits").await;
    album.take(browser, "flash-registered").await;
    browser.visit("/stateless/login").await;
    album.take(browser, "flash-already-signed-in").await;
    for _ in 0..41 {
        browser.visit("/stateless").await;
    }
    album.take(browser, "visits").await;
    for page in SIGNED_IN {
        album.visit(browser, &page.replace('/', "-"), &format!("/stateless/{page}")).await;
    }
    judge_of_realm(album, browser, "stateless", &SIGNED_IN.map(|page| format!("/stateless/{page}")));

    browser.visit("/stateless/confirm").await;
    browser.find("main input[name=password]").await.send_keys(WRONG).await.unwrap();
    browser.click("main .primary").await;
    browser.find("#password-error").await;
    album.take(browser, "confirm-error").await;
    browser.visit("/stateless/password").await;
    change_password(browser, WRONG, "short but not so short").await;
    browser.find("#current-error").await;
    album.take(browser, "password-wrong").await;
    change_password(browser, PASSWORD, "aaaaaaaaaaaaaaaaaaaa").await;
    browser.find("#new-error").await;
    album.take(browser, "password-refused").await;
    change_password(browser, PASSWORD, PASSWORD).await;
    browser.find("#username").await;
    album.take(browser, "password-changed").await;

    for realm in ["revocable", "stateful"] {
        sign_in(browser, realm, "alice").await;
        album.take(browser, &format!("flash-signed-in-{realm}")).await;
        for page in ["profile", "cookie"] {
            album.visit(browser, &format!("{page}-{realm}"), &format!("/{realm}/{page}")).await;
        }
        judge_of_realm(album, browser, realm, &SIGNED_IN.map(|page| format!("/{realm}/{page}")));
    }
    album.visit(browser, "overview", "/").await;

    forget(browser).await;
    let long = "Wolfeschlegelsteinhausenbergerdorff".repeat(2);
    browser.register(&long[..64]).await;
    album.take(browser, "long-name").await;
    album.visit(browser, "long-name-profile", "/stateless/profile").await;
    album.visit(browser, "long-name-delete", "/stateless/account/delete").await;
    browser.click("main .primary").await;
    browser.find(".notice").await;
    album.take(browser, "account-deleted").await;
}

async fn of_cookies(album: &Album, browser: &Browser) {
    forget(browser).await;
    sign_in(browser, "stateless", "alice").await;
    browser.visit("/stateless/cookie").await;
    browser.click("summary").await;
    album.take(browser, "cookie-value").await;
    browser.click(".tamper button").await;
    browser.find("#tampered").await;
    album.take(browser, "cookie-tampered").await;
    keep_note(browser, 5001).await;
    browser.find("#note-error").await;
    album.take(browser, "cookie-note-too-long").await;
    keep_note(browser, 4800).await;
    browser.find(".size[viewBox^='0 0 2000']").await;
    album.take(browser, "cookie-chunks").await;
    keep_note(browser, 40_000).await;
    browser.find(".stamp").await;
    album.take(browser, "413").await;

    // As a copied profile would send it.
    let cdp = browser.driver.cdp();
    let older = cdp.send_raw("Network.getCookies", ()).await.unwrap();
    browser.visit("/stateless").await;
    cdp.send_raw("Network.setCookies", older.clone()).await.unwrap();
    album.visit(browser, "cookie-older", "/stateless/cookie").await;
    cdp.send_raw("Network.setCookies", older).await.unwrap();
    browser.click("#note ~ form button").await;
    browser.find(".stamp").await;
    album.take(browser, "409-older-cookie").await;
}

async fn of_sessions(album: &Album, browser: &Browser, server: &Server) {
    forget(browser).await;
    for realm in REALMS {
        sign_in(browser, realm, "alice").await;
        for _ in 0..2 {
            server.sign_in(&mut Jar::default(), &format!("/{realm}/login"), "alice");
        }
        album.visit(browser, &format!("sessions-{realm}"), &format!("/{realm}/sessions")).await;
    }
    browser.click("form[action$=end-all] button").await;
    browser.find(".notice").await;
    album.take(browser, "sessions-others-ended").await;
    browser.visit("/revocable/sessions").await;
    browser.click("form[action$=end-all] button").await;
    browser.find(".notice").await;
    album.take(browser, "sessions-others-ended-revocable").await;

    browser.visit("/stateful/sessions").await;
    let mut phone = Jar::default();
    server.sign_in(&mut phone, "/stateful/login", "alice");
    let token = server.get(&mut phone, "/stateful/sessions").token();
    server.post(&mut phone, "/stateful/sessions/end-all", &[("csrf_token", &token)]);
    browser.find("#live a").await;
    album.take(browser, "sessions-ended-elsewhere").await;
    album.visit(browser, "login-revoked", "/stateful/sessions").await;
}

async fn of_comparing(album: &Album, browser: &Browser) {
    forget(browser).await;
    for (name, clicks) in [("compare-once", 1), ("compare", 3)] {
        browser.visit("/compare").await;
        for _ in 0..clicks {
            browser.click(".press").await;
            browser.find(".compared b").await;
        }
        album.take(browser, name).await;
    }
    sign_in(browser, "stateless", "alice").await;
    album.visit(browser, "compare-different", "/compare").await;
    album.judge(browser, &["/compare"]);
}

async fn of_leaving(album: &Album, browser: &Browser) {
    forget(browser).await;
    for realm in REALMS {
        sign_in(browser, realm, "alice").await;
        browser.click(".account button").await;
        browser.find("#replay").await;
        album.take(browser, &format!("signed-out-{realm}")).await;
        judge_of_realm(album, browser, realm, &[format!("/{realm}/signed-out")]);
    }
}

async fn of_refused_forms(album: &Album, browser: &Browser, server: &Server) {
    forget(browser).await;
    browser.visit("/stateless/profile").await;
    browser.submit("alice", WRONG).await;
    browser.find("#form-error").await;
    album.take(browser, "login-error").await;

    browser.visit("/stateless/login").await;
    for name in ["403", "403-again"] {
        forget(browser).await;
        browser.submit("alice", PASSWORD).await;
        browser.find(".stamp").await;
        album.take(browser, name).await;
    }
    forget(browser).await;
    browser.visit("/stateless/register").await;
    forget(browser).await;
    browser.submit("bob", PASSWORD).await;
    browser.find(".stamp").await;
    album.take(browser, "403-register").await;

    sign_in(browser, "stateless", "alice").await;
    for (name, spoil) in [
        ("415", "document.querySelector('#note ~ form').enctype = 'text/plain'"),
        ("422", "document.querySelector('textarea').name = 'other'"),
    ] {
        browser.visit("/stateless/cookie").await;
        browser.driver.execute(spoil, vec![]).await.unwrap();
        browser.click("#note ~ form button").await;
        browser.find(".stamp").await;
        album.take(browser, name).await;
    }
    let spoil = "document.querySelectorAll('[name=csrf_token]').forEach(token => token.value = 'x')";
    for (name, path, button) in [
        ("403-sign-out", "/stateless", ".account button"),
        ("403-note", "/stateless/cookie", "#note ~ form button"),
        ("403-lab", "/lab/growth", ".steps ~ form button"),
    ] {
        browser.visit(path).await;
        browser.driver.execute(spoil, vec![]).await.unwrap();
        browser.click(button).await;
        browser.find(".stamp").await;
        album.take(browser, name).await;
    }
    let form = format!(
        "data:text/html,<form method=post action=http://localhost:{}/stateless/login>\
         <button>Win a prize</button></form>",
        server.port
    );
    browser.driver.goto(form).await.unwrap();
    browser.click("button").await;
    browser.find(".stamp").await;
    album.take(browser, "403-another-site").await;
}

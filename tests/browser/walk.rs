//! What a visitor does and sees.

use std::thread::sleep;
use std::time::Duration;

use thirtyfour::cookie::SameSite;
use thirtyfour::prelude::*;
use world::{Jar, PASSWORD, program};

use crate::browser::Browser;

#[rocket::async_test]
async fn a_visitor_counts_registers_signs_out_and_comes_back() {
    let mut server = program!().start(&[]);
    let Some(browser) = Browser::open(&server).await else { return };
    for count in ["1", "2", "3"] {
        browser.visit("/stateless").await;
        assert_eq!(browser.text("#visits").await, count);
    }
    browser.click("a[href='/stateless/register']").await;
    browser.submit("alice", PASSWORD).await;
    assert_eq!(browser.text("#visits").await, "4");
    browser.click("a[href='/stateless/profile']").await;
    assert_eq!(browser.text("#username").await, "alice");

    browser.click("main form button").await;
    browser.find("a[href='/stateless/login']").await;
    assert_eq!(browser.path().await, "/stateless/signed-out");
    browser.visit("/stateless").await;
    assert_eq!(browser.text("#visits").await, "1", "signing out ends the session");
    browser.visit("/stateless/profile").await;
    assert_eq!(browser.path().await, "/stateless/login?next=%2Fstateless%2Fprofile");

    browser.submit("alice", "not her password").await;
    assert_eq!(browser.text("#form-error").await, "Wrong username or password.");
    let username = browser.find("input[name=username]").await;
    assert_eq!(username.value().await.unwrap().as_deref(), Some("alice"));

    browser.submit("alice", PASSWORD).await;
    assert_eq!(browser.text("#username").await, "alice");
    assert_eq!(browser.path().await, "/stateless/profile");
    browser.visit("/stateless").await;
    assert_eq!(browser.text("#visits").await, "2", "signing in keeps the count");
    server.assert_well();
}

#[rocket::async_test]
async fn a_restart_of_the_app_is_not_noticed_and_too_long_a_pause_is_said() {
    let server = program!().start(&[]);
    let Some(mut browser) = Browser::open(&server).await else { return };
    browser.register("alice").await;
    let server = server.restart(&[]);
    browser.turn_to(&server);
    browser.visit("/stateless/profile").await;
    assert_eq!(browser.text("#username").await, "alice");

    // Real time has to pass, without asking meanwhile: every request uses the session.
    let server = server.restart(&[("ROCKET_SESSION", r#"{idle_timeout="1 second"}"#)]);
    browser.turn_to(&server);
    sleep(Duration::from_secs(1));
    browser.visit("/stateless").await;
    assert_eq!(browser.text("[role=status]").await, "Your session ended because you were away for a while.");
    assert_eq!(browser.text("#visits").await, "1");
    browser.find("a[href='/stateless/login']").await;
}

#[rocket::async_test]
async fn the_cookie_is_kept_on_localhost_and_out_of_reach_of_scripts() {
    let server = program!().start(&[]);
    let Some(browser) = Browser::open(&server).await else { return };
    browser.visit("/stateless").await;
    let cookie = browser.driver.get_named_cookie("__Host-Http-stateless").await.unwrap();
    assert_eq!(cookie.http_only, Some(true));
    assert_eq!(cookie.secure, Some(true));
    assert_eq!(cookie.same_site, Some(SameSite::Lax));
    assert_eq!(cookie.path.as_deref(), Some("/"));
    assert_eq!(cookie.domain.as_deref(), Some("localhost"));
    assert!(cookie.expiry.is_none(), "it ends with the browser unless the login asked to be remembered");
    let seen = browser.driver.execute("return document.cookie", Vec::new()).await.unwrap();
    assert_eq!(seen.json(), "");
}

#[rocket::async_test]
async fn two_browsers_see_nothing_of_each_other() {
    let server = program!().start(&[]);
    let Some(one) = Browser::open(&server).await else { return };
    let Some(other) = Browser::open(&server).await else { return };
    one.visit("/stateless").await;
    one.register("alice").await;
    assert_eq!(one.text("#visits").await, "2");

    other.visit("/stateless").await;
    assert_eq!(other.text("#visits").await, "1");
    other.visit("/stateless/profile").await;
    assert_eq!(other.text("h1").await, "Sign in");
    other.register("bob").await;

    for (browser, name) in [(&one, "alice"), (&other, "bob")] {
        browser.visit("/stateless/profile").await;
        assert_eq!(browser.text("#username").await, name);
    }
    one.click("main form button").await;
    one.find("a[href='/stateless/login']").await;
    other.visit("/stateless/profile").await;
    assert_eq!(other.text("#username").await, "bob");
}

#[rocket::async_test]
async fn a_form_from_before_the_login_in_another_tab_is_offered_again_and_works() {
    let server = program!().start(&[]);
    let Some(browser) = Browser::open(&server).await else { return };
    browser.register("alice").await;
    browser.click("header form button").await;
    browser.find("a[href='/stateless/login']").await;

    browser.visit("/stateless/login").await;
    let early = browser.driver.window().await.unwrap();
    let late = browser.driver.new_tab().await.unwrap();
    browser.driver.switch_to_window(late).await.unwrap();
    browser.visit("/stateless/login").await;
    browser.submit("alice", PASSWORD).await;
    browser.find("#visits").await;

    browser.driver.switch_to_window(early).await.unwrap();
    browser.submit("alice", PASSWORD).await;
    assert_eq!(browser.text(".stamp").await.to_lowercase(), "error 403");
    assert_eq!(browser.text("main .problem").await, "This form had expired. Please send it again.");
    browser.submit("alice", PASSWORD).await;
    browser.find("#visits").await;
    browser.visit("/stateless/profile").await;
    assert_eq!(browser.text("#username").await, "alice");
}

#[rocket::async_test]
async fn a_session_that_is_ended_elsewhere_can_end_no_others_from_a_page_that_was_open() {
    let server = program!().start(&[]);
    let Some(browser) = Browser::open(&server).await else { return };
    server.register("alice");
    browser.visit("/stateful/login").await;
    browser.submit("alice", PASSWORD).await;
    browser.find("#visits").await;
    let mut phone = Jar::default();
    server.sign_in(&mut phone, "/stateful/login", "alice");
    browser.visit("/stateful/sessions").await;
    let button = browser.find("form[action$=end-all] button").await;
    assert!(button.is_enabled().await.unwrap());
    let token = server.get(&mut phone, "/stateful/sessions").token();
    server.post(&mut phone, "/stateful/sessions/end-all", &[("csrf_token", &token)]);
    browser.find("#live a").await;
    assert!(!button.is_enabled().await.unwrap());
}

#[rocket::async_test]
async fn the_keyboard_alone_is_enough() {
    let server = program!().start(&[]);
    let Some(browser) = Browser::open(&server).await else { return };
    browser.visit("/stateless/register").await;
    browser.press(Key::Tab).await;
    assert!(browser.is_focused("a.skip").await);
    let skip = browser.find("a.skip").await;
    assert!(skip.rect().await.unwrap().x >= 0.0, "the skip link is seen while it has the focus");
    browser.press(Key::Enter).await;
    assert_eq!(browser.path().await, "/stateless/register#main");
    browser.press(Key::Tab).await;
    assert!(browser.is_focused("input[name=username]").await, "the skip link skips the header");
    browser.press("alice").await;
    browser.press(Key::Tab).await;
    assert!(browser.is_focused("input[name=password]").await);
    browser.press(PASSWORD).await;
    browser.press(Key::Enter).await;
    assert_eq!(browser.text("#visits").await, "1");

    browser.visit("/stateless/profile").await;
    browser.find("header form button").await.focus().await.unwrap();
    browser.press(Key::Enter).await;
    browser.find("a[href='/stateless/login']").await;

    browser.visit("/stateless/login").await;
    browser.find("input[name=username]").await.focus().await.unwrap();
    browser.press("alice").await;
    browser.press(Key::Tab).await;
    browser.press(PASSWORD).await;
    browser.press(Key::Tab).await;
    assert!(browser.is_focused(".show").await);
    browser.press(Key::Tab).await;
    assert!(browser.is_focused("input[name=remember]").await);
    browser.press(" ").await;
    browser.press(Key::Tab).await;
    assert!(browser.is_focused("main form button.primary").await);
    browser.press(Key::Enter).await;
    browser.find("#visits").await;
    browser.visit("/stateless/profile").await;
    let facts = browser.text("main dl").await;
    assert!(facts.contains("Yes"), "the space bar asked to be remembered: {facts}");
}

#[rocket::async_test]
async fn a_login_form_that_is_sent_twice_by_an_impatient_visitor_signs_in() {
    let server = program!().start(&[]);
    let Some(browser) = Browser::open(&server).await else { return };
    browser.register("alice").await;
    for realm in ["/stateful", "/stateless"] {
        browser.driver.delete_all_cookies().await.unwrap();
        browser.visit(realm).await;
        browser.visit(&format!("{realm}/login")).await;
        for (name, text) in [("username", "alice"), ("password", PASSWORD)] {
            browser.find(&format!("main input[name={name}]")).await.send_keys(text).await.unwrap();
        }
        // The second click cancels the first answer, which may have been under way.
        let twice = "const form = document.querySelector('main form'); form.requestSubmit(); \
                     await new Promise((done) => setTimeout(done, 20)); form.requestSubmit();";
        let twice = format!("const done = arguments[0]; (async () => {{ {twice} }})(); done();");
        browser.driver.execute_async(&twice, Vec::new()).await.unwrap();
        assert_eq!(browser.text("#visits").await, "2", "{realm}");
        browser.visit(&format!("{realm}/profile")).await;
        assert_eq!(browser.text("#username").await, "alice", "{realm}");
    }
}

#[rocket::async_test]
async fn a_form_that_another_site_sends_signs_nobody_out() {
    let server = program!().start(&[]);
    let Some(browser) = Browser::open(&server).await else { return };
    browser.register("alice").await;
    for (path, field) in [("logout", "x=y"), ("login", "x=y"), ("", "_method=get")] {
        let (name, value) = field.split_once('=').unwrap();
        let page = format!(
            "data:text/html,<form method=post action=http://localhost:{}/stateless/{path}>\
             <input name={name} value={value}><button>Win a prize</button></form>",
            server.port
        );
        browser.driver.goto(page).await.unwrap();
        browser.click("button").await;
        browser.find("main").await;
        browser.visit("/stateless/profile").await;
        assert_eq!(browser.text("#username").await, "alice", "{path}");
    }
}

#[rocket::async_test]
async fn a_typed_password_can_be_shown() {
    let mut server = program!().start(&[]);
    let Some(browser) = Browser::open(&server).await else { return };
    browser.visit("/stateless/login").await;
    browser.find("input[name=password]").await.send_keys("secret").await.unwrap();
    for (button, kind) in
        [("Show password", "password"), ("Hide password", "text"), ("Show password", "password")]
    {
        assert_eq!(browser.text(".show").await, button);
        let field = browser.find("input[name=password]").await;
        assert_eq!(field.attr("type").await.unwrap().as_deref(), Some(kind));
        assert_eq!(field.value().await.unwrap().as_deref(), Some("secret"));
        browser.click(".show").await;
    }
    server.assert_well();
}

#[rocket::async_test]
async fn the_name_that_a_password_belongs_to_is_in_its_form_and_out_of_sight() {
    let mut server = program!().start(&[]);
    let Some(browser) = Browser::open(&server).await else { return };
    browser.register("alice").await;
    for path in ["/stateless/password", "/stateless/confirm"] {
        browser.visit(path).await;
        let name = browser.find("main input[name=username]").await;
        assert_eq!(name.value().await.unwrap().as_deref(), Some("alice"), "{path}");
        assert!(!name.is_displayed().await.unwrap(), "{path}");
    }
    server.assert_well();
}

#[rocket::async_test]
async fn the_focus_is_where_the_mistake_is() {
    let mut server = program!().start(&[]);
    let Some(browser) = Browser::open(&server).await else { return };
    browser.visit("/stateless/login").await;
    browser.submit("alice", "not her password").await;
    browser.find("#form-error").await;
    assert!(browser.is_focused("#form-error").await);
    browser.visit("/stateless/register").await;
    browser.submit("alice", "aaaaaaaaaaaaaaaaaaaa").await;
    browser.find("#password-error").await;
    assert!(browser.is_focused("input[name=password]").await);
    assert_eq!(browser.driver.title().await.unwrap(), "Error: Create an account · Sealed Sessions");
    server.assert_well();
}

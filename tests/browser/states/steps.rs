//! What leads to a state of a page.

use thirtyfour::prelude::*;
use world::PASSWORD;

use crate::browser::Browser;

pub const WRONG: &str = "not her password";

pub async fn forget(browser: &Browser) {
    browser.driver.delete_all_cookies().await.unwrap();
}

pub async fn sign_in(browser: &Browser, realm: &str, username: &str) {
    browser.visit(&format!("/{realm}/login")).await;
    browser.submit(username, PASSWORD).await;
    browser.find("#visits").await;
}

/// The paths that the links in the page lead to, where they begin with this one.
pub async fn linked(browser: &Browser, prefix: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for link in browser.driver.find_all(By::Css(format!("main a[href^='{prefix}']"))).await.unwrap() {
        let path = link.attr("href").await.unwrap().unwrap();
        if !path.contains(['#', '?']) && path != "/lab/load" && !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// Loads the page of the lab until all experiments are done.
pub async fn finish_the_lab(browser: &Browser) {
    browser
        .until("the experiments are done", async || {
            browser.visit("/lab").await;
            browser.driver.find(By::Css(".notice")).await.is_err()
        })
        .await;
}

pub async fn change_password(browser: &Browser, current: &str, new: &str) {
    for (name, text) in [("current_password", current), ("new_password", new)] {
        browser.find(&format!("main input[name={name}]")).await.send_keys(text).await.unwrap();
    }
    browser.click("main .primary").await;
}

/// Saves a note of so many bytes in the session of `/stateless`.
pub async fn keep_note(browser: &Browser, length: usize) {
    browser.visit("/stateless/cookie").await;
    let text = format!("'All work and no play. '.repeat(2000).slice(0, {length})");
    let fill = format!("document.querySelector('textarea').value = {text}");
    browser.driver.execute(&fill, vec![]).await.unwrap();
    browser.click("#note ~ form button").await;
}

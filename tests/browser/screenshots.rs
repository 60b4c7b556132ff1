//! Pictures of every page, to look at: `scripts/screenshots DIRECTORY`. `scripts/check-pages` goes the same way with axe.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use world::{Jar, PASSWORD, program};

use crate::browser::Browser;

const WIDTHS: [u32; 2] = [390, 1280];
const SCHEMES: [&str; 2] = ["light", "dark"];

/// Each rule that the page breaks, and the elements that break it.
const VIOLATIONS: &str = r#"
    const done = arguments[0];
    axe.run(document).then(
        found => done(found.violations.map(rule =>
            rule.id + " at " + rule.nodes.map(node => node.target.join(" ")).join(", "))),
        fault => done(["axe failed: " + fault]));
"#;

#[rocket::async_test]
#[ignore = "writes files: run it by scripts/screenshots"]
async fn every_page_is_pictured_narrow_and_wide_light_and_dark() {
    let album = Album {
        directory: env::var_os("SCREENSHOTS").expect("SCREENSHOTS names a directory").into(),
        axe: env::var_os("AXE")
            .map(|file| fs::read_to_string(file).expect("AXE names the script of axe-core")),
        faults: Mutex::default(),
    };
    fs::create_dir_all(&album.directory).unwrap();
    let server = program!().start(&[]);
    let mut browser = Browser::open(&server).await.expect("chromedriver is installed");

    for (name, path) in [("overview-fresh", "/"), ("cookie-none", "/stateless/cookie"), ("404", "/nowhere")] {
        browser.visit(path).await;
        album.take(&browser, name).await;
    }
    browser.visit("/stateless/register").await;
    album.take(&browser, "register").await;
    browser.submit(" alice ", "aaaaaaaaaaaaaaaaaaaa").await;
    browser.find("#username-error").await;
    album.take(&browser, "register-errors").await;
    browser.submit("alice", PASSWORD).await;
    browser.find("#visits").await;
    album.take(&browser, "visits-first").await;
    for _ in 0..41 {
        browser.visit("/stateless").await;
    }
    album.take(&browser, "visits").await;
    for name in ["profile", "cookie", "sessions", "password", "confirm", "account/delete"] {
        browser.visit(&format!("/stateless/{name}")).await;
        album.take(&browser, &name.replace('/', "-")).await;
    }
    for realm in ["revocable", "stateful"] {
        browser.visit(&format!("/{realm}/login")).await;
        browser.submit("alice", PASSWORD).await;
        browser.find("#visits").await;
        let mut phone = Jar::default();
        server.sign_in(&mut phone, &format!("/{realm}/login"), "alice");
        browser.visit(&format!("/{realm}/sessions")).await;
        album.take(&browser, &format!("sessions-{realm}")).await;
    }
    for (name, path) in [
        ("stateful", "/stateful"),
        ("stateful-cookie", "/stateful/cookie"),
        ("overview", "/"),
        ("lab", "/lab"),
        ("experiment", "/lab/lost-update"),
        ("growth", "/lab/growth"),
        ("load", "/lab/load"),
        ("docs", "/docs"),
        ("docs-logout", "/docs/logout"),
    ] {
        browser.visit(path).await;
        album.take(&browser, name).await;
    }
    browser.visit("/compare").await;
    browser.click(".press").await;
    browser.find(".compared b").await;
    album.take(&browser, "compare").await;

    browser.driver.delete_all_cookies().await.unwrap();
    browser.visit("/stateless/login").await;
    for name in ["403", "403-again"] {
        browser.driver.delete_all_cookies().await.unwrap();
        browser.submit("alice", PASSWORD).await;
        browser.find(".stamp").await;
        album.take(&browser, name).await;
    }
    browser.visit("/stateless/profile").await;
    album.take(&browser, "login").await;
    browser.submit("alice", "not her password").await;
    browser.find("#form-error").await;
    album.take(&browser, "login-error").await;

    let long = "Wolfeschlegelsteinhausenbergerdorff".repeat(2);
    browser.register(&long[..64]).await;
    album.take(&browser, "long-name").await;
    browser.visit("/stateless/profile").await;
    album.take(&browser, "long-name-profile").await;
    browser.click(".account button").await;
    browser.find("#replay").await;
    album.take(&browser, "signed-out").await;
    for realm in ["revocable", "stateful"] {
        browser.visit(&format!("/{realm}/login")).await;
        browser.submit("alice", PASSWORD).await;
        browser.find("#visits").await;
        browser.click(".account button").await;
        browser.find("#replay").await;
        album.take(&browser, &format!("signed-out-{realm}")).await;
    }

    let server = server.restart(&[("ROCKET_SESSION", r#"{idle_timeout="1 second"}"#)]);
    browser.turn_to(&server);
    browser.driver.delete_all_cookies().await.unwrap();
    browser.visit("/stateless/login").await;
    // Real time passes: the form's session ends a second after it was opened.
    while browser.driver.find(thirtyfour::By::Css(".notice")).await.is_err() {
        browser.visit("/stateless/login").await;
    }
    album.take(&browser, "notice").await;

    let faults = album.faults.into_inner().unwrap();
    assert!(faults.is_empty(), "axe objects to:\n{}", faults.join("\n"));
}

/// A directory of pictures, and what axe says of what they show.
struct Album {
    directory: PathBuf,
    axe: Option<String>,
    faults: Mutex<Vec<String>>,
}

impl Album {
    /// The whole of the page that is shown, once for each width and colour scheme, and its HTML.
    async fn take(&self, browser: &Browser, name: &str) {
        let html = browser.driver.source().await.unwrap();
        fs::write(self.directory.join(format!("{name}.html")), format!("<!doctype html>\n{html}")).unwrap();
        let cdp = browser.driver.cdp();
        for width in WIDTHS {
            let size =
                json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600 });
            cdp.send_raw("Emulation.setDeviceMetricsOverride", size).await.unwrap();
            for scheme in SCHEMES {
                // Without motion, so that no picture shows a colour in transition.
                let media = json!({ "features": [
                    { "name": "prefers-color-scheme", "value": scheme },
                    { "name": "prefers-reduced-motion", "value": "reduce" },
                ] });
                cdp.send_raw("Emulation.setEmulatedMedia", media).await.unwrap();
                let metrics = cdp.send_raw("Page.getLayoutMetrics", ()).await.unwrap();
                let content = &metrics["cssContentSize"];
                assert_eq!(content["width"], width, "{name} at {width} is to be scrolled sideways");
                let clip = json!({ "x": 0, "y": 0, "width": width, "height": content["height"], "scale": 1 });
                let shot = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
                let shot = cdp.send_raw("Page.captureScreenshot", shot).await.unwrap();
                let picture = STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
                let view = format!("{name}-{width}-{scheme}");
                fs::write(self.directory.join(format!("{view}.png")), picture).unwrap();
                if let Some(axe) = &self.axe {
                    self.check(axe, browser, &view).await;
                }
            }
        }
        cdp.send_raw("Emulation.clearDeviceMetricsOverride", ()).await.unwrap();
    }

    async fn check(&self, axe: &str, browser: &Browser, view: &str) {
        browser.driver.execute(axe, vec![]).await.unwrap();
        let found = browser.driver.execute_async(VIOLATIONS, vec![]).await.unwrap();
        let found: Vec<String> = found.convert().unwrap();
        self.faults.lock().unwrap().extend(found.iter().map(|fault| format!("{view}: {fault}")));
    }
}

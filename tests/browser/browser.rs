//! A Chromium with a profile of its own, and what the tests do in it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::process::Command;
use std::time::{Duration, Instant};

use rocket::tokio::time::sleep;
use serde_json::json;
use tempfile::TempDir;
use thirtyfour::LoggingPrefsLogLevel;
use thirtyfour::error::WebDriverErrorInner;
use thirtyfour::prelude::*;
use world::{PASSWORD, Process, Server, skipped};

const WAIT_TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(200);

const STARTED: &str = "was started successfully on port ";

const ARGUMENTS: [&str; 10] = [
    "--hide-scrollbars",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// The profile of the browser, in the directory of its driver.
const PROFILE: &str = "profile";

/// How a page is looked at: the width of the window in pixels, the colours that the visitor prefers, and whether the
/// system's few take the place of the page's.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    pub width: u32,
    pub scheme: &'static str,
    pub is_forced: bool,
}

impl Setting {
    const fn new(width: u32, scheme: &'static str) -> Setting {
        Setting { width, scheme, is_forced: false }
    }
}

/// Narrow and wide, light and dark.
pub const SETTINGS: [Setting; 4] = [
    Setting::new(390, "light"),
    Setting::new(390, "dark"),
    Setting::new(1280, "light"),
    Setting::new(1280, "dark"),
];

/// White on black, as many choose it.
pub const FORCED: Setting = Setting { is_forced: true, ..Setting::new(1280, "dark") };

/// The driver's process and the directory of its browser.
struct Driver {
    _process: Process,
    port: u16,
    dir: TempDir,
}

impl Driver {
    /// None where no driver is installed.
    fn start() -> Option<Driver> {
        let program = env::var_os("CHROMEDRIVER").unwrap_or_else(|| OsString::from("chromedriver"));
        let dir = tempfile::tempdir().unwrap();
        // The driver picks a free port itself: one picked here could be taken before it is used.
        let spawned = Process::spawn(Command::new(&program).arg("--port=0"), dir.path().join("driver.log"));
        let mut process = match spawned {
            Ok(process) => process,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                skipped("browser", program.display());
                return None;
            }
            Err(error) => panic!("cannot start {program:?}: {error}"),
        };
        let port = process.port_after(STARTED);
        Some(Driver { _process: process, port, dir })
    }
}

/// A browser at one app.
pub struct Browser {
    // Dropped in this order: the session ends the browser, then its driver is killed.
    pub driver: WebDriver,
    process: Driver,
    base: String,
}

impl Browser {
    /// A new browser without any cookies, or None where the tests are skipped.
    pub async fn open(server: &Server) -> Option<Browser> {
        let process = Driver::start()?;
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in ARGUMENTS {
            capabilities.add_arg(argument).unwrap();
        }
        let profile = process.dir.path().join(PROFILE);
        capabilities.add_arg(&format!("--user-data-dir={}", profile.display())).unwrap();
        capabilities.set_browser_log_level(LoggingPrefsLogLevel::Severe).unwrap();
        let driver = WebDriver::new(format!("http://127.0.0.1:{}", process.port), capabilities);
        let driver = driver.await.unwrap();
        Some(Browser { driver, process, base: base(server) })
    }

    /// Continues with another app. Cookies are shared between ports.
    pub fn turn_to(&mut self, server: &Server) {
        self.base = base(server);
    }

    /// The address of a page of the app.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub async fn visit(&self, path: &str) {
        self.driver.goto(self.url(path)).await.unwrap();
    }

    /// From now on pages are looked at like this, and without motion, so that no picture shows a colour in transition.
    pub async fn set(&self, Setting { width, scheme, is_forced }: Setting) {
        let size = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600 });
        let media = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
            { "name": "forced-colors", "value": if is_forced { "active" } else { "none" } },
        ] });
        let cdp = self.driver.cdp();
        cdp.send_raw("Emulation.setDeviceMetricsOverride", size).await.unwrap();
        cdp.send_raw("Emulation.setEmulatedMedia", media).await.unwrap();
    }

    /// Ends what [`set`](Browser::set) began.
    pub async fn unset(&self) {
        let cdp = self.driver.cdp();
        cdp.send_raw("Emulation.clearDeviceMetricsOverride", ()).await.unwrap();
        cdp.send_raw("Emulation.setEmulatedMedia", json!({ "features": [] })).await.unwrap();
    }

    /// The height of the page that is shown, which is to be no wider than the window.
    pub async fn height(&self, width: u32, page: &str) -> u64 {
        let metrics = self.driver.cdp().send_raw("Page.getLayoutMetrics", ()).await.unwrap();
        let content = &metrics["cssContentSize"];
        assert_eq!(content["width"], width, "{page} at {width} is to be scrolled sideways");
        content["height"].as_u64().unwrap()
    }

    /// The port at which another tool can drive this browser.
    pub fn debugging_port(&self) -> String {
        let file = self.process.dir.path().join(PROFILE).join("DevToolsActivePort");
        fs::read_to_string(file).unwrap().lines().next().unwrap().to_owned()
    }

    /// The path and query of the page that is shown.
    pub async fn path(&self) -> String {
        let url = self.driver.current_url().await.unwrap();
        url.as_str().strip_prefix(&self.base).unwrap().to_owned()
    }

    /// The element, once it is there.
    pub async fn find(&self, css: &str) -> WebElement {
        match self.driver.query(By::Css(css)).first().await {
            Ok(element) => element,
            Err(_) => panic!("no {css} at {}:\n{}", self.path().await, self.driver.source().await.unwrap()),
        }
    }

    /// Asks again and again until the answer is yes, for a minute at most.
    pub async fn until(&self, what: &str, ask: impl AsyncFn() -> bool) {
        let start = Instant::now();
        while !ask().await {
            assert!(start.elapsed() < WAIT_TIMEOUT, "waited {WAIT_TIMEOUT:?} until {what}");
            sleep(POLL_INTERVAL).await;
        }
    }

    /// What is shown there, as soon as it is there.
    pub async fn text(&self, css: &str) -> String {
        loop {
            let text = self.find(css).await.text().await;
            // The page may have gone in between.
            if !text
                .as_ref()
                .is_err_and(|error| matches!(**error, WebDriverErrorInner::StaleElementReference(_)))
            {
                return text.unwrap();
            }
        }
    }

    /// Clicks there. If that sends a form, the page is gone afterwards, so that nothing of it is taken for the answer.
    pub async fn click(&self, css: &str) {
        let element = self.find(css).await;
        let sends = element.prop("type").await.unwrap().is_some_and(|kind| kind == "submit");
        if sends {
            self.leave_by(element).await;
        } else {
            element.click().await.unwrap();
        }
    }

    /// Clicks on what leads to another page, and waits until this one is gone.
    pub async fn leave_by(&self, element: WebElement) {
        element.click().await.unwrap();
        self.until("the page is left", async || element.is_enabled().await.is_err()).await;
    }

    /// Fills in the form in the page and sends it.
    pub async fn submit(&self, username: &str, password: &str) {
        for (name, text) in [("username", username), ("password", password)] {
            let field = self.find(&format!("main input[name={name}]")).await;
            field.clear().await.unwrap();
            field.send_keys(text).await.unwrap();
        }
        self.click("main form button.primary").await;
    }

    pub async fn register(&self, username: &str) {
        self.visit("/stateless/register").await;
        self.submit(username, PASSWORD).await;
        self.find("#visits").await;
    }

    /// Presses keys where the focus is.
    pub async fn press(&self, keys: impl Into<TypingData>) {
        let keys: TypingData = keys.into();
        self.driver.action_chain().send_keys(keys).perform().await.unwrap();
    }

    /// Whether this is where the keyboard is.
    pub async fn is_focused(&self, css: &str) -> bool {
        self.driver.query(By::Css(format!("{css}:focus"))).nowait().exists().await.unwrap()
    }
}

fn base(server: &Server) -> String {
    format!("http://localhost:{}", server.port)
}

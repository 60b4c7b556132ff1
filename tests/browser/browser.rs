//! A Chromium with a profile of its own, and what the tests do in it.

use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::Command;

use tempfile::TempDir;
use thirtyfour::prelude::*;
use world::{PASSWORD, Process, Server, skipped};

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
    _process: Driver,
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
        let profile = process.dir.path().join("profile");
        capabilities.add_arg(&format!("--user-data-dir={}", profile.display())).unwrap();
        let driver = WebDriver::new(format!("http://127.0.0.1:{}", process.port), capabilities);
        let driver = driver.await.unwrap();
        Some(Browser { driver, _process: process, base: base(server) })
    }

    /// Continues with another app. Cookies are shared between ports.
    pub fn turn_to(&mut self, server: &Server) {
        self.base = base(server);
    }

    pub async fn visit(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.base)).await.unwrap();
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

    pub async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.unwrap()
    }

    pub async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap();
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

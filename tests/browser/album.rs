//! What tools say of a page that is shown, and a picture of it in each setting.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::browser::{Browser, FORCED, SETTINGS, Setting};

const LIGHTHOUSE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/lighthouse.mjs");

/// Each rule that the page breaks, and the elements that break it.
const VIOLATIONS: &str = r#"
    const done = arguments[0];
    axe.run(document).then(
        found => done(found.violations.map(rule =>
            rule.id + " at " + rule.nodes.map(node => node.target.join(" ")).join(", "))),
        fault => done(["axe failed: " + fault]));
"#;

/// A directory of pictures, and what axe and Lighthouse object to in what they show.
pub struct Album {
    directory: PathBuf,
    axe: Option<String>,
    /// The directory of Lighthouse's modules.
    lighthouse: Option<PathBuf>,
    faults: Mutex<Vec<String>>,
}

impl Album {
    /// What the environment asks for: `SCREENSHOTS` names the directory, `AXE` the script of axe-core, and `LIGHTHOUSE`
    /// the directory of the modules that it is among.
    pub fn asked_for() -> Album {
        let album = Album {
            directory: env::var_os("SCREENSHOTS").expect("SCREENSHOTS names a directory").into(),
            axe: env::var_os("AXE")
                .map(|file| fs::read_to_string(file).expect("AXE names the script of axe-core")),
            lighthouse: env::var_os("LIGHTHOUSE").map(PathBuf::from),
            faults: Mutex::default(),
        };
        fs::create_dir_all(&album.directory).unwrap();
        album
    }

    /// Goes to a page and takes it.
    pub async fn visit(&self, browser: &Browser, name: &str, path: &str) {
        browser.visit(path).await;
        self.take(browser, name).await;
    }

    /// The page that is shown: its HTML, and the whole of it once in each setting and in forced colours.
    pub async fn take(&self, browser: &Browser, name: &str) {
        let html = browser.driver.source().await.unwrap();
        fs::write(self.directory.join(format!("{name}.html")), format!("<!doctype html>\n{html}")).unwrap();
        for setting in SETTINGS {
            let view = format!("{name}-{}-{}", setting.width, setting.scheme);
            self.picture(browser, &view, setting).await;
            if let Some(axe) = &self.axe {
                self.check(axe, browser, &view).await;
            }
        }
        self.picture(browser, &format!("{name}-forced"), FORCED).await;
        browser.unset().await;
    }

    async fn picture(&self, browser: &Browser, view: &str, setting: Setting) {
        browser.set(setting).await;
        let height = browser.height(setting.width, view).await;
        let clip = json!({ "x": 0, "y": 0, "width": setting.width, "height": height, "scale": 1 });
        let shot = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let shot = browser.driver.cdp().send_raw("Page.captureScreenshot", shot).await.unwrap();
        let picture = STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        fs::write(self.directory.join(format!("{view}.png")), picture).unwrap();
    }

    async fn check(&self, axe: &str, browser: &Browser, view: &str) {
        browser.driver.execute(axe, vec![]).await.unwrap();
        let found = browser.driver.execute_async(VIOLATIONS, vec![]).await.unwrap();
        let found: Vec<String> = found.convert().unwrap();
        self.faults.lock().unwrap().extend(found.iter().map(|fault| format!("{view}: axe: {fault}")));
    }

    /// Lets Lighthouse judge pages as this browser gets them, on a phone and on a desk. Each is loaded more than once.
    pub fn judge<P: AsRef<str>>(&self, browser: &Browser, paths: &[P]) {
        self.judge_on("phone,desk", browser, paths);
    }

    /// The same for pages that differ from one that is judged only in what they say.
    pub fn judge_alike<P: AsRef<str>>(&self, browser: &Browser, paths: &[P]) {
        self.judge_on("phone", browser, paths);
    }

    fn judge_on<P: AsRef<str>>(&self, forms: &str, browser: &Browser, paths: &[P]) {
        let Some(modules) = &self.lighthouse else { return };
        let urls = paths.iter().map(|path| browser.url(path.as_ref()));
        let mut node = Command::new("node");
        let judged =
            node.arg(LIGHTHOUSE).arg(modules).arg(browser.debugging_port()).arg(forms).args(urls).output();
        let judged = judged.expect("node is installed");
        let said = String::from_utf8_lossy(&judged.stdout);
        println!("Lighthouse judged {} pages", paths.len());
        print!("{said}");
        let mut faults = self.faults.lock().unwrap();
        faults.extend(said.lines().map(str::to_owned));
        if !judged.status.success() && said.is_empty() {
            faults.push(format!("Lighthouse failed: {}", String::from_utf8_lossy(&judged.stderr)));
        }
    }

    /// Checks that no tool has objected to anything.
    pub fn assert_flawless(self) {
        let faults = self.faults.into_inner().unwrap();
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    }
}

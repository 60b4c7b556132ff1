//! Three people who are here for the first time. They read, click what they see and type no address after the first; each
//! finds what they came for, at every width, in every colour scheme, with scripts and without.

use serde_json::json;
use thirtyfour::prelude::*;
use world::{PASSWORD, Server, program};

use crate::browser::{Browser, SETTINGS, Setting};

const SOURCE: &str = "https://git.example/sealed-sessions";

/// Somebody at a browser.
struct Newcomer<'a> {
    browser: &'a Browser,
    server: &'a Server,
    setting: Setting,
    has_scripts: bool,
    /// What this one would be called here.
    name: String,
}

/// Goes the same way in every setting, as somebody new each time.
async fn in_every_setting(walk: impl AsyncFn(&Newcomer<'_>)) {
    let mut server = program!().start(&[("ROCKET_SOURCE_URL", SOURCE)]);
    let Some(browser) = Browser::open(&server).await else { return };
    for setting in SETTINGS {
        for has_scripts in [true, false] {
            browser.driver.delete_all_cookies().await.unwrap();
            browser.set(setting).await;
            let scripts = json!({ "value": !has_scripts });
            browser.driver.cdp().send_raw("Emulation.setScriptExecutionDisabled", scripts).await.unwrap();
            let name = format!("ada-{}-{}-{has_scripts}", setting.width, setting.scheme);
            let newcomer = Newcomer { browser: &browser, server: &server, setting, has_scripts, name };
            browser.visit("/").await;
            walk(&newcomer).await;
        }
    }
    server.assert_well();
}

impl Newcomer<'_> {
    /// Clicks the link or the button that says this, and looks at the page that comes.
    async fn follow(&self, label: &str) {
        let found = self.labelled(label).await;
        self.browser.leave_by(found).await;
        self.look().await;
    }

    async fn tick(&self, label: &str) {
        self.labelled(label).await.click().await.unwrap();
    }

    async fn labelled(&self, label: &str) -> WebElement {
        let says = format!("[normalize-space()='{label}']");
        let visible = By::XPath(format!("//a{says} | //button{says} | //label{says}"));
        let found = self.browser.driver.query(visible).and_displayed().first().await;
        let Ok(found) = found else { panic!("{label:?} is not to be seen at {}", self.place().await) };
        found
    }

    /// What holds for every page: it is no wider than the window, all of its header is to be seen and leaves room on a phone,
    /// it writes nothing to the console, and it shows no control that would do nothing.
    async fn look(&self) {
        let place = self.place().await;
        self.browser.find("footer").await;
        self.browser.height(self.setting.width, &place).await;
        let header = self.browser.find("header").await.rect().await.unwrap();
        assert!(header.height < 120.0, "{place}: {header:?}");
        for last in ["nav[aria-label=Site] li:last-child", ".account > :last-child"] {
            for last in self.browser.driver.find_all(By::Css(last)).await.unwrap() {
                let rect = last.rect().await.unwrap();
                assert!(rect.x + rect.width <= f64::from(self.setting.width), "{place}: {rect:?}");
            }
        }
        let errors = self.browser.driver.get_log("browser").await.unwrap();
        assert!(errors.is_empty(), "{place}: {errors:?}");
        let can_show = self.browser.driver.find_all(By::Css("main .show")).await.unwrap().len();
        let passwords =
            self.browser.driver.find_all(By::Css("main input[type=password]")).await.unwrap().len();
        assert_eq!(can_show, if self.has_scripts { passwords } else { 0 }, "{place}");
    }

    async fn place(&self) -> String {
        format!("{} ({:?}, scripts: {})", self.browser.path().await, self.setting, self.has_scripts)
    }

    /// Checks that what is shown there says this.
    async fn reads(&self, css: &str, said: &str) {
        let text = self.browser.text(css).await;
        assert!(text.contains(said), "{css} at {}: {text}", self.place().await);
    }

    /// Skips the header, fills in the form and sends it, by the keyboard alone.
    async fn types_name_and_password(&self) {
        let browser = self.browser;
        browser.press(Key::Tab).await;
        assert!(browser.is_focused("a.skip").await, "{}", self.place().await);
        browser.press(Key::Enter).await;
        browser.press(Key::Tab).await;
        assert!(browser.is_focused("input[name=username]").await, "{}", self.place().await);
        browser.press(&*self.name).await;
        browser.press(Key::Tab).await;
        browser.press(PASSWORD).await;
        for _ in 0..5 {
            browser.press(Key::Tab).await;
            if browser.is_focused("main .primary").await {
                break;
            }
        }
        browser.press(Key::Enter).await;
    }

    /// Copies the session's cookie as the developer tools of a browser show it.
    async fn copies(&self, cookie: &str) -> String {
        self.browser.driver.get_named_cookie(cookie).await.unwrap().value
    }
}

#[rocket::async_test]
async fn a_learner_goes_on_the_tour_of_five_pages() {
    in_every_setting(async |learner| {
        learner.reads("h1", "The whole session, sealed in one cookie").await;
        learner.follow("Take the tour: five pages").await;
        learner.reads(".tour h2", "Step 1 of 5").await;
        learner.reads("#visits", "1").await;
        learner.browser.driver.refresh().await.unwrap();
        learner.reads("#visits", "2").await;

        learner.follow("Next: Sign in").await;
        learner.reads(".tour h2", "Step 2 of 5").await;
        learner.follow("Create one").await;
        learner.types_name_and_password().await;
        learner.reads(".notice", &format!("Account created. You are signed in as {}.", learner.name)).await;
        learner.look().await;

        learner.reads("h1", "Inside the cookie").await;
        learner.reads(".tour h2", "Step 3 of 5").await;
        learner.reads(".record pre", &learner.name).await;
        learner.follow("Profile").await;
        learner.reads("#username", &learner.name).await;
        learner.reads(".timeline", "Signed in").await;
        learner.follow("Cookie").await;
        let copy = learner.copies("__Host-Http-stateless").await;

        learner.follow("Next: Sign out, and replay the copy").await;
        learner.reads("h1", "You are signed out").await;
        learner.reads(".tour h2", "Step 4 of 5").await;
        replays(learner, &copy).await;

        learner.follow("Next: Compare the realms").await;
        learner.reads(".tour h2", "Step 5 of 5").await;
        learner.follow("Count a visit everywhere").await;
        learner.reads(".compared", "bytes").await;
        learner.reads(".pictures", "Stateful").await;
        learner.follow("Back to the overview").await;

        learner.follow("Open Stateless").await;
        learner.follow("Sign in").await;
        learner.types_name_and_password().await;
        learner.reads(".notice", "Signed in.").await;
        learner.reads(".account", &learner.name).await;
        learner.look().await;
    })
    .await;
}

/// Does what the command in the page does, with the copy in the place of `VALUE`, and compares what it prints with what
/// the page says.
async fn replays(learner: &Newcomer<'_>, copy: &str) {
    let command = learner.browser.text("main pre").await;
    let cookie = command.split('\'').find(|part| part.ends_with("=VALUE")).unwrap().replace("VALUE", copy);
    let path = command.split_once(&format!("localhost:{}", learner.server.port)).unwrap().1.trim();
    let status = learner.server.get_with_cookies(path, cookie.as_bytes()).status;
    assert_eq!(status, 200, "{command}");
    learner.reads("#replay ~ pre + p", &format!("It prints {status}: the copy is still signed in.")).await;
}

#[rocket::async_test]
async fn an_architect_learns_which_stores_give_what_they_need() {
    in_every_setting(async |architect| {
        let browser = architect.browser;
        browser
            .until("the experiments are done", async || {
                architect.follow("Lab").await;
                browser.driver.find(By::Css(".notice")).await.is_err()
            })
            .await;
        architect.reads(".matrix caption", "Does the safe outcome hold?").await;
        architect.tick("a way to sign out everywhere").await;
        architect.tick("several servers, without sticky routing").await;
        architect.follow("Which stores hold?").await;
        architect.reads(".needs h3", "stores give all of it").await;
        architect.reads(".fits li:first-child", "gives").await;
        architect.reads(".fits .lacking", "does not give").await;

        let store = browser.text(".fits li:first-child b").await;
        browser.click(".fits li:first-child a[href^='/lab/theft-and-log-out-everywhere']").await;
        architect.look().await;
        architect.reads("h2:target", &format!("On {store}")).await;
        architect.reads("h2:target .verdict", "holds").await;
        architect.reads(".lanes .decides", "decides").await;

        architect.follow("The lab").await;
        architect.follow("What sessions cost under load").await;
        architect.reads("h1", "Sessions under load").await;
        architect.reads("main pre", "lab load").await;
        architect.follow("Docs").await;
        architect.follow("At scale").await;
        architect.reads("h1", "At scale").await;
        architect.reads(".guide table", "sessions").await;
    })
    .await;
}

#[rocket::async_test]
async fn a_rocket_developer_finds_the_code_in_five_minutes() {
    in_every_setting(async |developer| {
        developer.reads("h1", "The whole session, sealed in one cookie").await;
        developer.reads("#use ~ .pair", "sealed-sessions = {").await;
        for line in ["use sealed_sessions::", "attach(Sessions::<", "fn rocket()"] {
            developer.reads("#use ~ figure pre.whole", line).await;
        }
        developer.follow("Open Stateless").await;
        developer.reads("#line ~ .pair", "session.update").await;
        developer.follow("The whole tutorial, step by step").await;
        developer.reads("h1", "express-session").await;
        developer.follow("All guides").await;
        developer.follow("Keys").await;
        developer.reads(".guide", "ROCKET_SECRET_KEY").await;
        let source = developer.browser.find("footer a[href^='https://']").await;
        assert_eq!(source.text().await.unwrap(), "Source");
        assert_eq!(source.attr("href").await.unwrap().as_deref(), Some(SOURCE));
    })
    .await;
}

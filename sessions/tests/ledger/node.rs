//! Nodes of one site that share a log, and the browsers that visit them.

use std::sync::Arc;

use rocket::figment::Figment;
use rocket::figment::providers::{Format, Toml};
use rocket::http::{ContentType, Cookie, Status};
use rocket::local::asynchronous::{Client, LocalResponse};
use rocket::{Build, Rocket};
use sealed_sessions::Sessions;
use sealed_sessions::ledger::Log;
use sealed_sessions::testing::ManualClock;
use time::{Duration, OffsetDateTime};
use world::KEY;

use crate::site::{self, Meeting};

pub const COOKIE: &str = "__Host-Http-session";

/// A process of the site.
pub struct Node {
    pub client: Client,
    pub clock: Arc<ManualClock>,
}

/// The settings of a node, with `settings` in the table of its sessions.
pub fn figment(settings: &str) -> Figment {
    let config =
        rocket::Config { log_level: rocket::config::LogLevel::Off, ..rocket::Config::debug_default() };
    let toml = Toml::string(&format!("[session]\nrevocation = \"shared\"\n{settings}"));
    Figment::from(config).merge(("secret_key", KEY)).merge(toml)
}

fn rocket(log: &Arc<impl Log>, figment: Figment, ahead: Duration) -> (Rocket<Build>, Arc<ManualClock>) {
    crate::log::install();
    let start = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
    let clock = Arc::new(ManualClock::at(start + ahead));
    let sessions = Sessions::fairing().clock(clock.clone()).log("shared", log.clone());
    (site::rocket(figment, sessions), clock)
}

impl Node {
    pub async fn start(log: &Arc<impl Log>) -> Node {
        Node::start_with(log, "", Duration::ZERO).await
    }

    /// A node whose clock differs by so much from the others'.
    pub async fn start_with(log: &Arc<impl Log>, settings: &str, ahead: Duration) -> Node {
        let (rocket, clock) = rocket(log, figment(settings), ahead);
        Node { client: Client::untracked(rocket).await.unwrap(), clock }
    }

    /// A node with other settings of Rocket; `Err` is why it refuses to launch.
    pub async fn try_start(log: &Arc<impl Log>, figment: Figment) -> Result<Node, String> {
        let (rocket, clock) = rocket(log, figment, Duration::ZERO);
        crate::log::lines();
        match Client::untracked(rocket).await {
            Ok(client) => Ok(Node { client, clock }),
            // Rocket's errors panic when they are dropped without being inspected.
            Err(error) => {
                drop(error.kind().to_string());
                Err(crate::log::lines().join("\n"))
            }
        }
    }

    /// Has it read what is new: it does so before an anonymous visitor changes anything.
    pub async fn catches_up(&self) {
        assert_eq!(self.client.post("/renew").dispatch().await.status(), Status::Ok);
    }

    /// Where a slow request of this node and its test meet.
    pub async fn meets(&self) {
        self.client.rocket().state::<Meeting>().unwrap().0.wait().await;
    }

    pub async fn stop(self) {
        self.client.terminate().await;
    }
}

/// A browser, or a copy of what it holds.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    pub cookie: Option<String>,
}

impl Browser {
    /// One that is signed in.
    pub async fn of(node: &Node, user: &str) -> Browser {
        let mut browser = Browser::default();
        browser.signs_in(node, user).await;
        browser
    }

    pub async fn signs_in(&mut self, node: &Node, user: &str) {
        let token = self.gets(node, "/form").await;
        assert_eq!(self.posts(node, "/login", &format!("csrf_token={token}&user={user}")).await, Status::Ok);
    }

    /// Gets a page and keeps the cookie that comes with it.
    pub async fn gets(&mut self, node: &Node, path: &str) -> String {
        let request = node.client.get(path.to_owned());
        let response = match &self.cookie {
            Some(value) => request.cookie(Cookie::new(COOKIE, value.clone())).dispatch().await,
            None => request.dispatch().await,
        };
        self.keeps(&response);
        response.into_string().await.unwrap_or_default()
    }

    /// Asks for a page and reads nothing of it yet.
    pub async fn opens<'n>(&self, node: &'n Node, path: &'static str) -> LocalResponse<'n> {
        let cookie = self.cookie.clone().unwrap_or_default();
        node.client.get(path).cookie(Cookie::new(COOKIE, cookie)).dispatch().await
    }

    pub async fn posts(&mut self, node: &Node, path: &str, body: &str) -> Status {
        let request = node.client.post(path.to_owned()).header(ContentType::Form).body(body);
        let response = match &self.cookie {
            Some(value) => request.cookie(Cookie::new(COOKIE, value.clone())).dispatch().await,
            None => request.dispatch().await,
        };
        self.keeps(&response);
        response.status()
    }

    /// The status of a page that only somebody who is signed in gets.
    pub async fn status(&self, node: &Node) -> u16 {
        let request = node.client.get("/private");
        let cookie = self.cookie.clone().unwrap_or_default();
        request.cookie(Cookie::new(COOKIE, cookie)).dispatch().await.status().code
    }

    /// Who is signed in, what is in the cart, and how the session arrived.
    pub async fn who(&self, node: &Node) -> String {
        self.clone().gets(node, "/who").await
    }

    fn keeps(&mut self, response: &LocalResponse<'_>) {
        let Some(line) = response.headers().get("Set-Cookie").next() else { return };
        let (_, value) = line.split(';').next().unwrap().split_once('=').unwrap();
        self.cookie = (!line.contains("Max-Age=0")).then(|| value.to_owned());
    }
}

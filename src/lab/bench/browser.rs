//! Browsers, which keep cookies and send them back.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rocket::http::{Cookie, Header, Method};
use rocket::local::asynchronous::LocalRequest;
use sealed_sessions::store::Record;
use serde_json::{Value, json};

use super::answer::{Answer, Reply};
use super::journal::{Exchange, Journal};
use super::node::Node;
use super::spy::{After, Moves, Notes};

/// Cookies by name.
pub(in crate::lab) type Jar = BTreeMap<String, String>;

pub(in crate::lab) struct Browser<'b> {
    journal: &'b Journal,
    name: &'static str,
    jar: Mutex<Jar>,
}

impl<'b> Browser<'b> {
    pub(super) fn new(journal: &'b Journal, name: &'static str) -> Browser<'b> {
        Browser { journal, name, jar: Mutex::default() }
    }

    /// Another browser, with a copy of this one's cookies.
    pub(in crate::lab) fn copied_by(&self, name: &'static str) -> Browser<'b> {
        Browser { journal: self.journal, name, jar: Mutex::new(self.cookies()) }
    }

    pub(in crate::lab) fn cookies(&self) -> Jar {
        self.jar().clone()
    }

    pub(in crate::lab) fn put(&self, cookies: Jar) {
        *self.jar() = cookies;
    }

    /// Asks for a page.
    ///
    /// # Errors
    /// What went wrong, where the answer does not say who is signed in: it shows neither outcome of an experiment.
    pub(in crate::lab) async fn get(&self, node: &Node, path: &str) -> Result<Answer, String> {
        self.send(node, Method::Get, path).await.answer
    }

    /// Sends a form.
    ///
    /// # Errors
    /// As for [`Browser::get`].
    pub(in crate::lab) async fn post(&self, node: &Node, path: &str) -> Result<Answer, String> {
        self.send(node, Method::Post, path).await.answer
    }

    /// Asks for a page where the outcome may be a fault.
    pub(in crate::lab) async fn try_get(&self, node: &Node, path: &str) -> Reply {
        self.send(node, Method::Get, path).await
    }

    /// Sends a form where the outcome may be a fault.
    pub(in crate::lab) async fn try_post(&self, node: &Node, path: &str) -> Reply {
        self.send(node, Method::Post, path).await
    }

    /// Asks without a note of it, for one who asks again and again.
    ///
    /// # Errors
    /// As for [`Browser::get`].
    pub(in crate::lab) async fn get_unnoted(&self, node: &Node, path: &str) -> Result<Answer, String> {
        let (request, cookie) = self.request(node, Method::Get, path);
        let (reply, lines, _) = self.dispatch(node, request, cookie).await;
        self.take(&lines);
        reply.answer
    }

    /// Checks that this browser is signed in: without a session, nothing can be seen to end.
    ///
    /// # Errors
    /// That it is not, or why nobody knows.
    pub(in crate::lab) async fn has_to_be(&self, user: &str, node: &Node) -> Result<(), String> {
        let answer = self.get(node, "/profile").await?;
        if answer.user() == Some(user) {
            return Ok(());
        }
        Err(format!(
            "there was no session to try it on: by then the cookie of {} should have been a session of {user} at the {}, and is {}",
            self.name,
            node.name,
            answer.arrival()
        ))
    }

    /// A form on another site's page, from which a browser withholds a Lax cookie.
    ///
    /// # Errors
    /// As for [`Browser::get`].
    pub(in crate::lab) async fn post_from_another_site(
        &self,
        node: &Node,
        path: &str,
    ) -> Result<Answer, String> {
        let mut request = node.client.post(path.to_owned());
        request.add_header(Header::new("Sec-Fetch-Site", "cross-site"));
        request.add_header(Header::new("Sec-Fetch-Mode", "navigate"));
        request.add_header(Header::new("Sec-Fetch-Dest", "document"));
        let begun = self.journal.begin();
        let (reply, lines, moves) = self.dispatch(node, request, String::new()).await;
        self.take(&lines);
        let begun = Exchange { method: "POST", path: path.into(), ..begun };
        self.noted(begun, node, reply, &lines, moves).answer
    }

    /// Sends a form whose answer never arrives: the server has done what was asked, and the browser keeps what it had.
    ///
    /// # Errors
    /// As for [`Browser::get`]: the server has not done it.
    pub(in crate::lab) async fn post_and_lose(&self, node: &Node, path: &str) -> Result<(), String> {
        let begun = self.journal.begin();
        let (request, cookie) = self.request(node, Method::Post, path);
        let (reply, lines, moves) = self.dispatch(node, request, cookie).await;
        let begun = Exchange { method: "POST", path: path.into(), lost: true, ..begun };
        self.noted(begun, node, reply, &lines, moves).answer.map(drop)
    }

    fn jar(&self) -> MutexGuard<'_, Jar> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends the cookies as they are now; those of the answer take effect when it arrives, so that requests
    /// overlap as in a real browser.
    async fn send(&self, node: &Node, method: Method, path: &str) -> Reply {
        let begun = self.journal.begin();
        let (request, cookie) = self.request(node, method, path);
        let (reply, lines, moves) = self.dispatch(node, request, cookie).await;
        self.take(&lines);
        let begun = Exchange { method: method.as_str(), path: path.into(), ..begun };
        self.noted(begun, node, reply, &lines, moves)
    }

    /// A request with the cookies as they are now, and the header that has them.
    fn request<'n>(&self, node: &'n Node, method: Method, path: &str) -> (LocalRequest<'n>, String) {
        let pairs: Vec<String> = self.jar().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookie = pairs.join("; ");
        let mut request = node.client.req(method, path.to_owned());
        if !cookie.is_empty() {
            request.add_header(Header::new("Cookie", cookie.clone()));
        }
        (request, cookie)
    }

    /// The reply, its Set-Cookie lines, and what the store did.
    async fn dispatch(
        &self,
        node: &Node,
        request: LocalRequest<'_>,
        cookie: String,
    ) -> (Reply, Vec<String>, Moves) {
        let asked = format!("{} {} ({}, at the {})", request.method(), request.uri(), self.name, node.name);
        let notes = Notes::default();
        let response = notes.during(request.dispatch()).await;
        let status = response.status().code;
        let lines: Vec<String> = response.headers().get("Set-Cookie").map(str::to_owned).collect();
        let body = response.into_string().await.and_then(|text| serde_json::from_str(&text).ok());
        let moves = notes.take();
        let rest = match &moves.after {
            After::Written(record) if node.server_side => record.encode().len(),
            _ => 0,
        };
        let answer = match body {
            Some(body) if status == 200 => {
                Ok(Answer { number: 0, set_cookie: !lines.is_empty(), up: cookie.len(), body })
            }
            _ => {
                let fault = moves.fault.as_ref().map(|fault| format!(": {fault}")).unwrap_or_default();
                Err(format!("{asked} was answered with {status}, which shows neither outcome{fault}"))
            }
        };
        let down = lines.iter().map(|line| "Set-Cookie: ".len() + line.len()).sum();
        (Reply { number: 0, status, up: cookie.len(), down, rest, answer }, lines, moves)
    }

    /// Notes how an exchange ended.
    fn noted(&self, begun: Exchange, node: &Node, reply: Reply, lines: &[String], moves: Moves) -> Reply {
        let answer = reply.answer.as_ref();
        let number = self.journal.note(Exchange {
            who: self.name,
            whom: node.name,
            with: answer.map_or(String::new(), |answer| answer.arrival().into()),
            status: reply.status.to_string(),
            says: answer.map_or(String::new(), Answer::says),
            set_cookie: lines.iter().map(|line| shortened(line)).collect(),
            before: moves.before.as_ref().map(shown),
            after: match &moves.after {
                After::Unchanged => None,
                After::Written(record) => Some(shown(record)),
                After::Ended => Some("ended".into()),
            },
            up: reply.up,
            down: reply.down,
            rest: reply.rest,
            ..begun
        });
        reply.numbered(number)
    }

    fn take(&self, lines: &[String]) {
        let mut jar = self.jar();
        for cookie in lines.iter().filter_map(|line| Cookie::parse(line.as_str()).ok()) {
            if cookie.max_age().is_some_and(|age| age.whole_seconds() <= 0) {
                jar.remove(cookie.name());
            } else {
                jar.insert(cookie.name().into(), cookie.value().into());
            }
        }
    }
}

/// A Set-Cookie line cut to the beginning of its value, so that nobody can use it.
fn shortened(line: &str) -> String {
    let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let age = attributes.split(';').find(|attribute| attribute.trim_start().starts_with("Max-Age"));
    let age = age.map(|age| format!(";{age}")).unwrap_or_default();
    match value.chars().count() {
        0 => format!("{name}=(removed){age}"),
        count @ ..=16 => format!("{name}=({count} bytes){age}"),
        count => format!("{name}={}… ({count} bytes){age}", value.chars().take(10).collect::<String>()),
    }
}

/// A record without its id, which is a credential, and without the length of a note.
fn shown(record: &Record) -> String {
    let mut data: Value = serde_json::from_str(&record.data).unwrap_or_default();
    if let Some(note) = data.get_mut("note") {
        *note = json!(format!("({} bytes)", note.as_str().map_or(0, str::len)));
    }
    format!("version {}: {data}", record.version)
}

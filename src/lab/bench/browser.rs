//! Browsers, which keep cookies and send them back.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rocket::http::{Cookie, Header, Method};
use rocket::local::asynchronous::LocalRequest;
use sealed_sessions::store::Record;
use serde_json::{Value, json};

use super::journal::{Exchange, Journal};
use super::node::Node;
use super::site::LIVE;
use super::spy::{After, Moves, Notes};

/// Cookies by name.
pub(in crate::lab) type Jar = BTreeMap<String, String>;

pub(in crate::lab) struct Browser<'b> {
    journal: &'b Journal,
    name: &'static str,
    jar: Mutex<Jar>,
}

/// The answer of the small site.
pub(in crate::lab) struct Answer {
    /// Which of the exchanges it ended; 0 if there is no note of it.
    pub(in crate::lab) number: usize,
    pub(in crate::lab) status: u16,
    pub(in crate::lab) set_cookie: bool,
    pub(in crate::lab) up: usize,
    pub(in crate::lab) down: usize,
    pub(in crate::lab) rest: usize,
    body: Value,
}

impl Answer {
    pub(in crate::lab) fn user(&self) -> Option<&str> {
        self.body["user"].as_str()
    }

    pub(in crate::lab) fn count(&self, field: &str) -> u64 {
        self.body[field].as_u64().unwrap_or_default()
    }

    pub(in crate::lab) fn arrival(&self) -> &str {
        self.body["arrival"].as_str().unwrap_or("none")
    }

    /// How many other sessions were ended, in words.
    pub(in crate::lab) fn ended(&self) -> &str {
        self.body["ended"].as_str().unwrap_or_default()
    }

    pub(in crate::lab) fn resumed(&self) -> bool {
        self.arrival() == LIVE
    }
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

    pub(in crate::lab) async fn get(&self, node: &Node, path: &str) -> Answer {
        self.send(node, Method::Get, path).await
    }

    pub(in crate::lab) async fn post(&self, node: &Node, path: &str) -> Answer {
        self.send(node, Method::Post, path).await
    }

    /// Asks without a note of it, for one who asks again and again.
    pub(in crate::lab) async fn try_get(&self, node: &Node, path: &str) -> Answer {
        let (request, cookie) = self.request(node, Method::Get, path);
        let (answer, lines, _) = self.dispatch(node, request, cookie).await;
        self.take(&lines);
        answer
    }

    /// A form on another site's page, from which a browser withholds a Lax cookie.
    pub(in crate::lab) async fn post_from_another_site(&self, node: &Node, path: &str) -> Answer {
        let mut request = node.client.post(path);
        request.add_header(Header::new("Sec-Fetch-Site", "cross-site"));
        request.add_header(Header::new("Sec-Fetch-Mode", "navigate"));
        request.add_header(Header::new("Sec-Fetch-Dest", "document"));
        let begun = self.journal.begin();
        let (answer, lines, moves) = self.dispatch(node, request, String::new()).await;
        self.take(&lines);
        self.noted(Exchange { method: "POST", path: path.into(), ..begun }, node, answer, &lines, moves)
    }

    /// Sends a form whose answer never arrives: the server has done what was asked, and the browser keeps what it had.
    pub(in crate::lab) async fn post_and_lose(&self, node: &Node, path: &str) {
        let begun = self.journal.begin();
        let (request, cookie) = self.request(node, Method::Post, path);
        let (answer, lines, moves) = self.dispatch(node, request, cookie).await;
        let begun = Exchange { method: "POST", path: path.into(), lost: true, ..begun };
        self.noted(begun, node, answer, &lines, moves);
    }

    fn jar(&self) -> MutexGuard<'_, Jar> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends the cookies as they are now; those of the answer take effect when it arrives, so that requests
    /// overlap as in a real browser.
    async fn send(&self, node: &Node, method: Method, path: &str) -> Answer {
        let begun = self.journal.begin();
        let (request, cookie) = self.request(node, method, path);
        let (answer, lines, moves) = self.dispatch(node, request, cookie).await;
        self.take(&lines);
        let begun = Exchange { method: method.as_str(), path: path.into(), ..begun };
        self.noted(begun, node, answer, &lines, moves)
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

    /// The answer, its Set-Cookie lines, and what the store did.
    async fn dispatch(
        &self,
        node: &Node,
        request: LocalRequest<'_>,
        cookie: String,
    ) -> (Answer, Vec<String>, Moves) {
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
        let answer = Answer {
            number: 0,
            status,
            set_cookie: !lines.is_empty(),
            up: cookie.len(),
            down: lines.iter().map(|line| "Set-Cookie: ".len() + line.len()).sum(),
            rest,
            body: body.unwrap_or_default(),
        };
        (answer, lines, moves)
    }

    /// Notes how an exchange ended.
    fn noted(&self, begun: Exchange, node: &Node, answer: Answer, lines: &[String], moves: Moves) -> Answer {
        let number = self.journal.note(Exchange {
            who: self.name,
            whom: node.name,
            with: if answer.status == 200 { answer.arrival().into() } else { String::new() },
            status: answer.status.to_string(),
            says: says(&answer),
            set_cookie: lines.iter().map(|line| shortened(line)).collect(),
            before: moves.before.as_ref().map(shown),
            after: match &moves.after {
                After::Unchanged => None,
                After::Written(record) => Some(shown(record)),
                After::Ended => Some("ended".into()),
            },
            up: answer.up,
            down: answer.down,
            rest: answer.rest,
            ..begun
        });
        Answer { number, ..answer }
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

/// What the answer says of who is signed in, and of what the session holds.
fn says(answer: &Answer) -> String {
    if answer.status != 200 {
        return String::new();
    }
    let mut says = answer.user().map_or("nobody is signed in".into(), |user| format!("signed in as {user}"));
    if !answer.ended().is_empty() {
        says.push_str(&format!("; others: {}", answer.ended()));
    }
    for (field, one, many) in [("visits", "visit", "visits"), ("likes", "like", "likes")] {
        match answer.count(field) {
            0 => {}
            1 => says.push_str(&format!(", 1 {one}")),
            count => says.push_str(&format!(", {count} {many}")),
        }
    }
    says
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

//! A client that sends exactly the bytes it is told to, which a client library would refuse or mend,
//! and a jar that keeps Secure cookies without TLS, as browsers do on localhost.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use crate::server::{PATIENCE, Server};

pub const COOKIE: &str = "__Host-stateless";
/// Where the profile leads whoever is not signed in.
pub const TO_LOGIN: &str = "/stateless/login?next=%2Fstateless%2Fprofile";
pub const PASSWORD: &str = "correct horse battery";

/// The cookies of one browser.
#[derive(Clone, Default)]
pub struct Jar(BTreeMap<String, String>);

impl Jar {
    /// The session's cookie as the `Cookie` header has it.
    pub fn pair(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub fn value(&self) -> Option<&str> {
        self.0.get(COOKIE).map(String::as_str)
    }

    fn keep(&mut self, answer: &Answer) {
        for line in answer.all("set-cookie") {
            let (pair, attributes) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            match attributes.contains("Max-Age=0") {
                true => self.0.remove(name),
                false => self.0.insert(name.to_owned(), value.to_owned()),
            };
        }
    }
}

/// A response.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Option<Answer> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &str| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_ascii_lowercase(), value.to_owned()))
        };
        let headers: Option<Vec<_>> = lines.map(header).collect();
        Some(Answer { status, headers: headers?, body: body.to_owned() })
    }

    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(held, _)| held == name).map(|(_, value)| value.as_str())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub fn location(&self) -> &str {
        self.header("location").unwrap_or_default()
    }

    /// Where it leads, having said 303.
    #[track_caller]
    pub fn leads_to(&self, path: &str) {
        assert_eq!((self.status, self.location()), (303, path), "{}", self.body);
    }

    /// The same answer without what changes with the time of day.
    pub fn undated(mut self) -> Answer {
        self.headers.retain(|(name, _)| name != "date");
        self
    }

    /// Whether it removes the session's cookie from the browser.
    pub fn clears(&self) -> bool {
        self.all("set-cookie")
            .any(|line| line.starts_with(&format!("{COOKIE}=;")) && line.contains("Max-Age=0"))
    }

    /// The text of `<output id="…">`.
    pub fn output(&self, id: &str) -> Option<&str> {
        between(&self.body, &format!("<output id=\"{id}\">"), "<")
    }

    /// The token of the form on this page.
    #[track_caller]
    pub fn token(&self) -> String {
        let token = between(&self.body, "name=\"csrf_token\" value=\"", "\"");
        token.unwrap_or_else(|| panic!("no form: {} {}", self.status, self.body)).to_owned()
    }

    pub fn notice(&self) -> Option<&str> {
        between(&self.body, "role=\"status\">", "<")
    }
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}

/// What the tests do with a running app.
impl Server {
    pub fn get(&self, jar: &mut Jar, path: &str) -> Answer {
        self.send(jar, "GET", path, &[], b"")
    }

    /// Posts a form as a browser does from a page of this site.
    pub fn post(&self, jar: &mut Jar, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_raw(jar, path, form(fields).as_bytes())
    }

    pub fn post_raw(&self, jar: &mut Jar, path: &str, body: &[u8]) -> Answer {
        let headers =
            [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "same-origin")];
        self.send(jar, "POST", path, &headers, body)
    }

    pub fn send(
        &self,
        jar: &mut Jar,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut lines = String::new();
        if !jar.0.is_empty() {
            lines.push_str(&format!("Cookie: {}\r\n", jar.pair()));
        }
        for (name, value) in headers {
            lines.push_str(&format!("{name}: {value}\r\n"));
        }
        if method == "POST" {
            lines.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        let answer = self.raw(method, path.as_bytes(), lines.as_bytes(), body);
        jar.keep(&answer);
        answer
    }

    /// `GET` with a `Cookie` header of any bytes.
    pub fn get_with_cookies(&self, path: &str, cookies: &[u8]) -> Answer {
        let line = [b"Cookie: ", cookies, b"\r\n"].concat();
        self.raw("GET", path.as_bytes(), &line, b"")
    }

    /// One request, byte by byte. `headers` ends each of its lines.
    pub fn raw(&self, method: &str, target: &[u8], headers: &[u8], body: &[u8]) -> Answer {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let host = format!("Host: localhost:{}\r\nConnection: close\r\n", self.port);
        let request =
            [method.as_bytes(), b" ", target, b" HTTP/1.1\r\n", host.as_bytes(), headers, b"\r\n", body];
        // A server that refuses early stops reading: its answer counts, not how the sending ended.
        let _ = socket.write_all(&request.concat());
        let mut bytes = Vec::new();
        let ended = socket.read_to_end(&mut bytes);
        Answer::parse(&bytes).unwrap_or_else(|| panic!("no answer to {method}: {ended:?}"))
    }

    /// A new browser that is signed in with a new account.
    pub fn register(&self, username: &str) -> Jar {
        let mut jar = Jar::default();
        let csrf_token = self.get(&mut jar, "/stateless/register").token();
        let fields = [("csrf_token", &*csrf_token), ("username", username), ("password", PASSWORD)];
        self.post(&mut jar, "/stateless/register", &fields).leads_to("/stateless");
        jar
    }

    /// Signs in by the form at `path`, which may have a `next`.
    pub fn sign_in(&self, jar: &mut Jar, path: &str, username: &str) -> Answer {
        let page = self.get(jar, path);
        let token = page.token();
        let mut fields = vec![("csrf_token", &*token), ("username", username), ("password", PASSWORD)];
        fields.extend(between(&page.body, "name=\"next\" value=\"", "\"").map(|next| ("next", next)));
        self.post(jar, "/stateless/login", &fields)
    }

    /// Who is signed in, by the profile.
    pub fn user(&self, jar: &Jar) -> Option<String> {
        self.get(&mut jar.clone(), "/stateless/profile").output("username").map(str::to_owned)
    }

    /// How often this browser has been here, told without counting.
    pub fn visits(&self, jar: &Jar) -> u64 {
        let page = self.get(&mut jar.clone(), "/");
        between(&page.body, "<dt>Visits</dt><dd>", "<").unwrap().parse().unwrap()
    }
}

/// The body of a form.
pub fn form(fields: &[(&str, &str)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}

/// Percent-encodes all but letters and digits.
pub fn encode(text: &str) -> String {
    let byte = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

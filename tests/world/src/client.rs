//! A client that sends exactly the bytes it is told to, where a client library would refuse or mend them, and
//! a jar that keeps Secure cookies without TLS, as browsers do on localhost.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::time::Duration;

use crate::answer::{Answer, COOKIE};
use crate::program::Server;
use crate::wait::{WAIT_TIMEOUT, wait_for};

/// Where the profile sends visitors who are not signed in.
pub const TO_LOGIN: &str = "/stateless/login?next=%2Fstateless%2Fprofile";
/// The password of every account that the tests make.
pub const PASSWORD: &str = "correct horse battery";

/// The cookies of one browser.
#[derive(Clone, Default)]
pub struct Jar(BTreeMap<String, String>);

impl Jar {
    /// The cookies as they stand in a `Cookie` header.
    pub fn pair(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// The value of the session's cookie.
    pub fn value(&self) -> Option<&str> {
        self.0.get(COOKIE).map(String::as_str)
    }

    /// The values of all cookies.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    /// The value of the cookie of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A browser that has what this answer sets, and nothing else.
    pub fn of(answer: &Answer) -> Jar {
        let mut jar = Jar::default();
        jar.keep(answer);
        jar
    }

    /// A copy that has no cookie but the one of this name.
    pub fn only(&self, name: &str) -> Jar {
        Jar(self.0.iter().filter(|(held, _)| *held == name).map(|(a, b)| (a.clone(), b.clone())).collect())
    }

    pub(crate) fn keep(&mut self, answer: &Answer) {
        for line in answer.all("set-cookie") {
            let (pair, attributes) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// What the tests do with a running app.
impl Server {
    /// `GET` by this browser.
    pub fn get(&self, jar: &mut Jar, path: &str) -> Answer {
        self.send(jar, "GET", path, &[], b"")
    }

    /// Posts a form as a browser does from a page of this site.
    pub fn post(&self, jar: &mut Jar, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_raw(jar, path, form(fields).as_bytes())
    }

    /// Posts these bytes as a form.
    pub fn post_raw(&self, jar: &mut Jar, path: &str, body: &[u8]) -> Answer {
        let headers =
            [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "same-origin")];
        self.send(jar, "POST", path, &headers, body)
    }

    /// Any request by this browser.
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
        let host = format!("Host: localhost:{}\r\nConnection: close\r\n", self.port);
        let request =
            [method.as_bytes(), b" ", target, b" HTTP/1.1\r\n", host.as_bytes(), headers, b"\r\n", body];
        exchange(self.port, &request.concat())
    }

    /// Sends these bytes, whatever they are. `None` if the connection ends without an answer.
    pub fn bytes(&self, bytes: &[u8]) -> Option<Answer> {
        self.bytes_within(Duration::from_secs(1), bytes)
    }

    /// Sends these bytes, and ends them if there is no whole answer after so long: a server that waits for the rest of a
    /// request learns that there is none.
    pub fn bytes_within(&self, patience: Duration, bytes: &[u8]) -> Option<Answer> {
        let mut socket = connected(self.port);
        let _ = socket.write_all(bytes);
        let mut answer = Vec::new();
        socket.set_read_timeout(Some(patience)).unwrap();
        if socket.read_to_end(&mut answer).is_err() {
            let _ = socket.shutdown(Shutdown::Write);
            socket.set_read_timeout(Some(WAIT_TIMEOUT)).unwrap();
            let _ = socket.read_to_end(&mut answer);
        }
        Answer::parse(&answer)
    }

    /// Asks at the port of the metrics, which the log names, for a page of this host.
    pub fn admin(&self, method: &str, host: &str, path: &str) -> Answer {
        let port = wait_for("the port of the metrics", || {
            let log = self.log();
            let (_, rest) = log.split_once("metrics at http://127.0.0.1:")?;
            rest.split_once("/metrics")?.0.parse().ok()
        });
        let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        exchange(port, request.as_bytes())
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
        fields.extend(page.next().map(|next| ("next", next)));
        self.post(jar, path.split('?').next().unwrap_or_default(), &fields)
    }

    /// Who is signed in, according to the profile.
    pub fn user(&self, jar: &Jar) -> Option<String> {
        self.get(&mut jar.clone(), "/stateless/profile").output("username").map(str::to_owned)
    }

    /// How often this browser has been here, without counting a visit.
    pub fn visits(&self, jar: &Jar) -> u64 {
        self.get(&mut jar.clone(), "/").visits().unwrap()
    }
}

fn exchange(port: u16, request: &[u8]) -> Answer {
    let mut socket = connected(port);
    // A server that refuses early stops reading: its answer counts, not how the sending ended.
    let _ = socket.write_all(request);
    let mut bytes = Vec::new();
    let ended = socket.read_to_end(&mut bytes);
    Answer::parse(&bytes)
        .unwrap_or_else(|| panic!("no answer to {}: {ended:?}", String::from_utf8_lossy(request)))
}

fn connected(port: u16) -> TcpStream {
    let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    socket.set_read_timeout(Some(WAIT_TIMEOUT)).unwrap();
    socket
}

/// The body of a form.
pub fn form(fields: &[(&str, &str)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}

/// Percent-encodes all but letters and digits.
pub fn encode(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(byte).collect()
}

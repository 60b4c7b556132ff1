//! A small HTTP client that keeps cookies and checks every answer.

use std::net::Ipv4Addr;
use std::str;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Outcome;

/// What is asked of a server.
#[derive(Clone, Copy, PartialEq)]
pub enum Page {
    /// Knows no session.
    Bare,
    /// Says how often the session has visited.
    Read,
    /// Counts one more visit, and says how many there are.
    Visits,
}

impl Page {
    fn path(self) -> &'static str {
        match self {
            Page::Bare => "/bare",
            Page::Read => "/read",
            Page::Visits => "/visits",
        }
    }
}

/// A browser with a session of its own.
#[derive(Default)]
pub struct Browser {
    visits: u64,
    cookies: Vec<(String, String)>,
    /// The line that it sends, or nothing.
    header: String,
    /// The bytes of the `Set-Cookie` lines in the answer that came last.
    pub set_cookie: usize,
}

impl Browser {
    /// The bytes of the cookies as they are sent: names and values, with what stands between them.
    pub fn cookie_bytes(&self) -> usize {
        self.header.trim_start_matches("Cookie: ").trim_end().len()
    }

    /// The bytes of the cookies' names.
    pub fn name_bytes(&self) -> usize {
        self.cookies.iter().map(|(name, _)| name.len()).sum()
    }

    fn set(&mut self, line: &str) {
        let (name, value) =
            line.split(';').next().and_then(|pair| pair.split_once('=')).unwrap_or((line, ""));
        match self.cookies.iter_mut().find(|(its, _)| its == name) {
            Some((_, its)) => value.clone_into(its),
            None => self.cookies.push((name.to_owned(), value.to_owned())),
        }
    }

    fn write_header(&mut self) {
        self.header.clear();
        for (index, (name, value)) in self.cookies.iter().enumerate() {
            let before = if index == 0 { "Cookie: " } else { "; " };
            self.header.extend([before, name, "=", value]);
        }
        self.header.push_str("\r\n");
    }
}

/// A kept-alive connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(port: u16) -> Outcome<Connection> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: Vec::new() })
    }

    /// Sends one request, and makes sure that the answer is the right one.
    pub async fn get(&mut self, page: Page, browser: &mut Browser) -> Outcome<()> {
        self.buffer.clear();
        for part in
            ["GET ", page.path(), " HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n", &browser.header, "\r\n"]
        {
            self.buffer.extend_from_slice(part.as_bytes());
        }
        self.stream.write_all(&self.buffer).await?;
        self.buffer.clear();
        let head = loop {
            self.read_more().await?;
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let length = take_head(str::from_utf8(&self.buffer[..head])?, browser)?;
        while self.buffer.len() < head + length {
            self.read_more().await?;
        }
        let expected = match page {
            Page::Bare => 0,
            Page::Read => browser.visits,
            Page::Visits => browser.visits + 1,
        };
        let answer = str::from_utf8(&self.buffer[head..])?;
        if answer.parse() != Ok(expected) {
            return Err(format!("{} answered {answer:?} in place of {expected}", page.path()).into());
        }
        if page == Page::Visits {
            browser.visits = expected;
        }
        Ok(())
    }

    async fn read_more(&mut self) -> Outcome<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err("the server closed the connection".into());
        }
        Ok(())
    }
}

/// Keeps the cookies, and returns the length of the body.
fn take_head(head: &str, browser: &mut Browser) -> Outcome<usize> {
    let mut length = None;
    browser.set_cookie = 0;
    for (index, line) in head.lines().enumerate() {
        match line.split_once(": ") {
            _ if index == 0 && line.starts_with("HTTP/1.1 200") => {}
            _ if index == 0 => return Err(format!("unexpected answer: {line:?}").into()),
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = Some(value.parse()?)
            }
            Some((name, value)) if name.eq_ignore_ascii_case("set-cookie") => {
                browser.set_cookie += line.len() + "\r\n".len();
                browser.set(value);
            }
            _ => {}
        }
    }
    if browser.set_cookie > 0 {
        browser.write_header();
    }
    length.ok_or_else(|| format!("an answer without a length:\n{head}").into())
}

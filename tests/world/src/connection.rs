//! A connection that is kept for many requests, to a server that may end at any moment.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{Ipv4Addr, TcpStream};

use crate::answer::Answer;
use crate::client::Jar;
use crate::wait::WAIT_TIMEOUT;

/// The most bytes of a head: far more than any server here sends.
const MAX_HEAD: usize = 1 << 16;

/// A connection to a server. After an error it is of no use any more.
pub struct Connection {
    socket: TcpStream,
    port: u16,
    /// What has been read.
    bytes: Vec<u8>,
}

impl Connection {
    /// Connects to this port.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn open(port: u16) -> Result<Connection> {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(WAIT_TIMEOUT))?;
        Ok(Connection { socket, port, bytes: Vec::new() })
    }

    /// Sends a request with the cookies of the jar, which keeps those of the answer once all of it is there. `headers`
    /// ends each of its lines.
    ///
    /// # Errors
    /// When the answer did not come whole. What the server has done is unknown then.
    pub fn send(
        &mut self,
        jar: &mut Jar,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> Result<Answer> {
        let cookies = match jar.pair() {
            pair if pair.is_empty() => pair,
            pair => format!("Cookie: {pair}\r\n"),
        };
        let (port, length) = (self.port, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: {length}\r\n{cookies}{headers}\r\n{body}"
        );
        self.socket.write_all(request.as_bytes())?;
        let answer = self.receive()?;
        jar.keep(&answer);
        Ok(answer)
    }

    fn receive(&mut self) -> Result<Answer> {
        self.bytes.clear();
        let head = loop {
            if let Some(start) = self.bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break start + 4;
            }
            if self.bytes.len() > MAX_HEAD {
                return Err(Error::new(ErrorKind::InvalidData, "the head of the answer has no end"));
            }
            self.read_some()?;
        };
        let parse = |bytes: &[u8]| {
            Answer::parse(bytes).ok_or_else(|| Error::new(ErrorKind::InvalidData, "the answer is not HTTP"))
        };
        let length = parse(&self.bytes[..head])?.header("content-length").and_then(|text| text.parse().ok());
        let length: usize =
            length.ok_or_else(|| Error::new(ErrorKind::InvalidData, "the answer does not say its length"))?;
        while self.bytes.len() < head + length {
            self.read_some()?;
        }
        parse(&self.bytes)
    }

    fn read_some(&mut self) -> Result<()> {
        let mut chunk = [0; 1 << 14];
        match self.socket.read(&mut chunk)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            length => {
                self.bytes.extend_from_slice(&chunk[..length]);
                Ok(())
            }
        }
    }
}

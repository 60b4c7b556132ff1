//! The browsers' side: kept connections, carried cookies, and the time that each answer took.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{COOKIE, HOST, HeaderValue, SET_COOKIE};
use hyper::{HeaderMap, Method, Request, Uri};
use hyper_util::rt::TokioIo;
use rocket::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use rocket::tokio::net::TcpStream;
use rocket::tokio::time::timeout;

use super::workload::Mix;

/// How many visitors each client plays in turn. It has no factor in common with the cycles of the mixes,
/// so that all of them read and write alike.
const VISITORS: usize = 17;

/// The longest time that the histograms tell apart, in nanoseconds.
const LONGEST: u64 = 60_000_000_000;

/// How long a server may think about one request.
const PATIENCE: Duration = Duration::from_secs(20);

/// The bytes that went over the wire of some connections.
#[derive(Default)]
pub(super) struct Traffic {
    up: AtomicU64,
    down: AtomicU64,
}

impl Traffic {
    /// Up and down.
    pub(super) fn bytes(&self) -> (u64, u64) {
        (self.up.load(Ordering::Relaxed), self.down.load(Ordering::Relaxed))
    }
}

/// A socket that counts.
struct Counted {
    socket: TcpStream,
    traffic: Arc<Traffic>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.socket).poll_read(context, buffer);
        let bytes = buffer.filled().len() - before;
        self.traffic.down.fetch_add(bytes as u64, Ordering::Relaxed);
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write(context, bytes);
        if let Poll::Ready(Ok(written)) = &polled {
            self.traffic.up.fetch_add(*written as u64, Ordering::Relaxed);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

/// One kept connection to one server.
pub(super) struct Connection {
    address: SocketAddr,
    host: HeaderValue,
    sender: SendRequest<Empty<Bytes>>,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr, traffic: &Arc<Traffic>) -> Result<Connection, String> {
        let fails = |error: &dyn std::fmt::Display| format!("no connection to {address}: {error}");
        let socket = TcpStream::connect(address).await.map_err(|error| fails(&error))?;
        socket.set_nodelay(true).map_err(|error| fails(&error))?;
        let counted = Counted { socket, traffic: Arc::clone(traffic) };
        let (sender, connection) = handshake(TokioIo::new(counted)).await.map_err(|error| fails(&error))?;
        // What goes wrong with it is told to the request that waits.
        rocket::tokio::spawn(connection);
        let host = HeaderValue::try_from(address.to_string()).map_err(|error| fails(&error))?;
        Ok(Connection { address, host, sender })
    }

    /// As [`Connection::send`], but gives up on a server that says nothing. A timer costs what the measured
    /// requests need not pay: they are bounded all together.
    pub(super) async fn ask(
        &mut self,
        method: Method,
        uri: Uri,
        visitor: &mut Visitor,
        body: Option<&mut Vec<u8>>,
    ) -> Result<u16, String> {
        let address = self.address;
        let asked = timeout(PATIENCE, self.send(method, uri, visitor, body)).await;
        asked.unwrap_or_else(|_| Err(format!("the server at {address} does not answer any more")))
    }

    /// Sends a request with the visitor's cookies, keeps those of the answer, and gives its status. The
    /// answer's body is read, and put into `body` where there is one.
    async fn send(
        &mut self,
        method: Method,
        uri: Uri,
        visitor: &mut Visitor,
        body: Option<&mut Vec<u8>>,
    ) -> Result<u16, String> {
        let mut request = Request::new(Empty::new());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        request.headers_mut().insert(HOST, self.host.clone());
        if let Some(cookie) = &visitor.header {
            request.headers_mut().insert(COOKIE, cookie.clone());
        }
        match self.exchange(request, visitor, body).await {
            Ok(status) => Ok(status),
            Err(error) => {
                Err(format!("the server at {} has ended, or speaks no HTTP: {error}", self.address))
            }
        }
    }

    async fn exchange(
        &mut self,
        request: Request<Empty<Bytes>>,
        visitor: &mut Visitor,
        mut body: Option<&mut Vec<u8>>,
    ) -> Result<u16, hyper::Error> {
        self.sender.ready().await?;
        let mut response = self.sender.send_request(request).await?;
        visitor.keep(response.headers());
        while let Some(frame) = response.body_mut().frame().await {
            if let (Some(body), Some(data)) = (body.as_deref_mut(), frame?.data_ref()) {
                body.extend_from_slice(data);
            }
        }
        Ok(response.status().as_u16())
    }
}

/// A browser's cookies. The servers are known to set no other than the session's, so neither path nor
/// time is looked at: one with `Max-Age=0` is removed.
#[derive(Default)]
pub(super) struct Visitor {
    cookies: Vec<(Vec<u8>, Vec<u8>)>,
    header: Option<HeaderValue>,
}

impl Visitor {
    fn keep(&mut self, headers: &HeaderMap) {
        let mut changed = false;
        for line in headers.get_all(SET_COOKIE) {
            let line = line.as_bytes();
            let mut parts = line.split(|byte| *byte == b';');
            let pair = parts.next().unwrap_or_default();
            let Some(equals) = pair.iter().position(|byte| *byte == b'=') else { continue };
            let (name, value) = (&pair[..equals], &pair[equals + 1..]);
            let removed = parts.any(|part| part.trim_ascii().eq_ignore_ascii_case(b"max-age=0"));
            self.cookies.retain(|(known, _)| known != name);
            if !removed {
                self.cookies.push((name.to_vec(), value.to_vec()));
            }
            changed = true;
        }
        if changed {
            let pairs: Vec<_> =
                self.cookies.iter().map(|(name, value)| [&**name, value].join(&b'=')).collect();
            self.header = HeaderValue::from_bytes(&pairs.join(&b"; "[..])).ok().filter(|all| !all.is_empty());
        }
    }
}

/// One client: a connection to each server, which it asks in turn, and the visitors that it plays.
pub(super) struct Client {
    connections: Vec<Connection>,
    visitors: Vec<Visitor>,
    asked: usize,
}

/// What a client has seen.
pub(super) struct Seen {
    /// How long the answers took, in nanoseconds.
    pub(super) times: Histogram<u64>,
    pub(super) failures: u64,
}

impl Seen {
    pub(super) fn nothing() -> Result<Seen, String> {
        let times = Histogram::new_with_bounds(1000, LONGEST, 3).map_err(|error| error.to_string())?;
        Ok(Seen { times, failures: 0 })
    }

    pub(super) fn add(&mut self, other: &Seen) -> Result<(), String> {
        self.failures += other.failures;
        self.times.add(&other.times).map_err(|error| error.to_string())
    }
}

impl Client {
    pub(super) async fn connect(servers: &[SocketAddr], traffic: &Arc<Traffic>) -> Result<Client, String> {
        let mut connections = Vec::with_capacity(servers.len());
        for address in servers {
            connections.push(Connection::open(*address, traffic).await?);
        }
        let visitors = std::iter::repeat_with(Visitor::default).take(VISITORS).collect();
        Ok(Client { connections, visitors, asked: 0 })
    }

    /// Gives each visitor a session.
    pub(super) async fn begin(&mut self) -> Result<(), String> {
        for visitor in &mut self.visitors {
            let uri = Uri::from_static("/write");
            let status = self.connections[0].ask(Method::POST, uri, visitor, None).await?;
            if status != 200 {
                return Err(format!("the server answers the making of a session with status {status}"));
            }
        }
        Ok(())
    }

    /// Goes on with the mix until the moment is past, at the end of a cycle or not.
    pub(super) async fn run(&mut self, mix: Mix, until: Instant) -> Result<Seen, String> {
        let mut seen = Seen::nothing()?;
        let servers = self.connections.len();
        let mut begun = Instant::now();
        while begun < until {
            let step = mix.step(self.asked);
            let visitor = &mut self.visitors[mix.visitor(self.asked, VISITORS)];
            let connection = &mut self.connections[self.asked % servers];
            let status = connection.send(step.method(), step.uri(), visitor, None).await?;
            let ended = Instant::now();
            let nanos = u64::try_from((ended - begun).as_nanos()).unwrap_or(u64::MAX);
            seen.times.saturating_record(nanos);
            seen.failures += u64::from(status != 200);
            self.asked += 1;
            begun = ended;
        }
        Ok(seen)
    }

    /// Makes so many sessions and forgets their cookies.
    pub(super) async fn make_sessions(&mut self, count: usize) -> Result<(), String> {
        for number in 0..count {
            let connection = number % self.connections.len();
            let uri = Uri::from_static("/write");
            let status =
                self.connections[connection].ask(Method::POST, uri, &mut Visitor::default(), None).await?;
            if status != 200 {
                return Err(format!("the server answers the making of a session with status {status}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rocket::tokio::net::TcpListener;

    use super::*;

    #[rocket::async_test]
    async fn a_server_that_ends_is_a_clear_error() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut client = Client::connect(&[address], &Arc::default()).await.unwrap();
        drop(listener);
        let problem = client.begin().await.unwrap_err();
        assert!(problem.contains("has ended") && problem.contains(&address.to_string()), "{problem}");
        let until = Instant::now() + Duration::from_secs(60);
        assert!(client.run(Mix::Read, until).await.err().unwrap().contains("has ended"));
        let problem = Client::connect(&[address], &Arc::default()).await.err().unwrap();
        assert!(problem.contains("no connection"), "{problem}");
    }

    #[test]
    fn a_visitor_keeps_replaces_and_forgets_cookies() {
        let mut visitor = Visitor::default();
        let mut keep = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(SET_COOKIE, HeaderValue::from_str(line).unwrap());
            }
            visitor.keep(&headers);
            visitor.header.as_ref().map(|header| header.to_str().unwrap().to_owned())
        };
        assert_eq!(keep(&["a=1; Path=/", "b=2=2; HttpOnly"]).unwrap(), "a=1; b=2=2");
        assert_eq!(keep(&["a=3; Max-Age=60"]).unwrap(), "b=2=2; a=3");
        assert_eq!(keep(&[]).unwrap(), "b=2=2; a=3");
        assert_eq!(keep(&["a=; Path=/; Max-Age=0", "b=; max-age=0"]), None);
    }
}

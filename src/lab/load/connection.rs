//! A kept connection to a server, and requests over it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{COOKIE, HOST, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use rocket::tokio::net::TcpStream;
use rocket::tokio::time::timeout;

use super::traffic::{Counted, Traffic};
use super::visitor::Visitor;

/// How long a server may take to answer a request that is not measured.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

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
        // The waiting request is told what goes wrong with it.
        rocket::tokio::spawn(connection);
        let host = HeaderValue::try_from(address.to_string()).map_err(|error| fails(&error))?;
        Ok(Connection { address, host, sender })
    }

    /// As [`Connection::send`], but gives up on a server that does not answer. The measured requests are
    /// bounded all together instead, and are spared the cost of a timer.
    pub(super) async fn ask(
        &mut self,
        method: Method,
        uri: Uri,
        visitor: &mut Visitor,
        body: Option<&mut Vec<u8>>,
    ) -> Result<u16, String> {
        let address = self.address;
        let asked = timeout(ANSWER_TIMEOUT, self.send(method, uri, visitor, body)).await;
        asked.unwrap_or_else(|_| Err(format!("the server at {address} does not answer any more")))
    }

    /// Sends a request with the visitor's cookies, keeps those of the answer, and returns its status. Reads
    /// the whole body, and adds it to `body` if there is one.
    pub(super) async fn send(
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
        if let Some(cookie) = visitor.header() {
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

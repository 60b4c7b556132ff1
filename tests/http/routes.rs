//! Every route of the app, as its own log names them at the start: a new page joins each test that walks them.

use std::io::{Read, Write};
use std::net::TcpStream;

use world::{Jar, Server};

/// The realms of the app, by what can end a session: nothing, a ledger, a store.
pub const REALMS: [&str; 3] = ["/stateless", "/revocable", "/stateful"];

/// Paths for this method that lead to every route. Where a route takes a part of its path, an experiment or a guide.
pub fn paths(server: &Server, method: &str) -> Vec<String> {
    let log = server.log();
    let start = format!(") {method} ");
    let routes = log.lines().filter_map(|line| line.trim_start().strip_prefix(">> (")?.split_once(&start));
    let path = |(_, route): (&str, &str)| {
        let path = route.split('?').next().unwrap_or_default();
        path.replace("<slug>", "growth").replace("<name>", "keys")
    };
    let mut paths: Vec<String> = routes.map(path).collect();
    paths.sort();
    let least = if method == "GET" { 40 } else { 25 };
    assert!(paths.len() > least && !paths.iter().any(|path| path.contains('<')), "{paths:?}");
    paths
}

/// Asks for a page whose answer need not end, as an event stream does not, and returns how it begins.
pub fn glance(server: &Server, jar: &Jar, path: &str) -> String {
    let mut socket = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\n\r\n", jar.pair());
    socket.write_all(request.as_bytes()).unwrap();
    let mut bytes = [0; 1024];
    let length = socket.read(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

//! What a session costs on the wire.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::{Method, Uri};

use super::connection::Connection;
use super::report::OnTheWire;
use super::traffic::Traffic;
use super::visitor::Visitor;

/// The sizes of data, in bytes, at which bytes on the wire are measured.
const SIZES: [usize; 12] = [0, 256, 512, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384];

/// Measures the bytes of a write and of the read after it, by the size of the session's data.
pub(super) async fn on_the_wire(server: SocketAddr) -> Result<Vec<OnTheWire>, String> {
    let traffic = Arc::new(Traffic::default());
    let mut connection = Connection::open(server, &traffic).await?;
    let mut all = Vec::new();
    for data in SIZES {
        let mut visitor = Visitor::default();
        let uri = Uri::try_from(format!("/fill?bytes={data}")).map_err(|error| error.to_string())?;
        let status = connection.ask(Method::POST, uri.clone(), &mut visitor, None).await?;
        if status != 200 {
            all.push(OnTheWire { data, read: None, write: None });
            continue;
        }
        let before = traffic.bytes();
        connection.ask(Method::GET, Uri::from_static("/read"), &mut visitor, None).await?;
        let between = traffic.bytes();
        connection.ask(Method::POST, uri, &mut visitor, None).await?;
        let after = traffic.bytes();
        let read = (between.0 - before.0) + (between.1 - before.1);
        let write = (after.0 - between.0) + (after.1 - between.1);
        all.push(OnTheWire { data, read: Some(read), write: Some(write) });
    }
    Ok(all)
}

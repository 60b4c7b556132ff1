//! Plays visitors, and measures how long each answer takes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use hdrhistogram::Histogram;

use super::connection::Connection;
use super::traffic::Traffic;
use super::visitor::Visitor;
use super::workload::{Mix, Step};

/// How many visitors each client plays in turn. Coprime to the cycles of the mixes, so that all visitors
/// read and write alike.
const VISITORS: usize = 17;

/// The longest time that the histograms tell apart, in nanoseconds.
const MAX_NANOS: u64 = 60_000_000_000;

/// A client: one connection to each server, asked in turn, and the visitors that it plays.
pub(super) struct Client {
    connections: Vec<Connection>,
    visitors: Vec<Visitor>,
    asked: usize,
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
            make(&mut self.connections[0], visitor, Step::Write).await?;
        }
        Ok(())
    }

    /// Goes on with the mix until that moment, and may stop in the middle of a cycle.
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

    /// Opens so many sessions and forgets their cookies, or signs each of them in and out.
    pub(super) async fn make_sessions(&mut self, count: usize, and_sign_out: bool) -> Result<(), String> {
        for number in 0..count {
            let connections = self.connections.len();
            let (connection, visitor) =
                (&mut self.connections[number % connections], &mut Visitor::default());
            if and_sign_out {
                make(connection, visitor, Step::SignIn).await?;
                make(connection, visitor, Step::SignOut).await?;
            } else {
                make(connection, visitor, Step::Write).await?;
            }
        }
        Ok(())
    }
}

/// A step that is not measured, and has to succeed.
async fn make(connection: &mut Connection, visitor: &mut Visitor, step: Step) -> Result<(), String> {
    let (method, uri) = (step.method(), step.uri());
    let status = connection.ask(method, uri.clone(), visitor, None).await?;
    if status != 200 {
        return Err(format!("the server answers {uri} with status {status}"));
    }
    Ok(())
}

/// What a client measured.
pub(super) struct Seen {
    /// How long the answers took, in nanoseconds.
    pub(super) times: Histogram<u64>,
    pub(super) failures: u64,
}

impl Seen {
    pub(super) fn nothing() -> Result<Seen, String> {
        let times = Histogram::new_with_bounds(1000, MAX_NANOS, 3).map_err(|error| error.to_string())?;
        Ok(Seen { times, failures: 0 })
    }

    pub(super) fn add(&mut self, other: &Seen) -> Result<(), String> {
        self.failures += other.failures;
        self.times.add(&other.times).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
}

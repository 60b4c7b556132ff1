//! Plays visitors, and measures how long each answer takes.

use std::net::SocketAddr;
use std::str;
use std::sync::Arc;
use std::time::Instant;

use hdrhistogram::Histogram;
use hyper::Uri;

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
    number: usize,
    connections: Vec<Connection>,
    players: Vec<Player>,
    asked: usize,
    /// The last answer.
    body: Vec<u8>,
}

/// A visitor, and what their session has to hold.
struct Player {
    visitor: Visitor,
    sign_in: Uri,
    views: u64,
}

impl Client {
    /// Clients of different numbers play visitors of different names.
    pub(super) async fn connect(
        servers: &[SocketAddr],
        number: usize,
        traffic: &Arc<Traffic>,
    ) -> Result<Client, String> {
        let mut connections = Vec::with_capacity(servers.len());
        for address in servers {
            connections.push(Connection::open(*address, traffic).await?);
        }
        let players =
            (0..VISITORS).map(|visitor| Player::named(number, visitor)).collect::<Result<_, _>>()?;
        Ok(Client { number, connections, players, asked: 0, body: Vec::new() })
    }

    /// Gives each visitor a session by this step.
    pub(super) async fn begin(&mut self, opening: Step) -> Result<(), String> {
        for player in &mut self.players {
            player.make(&mut self.connections[0], opening).await?;
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
            let player = &mut self.players[mix.visitor(self.asked, VISITORS)];
            let connection = &mut self.connections[self.asked % servers];
            let (uri, body) = (step.uri(&player.sign_in), &mut self.body);
            body.clear();
            let status = connection.send(step.method(), uri, &mut player.visitor, Some(body)).await?;
            let ended = Instant::now();
            let nanos = u64::try_from((ended - begun).as_nanos()).unwrap_or(u64::MAX);
            seen.times.saturating_record(nanos);
            seen.failures += u64::from(!player.is_right(step, status, &self.body));
            self.asked += 1;
            begun = ended;
        }
        Ok(seen)
    }

    /// Signs in so many visitors, each of another name, and forgets their cookies, or signs each of them out again.
    pub(super) async fn make_sessions(&mut self, count: usize, and_sign_out: bool) -> Result<(), String> {
        for number in 0..count {
            let connections = self.connections.len();
            let connection = &mut self.connections[number % connections];
            let mut player = Player::named(self.number, number)?;
            player.make(connection, Step::SignIn).await?;
            if and_sign_out {
                player.make(connection, Step::SignOut).await?;
            }
        }
        Ok(())
    }
}

/// The name of a visitor: as many bytes whatever the numbers.
pub(super) fn name_of(client: usize, number: usize) -> String {
    format!("{client:04}-{number:08}")
}

impl Player {
    fn named(client: usize, number: usize) -> Result<Player, String> {
        let sign_in = format!("/sign-in?name={}", name_of(client, number));
        let sign_in = Uri::try_from(sign_in).map_err(|error| error.to_string())?;
        Ok(Player { visitor: Visitor::default(), sign_in, views: 0 })
    }

    /// Whether the answer is that of a server that knows this visitor's session: one that cannot read it would answer
    /// with status 200 too.
    fn is_right(&mut self, step: Step, status: u16, answer: &[u8]) -> bool {
        let views = step.views(self.views);
        let answered = str::from_utf8(answer).ok().and_then(|text| text.parse().ok());
        let is_right = status == 200 && answered == Some(step.answer(views));
        if is_right {
            self.views = views;
        }
        is_right
    }

    /// A step that is not measured, and has to succeed.
    async fn make(&mut self, connection: &mut Connection, step: Step) -> Result<(), String> {
        let (method, uri) = (step.method(), step.uri(&self.sign_in));
        let mut body = Vec::new();
        let status = connection.ask(method, uri.clone(), &mut self.visitor, Some(&mut body)).await?;
        if !self.is_right(step, status, &body) {
            let body = String::from_utf8_lossy(&body);
            return Err(format!("the server answers {uri} with status {status} and {body:?}"));
        }
        Ok(())
    }
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
        let mut client = Client::connect(&[address], 0, &Arc::default()).await.unwrap();
        drop(listener);
        let problem = client.begin(Step::Write).await.unwrap_err();
        assert!(problem.contains("has ended") && problem.contains(&address.to_string()), "{problem}");
        let until = Instant::now() + Duration::from_secs(60);
        assert!(client.run(Mix::Read, until).await.err().unwrap().contains("has ended"));
        let problem = Client::connect(&[address], 0, &Arc::default()).await.err().unwrap();
        assert!(problem.contains("no connection"), "{problem}");
    }

    #[test]
    fn an_answer_of_a_server_that_does_not_know_the_session_is_wrong() {
        let mut player = Player::named(0, 0).unwrap();
        assert!(player.is_right(Step::Read, 200, b"0"), "there is no session yet");
        assert!(player.is_right(Step::SignIn, 200, b"1") && player.is_right(Step::Write, 200, b"2"));
        assert!(player.is_right(Step::Read, 200, b"2") && player.is_right(Step::Bare, 200, b"0"));
        for (step, status, answer) in [
            (Step::Read, 200, "0"),
            (Step::Read, 503, "2"),
            (Step::Write, 200, "1"),
            (Step::Read, 200, ""),
            (Step::Bare, 200, "2"),
        ] {
            assert!(!player.is_right(step, status, answer.as_bytes()), "{step:?}: {status}, {answer:?}");
        }
        assert!(player.is_right(Step::SignOut, 200, b"0") && player.is_right(Step::SignIn, 200, b"1"));
    }
}

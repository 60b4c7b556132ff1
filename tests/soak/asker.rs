//! Sends a visitor's requests through the balancer, and judges what any answer must not be.

use std::io;
use std::time::Duration;

use world::{Answer, Connection, Jar, form};

use crate::dice::Dice;
use crate::outages::Failure;
use crate::run::Run;
use crate::settings::Keys;
use crate::site::{Address, PROCESSES};
use crate::tally::Tally;

/// The longest that any answer may take.
const MAX_WAIT: Duration = Duration::from_secs(20);

/// A request of a realm's page.
pub struct Request<'r> {
    pub realm: &'static str,
    pub page: &'r str,
    /// What a form sends; `None` asks for the page.
    pub fields: Option<&'r [(&'r str, &'r str)]>,
}

impl Request<'_> {
    pub fn named(&self) -> String {
        let method = if self.fields.is_some() { "POST" } else { "GET" };
        format!("{method} {}{}", self.realm, self.page)
    }

    fn has_password(&self) -> bool {
        self.fields.is_some_and(|fields| fields.iter().any(|(name, _)| *name == "password"))
    }
}

/// What became of a request.
pub struct Heard {
    pub process: usize,
    /// Those of the process.
    pub keys: Keys,
    /// When it was sent, and when the answer was there.
    pub asked: Duration,
    pub answered: Duration,
    /// `None` if what it needs, or the process, was away.
    pub answer: Option<Answer>,
}

/// A visitor's connections, one to each process.
pub struct Asker<'r> {
    run: &'r Run,
    number: usize,
    /// Each with the life of the process that it leads to.
    connections: [Option<(usize, Connection)>; PROCESSES],
    pub dice: Dice,
    pub tally: Tally,
}

impl<'r> Asker<'r> {
    pub fn new(run: &'r Run, number: usize) -> Asker<'r> {
        let connections = std::array::from_fn(|_| None);
        Asker { run, number, connections, dice: Dice::new(number as u64), tally: Tally::default() }
    }

    /// Sends it to any process.
    pub fn ask(&mut self, jar: &mut Jar, request: &Request<'_>) -> Heard {
        let process = self.dice.below(PROCESSES);
        self.ask_at(process, jar, request)
    }

    /// Sends it to this process, or to another one while this is being restarted.
    pub fn ask_at(&mut self, process: usize, jar: &mut Jar, request: &Request<'_>) -> Heard {
        let (process, address) = self.run.site.enter(process);
        let asked = self.run.now();
        let keys = address.keys;
        let outcome = self.exchange(process, *address, jar, request);
        let answered = self.run.now();
        drop(address);
        let answer = self.judged(process, request, outcome, asked, answered);
        if answer.is_some() {
            self.take_time(request, answered - asked);
        }
        Heard { process, keys, asked, answered, answer }
    }

    fn exchange(
        &mut self,
        process: usize,
        Address { port, life, .. }: Address,
        jar: &mut Jar,
        request: &Request<'_>,
    ) -> io::Result<Answer> {
        let (of, mut connection) = match self.connections[process].take() {
            Some((of, connection)) if of == life => (of, connection),
            _ => (life, Connection::open(port)?),
        };
        // An address of its own for each visitor, in the network that is kept for tests (RFC 2544).
        let mut headers = format!("X-Real-IP: 198.18.{}.{}\r\n", self.number / 250, self.number % 250);
        let path = format!("{}{}", request.realm, request.page);
        let answer = match request.fields {
            None => connection.send(jar, "GET", &path, &headers, ""),
            Some(fields) => {
                headers.push_str(
                    "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\n",
                );
                connection.send(jar, "POST", &path, &headers, &form(fields))
            }
        }?;
        self.connections[process] = Some((of, connection));
        Ok(answer)
    }

    /// The answer, if it is one that an outage does not explain. Tells what nothing explains.
    fn judged(
        &self,
        process: usize,
        request: &Request<'_>,
        outcome: io::Result<Answer>,
        asked: Duration,
        answered: Duration,
    ) -> Option<Answer> {
        if answered - asked > MAX_WAIT {
            let took = (answered - asked).as_secs_f64();
            self.broken(process, request, format!("expected an answer in time, it took {took:.1} s"));
        }
        let (failure, got) = match outcome {
            Ok(answer) if answer.status < 500 => return Some(answer),
            Ok(answer) if answer.status == 503 => {
                (Some(Failure::Unavailable(request.realm)), "503".to_owned())
            }
            Ok(answer) => (None, answer.status.to_string()),
            Err(error) => (Some(Failure::NoAnswer(process)), error.to_string()),
        };
        if !failure.is_some_and(|failure| self.run.outages.explain(failure, asked, answered)) {
            self.broken(process, request, format!("expected an answer, got {got}, and nothing was away"));
        }
        None
    }

    fn take_time(&mut self, request: &Request<'_>, took: Duration) {
        let times = match request.fields {
            None => &mut self.tally.pages,
            Some(_) if request.has_password() => &mut self.tally.passwords,
            Some(_) => &mut self.tally.forms,
        };
        times.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    /// Tells that a request broke a rule.
    pub fn broken(&self, process: usize, request: &Request<'_>, what: impl std::fmt::Display) {
        let (number, named) = (self.number, request.named());
        self.run
            .findings
            .tell(self.run.now(), format!("visitor {number}, {named} at process {process}: {what}"));
    }
}

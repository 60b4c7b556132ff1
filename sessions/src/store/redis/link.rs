//! The connection that all commands share: made when it is first needed, and replaced when it has ended.
//!
//! The client's own manager of connections keeps one that has gone silent, and follows no failover.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::{Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};
use rocket::futures::FutureExt;
use rocket::futures::future::{BoxFuture, Shared};
use rocket::tokio;
use rocket::tokio::time::{sleep, timeout};

use super::address::Servers;
use super::connection::Connection;
use super::fault::{ends_connection, is_surely_undone, may_connect_soon, of_command, of_connecting};
use crate::error::StoreError;

/// How long an attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a command that no server has taken is sent again: a server that restarts, or another in its place, is
/// there by then.
const PATIENCE: Duration = Duration::from_secs(1);

/// The time between two attempts. So long a failure to connect is the answer to everyone.
const PAUSE: Duration = Duration::from_millis(50);

/// A caller that gives up after waiting for so long leaves a connection that may have gone silent.
const SILENCE: Duration = Duration::from_millis(250);

/// Holds the connection.
pub(super) struct Link(Arc<Ends>);

/// Both ends of the connection.
struct Ends {
    servers: Servers,
    state: Mutex<State>,
}

struct State {
    /// How many attempts to connect there were: the name of the last one's connection.
    age: u64,
    phase: Phase,
}

enum Phase {
    Idle,
    Connecting(Shared<BoxFuture<'static, RedisResult<Connection>>>),
    Connected(Connection),
    Failed(RedisError, Instant),
}

/// What came of sending a command once.
enum Failure {
    /// There is no connection.
    Unconnected(RedisError),
    /// The command was sent, or at least given to a connection.
    Sent(RedisError),
}

impl Link {
    /// Connects nowhere yet.
    pub(super) fn new(servers: Servers) -> Link {
        Link(Arc::new(Ends { servers, state: Mutex::new(State { age: 0, phase: Phase::Idle }) }))
    }

    /// Where it connects to.
    pub(super) fn servers(&self) -> &Servers {
        &self.0.servers
    }

    /// Sends a command. Again if surely nobody has taken it, and never if somebody may have.
    pub(super) async fn ask(&self, command: &Cmd) -> Result<Value, StoreError> {
        self.answer(command).await.map_err(Failure::into_store_error)
    }

    /// As [`Link::ask`] for a script that is called by its hash, and by its `text` if the server does not know it.
    pub(super) async fn run(&self, script: &Cmd, text: impl FnOnce() -> Cmd) -> Result<Value, StoreError> {
        match self.answer(script).await {
            Err(Failure::Sent(error)) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.ask(&text()).await
            }
            answer => answer.map_err(Failure::into_store_error),
        }
    }

    /// Whether the keys are on several nodes.
    pub(super) fn is_cluster(&self) -> bool {
        self.0.servers.are_cluster()
    }

    /// Sends a command to one node of the Cluster.
    pub(super) async fn ask_at(&self, host: &str, port: u16, command: &Cmd) -> Result<Value, StoreError> {
        self.0.send_at(host, port, command).await.map_err(Failure::into_store_error)
    }

    /// Sends a command once, whatever comes of it.
    pub(super) async fn ask_once(&self, command: &Cmd) -> Result<Value, StoreError> {
        self.0.send(command).await.map_err(Failure::into_store_error)
    }

    async fn answer(&self, command: &Cmd) -> Result<Value, Failure> {
        match self.0.send(command).await {
            Err(failure) if failure.may_pass() => self.ask_again(command, failure).await,
            answer => answer,
        }
    }

    async fn ask_again(&self, command: &Cmd, mut failure: Failure) -> Result<Value, Failure> {
        let begun = Instant::now();
        while failure.may_pass() && begun.elapsed() < PATIENCE {
            let answer = match failure.redirection() {
                Some((host, port)) => self.0.send_asking(host, port, command).await,
                None => {
                    sleep(PAUSE).await;
                    self.0.send(command).await
                }
            };
            match answer {
                Ok(answer) => return Ok(answer),
                Err(next) => failure = next,
            }
        }
        Err(failure)
    }

    /// Closes the connection as soon as the last command has its answer.
    pub(super) fn close(&self) {
        self.0.state().phase = Phase::Idle;
    }
}

impl Ends {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(self: &Arc<Self>, command: &Cmd) -> Result<Value, Failure> {
        let (age, mut connection) = self.connection().await.map_err(Failure::Unconnected)?;
        let waiting = self.waiting(age);
        waiting.end(connection.send(command).await)
    }

    /// As [`Ends::send`], to one node.
    async fn send_at(self: &Arc<Self>, host: &str, port: u16, command: &Cmd) -> Result<Value, Failure> {
        let (age, mut connection) = self.connection().await.map_err(Failure::Unconnected)?;
        let waiting = self.waiting(age);
        waiting.end(connection.send_at(host, port, command).await)
    }

    /// As [`Ends::send`], to the node that a slot is moving to. Until the first slot has moved, a new node is not one
    /// of those that the Cluster's connection knows.
    async fn send_asking(self: &Arc<Self>, host: &str, port: u16, command: &Cmd) -> Result<Value, Failure> {
        let (age, mut connection) = self.connection().await.map_err(Failure::Unconnected)?;
        let waiting = self.waiting(age);
        match connection.send_asking(host, port, command).await {
            Err(error) if error.kind() == ErrorKind::ClusterConnectionNotFound => {
                let mut node = self.servers.connect_to(host, port).await.map_err(Failure::Unconnected)?;
                waiting.end(node.send_asking(host, port, command).await)
            }
            answer => waiting.end(answer),
        }
    }

    fn waiting(&self, age: u64) -> Waiting<'_> {
        Waiting { ends: self, age, since: Instant::now(), is_answered: false }
    }

    /// The connection, and its age.
    async fn connection(self: &Arc<Self>) -> RedisResult<(u64, Connection)> {
        let (age, connecting) = {
            let mut state = self.state();
            match &state.phase {
                Phase::Connected(connection) => return Ok((state.age, connection.clone())),
                Phase::Connecting(connecting) => (state.age, connecting.clone()),
                Phase::Failed(error, at) if at.elapsed() < PAUSE => return Err(error.clone()),
                Phase::Idle | Phase::Failed(..) => {
                    state.age += 1;
                    let connecting = self.connecting(state.age);
                    state.phase = Phase::Connecting(connecting.clone());
                    (state.age, connecting)
                }
            }
        };
        Ok((age, connecting.await?))
    }

    /// Connects on a task of its own: a caller that gives up must not end it for the others.
    fn connecting(self: &Arc<Self>, age: u64) -> Shared<BoxFuture<'static, RedisResult<Connection>>> {
        let ends = Arc::clone(self);
        let task = tokio::spawn(async move {
            let lost = {
                let ends = Arc::downgrade(&ends);
                move || {
                    if let Some(ends) = ends.upgrade() {
                        ends.forget(age);
                    }
                }
            };
            let connected = timeout(CONNECT_TIMEOUT, ends.servers.connect(lost)).await;
            let connected =
                connected.unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()));
            let mut state = ends.state();
            if state.age == age && matches!(state.phase, Phase::Connecting(_)) {
                state.phase = match &connected {
                    Ok(connection) => Phase::Connected(connection.clone()),
                    Err(error) => Phase::Failed(error.clone(), Instant::now()),
                };
            }
            connected
        });
        let ended = || Err((ErrorKind::Client, "the runtime has ended").into());
        task.map(move |connected| connected.unwrap_or_else(|_| ended())).boxed().shared()
    }

    /// Has the next command connect anew, unless another one has done so already.
    fn forget(&self, age: u64) {
        let mut state = self.state();
        if state.age == age {
            state.phase = Phase::Idle;
        }
    }
}

impl Failure {
    fn may_pass(&self) -> bool {
        match self {
            Failure::Unconnected(error) => may_connect_soon(error),
            Failure::Sent(error) => is_surely_undone(error),
        }
    }

    /// The node that has to be asked instead, this once.
    fn redirection(&self) -> Option<(&str, u16)> {
        match self {
            Failure::Sent(error) if error.kind() == ErrorKind::Server(ServerErrorKind::Ask) => {
                let (host, port) = error.redirect_node()?.0.rsplit_once(':')?;
                Some((host, port.parse().ok()?))
            }
            _ => None,
        }
    }

    fn into_store_error(self) -> StoreError {
        match self {
            Failure::Unconnected(error) => of_connecting(&error),
            Failure::Sent(error) => of_command(&error),
        }
    }
}

/// A command that waits for its answer.
struct Waiting<'e> {
    ends: &'e Ends,
    age: u64,
    since: Instant,
    is_answered: bool,
}

impl Waiting<'_> {
    fn end(mut self, answer: RedisResult<Value>) -> Result<Value, Failure> {
        self.is_answered = true;
        if answer.as_ref().is_err_and(ends_connection) {
            self.ends.forget(self.age);
        }
        answer.map_err(Failure::Sent)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_answered && self.since.elapsed() >= SILENCE {
            self.ends.forget(self.age);
        }
    }
}

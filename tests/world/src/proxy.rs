//! A proxy that loses answers: the server has done what it was asked to, and nobody learns of it.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

/// Passes on what a client and a server say to each other. What the client says until the server answers is one
/// message.
pub struct Proxy {
    url: String,
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// How many messages there were since it was last told to count.
    messages: usize,
    /// The answer to this one is lost.
    lost: Option<usize>,
    /// The answer to the next one that has this word is lost.
    word: Option<&'static str>,
    /// How many answers were lost.
    cuts: usize,
    is_over: bool,
}

impl Proxy {
    /// A proxy in front of the server at this URL, which names its port.
    pub fn before(url: &str) -> Proxy {
        let (before, after) = url.split_once("127.0.0.1:").unwrap();
        let digits = after.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(after.len());
        let (server, path) = after.split_at(digits);
        let server = server.parse().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if lock(&shared).is_over {
                    return;
                }
                // A server that is down is as good as one that hangs up.
                if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)) {
                    connect(client, server, &shared).unwrap();
                }
            }
        });
        Proxy { url: format!("{before}127.0.0.1:{port}{path}"), port, state }
    }

    /// The URL of the server by way of this proxy.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Counts messages from now on. The answer to the `lost`th of them is read, thrown away, and the connection is
    /// closed on both sides.
    pub fn count(&self, lost: Option<usize>) {
        *lock(&self.state) = State { lost, ..State::default() };
    }

    /// Loses the answer to the next message that has this word.
    pub fn lose(&self, word: &'static str) {
        lock(&self.state).word = Some(word);
    }

    /// The port that it listens at.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many messages there were since it was told to count.
    pub fn messages(&self) -> usize {
        lock(&self.state).messages
    }

    /// How many answers it has thrown away since it was told to count.
    pub fn cuts(&self) -> usize {
        lock(&self.state).cuts
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        lock(&self.state).is_over = true;
        // Wakes the listener.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap()
}

/// One connection, seen from both of its threads.
#[derive(Default)]
struct Link {
    /// The server has not said anything since the client spoke.
    is_asked: AtomicBool,
    /// What the server says next is thrown away.
    is_lost: AtomicBool,
}

fn connect(client: TcpStream, server: TcpStream, state: &Arc<Mutex<State>>) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let link = Arc::<Link>::default();
    let (to, from, asked, counted) =
        (server.try_clone()?, client.try_clone()?, Arc::clone(&link), Arc::clone(state));
    thread::spawn(move || {
        pump(from, to, |bytes| {
            let mut state = lock(&counted);
            if !is_heartbeat(bytes) && !asked.is_asked.swap(true, Ordering::SeqCst) {
                state.messages += 1;
                asked.is_lost.store(state.lost == Some(state.messages), Ordering::SeqCst);
            }
            if state.word.is_some_and(|word| has(bytes, word.as_bytes())) {
                state.word = None;
                asked.is_lost.store(true, Ordering::SeqCst);
            }
            true
        });
    });
    let cut = Arc::clone(state);
    thread::spawn(move || {
        pump(server, client, |_| {
            let is_lost = link.is_lost.load(Ordering::SeqCst);
            lock(&cut).cuts += usize::from(is_lost);
            link.is_asked.store(false, Ordering::SeqCst);
            !is_lost
        });
    });
    Ok(())
}

/// Whether it is one of MongoDB's driver's questions in the background after how the server is, which come at any
/// time.
fn is_heartbeat(bytes: &[u8]) -> bool {
    [&b"\x10hello\0"[..], b"\x08helloOk\0", b"\x10ismaster\0", b"\x10isMaster\0"]
        .iter()
        .any(|name| has(bytes, name))
}

fn has(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

/// Passes on what comes as long as `may_pass` says so; then closes both sides.
fn pump(mut from: TcpStream, mut to: TcpStream, mut may_pass: impl FnMut(&[u8]) -> bool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let bytes = &buffer[..length];
        if !may_pass(bytes) || to.write_all(bytes).is_err() {
            break;
        }
    }
    for side in [from, to] {
        // Closed already, perhaps.
        let _ = side.shutdown(Shutdown::Both);
    }
}

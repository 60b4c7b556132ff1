//! Three processes of the program over one data directory, behind a balancer.

use std::sync::{Mutex, RwLock, RwLockReadGuard};

use world::Server;

use crate::memory::Memory;
use crate::metrics::Seen;
use crate::settings::{Keys, Settings};

pub const PROCESSES: usize = 3;

/// Where a process listens, how many there were before it in its place, and the keys that it has.
#[derive(Debug, Clone, Copy)]
pub struct Address {
    pub port: u16,
    pub life: usize,
    pub keys: Keys,
}

struct Place {
    /// Held for reading while a request is under way, and for writing by who restarts the process without losing one.
    address: RwLock<Address>,
    server: Mutex<Option<Server>>,
    seen: Seen,
    /// One for each life.
    memories: Mutex<Vec<Memory>>,
    /// The errors and warnings of the lives that are over.
    complaints: Mutex<Vec<String>>,
}

pub struct Site {
    settings: Settings,
    places: Vec<Place>,
}

fn borrowed<'v>(variables: &'v [(&'static str, String)]) -> Vec<(&'static str, &'v str)> {
    variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// The lines of the log that an operator would look at, without those that the visitors cause on purpose.
fn complaints(server: &Server) -> Vec<String> {
    let (signs, usual) =
        (["Error:", "level=error", "level=warn"], ["event=replayed", "event=sign_in_refused"]);
    let has = |line: &str, words: &[&str]| words.iter().any(|word| line.contains(word));
    let log = server.log();
    log.lines().filter(|line| has(line, &signs) && !has(line, &usual)).map(str::to_owned).collect()
}

impl Site {
    pub fn start(settings: Settings, keys: Keys) -> Site {
        let place = |_| {
            let server = settings.program.start(&borrowed(&settings.variables(keys)));
            let address = RwLock::new(Address { port: server.port, life: 0, keys });
            let memories = Mutex::new(vec![Memory::default()]);
            let server = Mutex::new(Some(server));
            Place { address, server, seen: Seen::default(), memories, complaints: Mutex::default() }
        };
        let places = (0..PROCESSES).map(place).collect();
        Site { settings, places }
    }

    /// This process, or the next one while it is being restarted. It is not restarted as long as the address is held.
    pub fn enter(&self, process: usize) -> (usize, RwLockReadGuard<'_, Address>) {
        for process in process.. {
            let process = process % PROCESSES;
            if let Ok(address) = self.places[process].address.try_read() {
                return (process, address);
            }
        }
        unreachable!("one of them is always there")
    }

    /// What its visitors have seen a process do.
    pub fn seen(&self, process: usize) -> &Seen {
        &self.places[process].seen
    }

    /// Restarts a process with other keys, once it has answered what it was asked. Nothing is sent to it meanwhile.
    /// Returns what was wrong with it.
    pub fn restart(&self, process: usize, keys: Keys) -> Vec<String> {
        let place = &self.places[process];
        let mut address = place.address.write().unwrap();
        let problems = self.problems(process);
        if let Some(server) = place.server.lock().unwrap().as_mut() {
            server.stop();
        }
        *address = self.launch(process, keys, *address);
        problems
    }

    /// Kills a process, whatever it is doing.
    pub fn kill(&self, process: usize) {
        if let Some(server) = self.places[process].server.lock().unwrap().as_mut() {
            server.kill();
        }
    }

    /// Starts one that was killed.
    pub fn revive(&self, process: usize, keys: Keys) {
        let address = *self.places[process].address.read().unwrap();
        let address = self.launch(process, keys, address);
        *self.places[process].address.write().unwrap() = address;
    }

    fn launch(&self, process: usize, keys: Keys, before: Address) -> Address {
        let place = &self.places[process];
        let mut server = place.server.lock().unwrap();
        place.seen.forget();
        place.complaints.lock().unwrap().extend(server.as_ref().map(complaints).unwrap_or_default());
        *server = server.take().map(|old| old.restart(&borrowed(&self.settings.variables(keys))));
        place.memories.lock().unwrap().push(Memory::default());
        let port = server.as_ref().map_or(before.port, |server| server.port);
        Address { port, life: before.life + 1, keys }
    }

    /// What is wrong with a process that has answered all that it was asked.
    pub fn problems(&self, process: usize) -> Vec<String> {
        let place = &self.places[process];
        let server = place.server.lock().unwrap();
        let Some(server) = server.as_ref() else { return vec!["it is gone".to_owned()] };
        let metrics = server.admin("GET", "127.0.0.1", "/metrics").body;
        let mut problems = place.seen.problems(&metrics);
        problems.extend(server.log().lines().filter(|line| line.contains("panicked")).map(str::to_owned));
        problems
    }

    /// Takes down how much memory each process holds.
    pub fn sample(&self) {
        for place in &self.places {
            // One that is being restarted is left out.
            if let Ok(server) = place.server.try_lock()
                && let Some(bytes) = server.as_ref().and_then(Server::resident_bytes)
                && let Some(memory) = place.memories.lock().unwrap().last_mut()
            {
                memory.add(bytes);
            }
        }
    }

    /// The last errors and warnings in the log of a process, as many as `count`.
    pub fn complaints(&self, process: usize, count: usize) -> Vec<String> {
        let place = &self.places[process];
        let mut all = place.complaints.lock().unwrap().clone();
        all.extend(place.server.lock().unwrap().as_ref().map(complaints).unwrap_or_default());
        all.split_off(all.len().saturating_sub(count))
    }

    /// The memory of a process since its last start.
    pub fn memory(&self, process: usize) -> Memory {
        self.places[process].memories.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

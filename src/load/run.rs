//! A whole run: every store, every mix, one after the other.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::{Method, Uri};
use rocket::tokio::task::JoinSet;
use rocket::tokio::time::timeout;
use sealed_sessions::generate_key;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::driver::{Client, Connection, Seen, Traffic, Visitor};
use super::measure::{Figures, Latency, cpu_seconds, round};
use super::process::{Server, Setup};
use super::report::{AtRest, Delayed, OnTheWire, Report, StoreReport};
use super::workload::{MIXES, Mix};

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program whose subcommand `load-server` is the server: this one, but in tests.
    pub program: PathBuf,
    /// The stores, as the setting `store` names them; `sqlite` alone is a temporary file.
    pub stores: Vec<String>,
    /// For how long each mix is driven.
    pub time: Duration,
    /// How many requests there are at once.
    pub clients: usize,
    /// How many servers share a store and the key.
    pub nodes: usize,
    /// How many sessions are made to see what each takes on the server.
    pub sessions: usize,
    /// How long each operation of a server store is made to wait.
    pub delay: Duration,
}

/// The delays at which the cost of a slow store is measured, in milliseconds.
const DELAYS: [u64; 4] = [0, 1, 2, 5];

/// The sizes of data, in bytes, at which bytes on the wire are measured.
const SIZES: [usize; 12] = [0, 256, 512, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384];

/// How long requests may take beyond the end of a mix before the run is given up.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs it all. `step` is told what is done next, and how many steps there are.
///
/// # Errors
/// What ended the run: a store that cannot be opened, a server that ended.
pub async fn run(options: &Options, step: impl Fn(&str)) -> Result<Report, String> {
    if options.clients == 0 || options.nodes == 0 || options.stores.is_empty() {
        return Err("there must be a client, a node and a store at least".into());
    }
    let key = generate_key().map_err(|error| format!("no random bits: {error}"))?;
    let runner = Runner { options, key, step: &step };
    step("bare route");
    let bare = runner.bare().await?;
    let mut stores = Vec::new();
    for store in &options.stores {
        stores.push(runner.store(store).await?);
    }
    let delayed = match stores.iter().position(|store: &StoreReport| store.server_side) {
        Some(first) => Some(runner.delayed(&options.stores[first]).await?),
        None => None,
    };
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    Ok(Report {
        made: now.format(&Rfc3339).unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION").into(),
        optimised: !cfg!(debug_assertions),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        seconds: options.time.as_secs_f64(),
        clients: options.clients,
        nodes: options.nodes,
        store_delay_millis: options.delay.as_secs_f64() * 1000.0,
        bare,
        stores,
        delayed,
    })
}

/// How many steps a run says that it takes.
pub fn steps(options: &Options) -> u64 {
    let of_store = MIXES.len() + 2;
    (1 + options.stores.len() * of_store + DELAYS.len()) as u64
}

struct Runner<'r> {
    options: &'r Options,
    key: String,
    step: &'r dyn Fn(&str),
}

/// The servers of one store, and where it is if it is a file of theirs.
struct Place {
    setting: String,
    file: Option<PathBuf>,
    // Deleted with this.
    _directory: Option<tempfile::TempDir>,
}

impl Place {
    fn of(store: &str) -> Result<Place, String> {
        if store != "sqlite" {
            return Ok(Place { setting: store.to_owned(), file: None, _directory: None });
        }
        let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
        let file = directory.path().join("sessions.db");
        let setting = format!("sqlite:{}", file.display());
        Ok(Place { setting, file: Some(file), _directory: Some(directory) })
    }
}

/// A store's name without what follows: an address may hold a password.
fn short_name(store: &str) -> &str {
    store.split(':').next().unwrap_or_default()
}

impl Runner<'_> {
    fn start(&self, store: &str, delay: Duration) -> Result<Server, String> {
        let setup = Setup { program: &self.options.program, store, key: &self.key, delay };
        Server::start(&setup).map_err(|problem| format!("{}: {problem}", short_name(store)))
    }

    fn start_all(&self, store: &str, delay: Duration) -> Result<Vec<Server>, String> {
        // The memory of one process is no store for several.
        let nodes = if short_name(store) == "memory" { 1 } else { self.options.nodes };
        (0..nodes).map(|_| self.start(store, delay)).collect()
    }

    async fn bare(&self) -> Result<Figures, String> {
        let servers = self.start_all("cookie", Duration::ZERO)?;
        self.mix(&servers, Mix::Bare, self.options.time).await
    }

    async fn store(&self, store: &str) -> Result<StoreReport, String> {
        let name = short_name(store);
        let mut mixes = Vec::new();
        let wire;
        {
            let place = Place::of(store)?;
            let servers = self.start_all(&place.setting, self.options.delay)?;
            for mix in MIXES {
                (self.step)(&format!("{name}: {}", mix.name()));
                mixes.push(self.mix(&servers, mix, self.options.time).await?);
            }
            (self.step)(&format!("{name}: sizes"));
            wire = on_the_wire(servers[0].address).await?;
        }
        (self.step)(&format!("{name}: {} sessions", self.options.sessions));
        let at_rest = self.at_rest(store).await?;
        Ok(StoreReport { store: name.to_owned(), server_side: name != "cookie", mixes, wire, at_rest })
    }

    /// Drives one mix, after a while that is not measured.
    async fn mix(&self, servers: &[Server], mix: Mix, time: Duration) -> Result<Figures, String> {
        let traffic = Arc::new(Traffic::default());
        let addresses: Vec<SocketAddr> = servers.iter().map(|server| server.address).collect();
        let mut clients = Vec::new();
        for _ in 0..self.options.clients {
            let mut client = Client::connect(&addresses, &traffic).await?;
            if mix.has_sessions() {
                client.begin().await?;
            }
            clients.push(client);
        }
        let (clients, _) = drive(clients, mix, (time / 10).min(Duration::from_millis(300)), servers).await?;
        let counts = counts(servers).await?;
        let used = || servers.iter().map(Server::cpu_seconds).sum::<Option<f64>>();
        let (server_cpu, driver_cpu, bytes, begun) =
            (used(), cpu_seconds("self"), traffic.bytes(), Instant::now());
        let (_, seen) = drive(clients, mix, time, servers).await?;
        let seconds = begun.elapsed().as_secs_f64();
        let requests = seen.times.len();
        let each = |total: f64| round(total / requests.max(1) as f64);
        let (up, down) = traffic.bytes();
        let since = |now: Option<f64>, then: Option<f64>| now.zip(then).map(|(now, then)| now - then);
        let operations = self::counts(servers).await?.into_iter();
        let operations = operations.map(|(name, count)| {
            let before = counts.get(&name).copied().unwrap_or_default();
            (name, count.saturating_sub(before) as f64 / requests.max(1) as f64)
        });
        Ok(Figures {
            mix: mix.name().to_owned(),
            requests,
            failures: seen.failures,
            seconds: round(seconds),
            requests_per_second: (requests as f64 / seconds).round(),
            latency: Latency::of(&seen.times),
            server_cpu_micros: since(used(), server_cpu).map(|seconds| each(seconds * 1e6)),
            driver_busy: since(cpu_seconds("self"), driver_cpu).map(|cpu| round(cpu / seconds)),
            bytes_up: each((up - bytes.0) as f64),
            bytes_down: each((down - bytes.1) as f64),
            store_operations: operations
                .filter(|(_, count)| *count > 0.0)
                .map(|(name, count)| (name, (count * 1000.0).round() / 1000.0))
                .collect(),
        })
    }

    async fn delayed(&self, store: &str) -> Result<Vec<Delayed>, String> {
        let mut all = Vec::new();
        for millis in DELAYS {
            (self.step)(&format!("{}: a store {millis} ms away", short_name(store)));
            let place = Place::of(store)?;
            let servers = self.start_all(&place.setting, Duration::from_millis(millis))?;
            let time = self.options.time.min(Duration::from_secs(1));
            let figures = self.mix(&servers, Mix::ReadHeavy, time).await?;
            all.push(Delayed { store: short_name(store).to_owned(), delay_millis: millis as f64, figures });
        }
        Ok(all)
    }

    /// What a session takes on the server, by the growth of a fresh one.
    async fn at_rest(&self, store: &str) -> Result<Option<AtRest>, String> {
        let sessions = self.options.sessions;
        let name = short_name(store);
        if name == "cookie" {
            return Ok(Some(AtRest { sessions: 0, bytes_per_session: 0.0, place: "nowhere".into() }));
        }
        let place = Place::of(store)?;
        // What another server keeps does not show in this one; nor is it filled without need.
        if sessions == 0 || (place.file.is_none() && name != "memory") {
            return Ok(None);
        }
        let server = self.start(&place.setting, Duration::ZERO)?;
        let before = match place.file {
            Some(_) => Some(0),
            None => {
                // What the first requests take is not the sessions'.
                self.make_sessions(&server, sessions / 100).await?;
                server.resident_bytes()
            }
        };
        self.make_sessions(&server, sessions).await?;
        let resident = server.resident_bytes();
        // Closing the file moves what was written last into it.
        server.stop();
        let (after, kind) = match &place.file {
            Some(file) => (std::fs::metadata(file).ok().map(|metadata| metadata.len()), "file"),
            None => (resident, "memory"),
        };
        Ok(after.zip(before).map(|(after, before)| AtRest {
            sessions,
            bytes_per_session: (after.saturating_sub(before) as f64 / sessions as f64).round(),
            place: kind.into(),
        }))
    }

    async fn make_sessions(&self, server: &Server, count: usize) -> Result<(), String> {
        let traffic = Arc::new(Traffic::default());
        let mut tasks = JoinSet::new();
        let clients = self.options.clients;
        for number in 0..clients {
            let mut client = Client::connect(&[server.address], &traffic).await?;
            let share = count / clients + usize::from(number < count % clients);
            tasks.spawn(async move { client.make_sessions(share).await });
        }
        while let Some(done) = tasks.join_next().await {
            done.map_err(|error| error.to_string())?.map_err(|problem| with_complaints(problem, server))?;
        }
        Ok(())
    }
}

fn with_complaints(problem: String, server: &Server) -> String {
    match server.complaints() {
        complaints if complaints.is_empty() => problem,
        complaints => format!("{problem}; it said: {complaints}"),
    }
}

/// Has all clients go through a mix for so long at once.
async fn drive(
    clients: Vec<Client>,
    mix: Mix,
    time: Duration,
    servers: &[Server],
) -> Result<(Vec<Client>, Seen), String> {
    let until = Instant::now() + time;
    let mut tasks = JoinSet::new();
    for mut client in clients {
        tasks.spawn(async move {
            let seen = client.run(mix, until).await?;
            Ok::<_, String>((client, seen))
        });
    }
    let all = async {
        let mut seen = Seen::nothing()?;
        let mut clients = Vec::new();
        while let Some(done) = tasks.join_next().await {
            let (client, own) = done.map_err(|error| error.to_string())??;
            seen.add(&own)?;
            clients.push(client);
        }
        Ok((clients, seen))
    };
    let done = timeout(time + PATIENCE, all).await;
    let done = done.unwrap_or_else(|_| Err("the server does not answer any more".to_owned()));
    done.map_err(|problem| with_complaints(problem, &servers[0]))
}

async fn counts(servers: &[Server]) -> Result<BTreeMap<String, u64>, String> {
    let mut all = BTreeMap::new();
    for server in servers {
        for (name, count) in server.counts().await? {
            *all.entry(name).or_default() += count;
        }
    }
    Ok(all)
}

/// The bytes of a write and of the read after it, by the size of the session's data.
async fn on_the_wire(server: SocketAddr) -> Result<Vec<OnTheWire>, String> {
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

//! Requests per second: the server has one core, the client and the database have another.

use std::num::NonZero;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use world::databases::Database;

use crate::client::{Browser, Page};
use crate::server::Server;
use crate::sides::{Side, Store, sides};
use crate::{Outcome, grouped, median, setting, within};

const SESSIONS: usize = 512;
const CONNECTIONS: NonZero<usize> = NonZero::new(32).unwrap();
const LONGEST_ANSWER: Duration = Duration::from_secs(60);
const PAGES: [Page; 2] = [Page::Visits, Page::Read];

/// How it is measured.
struct Settings {
    connections: NonZero<usize>,
    rounds: usize,
    round: Duration,
    server_core: usize,
    client_core: usize,
}

/// Measures the sides of each store by turns and prints the table.
pub async fn print(stores: &[Store]) -> Outcome<()> {
    let settings = Settings {
        connections: setting("PEERS_CONNECTIONS", CONNECTIONS)?,
        rounds: setting("PEERS_ROUNDS", 5)?,
        round: Duration::try_from_secs_f64(setting("PEERS_SECONDS", 3.0)?)?,
        server_core: setting("PEERS_SERVER_CORE", 0)?,
        client_core: setting("PEERS_CLIENT_CORE", 1)?,
    };
    pin_this_thread(settings.client_core)?;
    println!("| sessions in | by | changes/s | reads/s | CPU µs/change | CPU µs/read |");
    println!("|---|---|---:|---:|---:|---:|");
    for &store in stores {
        for contender in compare(store, &settings).await? {
            let [changes, reads] = contender.results.map(|results| {
                let rate = median(results.iter().map(|result| result.per_second).collect());
                let time = median(results.iter().map(|result| result.microseconds).collect());
                rate.zip(time)
            });
            let ((changes, change), (reads, read)) = changes.zip(reads).ok_or("PEERS_ROUNDS is 0")?;
            println!(
                "| {} | {} | {} | {} | {change:.1} | {read:.1} |",
                store.name(),
                contender.side.name,
                grouped(changes),
                grouped(reads)
            );
        }
    }
    println!();
    Ok(())
}

/// A side with its server, its database and its visitors.
struct Contender {
    side: Side,
    server: Server,
    _database: Option<Database>,
    browsers: Vec<Browser>,
    /// Of each page.
    results: [Vec<Round>; PAGES.len()],
}

struct Round {
    per_second: i64,
    /// The server's processor time for one request.
    microseconds: f64,
}

async fn compare(store: Store, settings: &Settings) -> Outcome<Vec<Contender>> {
    let mut contenders = Vec::new();
    for side in sides(&[store]) {
        let (url, database) = store.open()?;
        let core = settings.server_core.to_string();
        let server = Server::start(&["taskset", "-c", &core], side, &url).await?;
        let mut connection = server.connect().await?;
        let mut browsers = Vec::new();
        for _ in 0..SESSIONS {
            let mut browser = Browser::default();
            connection.get(Page::Visits, &mut browser).await?;
            browsers.push(browser);
        }
        contenders.push(Contender {
            side,
            server,
            _database: database,
            browsers,
            results: Default::default(),
        });
    }
    for _ in 0..settings.rounds {
        for (index, page) in PAGES.into_iter().enumerate() {
            for contender in &mut contenders {
                let longest = settings.round + LONGEST_ANSWER;
                let round = within(longest, contender.round(page, settings)).await;
                let round = round.map_err(|error| format!("{}: {error}", contender.side.name))?;
                contender.results[index].push(round);
            }
        }
    }
    Ok(contenders)
}

impl Contender {
    /// As many requests as are answered in the time of a round, the sessions of each connection by turns.
    async fn round(&mut self, page: Page, settings: &Settings) -> Outcome<Round> {
        let mut clients = JoinSet::new();
        let share = self.browsers.len().div_ceil(settings.connections.get());
        let mut connections = Vec::new();
        while !self.browsers.is_empty() {
            let rest = self.browsers.split_off(share.min(self.browsers.len()));
            let browsers = std::mem::replace(&mut self.browsers, rest);
            connections.push((self.server.connect().await?, browsers));
        }
        let (used_before, start) = (self.server.processor_time()?, Instant::now());
        let end = start + settings.round;
        for (mut connection, mut browsers) in connections {
            clients.spawn(async move {
                let mut requests = 0_u32;
                while Instant::now() < end {
                    let turn = requests as usize % browsers.len();
                    connection.get(page, &mut browsers[turn]).await.map_err(|error| error.to_string())?;
                    requests += 1;
                }
                Ok::<_, String>((requests, browsers))
            });
        }
        let mut requests = 0;
        while let Some(client) = clients.join_next().await {
            let (its, browsers) = client??;
            requests += its;
            self.browsers.extend(browsers);
        }
        let used = self.server.processor_time()? - used_before;
        Ok(Round {
            per_second: (f64::from(requests) / start.elapsed().as_secs_f64()).round() as i64,
            microseconds: used.as_secs_f64() * 1e6 / f64::from(requests.max(1)),
        })
    }
}

/// The databases are started on this thread and stay on the same core.
fn pin_this_thread(core: usize) -> Outcome<()> {
    let mut taskset = Command::new("taskset");
    taskset.args(["-cp", &core.to_string(), &std::process::id().to_string()]).stdout(Stdio::null());
    if !taskset.status()?.success() {
        return Err(
            format!("there is no core {core}: PEERS_CLIENT_CORE and PEERS_SERVER_CORE name two").into()
        );
    }
    Ok(())
}

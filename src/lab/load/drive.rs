//! Drives servers with one mix of requests, and measures them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rocket::tokio::task::JoinSet;
use rocket::tokio::time::timeout;

use super::client::{Client, Seen};
use super::measure::{Round, cpu_seconds};
use super::process::Server;
use super::traffic::Traffic;
use super::workload::Mix;

/// How long requests may take beyond the end of a mix before the run is given up.
const GRACE: Duration = Duration::from_secs(20);

/// The longest warm-up, which is not measured.
const MAX_WARM_UP: Duration = Duration::from_millis(300);

/// Drives one mix for that time, after a warm-up: one round.
pub(super) async fn drive(
    servers: &[Server],
    mix: Mix,
    clients: usize,
    time: Duration,
) -> Result<Round, String> {
    let traffic = Arc::new(Traffic::default());
    let clients = connect(servers, mix, clients, &traffic).await?;
    let (clients, _) = all_at_once(clients, mix, (time / 10).min(MAX_WARM_UP), servers).await?;
    let counts = counts_of(servers).await?;
    let used = || servers.iter().map(Server::cpu_seconds).sum::<Option<f64>>();
    let (server_cpu, driver_cpu, bytes, begun) =
        (used(), cpu_seconds("self"), traffic.bytes(), Instant::now());
    let (_, seen) = all_at_once(clients, mix, time, servers).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let (up, down) = traffic.bytes();
    let since = |now: Option<f64>, then: Option<f64>| now.zip(then).map(|(now, then)| now - then);
    let (server_cpu, driver_cpu) = (since(used(), server_cpu), since(cpu_seconds("self"), driver_cpu));
    let operations = counts_of(servers).await?.into_iter().map(|(name, count)| {
        let before = counts.get(&name).copied().unwrap_or_default();
        (name, count.saturating_sub(before))
    });
    Ok(Round {
        seen,
        seconds,
        server_cpu,
        driver_cpu,
        bytes: (up - bytes.0, down - bytes.1),
        operations: operations.collect(),
    })
}

async fn connect(
    servers: &[Server],
    mix: Mix,
    count: usize,
    traffic: &Arc<Traffic>,
) -> Result<Vec<Client>, String> {
    let addresses: Vec<SocketAddr> = servers.iter().map(|server| server.address).collect();
    let mut clients = Vec::with_capacity(count);
    for number in 0..count {
        let mut client = Client::connect(&addresses, number, traffic).await?;
        if let Some(opening) = mix.opening() {
            client.begin(opening).await?;
        }
        clients.push(client);
    }
    Ok(clients)
}

/// Lets all clients go through a mix at once, for that time.
async fn all_at_once(
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
    let done = timeout(time + GRACE, all).await;
    let done = done.unwrap_or_else(|_| Err("the server does not answer any more".to_owned()));
    done.map_err(|problem| servers[0].explain(problem))
}

async fn counts_of(servers: &[Server]) -> Result<BTreeMap<String, u64>, String> {
    let mut all = BTreeMap::new();
    for server in servers {
        for (name, count) in server.counts().await? {
            *all.entry(name).or_default() += count;
        }
    }
    Ok(all)
}

//! Drives servers with one mix of requests, and measures them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rocket::tokio::task::JoinSet;
use rocket::tokio::time::timeout;

use super::client::{Client, Seen};
use super::measure::{Figures, Latency, cpu_seconds, round};
use super::process::Server;
use super::traffic::Traffic;
use super::workload::Mix;

/// How long requests may take beyond the end of a mix before the run is given up.
const GRACE: Duration = Duration::from_secs(20);

/// The longest warm-up, which is not measured.
const MAX_WARM_UP: Duration = Duration::from_millis(300);

/// Drives one mix for that time, after a warm-up.
pub(super) async fn drive(
    servers: &[Server],
    mix: Mix,
    clients: usize,
    time: Duration,
) -> Result<Figures, String> {
    let traffic = Arc::new(Traffic::default());
    let clients = connect(servers, mix, clients, &traffic).await?;
    let (clients, _) = all_at_once(clients, mix, (time / 10).min(MAX_WARM_UP), servers).await?;
    let counts = counts_of(servers).await?;
    let used = || servers.iter().map(Server::cpu_seconds).sum::<Option<f64>>();
    let (server_cpu, driver_cpu, bytes, begun) =
        (used(), cpu_seconds("self"), traffic.bytes(), Instant::now());
    let (_, seen) = all_at_once(clients, mix, time, servers).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let requests = seen.times.len();
    let each = |total: f64| round(total / requests.max(1) as f64);
    let (up, down) = traffic.bytes();
    let since = |now: Option<f64>, then: Option<f64>| now.zip(then).map(|(now, then)| now - then);
    let operations = counts_of(servers).await?.into_iter();
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
            .map(|(name, count)| (name, (count * 1000.0).round() / 1000.0))
            .filter(|(_, count)| *count > 0.0)
            .collect(),
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
    for _ in 0..count {
        let mut client = Client::connect(&addresses, traffic).await?;
        if mix.has_sessions() {
            client.begin().await?;
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

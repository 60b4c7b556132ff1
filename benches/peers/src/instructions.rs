//! Machine instructions per request: the server runs under callgrind and answers one connection. What comes before
//! the requests that count is thrown away: the start, and opening connections to a database.

use std::fs;
use std::process::Command;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::client::{Browser, Page};
use crate::server::Server;
use crate::sides::{Side, Store, directory, sides};
use crate::{Outcome, grouped, median, setting, within};

const WARM_UP: i64 = 100;
/// At the same time, before that.
const AT_ONCE: i64 = 25;
const COUNTED: i64 = 500;
/// A server that has used no processor time for so long is quiet.
const QUIET: Duration = Duration::from_millis(500);
/// How long a busy machine may take for all of them.
const LONGEST: Duration = Duration::from_secs(300);

/// Measures every side of these stores and prints the table.
pub async fn print(stores: &[Store]) -> Outcome<()> {
    println!(
        "| sessions in | by | bare route | changing adds | reading adds | cookie | `Set-Cookie` if new | if changed |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|");
    for side in sides(stores) {
        let (store, _database) = side.store.open()?;
        let (cookie, name, first, later) = bytes(side, &store).await?;
        let bare = per_request(side, "none", Page::Bare).await?;
        let visits = per_request(side, &store, Page::Visits).await? - bare;
        let read = per_request(side, &store, Page::Read).await? - bare;
        println!(
            "| {} | {} | {} | +{} | +{} | {cookie} B, {name} of them name | {first} B | {later} B |",
            side.store.name(),
            side.name,
            grouped(bare),
            grouped(visits),
            grouped(read)
        );
    }
    println!();
    Ok(())
}

/// On the wire: the cookie, of which its name, the `Set-Cookie` of a new session, and that of a later change.
async fn bytes(side: Side, store: &str) -> Outcome<(usize, usize, usize, usize)> {
    let server = Server::start::<&str>(&[], side, store).await?;
    let (mut connection, mut browser) = (server.connect().await?, Browser::default());
    connection.get(Page::Visits, &mut browser).await?;
    let (cookie, name, first) = (browser.cookie_bytes(), browser.name_bytes(), browser.set_cookie);
    connection.get(Page::Visits, &mut browser).await?;
    Ok((cookie, name, first, browser.set_cookie))
}

/// Instructions of one request. Where other processes answer too, no two runs are quite the same.
async fn per_request(side: Side, store: &str, page: Page) -> Outcome<i64> {
    let embedded = page == Page::Bare || matches!(side.store, Store::Cookie | Store::Memory);
    let rounds = if embedded { 1 } else { setting("PEERS_COUNTS", 3)? };
    let mut counts = Vec::new();
    for _ in 0..rounds {
        counts.push(within(LONGEST, count(side, store, page)).await? / COUNTED);
    }
    Ok(median(counts).ok_or("PEERS_COUNTS is 0")?)
}

/// All instructions of the server's threads during the requests that count.
async fn count(side: Side, store: &str, page: Page) -> Outcome<i64> {
    let out = directory()?.join("callgrind.out");
    let valgrind =
        ["valgrind".to_owned(), "--tool=callgrind".into(), format!("--callgrind-out-file={}", out.display())];
    let server = Server::start(&valgrind, side, store).await?;
    let (mut connection, mut browser) = (server.connect().await?, Browser::default());
    if page == Page::Read {
        // Something to read.
        connection.get(Page::Visits, &mut browser).await?;
    }
    if page != Page::Bare {
        fill_pools(&server).await?;
    }
    for _ in 0..WARM_UP {
        connection.get(page, &mut browser).await?;
    }
    settle(&server).await?;
    control("--zero", &server)?;
    for _ in 0..COUNTED {
        connection.get(page, &mut browser).await?;
    }
    control("--dump", &server)?;
    let dump = out.with_extension("out.1");
    let report = fs::read_to_string(&dump)?;
    fs::remove_file(&dump)?;
    let total = |line: &str| line.strip_prefix("totals: ").and_then(|total| total.trim().parse().ok());
    Ok(report.lines().find_map(total).ok_or("callgrind wrote no total")?)
}

/// Sends many requests at once, so that pools open all the connections that they will ever have: opening one to
/// PostgreSQL takes as much as hundreds of requests.
async fn fill_pools(server: &Server) -> Outcome<()> {
    let mut clients = JoinSet::new();
    for _ in 0..AT_ONCE {
        let mut connection = server.connect().await?;
        clients.spawn(async move {
            let mut browser = Browser::default();
            for _ in 0..WARM_UP / AT_ONCE {
                connection.get(Page::Visits, &mut browser).await.map_err(|error| error.to_string())?;
            }
            Ok::<_, String>(())
        });
    }
    while let Some(client) = clients.join_next().await {
        client??;
    }
    Ok(())
}

/// Waits until the server does nothing any more: a connection to a database that was begun while many requests came may
/// still be under way.
async fn settle(server: &Server) -> Outcome<()> {
    let mut before = processor_time(server)?;
    loop {
        tokio::time::sleep(QUIET).await;
        let now = processor_time(server)?;
        if now == before {
            return Ok(());
        }
        before = now;
    }
}

/// In ticks of the clock, in its own code and in the kernel's.
fn processor_time(server: &Server) -> Outcome<[u64; 2]> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.id()))?;
    // The name of the program may hold anything.
    let after_name = stat.rsplit_once(')').ok_or("no name in /proc/PID/stat")?.1;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut ticks = || Ok::<u64, Box<dyn std::error::Error>>(fields.next().ok_or("too few fields")?.parse()?);
    Ok([ticks()?, ticks()?])
}

/// Tells callgrind what to do with its counts, and waits until it has done so.
fn control(what: &str, server: &Server) -> Outcome<()> {
    let mut control = Command::new("callgrind_control");
    // It looks for valgrind where that looks itself, which is started without variables.
    control.arg(what).arg(server.id().to_string()).env_remove("TMPDIR");
    let output = control.output()?;
    if !output.status.success() {
        return Err(format!("callgrind_control {what}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(())
}

//! Machine instructions per request: the server runs under callgrind and answers one connection, once 100 and
//! once 600 requests. (Instructions at 600 − at 100) / 500 leaves out the start.

use std::fs;
use std::time::Duration;

use crate::client::{Browser, Page};
use crate::server::Server;
use crate::sides::{Side, Store, directory, sides};
use crate::{Outcome, grouped, median, setting, within};

const FEW: i64 = 100;
const MANY: i64 = 600;
/// How long a busy machine may take for them.
const LONGEST: Duration = Duration::from_secs(300);

/// Measures every side of these stores and prints the table.
pub async fn print(stores: &[Store]) -> Outcome<()> {
    println!(
        "| sessions in | by | changing adds | reading adds | to bare route | cookie | `Set-Cookie` if new | if changed |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|");
    for side in sides(stores) {
        let (store, _database) = side.store.open()?;
        let (cookie, name, first, later) = bytes(side, &store).await?;
        let bare = per_request(side, "none", Page::Bare).await?;
        let visits = per_request(side, &store, Page::Visits).await? - bare;
        let read = per_request(side, &store, Page::Read).await? - bare;
        println!(
            "| {} | {} | +{} | +{} | {} | {cookie} B, {name} of them name | {first} B | {later} B |",
            side.store.name(),
            side.name,
            grouped(visits),
            grouped(read),
            grouped(bare)
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
        let (few, many) = (count(side, store, page, FEW).await?, count(side, store, page, MANY).await?);
        counts.push((many - few) / (MANY - FEW));
    }
    Ok(median(counts).ok_or("PEERS_COUNTS is 0")?)
}

/// All instructions from the server's start to its end, with so many requests in between.
async fn count(side: Side, store: &str, page: Page, requests: i64) -> Outcome<i64> {
    let out = directory()?.join("callgrind.out");
    let valgrind =
        ["valgrind".to_owned(), "--tool=callgrind".into(), format!("--callgrind-out-file={}", out.display())];
    let server = Server::start(&valgrind, side, store).await?;
    within(LONGEST, async {
        let (mut connection, mut browser) = (server.connect().await?, Browser::default());
        if page == Page::Read {
            // Something to read.
            connection.get(Page::Visits, &mut browser).await?;
        }
        for _ in 0..requests {
            connection.get(page, &mut browser).await?;
        }
        Ok(())
    })
    .await?;
    server.stop().await?;
    let report = fs::read_to_string(&out)?;
    fs::remove_file(&out)?;
    let total = |line: &str| line.strip_prefix("summary: ").and_then(|total| total.trim().parse().ok());
    Ok(report.lines().find_map(total).ok_or("callgrind wrote no total")?)
}

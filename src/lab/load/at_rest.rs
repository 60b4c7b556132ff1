//! What a session takes on the server.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use rocket::tokio::task::JoinSet;

use super::client::Client;
use super::place::Place;
use super::process::{Launcher, Server};
use super::report::AtRest;
use super::server::signed_in_bytes;
use super::traffic::Traffic;
use crate::lab::bench::Setting;

/// Signs in `sessions` visitors on a fresh server, and measures how much it grows. With a ledger each of them is signed
/// out too: only that leaves something. `None` where it cannot be seen from here: another server keeps them.
pub(super) async fn at_rest(
    launcher: &Launcher<'_>,
    setting: &Setting,
    sessions: usize,
    clients: usize,
) -> Result<Option<AtRest>, String> {
    if setting.keeps_cookies() && !setting.has_ledger() {
        return Ok(Some(AtRest::nothing()));
    }
    let place = Place::of(setting)?;
    // A database that is not measured is not filled either.
    if sessions == 0 || (place.file().is_none() && !setting.is_in_memory()) {
        return Ok(None);
    }
    let warm_up = sessions / 100;
    let room = place.setting.with_room(sessions + warm_up);
    let server = launcher.start(&room, Duration::ZERO)?;
    let before = match place.file() {
        Some(_) => Some(0),
        None => {
            // What the first requests take does not belong to the sessions.
            open_sessions(&server, warm_up, clients, setting.has_ledger()).await?;
            server.resident_bytes()
        }
    };
    open_sessions(&server, sessions, clients, setting.has_ledger()).await?;
    let resident = server.resident_bytes();
    // Closing the file moves the last writes into it.
    server.stop();
    let (after, kind) = match place.file() {
        Some(file) => (fs::metadata(file).ok().map(|metadata| metadata.len()), "file"),
        None => (resident, "memory"),
    };
    Ok(after.zip(before).map(|(after, before)| AtRest {
        sessions,
        data: if setting.has_ledger() { 0 } else { signed_in_bytes() },
        bytes_per_session: (after.saturating_sub(before) as f64 / sessions as f64).round(),
        place: if setting.has_ledger() {
            format!("{kind} of the ledger, after a sign-out")
        } else {
            kind.into()
        },
    }))
}

async fn open_sessions(
    server: &Server,
    count: usize,
    clients: usize,
    and_sign_out: bool,
) -> Result<(), String> {
    let traffic = Arc::new(Traffic::default());
    let mut tasks = JoinSet::new();
    for number in 0..clients {
        let mut client = Client::connect(&[server.address], number, &traffic).await?;
        let share = count / clients + usize::from(number < count % clients);
        tasks.spawn(async move { client.make_sessions(share, and_sign_out).await });
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(|error| error.to_string())?.map_err(|problem| server.explain(problem))?;
    }
    Ok(())
}

//! A whole run: every store, every mix, one after the other.

use std::path::PathBuf;
use std::time::Duration;

use sealed_sessions::keys::generate_key;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::at_rest::at_rest;
use super::drive::drive;
use super::measure::Figures;
use super::place::Place;
use super::process::{Launcher, Server};
use super::report::{Delayed, Report, StoreReport};
use super::wire::on_the_wire;
use super::workload::{MIXES, Mix};
use crate::lab::bench::Setting;

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program whose subcommand `load-server` is the server: this one.
    pub program: PathBuf,
    /// The stores, as the setting `store` names them, or `cookie+` and a ledger, as the setting `revocation` names it;
    /// `sqlite` alone is a temporary file.
    pub stores: Vec<String>,
    /// For how long each mix is driven.
    pub time: Duration,
    /// How many requests run at once.
    pub clients: usize,
    /// How many servers share a store and the key.
    pub nodes: usize,
    /// How many sessions are opened to see what each takes on the server.
    pub sessions: usize,
    /// How long each operation of a server store is made to wait.
    pub delay: Duration,
}

/// The delays at which the cost of a slow store is measured, in milliseconds.
const DELAYS: [u64; 4] = [0, 1, 2, 5];

/// Runs it all. `step` is told what is done next.
///
/// # Errors
/// What ended the run: a store that cannot be opened, or a server that ended.
pub async fn run(options: &Options, step: impl Fn(&str)) -> Result<Report, String> {
    if options.clients == 0 || options.nodes == 0 || options.stores.is_empty() {
        return Err("there must be a client, a node and a store at least".into());
    }
    let key = generate_key().map_err(|error| format!("no random bits: {error}"))?;
    let launcher = Launcher { program: &options.program, key };
    let runner = Runner { options, launcher, step: &step };
    step("bare route");
    let bare = runner.bare().await?;
    let mut stores = Vec::new();
    let settings: Vec<Setting> = options.stores.iter().map(|store| Setting::of(store)).collect();
    for setting in &settings {
        stores.push(runner.store(setting).await?);
    }
    let delayed = match stores.iter().position(|store: &StoreReport| store.server_side) {
        Some(first) => Some(runner.delayed(&settings[first]).await?),
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

/// How many steps a run has.
pub fn steps(options: &Options) -> u64 {
    let of_store = MIXES.len() + 2;
    (1 + options.stores.len() * of_store + DELAYS.len()) as u64
}

struct Runner<'r> {
    options: &'r Options,
    launcher: Launcher<'r>,
    step: &'r dyn Fn(&str),
}

impl Runner<'_> {
    async fn bare(&self) -> Result<Figures, String> {
        let servers = self.start_all(&Setting::of("cookie"), Duration::ZERO)?;
        self.drive(&servers, Mix::Bare, self.options.time).await
    }

    async fn store(&self, setting: &Setting) -> Result<StoreReport, String> {
        let name = setting.kind();
        let mut mixes = Vec::new();
        let wire;
        {
            let place = Place::of(setting)?;
            let servers = self.start_all(&place.setting, self.options.delay)?;
            for mix in MIXES {
                (self.step)(&format!("{name}: {}", mix.name()));
                mixes.push(self.drive(&servers, mix, self.options.time).await?);
            }
            (self.step)(&format!("{name}: sizes"));
            wire = on_the_wire(servers[0].address).await?;
        }
        let Options { sessions, clients, .. } = *self.options;
        (self.step)(&format!("{name}: {sessions} sessions"));
        let at_rest = at_rest(&self.launcher, setting, sessions, clients).await?;
        Ok(StoreReport { store: name, server_side: !setting.keeps_cookies(), mixes, wire, at_rest })
    }

    async fn delayed(&self, setting: &Setting) -> Result<Vec<Delayed>, String> {
        let mut all = Vec::new();
        for millis in DELAYS {
            (self.step)(&format!("{}: a store {millis} ms away", setting.kind()));
            let place = Place::of(setting)?;
            let servers = self.start_all(&place.setting, Duration::from_millis(millis))?;
            let time = self.options.time.min(Duration::from_secs(1));
            let figures = self.drive(&servers, Mix::ReadHeavy, time).await?;
            all.push(Delayed { store: setting.kind(), delay_millis: millis as f64, figures });
        }
        Ok(all)
    }

    fn start_all(&self, setting: &Setting, delay: Duration) -> Result<Vec<Server>, String> {
        // Processes cannot share memory.
        let nodes = if setting.is_in_memory() { 1 } else { self.options.nodes };
        (0..nodes).map(|_| self.launcher.start(setting, delay)).collect()
    }

    async fn drive(&self, servers: &[Server], mix: Mix, time: Duration) -> Result<Figures, String> {
        drive(servers, mix, self.options.clients, time).await
    }
}

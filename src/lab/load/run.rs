//! A whole run: every mix on every store, by turns in several rounds, so that what else the machine does meanwhile
//! slows none of them alone.

use std::path::PathBuf;
use std::time::Duration;

use sealed_sessions::keys::generate_key;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::at_rest::at_rest;
use super::drive::drive;
use super::measure::{Figures, Round};
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
    /// For how long each mix is driven in each round.
    pub time: Duration,
    /// How many rounds there are.
    pub rounds: usize,
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
    let Options { clients, nodes, rounds, .. } = *options;
    if clients == 0 || nodes == 0 || rounds == 0 || options.stores.is_empty() {
        return Err("there must be a client, a node, a round and a store at least".into());
    }
    let key = generate_key().map_err(|error| format!("no random bits: {error}"))?;
    let launcher = Launcher { program: &options.program, key };
    let runner = Runner { options, launcher, step: &step };
    let settings: Vec<Setting> = options.stores.iter().map(|store| Setting::of(store)).collect();
    let (bare, stores) = runner.mixes(&settings).await?;
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
        rounds,
        clients,
        nodes,
        store_delay_millis: options.delay.as_secs_f64() * 1000.0,
        bare,
        stores,
        delayed,
    })
}

/// How many steps a run has.
pub fn steps(options: &Options) -> u64 {
    let of_rounds = options.rounds * (MIXES.len() + 2);
    (of_rounds + 2 * options.stores.len()) as u64
}

struct Runner<'r> {
    options: &'r Options,
    launcher: Launcher<'r>,
    step: &'r dyn Fn(&str),
}

/// Servers that are driven, and what each round of each of their mixes measured.
struct Driven {
    servers: Vec<Server>,
    mixes: Vec<(Mix, Vec<Round>)>,
    /// Behind the servers; dropped after them.
    _place: Place,
}

impl Driven {
    fn figures(&self) -> Result<Vec<Figures>, String> {
        self.mixes.iter().map(|(mix, rounds)| Figures::of(mix.name(), rounds)).collect()
    }
}

impl Runner<'_> {
    /// The bare route and all stores.
    async fn mixes(&self, settings: &[Setting]) -> Result<(Figures, Vec<StoreReport>), String> {
        let mut bare = self.start(&Setting::of("cookie"), Duration::ZERO, &[Mix::Bare])?;
        let mut all = Vec::new();
        for setting in settings {
            all.push(self.start(setting, self.options.delay, &MIXES)?);
        }
        for number in 0..self.options.rounds {
            let round = number + 1;
            (self.step)(&format!("round {round}: bare route"));
            self.round(std::slice::from_mut(&mut bare), 0, number).await?;
            for (at, mix) in MIXES.iter().enumerate() {
                (self.step)(&format!("round {round}: {}", mix.name()));
                self.round(&mut all, at, number).await?;
            }
        }
        let mut stores = Vec::new();
        for (setting, driven) in settings.iter().zip(all) {
            stores.push(self.store(setting, driven).await?);
        }
        let bare = bare.figures()?.pop().ok_or("the bare route was not driven")?;
        Ok((bare, stores))
    }

    /// One round of one mix, on all of these by turns. Each round begins with another.
    async fn round(&self, all: &mut [Driven], mix: usize, number: usize) -> Result<(), String> {
        let count = all.len();
        for turn in 0..count {
            let driven = &mut all[(turn + number) % count];
            let (mix, rounds) = &mut driven.mixes[mix];
            rounds.push(drive(&driven.servers, *mix, self.options.clients, self.options.time).await?);
        }
        Ok(())
    }

    async fn store(&self, setting: &Setting, driven: Driven) -> Result<StoreReport, String> {
        let name = setting.kind();
        (self.step)(&format!("{name}: sizes"));
        let wire = on_the_wire(driven.servers[0].address).await?;
        let mixes = driven.figures()?;
        drop(driven);
        let Options { sessions, clients, .. } = *self.options;
        (self.step)(&format!("{name}: {sessions} sessions"));
        let at_rest = at_rest(&self.launcher, setting, sessions, clients).await?;
        Ok(StoreReport { store: name, server_side: !setting.keeps_cookies(), mixes, wire, at_rest })
    }

    async fn delayed(&self, setting: &Setting) -> Result<Vec<Delayed>, String> {
        let mut all = Vec::new();
        for millis in DELAYS {
            all.push(self.start(setting, Duration::from_millis(millis), &[Mix::ReadHeavy])?);
        }
        for number in 0..self.options.rounds {
            (self.step)(&format!("round {}: {} further away", number + 1, setting.kind()));
            self.round(&mut all, 0, number).await?;
        }
        let mut delayed = Vec::new();
        for (millis, driven) in DELAYS.into_iter().zip(all) {
            let figures = driven.figures()?.pop().ok_or("the slow store was not driven")?;
            delayed.push(Delayed { store: setting.kind(), delay_millis: millis as f64, figures });
        }
        Ok(delayed)
    }

    fn start(&self, setting: &Setting, delay: Duration, mixes: &[Mix]) -> Result<Driven, String> {
        let place = Place::of(setting)?;
        // Processes cannot share memory.
        let nodes = if setting.is_in_memory() { 1 } else { self.options.nodes };
        let servers =
            (0..nodes).map(|_| self.launcher.start(&place.setting, delay)).collect::<Result<_, _>>()?;
        let mixes = mixes.iter().map(|mix| (*mix, Vec::new())).collect();
        Ok(Driven { servers, mixes, _place: place })
    }
}

//! The command line's side: `lab load`, and the hidden server.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use super::report::Report;
use super::run::{Options, run, steps};
use super::server;
use super::view::{View, markdown};
use crate::lab::progress::Progress;
use crate::terminal::print;

/// The arguments of `lab load`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A store to drive, as the setting `store` names it, or cookie+LEDGER, with a ledger as the setting
    /// `revocation` names it; may be repeated. `sqlite` alone is a temporary file. A database that is named is
    /// written to, under a cookie name of its own.
    #[arg(long = "store", value_name = "STORE", default_values = ["cookie", "cookie+sqlite", "memory", "sqlite"])]
    stores: Vec<String>,
    /// For how many seconds each mix of requests is driven in each round, on each store.
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    seconds: f64,
    /// In how many rounds the stores are driven by turns; the figures are the medians.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    rounds: u64,
    /// How many clients ask at once, each over a keep-alive connection with 17 visitors' cookies.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=1000))]
    clients: u64,
    /// How many servers share the store and the key; each client asks them in turn.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100))]
    nodes: u64,
    /// How many visitors are signed in to see what each takes on the server; 0 leaves that out.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(0..=10_000_000))]
    sessions: u64,
    /// How long each operation of a server store waits before it begins, as a network would have it, such
    /// as "1ms".
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = humantime::parse_duration)]
    store_delay: Duration,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// Write the report with its plots to one file of HTML.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the figures to one file of Markdown: the tables of the README and of docs/at-scale.md.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.1..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("accepted: a number from 0.1 to 3600".into()),
    }
}

/// Drives the stores, keeps the report as the last run, and prints it.
///
/// # Errors
/// What ended the run, in words for people.
pub async fn command(arguments: Arguments, data_dir: &Path) -> Result<ExitCode, String> {
    let program = std::env::current_exe().map_err(|error| format!("cannot tell which program: {error}"))?;
    let count = |value: u64| usize::try_from(value).map_err(|error| error.to_string());
    let options = Options {
        program,
        stores: arguments.stores,
        time: Duration::from_secs_f64(arguments.seconds),
        rounds: count(arguments.rounds)?,
        clients: count(arguments.clients)?,
        nodes: count(arguments.nodes)?,
        sessions: count(arguments.sessions)?,
        delay: arguments.store_delay,
    };
    // Before the run, which takes minutes: a file that cannot be written is an error at once.
    let unwritable = |file: &Path, error| format!("{} cannot be written: {error}", file.display());
    for file in [&arguments.html, &arguments.markdown].into_iter().flatten() {
        let opened = File::options().append(true).create(true).open(file);
        opened.map_err(|error| unwritable(file, error))?;
    }
    // One thread for all clients, next to that of the server.
    let report = rocket::tokio::task::spawn_blocking(move || drive(&options))
        .await
        .map_err(|error| format!("the driver: {error}"))??;
    report.keep(data_dir)?;
    let view = View::of(&report)?;
    if let Some(file) = arguments.html {
        std::fs::write(&file, view.html()?).map_err(|error| unwritable(&file, error))?;
    }
    if let Some(file) = arguments.markdown {
        std::fs::write(&file, markdown(&report)).map_err(|error| unwritable(&file, error))?;
    }
    if arguments.json {
        let report = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
        print(&format!("{report}\n"))?;
    } else {
        print(&view.text())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn drive(options: &Options) -> Result<Report, String> {
    let progress = Progress::new(steps(options));
    let runtime = rocket::tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    let report = runtime.block_on(run(options, |what: &str| progress.step(what)));
    progress.clear();
    report
}

/// Runs the server that its variables configure, until its standard input ends.
///
/// # Errors
/// What keeps it from starting.
pub async fn serve() -> Result<ExitCode, String> {
    match server::build()?.launch().await {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error.to_string()),
    }
}

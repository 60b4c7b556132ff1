//! The command line: serve (the default), keygen, inspect, sessions, revoke, account, lab.

mod command;

use std::io::{self, IsTerminal, Read};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use rocket::error::ErrorKind;
use rocket::figment::Figment;
use sealed_sessions::inspect::{Inspection, Inspector};
use sealed_sessions::keys::generate_key;
use sealed_sessions::{Clock, SystemClock};
use sealed_sessions_app::app;
#[cfg(feature = "lab")]
use sealed_sessions_app::lab::{self, load};
use sealed_sessions_app::terminal::{print, say};
use serde::Serialize;

use self::command::{account, finished, revoke, sessions};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A web app whose session is one encrypted cookie, and the library that makes it so.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the app (the default). Configured by Rocket.toml and by ROCKET_… variables.
    Serve,
    /// Print a new key for the setting secret_key.
    Keygen,
    /// Open a session cookie, read from standard input, with the configured keys, and print what is inside.
    ///
    /// Takes a cookie's value, a whole Cookie: header, or a Set-Cookie: line. Neither a key nor a cookie is
    /// ever an argument, since other users of a machine see arguments.
    Inspect,
    /// List the sessions of an account, while the app runs.
    Sessions(sessions::Arguments),
    /// End sessions, while the app runs: those of an account, one, or everyone's.
    Revoke(revoke::Arguments),
    /// Disable an account, or enable it again, while the app runs.
    Account(account::Arguments),
    /// Run the experiments that compare the stores, and print which outcomes are safe on which.
    #[cfg(feature = "lab")]
    #[command(args_conflicts_with_subcommands = true)]
    Lab {
        #[command(flatten)]
        arguments: lab::command::Arguments,
        #[command(subcommand)]
        command: Option<Lab>,
    },
    /// The server that `lab load` drives.
    #[cfg(feature = "lab")]
    #[command(name = load::SUBCOMMAND, hide = true)]
    LoadServer,
}

#[cfg(feature = "lab")]
#[derive(Subcommand)]
enum Lab {
    /// Drive a small app on each store over HTTP, and report what sessions cost.
    ///
    /// Starts its servers on loopback ports, one process each. The report is kept in the directory of the
    /// data, where the page /lab/load shows it.
    Load(load::Arguments),
}

#[rocket::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command.unwrap_or(Command::Serve) {
        Command::Serve => return serve().await,
        Command::Keygen => keygen(),
        Command::Inspect => inspect(),
        Command::Sessions(arguments) => return finished(sessions::execute(arguments).await),
        Command::Revoke(arguments) => return finished(revoke::execute(arguments).await),
        Command::Account(arguments) => return finished(account::execute(arguments).await),
        #[cfg(feature = "lab")]
        Command::Lab { command: Some(Lab::Load(arguments)), .. } => lab_load(arguments).await,
        #[cfg(feature = "lab")]
        Command::Lab { arguments, command: None } => {
            return lab::command::execute(arguments, &app::figment()).await;
        }
        #[cfg(feature = "lab")]
        Command::LoadServer => load::serve().await,
    };
    match done {
        Ok(code) => code,
        Err(problem) => {
            say(format_args!("sealed-sessions: {problem}"));
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> ExitCode {
    let figment = app::figment();
    app::start_logging(&figment);
    match app::build(figment.clone(), Arc::new(SystemClock)).launch().await {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            match error.kind() {
                ErrorKind::Bind(problem) => say(cannot_listen(&figment, problem)),
                // Says what is wrong in Rocket's own words; what refused the launch has said so before.
                _ => drop(error.pretty_print()),
            }
            ExitCode::FAILURE
        }
    }
}

/// What to do about an address that cannot be had.
fn cannot_listen(figment: &Figment, problem: &io::Error) -> String {
    let address: String = figment.extract_inner("address").unwrap_or_default();
    let port: u16 = figment.extract_inner("port").unwrap_or_default();
    let advice = match problem.kind() {
        io::ErrorKind::AddrInUse => {
            let other = port.checked_add(1).unwrap_or(8000);
            format!(
                "another program has port {port}: end it, or choose another port, as with ROCKET_PORT={other}"
            )
        }
        io::ErrorKind::PermissionDenied => {
            format!("port {port} is not for everyone: ROCKET_PORT chooses another")
        }
        _ => "ROCKET_ADDRESS and ROCKET_PORT choose another".into(),
    };
    format!("sealed-sessions: cannot listen on {address}, port {port}: {problem}; {advice}")
}

#[cfg(feature = "lab")]
async fn lab_load(arguments: load::Arguments) -> Result<ExitCode, String> {
    load::command(arguments, &app::data_dir(&app::figment())?).await
}

fn keygen() -> Result<ExitCode, String> {
    let key = generate_key().map_err(|error| format!("no random bits: {error}"))?;
    print(&format!("{key}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// What `inspect` prints.
#[derive(Serialize)]
struct Found<'a> {
    cookies: &'a [Inspection],
}

/// Succeeds when every cookie that was found is a live session.
fn inspect() -> Result<ExitCode, String> {
    if std::io::stdin().is_terminal() {
        say("Paste a cookie's value or a Cookie: header, then press Ctrl-D.");
    }
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| format!("cannot read standard input: {error}"))?;
    let figment = app::with_existing_key(app::figment())?;
    let found =
        Inspector::new(&figment).map_err(|error| error.to_string())?.open(&text, SystemClock.seconds());
    if found.is_empty() {
        return Err("there is no cookie of any realm in what was read".into());
    }
    let document =
        serde_json::to_string_pretty(&Found { cookies: &found }).map_err(|error| error.to_string())?;
    print(&format!("{document}\n"))?;
    let live = found.iter().all(|inspection| inspection.problem.is_none());
    Ok(if live { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

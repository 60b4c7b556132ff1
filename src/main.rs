//! The command line: serve (the default), keygen, inspect, sessions, revoke, account, lab.

mod command;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
#[cfg(feature = "lab")]
use sealed_sessions_app::app;
#[cfg(feature = "lab")]
use sealed_sessions_app::lab::{self, load};

#[cfg(feature = "lab")]
use self::command::Problem;
use self::command::{account, finished, inspect, keygen, revoke, serve, sessions};

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
    finished(match Arguments::parse().command.unwrap_or(Command::Serve) {
        Command::Serve => return serve::execute().await,
        Command::Keygen => keygen::execute(),
        Command::Inspect => inspect::execute(),
        Command::Sessions(arguments) => sessions::execute(arguments).await,
        Command::Revoke(arguments) => revoke::execute(arguments).await,
        Command::Account(arguments) => account::execute(arguments).await,
        #[cfg(feature = "lab")]
        Command::Lab { command: Some(Lab::Load(arguments)), .. } => lab_load(arguments).await,
        #[cfg(feature = "lab")]
        Command::Lab { arguments, command: None } => {
            return lab::command::execute(arguments, &app::figment()).await;
        }
        #[cfg(feature = "lab")]
        Command::LoadServer => load::serve().await.map_err(Problem::Failed),
    })
}

#[cfg(feature = "lab")]
async fn lab_load(arguments: load::Arguments) -> Result<ExitCode, Problem> {
    Ok(load::command(arguments, &app::data_dir(&app::figment())?).await?)
}

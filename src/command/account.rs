//! `account`: lets nobody sign in to an account, or lets them again.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use sealed_sessions_app::app::{self, AccountBook};
use serde::Serialize;

use super::realms::{Options, Outcome};
use super::revoke::{Ended, end_account};
use super::{Problem, Shown};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Let nobody sign in to an account, and end its sessions. A sign-in gets the answer of a wrong password.
    Disable(Named),
    /// Let the owner of a disabled account sign in again.
    Enable(Named),
}

#[derive(Args)]
struct Named {
    /// The username.
    name: String,
    #[command(flatten)]
    options: Options,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Document<'d> {
    account: Shown<'d>,
    disabled: bool,
    realms: &'d [Outcome<Ended>],
}

/// Fails if the store of a realm does not answer, whose sessions may go on.
pub(crate) async fn execute(Arguments { command }: Arguments) -> Result<ExitCode, Problem> {
    let (Named { name, options }, disabled) = match command {
        Command::Disable(named) => (named, true),
        Command::Enable(named) => (named, false),
    };
    let mut realms = options.realms()?;
    if !disabled {
        realms.clear();
    }
    let account = AccountBook::open(&app::figment()).await?.set_disabled(&name, disabled).await?;
    let outcomes = end_account(&realms, &account).await;
    let state = if disabled { "disabled" } else { "enabled" };
    let mut lines = vec![Ok(format!("{} is {state}", account.described()))];
    lines.extend(outcomes.iter().map(|outcome| outcome.line(|done| Ok(done.of(&account)))));
    options.report(&Document { account: Shown::from(&account), disabled, realms: &outcomes }, &lines)?;
    Ok(if outcomes.iter().any(Outcome::is_fault) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

//! `account`: lets nobody sign in to an account, or lets them again.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use sealed_sessions::operator::{RealmOperator, Unable};
use sealed_sessions_app::app::{self, AccountBook};
use sealed_sessions_app::terminal::say;
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

/// Fails if sessions of the account may go on: in a realm whose store does not answer, and in one that keeps them in the
/// memory of the app's own process.
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
    let left = in_memory(&realms);
    if !left.is_empty() {
        let (account, left) = (account.described(), left.join(" and "));
        say(format_args!(
            "sealed-sessions: sessions of {account} may go on in {left}, where only the app's own process can end \
             them: restart the app, which ends everyone's there"
        ));
    }
    let is_done = left.is_empty() && !outcomes.iter().any(Outcome::is_fault);
    Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The realms whose sessions are in the memory of another process. Where they are in cookies alone, the app looks their
/// account up.
fn in_memory(realms: &[RealmOperator]) -> Vec<&str> {
    realms.iter().filter(|realm| realm.unable() == Some(Unable::InMemory)).map(RealmOperator::path).collect()
}

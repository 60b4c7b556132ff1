//! `account`: lets nobody sign in to an account, or lets them again.

use std::process::ExitCode;

use clap::Subcommand;
use sealed_sessions_app::app::{self, AccountBook};
use sealed_sessions_app::terminal::print;

#[derive(Subcommand)]
pub(crate) enum Account {
    /// Let nobody sign in to the account of this name. The answer is that to a wrong password.
    Disable {
        /// The username.
        name: String,
    },
    /// Let the owner of a disabled account sign in again.
    Enable {
        /// The username.
        name: String,
    },
}

pub(crate) async fn execute(command: Account) -> Result<ExitCode, String> {
    let (name, disabled) = match &command {
        Account::Disable { name } => (name, true),
        Account::Enable { name } => (name, false),
    };
    let accounts = AccountBook::open(&app::figment()).await?;
    let account = accounts.set_disabled(name, disabled).await?;
    let done = if disabled { "disabled" } else { "enabled" };
    print(&format!("account {}, {:?}, is {done}\n", account.id, account.name))?;
    Ok(ExitCode::SUCCESS)
}

//! The accounts, as an operator handles them while the app runs.

use std::sync::Arc;

use rocket::figment::Figment;
use sealed_sessions::SystemClock;

use super::accounts::{Account, AccountError, Accounts};
use super::data_dir::DATABASE_FILE;
use super::settings::Settings;

/// The accounts of the app, for a program beside it.
pub struct AccountBook(Accounts);

impl AccountBook {
    /// Opens the accounts of a configuration.
    ///
    /// # Errors
    /// When the configuration is wrong, when there are no accounts yet (none are made), or when their database does
    /// not answer.
    pub async fn open(figment: &Figment) -> Result<AccountBook, String> {
        let data_dir = Settings::read(figment)?.data_dir;
        let file = data_dir.join(DATABASE_FILE);
        if !file.exists() {
            let file = file.display();
            return Err(format!(
                "there are no accounts: {file} does not exist; start the app once, or set data_dir to its directory"
            ));
        }
        let accounts = Accounts::open(data_dir, Arc::new(SystemClock)).await;
        accounts.map(AccountBook).map_err(|error| error.to_string())
    }

    /// The account of exactly this name.
    ///
    /// # Errors
    /// When there is none, or the database does not answer.
    pub async fn named(&self, name: &str) -> Result<Account, String> {
        known(name, self.0.named(name).await)
    }

    /// Lets nobody sign in to the account of exactly this name from now on, or lets them again. Does not end the
    /// sessions that are signed in.
    ///
    /// # Errors
    /// When there is no such account, or the database does not answer.
    pub async fn set_disabled(&self, name: &str, disabled: bool) -> Result<Account, String> {
        known(name, self.0.set_disabled(name, disabled).await)
    }
}

fn known(name: &str, found: Result<Option<Account>, AccountError>) -> Result<Account, String> {
    let found = found.map_err(|error| error.to_string())?;
    found.ok_or_else(|| format!("no account has the name {name:?}; give it as it was registered"))
}

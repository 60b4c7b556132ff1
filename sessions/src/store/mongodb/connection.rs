//! The database that a setting names.

use std::time::Duration;

use mongodb::bson::doc;
use mongodb::error::Error;
use mongodb::options::{ClientOptions, ConnectionString};
use mongodb::{Client, Database};
use rocket::tokio::sync::OnceCell;

use super::faults::failed;
use crate::clock::UnixSeconds;
use crate::error::StoreError;

const DEFAULT_DATABASE: &str = "sessions";

/// How long the driver looks for a server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Connects when it is first needed.
pub(super) struct Connection {
    address: String,
    database: OnceCell<Database>,
}

impl Connection {
    /// Connects nowhere yet.
    pub(super) fn new(setting: &str) -> Result<Connection, String> {
        // The error may show the address, and the address a password.
        ConnectionString::parse(setting).map_err(|_| "its address is not a MongoDB address".to_owned())?;
        Ok(Connection { address: setting.to_owned(), database: OnceCell::new() })
    }

    pub(super) async fn database(&self) -> Result<&Database, StoreError> {
        let connect = async || {
            let mut options = ClientOptions::parse(&self.address).await?;
            options.server_selection_timeout.get_or_insert(CONNECT_TIMEOUT);
            options.connect_timeout.get_or_insert(CONNECT_TIMEOUT);
            let name = options.default_database.clone().unwrap_or_else(|| DEFAULT_DATABASE.to_owned());
            Ok::<_, Error>(Client::with_options(options)?.database(&name))
        };
        self.database.get_or_try_init(connect).await.map_err(failed)
    }

    /// The server's clock, if it tells.
    pub(super) async fn time(&self) -> Result<Option<UnixSeconds>, StoreError> {
        let hello = self.database().await?.run_command(doc! { "hello": 1 }).await.map_err(failed)?;
        let time = hello.get_datetime("localTime").ok();
        Ok(time.map(|time| time.timestamp_millis().div_euclid(1000)))
    }

    pub(super) async fn close(&self) {
        if let Some(database) = self.database.get() {
            database.client().clone().shutdown().await;
        }
    }
}

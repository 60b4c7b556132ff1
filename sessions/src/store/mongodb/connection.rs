//! The database that a setting names.

use std::time::Duration;

use mongodb::bson::{Document, doc};
use mongodb::error::Error;
use mongodb::options::{
    Acknowledgment, ClientOptions, CollectionOptions, ConnectionString, ReadPreference, SelectionCriteria,
};
use mongodb::{Client, Collection, Database};
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
        let address = ConnectionString::parse(setting);
        let address = address.map_err(|_| "its address is not a MongoDB address".to_owned())?;
        if address.write_concern.is_some_and(|concern| concern.w == Some(Acknowledgment::Nodes(0))) {
            return Err(
                "its address says w=0, with which the server does not tell whether it has kept a session; \
                        leave w out, or set w=majority"
                    .to_owned(),
            );
        }
        Ok(Connection { address: setting.to_owned(), database: OnceCell::new() })
    }

    /// A collection as its primary has it, whatever the setting says of reading elsewhere: what was written a moment ago,
    /// here or by another process, is to be found, and what has ended is not. Nor may a failover undo it: unless the
    /// setting says which servers have to have kept a write, a majority has.
    pub(super) async fn collection(&self, name: &str) -> Result<Collection<Document>, StoreError> {
        let database = self.database().await?;
        let mut concern = database.write_concern().cloned().unwrap_or_default();
        concern.w.get_or_insert(Acknowledgment::Majority);
        let options = CollectionOptions::builder()
            .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
            .write_concern(concern)
            .build();
        Ok(database.collection_with_options(name, options))
    }

    async fn database(&self) -> Result<&Database, StoreError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What the collections of this setting ask of a server.
    async fn asks(setting: &str) -> (Option<SelectionCriteria>, Option<Acknowledgment>, Option<Duration>) {
        let collection = Connection::new(setting).unwrap().collection("any").await.unwrap();
        let concern = collection.write_concern().cloned().unwrap_or_default();
        (collection.selection_criteria().cloned(), concern.w, concern.w_timeout)
    }

    #[rocket::async_test]
    async fn rows_are_read_where_they_are_written_and_kept_by_a_majority() {
        let primary = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
        let majority = Some(Acknowledgment::Majority);
        for (options, w, timeout) in [
            ("", majority.clone(), None),
            ("?readPreference=secondaryPreferred", majority.clone(), None),
            ("?readPreference=nearest&wtimeoutMS=500", majority, Some(Duration::from_millis(500))),
            ("?readPreference=secondary&w=2", Some(Acknowledgment::Nodes(2)), None),
        ] {
            let asked = asks(&format!("mongodb://127.0.0.1:1/sessions{options}")).await;
            assert_eq!(asked, (primary.clone(), w, timeout), "{options}");
        }
    }

    #[test]
    fn writes_that_nobody_answers_are_refused() {
        let refused = Connection::new("mongodb://ada:secret@127.0.0.1:1/sessions?w=0").err().unwrap();
        assert!(refused.contains("w=0") && !refused.contains("secret"), "{refused}");
    }
}

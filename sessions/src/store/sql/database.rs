//! A database: its connections, and making what is kept there.

use std::fs::{DirBuilder, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::client::Client;
use super::dialect::Dialect;
use super::driver::Driver;
use crate::error::StoreError;

/// The tables of a dialect, in the database at a URL.
pub(super) struct Database {
    pub(super) dialect: &'static Dialect,
    pub(super) client: Arc<Client>,
    url: String,
    /// Created before the database is opened.
    file: Option<PathBuf>,
}

impl Database {
    /// `file` is that of a database in a file, if it may be created.
    pub(super) fn new(
        url: &str,
        dialect: &'static Dialect,
        driver: impl Driver + 'static,
        file: Option<PathBuf>,
    ) -> Database {
        let client = Arc::new(Client::new(Box::new(driver), dialect));
        Database { dialect, client, url: url.to_owned(), file }
    }

    pub(super) async fn start(&self) -> Result<(), StoreError> {
        if let Some(file) = &self.file {
            make_private(file).map_err(|error| StoreError::Failed(error.to_string()))?;
        }
        self.client.make_tables().await?;
        if let Some(check) = self.dialect.check {
            self.client.set_max_bytes(check(&self.url).await?);
        }
        Ok(())
    }
}

/// Makes a file and its directory for their owner only: sessions are nobody else's to read. What SQLite writes beside
/// the file gets its mode.
fn make_private(file: &Path) -> std::io::Result<()> {
    let (mut builder, mut options) = (DirBuilder::new(), OpenOptions::new());
    #[cfg(unix)]
    {
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    if let Some(directory) = file.parent() {
        builder.recursive(true).create(directory)?;
    }
    options.append(true).create(true).open(file).map(drop)
}

//! The stores under test. A column of the matrix is data: another store is another line of configuration.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rocket::figment::Figment;
use sealed_sessions::Clock;
use sealed_sessions::ledger::Log;
use sealed_sessions::store::Store;

use super::setting::{Kept, Setting};

type Wrap<W> = Arc<dyn Fn(Arc<W>) -> Arc<W> + Send + Sync>;

/// What needs no server.
const EMBEDDED: [&str; 4] = ["cookie", "cookie+sqlite", "memory", "sqlite"];

/// A store under test, and whether it has a ledger.
#[derive(Clone)]
pub struct Column {
    /// Its name in the matrix.
    pub name: String,
    setting: Setting,
    store: Option<Wrap<dyn Store>>,
    log: Option<Wrap<dyn Log>>,
    clock: Option<Wrap<dyn Clock>>,
}

impl Column {
    /// The column of a setting: `cookie`, `memory`, `sqlite` (a temporary file) or the URL of a store; or
    /// `cookie+` and what a ledger is kept in: `memory`, `sqlite` or a URL.
    ///
    /// # Errors
    /// Why this build cannot open it. Shows no password.
    pub fn new(setting: &str) -> Result<Column, String> {
        let setting = Setting::of(setting);
        setting.in_file(Path::new("lab.db")).open("lab")?;
        Ok(Column { name: setting.kind(), setting, store: None, log: None, clock: None })
    }

    /// Wraps every store that is opened for this column, outside of its ledger.
    #[must_use]
    pub fn with_store(
        self,
        wrap: impl Fn(Arc<dyn Store>) -> Arc<dyn Store> + Send + Sync + 'static,
    ) -> Column {
        Column { store: Some(Arc::new(wrap)), ..self }
    }

    /// Wraps the log of every ledger that is opened for this column.
    #[must_use]
    pub fn with_log(self, wrap: impl Fn(Arc<dyn Log>) -> Arc<dyn Log> + Send + Sync + 'static) -> Column {
        Column { log: Some(Arc::new(wrap)), ..self }
    }

    /// Wraps the clock of every server of this column.
    #[must_use]
    pub fn with_clock(
        self,
        wrap: impl Fn(Arc<dyn Clock>) -> Arc<dyn Clock> + Send + Sync + 'static,
    ) -> Column {
        Column { clock: Some(Arc::new(wrap)), ..self }
    }

    /// Opens what keeps the sessions of a realm of this name; what is in a file goes into `directory`.
    pub(super) fn open(&self, directory: &Path, realm: &str) -> Result<Kept, String> {
        self.setting.in_file(&directory.join("lab.db")).open(realm)
    }

    pub(super) fn store(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        wrapped(&self.store, store)
    }

    pub(super) fn log(&self, log: Arc<dyn Log>) -> Arc<dyn Log> {
        wrapped(&self.log, log)
    }

    pub(super) fn clock(&self, clock: Arc<dyn Clock>) -> Arc<dyn Clock> {
        wrapped(&self.clock, clock)
    }
}

fn wrapped<W: ?Sized>(wrap: &Option<Wrap<W>>, inner: Arc<W>) -> Arc<W> {
    match wrap {
        Some(wrap) => wrap(inner),
        None => inner,
    }
}

/// Hides the setting, which may be a URL with a password.
impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Column").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The embedded stores of this build and those of the setting `lab.stores`; or those of `only`, unless it
/// is empty.
///
/// # Errors
/// Which setting is wrong, and what is accepted.
pub fn configured(figment: &Figment, only: &[String]) -> Result<Vec<Column>, String> {
    let mut columns: Vec<Column> = Vec::new();
    if only.is_empty() {
        columns.extend(EMBEDDED.iter().filter_map(|setting| Column::new(setting).ok()));
    }
    let more: Vec<String> = match only {
        [] if figment.contains("lab.stores") => figment.extract_inner("lab.stores").map_err(|_| {
            "lab.stores is no list; accepted: such as [\"redis://127.0.0.1:6379\"]".to_owned()
        })?,
        only => only.to_vec(),
    };
    for setting in more {
        let mut column = Column::new(&setting)?;
        let namesakes = columns.iter().filter(|other| other.setting.kind() == column.name).count();
        if namesakes > 0 {
            column.name = format!("{}-{}", column.name, namesakes + 1);
        }
        columns.push(column);
    }
    Ok(columns)
}

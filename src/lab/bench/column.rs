//! The stores under test. A column of the matrix is data: another store is another line of configuration.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rocket::figment::Figment;
use sealed_sessions::Clock;
use sealed_sessions::store::{self, Store};

type WrapStore = Arc<dyn Fn(Arc<dyn Store>) -> Arc<dyn Store> + Send + Sync>;
type WrapClock = Arc<dyn Fn(Arc<dyn Clock>) -> Arc<dyn Clock> + Send + Sync>;

/// The stores that need no server.
const EMBEDDED: [&str; 3] = ["cookie", "memory", "sqlite"];

/// A store under test.
#[derive(Clone)]
pub struct Column {
    /// Its name in the matrix.
    pub name: String,
    setting: String,
    store: Option<WrapStore>,
    clock: Option<WrapClock>,
}

impl Column {
    /// The store of this setting: `cookie`, `memory`, `sqlite` (a temporary file) or a URL.
    ///
    /// # Errors
    /// Why this build cannot open it. Shows no password.
    pub fn new(setting: &str) -> Result<Column, String> {
        let name = match scheme(setting) {
            "postgresql" => "postgres",
            other => other.split('+').next().unwrap_or_default(),
        };
        let column = Column { name: name.into(), setting: setting.into(), store: None, clock: None };
        column.setting_in(Path::new("."), |setting| store::open(setting, "lab").map(drop)).map_err(
            |problem| format!("the store {name:?} {problem}; accepted: cookie, memory, sqlite, or a URL"),
        )?;
        Ok(column)
    }

    /// Wraps every store that is opened for this column.
    #[must_use]
    pub fn with_store(
        self,
        wrap: impl Fn(Arc<dyn Store>) -> Arc<dyn Store> + Send + Sync + 'static,
    ) -> Column {
        Column { store: Some(Arc::new(wrap)), ..self }
    }

    /// Wraps the clock of every server of this column.
    #[must_use]
    pub fn with_clock(
        self,
        wrap: impl Fn(Arc<dyn Clock>) -> Arc<dyn Clock> + Send + Sync + 'static,
    ) -> Column {
        Column { clock: Some(Arc::new(wrap)), ..self }
    }

    /// Opens the store for a realm of this name; what it keeps in files goes into `directory`.
    pub(super) fn open(&self, directory: &Path, realm: &str) -> Result<Arc<dyn Store>, String> {
        let store = self.setting_in(directory, |setting| store::open(setting, realm))?;
        Ok(self.store.as_ref().map_or(Arc::clone(&store), |wrap| wrap(store)))
    }

    pub(super) fn clock(&self, clock: Arc<dyn Clock>) -> Arc<dyn Clock> {
        self.clock.as_ref().map_or(Arc::clone(&clock), |wrap| wrap(clock))
    }

    fn setting_in<R>(&self, directory: &Path, open: impl FnOnce(&str) -> R) -> R {
        match self.setting.as_str() {
            "sqlite" => open(&format!("sqlite:{}", directory.join("lab.db").display())),
            setting => open(setting),
        }
    }
}

/// Hides the setting, which may be a URL with a password.
impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Column").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The part of a setting that names the kind of store. What follows the colon may hold a password.
pub(in crate::lab) fn scheme(setting: &str) -> &str {
    setting.split(':').next().unwrap_or_default()
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
        let namesakes = columns.iter().filter(|other| other.setting.starts_with(&column.name)).count();
        if namesakes > 0 {
            column.name = format!("{}-{}", column.name, namesakes + 1);
        }
        columns.push(column);
    }
    Ok(columns)
}

use super::{Database, directory};

/// SQLite, in a file that does not exist yet.
pub fn sqlite() -> Option<Database> {
    let dir = directory();
    Some(Database::new(format!("sqlite:{}/new/sessions.db", dir.path().display()), [], dir))
}

//! Stores in sentences: as their makers write the names.

/// The name of a store, as a sentence has it.
pub(super) fn written(store: &str) -> &str {
    match store {
        "sqlite" => "SQLite",
        "postgres" => "PostgreSQL",
        "mysql" => "MySQL",
        "redis" => "Redis",
        "mongodb" => "MongoDB",
        other => other,
    }
}

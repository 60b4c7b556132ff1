//! What an error of a database says about the statement.

/// What has become of a statement that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// There is such a row already.
    Taken,
    /// It met another statement and the database has undone it: it can be run again.
    Conflict,
    /// Its connection is gone; it may have been done or not.
    Lost,
    /// The database will never take it.
    Refused,
    /// Anything else, which may pass.
    Passing,
}

//! What the server can do to sessions that are open.

/// What the server can do to the sessions of a realm once they are open; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Powers {
    /// Nothing: they are in cookies alone, and end when they expire.
    Nothing,
    /// End one, a subject's, or everyone's: they are in cookies, beside a [ledger](crate::ledger).
    Ends,
    /// List a subject's too: they are in a store on the server.
    Lists,
}

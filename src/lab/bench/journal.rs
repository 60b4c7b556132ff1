//! What happened in an experiment, as it is shown afterwards.

use std::sync::{Mutex, PoisonError};

/// A request and its response, or a question to the store itself.
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    /// Who asked.
    pub who: &'static str,
    /// `GET`, `POST`, or `store`.
    pub method: &'static str,
    /// What was asked for.
    pub path: String,
    /// The status, or the store's answer.
    pub status: String,
    /// What the answer says of the session.
    pub says: String,
    /// The `Set-Cookie` lines, shortened.
    pub set_cookie: Vec<String>,
    /// The record as it was loaded.
    pub before: Option<String>,
    /// The record as it was written, if it was.
    pub after: Option<String>,
    /// Bytes of the `Cookie` header's names and values.
    pub up: usize,
    /// Bytes of the `Set-Cookie` lines.
    pub down: usize,
    /// Bytes that the server keeps of what was written.
    pub rest: usize,
}

/// Numbers that an experiment measured.
#[derive(Debug, Clone, Default)]
pub struct Measurements {
    /// What was measured.
    pub caption: &'static str,
    /// The heads of the columns.
    pub head: &'static [&'static str],
    /// The rows; the first cell of each is its head.
    pub rows: Vec<Vec<String>>,
}

/// Keeps what happens while an experiment runs.
#[derive(Default)]
pub(super) struct Journal {
    exchanges: Mutex<Vec<Exchange>>,
    measurements: Mutex<Measurements>,
}

impl Journal {
    pub(super) fn note(&self, exchange: Exchange) {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
    }

    pub(super) fn measured(&self, measurements: Measurements) {
        *self.measurements.lock().unwrap_or_else(PoisonError::into_inner) = measurements;
    }

    pub(super) fn finish(self) -> (Vec<Exchange>, Measurements) {
        (
            self.exchanges.into_inner().unwrap_or_else(PoisonError::into_inner),
            self.measurements.into_inner().unwrap_or_else(PoisonError::into_inner),
        )
    }
}

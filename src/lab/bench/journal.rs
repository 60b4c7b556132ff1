//! What happened in an experiment, as it is shown afterwards.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A request and its response, or a question to the store itself.
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    /// What went on before it, as sentences.
    pub meanwhile: String,
    /// How many exchanges had ended when this one began.
    pub began: usize,
    /// Who asked.
    pub who: &'static str,
    /// Who was asked.
    pub whom: &'static str,
    /// `GET` or `POST`; empty for a question to the store.
    pub method: &'static str,
    /// What was asked for.
    pub path: String,
    /// What came with the request: completes "with …". Empty where the answer does not say.
    pub with: String,
    /// The status, or the store's answer.
    pub status: String,
    /// What the answer says of who is signed in.
    pub says: String,
    /// The answer never reached the browser.
    pub lost: bool,
    /// The verdict rests on it.
    pub decides: bool,
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
    meanwhile: Mutex<String>,
    measurements: Mutex<Measurements>,
}

impl Journal {
    /// Tells what goes on between exchanges.
    pub(super) fn tell(&self, sentence: &str) {
        let mut told = self.meanwhile.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.is_empty() {
            told.push(' ');
        }
        told.push_str(sentence);
    }

    /// An exchange that begins now.
    pub(super) fn begin(&self) -> Exchange {
        let meanwhile = mem::take(&mut *self.meanwhile.lock().unwrap_or_else(PoisonError::into_inner));
        Exchange { meanwhile, began: self.exchanges().len(), ..Exchange::default() }
    }

    /// Notes an exchange that has ended, and returns its number.
    pub(super) fn note(&self, exchange: Exchange) -> usize {
        let mut exchanges = self.exchanges();
        exchanges.push(exchange);
        exchanges.len() - 1
    }

    /// The verdict rests on the exchange with this number.
    pub(super) fn decided_by(&self, number: usize) {
        if let Some(exchange) = self.exchanges().get_mut(number) {
            exchange.decides = true;
        }
    }

    fn exchanges(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
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

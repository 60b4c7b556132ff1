//! A log in the memory of one process: it ends with it, and with it every session that was signed in.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::entry::Line;
use super::log::{Log, Page};
use crate::clock::UnixSeconds;
use crate::error::StoreError;

/// Keeps the entries of a ledger in this process.
#[derive(Debug, Default)]
pub struct MemoryLog(Mutex<Lines>);

#[derive(Debug, Default)]
struct Lines {
    claim: Option<Vec<u8>>,
    lines: BTreeMap<u64, Line>,
}

impl MemoryLog {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[rocket::async_trait]
impl Log for MemoryLog {
    async fn read(&self, from: u64, limit: usize) -> Result<Page, StoreError> {
        let Lines { claim, lines } = &*self.lines();
        let lines = lines.range(from..).take(limit).map(|(position, line)| (*position, line.clone()));
        Ok(Page { claim: claim.clone(), lines: lines.collect() })
    }

    async fn claim(&self, expected: Option<&[u8]>, claim: &[u8]) -> Result<bool, StoreError> {
        let mut lines = self.lines();
        let is_expected = lines.claim.as_deref() == expected;
        if is_expected {
            lines.claim = Some(claim.to_owned());
        }
        Ok(is_expected)
    }

    async fn append(&self, line: &Line) -> Result<Option<u64>, StoreError> {
        let Lines { lines, .. } = &mut *self.lines();
        let Some((last, _)) = lines.last_key_value() else { return Ok(None) };
        let position = last + 1;
        lines.insert(position, line.clone());
        Ok(Some(position))
    }

    async fn put(&self, lines: &[(u64, Line)]) -> Result<(), StoreError> {
        let mut held = self.lines();
        for (position, line) in lines {
            held.lines.entry(*position).or_insert_with(|| line.clone());
        }
        Ok(())
    }

    async fn forget(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        let Lines { lines, .. } = &mut *self.lines();
        let Some((last, _)) = lines.last_key_value() else { return Ok(0) };
        let (last, before) = (*last, lines.len());
        lines.retain(|position, line| *position == last || now < line.until);
        Ok((before - lines.len()) as u64)
    }
}

//! The throttle of passwords (ASVS 5.0, 6.3.1): how many wrong ones one address may try, for one name and in all, and a
//! delay for a name that many addresses try.
//!
//! An attempt is counted before its password is checked and taken back if it was right, so that no number of guesses
//! at once gets through more than the limit. Which name it is for is all that counts, never whether an account has it:
//! one that exists and one that does not are refused alike. What is counted is in the accounts' database, so that it
//! survives a restart, and processes that share a `data_dir` count together.

mod address;
mod bucket;
mod counts;
mod in_flight;
mod settings;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use blake2::digest::consts::U16;
use blake2::{Blake2b, Digest};
use log::Level;
use rocket::tokio::time::sleep;
use sealed_sessions::Clock;

pub(super) use self::address::Address;
use self::bucket::{Bucket, Millis};
use self::counts::{Counted, Counter, Counts, Key};
pub(super) use self::in_flight::Attempt;
use self::in_flight::InFlight;
pub(super) use self::settings::{Limits, read};
use super::event_line::Line;
use super::names;

/// The throttle, as the configuration sets it.
pub(super) struct Throttle {
    limits: Limits,
    counts: Counts,
    in_flight: Arc<InFlight>,
    hash: Hash,
    clock: Arc<dyn Clock>,
}

/// Whether a password may be checked.
pub(super) enum Admission {
    Admitted(Attempt),
    Refused(Wait),
}

/// How long until an attempt that was refused would be admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait(Millis);

impl Wait {
    /// In whole seconds, rounded up: at least one.
    pub(super) fn seconds(self) -> i64 {
        self.0.saturating_add(999) / 1000
    }
}

impl Throttle {
    /// Opens the counts, which are in the database in `file`. `secret` is known to the app alone.
    pub(super) async fn open(
        file: &Path,
        limits: Limits,
        secret: &[u8],
        clock: Arc<dyn Clock>,
    ) -> Result<Throttle, sqlx::Error> {
        let (counts, in_flight) = (Counts::open(file).await?, Arc::new(InFlight::new()));
        Ok(Throttle { limits, counts, in_flight, hash: Hash::keyed(secret), clock })
    }

    /// Counts an attempt at the password of this name, if it may be made now. Where only a delay is due, returns after
    /// it. Where others are being checked that may turn out to be right and be taken back, waits for them: who clicks
    /// twice with the right password gets in by either answer, however many wrong ones came before.
    pub(super) async fn admit(&self, address: Address, name: &str) -> Result<Admission, sqlx::Error> {
        self.count(self.counters(address, name)).await
    }

    /// Counts a new account, if one may be made now. Nothing is guessed by that, but its password is hashed like one that
    /// is checked, and it stays: one address is not to take every turn, nor to fill the database.
    pub(super) async fn admit_new(&self, address: Address) -> Result<Admission, sqlx::Error> {
        self.count(vec![self.address_counter(address)]).await
    }

    async fn count(&self, counters: Vec<Counter>) -> Result<Admission, sqlx::Error> {
        loop {
            let seen = self.in_flight.seen();
            let now =
                i64::try_from(self.clock.now().unix_timestamp_nanos() / 1_000_000).unwrap_or(Millis::MAX);
            match self.counts.add(&counters, now, || self.in_flight.begin(counters.clone())).await? {
                Counted::Refused(_) if seen.changed(&counters).await => {}
                Counted::Refused(wait) => return Ok(Admission::Refused(Wait(wait))),
                Counted::Added { attempt, delay } => {
                    sleep(Duration::from_millis(delay.unsigned_abs())).await;
                    return Ok(Admission::Admitted(attempt));
                }
            }
        }
    }

    /// Takes back an attempt whose password was right, or was not checked.
    pub(super) async fn take_back(&self, mut attempt: Attempt) {
        match self.counts.take_back(&attempt.counters).await {
            Ok(()) => attempt.is_taken_back = true,
            // The right password counts as a wrong one.
            Err(error) => Line::new(Level::Error, "throttle_fault").why(Some(error)).write(),
        }
    }

    /// What an attempt counts for. A name has one or two looks, and every name that finds an account has a look of it:
    /// other ways of writing a name give no more attempts.
    fn counters(&self, address: Address, name: &str) -> Vec<Counter> {
        let from = address.to_string();
        let counter = |bucket: Bucket, parts: &[&str]| Counter { key: self.hash.of(parts), bucket };
        let mut counters = vec![self.address_counter(address)];
        for look in names::looks(name) {
            counters.push(counter(self.limits.pair, &["pair", &look, &from]));
            counters.push(counter(self.limits.account, &["account", &look]));
        }
        counters
    }

    fn address_counter(&self, address: Address) -> Counter {
        Counter { key: self.hash.of(&["address", &address.to_string()]), bucket: self.limits.address }
    }
}

/// Hashes what was typed as a name, which may be a password in the wrong field: without the app's key nobody can find out
/// which text it was by trying.
struct Hash(Blake2b<U16>);

impl Hash {
    /// A hash of BLAKE2 that begins with a secret is a keyed one, since nobody can extend it.
    fn keyed(secret: &[u8]) -> Hash {
        Hash(Blake2b::new_with_prefix(secret))
    }

    fn of(&self, parts: &[&str]) -> Key {
        let mut hash = self.0.clone();
        for part in parts {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

//! Passwords: which are accepted, and their hashes, computed off the async threads by as many workers
//! as there are cores (ASVS 5.0, 6.2, 11.4.2 and 15.2.2).

use std::sync::Arc;
use std::thread::available_parallelism;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use rocket::tokio::sync::Semaphore;
use rocket::tokio::task::spawn_blocking;
use thiserror::Error;

/// The fewest characters of a password that is the only factor (SP 800-63B-4, 3.1.1.2).
const MIN_CHARACTERS: usize = 15;
const MAX_BYTES: usize = 1024;
/// How many jobs may wait for a worker; further ones are refused as busy.
const QUEUE: usize = 256;

/// The commonest passwords of 15 characters or more, in lower case (ASVS 5.0, 6.2.4, asks for the first 3000 that a policy
/// allows). A password is compared whole, as SP 800-63B-4 (3.1.1.2) has it: an estimate by parts, such as zxcvbn's,
/// would refuse phrases that hold a common word, and the lists behind it hold next to no password as long as these.
const COMMON: &str = include_str!("common_passwords.txt");
/// Longer forms of short ones that everybody knows, and runs of the keyboard.
const OBVIOUS: &str = include_str!("obvious_passwords.txt");
/// The words that only this site would lead a guesser to (ASVS 5.0, 6.2.11).
const SITE: [&str; 2] = ["sealed sessions", "sealedsessions"];

/// Why a password is refused, in words for the form.
pub(super) fn problem(password: &str, username: &str) -> Option<&'static str> {
    let folded = password.to_lowercase();
    let mut letters = folded.chars();
    let first = letters.next();
    if password.chars().count() < MIN_CHARACTERS {
        Some("Use 15 characters or more.")
    } else if password.len() > MAX_BYTES {
        Some("Use at most 1024 bytes.")
    } else if letters.all(|letter| Some(letter) == first) {
        Some("That is one character repeated. Choose something harder to guess.")
    } else if COMMON.lines().chain(OBVIOUS.lines()).any(|common| common == folded) {
        Some("That is one of the most common passwords. Choose another.")
    } else if username.chars().count() >= 4 && is_little_more_than(&username.to_lowercase(), &folded) {
        Some("That is little more than your username. Choose another.")
    } else if SITE.iter().any(|name| is_little_more_than(name, &folded)) {
        Some("That is little more than the name of this site. Choose another.")
    } else {
        None
    }
}

fn is_little_more_than(word: &str, password: &str) -> bool {
    password.replace(word, "").chars().count() < 8
}

/// Hashes passwords, a bounded number at once.
pub(super) struct Hasher {
    workers: Arc<Semaphore>,
    places: Semaphore,
    /// The hash of no password: verified for unknown names, so that they take as long as known ones.
    dummy: String,
}

/// Why no hash was made or checked.
#[derive(Debug, Error)]
pub(super) enum HashError {
    #[error("too many passwords wait to be checked")]
    Busy,
    #[error("{0}")]
    Failed(String),
}

impl HashError {
    fn failed(error: impl std::fmt::Display) -> HashError {
        HashError::Failed(error.to_string())
    }
}

impl Hasher {
    pub(super) fn new() -> Result<Hasher, HashError> {
        let workers = available_parallelism().map_or(2, usize::from);
        Ok(Hasher {
            workers: Arc::new(Semaphore::new(workers)),
            places: Semaphore::new(QUEUE + workers),
            dummy: hash(&sealed_sessions::keys::generate_key().map_err(HashError::failed)?)?,
        })
    }

    /// The PHC string of a new password.
    pub(super) async fn hash(&self, password: String) -> Result<String, HashError> {
        self.work(move || hash(&password)).await
    }

    /// Whether the password is that of `known`. Takes the same time when there is no such account.
    pub(super) async fn verify(&self, password: String, known: Option<String>) -> Result<bool, HashError> {
        let exists = known.is_some();
        let expected = known.unwrap_or_else(|| self.dummy.clone());
        let matches = self.work(move || {
            let expected = PasswordHash::new(&expected).map_err(HashError::failed)?;
            Ok(argon2id()?.verify_password(password.as_bytes(), &expected).is_ok())
        });
        Ok(matches.await? && exists)
    }

    async fn work<R: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<R, HashError> + Send + 'static,
    ) -> Result<R, HashError> {
        let _place = self.places.try_acquire().map_err(|_| HashError::Busy)?;
        let worker = Arc::clone(&self.workers).acquire_owned().await.map_err(HashError::failed)?;
        // A worker stays taken until the job is done, even if its caller has gone.
        let job = spawn_blocking(move || {
            let done = job();
            drop(worker);
            done
        });
        job.await.map_err(HashError::failed)?
    }
}

/// Argon2id with 19 MiB, two passes and one lane (OWASP; ASVS 5.0, 11.4.2).
fn argon2id() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(HashError::failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str) -> Result<String, HashError> {
    Ok(argon2id()?.hash_password(password.as_bytes()).map_err(HashError::failed)?.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_few_words_are_taken_whatever_their_letters() {
        for password in [
            "correct horse battery",
            "пятнадцать букв да",
            "  spaces at both ends  ",
            "nul\0 is a letter too",
        ] {
            assert_eq!(problem(password, "alice"), None, "{password:?}");
        }
    }

    #[test]
    fn short_common_and_obvious_ones_are_not() {
        for password in [
            "fourteen chars",
            "aaaaaaaaaaaaaaaaaaaa",
            "passwordpassword",
            "Mailcreated5240",
            "correct horse battery staple",
            "alicealicealicealice",
            "SealedSessions1!",
            "sealed sessions 2026",
        ] {
            assert!(problem(password, "alice").is_some(), "{password:?}");
        }
    }

    #[test]
    fn a6_the_list_has_more_than_the_3000_commonest_that_may_be_chosen() {
        let common: BTreeSet<&str> = COMMON.lines().collect();
        assert!(common.len() > 3000, "{}", common.len());
        for password in common {
            assert!(password.chars().count() >= MIN_CHARACTERS, "{password:?} is refused as too short");
            assert_eq!(password, password.to_lowercase(), "compared in lower case");
        }
    }
}

//! Accounts: names and password hashes in SQLite, at `data_dir/app.db`.

use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rocket::fairing::{AdHoc, Fairing};
use rocket::tokio::task::spawn_blocking;
use sealed_sessions::Clock;
use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

use super::data_dir;
use super::passwords::{HashError, Hasher};
use super::settings::Settings;
use super::templates;

/// An account as a session holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its number, which is never reused.
    pub id: i64,
    /// Its name, as displayed.
    pub name: String,
}

/// All accounts.
pub(super) struct Accounts {
    pool: SqlitePool,
    hasher: Hasher,
    clock: Arc<dyn Clock>,
}

/// A fault of the server; the visitor is told that the site is busy.
#[derive(Debug, Error)]
pub(super) enum AccountError {
    #[error("the database of accounts: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the database of accounts cannot be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("passwords: {0}")]
    Hash(#[from] HashError),
}

/// The result of a registration.
#[derive(Debug)]
pub(super) enum Registration {
    New(Account),
    /// An account of this name and this password: the form was sent twice.
    Known(Account),
    NameTaken,
}

/// Opens the database before the app serves: creates it, and brings it up to date.
pub(super) fn fairing(settings: &Settings, clock: Arc<dyn Clock>) -> impl Fairing {
    let data_dir = settings.data_dir.clone();
    AdHoc::try_on_ignite("Accounts", |rocket| async move {
        match Accounts::open(data_dir, clock).await {
            Ok(accounts) => Ok(rocket.manage(accounts)),
            Err(error) => {
                log::error!("the app refuses to launch: {error}");
                Err(rocket)
            }
        }
    })
}

impl Accounts {
    async fn open(data_dir: PathBuf, clock: Arc<dyn Clock>) -> Result<Accounts, AccountError> {
        let file = data_dir.join(data_dir::DATABASE_FILE);
        // The database becomes a WAL one and gets its tables under this lock: processes that start together
        // would find each other's halves.
        let prepare = spawn_blocking({
            let file = file.clone();
            move || {
                data_dir::make(&data_dir)?;
                data_dir::make(&templates::directory(&data_dir))?;
                let lock = data_dir::lock(&data_dir);
                data_dir::make_file(&file).map(|()| lock)
            }
        });
        let lock = prepare.await.map_err(io::Error::other).flatten().map_err(sqlx::Error::Io)?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::from_secs(2));
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(2))
            .connect_with(options)
            .await?;
        sqlx::migrate!().run(&pool).await?;
        drop(lock);
        Ok(Accounts { pool, hasher: Hasher::new()?, clock })
    }

    /// Makes an account, unless it is there already; the name must have passed [`name_problem`].
    pub(super) async fn register(&self, name: &str, password: String) -> Result<Registration, AccountError> {
        let name: String = name.nfc().collect();
        let key = key(&name);
        let taken = sqlx::query_scalar::<_, i64>("SELECT id FROM accounts WHERE name_key = ?").bind(&key);
        if taken.fetch_optional(&self.pool).await?.is_some() {
            return self.known(&name, password).await;
        }
        let hash = self.hasher.hash(password.clone()).await?;
        let insert = "INSERT INTO accounts (name, name_key, password_hash, created) VALUES (?, ?, ?, ?)
                      ON CONFLICT (name_key) DO NOTHING RETURNING id";
        let insert = sqlx::query_scalar(insert).bind(&name).bind(key).bind(hash).bind(self.clock.seconds());
        match insert.fetch_optional(&self.pool).await? {
            Some(id) => Ok(Registration::New(Account { id, name })),
            None => self.known(&name, password).await,
        }
    }

    async fn known(&self, name: &str, password: String) -> Result<Registration, AccountError> {
        Ok(self.verify(name, password).await?.map_or(Registration::NameTaken, Registration::Known))
    }

    /// The account of this name and password. An unknown name takes as long as a wrong password.
    pub(super) async fn verify(&self, name: &str, password: String) -> Result<Option<Account>, AccountError> {
        let select = "SELECT id, name, password_hash FROM accounts WHERE name_key = ?";
        let found: Option<(i64, String, String)> =
            sqlx::query_as(select).bind(key(name)).fetch_optional(&self.pool).await?;
        let (account, hash) = match found {
            Some((id, name, hash)) => (Some(Account { id, name }), Some(hash)),
            None => (None, None),
        };
        Ok(if self.hasher.verify(password, hash).await? { account } else { None })
    }
}

/// Why a name is refused, in words for the form.
pub(super) fn name_problem(name: &str) -> Option<&'static str> {
    let hidden =
        |letter: char| letter.is_control() || UNSEEN.iter().any(|unseen| unseen.contains(&u32::from(letter)));
    match name.chars().count() {
        0 => Some("Choose a username."),
        65.. => Some("Use at most 64 characters."),
        _ if name.trim() != name => Some("Leave out the spaces at its ends."),
        _ if name.contains(hidden) => Some("Use letters that can be seen."),
        _ => None,
    }
}

/// Characters that show nothing: those of Unicode's property Default_Ignorable_Code_Point, the separators
/// of lines, the controls of annotations, and the blank among the Braille patterns.
const UNSEEN: [RangeInclusive<u32>; 19] = [
    0xad..=0xad,
    0x34f..=0x34f,
    0x61c..=0x61c,
    0x115f..=0x1160,
    0x17b4..=0x17b5,
    0x180b..=0x180f,
    0x200b..=0x200f,
    0x2028..=0x202e,
    0x2060..=0x206f,
    0x2800..=0x2800,
    0x3164..=0x3164,
    0xfe00..=0xfe0f,
    0xfeff..=0xfeff,
    0xffa0..=0xffa0,
    0xfff0..=0xfffb,
    0x1bca0..=0x1bca3,
    0x1d173..=0x1d17a,
    0x1d159..=0x1d159,
    0xe0000..=0xe0fff,
];

/// A name as it is compared: two that look the same are the same.
fn key(name: &str) -> String {
    name.nfkc().collect::<String>().to_lowercase().nfkc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_the_same_are_the_same() {
        assert_eq!(key("Zo\u{eb}"), key("zoe\u{308}"));
        assert_ne!(key("zoe"), key("zo\u{eb}"));
    }

    #[test]
    fn a_name_is_visible_and_not_too_long() {
        assert_eq!(name_problem("<script>alert(1)</script>"), None);
        for name in ["", " ", "two\nlines", "nul\0", "a\u{202e}b", &"x".repeat(65)] {
            assert!(name_problem(name).is_some(), "{name:?}");
        }
        for unseen in ['\u{ad}', '\u{2800}', '\u{3164}', '\u{feff}', '\u{2066}', '\u{34f}', '\u{e0001}'] {
            assert!(name_problem(&format!("al{unseen}ice")).is_some(), "{unseen:?}");
        }
    }
}

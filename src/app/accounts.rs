//! Accounts: names and password hashes in SQLite, at `data_dir/app.db`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rocket::fairing::{AdHoc, Fairing};
use rocket::figment::Figment;
use rocket::tokio::task::spawn_blocking;
use sealed_sessions::Clock;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use sqlx::{SqliteConnection, SqlitePool};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

use super::data_dir::{self, WRITE_TIMEOUT};
use super::names;
use super::passwords::{HashError, Hasher};
use super::settings::Settings;
use super::templates;
use super::throttle::{Address, Admission, Limits, Throttle, Wait};
use super::turns::{Turn, Turns};

/// An account as a session holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its number, which no other account ever gets.
    pub id: i64,
    /// Its name, as displayed.
    pub name: String,
}

impl Account {
    /// What its sessions have as their subject.
    pub fn subject(&self) -> String {
        self.id.to_string()
    }

    /// Its number and its name, for an operator.
    pub fn described(&self) -> String {
        format!("account {}, {:?}", self.id, self.name)
    }
}

/// A number that is another one after the password of an account was changed, or the account disabled.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub(super) struct Stamp(i64);

impl From<i64> for Stamp {
    fn from(number: i64) -> Stamp {
        Stamp(number)
    }
}

/// An account whose password was given, and its stamp from before the password was checked.
#[derive(Debug)]
pub(super) struct Proven {
    pub(super) account: Account,
    pub(super) stamp: Stamp,
}

/// All accounts.
pub(super) struct Accounts {
    pub(super) pool: SqlitePool,
    /// One connection: changes take turns here in their order, where SQLite would let them poll, and take no connection
    /// away from who reads.
    pub(super) writer: SqlitePool,
    /// Private to this file, so that no page can check a password past the throttle.
    hasher: Hasher,
    throttle: Option<Throttle>,
    turns: Turns,
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
    #[error("no random bits: {0}")]
    Random(#[from] getrandom::Error),
}

/// What a name and a password turned out to be.
#[derive(Debug)]
pub(super) enum Verified {
    Right(Proven),
    WrongPassword(Account),
    /// The password is right, but an operator has disabled the account. A visitor is not told which of the three it is.
    Disabled(Account),
    /// No account has this name.
    Unknown,
    /// The password was not checked, since too many were wrong.
    TooOften(Wait),
}

/// The result of a registration.
#[derive(Debug)]
pub(super) enum Registration {
    New(Proven),
    /// An account of this name and this password: the form was sent twice.
    Known(Proven),
    NameTaken,
    /// No account was made, or the password of the one of this name was not checked, since too many came before.
    TooOften(Wait),
}

/// Opens the database before the app serves: creates it, and brings it up to date.
pub(super) fn fairing(settings: &Settings, clock: Arc<dyn Clock>) -> impl Fairing {
    let (data_dir, limits) = (settings.data_dir.clone(), settings.throttle);
    AdHoc::try_on_ignite("Accounts", move |rocket| async move {
        let opened = async {
            let accounts = Accounts::open(data_dir.clone(), Arc::clone(&clock)).await?;
            let throttle = open_throttle(rocket.figment(), &data_dir, limits, clock).await?;
            Ok::<_, AccountError>(Accounts { throttle, ..accounts })
        };
        match opened.await {
            Ok(accounts) => Ok(rocket.manage(accounts)),
            Err(error) => {
                log::error!("the app refuses to launch: {error}");
                Err(rocket)
            }
        }
    })
}

/// The throttle of passwords, unless it is turned off; its table is made with those of the accounts.
async fn open_throttle(
    figment: &Figment,
    data_dir: &Path,
    limits: Option<Limits>,
    clock: Arc<dyn Clock>,
) -> Result<Option<Throttle>, sqlx::Error> {
    let Some(limits) = limits else { return Ok(None) };
    let secret = figment.find_value("secret_key").ok().and_then(|key| serde_json::to_vec(&key).ok());
    let file = data_dir.join(data_dir::DATABASE_FILE);
    Throttle::open(&file, limits, &secret.unwrap_or_default(), clock).await.map(Some)
}

impl Accounts {
    /// Creates the database, or brings it up to date.
    pub(super) async fn open(data_dir: PathBuf, clock: Arc<dyn Clock>) -> Result<Accounts, AccountError> {
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
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(WRITE_TIMEOUT)
            .connect_with(options.clone().busy_timeout(WRITE_TIMEOUT))
            .await?;
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(2))
            .connect_with(options)
            .await?;
        // A newer release may have migrated further: its migrations only add, so this one goes on without them.
        sqlx::migrate!().set_ignore_missing(true).run(&pool).await?;
        let accounts =
            Accounts { pool, writer, hasher: Hasher::new()?, throttle: None, turns: Turns::default(), clock };
        accounts.describe_looks().await?;
        drop(lock);
        Ok(accounts)
    }

    /// Gives every account its looks that has none: those of before there were any.
    async fn describe_looks(&self) -> Result<(), sqlx::Error> {
        let select = "SELECT id, name FROM accounts
                      WHERE id NOT IN (SELECT account FROM account_looks) ORDER BY created, id";
        let mut transaction = self.writer.begin().await?;
        let without: Vec<(i64, String)> = sqlx::query_as(select).fetch_all(&mut *transaction).await?;
        for (id, name) in without {
            add_looks(&mut transaction, id, &name).await?;
        }
        transaction.commit().await
    }

    /// Makes an account, unless it is there already; the name must have passed [`names::problem`].
    pub(super) async fn register(
        &self,
        from: Address,
        name: &str,
        password: String,
    ) -> Result<Registration, AccountError> {
        let name: String = name.nfc().collect();
        if self.find(&name).await?.is_some() {
            return self.known(from, &name, password).await;
        }
        let attempt = match &self.throttle {
            Some(throttle) => match throttle.admit_new(from).await? {
                Admission::Admitted(attempt) => Some((throttle, attempt)),
                Admission::Refused(wait) => return Ok(Registration::TooOften(wait)),
            },
            None => None,
        };
        let made = async { self.insert(name.clone(), self.hash(password.clone()).await?).await }.await;
        match (made, attempt) {
            (Ok(Some(account)), _) => Ok(Registration::New(Proven { account, stamp: Stamp::default() })),
            (not_made, attempt) => {
                if let Some((throttle, attempt)) = attempt {
                    throttle.take_back(attempt).await;
                }
                not_made?;
                self.known(from, &name, password).await
            }
        }
    }

    /// A new account; `None` where another one looks the same.
    async fn insert(&self, name: String, hash: String) -> Result<Option<Account>, AccountError> {
        // A positive number that is random, so that no account gets the one of an account that was deleted, with
        // the sessions that it may still have.
        let id = i64::try_from(getrandom::u64()?.max(2) >> 1).unwrap_or(i64::MAX);
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let insert =
            "INSERT INTO accounts (id, name, name_key, password_hash, created) VALUES (?, ?, ?, ?, ?)
                      ON CONFLICT DO NOTHING";
        let insert = sqlx::query(insert).bind(id).bind(&name).bind(names::key(&name)).bind(hash);
        let inserted = insert.bind(self.clock.seconds()).execute(&mut *transaction).await?;
        if inserted.rows_affected() == 0 || !add_looks(&mut transaction, id, &name).await? {
            return Ok(None);
        }
        transaction.commit().await?;
        Ok(Some(Account { id, name }))
    }

    async fn known(&self, from: Address, name: &str, password: String) -> Result<Registration, AccountError> {
        Ok(match self.verify(from, name, password).await? {
            Verified::Right(proven) => Registration::Known(proven),
            Verified::WrongPassword(_) | Verified::Disabled(_) | Verified::Unknown => Registration::NameTaken,
            Verified::TooOften(wait) => Registration::TooOften(wait),
        })
    }

    /// Whether this is the password of the account of this name, and the account may sign in. An unknown name and a
    /// disabled account take as long as a wrong password, and are throttled like one.
    ///
    /// This is the only way to check a password, so that no page can forget the throttle.
    pub(super) async fn verify(
        &self,
        from: Address,
        name: &str,
        password: String,
    ) -> Result<Verified, AccountError> {
        let Some(throttle) = &self.throttle else { return self.check(name, password).await };
        let attempt = match throttle.admit(from, name).await? {
            Admission::Admitted(attempt) => attempt,
            Admission::Refused(wait) => return Ok(Verified::TooOften(wait)),
        };
        let checked = self.check(name, password).await;
        if let Ok(Verified::Right(_)) | Err(_) = checked {
            throttle.take_back(attempt).await;
        }
        checked
    }

    async fn check(&self, name: &str, password: String) -> Result<Verified, AccountError> {
        let (proven, hash) = self.find(name).await?.unzip();
        let is_right = self.hasher.verify(password, hash).await?;
        // Asked after the password, which may have waited for its turn while the account was disabled; and whatever
        // the password was, so that every answer takes as long.
        let is_disabled = self.is_disabled(proven.as_ref().map_or(0, |proven| proven.account.id)).await?;
        Ok(match proven {
            Some(proven) if is_right && is_disabled => Verified::Disabled(proven.account),
            Some(proven) if is_right => Verified::Right(proven),
            Some(proven) => Verified::WrongPassword(proven.account),
            None => Verified::Unknown,
        })
    }

    /// Waits for other requests of this process that change the account.
    pub(super) async fn turn(&self, account: &Account) -> Turn {
        self.turns.wait(account.id).await
    }

    /// The hash of a new password.
    pub(super) async fn hash(&self, password: String) -> Result<String, HashError> {
        self.hasher.hash(password).await
    }

    /// Whether an operator has disabled an account. One that is gone is as good as disabled.
    async fn is_disabled(&self, id: i64) -> Result<bool, sqlx::Error> {
        let select = sqlx::query_scalar("SELECT disabled IS NOT NULL FROM accounts WHERE id = ?").bind(id);
        Ok(select.fetch_optional(&self.pool).await?.unwrap_or(true))
    }

    /// The account of exactly this name.
    pub(super) async fn named(&self, name: &str) -> Result<Option<Account>, AccountError> {
        let select =
            sqlx::query_as("SELECT id, name FROM accounts WHERE name_key = ?").bind(names::key(name));
        let found: Option<(i64, String)> = select.fetch_optional(&self.pool).await?;
        Ok(found.map(|(id, name)| Account { id, name }))
    }

    /// Lets nobody sign in to the account of exactly this name from now on, or lets them again; `None` if there is no
    /// such account. Sessions that are signed in already go on.
    pub(super) async fn set_disabled(
        &self,
        name: &str,
        disabled: bool,
    ) -> Result<Option<Account>, AccountError> {
        let since = disabled.then(|| self.clock.seconds());
        // One that is disabled already stays so since then.
        let update = "UPDATE accounts SET disabled = iif(?1 IS NULL, NULL, coalesce(disabled, ?1))
                      WHERE name_key = ?2 RETURNING id, name";
        let update = sqlx::query_as(update).bind(since).bind(names::key(name));
        let changed: Option<(i64, String)> = update.fetch_optional(&self.writer).await?;
        Ok(changed.map(|(id, name)| Account { id, name }))
    }

    /// The account of this name, or else the one that looks the same; and the hash of its password.
    async fn find(&self, name: &str) -> Result<Option<(Proven, String)>, sqlx::Error> {
        let select = "SELECT id, name, stamp, password_hash FROM accounts
                      WHERE name_key = ?1 OR id IN (SELECT account FROM account_looks WHERE look IN (?2, ?3))
                      ORDER BY name_key = ?1 DESC, created, id LIMIT 1";
        let looks = names::looks(name);
        let select = sqlx::query_as(select).bind(names::key(name)).bind(looks.first()).bind(looks.last());
        let found: Option<(i64, String, Stamp, String)> = select.fetch_optional(&self.pool).await?;
        Ok(found.map(|(id, name, stamp, hash)| (Proven { account: Account { id, name }, stamp }, hash)))
    }
}

/// Notes how a name looks. Returns whether no other account looks the same.
async fn add_looks(connection: &mut SqliteConnection, account: i64, name: &str) -> Result<bool, sqlx::Error> {
    let mut is_free = true;
    for look in names::looks(name) {
        let insert = "INSERT INTO account_looks (look, account) VALUES (?, ?) ON CONFLICT DO NOTHING";
        let inserted = sqlx::query(insert).bind(look).bind(account).execute(&mut *connection).await?;
        is_free &= inserted.rows_affected() > 0;
    }
    Ok(is_free)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use rocket::tokio::spawn;
    use rocket::tokio::time::sleep;
    use sealed_sessions::SystemClock;

    use super::*;

    /// How long another process keeps everybody else from writing.
    const BUSY: Duration = Duration::from_secs(3);

    #[rocket::async_test]
    async fn while_others_write_for_seconds_new_accounts_wait_for_their_turn_and_reading_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        let open = || Accounts::open(directory.path().to_owned(), Arc::new(SystemClock));
        let (accounts, other) = (Arc::new(open().await.unwrap()), open().await.unwrap());
        let held = other.pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let begun = Instant::now();
        let insert = |number| {
            let accounts = Arc::clone(&accounts);
            spawn(async move { accounts.insert(format!("visitor {number}"), String::new()).await })
        };
        let inserts: Vec<_> = (0..8).map(insert).collect();
        while begun.elapsed() < BUSY {
            accounts.look_up(1).await.unwrap();
            sleep(Duration::from_millis(20)).await;
        }
        held.rollback().await.unwrap();
        for insert in inserts {
            assert!(insert.await.unwrap().unwrap().is_some());
        }
    }
}

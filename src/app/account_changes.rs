//! What the user of an account changes: its password, and whether there is one.

use super::accounts::{Account, AccountError, Accounts, Proven, Stamp, Verified};
use super::throttle::{Address, Wait};

/// What the password of someone who is signed in turned out to be.
pub(super) enum Proof {
    Right(Proven),
    Wrong,
    /// It was not checked, since too many were wrong.
    TooOften(Wait),
}

/// What the database has of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Its stamp.
    Stamp(Stamp),
    /// That it is disabled or deleted.
    Over,
    /// Nothing, ever: it is of an app that has the same key and accounts of its own.
    Nothing,
}

impl Accounts {
    /// Looks an account up by its number.
    pub(super) async fn look_up(&self, id: i64) -> Result<Known, AccountError> {
        let select = "SELECT iif(disabled IS NULL, stamp, NULL) FROM accounts WHERE id = ?1
                      UNION ALL SELECT NULL FROM deleted_accounts WHERE id = ?1 LIMIT 1";
        let found: Option<Option<Stamp>> =
            sqlx::query_scalar(select).bind(id).fetch_optional(&self.pool).await?;
        Ok(match found {
            Some(Some(stamp)) => Known::Stamp(stamp),
            Some(None) => Known::Over,
            None => Known::Nothing,
        })
    }

    /// Whether this is the password of an account that is signed in; its stamp if so.
    pub(super) async fn prove(
        &self,
        from: Address,
        account: &Account,
        password: String,
    ) -> Result<Proof, AccountError> {
        Ok(match self.verify(from, &account.name, password).await? {
            // Its name may be another's by now.
            Verified::Right(proven) if proven.account.id == account.id => Proof::Right(proven),
            Verified::TooOften(wait) => Proof::TooOften(wait),
            _ => Proof::Wrong,
        })
    }

    /// Gives an account another password, and returns its new stamp. `None` if the password was changed since this
    /// proof, or the account is gone.
    pub(super) async fn change_password(
        &self,
        proven: &Proven,
        password: String,
    ) -> Result<Option<Stamp>, AccountError> {
        let hash = self.hash(password).await?;
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let update = "UPDATE accounts SET password_hash = ? WHERE id = ? AND stamp = ?";
        let update = sqlx::query(update).bind(hash).bind(proven.account.id).bind(proven.stamp);
        if update.execute(&mut *transaction).await?.rows_affected() == 0 {
            return Ok(None);
        }
        // What the update itself returns is from before the trigger.
        let select = sqlx::query_scalar("SELECT stamp FROM accounts WHERE id = ?").bind(proven.account.id);
        let stamp = select.fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Some(stamp))
    }

    /// Deletes an account. Its number is never given to another.
    pub(super) async fn delete(&self, account: &Account) -> Result<(), AccountError> {
        sqlx::query("DELETE FROM accounts WHERE id = ?").bind(account.id).execute(&self.writer).await?;
        Ok(())
    }
}

//! `sessions`: the sessions of an account.

use std::process::ExitCode;

use clap::Args;
use sealed_sessions::operator::{OperatorError, RealmOperator};
use sealed_sessions::store::UnixSeconds;
use sealed_sessions_app::app::{self, Account, AccountBook};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::realms::{Options, attempt};
use super::{Problem, Shown};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The account, by its username.
    #[arg(long, value_name = "NAME")]
    subject: String,
    #[command(flatten)]
    options: Options,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Document<'d, R> {
    account: Shown<'d>,
    realms: &'d [R],
}

#[derive(Serialize)]
struct Sessions {
    sessions: Vec<Session>,
}

#[derive(Serialize)]
struct Session {
    session: String,
    signed_in: Option<String>,
    seen: String,
    remembered: bool,
}

/// Succeeds if one realm has a list, even of no session.
pub(crate) async fn execute(Arguments { subject, options }: Arguments) -> Result<ExitCode, Problem> {
    let realms = options.realms()?;
    let account = AccountBook::open(&app::figment()).await?.named(&subject).await?;
    let subject = account.subject();
    let mut outcomes = Vec::with_capacity(realms.len());
    for realm in &realms {
        outcomes.push(attempt(realm, list(realm, &subject)).await);
    }
    let lines: Vec<_> =
        outcomes.iter().map(|outcome| outcome.line(|done| Ok(table(&account, &done.sessions)))).collect();
    options.report(&Document { account: Shown::from(&account), realms: &outcomes }, &lines)?;
    Ok(if lines.iter().any(Result::is_ok) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn list(realm: &RealmOperator, subject: &str) -> Result<Sessions, OperatorError> {
    let sessions = realm.sessions_of(subject).await?.into_iter().map(|other| Session {
        session: other.handle,
        signed_in: other.listed.signed_in.map(rfc3339),
        seen: rfc3339(other.listed.seen),
        remembered: other.listed.remembered,
    });
    Ok(Sessions { sessions: sessions.collect() })
}

fn table(account: &Account, sessions: &[Session]) -> String {
    let count = match sessions.len() {
        0 => "no session".to_owned(),
        1 => "1 session".to_owned(),
        count => format!("{count} sessions"),
    };
    let mut text = format!("{count} of {}", account.described());
    if !sessions.is_empty() {
        text += &row("session", "signed in", "last used", "remembered");
    }
    for Session { session, signed_in, seen, remembered } in sessions {
        let remembered = if *remembered { "yes" } else { "no" };
        text += &row(session, signed_in.as_deref().unwrap_or("-"), seen, remembered);
    }
    text
}

/// A line of the table. A handle has 16 characters, a time 20.
fn row(session: &str, signed_in: &str, seen: &str, remembered: &str) -> String {
    format!("\n  {session:<16}  {signed_in:<20}  {seen:<20}  {remembered}")
}

fn rfc3339(seconds: UnixSeconds) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(seconds).ok();
    moment.and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_else(|| seconds.to_string())
}

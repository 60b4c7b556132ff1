//! `revoke`: ends sessions.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use sealed_sessions::operator::{Handle, OperatorError, RealmOperator};
use sealed_sessions_app::app::{self, Account, AccountBook};
use serde::Serialize;

use super::realms::{Options, Outcome, attempt};
use super::{Problem, Shown};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    options: Options,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Target {
    /// End the sessions of an account, by its username.
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,
    /// End one session, by its handle: its name in the log and in the list of `sessions`.
    #[arg(long, value_name = "HANDLE")]
    session: Option<Handle>,
    /// End the sessions that have this label: a tenant's, a device's, an identity provider's session.
    #[arg(long, value_name = "LABEL", value_parser = NonEmptyStringValueParser::new())]
    label: Option<String>,
    /// End the sessions of everyone who is signed in.
    #[arg(long)]
    all: bool,
}

/// Which sessions to end.
enum Which {
    OfAccount(Account),
    One(Handle),
    Labelled(String),
    Everyones,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Document<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Shown<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    realms: &'d [Outcome<Ended>],
}

/// How many sessions have ended; null where a ledger has ended them, which does not know.
#[derive(Serialize)]
pub(super) struct Ended {
    ended: Option<u64>,
}

/// Succeeds if one realm could do it. A session that no realm has is a failure.
pub(crate) async fn execute(Arguments { target, options }: Arguments) -> Result<ExitCode, Problem> {
    let realms = options.realms()?;
    let accounts = AccountBook::open(&app::figment()).await?;
    let (which, outcomes) = match target {
        Target { session: Some(handle), .. } => {
            let outcomes = end_session(realms, &handle).await;
            (Which::One(handle), outcomes)
        }
        Target { subject: Some(name), .. } => {
            let account = accounts.named(&name).await?;
            let outcomes = end_account(&realms, &account).await;
            (Which::OfAccount(account), outcomes)
        }
        Target { label: Some(label), .. } => {
            let mut outcomes = Vec::with_capacity(realms.len());
            for realm in &realms {
                let ended = async { realm.end_label(&label).await.map(|()| None) };
                outcomes.push(attempt(realm, counted(ended)).await);
            }
            (Which::Labelled(label), outcomes)
        }
        Target { .. } => {
            let mut outcomes = Vec::with_capacity(realms.len());
            for realm in &realms {
                outcomes.push(attempt(realm, counted(realm.end_everyone())).await);
            }
            (Which::Everyones, outcomes)
        }
    };
    let lines: Vec<_> = outcomes.iter().map(|outcome| outcome.line(|done| which.described(done))).collect();
    let (account, session) = match &which {
        Which::OfAccount(account) => (Some(Shown::from(account)), None),
        Which::One(handle) => (None, Some(handle.to_string())),
        Which::Labelled(_) | Which::Everyones => (None, None),
    };
    options.report(&Document { account, session, realms: &outcomes }, &lines)?;
    // One that no store has is a line about a problem too.
    Ok(if lines.iter().any(Result::is_ok) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Ends the sessions of an account in each of the realms.
pub(super) async fn end_account(realms: &[RealmOperator], account: &Account) -> Vec<Outcome<Ended>> {
    let subject = account.subject();
    let mut outcomes = Vec::with_capacity(realms.len());
    for realm in realms {
        outcomes.push(attempt(realm, counted(realm.end_subject(&subject))).await);
    }
    outcomes
}

async fn counted(
    ends: impl Future<Output = Result<Option<u64>, OperatorError>>,
) -> Result<Ended, OperatorError> {
    ends.await.map(|ended| Ended { ended })
}

/// Ends one session, in the realm that has it. The ledgers come last, and only if no store has it: they do not know
/// whose it is, and each session is compared with what stands in them.
async fn end_session(mut realms: Vec<RealmOperator>, handle: &Handle) -> Vec<Outcome<Ended>> {
    realms.sort_by_key(|realm| !realm.can_list());
    let mut outcomes = Vec::new();
    for realm in &realms {
        let outcome = attempt(realm, counted(realm.end_session(handle))).await;
        let is_found = outcome.done().is_some_and(|done| done.ended == Some(1));
        outcomes.push(outcome);
        if is_found {
            break;
        }
    }
    outcomes
}

impl Which {
    fn described(&self, done: &Ended) -> Result<String, String> {
        Ok(match (self, done.ended) {
            (Which::OfAccount(account), _) => done.of(account),
            (Which::One(handle), Some(0)) => return Err(format!("no signed-in session is {handle}")),
            (Which::One(handle), Some(_)) => format!("ended session {handle}"),
            (Which::One(handle), None) => format!("ended session {handle}, if it is one of this realm"),
            (Which::Labelled(label), _) => format!("ended all sessions with the label {label:?}"),
            (Which::Everyones, Some(count)) => format!("ended everyone's sessions, {count} in all"),
            (Which::Everyones, None) => "ended everyone's sessions".to_owned(),
        })
    }
}

impl Ended {
    /// A line about the sessions of an account.
    pub(super) fn of(&self, account: &Account) -> String {
        let account = account.described();
        match self.ended {
            Some(1) => format!("ended 1 session of {account}"),
            Some(count) => format!("ended {count} sessions of {account}"),
            None => format!("ended all sessions of {account}"),
        }
    }
}

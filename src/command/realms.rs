//! Doing something in each realm, and reporting what came of it.

use clap::Args;
use sealed_sessions::operator::{OperatorError, RealmOperator};
use sealed_sessions_app::app;
use sealed_sessions_app::terminal::{print, say};
use serde::Serialize;

use super::Problem;

/// Which realms, and how to report.
#[derive(Args)]
pub(super) struct Options {
    /// The realm, by its path, such as /stateful. Without it: every realm where it can be done.
    #[arg(long, value_name = "PATH")]
    realm: Option<String>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

impl Options {
    /// The realms that are meant.
    pub(super) fn realms(&self) -> Result<Vec<RealmOperator>, Problem> {
        let mut realms = app::operators(app::figment())?;
        if let Some(path) = &self.realm {
            let accepted =
                realms.iter().map(|realm| format!("{:?}", realm.path())).collect::<Vec<_>>().join(", ");
            realms.retain(|realm| realm.path() == path);
            if realms.is_empty() {
                return Err(Problem::Usage(format!("no realm has the path {path:?}; accepted: {accepted}")));
            }
        }
        Ok(realms)
    }

    /// Prints what came of it: as JSON, or the lines of the realms where it was done, with the others' on standard error.
    pub(super) fn report(
        &self,
        document: &impl Serialize,
        lines: &[Result<String, String>],
    ) -> Result<(), Problem> {
        if self.json {
            let document = serde_json::to_string_pretty(document).map_err(|error| error.to_string())?;
            return Ok(print(&format!("{document}\n"))?);
        }
        for line in lines {
            match line {
                Ok(line) => print(&format!("{line}\n"))?,
                Err(problem) => say(format_args!("sealed-sessions: {problem}")),
            }
        }
        Ok(())
    }
}

/// What came of it in one realm.
#[derive(Serialize)]
pub(super) struct Outcome<T> {
    realm: String,
    #[serde(flatten)]
    done: Done<T>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Done<T> {
    Yes(T),
    No {
        problem: String,
        /// It could have been done, if the store had answered.
        #[serde(skip)]
        is_fault: bool,
    },
}

impl<T> Outcome<T> {
    /// The line about it: what `describe` says, or why it was not done.
    pub(super) fn line(&self, describe: impl Fn(&T) -> Result<String, String>) -> Result<String, String> {
        let said = match &self.done {
            Done::Yes(done) => describe(done),
            Done::No { problem, .. } => Err(problem.clone()),
        };
        let named = |text| format!("{}: {text}", self.realm);
        said.map(named).map_err(named)
    }

    /// What was done.
    pub(super) fn done(&self) -> Option<&T> {
        match &self.done {
            Done::Yes(done) => Some(done),
            Done::No { .. } => None,
        }
    }

    /// Whether it was not done because the store did not answer.
    pub(super) fn is_fault(&self) -> bool {
        matches!(self.done, Done::No { is_fault: true, .. })
    }
}

/// Connects to a realm's store or ledger, and does it there.
pub(super) async fn attempt<T>(
    realm: &RealmOperator,
    action: impl Future<Output = Result<T, OperatorError>>,
) -> Outcome<T> {
    let done = match realm.unable() {
        Some(unable) => Err(unable.into()),
        None => match realm.start().await {
            Ok(()) => action.await,
            Err(error) => Err(error.into()),
        },
    };
    realm.stop().await;
    let done = match done {
        Ok(done) => Done::Yes(done),
        Err(error) => {
            Done::No { problem: error.to_string(), is_fault: matches!(error, OperatorError::Store(_)) }
        }
    };
    Outcome { realm: realm.path().to_owned(), done }
}

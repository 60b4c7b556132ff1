//! The commands, one file each. Those of an operator work beside the running app: `sessions`, `revoke` and `account`.

pub(super) mod account;
pub(super) mod inspect;
pub(super) mod keygen;
mod realms;
pub(super) mod revoke;
pub(super) mod serve;
pub(super) mod sessions;

use std::process::ExitCode;

use sealed_sessions_app::app::Account;
use sealed_sessions_app::terminal::say;
use serde::Serialize;

/// Why a command was not carried out.
pub(super) enum Problem {
    /// What was asked for does not exist: exit code 2, as for an argument that is wrong.
    Usage(String),
    /// Anything else: exit code 1.
    Failed(String),
}

impl From<String> for Problem {
    fn from(problem: String) -> Problem {
        Problem::Failed(problem)
    }
}

/// An account as JSON has it. Its number is text: not every reader keeps one of 63 bits.
#[derive(Serialize)]
struct Shown<'a> {
    id: String,
    name: &'a str,
}

impl<'a> From<&'a Account> for Shown<'a> {
    fn from(account: &'a Account) -> Shown<'a> {
        Shown { id: account.id.to_string(), name: &account.name }
    }
}

/// Says on standard error why a command was not carried out.
pub(super) fn finished(done: Result<ExitCode, Problem>) -> ExitCode {
    let (problem, code) = match done {
        Ok(code) => return code,
        Err(Problem::Usage(problem)) => (problem, ExitCode::from(2)),
        Err(Problem::Failed(problem)) => (problem, ExitCode::FAILURE),
    };
    say(format_args!("sealed-sessions: {problem}"));
    code
}

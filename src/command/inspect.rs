//! `inspect`: what is inside a cookie.

use std::io::{IsTerminal, Read, stdin};
use std::process::ExitCode;

use sealed_sessions::inspect::{Inspection, Inspector};
use sealed_sessions::{Clock, SystemClock};
use sealed_sessions_app::app;
use sealed_sessions_app::terminal::{print, say};
use serde::Serialize;

use super::Problem;

/// What `inspect` prints.
#[derive(Serialize)]
struct Found<'a> {
    cookies: &'a [Inspection],
}

/// Succeeds when every cookie that was found is a live session.
pub(crate) fn execute() -> Result<ExitCode, Problem> {
    if stdin().is_terminal() {
        say("Paste a cookie's value or a Cookie: header, then press Ctrl-D.");
    }
    let mut text = String::new();
    stdin().read_to_string(&mut text).map_err(|error| format!("cannot read standard input: {error}"))?;
    let figment = app::with_existing_key(app::figment())?;
    let found =
        Inspector::new(&figment).map_err(|error| error.to_string())?.open(&text, SystemClock.seconds());
    if found.is_empty() {
        return Err(Problem::Failed("there is no cookie of any realm in what was read".into()));
    }
    let document =
        serde_json::to_string_pretty(&Found { cookies: &found }).map_err(|error| error.to_string())?;
    print(&format!("{document}\n"))?;
    let live = found.iter().all(|inspection| inspection.problem.is_none());
    Ok(if live { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

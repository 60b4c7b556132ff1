//! `keygen`: a new key.

use std::process::ExitCode;

use sealed_sessions::keys::generate_key;
use sealed_sessions_app::terminal::print;

use super::Problem;

pub(crate) fn execute() -> Result<ExitCode, Problem> {
    let key = generate_key().map_err(|error| format!("no random bits: {error}"))?;
    print(&format!("{key}\n"))?;
    Ok(ExitCode::SUCCESS)
}
